// For the command line: `main-failures.mjs ADDRESS` prints, as JSON, how connections of the runtime's own WebSocket
// fail.

import { Luau } from "luau-websocket";

const echo = process.argv[2] ?? "";

const CONNECT = `
  local connection, reason = websocket.connect(..., { timeout = 60 })
  if not connection then
    return false, string.find(reason, "timed out") ~= nil
  end
  connection.OnClose:Wait()
  return connection.CloseCode, connection.WasClean
`;

/** @param {string} address */
async function connect(address) {
  /** @type {string[]} */
  const events = [];
  const luau = await Luau.create({
    onSocket: ({ type, code }) => events.push(code === undefined ? type : `${type} ${code}`),
  });
  const results = await luau.run(CONNECT, { args: [address] });
  await luau.idle();
  const { sockets } = luau.stats;
  luau.dispose();
  return { results, events, sockets };
}

/** @param {string} address */
async function failed(address) {
  const { results, ...others } = await connect(address);
  return { connected: results[0], isTimedOut: results[1], ...others };
}

/** @param {string} address */
async function ended(address) {
  const { results, ...others } = await connect(address);
  return { code: results[0], wasClean: results[1], ...others };
}

console.log(
  JSON.stringify({
    // Nobody listens on port 1.
    refused: await failed("ws://127.0.0.1:1/"),
    forbidden: await failed(echo.replace("/echo", "/forbidden")),
    // Late enough for the runtime to have read the answer to the handshake.
    reset: await ended(echo.replace("/echo", "/reset?seconds=0.5")),
    closed: await ended(echo.replace("/echo", "/burst?count=1&close=4001")),
  }),
);
