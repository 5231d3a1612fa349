import { createElement, setText } from "../shell/elements.js";
import { countText, sizeText, spanText } from "./contents.js";
import { type Connection, codeText, type State, type Traffic } from "./recorder.js";

/** Color is never the only sign of a state. */
const STATES: Readonly<Record<State, readonly [icon: string, word: string]>> = {
  connecting: ["◌", "Connecting"],
  open: ["●", "Open"],
  closed: ["○", "Closed"],
  failed: ["✕", "Failed"],
  gone: ["⊘", "Gone"],
};

const COLUMNS = ["State", "Connection", "Sent", "Received", "Age"];

interface Row {
  readonly row: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly icon: HTMLElement;
  readonly word: HTMLElement;
  readonly sent: HTMLElement;
  readonly received: HTMLElement;
  readonly age: HTMLElement;
  readonly end: HTMLElement;
  /** Rows out of view cost the browser nothing until they are written to. */
  isInView: boolean;
}

/** A table with one row per connection. One row is selected. */
export class ConnectionTable {
  readonly element = createElement("div", "sockets-connections");
  readonly #body = part("tbody", "rowgroup");
  readonly #rows = new Map<Connection, Row>();
  readonly #onSelect: (connection: Connection) => void;
  readonly #onView: () => void;
  #selected: Connection | undefined;

  /** `onView` is called when other rows come into view. */
  constructor(onSelect: (connection: Connection) => void, onView: () => void) {
    this.#onSelect = onSelect;
    this.#onView = onView;
    const table = part("table", "table");
    const head = part("tr", "row");
    for (const name of COLUMNS) {
      head.append(part("th", "columnheader", name.toLowerCase(), name));
    }
    const section = part("thead", "rowgroup");
    section.append(head);
    table.append(
      createElement("caption", "visually-hidden", "Connections of the script"),
      section,
      this.#body,
    );
    this.element.append(table);
    this.#body.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Updates the row of a connection, or adds one. */
  update(connection: Connection, now: number): void {
    const row = this.#rows.get(connection) ?? this.#add(connection);
    const [icon, word] = STATES[connection.state];
    row.row.dataset.state = connection.state;
    setText(row.icon, icon);
    setText(row.word, word);
    if (row.button.title !== connection.url) {
      row.button.title = connection.url;
      // Long addresses break after a slash rather than within a word.
      const pieces = connection.url.split(/(?<=\/)(?!\/)/);
      row.button.replaceChildren(...pieces.flatMap((piece) => [piece, createElement("wbr")]));
    }
    setText(row.sent, trafficText(connection.sent));
    setText(row.received, trafficText(connection.received));
    setText(row.end, endText(connection));
    setText(row.age, spanText((connection.ended ?? now) - connection.began));
  }

  /** Returns true if the connection has a row. */
  has(connection: Connection): boolean {
    return this.#rows.has(connection);
  }

  /** Returns true if the row is visible, as far as the browser reports. */
  isInView(connection: Connection): boolean {
    return this.#rows.get(connection)?.isInView === true;
  }

  select(connection: Connection | undefined): void {
    this.#mark(this.#selected, false);
    this.#selected = connection;
    this.#mark(connection, true);
  }

  remove(connection: Connection): void {
    this.#rows.get(connection)?.row.remove();
    this.#rows.delete(connection);
  }

  clear(): void {
    this.#rows.clear();
    this.#body.replaceChildren();
    this.#selected = undefined;
  }

  #add(connection: Connection): Row {
    const cell = (name: string) => part("td", "cell", name);
    const [icon, word] = [createElement("span", "icon"), createElement("span", "word")];
    icon.ariaHidden = "true";
    const button = createElement("button");
    button.type = "button";
    const row: Row = {
      row: part("tr", "row"),
      button,
      icon,
      word,
      sent: cell("sent"),
      received: cell("received"),
      age: cell("age"),
      end: createElement("div", "end"),
      isInView: true,
    };
    row.row.addEventListener("contentvisibilityautostatechange", (event) => {
      row.isInView = !(event as ContentVisibilityAutoStateChangeEvent).skipped;
      if (row.isInView) {
        this.#onView();
      }
    });
    const state = cell("state");
    state.append(icon, " ", word);
    const name = part("th", "rowheader", "connection");
    const number = createElement("span", "number", `${connection.id}`);
    const line = createElement("div", "address");
    line.append(number, " ", button);
    name.append(line, row.end);
    row.row.append(state, name, row.sent, row.received, row.age);
    // The button serves the keyboard; the mouse can click the whole row.
    row.row.addEventListener("click", () => this.#onSelect(connection));
    this.#rows.set(connection, row);
    this.#body.append(row.row);
    this.#mark(connection, connection === this.#selected);
    return row;
  }

  /** Makes one button reachable with Tab; arrow keys move between the others. */
  #mark(connection: Connection | undefined, isSelected: boolean): void {
    const row = connection && this.#rows.get(connection);
    if (row !== undefined) {
      row.row.classList.toggle("selected", isSelected);
      row.button.ariaCurrent = isSelected ? "true" : null;
      row.button.tabIndex = isSelected ? 0 : -1;
    }
  }

  #onKey(event: KeyboardEvent): void {
    const buttons = [...this.#body.querySelectorAll("button")];
    const index = buttons.indexOf(event.target as HTMLButtonElement);
    const target = {
      ArrowUp: buttons[index - 1],
      ArrowDown: buttons[index + 1],
      Home: buttons[0],
      End: buttons.at(-1),
    }[event.key];
    if (index >= 0 && target !== undefined) {
      event.preventDefault();
      target.focus();
      target.click();
    }
  }
}

/** Creates a part of the table with an explicit role, because its display style removes the implicit one. */
function part<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  role: string,
  className = "",
  text = "",
): HTMLElementTagNameMap[Tag] {
  const element = createElement(tag, className, text);
  element.role = role;
  return element;
}

/** Formats the number of messages and, on a second line, their total size. */
function trafficText({ messages, bytes }: Traffic): string {
  return messages === 0 ? "–" : `${countText(messages)}\n${sizeText(bytes)}`;
}

function endText({ state, code, reason }: Connection): string {
  if (state === "gone") {
    return reason;
  }
  return code === undefined ? "" : codeText(code) + (reason === "" ? "" : `: ${reason}`);
}
