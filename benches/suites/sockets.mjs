// The measurements of sockets, each in a script and in plain JavaScript that does the same. All figures are microseconds.

import { Luau } from "luau-websocket";
import { SyntheticSocket } from "./socket.mjs";

const address = `ws://${location.host}`;

/**
 * Runs a script that returns its duration in milliseconds.
 *
 * @param {string} source
 * @param {unknown[]} args
 * @param {import("luau-websocket").LuauOptions} options
 */
async function script(source, args, options = {}) {
  const luau = await Luau.create({ ...options, globals: { now: () => performance.now() } });
  try {
    const [took] = await luau.run(source, { args });
    return /** @type {number} */ (took);
  } finally {
    luau.dispose();
  }
}

/**
 * Returns an open socket.
 *
 * @param {string} path
 * @returns {Promise<WebSocket>}
 */
function opened(path) {
  const socket = new WebSocket(address + path);
  socket.binaryType = "arraybuffer";
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error(`cannot connect to ${path}`));
  });
}

/** Sends a message and waits for its echo, `count` times. */
function echoes(/** @type {WebSocket} */ socket, /** @type {string} */ message, /** @type {number} */ count) {
  let left = count;
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      left--;
      if (left > 0) {
        socket.send(data);
      } else {
        resolve(undefined);
      }
    };
    socket.send(message);
  });
}

const ECHO = `
  local url, size, count = ...
  local connection = assert(websocket.connect(url))
  local thread = coroutine.running()
  local left = count
  connection.OnMessage:Connect(function(message)
    left -= 1
    if left > 0 then
      connection:Send(message)
    else
      task.spawn(thread)
    end
  end)
  local message = string.rep("x", size)
  local began = now()
  connection:Send(message)
  coroutine.yield()
  local took = now() - began
  connection:Close()
  return took
`;

const RECEIVE = `
  local url, count = ...
  local connection = assert(websocket.connect(url))
  local thread = coroutine.running()
  local began
  local left, characters = count, 0
  connection.OnMessage:Connect(function(message)
    began = began or now()
    characters += #message
    left -= 1
    if left == 0 then
      task.spawn(thread)
    end
  end)
  coroutine.yield()
  local took = now() - began
  assert(characters > count)
  connection:Close()
  return took
`;

const SEND = `
  local url, count = ...
  local connection = assert(websocket.connect(url))
  local message = string.rep("x", 32)
  local began = now()
  for _ = 1, count do
    connection:Send(message)
  end
  connection:Receive()
  local took = now() - began
  connection:Close()
  return took
`;

const MANY = `
  local url, connections, count = ...
  local thread = coroutine.running()
  local list, answers, failure = {}, 0, nil
  for _ = 1, connections do
    task.spawn(function()
      local connection, reason = websocket.connect(url)
      table.insert(list, connection)
      failure = failure or reason
      answers += 1
      if answers == connections then
        task.spawn(thread)
      end
    end)
  end
  coroutine.yield()
  if failure then
    error(failure)
  end
  local message = string.rep("x", 32)
  local unfinished = connections
  local began = now()
  for _, connection in list do
    local left = count
    connection.OnMessage:Connect(function(message)
      left -= 1
      if left > 0 then
        connection:Send(message)
      else
        unfinished -= 1
        if unfinished == 0 then
          task.spawn(thread)
        end
      end
    end)
    connection:Send(message)
  end
  coroutine.yield()
  local took = now() - began
  for _, connection in list do
    connection:Close()
  end
  return took
`;

const HANDLERS = `
  local url, handlers, done = ...
  local connection = assert(websocket.connect(url))
  local count = 0
  for _ = 1, handlers do
    connection.OnMessage:Connect(function(message)
      count += 1
    end)
  end
  done(function()
    return count
  end)
  connection.OnClose:Wait()
`;

