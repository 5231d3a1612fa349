/**
 * Sends back whatever comes, as it came.
 *
 * @type {import("./services.js").Service}
 */
export function echo({ send, onMessage }) {
  onMessage(send);
}
