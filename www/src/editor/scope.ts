import { type Definition, type Definitions, membersOf } from "./definitions.js";
import type { Scan, Token } from "./scan.js";
import { type Frame, isBlock } from "./tokenizer-state.js";
import { functionParts, resultTypes } from "./type-text.js";

/** A variable that a script declares. */
export interface Variable {
  readonly name: string;
  /** The token that declares it. */
  readonly index: number;
  readonly isFunction: boolean;
}

/** The most variables that are followed to find a type; some are defined in terms of themselves. */
const FARTHEST = 12;

/** The types of the values in a list, as far as they are known. */
type Types = readonly (string | undefined)[];

/** The meaning of the names in a script, as far as it is easy to find. The type checker knows more, but answers later. */
export class Scope {
  readonly #scan: Scan;
  readonly #definitions: Definitions;

  constructor(scan: Scan, definitions: Definitions) {
    this.#scan = scan;
    this.#definitions = definitions;
  }

  /** Returns the variables that are visible at a token, by name. */
  variablesAt(index: number): ReadonlyMap<string, Variable> {
    const { tokens } = this.#scan;
    const open = new Set<Frame>();
    for (let frame = tokens[index - 1]?.top; frame !== undefined; frame = frame.outer) {
      open.add(frame);
      for (let head = frame.head; head !== undefined; head = head.head) {
        open.add(head);
      }
    }
    const found = new Map<string, Variable>();
    for (let at = 0; at < index; at++) {
      const token = tokens[at] as Token;
      if (!isVariable(tokens, at)) {
        continue;
      }
      const isFunction = token.style.endsWith("function");
      const scope = this.#scopeOf(at, isFunction);
      if (scope === undefined || open.has(scope)) {
        found.set(token.text, { name: token.text, index: at, isFunction });
      }
    }
    return found;
  }

  /** Returns the member or the global of the VM that a token names; undefined for anything else. */
  definitionAt(index: number): Definition | undefined {
    const { tokens } = this.#scan;
    const name = tokens[index]?.text ?? "";
    const before = tokens[index - 1]?.text;
    if (isAccess(tokens[index - 1])) {
      const type = this.receiverType(index - 1);
      const member = type === undefined ? undefined : membersOf(this.#definitions, type).get(name);
      return before === ":" && member?.kind === "property" ? undefined : member;
    }
    return this.variablesAt(index).has(name) ? undefined : this.#definitions.globals.get(name);
  }

  /** Returns the type of the expression before the dot or the colon at an index. */
  receiverType(dot: number): string | undefined {
    const start = this.#receiverStart(dot);
    return start === undefined ? undefined : this.#chain(start, dot, FARTHEST).types[0];
  }

  /** Returns the type of a variable, in Luau syntax. */
  variableType(variable: Variable): string | undefined {
    return this.#variableType(variable, FARTHEST);
  }

  /** Returns the names of the members that the script itself adds to one of its tables, each with true if it is a function. */
  ownMembers(dot: number): ReadonlyMap<string, boolean> {
    const { tokens, spanOf } = this.#scan;
    const owner = tokens[dot - 1]?.text;
    const found = new Map<string, boolean>();
    if (owner === undefined || isAccess(tokens[dot - 2])) {
      return found;
    }
    for (const [at, token] of tokens.entries()) {
      if (token.text !== owner || isAccess(tokens[at - 1]) || !/^(?:variableName|self)/.test(token.style)) {
        continue;
      }
      const next = tokens[at + 1];
      const member = tokens[at + 2];
      if (isAccess(next) && member?.style.startsWith("propertyName") && at + 1 !== dot) {
        found.set(member.text, found.get(member.text) === true || member.style.includes("function"));
      } else if (next?.text === "=" && member?.text === "{" && member.top !== undefined) {
        const end = spanOf.get(member.top)?.close ?? at;
        for (const key of tokens.slice(at + 3, end)) {
          if (key.style === "propertyName.definition" && key.top === member.top) {
            found.set(key.text, false);
          }
        }
      }
    }
    return found;
  }

  /** Returns the options that a function takes if the token is in a table among the function's arguments. */
  optionsAt(index: number): ReadonlyMap<string, Definition> | undefined {
    const { tokens, spanOf } = this.#scan;
    const table = tokens[index - 1]?.top;
    const open = table?.kind === "{" ? spanOf.get(table)?.open : undefined;
    const call = table?.outer?.kind === "(" ? spanOf.get(table.outer)?.open : undefined;
    if (open === undefined || call === undefined) {
      return undefined;
    }
    const type = this.definitionAt(call - 1)?.type ?? "";
    const commas = tokens.slice(call, open).filter(({ text, top }) => text === "," && top === table?.outer);
    const parameter = functionParts(type)?.parameters[commas.length];
    return parameter === undefined
      ? undefined
      : membersOf(this.#definitions, parameter.replace(/^\w+\s*:/, ""));
  }

  /** Returns the block that a variable belongs to. */
  #scopeOf(index: number, isFunction: boolean): Frame | undefined {
    const { tokens } = this.#scan;
    let frame = tokens[index]?.top;
    if (isFunction) {
      if (tokens[index - 2]?.text !== "local" && tokens[index - 2]?.text !== "const") {
        return undefined;
      }
      frame = frame?.outer;
    }
    while (frame !== undefined && !isBlock(frame) && frame.kind !== "loop") {
      frame = frame.outer;
    }
    return frame;
  }

  #variableType({ name, index, isFunction }: Variable, depth: number): string | undefined {
    const { tokens } = this.#scan;
    if (depth === 0) {
      return undefined;
    }
    if (isFunction) {
      return this.#functionType(index + 1);
    }
    const annotation = this.#annotation(index + 1);
    if (annotation !== undefined || tokens[index]?.top?.kind === "params") {
      return annotation;
    }
    let begin = index;
    while (begin > 0 && !/^(?:local|const|for)$/.test(tokens[begin]?.text ?? "")) {
      begin -= 1;
    }
    let position = 0;
    let at = begin + 1;
    let place = 0;
    for (; at < tokens.length; at++) {
      const token = tokens[at] as Token;
      if (token.text === "=" || token.text === "in") {
        break;
      }
      if (token.text === name && at === index) {
        place = position;
      }
      position += token.style === "variableName.definition" ? 1 : 0;
      if (token.style === "variableName.definition" || token.text === "," || token.top?.kind === "type") {
        continue;
      }
      if (token.style !== "typeName" && !token.top?.kind.startsWith("type")) {
        return undefined;
      }
    }
    if (tokens[begin]?.text !== "for") {
      return this.#list(at + 1, depth - 1)[place];
    }
    return tokens[at]?.text === "=" ? "number" : this.#iterated(this.#list(at + 1, depth - 1)[0])[place];
  }

