import { keep, kept } from "../storage.js";
import { element } from "./elements.js";

/** Lets the visitor choose between the themes; public/theme.js sets the one that was chosen before, ahead of the first drawing. */
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
    keep("theme", theme);
  });
  // Another tab of the playground may have chosen.
  window.addEventListener("storage", () => {
    select.value = kept("theme") ?? "auto";
    select.dispatchEvent(new Event("change"));
  });
}
