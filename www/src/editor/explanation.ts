import { typeDefinition } from "./completion.js";
import { type Definitions, signature } from "./definitions.js";
import { scan } from "./scan.js";
import { isAccess, Scope } from "./scope.js";

/** The explanation of a name. */
export interface Explanation {
  readonly from: number;
  readonly to: number;
  /** Its declaration; undefined if only the type checker may know it. */
  readonly signature: string | undefined;
  readonly documentation: string;
}

/** Explains the name at an offset; returns undefined if there is none. */
export function explanationAt(
  source: string,
  offset: number,
  definitions: Definitions,
): Explanation | undefined {
  const text = scan(source);
  const { tokens } = text;
  const index = tokens.findIndex(
    ({ to, style }) => to >= offset && /^(?:variable|property|type)Name|^self/.test(style),
  );
  const token = tokens[index];
  if (token === undefined || token.from > offset) {
    return undefined;
  }
  const { from, to } = token;
  const scope = new Scope(text, definitions);
  const definition = token.style.startsWith("typeName")
    ? typeDefinition(definitions, token.text)
    : token.style === "propertyName.definition"
      ? scope.optionsAt(index)?.get(token.text)
      : scope.definitionAt(index);
  if (definition !== undefined) {
    return { from, to, signature: signature(definition), documentation: definition.documentation };
  }
  const isVariable = token.style.startsWith("variableName") && !isAccess(tokens[index - 1]);
  const variable = isVariable ? scope.variablesAt(index + 1).get(token.text) : undefined;
  const type = variable === undefined ? undefined : scope.variableType(variable);
  if (type === undefined || variable === undefined) {
    return { from, to, signature: undefined, documentation: "" };
  }
  const { name, isFunction } = variable;
  const shown = isFunction
    ? signature({ name, kind: "function", owner: undefined, type, documentation: "" })
    : `${name}: ${type}`;
  return { from, to, signature: shown, documentation: "" };
}
