// What a script puts out, returns or throws crosses as an excerpt: the page is never held up by how much it is.

import { Luau, LuauError, type LuauOptions, type RunOptions } from "luau-websocket";
import { excerptOf, isFull } from "./excerpt.js";

type Sink = NonNullable<LuauOptions["print"]>;

const create = Luau.create as (this: typeof Luau, options: LuauOptions) => Promise<Luau>;
const { run } = Luau.prototype;

Luau.create = (async (options: LuauOptions = {}) => {
  const { print, warn, onError } = options;
  const brief = (sink: Sink): Sink => {
    return (text, values) => sink(text, () => (isFull() ? [] : excerptOf(values())));
  };
  return create.call(Luau, {
    ...options,
    print: print && brief(print),
    warn: warn && brief(warn),
    onError: onError && ((error) => onError(shortened(error))),
  });
}) as typeof Luau.create;

Luau.prototype.run = async function <T extends unknown[]>(
  this: Luau,
  source: string | Uint8Array,
  options?: RunOptions,
): Promise<T> {
  try {
    return excerptOf(await run.call(this, source, options)) as T;
  } catch (error) {
    throw error instanceof LuauError ? shortened(error) : error;
  }
};

function shortened(error: LuauError): LuauError {
  const { value } = error;
  if (typeof value === "object" && value !== null && !(value instanceof Error)) {
    Object.defineProperty(error, "value", { value: excerptOf([value]) });
  }
  return error;
}
