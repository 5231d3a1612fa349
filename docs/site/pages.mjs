// Which pages there are, in the order in which they are read, by their paths without an extension.

/** @type {readonly { title: string, pages: readonly string[] }[]} */
export const SECTIONS = [
  { title: "Begin", pages: ["index", "tutorial"] },
  {
    title: "Guides",
    pages: [
      "guides/page",
      "guides/worker",
      "guides/frameworks",
      "guides/node",
      "guides/functions",
      "guides/modules",
      "guides/limits",
      "guides/reconnecting",
      "guides/binary",
      "guides/testing",
    ],
  },
  { title: "Rust", pages: ["rust/library", "rust/mlua"] },
  { title: "Reference", pages: ["reference/scripts", "reference/typescript", "reference/rust"] },
];

/** The same, as one list. */
export const PAGES = SECTIONS.flatMap(({ pages }) => pages);
