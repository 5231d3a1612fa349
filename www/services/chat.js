import { objectIn } from "./json.js";

/** What fits into a line on a screen, in UTF-16 code units. */
const LONGEST_NAME = 32;
const LONGEST_TEXT = 2_000;

/** @typedef {Map<import("./services.js").Connection, string>} Room Who is in it, and the names they have there. */

/**
 * Rooms where people talk. What a client says is an object of JSON:
 *
 * - `{ "type": "join", "room": "tea", "name": "Ada" }`; a room is there as long as somebody is in it
 * - `{ "type": "say", "text": "Hello" }`
 * - `{ "type": "leave" }`
 *
 * What it hears is `joined` (with `room`, its own `name`, and the `names` of all who are there), `join` and `leave` (the `name` of
 * somebody else), `message` (`name` and `text`; its own, too) and `error` (`message`).
 *
 * @returns {import("./services.js").Service}
 */
export function chat() {
  /** @type {Map<string, Room>} */
  const rooms = new Map();

  return (connection) => {
    /** Where it is; undefined while it is in no room. */
    let place = /** @type {string | undefined} */ (undefined);

    const leave = () => {
      const room = rooms.get(place ?? "");
      const name = room?.get(connection);
      if (room === undefined || name === undefined) {
        return;
      }
      room.delete(connection);
      tellAll(room, { type: "leave", name });
      if (room.size === 0) {
        rooms.delete(place ?? "");
      }
      place = undefined;
    };

    /** @param {unknown} where @param {unknown} name */
    const join = (where, name) => {
      if (!isText(where, LONGEST_NAME) || !isText(name, LONGEST_NAME)) {
        tell(connection, {
          type: "error",
          message: `a room and a name have 1 to ${LONGEST_NAME} characters`,
        });
        return;
      }
      leave();
      const room = rooms.get(where) ?? new Map();
      if ([...room.values()].includes(name)) {
        tell(connection, { type: "error", message: `somebody in ${where} is called ${name} already` });
        return;
      }
      tellAll(room, { type: "join", name });
      rooms.set(where, room.set(connection, name));
      place = where;
      tell(connection, { type: "joined", room: where, name, names: [...room.values()] });
    };

    /** @param {unknown} text */
    const say = (text) => {
      const room = rooms.get(place ?? "");
      if (room === undefined) {
        tell(connection, { type: "error", message: "join a room first" });
      } else if (!isText(text, LONGEST_TEXT)) {
        tell(connection, { type: "error", message: `a text has 1 to ${LONGEST_TEXT} characters` });
      } else {
        tellAll(room, { type: "message", name: room.get(connection), text });
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
          tell(connection, {
            type: "error",
            message: 'send an object of JSON whose type is "join", "say" or "leave"',
          });
      }
    });
    connection.onClose(leave);
  };
}

/** @param {import("./services.js").Connection} connection @param {object} message */
function tell(connection, message) {
  connection.send(JSON.stringify(message));
}

/** @param {Room} room @param {object} message */
function tellAll(room, message) {
  for (const member of room.keys()) {
    tell(member, message);
  }
}

/**
 * @param {unknown} value
 * @param {number} longest
 * @returns {value is string}
 */
function isText(value, longest) {
  return typeof value === "string" && value.length > 0 && value.length <= longest;
}
