import { objectIn } from "./json.js";

/** The maximum lengths of a name and of a text, in UTF-16 code units. Both fit on a screen. */
const MAX_NAME_LENGTH = 32;
const MAX_TEXT_LENGTH = 2_000;

/** @typedef {Map<import("./services.js").Connection, string>} Room The members of a room and their names. */

/**
 * Chat rooms. Clients send JSON objects:
 *
 * - `{ "type": "join", "room": "tea", "name": "Ada" }`; a room exists as long as somebody is in it
 * - `{ "type": "say", "text": "Hello" }`
 * - `{ "type": "leave" }`
 *
 * The server sends `joined` (with `room`, the client's own `name`, and the `names` of all members), `join` and `leave`
 * (with the `name` of another member), `message` (with `name` and `text`; clients also receive their own) and `error`
 * (with `message`).
 *
 * @returns {import("./services.js").Service}
 */
export function chat() {
  /** @type {Map<string, Room>} */
  const rooms = new Map();

  return (connection) => {
    /** The name of the client's room; undefined if the client is in none. */
    let roomName = /** @type {string | undefined} */ (undefined);

    const leave = () => {
      const room = rooms.get(roomName ?? "");
      const name = room?.get(connection);
      if (room === undefined || name === undefined) {
        return;
      }
      room.delete(connection);
      broadcast(room, { type: "leave", name });
      if (room.size === 0) {
        rooms.delete(roomName ?? "");
      }
      roomName = undefined;
    };

    /** @param {unknown} newRoom @param {unknown} name */
    const join = (newRoom, name) => {
      if (!isText(newRoom, MAX_NAME_LENGTH) || !isText(name, MAX_NAME_LENGTH)) {
        sendJson(connection, {
          type: "error",
          message: `room and name must have 1 to ${MAX_NAME_LENGTH} characters`,
        });
        return;
      }
      leave();
      const room = rooms.get(newRoom) ?? new Map();
      if ([...room.values()].includes(name)) {
        sendJson(connection, { type: "error", message: `the name ${name} is already taken in ${newRoom}` });
        return;
      }
      broadcast(room, { type: "join", name });
      rooms.set(newRoom, room.set(connection, name));
      roomName = newRoom;
      sendJson(connection, { type: "joined", room: newRoom, name, names: [...room.values()] });
    };

    /** @param {unknown} text */
    const say = (text) => {
      const room = rooms.get(roomName ?? "");
      if (room === undefined) {
        sendJson(connection, { type: "error", message: "join a room first" });
      } else if (!isText(text, MAX_TEXT_LENGTH)) {
        sendJson(connection, { type: "error", message: `text must have 1 to ${MAX_TEXT_LENGTH} characters` });
      } else {
        broadcast(room, { type: "message", name: room.get(connection), text });
      }
    };

    connection.onMessage((data) => {
      const message = objectIn(data);
      switch (message?.type) {
        case "join":
          join(message.room, message.name);
          break;
        case "say":
          say(message.text);
          break;
        case "leave":
          leave();
          break;
        default:
          sendJson(connection, {
            type: "error",
            message: 'send a JSON object whose type is "join", "say" or "leave"',
          });
      }
    });
    connection.onClose(leave);
  };
}

/** @param {import("./services.js").Connection} connection @param {object} message */
function sendJson(connection, message) {
  connection.send(JSON.stringify(message));
}

/** @param {Room} room @param {object} message */
function broadcast(room, message) {
  for (const member of room.keys()) {
    sendJson(member, message);
  }
}

/**
 * @param {unknown} value
 * @param {number} maxLength
 * @returns {value is string}
 */
function isText(value, maxLength) {
  return typeof value === "string" && value.length > 0 && value.length <= maxLength;
}
