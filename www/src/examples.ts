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

/** One or more scripts that demonstrate something. */
export interface Example {
  readonly title: string;
  readonly description: string;
  /** Run starts the first one. */
  readonly files: Files;
}

/** All examples. New users see the first one. */
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
    description: "Packs requests into a buffer and reads the replies from one",
    files: [script(binary)],
  },
  {
    title: "Live table",
    description: "Prices from a JSON feed, shown as a table once a second",
    files: [script(feed)],
  },
  {
    title: "Many connections",
    description: "Measures how long messages take with a hundred clients at once",
    files: [script(many)],
  },
  {
    title: "Modules",
    description: "A chat bot split into several files with require",
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
