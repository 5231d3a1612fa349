/**
 * Sends back each message unchanged.
 *
 * @type {import("./services.js").Service}
 */
export function echo({ send, onMessage }) {
  onMessage(send);
}
