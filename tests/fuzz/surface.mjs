// The script API, according to the VM and the definition files. New functions in either join the fuzzer automatically.

import { readdirSync, readFileSync } from "node:fs";
import { Luau } from "../../pkg/node.js";

const definitions = new URL("../../types/", import.meta.url);

/**
 * A function of the script API with the types of its arguments, as far as its errors name them.
 *
 * @typedef {{ path: string, types: string[] }} ApiFunction
 *
 * @typedef {object} Surface
 * @property {ApiFunction[]} functions every function reachable from a global
 * @property {string[]} methods the methods of connections and signals
 * @property {string[]} members their other members
 */

/**
 * Walks the globals. It calls each function with a value that no function accepts, first as argument 1, then as
 * argument 2 and so on. The error then names the expected type.
 */
const PROBE = `
  local samples = {
    string = "x", number = 1, table = {}, ["function"] = function() end, thread = coroutine.create(function() end),
    buffer = buffer.create(8), vector = vector.zero, boolean = true, any = 1,
    integer = integer and integer.create(1),
  }
  local odd = newproxy()
  local functions = {}

  local function typesOf(f)
    local types, args = {}, {}
    for position = 1, 6 do
      args[position] = odd
      local thread = coroutine.create(pcall)
      local _, ok, message = coroutine.resume(thread, f, table.unpack(args))
      local found = if ok == false and type(message) == "string"
        then string.match(message, "argument #" .. position .. " to .* %((%a+)") or string.match(message, "argument #" .. position .. "%D")
        else nil
      if found == nil and position > 2 then
        break
      end
      local expected = if found and samples[found] ~= nil then found else "any"
      types[position], args[position] = expected, samples[expected]
    end
    return types
  end

  local seen = {}
  local function walk(value, path)
    if type(value) == "function" then
      table.insert(functions, { path = path, types = typesOf(value) })
    elseif type(value) == "table" and not seen[value] then
      seen[value] = true
      local keys = {}
      for key in value do
        table.insert(keys, key)
      end
      table.sort(keys)
      for _, key in keys do
        walk(value[key], if path == "" then key else path .. "." .. key)
      end
    end
  end
  walk(_G, "")
  return functions`;

/** Reads the surface. @returns {Promise<Surface>} */
export async function readSurface() {
  // Without the sandbox the globals are in one table, which a script can walk.
  const luau = await Luau.create({ sandbox: false, print: () => {}, warn: () => {}, onError: () => {} });
  const [found] = await luau.run(PROBE);
  luau.dispose();
  const texts = readdirSync(definitions)
    .filter((name) => name.endsWith(".d.luau"))
    .map((name) => readFileSync(new URL(name, definitions), "utf8"));
  const functions = /** @type {{ path: string, types: unknown }[]} */ (found);
  return {
    functions: functions.map(({ path, types }) => ({ path, types: Array.isArray(types) ? types : [] })),
    ...membersIn(texts.join("\n")),
  };
}

/**
 * Finds the methods and members of objects in definition files.
 *
 * @param {string} text
 */
function membersIn(text) {
  const methods = [
    ...text.matchAll(/^\t*function (\w+)\(self/gm),
    ...text.matchAll(/^\t(\w+): \(self: /gm),
  ].map((match) => match[1] ?? "");
  const members = [...text.matchAll(/^\t(\w+): /gm)].map((match) => match[1] ?? "");
  return {
    methods: [...new Set(methods)],
    members: [...new Set(members)].filter((name) => !methods.includes(name)),
  };
}
