// The entry point of the playground: loads its parts, and handles the keys and buttons of the page.

import "./style.css";
import "./shell/shell.css";
import echo from "../examples/echo.luau?raw";
import { App } from "./app.js";
import { loadModule } from "./module.js";
import { track } from "./pending.js";
import { Server } from "./server.js";
import { OUTDATED_NOTICE } from "./sharing.js";
import { installDialogs } from "./shell/dialogs.js";
import { element } from "./shell/elements.js";
import { installNotice, showNotice } from "./shell/notice.js";
import { installTheme } from "./shell/theme.js";
import { showLoaded, showProgress } from "./status.js";
import { Workspace } from "./workspace.js";

// The download starts first: everything else is small in comparison, and some of it waits.
const loading = loadModule(showProgress);
// Whoever awaits the module reports the error.
loading.catch(() => {});

installTheme();
installDialogs();
installNotice();

const isEmbedded = "embed" in document.documentElement.dataset;
const server = await Server.find();
if (server.isInside) {
  element("server", HTMLElement).textContent = "Examples talk to a server inside this page";
}
const workspace = new Workspace({
  initial: [{ name: "main", source: echo }],
  server,
  isEmbedded,
  onFull: () =>
    showNotice(
      "The browser could not save your script: its storage is full or blocked. Delete old scripts under Examples, or download this one under Share.",
      "page",
    ),
});
const app = new App(workspace, isEmbedded);
await app.sharing.openLink();

element("run", HTMLButtonElement).addEventListener("click", () => void app.run());
element("stop", HTMLButtonElement).addEventListener("click", () => app.stop());
element("examples", HTMLButtonElement).addEventListener("click", () => void app.sharing.chooseExample());
element("share", HTMLButtonElement).addEventListener("click", () => void app.sharing.share());
document.addEventListener("keydown", (event) => {
  if (event.key === "." && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    app.stop();
  }
  // The editor has handled the key if it has the focus. A message that is being written must not be lost to a new run.
  const isElsewhere = (event.target as Element).closest?.("dialog, form, textarea") !== null;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.defaultPrevented && !isElsewhere) {
    event.preventDefault();
    if (!event.repeat) {
      void app.run();
    }
  }
});
document.querySelector(".skip")?.addEventListener("click", (event) => {
  // Following the link would replace the script's link in the address.
  event.preventDefault();
  app.focusScript();
});
window.addEventListener("hashchange", async () => {
  if (await app.sharing.openLink()) {
    app.showAll();
    app.focusEditor();
  }
});
window.addEventListener("online", () => app.retryChecking());
element("version", HTMLElement).textContent = `Luau ${import.meta.env.VITE_LUAU_VERSION}`;

app.showAll();
try {
  const module = await loading;
  app.start(module);
  showLoaded();
  app.runIfPending();
  // Only now, because files that Run needs load first.
  track("the rest", () => app.loadRest(module)).catch(() => showNotice(OUTDATED_NOTICE, "page"));
} catch (error) {
  showLoaded(
    `The VM could not be loaded: ${(error as Error).message}. Check the connection and reload the page.`,
  );
}
if ("serviceWorker" in navigator && import.meta.env.PROD) {
  // Runs last, so that it does not slow down the first load.
  setTimeout(() => {
    navigator.serviceWorker
      .register("./sw.js")
      .then(() => navigator.serviceWorker.ready)
      .then(({ active }) => active?.postMessage("keep the rest"))
      .catch(() => {});
  }, 2_000);
}
