import { isBytes } from "./arguments.js";
import type { LuauOptions, ModuleLookup } from "./options.js";

type Resolver = (path: string) => ModuleLookup | PromiseLike<ModuleLookup>;

/**
 * Returns the function by which the VM gets the source of a module. A folder with an `init` is a module too, by Luau's
 * rules for `require`: https://rfcs.luau.org/new-require-by-string-semantics.html.
 */
export function resolverOf(modules: LuauOptions["modules"]): Resolver | undefined {
  if (modules === undefined) {
    return undefined;
  }
  const find = typeof modules === "function" ? checkedResolver(modules) : finderIn(modules);
  return (path) => {
    const found = find(path);
    if (isThenable(found)) {
      return found.then((source) => source ?? find(`${path}/init`));
    }
    return found ?? find(`${path}/init`);
  };
}

/** Returns the paths of all modules, or undefined if only the host's function knows them. */
export function pathsOf(modules: LuauOptions["modules"]): readonly string[] | undefined {
  return typeof modules === "function" ? undefined : Object.keys(modules ?? {});
}

/** Wraps the host's function so that it fails for anything but sources and promises of sources. */
export function checkedResolver(find: (path: string) => unknown): Resolver {
  return (path) => {
    const check = (found: unknown) =>
      found === undefined || found === null ? undefined : checkedSource(found, path);
    const found = find(path);
    // In a new promise, because the `then` of a thenable or a modified promise may return anything.
    return isThenable(found) ? new Promise((resolve) => resolve(found)).then(check) : check(found);
  };
}

/**
 * Returns a copy of an object of modules.
 *
 * @throws TypeError that names the module whose source is neither text nor bytes
 */
export function checkedSources(modules: object): Record<string, string | Uint8Array> {
  const entries = Object.entries(modules);
  return Object.fromEntries(entries.map(([name, source]) => [name, checkedSource(source, name)]));
}

function checkedSource(source: unknown, name: string): string | Uint8Array {
  if (typeof source === "string") {
    return source;
  }
  if (isBytes(source)) {
    return new Uint8Array(source);
  }
  const isResponse = typeof (Object(source) as Partial<Response>).text === "function";
  const hint = isResponse ? "; pass the text of a Response, `await response.text()`" : "";
  throw new TypeError(`option modules: the source of "${name}" is neither a string nor a Uint8Array${hint}`);
}

function finderIn(modules: Readonly<Record<string, string | Uint8Array>>): Resolver {
  const sources = new Map<string, string | Uint8Array>();
  for (const [name, source] of Object.entries(checkedSources(modules))) {
    const path = fromRoot(name).replace(/\.luau?$/, "");
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
  // Chunks whose names begin at the root ask for paths from the root.
  return (path) => sources.get(fromRoot(path));
}

function fromRoot(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "");
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as Partial<PromiseLike<T>> | null | undefined)?.then === "function";
}