/** Waits until the server has no connections left, because a browser allows only 255. */
async function rest() {
  while ((await (await fetch("/server/connections")).json()) > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * The measurements, for our script and for plain JavaScript. Each returns the microseconds per message.
 *
 * @typedef {{ size?: number, count: number, connections?: number }} Load
 * @type {Record<string, { ours: (load: Load) => Promise<number>, plain: (load: Load) => Promise<number> }>}
 */
export const sockets = {
  echo: {
    async ours({ size = 32, count }) {
      return ((await script(ECHO, [`${address}/echo`, size, count])) * 1_000) / count;
    },
    async plain({ size = 32, count }) {
      const socket = await opened("/echo");
      const began = performance.now();
      await echoes(socket, "x".repeat(size), count);
      const took = performance.now() - began;
      socket.close();
      return (took * 1_000) / count;
    },
  },

  receive: {
    async ours({ count }) {
      return ((await script(RECEIVE, [`${address}/burst?count=${count}`, count])) * 1_000) / count;
    },
    async plain({ count }) {
      const socket = new WebSocket(`${address}/burst?count=${count}`);
      let left = count;
      let characters = 0;
      /** @type {number | undefined} */
      let began;
      await new Promise((resolve) => {
        socket.onmessage = ({ data }) => {
          began ??= performance.now();
          characters += data.length;
          left--;
          if (left === 0) {
            resolve(undefined);
          }
        };
      });
      const took = performance.now() - /** @type {number} */ (/** @type {unknown} */ (began));
      if (!(characters > count)) {
        throw new Error(`${count} messages have ${characters} characters`);
      }
      socket.close();
      return (took * 1_000) / count;
    },
  },

  send: {
    async ours({ count }) {
      return ((await script(SEND, [`${address}/tally?count=${count}`, count])) * 1_000) / count;
    },
    async plain({ count }) {
      const socket = await opened(`/tally?count=${count}`);
      const message = "x".repeat(32);
      const began = performance.now();
      const answered = new Promise((resolve) => {
        socket.onmessage = resolve;
      });
      for (let number = 0; number < count; number++) {
        socket.send(message);
      }
      await answered;
      const took = performance.now() - began;
      socket.close();
      return (took * 1_000) / count;
    },
  },

  connections: {
    async ours({ connections = 200, count }) {
      const took = await script(MANY, [`${address}/echo`, connections, count]);
      await rest();
      return (took * 1_000) / (connections * count);
    },
    async plain({ connections = 200, count }) {
      const list = await Promise.all(Array.from({ length: connections }, () => opened("/echo")));
      const message = "x".repeat(32);
      const began = performance.now();
      await Promise.all(list.map((socket) => echoes(socket, message, count)));
      const took = performance.now() - began;
      for (const socket of list) {
        socket.close();
      }
      await rest();
      return (took * 1_000) / (connections * count);
    },
  },
};

/**
 * Measures the script layer alone: microseconds per synthetic message, with this number of handlers and this time slice.
 *
 * @param {{ handlers: number, count: number, timeSlice?: number }} load
 */
export async function layer({ handlers, count, timeSlice = Number.POSITIVE_INFINITY }) {
  /** @type {(() => Promise<unknown[]>) | undefined} */
  let handled;
  const luau = await Luau.create({ timeSlice, websocket: { WebSocket: SyntheticSocket } });
  const run = luau.run(HANDLERS, {
    args: ["ws://synthetic/", handlers, (/** @type {() => Promise<unknown[]>} */ count) => (handled = count)],
  });
  const socket = /** @type {SyntheticSocket} */ (SyntheticSocket.made.pop());
  socket.open();
  // The script receives an open connection in a turn of its own.
  while (handled === undefined) {
    await new Promise((resolve) => setTimeout(resolve));
  }
  const counted = handled;
  const data = "x".repeat(32);
  const warmUp = Math.ceil(count / 10);
  let sent = 0;
  const receive = async (/** @type {number} */ count) => {
    socket.receive(data, count);
    sent += count;
    // With time slices, work that does not fit into one continues in the next.
    while ((await counted())[0] !== handlers * sent) {
      await new Promise((resolve) => setTimeout(resolve));
    }
  };
  await receive(warmUp);
  const began = performance.now();
  await receive(count);
  const took = performance.now() - began;
  socket.close();
  await run;
  luau.dispose();
  return (took * 1_000) / count;
}

/**
 * Measures the same in plain JavaScript: a handler that counts.
 *
 * @param {{ handlers: number, count: number }} load
 */
export async function plainLayer({ handlers, count }) {
  const socket = new SyntheticSocket("ws://synthetic/");
  SyntheticSocket.made.pop();
  let counted = 0;
  const list = Array.from({ length: handlers }, () => (/** @type {unknown} */ data) => {
    if (typeof data === "string") {
      counted++;
    }
  });
  socket.onmessage = ({ data }) => {
    for (const handler of list) {
      handler(data);
    }
  };
  const began = performance.now();
  socket.receive("x".repeat(32), count);
  const took = performance.now() - began;
  if (counted !== handlers * count) {
    throw new Error(`${counted} messages were handled`);
  }
  return (took * 1_000) / count;
}
