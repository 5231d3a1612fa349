// The status bar: the state of the run, its live objects, and the state of the type checker.

import type { CheckerState } from "./checker/client.js";
import type { Alive, RunState } from "./runner.js";
import { element } from "./shell/elements.js";

const STATES: Readonly<Record<RunState, string>> = {
  starting: "Starting…",
  running: "Running",
  waiting: "Running in the background",
  finished: "Finished",
  failed: "Failed",
  stopping: "Stopping…",
  stopped: "Stopped",
};

const CHECKING: Readonly<Record<CheckerState, string>> = {
  loading: "Loading the type checker…",
  on: "Type checking is on",
  restarting: "Restarting the type checker…",
  paused: "Type checking is off until the next change",
  disabled: "Type checking is off",
};

const status = element("status", HTMLElement);
const progress = element("progress", HTMLProgressElement);
const runButton = element("run", HTMLButtonElement);
const stopButton = element("stop", HTMLButtonElement);

/** Shows how much of the VM is loaded. */
export function showProgress(loaded: number, total = 0): void {
  progress.max = total;
  progress.value = loaded;
}

/** Shows that the VM is loaded, or why it is not. */
export function showLoaded(failure?: string): void {
  progress.hidden = true;
  runButton.disabled = failure !== undefined;
  status.textContent = failure ?? "Ready";
  if (failure !== undefined) {
    status.dataset.state = "failed";
  }
}

/** Shows the state of a run. */
export function showState(state: RunState): void {
  status.textContent = STATES[state];
  status.dataset.state = state;
  const isOver = state === "finished" || state === "failed" || state === "stopped";
  // Not disabled, so that the button keeps the keyboard focus.
  stopButton.ariaDisabled = String(isOver || state === "stopping");
  runButton.textContent = isOver ? "Run" : "Run again";
}

/** Shows the live objects of a script: undefined if there are none, "busy" if it does not answer. */
export function showAlive(alive: Alive | "busy" | undefined): void {
  element("alive", HTMLElement).textContent = alive === "busy" ? "computing" : countsOf(alive);
}

function countsOf(alive: Alive | undefined): string {
  if (alive === undefined) {
    return "";
  }
  const counts = [
    [alive.threads, "thread"],
    [alive.timers, "timer"],
    [alive.sockets, "socket"],
  ] as const;
  return counts
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`)
    .join(", ");
}

/** Shows the state of the type checker. */
export function showChecking(state: CheckerState, reason: string): void {
  const checking = element("checking", HTMLElement);
  checking.textContent = `${CHECKING[state]}${reason === "" ? "" : `: ${reason}`}`;
  checking.dataset.state = state;
}
