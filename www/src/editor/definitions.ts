import globals from "../../../types/globals.d.luau?raw";
import json from "../../../types/json.d.luau?raw";
import task from "../../../types/task.d.luau?raw";
import websocket from "../../../types/websocket.d.luau?raw";
import standard from "./standard.d.luau?raw";
import { bare, functionParts, splitAt, splitList } from "./type-text.js";

/** Something that a script can name. */
export interface Definition {
  readonly name: string;
  readonly kind: "function" | "method" | "property" | "library" | "variable" | "type";
  /** The library or type that it belongs to, for display. */
  readonly owner: string | undefined;
  /** Its type, in Luau syntax. */
  readonly type: string;
  readonly documentation: string;
}

/** A type with a name. */
export interface NamedType {
  readonly name: string;
  /** The names of its type parameters, such as `T...`. */
  readonly parameters: readonly string[];
  readonly members: ReadonlyMap<string, Definition>;
  readonly documentation: string;
}

/** The globals and types that every script can use. */
export interface Definitions {
  readonly globals: ReadonlyMap<string, Definition>;
  readonly types: ReadonlyMap<string, NamedType>;
}

/** Returns the definitions for the scripts of the playground: Luau's libraries and our own. */
export function allDefinitions(): Definitions {
  return parseDefinitions([standard, globals, task, json, websocket]);
}

interface Piece {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** Its line number. */
  readonly line: number;
}

/** Reads definition files. A later definition replaces an earlier one. */
export function parseDefinitions(sources: readonly string[]): Definitions {
  const found = { globals: new Map<string, Definition>(), types: new Map<string, NamedType>() };
  for (const source of sources) {
    new Parser(source, found.globals, found.types).parse();
  }
  // If a library has two names, the first one wins.
  for (const library of [...found.globals.values()].reverse()) {
    const type = found.types.get(library.type);
    if (library.kind === "variable" && type !== undefined && type.members.size > 0) {
      found.globals.set(library.name, { ...library, kind: "library" });
      const members = [...type.members.values()].map((member) => ({ ...member, owner: library.name }));
      found.types.set(type.name, {
        ...type,
        members: new Map(members.map((member) => [member.name, member])),
      });
    }
  }
  return found;
}

/** Reads the syntax of definition files: `declare` and `type`, tables, and `extern type`. */
class Parser {
  readonly #source: string;
  readonly #pieces: readonly Piece[];
  readonly #globals: Map<string, Definition>;
  readonly #types: Map<string, NamedType>;
  #at = 0;
  /** The documentation of the file. */
  #header: string | undefined;

  constructor(source: string, globals: Map<string, Definition>, types: Map<string, NamedType>) {
    this.#source = source;
    this.#pieces = piecesOf(source);
    this.#globals = globals;
    this.#types = types;
  }

  parse(): void {
    let documentation = "";
    for (;;) {
      const piece = this.#next();
      switch (piece?.text) {
        case undefined:
          return;
        case "export":
          continue;
        case "type":
          this.#type(documentation);
          break;
        case "declare":
          this.#declaration(documentation);
          break;
        default:
          documentation = piece?.text.startsWith("--") ? this.#documentation(piece) : "";
          continue;
      }
      documentation = "";
    }
  }

