// The exports of every entry in addition to its `Luau`.

/** The release of Luau in this package. In scripts, `_VERSION` is `"Luau"`, as always. */
export const LUAU_VERSION: string = "0.740";

export {
  LuauError,
  type LuauErrorKind,
  type LuauErrorMembers,
  type LuauFrame,
  type LuauSyntaxError,
} from "./errors.js";
export type {
  GlobalScope,
  Isolation,
  LuauOptions,
  LuauStats,
  ModuleLookup,
  RunOptions,
  Sink,
  SocketEvent,
  WasmSource,
  WebSocketConstructor,
  WebSocketOptions,
} from "./options.js";
export type { LuauSocket } from "./sockets.js";
export { jsonNull, type LuauFunction, type LuauValue } from "./value.js";
