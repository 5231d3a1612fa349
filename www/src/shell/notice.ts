import { element } from "./elements.js";

/** What a notice is about: a link, which is over with the first change, or something that stays true. */
export type About = "link" | "page";

/** Tells something that stays until it is closed, or is over. */
export function tell(text: string, about: About): void {
  const notice = element("notice", HTMLElement);
  element("notice-text", HTMLElement).textContent = text;
  notice.dataset.about = about;
  notice.hidden = false;
}

/** What was told about the link does not matter any more. */
export function forgetLink(): void {
  const notice = element("notice", HTMLElement);
  if (notice.dataset.about === "link") {
    notice.hidden = true;
  }
}

/** Gives the button that closes the notice its work. */
export function installNotice(): void {
  element("notice-close", HTMLButtonElement).addEventListener("click", () => {
    element("notice", HTMLElement).hidden = true;
  });
}
