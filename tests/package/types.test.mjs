// The types of the package are right for all who import it, and its manifest says the truth: strict TypeScript projects
// compile, and the linters for packages find nothing.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { publint } from "publint";
import { newProject, npmProgram, packageForTests, run } from "./project.mjs";

/** @type {string} */
let project;

const context = packageForTests(async (context) => {
  project = await newProject(context, "types");
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

for (const [name, options] of Object.entries({
  "Node's resolution": { module: "nodenext" },
  "a bundler's resolution": { module: "esnext", moduleResolution: "bundler" },
})) {
  test(`TypeScript, with ${name}`, async () => {
    const config = { compilerOptions: { ...OPTIONS, ...options }, files: ["consumer.ts"] };
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
