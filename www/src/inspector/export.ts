import { hexText } from "../hex.js";
import { createElement } from "../shell/elements.js";
import type { Frame } from "./recorder.js";

/**
 * The amount of a message that is written at a time, in characters or bytes, and the time between yields to the page,
 * in milliseconds.
 */
const PIECE = 65_536;
const TURN = 8;

/** The time the browser gets to start reading a saved file, in milliseconds. */
const BEGIN = 10_000;

/**
 * Converts timeline entries to JSON lines, with bytes in hex. It yields in between, because there may be many entries
 * or large ones.
 */
export async function jsonOf(frames: readonly Frame[]): Promise<Blob> {
  const parts: string[] = [];
  let end = performance.now() + TURN;
  for (const frame of frames) {
    for (const part of partsOf(frame)) {
      parts.push(part);
      if (performance.now() > end) {
        await new Promise((resolve) => setTimeout(resolve));
        end = performance.now() + TURN;
      }
    }
  }
  return new Blob(parts, { type: "application/jsonl" });
}

function* partsOf({ kind, data, size, time, connection }: Frame): Iterable<string> {
  const seconds = Math.round(time - connection.began) / 1_000;
  const head = JSON.stringify(kind === "state" ? { seconds, kind } : { seconds, kind, size });
  yield `${head.slice(0, -1)},"${typeof data === "string" ? "text" : "hex"}":"`;
  for (let at = 0; at < data.length; at += PIECE) {
    if (typeof data === "string") {
      // A surrogate pair cut in two becomes two escapes, which JSON parsers join again.
      yield JSON.stringify(data.slice(at, at + PIECE)).slice(1, -1);
    } else {
      yield (at === 0 ? "" : " ") + hexText(data.subarray(at, at + PIECE));
    }
  }
  yield '"}\n';
}

/** Saves content as a file. */
export function save(content: Blob, name: string): void {
  const link = createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), BEGIN);
}
