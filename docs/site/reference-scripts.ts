// The reference of what scripts see, from the definitions in types/.

import {
  type Definition,
  type Definitions,
  parseDefinitions,
  signature,
} from "../../www/src/editor/definitions.js";

/** The libraries, in the order in which they are documented. */
const LIBRARIES = ["websocket", "task", "json"];

const INTRODUCTION = `What a script finds beside [Luau's own library](https://luau.org/library). This page is made from the definitions in
the package, \`luau-websocket/types/*.d.luau\`, which [luau-lsp](https://github.com/JohnnyMorganz/luau-lsp) reads too.

Errors are strings that begin with the position in the script, like those of Luau's own library.`;

/**
 * The reference as Markdown.
 *
 * @param sources the definition files
 */
export function scriptReference(sources: readonly string[]): string {
  const definitions = parseDefinitions(sources);
  const parts = [INTRODUCTION];
  for (const name of LIBRARIES) {
    const library = definitions.globals.get(name);
    const type = definitions.types.get(library?.type ?? "");
    if (library === undefined || type === undefined) {
      throw new Error(`types/ defines no library ${name}`);
    }
    parts.push(`## ${name}`, library.documentation);
    for (const member of type.members.values()) {
      parts.push(...described(member, `${name}.${member.name}`, definitions));
    }
  }
  parts.push("## Global functions");
  for (const definition of definitions.globals.values()) {
    if (definition.kind === "function") {
      parts.push(...described(definition, definition.name, definitions));
    }
  }
  const libraryTypes = new Set(LIBRARIES.map((name) => definitions.globals.get(name)?.type));
  for (const type of definitions.types.values()) {
    if (!libraryTypes.has(type.name)) {
      parts.push(`## ${type.name}`, type.documentation);
      for (const member of type.members.values()) {
        const separator = member.kind === "method" ? ":" : ".";
        parts.push(...described(member, `${type.name}${separator}${member.name}`, definitions));
      }
    }
  }
  return parts.filter((part) => part !== "").join("\n\n");
}

function described(definition: Definition, title: string, { types }: Definitions): string[] {
  const named = [...types.values()]
    .filter(({ name, members }) => members.size > 0 && name !== definition.owner)
    .filter(({ name }) => new RegExp(`\\b${name}\\b`).test(definition.type))
    .map(({ name }) => `[\`${name}\`](#${name.toLowerCase()})`);
  return [
    `### ${title}`,
    `\`\`\`luau\n${signature(definition)}\n\`\`\``,
    definition.documentation,
    named.length > 0 ? `See ${named.join(", ")}.` : "",
  ];
}
