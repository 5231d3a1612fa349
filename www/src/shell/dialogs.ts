import { element, made } from "./elements.js";

/** Gives the buttons that close a dialog their work, once for the page. */
export function installDialogs(): void {
  for (const button of document.querySelectorAll<HTMLElement>("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog")?.close());
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    // The backdrop belongs to the dialog itself.
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) {
        dialog.close();
      }
    });
  }
}

/**
 * Asks for the name of a file.
 *
 * @param problem what is wrong with a name, if anything is
 * @returns the name, or undefined when the visitor thinks better of it
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

/** One of what a visitor can choose from. */
export interface Choice {
  readonly title: string;
  readonly description: string;
  choose(): void;
}

/** Shows the examples. */
export function showExamples(choices: readonly Choice[]): void {
  const dialog = element("examples-dialog", HTMLDialogElement);
  element("examples-list", HTMLUListElement).replaceChildren(
    ...choices.map(({ title, description, choose }) => {
      const item = made("li");
      const button = made("button", "choice");
      button.type = "button";
      button.append(made("strong", "", title), made("span", "choice-text", description));
      button.addEventListener("click", () => {
        dialog.close();
        choose();
      });
      item.append(button);
      return item;
    }),
  );
  dialog.showModal();
}

/** Shows the link to a script, and how to embed it. */
export function showShare(link: string, embed: string): void {
  const dialog = element("share-dialog", HTMLDialogElement);
  const note = element("share-note", HTMLElement);
  note.textContent =
    link.length > 8_000 ? "This link is long: some chats and mail programs cut such links." : "";
  for (const [name, text] of [
    ["link", link],
    ["embed", embed],
  ] as const) {
    const input = element(`share-${name}`, HTMLInputElement);
    input.value = text;
    element(`copy-${name}`, HTMLButtonElement).onclick = async () => {
      input.select();
      try {
        await navigator.clipboard.writeText(text);
        note.textContent = "Copied.";
      } catch {
        note.textContent = "The browser does not allow copying: it is selected, so press Ctrl+C or Cmd+C.";
      }
    };
  }
  dialog.showModal();
}
