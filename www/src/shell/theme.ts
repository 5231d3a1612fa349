import { loadItem, saveItem } from "../storage.js";
import { element } from "./elements.js";

/** Lets the user choose a theme. public/theme.js applies the stored theme before the first paint. */
export function installTheme(): void {
  const select = element("theme", HTMLSelectElement);
  select.value = document.documentElement.dataset.theme ?? "auto";
  select.addEventListener("change", () => {
    const theme = select.value === "auto" ? undefined : select.value;
    if (theme === undefined) {
      delete document.documentElement.dataset.theme;
    } else {
      document.documentElement.dataset.theme = theme;
    }
    saveItem("theme", theme);
  });
  // Another tab of the site may have changed the theme.
  window.addEventListener("storage", () => {
    select.value = loadItem("theme") ?? "auto";
    select.dispatchEvent(new Event("change"));
  });
}
