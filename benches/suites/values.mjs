// The values to convert, about a megabyte each.

/** A string. */
export const text = "a line of text, ".repeat(65_536);

/** Records like in JSON. */
export function records() {
  return Array.from({ length: 7_000 }, (_, id) => ({
    id,
    name: `user ${id}`,
    email: `user${id}@example.org`,
    active: id % 3 === 0,
    scores: [id, id / 2, -id],
    address: { street: `${id} Main Street`, city: "Town" },
  }));
}
