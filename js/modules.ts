import type { LuauOptions, ModuleLookup } from "./options.js";

type Resolver = (path: string) => ModuleLookup | Promise<ModuleLookup>;

/**
 * The function by which the VM gets the source of a module. A folder with an `init` in it is a module too: Luau's rules for
 * `require`, https://rfcs.luau.org/new-require-by-string-semantics.html.
 */
export function resolverOf(modules: LuauOptions["modules"]): Resolver | undefined {
  if (modules === undefined) {
    return undefined;
  }
  const find = typeof modules === "function" ? modules : finderIn(modules);
  return (path) => {
    const found = find(path);
    if (isPromise(found)) {
      return found.then((source) => source ?? find(`${path}/init`));
    }
    return found ?? find(`${path}/init`);
  };
}

function finderIn(modules: Readonly<Record<string, string | Uint8Array>>): Resolver {
  const sources = new Map<string, string | Uint8Array>();
  for (const [name, source] of Object.entries(modules)) {
    const path = fromRoot(name).replace(/\.luau?$/, "");
    if (typeof source !== "string" && !(source instanceof Uint8Array)) {
      throw new TypeError(`option modules: the source of "${name}" is neither a string nor a Uint8Array`);
    }
    if (sources.has(path)) {
      throw new TypeError(`option modules: two modules are called "${path}"`);
    }
    sources.set(path, source);
  }
  for (const path of sources.keys()) {
    if (sources.has(`${path}/init`)) {
      throw new TypeError(`option modules: "${path}" and "${path}/init" are the same module`);
    }
  }
  // A chunk whose name begins at the root asks for such paths.
  return (path) => sources.get(fromRoot(path));
}

function fromRoot(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "");
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T> | undefined)?.then === "function";
}
