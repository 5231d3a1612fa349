// The reference of what pages and programs see, from the declarations of the package.

import { fileURLToPath } from "node:url";
import { API, SymbolFlags } from "typescript/unstable/sync";

/** @typedef {import("typescript/unstable/sync").Checker} Checker */
/** @typedef {import("typescript/unstable/sync").Symbol} TypeScriptSymbol */

const project = fileURLToPath(new URL("tsconfig.json", import.meta.url));
const declarations = fileURLToPath(new URL("../../pkg/", import.meta.url));

/** The modules whose exports are told of; what an earlier one has is not told again. */
const MODULES = [
  { file: "index.d.ts", title: "luau-websocket", text: "The entry for pages, Node, Deno, Bun and workerd." },
  { file: "worker.d.ts", title: "luau-websocket/worker", text: "The same over a worker of its own." },
  { file: "serve.d.ts", title: "luau-websocket/serve", text: "A worker thread of your own." },
];

const INTRODUCTION = `What a page or a program sees. This page is made from the declarations in the package.

Other entries: \`luau-websocket/inline\` exports the same as \`luau-websocket\`, and has the WebAssembly module inside;
\`luau-websocket/worker-thread\` is what the worker of \`LuauWorker\` runs, for bundlers that have to be told; \`luau-websocket/luau.wasm\`
is the module.`;

/** The reference as Markdown. */
export function typescriptReference() {
  const api = new API();
  try {
    const { program, checker } = projectOf(api);
    /** @type {Set<string>} */
    const told = new Set();
    const parts = [INTRODUCTION];
    for (const { file, title, text } of MODULES) {
      const source = program.getSourceFile(`${declarations}${file}`);
      const module = source && checker.getSymbolAtLocation(source);
      if (module === undefined) {
        throw new Error(`pkg/${file} is missing: make the package with \`cargo xtask build\``);
      }
      parts.push(`## ${title}`, text);
      const exported = checker.getExportsOfModule(module).filter(({ name }) => !told.has(name));
      for (const symbol of inOrder(exported.map((symbol) => withoutAlias(checker, symbol)))) {
        told.add(symbol.name);
        parts.push(...described(checker, symbol));
      }
    }
    return linked(parts.filter((part) => part !== "").join("\n\n"), told);
  } finally {
    api.close();
  }
}

/** @param {API} api */
function projectOf(api) {
  const found = api.updateSnapshot({ openProject: project }).getProject(project);
  if (found === undefined) {
    throw new Error(`${project} cannot be read`);
  }
  return found;
}

/** @param {Checker} checker @param {TypeScriptSymbol} symbol */
function withoutAlias(checker, symbol) {
  return symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/**
 * Classes first: the others are there for them.
 *
 * @param {readonly TypeScriptSymbol[]} symbols
 */
function inOrder(symbols) {
  const isClass = (/** @type {TypeScriptSymbol} */ { flags }) => Boolean(flags & SymbolFlags.Class);
  const isMain = ({ name = "" }) => /^Luau(?:Worker)?$/.test(name);
  return [...symbols].sort(
    (a, b) =>
      Number(isMain(b)) - Number(isMain(a)) ||
      Number(isClass(b)) - Number(isClass(a)) ||
      a.name.localeCompare(b.name),
  );
}

/**
 * A class, an interface or an alias, with its members.
 *
 * @param {Checker} checker
 * @param {TypeScriptSymbol} symbol
 */
function described(checker, symbol) {
  const parts = [`### ${symbol.name}`];
  if (symbol.flags & SymbolFlags.TypeAlias) {
    parts.push(code(textOf(symbol)));
  }
  parts.push(documentationOf(checker, toldOfIn(checker, symbol)));
  if (symbol.flags & (SymbolFlags.Class | SymbolFlags.Interface)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    for (const member of [...symbol.getExports().values(), ...checker.getPropertiesOfType(type)]) {
      // What is inherited from JavaScript's own classes is documented elsewhere.
      const text = isOurs(member) ? textOf(member) : "";
      if (text !== "" && !text.startsWith("#")) {
        const name = /^(?:(?:static|readonly|get) )*(\[[\w.]+\]|\w+)/.exec(text)?.[1] ?? member.name;
        const owner = name.startsWith("[") ? symbol.name : `${symbol.name}.`;
        parts.push(`#### ${owner}${name}`, code(text), documentationOf(checker, member));
      }
    }
  }
  return parts;
}

/** @param {TypeScriptSymbol} symbol */
function isOurs(symbol) {
  return symbol.declarations[0]?.path.toLowerCase().startsWith(declarations.toLowerCase()) ?? false;
}

/**
 * Where a symbol is told of: the class of each entry refers to the one that all of them have in common, which is not exported.
 *
 * @param {Checker} checker
 * @param {TypeScriptSymbol} symbol
 */
function toldOfIn(checker, symbol) {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const bases = type.isClassOrInterface() ? checker.getBaseTypes(type) : [];
  const [base] = bases.flatMap((base) => base.getSymbol() ?? []).filter(isOurs);
  return base !== undefined && checker.getDocumentationCommentOfSymbol(symbol).includes(base.name)
    ? base
    : symbol;
}

/** @param {TypeScriptSymbol} symbol */
function textOf(symbol) {
  return symbol.declarations[0]?.resolve()?.getText() ?? "";
}

/** @param {string} text */
function code(text) {
  return `\`\`\`ts\n${text.replace(/^export (?:declare )?/, "")}\n\`\`\``;
}

/**
 * What its comment says, with the tags as sentences.
 *
 * @param {Checker} checker
 * @param {TypeScriptSymbol} symbol
 */
function documentationOf(checker, symbol) {
  const tags = checker.getJsDocTagsOfSymbol(symbol).map(({ name, text = "" }) => {
    const content = String(text).replaceAll("\n", " ");
    switch (name) {
      case "param":
        return `- ${content.replace(/^\w+/, "`$&`:")}`;
      case "returns":
        return `- Returns ${content}`;
      case "throws":
        return `- Throws ${content}`;
      default:
        throw new Error(`the comment of ${symbol.name} has a tag that the reference does not know: @${name}`);
    }
  });
  return [checker.getDocumentationCommentOfSymbol(symbol), tags.join("\n")].filter(Boolean).join("\n\n");
}

/**
 * With links in the place of `{@link Name}`.
 *
 * @param {string} markdown
 * @param {ReadonlySet<string>} names
 */
function linked(markdown, names) {
  return markdown.replace(/\{@link (\w+)\}/g, (_, name) =>
    names.has(name) ? `[\`${name}\`](#${name.toLowerCase()})` : `\`${name}\``,
  );
}
