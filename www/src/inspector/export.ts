import { made } from "../shell/elements.js";
import { hexText } from "./contents.js";
import type { Frame } from "./recorder.js";

/** So much of a message is written at a time, in characters or bytes, and for so long until the page gets its turn, in milliseconds. */
const PIECE = 65_536;
const TURN = 8;

/** How long the browser has to begin to read a file that is saved, in milliseconds. */
const BEGIN = 10_000;

/** Frames as JSON, a line for each, with bytes in hex. It is made a little at a time: they may be many, or large. */
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
      // A character that is cut in two is written as two escapes, which are one character again.
      yield JSON.stringify(data.slice(at, at + PIECE)).slice(1, -1);
    } else {
      yield (at === 0 ? "" : " ") + hexText(data.subarray(at, at + PIECE));
    }
  }
  yield '"}\n';
}

/** Offers something as a file. */
export function save(content: Blob, name: string): void {
  const link = made("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), BEGIN);
}