  /** Returns the types that a `for` loop over a value yields. */
  #iterated(type: string | undefined): Types {
    const iterator = type === undefined ? undefined : membersOf(this.#definitions, type).get("__iter");
    return iterator === undefined ? [] : resultTypes(resultTypes(iterator.type)[0] ?? "");
  }

  /** Returns the type of the function whose parameters, or generic types, begin at a token. */
  #functionType(index: number): string | undefined {
    const { tokens, source } = this.#scan;
    const generics = tokens[index]?.text === "<" ? (this.#closeOf(index) ?? index) + 1 : index;
    const close = this.#closeOf(generics);
    const from = tokens[index]?.from;
    const to = tokens[close ?? -1]?.to;
    if (close === undefined || from === undefined || tokens[generics]?.text !== "(") {
      return undefined;
    }
    return `${source.slice(from, to)} -> ${this.#annotation(close + 1) ?? "...any"}`.replace(/\s+/g, " ");
  }

  /** Returns the type after the colon or the `::` at an index. */
  #annotation(index: number): string | undefined {
    const { tokens, source } = this.#scan;
    const frame = tokens[index]?.top;
    if (!/^::?$/.test(tokens[index]?.text ?? "") || frame?.kind !== "type") {
      return undefined;
    }
    const end = this.#endOfType(index, frame);
    return end === index ? undefined : source.slice(tokens[index + 1]?.from, tokens[end]?.to);
  }

  #endOfType(index: number, frame: Frame): number {
    const { tokens } = this.#scan;
    let end = index;
    while (contains(tokens[end + 1]?.top, frame)) {
      end += 1;
    }
    return end;
  }

  #closeOf(index: number): number | undefined {
    const { tokens, spanOf } = this.#scan;
    const frame = tokens[index]?.top;
    const span = frame === undefined ? undefined : spanOf.get(frame);
    return span?.open === index ? span.close : undefined;
  }

  /** Returns the types of the list of expressions that begins at a token. */
  #list(index: number, depth: number): Types {
    const { tokens } = this.#scan;
    const found: (string | undefined)[] = [];
    for (let at = index; ; ) {
      let { types, next } = this.#chain(at, tokens.length, depth);
      while (/^(?:and|or)$/.test(tokens[next]?.text ?? "")) {
        const isOr = tokens[next]?.text === "or";
        const other = this.#chain(next + 1, tokens.length, depth);
        types = [isOr ? (types[0] ?? other.types[0]) : other.types[0]];
        next = other.next;
      }
      if (tokens[next]?.text === "..") {
        return [...found, "string"];
      }
      if (tokens[next]?.style === "operator") {
        return found;
      }
      if (tokens[next]?.text !== ",") {
        return [...found, ...types];
      }
      found.push(types[0]);
      at = next + 1;
    }
  }

  /** Returns the types of an operand with the members and calls after it, and the index of the next token. */
  #chain(start: number, end: number, depth: number): { types: Types; next: number } {
    const { tokens } = this.#scan;
    let { types, next } = this.#operand(start, depth);
    while (next < end) {
      const token = tokens[next] as Token;
      const type = types[0];
      const member = tokens[next + 1];
      if (isAccess(token) && member?.style.startsWith("propertyName")) {
        types = type === undefined ? [] : [membersOf(this.#definitions, type).get(member.text)?.type];
        next += 2;
      } else if (token.text === "::") {
        const frame = token.top as Frame;
        types = [this.#annotation(next)];
        next = this.#endOfType(next, frame) + 1;
      } else if (token.text === "(" || token.text === "[") {
        types = token.text === "(" && type !== undefined ? resultTypes(type) : [];
        next = (this.#closeOf(next) ?? end) + 1;
      } else if (tokens[next - 1]?.style.endsWith("function") && /^["'`[{]/.test(token.text)) {
        types = type === undefined ? [] : resultTypes(type);
        next = this.#operand(next, 0).next;
      } else {
        break;
      }
    }
    return { types, next };
  }

  #operand(index: number, depth: number): { types: Types; next: number } {
    const { tokens } = this.#scan;
    const token = tokens[index];
    const close = this.#closeOf(index);
    if (token?.style === "string") {
      let next = (close ?? index) + 1;
      while (
        /^(?:string|escape)$/.test(tokens[next]?.style ?? "") &&
        tokens[next]?.from === tokens[next - 1]?.to
      ) {
        next += 1;
      }
      return { types: ["string"], next };
    }
    if (close !== undefined) {
      const types = token?.text === "(" ? this.#chain(index + 1, close, depth).types.slice(0, 1) : [];
      return { types, next: close + 1 };
    }
    const next = index + 1;
    if (token?.style === "number" || token?.style === "bool") {
      return { types: [token.style === "bool" ? "boolean" : "number"], next };
    }
    if (!token?.style.startsWith("variableName")) {
      return { types: [], next };
    }
    // `assert` returns its arguments.
    if (token.text === "assert" && tokens[next]?.text === "(") {
      return { types: this.#list(next + 1, depth), next: (this.#closeOf(next) ?? tokens.length) + 1 };
    }
    const variable = this.variablesAt(index).get(token.text);
    const type =
      variable === undefined
        ? this.#definitions.globals.get(token.text)?.type
        : this.#variableType(variable, depth);
    return { types: [type], next };
  }

  /** Returns the index at which the chain of names and calls before a dot or a colon begins. */
  #receiverStart(dot: number): number | undefined {
    const { tokens, closedAt } = this.#scan;
    for (let at = dot - 1; at >= 0; ) {
      const token = tokens[at] as Token;
      const closed = closedAt.get(at);
      if (closed !== undefined) {
        at = closed.open - (isCallable(tokens[closed.open - 1]) ? 1 : 0);
        if (at === closed.open) {
          return at;
        }
        continue;
      }
      if (/^(?:string|escape)$/.test(token.style)) {
        return at;
      }
      if (!/^(?:variableName|propertyName)/.test(token.style)) {
        return undefined;
      }
      if (!isAccess(tokens[at - 1])) {
        return at;
      }
      at -= 2;
    }
    return undefined;
  }
}

/** Returns true if a token is the dot or the colon before a member. */
export function isAccess(token: Token | undefined): boolean {
  return (
    token?.style === "punctuation" && (token.text === "." || token.text === ":") && token.top?.kind !== "type"
  );
}

/** Returns true if a token can end a called expression. */
function isCallable(token: Token | undefined): boolean {
  return /^(?:variableName|propertyName)/.test(token?.style ?? "") || /^[)\]]$/.test(token?.text ?? "");
}

/** Returns true if a token declares a variable, rather than names one to whose member a function is assigned. */
function isVariable(tokens: readonly Token[], index: number): boolean {
  const { style } = tokens[index] as Token;
  return (
    style === "variableName.definition" ||
    (style === "variableName.definition.function" && !/^[.:]$/.test(tokens[index + 1]?.text ?? ""))
  );
}

function contains(top: Frame | undefined, frame: Frame): boolean {
  for (let inner = top; inner !== undefined; inner = inner.outer) {
    if (inner === frame) {
      return true;
    }
  }
  return false;
}
