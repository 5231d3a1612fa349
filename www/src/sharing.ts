// Links to scripts, examples, and the scripts that the browser stores.

import { debounce } from "./debounce.js";
import type { Files } from "./project.js";
import { showExamples, showShare } from "./shell/dialogs.js";
import { element } from "./shell/elements.js";
import { hideLinkNotice, showNotice } from "./shell/notice.js";
import { loadLinkedFiles, type Workspace } from "./workspace.js";

/** The delay before the link to the full playground is updated, in milliseconds. */
const LINK_DELAY_MS = 100;

/** Shown when a file of the playground can no longer be loaded. */
export const OUTDATED_NOTICE =
  "Could not load a part of the playground: it has been updated, or the network is down. Reload the page; your scripts are saved.";

/** Opens and shares scripts. */
export class Sharing {
  readonly #workspace: Workspace;
  readonly #isEmbedded: boolean;
  readonly #onOpen: () => void;

  /** @param onOpen called after other files were opened */
  constructor(workspace: Workspace, isEmbedded: boolean, onOpen: () => void) {
    this.#workspace = workspace;
    this.#isEmbedded = isEmbedded;
    this.#onOpen = onOpen;
    if (isEmbedded) {
      element("full", HTMLAnchorElement).hidden = false;
    }
  }

  /** Opens the files of the page's link. Returns true if there were any. */
  async openLink(): Promise<boolean> {
    try {
      const files = await loadLinkedFiles();
      if (files === undefined) {
        return false;
      }
      if (!this.#workspace.openLinked(files)) {
        const hasOwnScripts = this.#workspace.own.length > 0 && !this.#isEmbedded;
        showNotice(
          hasOwnScripts
            ? "This script came from the link. Your own scripts are under Examples, as “My script”."
            : "This script came from the link.",
          "link",
        );
      }
      return true;
    } catch (error) {
      showNotice(`The link cannot be opened: ${(error as Error).message}.`, "link");
      return false;
    }
  }

  /** Removes the link from the address. Must be called after each change of the files: the link is outdated then. */
  clearLink(): void {
    hideLinkNotice();
    if (location.hash !== "") {
      history.replaceState(null, "", location.pathname + location.search);
    }
    this.updateFullLink();
  }

  /** Updates the link from an embedded playground to the full one. The link contains the script. */
  updateFullLink(): void {
    if (this.#isEmbedded) {
      debounce("link", LINK_DELAY_MS, async () => {
        element("full", HTMLAnchorElement).href = `./${(await this.#workspace.toHash()) ?? ""}`;
      });
    }
  }

  /** Shows the dialog with links to the script. */
  async share(): Promise<void> {
    const hash = await this.#workspace.toHash();
    if (hash === undefined) {
      showShare(this.#workspace.files);
      return;
    }
    const here = new URL(location.href);
    here.search = "";
    here.hash = hash;
    const embedded = new URL(here);
    embedded.search = "?embed";
    showShare(this.#workspace.files, {
      link: here.href,
      embed: `<iframe src="${embedded.href}" title="Luau playground" width="100%" height="480"></iframe>`,
    });
  }

  /** Shows the dialog with stored scripts and examples. */
  async chooseExample(): Promise<void> {
    // Loaded only now, to keep the first load of the page small.
    const examples = await import("./examples.js").catch(() => undefined);
    if (examples === undefined) {
      showNotice(OUTDATED_NOTICE, "page");
    }
    const own = this.#workspace.own.map(({ id, files, changed }) => ({
      title: `My script from ${changed.toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}`,
      description: beginningOf(files),
      choose: () => this.#open(() => this.#workspace.openOwn(id)),
      remove: () => this.#workspace.deleteOwn(id),
    }));
    showExamples([
      ...own,
      ...(examples?.EXAMPLES ?? []).map(({ title, description, files }) => ({
        title,
        description,
        choose: () => this.#open(() => this.#workspace.openExample(files)),
      })),
    ]);
  }

  #open(open: () => void): void {
    open();
    hideLinkNotice();
    this.#onOpen();
  }
}

/** Returns the beginning of a script, so that users recognize it. */
function beginningOf([main, ...others]: Files): string {
  const line = main.source.split("\n").find((line) => line.trim() !== "") ?? "empty";
  const more = others.length === 0 ? "" : ` (and ${others.map(({ name }) => name).join(", ")})`;
  return `${line.trim()}${more}`.slice(0, 100);
}
