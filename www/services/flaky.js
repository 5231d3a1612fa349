/** The time until a connection fails, in milliseconds. */
const HEALTHY = 3_000;

/**
 * Answers `ping` with `pong`, and fails after some seconds. Failures alternate: one connection is closed with 1012
 * (service restart), the next falls silent, as if a cable were pulled.
 *
 * @returns {import("./services.js").Service}
 */
export function flaky() {
  let count = 0;

  return ({ send, close, onMessage, onClose }) => {
    const number = ++count;
    let isWell = true;
    const timer = setTimeout(() => {
      isWell = false;
      if (number % 2 === 1) {
        close(1012, "restarting");
      }
    }, HEALTHY);
    onMessage((data) => {
      if (isWell) {
        send(data === "ping" ? "pong" : data);
      }
    });
    onClose(() => clearTimeout(timer));
    send(`welcome, you are number ${number}`);
  };
}
