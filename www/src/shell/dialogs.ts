import type { File, Files } from "../project.js";
import { createElement, element } from "./elements.js";

/** Installs the handlers that close dialogs. Called once per page. */
export function installDialogs(): void {
  for (const button of document.querySelectorAll<HTMLElement>("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    // The backdrop and the padding belong to the dialog element itself. A text selection may start inside and end
    // anywhere.
    let isOutside = false;
    dialog.addEventListener("pointerdown", ({ clientX, clientY }) => {
      const { left, right, top, bottom } = dialog.getBoundingClientRect();
      isOutside = clientX < left || clientX > right || clientY < top || clientY > bottom;
    });
    dialog.addEventListener("click", ({ target }) => {
      if (isOutside && target === dialog) {
        dialog.close();
      }
      isOutside = false;
    });
  }
}

/**
 * Asks for the name of a file.
 *
 * @param problem returns an error message if a name is invalid
 * @returns the name, or undefined if the user cancels
 */
export function askName(
  title: string,
  action: string,
  name: string,
  problem: (name: string) => string | undefined,
): Promise<string | undefined> {
  const dialog = element("name-dialog", HTMLDialogElement);
  const form = element("name-form", HTMLFormElement);
  const input = element("name-input", HTMLInputElement);
  const error = element("name-error", HTMLElement);
  element("name-title", HTMLElement).textContent = title;
  element("name-ok", HTMLButtonElement).textContent = action;
  input.value = name;
  input.removeAttribute("aria-invalid");
  error.textContent = "";
  dialog.showModal();
  input.select();
  return new Promise((resolve) => {
    const ended = new AbortController();
    form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        const wrong = problem(input.value.trim());
        error.textContent = wrong ?? "";
        input.ariaInvalid = String(wrong !== undefined);
        if (wrong === undefined) {
          resolve(input.value.trim());
          dialog.close();
        }
      },
      { signal: ended.signal },
    );
    dialog.addEventListener(
      "close",
      () => {
        ended.abort();
        resolve(undefined);
      },
      { signal: ended.signal },
    );
  });
}

/** An entry of the list of examples. */
export interface Choice {
  readonly title: string;
  readonly description: string;
  choose(): void;
  /** Deletes the entry, if that is possible. */
  remove?(): void;
}

/** Shows the examples. */
export function showExamples(choices: readonly Choice[]): void {
  const dialog = element("examples-dialog", HTMLDialogElement);
  element("examples-list", HTMLUListElement).replaceChildren(
    ...choices.map(({ title, description, choose, remove }) => {
      const item = createElement("li", "choice-item");
      const button = createElement("button", "choice");
      button.type = "button";
      button.append(createElement("strong", "", title), createElement("span", "choice-text", description));
      button.addEventListener("click", () => {
        dialog.close();
        choose();
      });
      item.append(button);
      if (remove !== undefined) {
        const delete_ = createElement("button", "button small", "Delete");
        delete_.type = "button";
        delete_.ariaLabel = `Delete ${title}`;
        delete_.addEventListener("click", () => {
          if (confirm(`Delete “${description}”? This cannot be undone.`)) {
            remove();
            item.remove();
          }
        });
        item.append(delete_);
      }
      return item;
    }),
  );
  dialog.showModal();
}

/** Shows the link to a script and the code to embed it, or a note that it is too large, and offers the files for download. */
export function showShare(files: Files, addresses?: { readonly link: string; readonly embed: string }): void {
  const dialog = element("share-dialog", HTMLDialogElement);
  const note = element("share-note", HTMLElement);
  if (addresses === undefined) {
    note.textContent = "Too large for a link: browsers would not open it. Download the files instead.";
  } else {
    note.textContent =
      addresses.link.length > 8_000 ? "This link is long. Some chat and mail programs cut long links." : "";
  }
  for (const name of ["link", "embed"] as const) {
    const text = addresses?.[name] ?? "";
    const input = element(`share-${name}`, HTMLInputElement);
    const copy = element(`copy-${name}`, HTMLButtonElement);
    input.value = text;
    copy.disabled = addresses === undefined;
    copy.onclick = async () => {
      input.select();
      try {
        await navigator.clipboard.writeText(text);
        note.textContent = "Copied.";
      } catch {
        note.textContent = "The browser blocks copying. The text is selected: press Ctrl+C or Cmd+C.";
      }
    };
  }
  element("download", HTMLButtonElement).onclick = () => files.forEach(download);
  dialog.showModal();
}

function download({ name, source }: File): void {
  const link = createElement("a");
  link.href = URL.createObjectURL(new Blob([source], { type: "text/plain" }));
  link.download = `${name.replaceAll("/", "-")}.luau`;
  link.click();
  // The browser has read the file by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
