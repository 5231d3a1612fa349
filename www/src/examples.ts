import binary from "../examples/binary.luau?raw";
import chat from "../examples/chat.luau?raw";
import echo from "../examples/echo.luau?raw";
import feed from "../examples/feed.luau?raw";
import heartbeat from "../examples/heartbeat.luau?raw";
import many from "../examples/many.luau?raw";
import commands from "../examples/modules/bot/commands.luau?raw";
import dice from "../examples/modules/bot/dice.luau?raw";
import main from "../examples/modules/main.luau?raw";
import room from "../examples/modules/room.luau?raw";
import type { File, Files } from "./project.js";

/** A script, or several, that show something. */
export interface Example {
  readonly title: string;
  readonly description: string;
  /** The first one is what Run runs. */
  readonly files: Files;
}

/** All of them; the first is what a new visitor sees. */
export const EXAMPLES: readonly [Example, ...Example[]] = [
  {
    title: "Echo",
    description: "The example from the documentation: connects and echoes messages",
    files: [script(echo)],
  },
  {
    title: "Chat",
    description: "Three people in a room, each on a connection of their own",
    files: [script(chat)],
  },
  {
    title: "Heartbeat and reconnect",
    description: "Detects when a flaky server falls silent or restarts, and reconnects",
    files: [script(heartbeat)],
  },
  {
    title: "Binary protocol",
    description: "Packs questions into a buffer, and reads the answers from one",
    files: [script(binary)],
  },
  {
    title: "Live table",
    description: "Prices from a JSON feed, shown as a table once a second",
    files: [script(feed)],
  },
  {
    title: "Many connections",
    description: "A hundred clients at once, and how long their messages take",
    files: [script(many)],
  },
  {
    title: "Modules",
    description: "A chat bot in several files, put together with require",
    files: [
      script(main),
      { name: "room", source: room },
      { name: "bot/commands", source: commands },
      { name: "bot/dice", source: dice },
    ],
  },
];

function script(source: string): File {
  return { name: "main", source };
}
