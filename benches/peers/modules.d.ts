// The exports of peers that have no types of their own.

declare module "fengari" {
  type State = object;
  export const lua: {
    LUA_OK: number;
    lua_pcall(state: State, args: number, results: number, handler: number): number;
    lua_getglobal(state: State, name: Uint8Array): number;
    lua_pushinteger(state: State, value: number): void;
    lua_settop(state: State, index: number): void;
    lua_close(state: State): void;
  };
  export const lauxlib: {
    luaL_newstate(): State;
    luaL_loadbuffer(state: State, source: Uint8Array, size: null, name: Uint8Array): number;
    luaL_tolstring(state: State, index: number): Uint8Array;
  };
  export const lualib: { luaL_openlibs(state: State): void };
  export function to_luastring(text: string): Uint8Array;
  export function to_jsstring(text: Uint8Array): string;
}

/** The output of wasm-bindgen for crates/bench-luaur. */
declare module "luaur" {
  export default function initialize(options: { module_or_path: URL }): Promise<unknown>;
  export class Vm {
    constructor(source: string);
    call(name: string, count: number): string;
    free(): void;
  }
}
