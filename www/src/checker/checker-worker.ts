// Runs the type checker in a worker of its own, because checking can take a while and the checker may crash.

import init, { Checker, type Finding } from "luau-checker";
import moduleUrl from "luau-checker/checker_bg.wasm?url";
import globals from "../../../types/globals.d.luau?raw";
import json from "../../../types/json.d.luau?raw";
import task from "../../../types/task.d.luau?raw";
import websocket from "../../../types/websocket.d.luau?raw";
import type { Diagnostic } from "../types.js";
import type { Answer, Question } from "./client.js";

const checker = init({ module_or_path: moduleUrl }).then(() => {
  const checker = new Checker();
  for (const [name, definitions] of Object.entries({ globals, json, task, websocket })) {
    checker.define(name, definitions);
  }
  return checker;
});

async function answer(question: Question): Promise<unknown> {
  const checking = await checker;
  if (question.type === "typeAt") {
    const { chunkName, line, column = 1 } = question.place;
    return checking.typeAt(chunkName, line, column);
  }
  const names = Object.keys(question.files);
  checking.setFiles(names, Object.values(question.files));
  return Object.fromEntries(
    names.map((name) => [name, checking.check(name).map((found) => diagnosticOf(name, found))]),
  );
}

function diagnosticOf(name: string, found: Finding): Diagnostic {
  const { line, column, endLine, endColumn, isWarning, message } = found;
  found.free();
  return {
    start: { chunkName: name, line, column },
    end: { chunkName: name, line: endLine, column: endColumn },
    severity: isWarning ? "warning" : "error",
    source: "types",
    message,
  };
}

checker.then(
  () => self.postMessage({ id: 0, value: undefined } satisfies Answer),
  // The first question reports the failure.
  () => {},
);

self.addEventListener("message", async ({ data }: MessageEvent<Question>) => {
  try {
    const reply: Answer = { id: data.id, value: await answer(data) };
    self.postMessage(reply);
  } catch (error) {
    // Throws it as an error of the worker, so that the page hears of it.
    setTimeout(() => {
      throw error;
    });
  }
});
