// The socket inspector: shows the connections of a script and their messages.

import "./inspector.css";
import type { SocketEvent } from "luau-websocket";
import { createElement, setText } from "../shell/elements.js";
import { Composer } from "./composer.js";
import { countText, searchFor } from "./contents.js";
import { button, FrameDetail } from "./detail.js";
import { jsonOf, save } from "./export.js";
import { type Connection, endText, type Frame, Recorder } from "./recorder.js";
import { ConnectionTable } from "./table.js";
import { Timeline } from "./timeline.js";

/** The time between two updates of the table, in milliseconds. Nobody reads faster. */
const TABLE_EVERY = 100;
/** The time between two updates of the ages and of rows out of view. */
const AGE_EVERY = 1_000;
/** The most table rows created per animation frame. */
const NEW_ROWS = 32;

/** The actions that the inspector requests. */
export interface SocketInspectorOptions {
  /** Sends over a connection of the script. */
  send(id: number, data: string | Uint8Array): void;
  /** Closes a connection of the script. */
  close(id: number): void;
}

type Direction = "all" | "sent" | "received";

/**
 * Shows the connections of a run, and the timeline of the selected one. Events only record changes; drawing happens at
 * most once per animation frame, and only while the inspector is visible.
 */
export class SocketInspector {
  readonly #options: SocketInspectorOptions;
  readonly #empty = emptyState();
  readonly #content = createElement("div", "sockets-content");
  readonly #table = new ConnectionTable(
    (connection) => {
      this.#isChosen = true;
      this.#select(connection);
    },
    () => this.#schedule(),
  );
  readonly #forgotten = createElement("p", "sockets-note");
  readonly #title = createElement("h3");
  readonly #close = button("Close connection");
  readonly #filter = createElement("input");
  readonly #direction = createElement("select");
  readonly #pause = button("Pause");
  readonly #export = button("Export");
  readonly #counts = createElement("p", "sockets-note");
  readonly #latest = button("↓ Latest");
  readonly #status = createElement("p", "visually-hidden");
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
  /** True once the user has interacted with a timeline. Before that, the newest connection is selected. */
  #isChosen = false;
  /** The timeline at the time it was paused. */
  #frozen: readonly Frame[] | undefined;
  /** The number of entries that arrived since. */
  #missed = 0;
  #matches: (frame: Frame) => boolean = () => true;
  /** The connections whose rows are out of date. */
  readonly #changed = new Set<Connection>();
  #isScheduled = false;
  #tableDrawn = 0;
  /** True when all rows are due for an update, and not only the visible ones. */
  #isForAll = false;
  #ageTimer: ReturnType<typeof setInterval> | undefined;

  constructor(host: HTMLElement, options: SocketInspectorOptions) {
    this.#options = options;
    this.#status.role = "status";
    const timeline = createElement("section", "sockets-timeline");
    timeline.ariaLabel = "Timeline";
    this.#latest.classList.add("latest");
    const frames = createElement("div", "sockets-scroll");
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
    const panel = createElement("div", "sockets");
    panel.append(this.#empty, this.#content, this.#status);
    host.append(panel);
    for (const type of ["pointerdown", "focusin"]) {
      timeline.addEventListener(type, () => {
        this.#isChosen = true;
      });
    }
    this.#latest.addEventListener("click", () => this.#timeline.follow());
    // Also called when the timeline becomes visible.
    new ResizeObserver(() => {
      this.#timeline.measure();
      this.#schedule();
    }).observe(this.#timeline.element);
    this.reset();
  }

  /** The number of connections that are open or connecting. */
  get open(): number {
    return this.#recorder.open;
  }

  /** Handles an event of `onSocket`. */
  handle(event: SocketEvent): void {
    this.#recorder.handle(event);
    this.#schedule();
  }

  /** Clears everything for a new run. */
  reset(): void {
    this.#recorder = this.#makeRecorder();
    this.#changed.clear();
    this.#table.clear();
    this.#isChosen = false;
    this.#select(undefined);
    this.#schedule();
  }

  /** Marks open connections as gone, because the worker has ended. */
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
      this.#announce(`Connection ${frame.connection.id}: ${frame.data}`);
    }
    if (this.#frozen !== undefined) {
      this.#missed++;
    } else if (this.#matches(frame)) {
      this.#timeline.add(frame);
    }
  }

  #bar(): HTMLElement {
    const bar = createElement("div", "bar");
    bar.append(this.#title, this.#close);
    this.#close.addEventListener("click", () => {
      if (this.#selected?.state === "open") {
        this.#options.close(this.#selected.id);
      }
    });
    return bar;
  }

  #tools(): HTMLElement {
    const tools = createElement("div", "bar tools");
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

  /** Fills the timeline again, for example after the filter changed. */
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
    // Nothing is drawn while the panel is hidden. Showing it triggers a redraw.
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
    // Without open connections there is no flood to guard against.
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
    setText(this.#forgotten, `${countText(forgotten)} older connections are no longer shown.`);
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
      notes.push(`${countText(this.#timeline.length)} of ${countText(all)} entries match.`);
    }
    if (connection.dropped > 0) {
      notes.push(`The oldest ${countText(connection.dropped)} entries were dropped to make room.`);
    }
    this.#counts.hidden = notes.length === 0;
    setText(this.#counts, notes.join(" "));
  }

  /** Updates the ages while a connection is open. */
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

  #announce(text: string): void {
    this.#status.textContent = text;
  }

  /** Saves the shown timeline as a file. */
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
  const empty = createElement("div", "sockets-empty");
  empty.append(
    createElement("h3", "", "No connections yet"),
    createElement(
      "p",
      "",
      "Run a script that calls websocket.connect. Each connection gets a row here, with a timeline of all messages sent " +
        "and received, and a form to send messages yourself.",
    ),
  );
  return empty;
}
