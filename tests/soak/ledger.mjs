// Compares what the two sides report about each connection.
//
// A side that closes has sent everything, and the other one must receive all of it. The other side may be in the middle
// of something: its messages may have crossed with the close, and a browser then drops them, in both directions (WHATWG
// WebSockets, "when a WebSocket message has been received", step 1), unless that side announced before that it sends no
// more. So for each direction of a connection that closed cleanly, either all messages must have arrived, or all up to
// some message; for other connections, the latter.

/** @typedef {import("./server.mjs").ServerRecord} ServerRecord */

/**
 * A connection as the script saw it.
 *
 * @typedef {object} ClientRecord
 * @property {number} id
 * @property {string} [failure] the reason why it failed; then the other members are absent
 * @property {number} sent
 * @property {number} received
 * @property {boolean} hasServerEnded true if the server announced that it sends no more
 * @property {boolean} isClosedHere true if the script called `Close`
 * @property {number} [closedWith] the code of that call
 * @property {number} code
 * @property {string} reason
 * @property {boolean} wasClean
 * @property {string[]} complaints
 */

/** The close code of a connection that broke (RFC 6455, section 7.1.5). */
const BROKEN = 1006;

export class Ledger {
  /** @type {Map<number, ClientRecord>} */
  #clients = new Map();
  /** @type {Map<number, ServerRecord>} */
  #servers = new Map();
  /** The first hundred problems. */
  complaints = /** @type {string[]} */ ([]);
  /** The reasons of failed attempts, as reported to the script. */
  failures = /** @type {Map<string, number>} */ (new Map());
  counts = {
    connections: 0,
    "attempts that failed": 0,
    "closed cleanly": 0,
    broken: 0,
    "messages to the server": 0,
    "messages to the client": 0,
    "all to the server": 0,
    "all to the client": 0,
  };

  /** @param {ClientRecord} record */
  client(record) {
    if (record.failure === undefined) {
      this.counts.connections += 1;
    } else {
      this.counts["attempts that failed"] += 1;
      const reason = record.failure.replace(/ to ws:\S+/, "");
      this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
    }
    this.#clients.set(record.id, record);
    this.#compare(record.id);
  }

  /** @param {ServerRecord} record */
  server(record) {
    this.#servers.set(record.id, record);
    this.#compare(record.id);
  }

  /** The connections whose end only one side has reported. Failed attempts need not have reached the server. */
  get open() {
    const clients = [...this.#clients.values()].filter(({ failure }) => failure === undefined);
    return [...clients, ...this.#servers.values()];
  }

  /** @param {number} id */
  #compare(id) {
    const [client, server] = [this.#clients.get(id), this.#servers.get(id)];
    if (client === undefined || server === undefined) {
      return;
    }
    this.#clients.delete(id);
    this.#servers.delete(id);
    if (client.failure !== undefined) {
      this.#expect(id, server.received === 0, "the script sent without a connection");
      return;
    }
    const { counts } = this;
    counts["messages to the server"] += server.received;
    counts["messages to the client"] += client.received;
    counts[client.wasClean ? "closed cleanly" : "broken"] += 1;
    for (const text of [...client.complaints, ...server.complaints]) {
      this.#expect(id, false, text);
    }

    const closedByClient = client.isClosedHere && server.reason === `client ${id}`;
    const toServer = `${server.received} of ${client.sent} messages came to the server`;
    this.#expect(id, server.received <= client.sent, toServer);
    if (server.hasClientEnded || (client.wasClean && closedByClient)) {
      counts["all to the server"] += 1;
      this.#expect(id, server.received === client.sent, toServer);
    }
    const toClient = `${client.received} of ${server.sent} messages came to the client`;
    this.#expect(id, client.received <= server.sent, toClient);
    if (client.hasServerEnded || (client.wasClean && !client.isClosedHere)) {
      counts["all to the client"] += 1;
      this.#expect(id, client.received === server.sent, toClient);
    }
    this.#compareCodes(client, server, closedByClient);
  }

  /**
   * @param {ClientRecord} client
   * @param {ServerRecord} server
   * @param {boolean} closedByClient
   */
  #compareCodes(client, server, closedByClient) {
    const { id } = client;
    const seen = `${client.code} "${client.reason}"`;
    if (!client.wasClean) {
      // It may break after the close arrived, and before the server had the answer.
      const { closedWith } = server;
      const isCut =
        closedWith !== undefined && client.code === closedWith.code && client.reason === closedWith.reason;
      this.#expect(id, client.code === BROKEN || isCut, `it broke, with code ${seen}`);
    } else if (server.closedWith !== undefined && !closedByClient) {
      const { code, reason } = server.closedWith;
      const isSame = client.code === code && client.reason === reason;
      this.#expect(id, isSame, `closed with ${code} "${reason}", the script saw ${seen}`);
    } else if (server.isBroken && !client.isClosedHere) {
      this.#expect(id, false, `the server broke it off, and the script saw ${seen}`);
    }
    if (closedByClient) {
      const seenThere = `the script closed with ${client.closedWith}, the server saw ${server.code}`;
      this.#expect(id, server.code === client.closedWith, seenThere);
    }
  }

  /**
   * @param {number} id
   * @param {boolean} isRight
   * @param {string} complaint
   */
  #expect(id, isRight, complaint) {
    if (!isRight && this.complaints.length < 100) {
      this.complaints.push(`connection ${id}: ${complaint}`);
    }
  }
}
