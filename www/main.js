// The playground: an editor box, and a VM for each run.

import { Luau } from "../pkg/index.js";

/** The address in the examples, in the place of which the server of this page is put. */
const EXAMPLE_SERVER = "127.0.0.1:8080";
/** So many lines are kept: more would make the page slow, and nobody reads them. */
const MOST_LINES = 5_000;

/** @typedef {import("../pkg/index.js").LuauError} LuauError */
/** @typedef {"print" | "warn" | "error" | "system"} Kind */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function element(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) {
    throw new Error(`the page has no ${type.name} with the id ${id}`);
  }
  return found;
}

const script = element("script", HTMLTextAreaElement);
const output = element("output", HTMLOListElement);
const status = element("status", HTMLParagraphElement);
const runButton = element("run", HTMLButtonElement);
const stopButton = element("stop", HTMLButtonElement);
const clearButton = element("clear", HTMLButtonElement);

/** What each kind of line begins with, since colour alone does not tell everybody. */
const MARKS = { print: "", warn: "⚠ ", error: "✖ ", system: "" };

let began = performance.now();
/** @type {{ kind: Kind, text: string, seconds: number }[]} */
let pending = [];

/**
 * Lines are shown together, once a frame: a script can print faster than a page can lay out.
 *
 * @param {Kind} kind
 * @param {string} text
 */
function write(kind, text) {
  if (pending.length === 0) {
    requestAnimationFrame(flush);
  }
  pending.push({ kind, text, seconds: (performance.now() - began) / 1_000 });
  if (pending.length > MOST_LINES) {
    pending.splice(0, pending.length - MOST_LINES);
  }
}

function flush() {
  const isAtEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 10;
  const lines = document.createDocumentFragment();
  for (const { kind, text, seconds } of pending) {
    const line = document.createElement("li");
    const time = document.createElement("time");
    const content = document.createElement("span");
    time.textContent = `${seconds.toFixed(2)} s`;
    content.textContent = MARKS[kind] + text;
    content.className = kind;
    line.append(time, content);
    lines.append(line);
  }
  pending = [];
  output.append(lines);
  while (output.childElementCount > MOST_LINES) {
    output.firstElementChild?.remove();
  }
  if (isAtEnd) {
    output.scrollTop = output.scrollHeight;
  }
}

/** @param {unknown} error */
function writeError(error) {
  const { message, traceback } = /** @type {LuauError} */ (error);
  write("error", traceback ? `${message}\n${traceback.trimEnd()}` : message);
}

/** @type {Luau | undefined} */
let luau;
/** Counts the runs, since another may begin while one waits for its VM. */
let latest = 0;

async function run() {
  stop();
  output.replaceChildren();
  pending = [];
  began = performance.now();
  const number = ++latest;
  const current = await Luau.create({
    print: (text) => write("print", text),
    warn: (text) => write("warn", text),
    onError: writeError,
  });
  if (number !== latest) {
    current.dispose();
    return;
  }
  luau = current;
  stopButton.disabled = false;
  status.textContent = "Running";
  try {
    const results = await current.run(script.value);
    if (luau === current) {
      status.textContent = "The script has ended; its timers and connections go on until you stop them";
    }
    if (results.length > 0) {
      write("system", `returned ${results.map(String).join(", ")}`);
    }
  } catch (error) {
    if (luau === current) {
      status.textContent = "The script ended with an error; what it started goes on until you stop it";
      writeError(error);
    }
  }
}

function stop() {
  latest++;
  luau?.dispose();
  luau = undefined;
  stopButton.disabled = true;
  status.textContent = "Stopped";
}

runButton.addEventListener("click", run);
stopButton.addEventListener("click", () => {
  stop();
  write("system", "stopped");
});
clearButton.addEventListener("click", () => {
  output.replaceChildren();
  pending = [];
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !runButton.disabled) {
    event.preventDefault();
    run();
  }
});

try {
  const [example] = await Promise.all([
    fetch("examples/echo.luau").then((response) => response.text()),
    // Loaded before it is needed, so that the first run begins at once.
    Luau.create().then((vm) => vm.dispose()),
  ]);
  script.value = example.replace(EXAMPLE_SERVER, location.host);
  runButton.disabled = false;
  status.textContent = "Ready";
} catch (error) {
  status.textContent = `The playground could not be loaded: ${error}. Run \`cargo xtask serve\` and reload.`;
}