  #peek(): Piece | undefined {
    return this.#pieces[this.#at];
  }

  #next(): Piece | undefined {
    return this.#pieces[this.#at++];
  }

  #take(text: string): boolean {
    const isNext = this.#peek()?.text === text;
    this.#at += isNext ? 1 : 0;
    return isNext;
  }

  /**
   * Reads a block of comments, and returns it if a declaration follows on the next line. A block before an empty line
   * documents the file.
   */
  #documentation(first: Piece): string {
    const lines = [first.text];
    let last = first;
    for (;;) {
      const piece = this.#peek();
      const isNear = piece?.line === last.line + 1;
      if (piece === undefined || !isNear || !piece.text.startsWith("--")) {
        const text = lines
          .filter((line) => line.startsWith("---"))
          .map((line) => line.replace(/^--- ?/, ""))
          .join("\n");
        this.#header ??= isNear ? "" : text;
        return isNear ? text : "";
      }
      lines.push(piece.text);
      last = piece;
      this.#at += 1;
    }
  }

  #type(documentation: string): void {
    const name = this.#next()?.text ?? "";
    const parameters: string[] = [];
    if (this.#take("<")) {
      let parameter = "";
      for (let piece = this.#next(); piece !== undefined && piece.text !== ">"; piece = this.#next()) {
        if (piece.text === ",") {
          parameters.push(parameter);
          parameter = "";
        } else {
          parameter += piece.text;
        }
      }
      parameters.push(parameter);
    }
    this.#take("=");
    const members = this.#peek()?.text === "{" ? this.#table(name) : new Map<string, Definition>();
    if (members.size === 0) {
      this.#typeText(false);
    }
    this.#types.set(name, { name, parameters, members, documentation });
  }

  #declaration(documentation: string): void {
    if (this.#take("function")) {
      const name = this.#next()?.text ?? "";
      const type = this.#functionType();
      this.#globals.set(name, { name, kind: "function", owner: undefined, type, documentation });
    } else if (this.#take("extern")) {
      this.#take("type");
      const name = this.#next()?.text ?? "";
      this.#take("with");
      this.#types.set(name, { name, parameters: [], members: this.#fields(name, "end"), documentation });
    } else {
      const name = this.#next()?.text ?? "";
      this.#take(":");
      let type: string;
      if (this.#peek()?.text === "{") {
        type = `typeof(${name})`;
        this.#types.set(type, { name: type, parameters: [], members: this.#table(type), documentation });
      } else {
        type = this.#typeText(false);
      }
      const about = documentation || (this.#header ?? "");
      this.#globals.set(name, { name, kind: "variable", owner: undefined, type, documentation: about });
    }
  }

  #table(owner: string): Map<string, Definition> {
    this.#take("{");
    return this.#fields(owner, "}");
  }

  /** Reads the members of a table or of an `extern type`, including its end. */
  #fields(owner: string, end: string): Map<string, Definition> {
    const members = new Map<string, Definition>();
    let documentation = "";
    for (let piece = this.#next(); piece !== undefined && piece.text !== end; piece = this.#next()) {
      if (piece.text.startsWith("--")) {
        documentation = this.#documentation(piece);
        continue;
      }
      if (piece.text === "[") {
        this.#typeText(false);
        this.#take("]");
        this.#take(":");
        this.#typeText(end === "}");
        continue;
      }
      if (!/^[A-Za-z_]\w*$/.test(piece.text)) {
        continue;
      }
      let name = piece.text;
      let type: string;
      if (end === "end" && name === "function") {
        name = this.#next()?.text ?? "";
        type = this.#functionType();
      } else {
        this.#take(":");
        type = this.#typeText(end === "}");
      }
      const parts = functionParts(type);
      const isMethod = parts !== undefined && /^self\b/.test(parts.parameters[0] ?? "");
      const kind = parts === undefined ? "property" : isMethod ? "method" : "function";
      members.set(name, { name, kind, owner, type, documentation });
      documentation = "";
    }
    return members;
  }

  /** Reads a declared function and returns its type: `(a: A): B` becomes `(a: A) -> B`. */
  #functionType(): string {
    const from = this.#peek()?.from ?? 0;
    let depth = 0;
    let piece: Piece | undefined;
    do {
      piece = this.#next();
      depth += "(<".includes(piece?.text ?? "-") ? 1 : ")>".includes(piece?.text ?? "-") ? -1 : 0;
    } while (piece !== undefined && (depth > 0 || piece.text !== ")"));
    const parameters = this.#source.slice(from, piece?.to);
    const results = this.#take(":") ? this.#typeText(false) : "()";
    return `${parameters} -> ${results}`;
  }

  /** Reads a type up to its end: a comma, a closing bracket of its surroundings, or the end of the line. */
  #typeText(isInTable: boolean): string {
    const from = this.#peek()?.from ?? 0;
    let line = this.#peek()?.line ?? 0;
    let depth = 0;
    let to = from;
    for (let piece = this.#peek(); piece !== undefined; piece = this.#peek()) {
      const { text } = piece;
      const isCloser = ")]}>".includes(text);
      if (depth === 0 && to > from) {
        if (isCloser || (isInTable && text === ",") || (piece.line > line && !/^(?:[|&]|->)/.test(text))) {
          break;
        }
      }
      depth += "([{<".includes(text) ? 1 : isCloser ? -1 : 0;
      ({ to, line } = piece);
      this.#at += 1;
    }
    return this.#source.slice(from, to).replace(/\s+/g, " ");
  }
}

