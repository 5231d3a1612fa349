import { createElement } from "../shell/elements.js";
import { bytesFromHex } from "./contents.js";

/** A form to write and send a message. */
export class Composer {
  readonly element = createElement("form", "sockets-composer");
  readonly #input = createElement("textarea");
  readonly #type = createElement("select");
  readonly #send = createElement("button", "button primary", "Send");
  readonly #problem = createElement("p", "problem");
  readonly #onSend: (data: string | Uint8Array) => void;
  #isOpen = false;

  constructor(onSend: (data: string | Uint8Array) => void) {
    this.#onSend = onSend;
    this.#input.rows = 1;
    this.#input.spellcheck = false;
    this.#input.ariaLabel = "Message to send";
    this.#input.title = "Enter to send, Shift+Enter for a new line";
    this.#problem.id = "sockets-problem";
    this.#problem.role = "alert";
    this.#input.setAttribute("aria-describedby", this.#problem.id);
    this.#type.ariaLabel = "Message type";
    this.#type.append(new Option("Text", "text"), new Option("Hex", "hex"));
    this.#send.type = "submit";
    this.#send.ariaDisabled = "true";
    this.element.append(this.#type, this.#input, this.#send, this.#problem);
    this.element.ariaLabel = "Send a message";
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("keydown", (event) => {
      const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.isComposing;
      if (event.key === "Enter" && isPlain) {
        event.preventDefault();
        this.#submit();
      }
    });
    this.#input.addEventListener("input", () => this.#complain(""));
    this.#type.addEventListener("change", () => {
      this.#complain("");
      this.#showPlaceholder();
    });
    this.#showPlaceholder();
  }

  /** True while the selected connection can send. The text in the form stays in any case. */
  set isOpen(isOpen: boolean) {
    if (this.#isOpen !== isOpen) {
      this.#isOpen = isOpen;
      // Not disabled, so that the button keeps the keyboard focus.
      this.#send.ariaDisabled = String(!isOpen);
      this.#complain("");
    }
  }

  #submit(): void {
    if (!this.#isOpen) {
      this.#complain("The connection is not open.");
      return;
    }
    let data: string | Uint8Array;
    try {
      data = this.#type.value === "hex" ? bytesFromHex(this.#input.value) : this.#input.value;
    } catch (error) {
      this.#complain((error as Error).message);
      return;
    }
    this.#onSend(data);
    this.#input.value = "";
    this.#complain("");
  }

  #complain(text: string): void {
    if (this.#problem.textContent !== text) {
      this.#problem.textContent = text;
      this.#input.ariaInvalid = text === "" ? null : "true";
    }
  }

  #showPlaceholder(): void {
    this.#input.placeholder = this.#type.value === "hex" ? "Bytes, such as 01 ff 0a" : "Text of a message";
  }
}
