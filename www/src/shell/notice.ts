import { element } from "./elements.js";

/** The topic of a notice: a link, which ends with the first change, or the page, which stays. */
export type About = "link" | "page";

/** Shows a notice until it is closed or no longer applies. */
export function showNotice(text: string, about: About): void {
  const notice = element("notice", HTMLElement);
  element("notice-text", HTMLElement).textContent = text;
  notice.dataset.about = about;
  notice.hidden = false;
}

/** Hides a notice about the link. */
export function hideLinkNotice(): void {
  const notice = element("notice", HTMLElement);
  if (notice.dataset.about === "link") {
    notice.hidden = true;
  }
}

/** Installs the handler of the close button. */
export function installNotice(): void {
  element("notice-close", HTMLButtonElement).addEventListener("click", () => {
    element("notice", HTMLElement).hidden = true;
  });
}