function piecesOf(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const [line, text] of source.split("\n").entries()) {
    for (const match of text.matchAll(/--.*|"[^"]*"|[A-Za-z_]\w*|\.\.\.|->|[^\s\w]|\d+/g)) {
      pieces.push({ text: match[0], from: at + match.index, to: at + match.index + match[0].length, line });
    }
    at += text.length + 1;
  }
  return pieces;
}

/** Returns the members of a value of a type. For a union, these are the members of the first type that has any. */
export function membersOf({ types, globals }: Definitions, type: string): ReadonlyMap<string, Definition> {
  for (const part of splitAt(bare(type), /^\|/)) {
    const alternative = bare(part);
    const [, name = "", list = ""] = /^([A-Za-z_]\w*)\s*(?:<(.*)>)?$/s.exec(alternative) ?? [];
    const named = types.get(types.has(alternative) ? alternative : name);
    if (named !== undefined && named.members.size > 0) {
      return withTypes(named, splitList(list));
    }
    // Strings have the functions of the library as methods.
    if (alternative === "string" || /^".*"$/.test(alternative)) {
      return asMethods(types.get(globals.get("string")?.type ?? "")?.members ?? new Map());
    }
  }
  return new Map();
}

/** Returns the members of a type with type arguments substituted for its parameter. */
function withTypes(
  { parameters, members }: NamedType,
  given: readonly string[],
): ReadonlyMap<string, Definition> {
  const [parameter, ...others] = parameters;
  if (parameter === undefined || others.length > 0 || given.length === 0) {
    return members;
  }
  const isPack = parameter.endsWith("...");
  const put = (type: string): string => {
    if (!isPack) {
      return type.replace(new RegExp(`\\b${parameter}\\b`, "g"), given.join());
    }
    const name = parameter.replace("...", "\\.\\.\\.");
    const list = given.join(", ");
    return type
      .replace(new RegExp(`<${name}>`, "g"), `<${list}>`)
      .replace(new RegExp(`-> ${name}`, "g"), given.length === 1 ? `-> ${list}` : `-> (${list})`)
      .replace(new RegExp(`\\b${name}`, "g"), list);
  };
  return new Map([...members].map(([name, member]) => [name, { ...member, type: put(member.type) }]));
}

function asMethods(members: ReadonlyMap<string, Definition>): ReadonlyMap<string, Definition> {
  const methods = new Map<string, Definition>();
  for (const [name, member] of members) {
    const parts = functionParts(member.type);
    if (/^\w+: string$/.test(parts?.parameters[0] ?? "")) {
      methods.set(name, { ...member, kind: "method" });
    }
  }
  return methods;
}

/** Returns the declaration of a definition in one line of Luau. */
export function signature({ name, kind, owner, type }: Definition): string {
  const parts = kind === "property" ? undefined : functionParts(type);
  const path = owner === undefined ? name : `${owner}${kind === "method" ? ":" : "."}${name}`;
  if (parts === undefined) {
    return kind === "library" || kind === "type" || type === "" ? path : `${path}: ${type}`;
  }
  const parameters = kind === "method" ? parts.parameters.slice(1) : parts.parameters;
  return `function ${path}${parts.generics}(${parameters.join(", ")}): ${parts.results}`;
}
