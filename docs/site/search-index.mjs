/**
 * A part of a page, from one heading to the next.
 *
 * @typedef {object} Section
 * @property {string} page its title
 * @property {string} heading empty for what stands before the first one
 * @property {string} url relative to the site
 * @property {string} text
 */

/** What can be searched: filled while pages are made, and read by the pages themselves. */
export class SearchIndex {
  /** @type {Map<string, Section[]>} */
  #pages = new Map();
  /** The page that is being made: its address, its title and its sections. */
  #page = "";
  #title = "";
  /** @type {Section[]} */
  #sections = [];

  /** @param {string} path of the page, without an extension @param {string} title */
  begin(path, title) {
    this.#page = `${path.replace(/^\//, "")}.html`;
    this.#title = title;
    this.#sections = [];
    this.#pages.set(path, this.#sections);
    this.heading("", "");
  }

  /** @param {string} heading @param {string} id */
  heading(heading, id) {
    const url = id === "" ? this.#page : `${this.#page}#${id}`;
    this.#sections.push({ page: this.#title, heading: heading.replaceAll("`", ""), url, text: "" });
  }

  /** @param {string} text */
  text(text) {
    const section = this.#sections.at(-1);
    if (section !== undefined) {
      section.text = `${section.text} ${text}`.replace(/\s+/g, " ").trim();
    }
  }

  toJSON() {
    return [...this.#pages.values()].flat().filter(({ heading, text }) => heading !== "" || text !== "");
  }
}
