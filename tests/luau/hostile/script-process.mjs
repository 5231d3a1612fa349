// The tests' side of a Node process for hostile scripts. The process may crash or hang, which is a fault of the script.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** @typedef {import("./realm.mjs").Script} Script */
/** @typedef {import("./realm.mjs").Told} Told */

export class ScriptProcess {
  #child = fork(fileURLToPath(new URL("process.mjs", import.meta.url)), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  #stderr = "";
  /** False once a script has ended the process. */
  isAlive = true;

  constructor() {
    this.#child.stderr?.on("data", (data) => {
      this.#stderr = (this.#stderr + data).slice(-2_000);
    });
  }

  /**
   * @param {Script} script
   * @param {number} deadlineMs
   * @returns {Promise<Told>}
   */
  async run(script, deadlineMs) {
    const aborter = new AbortController();
    const { signal } = aborter;
    const timer = setTimeout(() => this.close(), deadlineMs);
    this.#child.send(script);
    try {
      return await Promise.race([
        once(this.#child, "message", { signal }).then(([told]) => told),
        once(this.#child, "exit", { signal }).then(([code, name]) => {
          this.isAlive = false;
          throw new Error(`the process of the script ended with ${code ?? name}: ${this.#stderr}`);
        }),
      ]);
    } finally {
      clearTimeout(timer);
      aborter.abort();
    }
  }

  close() {
    this.#child.kill("SIGKILL");
  }
}
