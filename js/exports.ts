// What every entry exports beside its `Luau`.

export { LuauError, type LuauErrorKind, type LuauErrorMembers, type LuauFrame } from "./errors.js";
export type {
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
export type { LuauFunction, LuauValue } from "./value.js";
