/**
 * Returns the JSON object in a message; undefined if there is none.
 *
 * @param {string | Uint8Array} message
 * @returns {Readonly<Record<string, unknown>> | undefined}
 */
export function objectIn(message) {
  if (typeof message !== "string") {
    return undefined;
  }
  try {
    const value = JSON.parse(message);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
