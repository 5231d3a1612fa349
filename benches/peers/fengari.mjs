// fengari: Lua 5.3, written in JavaScript.

import { lauxlib, lua, lualib, to_jsstring, to_luastring } from "fengari";

/** @type {import("./peer.js").Load} */
export async function load(source) {
  const state = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(state);
  const check = (/** @type {number} */ status) => {
    if (status !== lua.LUA_OK) {
      throw new Error(to_jsstring(lauxlib.luaL_tolstring(state, -1)));
    }
  };
  check(lauxlib.luaL_loadbuffer(state, to_luastring(source), null, to_luastring("workload")));
  check(lua.lua_pcall(state, 0, 0, 0));
  return {
    run: (count) => {
      lua.lua_getglobal(state, to_luastring("bench"));
      lua.lua_pushinteger(state, count);
      check(lua.lua_pcall(state, 1, 1, 0));
      const text = to_jsstring(lauxlib.luaL_tolstring(state, -1));
      lua.lua_settop(state, 0);
      return text;
    },
    close: () => lua.lua_close(state),
  };
}
