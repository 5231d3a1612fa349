// Like page.mjs, in a worker that the page creates itself.

const address = new URLSearchParams(location.search).get("address") ?? "";
const worker = new Worker(new URL("./in-worker.mjs", import.meta.url), { type: "module" });
const outcome = new Promise((resolve, reject) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
});
worker.postMessage(address);
Object.assign(globalThis, { outcome });
