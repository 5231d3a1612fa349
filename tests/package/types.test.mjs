// The types and the manifest of the package are correct: strict TypeScript projects that import it compile, and the
// linters for packages find nothing.
//
// Tier: default.

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { publint } from "publint";
import { root } from "../server/browser.mjs";
import { newProject, npmProgram, packageForTests, run } from "./project.mjs";

/** @type {string} */
let project;

const context = packageForTests((context) => {
  project = newProject(context, "types");
  for (const types of ["@types/node", "@types/ws", "undici-types"]) {
    mkdirSync(join(project, "node_modules/@types"), { recursive: true });
    cpSync(join(root, "node_modules", types), join(project, "node_modules", types), { recursive: true });
  }
});

/** The options of a project besides module resolution: as strict as possible, and without Node's types. */
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

/** @types/node is inconsistent under the strictest options. */
const NODE = { module: "nodenext", lib: ["es2022"], types: ["node"], exactOptionalPropertyTypes: false };

describe("types", { concurrency: 2 }, () => {
  for (const [key, name, file, options] of /** @type {[string, string, string, object][]} */ ([
    ["nodenext", "Node's resolution", "consumer.ts", { module: "nodenext" }],
    ["bundler", "a bundler's resolution", "consumer.ts", { module: "esnext", moduleResolution: "bundler" }],
    ["node", "the types of Node and not of the DOM", "consumer-node.ts", NODE],
  ])) {
    test(`TypeScript, with ${name}`, async () => {
      const config = { compilerOptions: { ...OPTIONS, ...options }, files: [file] };
      const configFile = `tsconfig-${key}.json`;
      writeFileSync(join(project, configFile), JSON.stringify(config));
      const tsc = npmProgram("typescript/bin/tsc");
      await run(process.execPath, [tsc, "--pretty", "false", "--project", configFile], { cwd: project });
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
});
