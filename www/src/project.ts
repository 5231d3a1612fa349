/** A file of a project; the first one is what Run runs. */
export interface File {
  /** Its path without an extension, which is also the name of its chunk, and what `require` finds it by. */
  readonly name: string;
  readonly source: string;
}

/** The files that belong together. There is always one. */
export type Files = readonly [File, ...File[]];

/** The version of what stands in links and in storage. */
const VERSION = 1;

const LINK = /^#v1\.([\w-]+)$/;
/** What is a link of ours at all, and no place in the page. */
const ANY_LINK = /^#v\d+\./;

/** More characters than that no browser takes as an address. */
const LONGEST_HASH = 1_900_000;

/** More than any link that somebody means to share: a link is not to fill the memory of who opens it. */
const MOST_BYTES = 4_000_000;

/**
 * The maximum number of files. Each gets a tab and a type check when the files are opened: a hundred open about as quickly as one.
 * Thousands compress into a short link, and would freeze the page as soon as it is opened.
 */
const MAX_FILES = 100;

const DAMAGED = "it is cut short or damaged";

/** The names of files: paths without an extension. */
const NAME = /^(?:@?[\w-]+)(?:\/[\w.-]*[\w-])*$/;

/** What is wrong with a name for a file, if anything is. */
export function nameProblem(name: string, others: readonly string[]): string | undefined {
  if (!NAME.test(name) || /\.luau?$/.test(name)) {
    return "A name is a path of letters, digits, - and _, without an extension, such as util or lib/list.";
  }
  if (others.length >= MAX_FILES) {
    return `There are ${others.length} files already, and ${MAX_FILES} are allowed.`;
  }
  return others.includes(name) ? `There is a file ${name} already.` : undefined;
}

/** The files as text. */
export function toText(files: Files): string {
  return JSON.stringify({ v: VERSION, files: files.map(({ name, source }) => [name, source]) });
}

/**
 * The files of a text that {@link toText} made.
 *
 * @throws Error that says what is wrong with it
 */
export function fromText(text: string): Files {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new Error(DAMAGED);
  }
  if (
    typeof data !== "object" ||
    data === null ||
    !("v" in data) ||
    data.v !== VERSION ||
    !("files" in data)
  ) {
    throw new Error("it was made by another version of the playground");
  }
  const pairs: unknown[] = Array.isArray(data.files) ? data.files : [];
  if (pairs.length > MAX_FILES) {
    throw new Error(`it has ${pairs.length} files, and ${MAX_FILES} are allowed`);
  }
  const files = pairs.map(fileOf);
  const [first, ...others] = files;
  if (first === undefined || new Set(files.map(({ name }) => name)).size < files.length) {
    throw new Error(DAMAGED);
  }
  return [first, ...others];
}

function fileOf(pair: unknown): File {
  const [name, source] = Array.isArray(pair) ? pair : [];
  if (typeof name !== "string" || typeof source !== "string" || nameProblem(name, []) !== undefined) {
    throw new Error(DAMAGED);
  }
  return { name, source };
}

/**
 * The part of a link after the address: the files, compressed (RFC 1951), as base64url (RFC 4648, section 5); undefined where they are
 * too large for one.
 */
export async function toHash(files: Files): Promise<string | undefined> {
  const plain = new TextEncoder().encode(toText(files));
  const bytes =
    plain.length > MOST_BYTES ? undefined : await through(plain, new CompressionStream("deflate-raw"));
  if (bytes === undefined || bytes.length * (4 / 3) > LONGEST_HASH) {
    return undefined;
  }
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const text = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `#v${VERSION}.${text}`;
}

/**
 * The files in a link, or undefined if there are none in it.
 *
 * @throws Error that says what is wrong with the link
 */
export async function fromHash(hash: string): Promise<Files | undefined> {
  if (!ANY_LINK.test(hash)) {
    return undefined;
  }
  if (hash.length > LONGEST_HASH + 100) {
    throw new Error("it is too large");
  }
  const text = LINK.exec(hash)?.[1];
  if (text === undefined) {
    throw new Error("it was made by another version of the playground");
  }
  let bytes: Uint8Array | undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const compressed = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    bytes = await through(compressed, new DecompressionStream("deflate-raw"));
  } catch {
    throw new Error(DAMAGED);
  }
  if (bytes === undefined) {
    throw new Error("it is too large");
  }
  return fromText(new TextDecoder().decode(bytes));
}

/** What comes out of a stream; undefined where it is too much. */
async function through(
  bytes: Uint8Array<ArrayBuffer>,
  stream: CompressionStream | DecompressionStream,
): Promise<Uint8Array | undefined> {
  const reader = inPieces(bytes).pipeThrough(stream).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return new Uint8Array(await new Blob(parts).arrayBuffer());
    }
    length += value.length;
    if (length > MOST_BYTES) {
      await reader.cancel();
      return undefined;
    }
    parts.push(value);
  }
}

/** So many bytes are unpacked at once. They may become a thousand times as many. */
const PIECE = 4_096;

function inPieces(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let start = 0;
  return new ReadableStream({
    pull(controller) {
      if (start >= bytes.length) {
        controller.close();
      } else {
        controller.enqueue(bytes.subarray(start, start + PIECE));
        start += PIECE;
      }
    },
  });
}
