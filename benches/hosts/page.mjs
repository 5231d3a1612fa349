// The page of the benchmarks, with a worker for each peer, and hosts for the peers that run in the page.

import { hostOf } from "./work.mjs";

/** @typedef {import("./work.mjs").Request} Request @typedef {import("./work.mjs").Answer} Answer */

/** @type {Map<string, Worker>} */
const workers = new Map();
/** @type {Map<string, Promise<(request: Request) => Promise<Answer>>>} */
const hosts = new Map();

/**
 * Sends a request to the worker of a peer. A worker that does not answer in time is ended, and the next request starts another.
 *
 * @param {string} url of the bundle
 * @param {Request} request
 * @param {number} timeout in milliseconds
 * @returns {Promise<Answer>}
 */
function askWorker(url, request, timeout) {
  let worker = workers.get(url);
  if (worker === undefined) {
    worker = new Worker(`/benches/hosts/worker.mjs?peer=${encodeURIComponent(url)}`, { type: "module" });
    workers.set(url, worker);
  }
  const asked = worker;
  return new Promise((resolve) => {
    const end = (/** @type {Answer} */ answer) => {
      clearTimeout(timer);
      resolve(answer);
    };
    const timer = setTimeout(() => {
      endWorker(url);
      end({ error: `no answer in ${timeout / 1_000} s` });
    }, timeout);
    asked.onmessage = ({ data }) => end(data);
    asked.onerror = (event) => {
      endWorker(url);
      end({ error: event.message || "the worker failed" });
    };
    asked.postMessage(request);
  });
}

/** Ends the worker of a peer, which may be broken after a failure. */
function endWorker(/** @type {string} */ url) {
  workers.get(url)?.terminate();
  workers.delete(url);
}

/**
 * Sends a request to a peer that runs in the page itself.
 *
 * @param {string} url of the bundle
 * @param {Request} request
 */
async function askPage(url, request) {
  let host = hosts.get(url);
  if (host === undefined) {
    host = hostOf(url);
    hosts.set(url, host);
  }
  return (await host)(request);
}

/**
 * Calls a function of a module. `suite` is the module's URL, and `path` leads to the function.
 *
 * @param {string} suite
 * @param {string[]} path
 * @param {unknown[]} args
 */
async function call(suite, path, args) {
  let value = /** @type {any} */ (await import(suite));
  for (const name of path) {
    value = value[name];
  }
  return value(...args);
}

Object.assign(window, { bench: { askWorker, askPage, endWorker, call } });
