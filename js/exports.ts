// What every entry exports beside its `Luau`.

/** The release of Luau in this package. Scripts find `"Luau"` in `_VERSION`, as in every Luau. */
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
export { jsonNull, type LuauFunction, type LuauValue } from "./value.js";
