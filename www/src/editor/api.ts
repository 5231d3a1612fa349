// What scripts find, read out of the definitions that are its documentation too: types/*.d.luau for what is ours, and luau.d.luau
// beside this file for Luau's own library.

import globals from "../../../types/globals.d.luau?raw";
import json from "../../../types/json.d.luau?raw";
import task from "../../../types/task.d.luau?raw";
import websocket from "../../../types/websocket.d.luau?raw";
import standard from "./luau.d.luau?raw";

/** A name, with its type and what is said of it. */
export interface Item {
  readonly name: string;
  readonly kind: "function" | "method" | "property" | "library" | "type";
  readonly signature: string;
  readonly documentation: string;
  /** The name of its type, where that has members of its own. */
  readonly type: string | undefined;
}

/** All there is. */
export interface Api {
  readonly globals: ReadonlyMap<string, Item>;
  /** The members of the types, by the names of the types. */
  readonly types: ReadonlyMap<string, ReadonlyMap<string, Item>>;
}

const DECLARED = /^declare (?:function )?([A-Za-z_]\w*)(.*)$/;
const TYPE = /^(?:export type|declare extern type) (\w+)/;
const MEMBER = /^\t(?:function )?([A-Za-z_]\w*)(.*)$/;
const COMMENT = /^\t?--- ?(.*)$/;

/** Reads definitions; what is between them, such as an alias in one line, is left out. */
export function readDefinitions(sources: readonly string[]): Api {
  const globals = new Map<string, Item>();
  const types = new Map<string, Map<string, Item>>();
  for (const source of sources) {
    let comment: string[] = [];
    let members: Map<string, Item> | undefined;
    for (const line of source.split("\n")) {
      const text = COMMENT.exec(line)?.[1];
      if (text !== undefined) {
        comment.push(text);
        continue;
      }
      const documentation = comment.join("\n").trim();
      comment = [];
      const type = TYPE.exec(line)?.[1];
      const declared = DECLARED.exec(line);
      const member = MEMBER.exec(line);
      if (type !== undefined) {
        members = new Map();
        types.set(type, members);
      } else if (declared !== null) {
        const item = itemOf(declared, documentation, line.startsWith("declare function"), false);
        globals.set(item.name, item);
      } else if (member !== null && members !== undefined && member[1] !== "__iter") {
        const item = itemOf(member, documentation, line.startsWith("\tfunction"), true);
        members.set(item.name, item);
      }
    }
  }
  return { globals, types };
}

function itemOf(match: RegExpExecArray, documentation: string, isFunction: boolean, isMember: boolean): Item {
  const name = match[1] ?? "";
  const rest = (match[2] ?? "").replace(/[,;]$/, "");
  const type = /^: (\w+)/.exec(rest)?.[1];
  const isCallable = isFunction || /^: (?:<[^>]*>)?\(.*->/.test(rest);
  const isMethod = isMember && isCallable && /^(?:: (?:<[^>]*>)?)?\(self\b/.test(rest);
  const kind = isMethod ? "method" : isCallable ? "function" : isMember ? "property" : "library";
  return { name, kind, signature: `${name}${rest}`, documentation, type: isCallable ? undefined : type };
}

export const API: Api = readDefinitions([standard, globals, json, task, websocket]);

/** The names that are there in every script. */
export const GLOBAL_NAMES: ReadonlySet<string> = new Set(API.globals.keys());
