// The package runs outside of browsers: in Node 20 and newer, Deno, Bun, and workerd, the runtime of Cloudflare
// Workers.
//
// Tier: default.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { build } from "esbuild";
import { root } from "../server/browser.mjs";
import { expect, newProject, npmProgram, packageForTests, run } from "./project.mjs";

/** @type {string} */
let project;

const context = packageForTests((context) => {
  project = newProject(context, "runtimes");
  cpSync(join(root, "node_modules/ws"), join(project, "node_modules/ws"), { recursive: true });
});

// Node 22 and newer have their own WebSocket.
const WITHOUT_WEBSOCKET = "WebSocket" in globalThis ? ["--no-experimental-websocket"] : [];

describe("runtimes", { concurrency: 2 }, () => {
  test(`Node ${process.versions.node}, with the WebSocket of ws`, async () => {
    const args = [...WITHOUT_WEBSOCKET, "main-ws.mjs", context.echo];
    expect(await run(process.execPath, args, { cwd: project }));
  });

  test(`Node ${process.versions.node}, without WebSocket: a script is told what to do`, async () => {
    const output = await run(process.execPath, [...WITHOUT_WEBSOCKET, "main.mjs", context.echo], {
      cwd: project,
    });
    const [reason] = JSON.parse(output).echo;
    assert.match(reason, /\bwebsocket\.WebSocket\b.*\bws\b/);
    expect(output, { echo: [reason] });
  });

  test("a bundle for Node without the file beside it says what to do, and works with what it says", async () => {
    const folder = join(project, "bundled");
    mkdirSync(folder);
    writeFileSync(
      join(project, "bundled.mjs"),
      'import { Luau } from "luau-websocket";\n' +
        "const wasm = process.argv[2];\n" +
        "Luau.create({ wasm }).then(\n" +
        '  (luau) => luau.run("return 1 + 1").then(console.log),\n' +
        "  (error) => console.log(error.message),\n" +
        ");\n",
    );
    for (const [format, file] of /** @type {["esm" | "cjs", string][]} */ ([
      ["esm", "bundled.mjs"],
      ["cjs", "bundled.cjs"],
    ])) {
      const outfile = join(folder, file);
      await build({
        entryPoints: [join(project, "bundled.mjs")],
        outfile,
        format,
        bundle: true,
        platform: "node",
        logLevel: "silent",
      });
      const message = await run(process.execPath, [outfile]);
      assert.match(message, /luau\.wasm.*option wasm.*luau-websocket\/inline/);
      assert.match(message, /serverExternalPackages/);
      assert.doesNotMatch(message, /Invalid URL/);
      const wasm = join(project, "node_modules/luau-websocket/luau.wasm");
      assert.equal(await run(process.execPath, [outfile, wasm]), "[ 2 ]\n");
      // In a folder with the package installed, like the servers of Next.js, it needs nothing.
      assert.equal(await run(process.execPath, [outfile], { cwd: project }), "[ 2 ]\n");
    }
  });

  for (const version of [22, 24]) {
    test(`Node ${version}`, async () => {
      const node = npmProgram(`node${version}/bin/node`, `NODE${version}`);
      assert.match(await run(node, ["--version"]), new RegExp(`^v${version}\\.`));
      expectFailures(await run(node, ["main-failures.mjs", context.echo], { cwd: project }));
      for (const file of ["main.mjs", "main-inline.mjs", "main-thread.mjs"]) {
        expect(await run(node, [file, context.echo], { cwd: project }));
      }
    });
  }

  test("Deno", async () => {
    const args = ["run", "--allow-read", "--allow-net", "--node-modules-dir=manual"];
    const env = { DENO_DIR: join(context.folder, "deno"), DENO_NO_UPDATE_CHECK: "1" };
    const deno = npmProgram("deno/deno", "DENO");
    expectFailures(await run(deno, [...args, "main-failures.mjs", context.echo], { cwd: project, env }));
    for (const file of ["main.mjs", "main-inline.mjs", "main-worker.mjs"]) {
      expect(await run(deno, [...args, file, context.echo], { cwd: project, env }));
    }
  });

  test("Bun", async () => {
    const bun = npmProgram("bun/bin/bun.exe", "BUN");
    expectFailures(await run(bun, ["--no-install", "main-failures.mjs", context.echo], { cwd: project }));
    for (const file of ["main.mjs", "main-inline.mjs", "main-worker.mjs"]) {
      expect(await run(bun, ["--no-install", file, context.echo], { cwd: project }));
    }
  });

  test("workerd", async (test) => {
    // Like wrangler: one script, with the module next to it.
    const folder = join(project, "workerd");
    mkdirSync(folder);
    const { warnings } = await build({
      entryPoints: [join(project, "workerd.mjs")],
      outfile: join(folder, "main.js"),
      bundle: true,
      format: "esm",
      conditions: ["workerd", "worker", "browser"],
      external: ["*.wasm"],
      logLevel: "silent",
    });
    assert.deepEqual(warnings, []);
    cpSync(join(project, "node_modules/luau-websocket/luau.wasm"), join(folder, "luau.wasm"));
    writeFileSync(join(folder, "config.capnp"), WORKERD);

    const child = spawn(
      npmProgram("workerd/bin/workerd", "WORKERD"),
      ["serve", "--control-fd=3", "config.capnp"],
      {
        cwd: folder,
        stdio: ["ignore", "pipe", "pipe", "pipe"],
      },
    );
    /** @type {string[]} */
    const said = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data) => said.push(String(data)));
    }
    const ended = once(child, "exit");
    test.after(async () => {
      child.kill();
      await ended;
    });

    // It reports its port.
    const control = /** @type {import("node:stream").Readable} */ (child.stdio[3]);
    const [line] = await Promise.race([
      once(control, "data"),
      ended.then(() => assert.fail(`workerd ended\n${said.join("")}`)),
    ]);
    const { port } = JSON.parse(String(line));
    const ask = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/?address=${encodeURIComponent(context.echo)}`);
      const text = await response.text();
      assert.equal(response.status, 200, `${text}\n${said.join("")}`);
      expect(text);
    };
    // All requests share an instance, and none may touch anything of another one. A request takes its timers with it.
    // The last request comes when the others' timers would be long overdue.
    await Promise.all([ask(), ask()]);
    await setTimeout(200);
    await ask();
  });
});

/**
 * Compares the failures of the runtime's own WebSocket, as reported to scripts and to the host, with those in the standard.
 *
 * @param {string} outcome as JSON
 */
function expectFailures(outcome) {
  const ways = ["connecting", "close 1006"];
  assert.deepEqual(JSON.parse(outcome), {
    refused: { connected: false, isTimedOut: false, events: ways, sockets: 0 },
    forbidden: { connected: false, isTimedOut: false, events: ways, sockets: 0 },
    reset: { code: 1006, wasClean: false, events: ["connecting", "open", "close 1006"], sockets: 0 },
    closed: {
      code: 4001,
      wasClean: true,
      events: ["connecting", "open", "message", "close 4001"],
      sockets: 0,
    },
  });
}

const WORKERD = `
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [
    (name = "main.js", esModule = embed "main.js"),
    (name = "luau.wasm", wasm = embed "luau.wasm"),
  ],
  compatibilityDate = "2026-10-01",
);
`;
