import { objectIn } from "./json.js";

/** The traded items and their opening prices. */
const OPENING = Object.freeze({
  apples: 2.4,
  bananas: 1.6,
  cherries: 9.8,
  dates: 7.1,
  elderberries: 12.5,
  figs: 6.3,
});

/** The time between two price changes, in milliseconds, and the largest change, as a fraction of the price. */
const PERIOD = 100;
const STEP = 0.02;

/**
 * A market with changing prices. A new client gets a `snapshot` of all `items`, and then an `update` for one item at a
 * time: its `symbol`, its `price`, and the `change` since the opening, in percent.
 *
 * `{ "type": "subscribe", "symbols": ["apples", "figs"] }` selects some items, and is answered with a snapshot of them.
 *
 * @returns {import("./services.js").Service}
 */
export function feed() {
  /** @type {Map<string, number>} */
  const prices = new Map(Object.entries(OPENING));
  /**
   * The connected clients and the symbols each is subscribed to.
   *
   * @type {Map<import("./services.js").Connection, ReadonlySet<string>>}
   */
  const listeners = new Map();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  /** @param {string} symbol */
  const itemOf = (symbol) => {
    const opening = OPENING[/** @type {keyof typeof OPENING} */ (symbol)];
    const price = prices.get(symbol) ?? opening;
    return { symbol, price: rounded(price), change: rounded((price / opening - 1) * 100) };
  };

  const change = () => {
    const symbols = [...prices.keys()];
    const symbol = symbols[Math.floor(Math.random() * symbols.length)] ?? "";
    const opening = OPENING[/** @type {keyof typeof OPENING} */ (symbol)];
    // Pulls the price back towards the opening, so that none runs away over the hours.
    const pull = (opening - (prices.get(symbol) ?? opening)) * STEP;
    prices.set(symbol, (prices.get(symbol) ?? opening) * (1 + (Math.random() * 2 - 1) * STEP) + pull);
    const text = JSON.stringify({ type: "update", ...itemOf(symbol) });
    for (const [{ send }, wanted] of listeners) {
      if (wanted.has(symbol)) {
        send(text);
      }
    }
  };

  return (connection) => {
    const subscribe = (/** @type {readonly string[]} */ symbols) => {
      listeners.set(connection, new Set(symbols));
      connection.send(JSON.stringify({ type: "snapshot", items: symbols.map(itemOf) }));
    };
    // The market pauses while nobody is connected.
    timer ??= setInterval(change, PERIOD);
    connection.onMessage((data) => {
      const message = objectIn(data);
      const symbols = Array.isArray(message?.symbols) ? [...new Set(message.symbols)] : [];
      const unknown = symbols.find((symbol) => !prices.has(symbol));
      if (message?.type !== "subscribe" || symbols.length === 0) {
        connection.send(
          JSON.stringify({ type: "error", message: 'send { "type": "subscribe", "symbols": ["apples"] }' }),
        );
      } else if (unknown !== undefined) {
        connection.send(
          JSON.stringify({ type: "error", message: `unknown symbol: ${JSON.stringify(unknown)}` }),
        );
      } else {
        subscribe(symbols);
      }
    });
    connection.onClose(() => {
      listeners.delete(connection);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    });
    subscribe([...prices.keys()]);
  };
}

/** @param {number} value */
function rounded(value) {
  return Math.round(value * 100) / 100;
}
