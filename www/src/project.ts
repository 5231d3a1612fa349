/** A file of a project. Run starts the first one. */
export interface File {
  /** The path without an extension. It is also the chunk name, and the path for `require`. */
  readonly name: string;
  readonly source: string;
}

/** The files of a project, at least one. */
export type Files = readonly [File, ...File[]];

/** The version of the format in links and in storage. */
const VERSION = 1;

const LINK = /^#v1\.([\w-]+)$/;
/** Matches links of any version, rather than anchors in the page. */
const ANY_LINK = /^#v\d+\./;

/** The longest hash, in characters. Browsers do not accept longer addresses. */
const MAX_HASH_LENGTH = 1_900_000;

/**
 * The largest project in a link: more than anybody would share. A link must not be able to freeze the page of whoever
 * opens it.
 */
const MAX_BYTES = 1_000_000;

/**
 * The maximum number of files. Each gets a tab and a type check when the files are opened: a hundred open about as quickly as one.
 * Thousands compress into a short link, and would freeze the page as soon as it is opened.
 */
const MAX_FILES = 100;

const DAMAGED = "it is incomplete or damaged";

/** Valid file names: paths without an extension. */
const NAME = /^(?:@?[\w-]+)(?:\/[\w.-]*[\w-])*$/;

/** Returns an error message if a file name is invalid; undefined otherwise. */
export function nameProblem(name: string, others: readonly string[]): string | undefined {
  if (!NAME.test(name) || /\.luau?$/.test(name)) {
    return "A name is a path of letters, digits, - and _, without an extension, such as util or lib/list.";
  }
  if (others.length >= MAX_FILES) {
    return `There are already ${others.length} files, and the maximum is ${MAX_FILES}.`;
  }
  return others.includes(name) ? `A file named ${name} already exists.` : undefined;
}

/** Serializes files. */
export function toText(files: Files): string {
  return JSON.stringify({ v: VERSION, files: files.map(({ name, source }) => [name, source]) });
}

/**
 * Parses files that {@link toText} serialized.
 *
 * @throws Error that describes the problem
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
    throw new Error(`it has ${pairs.length} files, but the maximum is ${MAX_FILES}`);
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
 * Returns the hash of a link: the files, compressed (RFC 1951), as base64url (RFC 4648, section 5); undefined if they
 * are too large for a link.
 */
export async function toHash(files: Files): Promise<string | undefined> {
  const plain = new TextEncoder().encode(toText(files));
  const bytes =
    plain.length > MAX_BYTES ? undefined : await through(plain, new CompressionStream("deflate-raw"));
  if (bytes === undefined || bytes.length * (4 / 3) > MAX_HASH_LENGTH) {
    return undefined;
  }
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const text = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `#v${VERSION}.${text}`;
}

/**
 * Returns the files in a link; undefined if it has none.
 *
 * @throws Error that describes the problem with the link
 */
export async function fromHash(hash: string): Promise<Files | undefined> {
  if (!ANY_LINK.test(hash)) {
    return undefined;
  }
  if (hash.length > MAX_HASH_LENGTH + 100) {
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

/** Pipes bytes through a stream and returns the result; undefined if it is too large. */
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
    if (length > MAX_BYTES) {
      await reader.cancel();
      return undefined;
    }
    parts.push(value);
  }
}

/** The number of bytes to decompress at once. They can grow a thousandfold. */
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
