// The socket inspector: which connections a script has, and what goes over them.

import "./inspector.css";
import type { SocketEvent } from "luau-websocket";
import { made } from "../shell/elements.js";
import { Composer } from "./composer.js";
import { countText, searchFor } from "./contents.js";
import { button, FrameDetail } from "./detail.js";
import { jsonOf, save } from "./export.js";
import { type Connection, endText, type Frame, Recorder } from "./recorder.js";
import { ConnectionTable, setText } from "./table.js";
import { Timeline } from "./timeline.js";

/** How often the table is brought up to date, in milliseconds: nobody reads faster. */
const TABLE_EVERY = 100;
/** How often ages are, and those of its rows that are out of view. */
const AGE_EVERY = 1_000;
/** How many rows are made for a frame of the page. */
const NEW_ROWS = 32;

/** What the inspector asks for. */
export interface SocketInspectorOptions {
  /** Sends over a connection of the script. */
  send(id: number, data: string | Uint8Array): void;
  /** Closes a connection of the script. */
  close(id: number): void;
}

type Direction = "all" | "sent" | "received";

/**
 * Shows the connections of a run, and the timeline of the one that is chosen. Events only leave a note: what is to be seen is drawn
 * once for a frame of the page at most, and only while it is visible.
 */
export class SocketInspector {
  readonly #options: SocketInspectorOptions;
  readonly #empty = emptyState();
  readonly #content = made("div", "sockets-content");
  readonly #table = new ConnectionTable(
    (connection) => {
      this.#isChosen = true;
      this.#select(connection);
    },
    () => this.#schedule(),
  );
  readonly #forgotten = made("p", "sockets-note");
  readonly #title = made("h3");
  readonly #close = button("Close connection");
  readonly #filter = made("input");
  readonly #direction = made("select");
  readonly #pause = button("Pause");
  readonly #export = button("Export");
  readonly #counts = made("p", "sockets-note");
  readonly #latest = button("↓ Latest");
  readonly #status = made("p", "visually-hidden");
  readonly #timeline = new Timeline(
    (frame) => this.#detail.show(frame),
    () => this.#schedule(),
  );
  readonly #detail = new FrameDetail(() => {
    this.#timeline.select(undefined);
    this.#timeline.element.focus();
  });
  readonly #composer = new Composer((data) => {
    if (this.#selected !== undefined) {
      this.#options.send(this.#selected.id, data);
    }
  });
  #recorder = this.#makeRecorder();
  #selected: Connection | undefined;
  /** Whether the visitor has looked into one of them: before that, it is the newest. */
  #isChosen = false;
  /** The timeline as it was when it was paused. */
  #frozen: readonly Frame[] | undefined;
  /** How many frames came since. */
  #missed = 0;
  #matches: (frame: Frame) => boolean = () => true;
  /** What is to be drawn anew. */
  readonly #changed = new Set<Connection>();
  #isScheduled = false;
  #tableDrawn = 0;
  /** Whether it is time for all rows, and not only for those in view. */
  #isForAll = false;
  #ageTimer: ReturnType<typeof setInterval> | undefined;

  constructor(host: HTMLElement, options: SocketInspectorOptions) {
    this.#options = options;
    this.#status.role = "status";
    const timeline = made("section", "sockets-timeline");
    timeline.ariaLabel = "Timeline";
    this.#latest.classList.add("latest");
    const frames = made("div", "sockets-scroll");
    frames.append(this.#timeline.element, this.#latest);
    timeline.append(
      this.#bar(),
      this.#tools(),
      this.#counts,
      frames,
      this.#detail.element,
      this.#composer.element,
    );
    this.#content.append(this.#table.element, this.#forgotten, timeline);
    const panel = made("div", "sockets");
    panel.append(this.#empty, this.#content, this.#status);
    host.append(panel);
    for (const type of ["pointerdown", "focusin"]) {
      timeline.addEventListener(type, () => {
        this.#isChosen = true;
      });
    }
    this.#latest.addEventListener("click", () => this.#timeline.follow());
    // Also called when it comes into view.
    new ResizeObserver(() => {
      this.#timeline.measure();
      this.#schedule();
    }).observe(this.#timeline.element);
    this.reset();
  }

  /** How many connections are open, or are about to be. */
  get open(): number {
    return this.#recorder.open;
  }

  /** Takes an event of `onSocket`. */
  handle(event: SocketEvent): void {
    this.#recorder.handle(event);
    this.#schedule();
  }

  /** A new run begins: nothing of the one before is shown any more. */
  reset(): void {
    this.#recorder = this.#makeRecorder();
    this.#changed.clear();
    this.#table.clear();
    this.#isChosen = false;
    this.#select(undefined);
    this.#schedule();
  }

  /** The worker is gone: what is open is shown as gone. */
  end(reason: string): void {
    this.#recorder.end(reason, performance.now());
    this.#schedule();
  }

  #makeRecorder(): Recorder {
    return new Recorder({
      added: (frame) => this.#added(frame),
      dropped: (frame) => {
        if (this.#frozen === undefined) {
          this.#timeline.drop(frame);
        }
      },
      changed: (connection) => {
        this.#changed.add(connection);
        const isNewer = !this.#isChosen && connection.id > (this.#selected?.id ?? 0);
        if (this.#selected === undefined || isNewer) {
          this.#select(connection);
        }
      },
      forgotten: (connection) => {
        this.#changed.delete(connection);
        this.#table.remove(connection);
        if (connection === this.#selected) {
          const [next] = this.#recorder.connections;
          this.#select(next);
        }
      },
    });
  }

  #added(frame: Frame): void {
    if (frame.connection !== this.#selected) {
      return;
    }
    if (frame.kind === "state") {
      this.#tell(`Connection ${frame.connection.id}: ${frame.data}`);
    }
    if (this.#frozen !== undefined) {
      this.#missed++;
    } else if (this.#matches(frame)) {
      this.#timeline.add(frame);
    }
  }

  #bar(): HTMLElement {
    const bar = made("div", "bar");
    bar.append(this.#title, this.#close);
    this.#close.addEventListener("click", () => {
      if (this.#selected?.state === "open") {
        this.#options.close(this.#selected.id);
      }
    });
    return bar;
  }

  #tools(): HTMLElement {
    const tools = made("div", "bar tools");
    tools.role = "group";
    tools.ariaLabel = "Timeline tools";
    this.#filter.type = "search";
    this.#filter.placeholder = "Filter";
    this.#filter.ariaLabel = "Filter messages by text";
    this.#direction.ariaLabel = "Direction";
    this.#direction.append(
      new Option("Both ways", "all"),
      new Option("↑ Sent", "sent"),
      new Option("↓ Received", "received"),
    );
    const clear = button("Clear");
    this.#pause.ariaPressed = "false";
    tools.append(this.#filter, this.#direction, this.#pause, clear, this.#export);
    const filter = () => {
      this.#matches = filterOf(this.#filter.value, this.#direction.value as Direction);
      this.#refill();
    };
    this.#filter.addEventListener("input", filter);
    this.#direction.addEventListener("change", filter);
    this.#pause.addEventListener("click", () => this.#setPaused(this.#frozen === undefined));
    this.#export.title = "As JSON, one message per line";
    this.#export.addEventListener("click", () => void this.#save());
    clear.addEventListener("click", () => this.#clear());
    return tools;
  }

  #select(connection: Connection | undefined): void {
    if (connection === this.#selected && connection !== undefined) {
      return;
    }
    this.#selected = connection;
    this.#table.select(connection);
    this.#timeline.select(undefined);
    this.#timeline.follow();
    this.#setPaused(false);
    if (connection !== undefined) {
      this.#changed.add(connection);
    }
  }

  #setPaused(isPaused: boolean): void {
    this.#frozen = isPaused ? [...(this.#selected?.frames ?? [])] : undefined;
    this.#missed = 0;
    this.#pause.ariaPressed = String(isPaused);
    this.#refill();
  }

  #clear(): void {
    if (this.#selected !== undefined) {
      this.#recorder.clear(this.#selected);
    }
    this.#timeline.select(undefined);
    this.#timeline.follow();
    this.#setPaused(false);
  }

  /** Other frames are to be seen than before. */
  #refill(): void {
    const frames = this.#frozen ?? [...(this.#selected?.frames ?? [])];
    this.#timeline.show(frames.filter(this.#matches));
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      requestAnimationFrame(() => {
        this.#isScheduled = false;
        this.#render();
      });
    }
  }

  #render(): void {
    const isEmpty = this.#recorder.count === 0;
    this.#empty.hidden = !isEmpty;
    this.#content.hidden = isEmpty;
    this.#keepAges();
    // In a part of the page that is not shown nothing is drawn; it is once that is.
    if (isEmpty || this.#content.getClientRects().length === 0) {
      return;
    }
    this.#renderTable();
    this.#renderState();
    this.#timeline.render();
    this.#latest.hidden = this.#timeline.isFollowing || this.#timeline.isAtEnd;
  }

  #renderTable(): void {
    const now = performance.now();
    if (this.#changed.size === 0) {
      return;
    }
    if (now - this.#tableDrawn < TABLE_EVERY) {
      this.#schedule();
      return;
    }
    this.#tableDrawn = now;
    // Where nothing is open, nothing comes that could be too much.
    const isForAll = this.#isForAll || this.open === 0;
    let newRows = 0;
    for (const connection of this.#changed) {
      const isNew = !this.#table.has(connection);
      if (isNew ? newRows < NEW_ROWS : isForAll || this.#table.isInView(connection)) {
        newRows += isNew ? 1 : 0;
        this.#table.update(connection, now);
        this.#changed.delete(connection);
      }
    }
    this.#isForAll = false;
    if (newRows === NEW_ROWS) {
      this.#schedule();
    }
    const forgotten = this.#recorder.forgotten;
    this.#forgotten.hidden = forgotten === 0;
    setText(this.#forgotten, `${countText(forgotten)} older connections are not shown any more.`);
  }

  #renderState(): void {
    const connection = this.#selected;
    if (connection === undefined) {
      return;
    }
    const isOpen = connection.state === "open";
    const end = connection.ended === undefined ? "" : ` — ${endText(connection)}`;
    setText(this.#title, `${connection.id} ${connection.url}${end}`);
    this.#title.title = connection.url;
    this.#close.ariaDisabled = String(!isOpen);
    this.#composer.isOpen = isOpen;
    const notes: string[] = [];
    if (this.#frozen !== undefined) {
      notes.push(`Paused: ${countText(this.#missed)} more since then.`);
    }
    const all = this.#frozen?.length ?? connection.frames.length;
    if (this.#timeline.length !== all) {
      notes.push(`${countText(this.#timeline.length)} of ${countText(all)} frames match.`);
    }
    if (connection.dropped > 0) {
      notes.push(`The oldest ${countText(connection.dropped)} frames were dropped to make room.`);
    }
    this.#counts.hidden = notes.length === 0;
    setText(this.#counts, notes.join(" "));
  }

  /** As long as something is open, its age grows. */
  #keepAges(): void {
    if (this.open === 0) {
      clearInterval(this.#ageTimer);
      this.#ageTimer = undefined;
    } else {
      this.#ageTimer ??= setInterval(() => {
        for (const connection of this.#recorder.connections) {
          if (connection.ended === undefined) {
            this.#changed.add(connection);
          }
        }
        this.#isForAll = true;
        this.#schedule();
      }, AGE_EVERY);
    }
  }

  #tell(text: string): void {
    this.#status.textContent = text;
  }

  /** Offers what the timeline shows as a file. */
  async #save(): Promise<void> {
    const connection = this.#selected;
    if (connection !== undefined) {
      const frames = (this.#frozen ?? [...connection.frames]).filter(this.#matches);
      save(await jsonOf(frames), `connection-${connection.id}.jsonl`);
    }
  }
}

function filterOf(text: string, direction: Direction): (frame: Frame) => boolean {
  const contains = text === "" ? () => true : searchFor(text);
  return ({ kind, data }) => (direction === "all" || kind === direction) && contains(data);
}

function emptyState(): HTMLElement {
  const empty = made("div", "sockets-empty");
  empty.append(
    made("h3", "", "No connections yet"),
    made(
      "p",
      "",
      "Run a script that calls websocket.connect: each of its connections gets a row here, with a timeline of all messages that " +
        "are sent and received, and a box to send some by hand.",
    ),
  );
  return empty;
}
