// The types of the package are right for all who import it, and its manifest says the truth: strict TypeScript projects
// compile, and the linters for packages find nothing.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { publint } from "publint";
import { root } from "../server/browser.mjs";
import { newProject, npmProgram, packageForTests, run } from "./project.mjs";

/** @type {string} */
let project;

const context = packageForTests(async (context) => {
  project = await newProject(context, "types");
  for (const types of ["@types/node", "@types/ws", "undici-types"]) {
    mkdirSync(join(project, "node_modules/@types"), { recursive: true });
    cpSync(join(root, "node_modules", types), join(project, "node_modules", types), { recursive: true });
  }
});

/** The options of a project, besides how it finds modules: as strict as can be, and nothing of Node. */
const OPTIONS = {
  target: "es2022",
  lib: ["es2022", "dom"],
  types: [],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  noEmit: true,
  // The types of the package are checked too.
  skipLibCheck: false,
};

/** @types/node does not agree with itself when all is as strict as can be. */
const NODE = { module: "nodenext", lib: ["es2022"], types: ["node"], exactOptionalPropertyTypes: false };

for (const [name, file, options] of /** @type {[string, string, object][]} */ ([
  ["Node's resolution", "consumer.ts", { module: "nodenext" }],
  ["a bundler's resolution", "consumer.ts", { module: "esnext", moduleResolution: "bundler" }],
  ["the types of Node and not of the DOM", "consumer-node.ts", NODE],
])) {
  test(`TypeScript, with ${name}`, async () => {
    const config = { compilerOptions: { ...OPTIONS, ...options }, files: [file] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    await run(process.execPath, [npmProgram("typescript/bin/tsc"), "--pretty", "false"], { cwd: project });
  });
}

test("publint finds nothing", async () => {
  const tarball = Uint8Array.from(readFileSync(context.tarball)).buffer;
  const { messages } = await publint({ strict: true, pack: { tarball } });
  assert.deepEqual(messages, []);
});

test("Are the types wrong? No", async () => {
  const attw = npmProgram("@arethetypeswrong/cli/dist/index.js");
  // The package is ESM only, which CommonJS can require since Node 20.19.
  await run(process.execPath, [attw, "--profile", "esm-only", "--format", "ascii", context.tarball]);
});
