// The program that every environment runs. It uses a little of every feature of the package.

const VALUES = `
  print("arguments", ...)
  return 1 + 1, "two", { 3, 4 }, { five = 5 }
`;

// Text and bytes, sent and echoed.
const ECHO = `
  local connection, reason = websocket.connect(...)
  if not connection then
    return reason
  end
  connection:Send("héllo")
  connection:Send(buffer.fromstring("\\0\\255"))
  local text = connection:Receive(10)
  local bytes, isBinary = connection:Receive(10)
  connection:Close()
  connection.OnClose:Wait()
  return text, string.byte(bytes, 1, -1)
`;

const FAILURE = `
  task.wait()
  error("oops")
`;

/** @typedef {import("luau-websocket").LuauOptions} LuauOptions */

/**
 * The members that `Luau` and `LuauWorker` share, as far as the program uses them.
 *
 * @typedef {object} Vm
 * @property {(source: string, options?: import("luau-websocket").RunOptions) => Promise<unknown[]>} run
 * @property {() => void} dispose
 */

/**
 * @param {{ Luau: { create: (options: LuauOptions) => Promise<Vm> }, LuauError: typeof import("luau-websocket").LuauError }} luauModule
 * @param {string} address the address of an echo server
 * @param {LuauOptions} [options]
 */
export async function program({ Luau, LuauError }, address, options = {}) {
  /** @type {string[]} */
  const printed = [];
  const luau = await Luau.create({ ...options, print: (text) => void printed.push(text) });
  /** @param {unknown} error */
  const asLuauError = (error) => {
    if (error instanceof LuauError) {
      return error;
    }
    throw error;
  };
  const values = await luau.run(VALUES, { args: [1, true] });
  const echo = await luau.run(ECHO, { args: [address] });
  const failure = await luau.run(FAILURE, { chunkName: "failure" }).then(unexpected, asLuauError);
  luau.dispose();
  const disposed = await luau.run("return").then(unexpected, asLuauError);
  return {
    printed,
    values,
    echo,
    failure: { kind: failure.kind, line: failure.line, message: failure.message },
    disposed: disposed.kind,
  };
}

/** @returns {never} */
function unexpected() {
  throw new Error("this should have failed");
}
