// The common part of all hosts: loads workloads into a peer and times them.

/**
 * @typedef {{ load: string, timeSlice?: number } | { run: number } | { close: true }} Request
 * @typedef {{ ready: true } | { ms: number, value: string } | { error: string }} Answer
 */

/**
 * Creates a host for the peer whose bundle is at `url`. It answers one request after the other.
 *
 * @param {string} url
 * @returns {Promise<(request: Request) => Promise<Answer>>}
 */
export async function hostOf(url) {
  /** @type {{ load: import("../peers/peer.js").Load }} */
  const peer = await import(url);
  /** @type {import("../peers/peer.js").Loaded | undefined} */
  let loaded;

  /** @param {Request} request */
  const answer = async (request) => {
    if ("run" in request) {
      if (loaded === undefined) {
        throw new Error("no workload is loaded");
      }
      const began = performance.now();
      const value = await loaded.run(request.run);
      return { ms: performance.now() - began, value: String(value) };
    }
    loaded?.close();
    loaded = undefined;
    if ("load" in request) {
      const { timeSlice } = request;
      loaded = await peer.load(request.load, timeSlice === undefined ? {} : { timeSlice });
    }
    return /** @type {const} */ ({ ready: true });
  };

  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
}
