// The socket inspector shows the events of every connection of the script, and lets the user take part.
//
// Tier: default.

import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { run, siteForTests, status, stop } from "./site.mjs";

const context = siteForTests();

const sockets = () => context.page.locator("#sockets");
const frames = () => sockets().getByRole("listbox", { name: "Entries" }).getByRole("option");
/** @param {string | RegExp} text */
const logged = (text) => context.page.getByRole("log").getByText(text).first().waitFor();

/** @param {string} script */
async function connected(script) {
  const { page, port } = context;
  await run(page, script.replaceAll("ECHO", `ws://127.0.0.1:${port}/echo`));
  await page.locator("#sockets-tab").click();
  await sockets().getByRole("row", { name: /Open/ }).first().waitFor();
}

test("before the first connection it says what will appear", async () => {
  await context.page.locator("#sockets-tab").click();
  await sockets().getByRole("heading", { name: "No connections yet" }).waitFor();
});

test("each connection has a row with its state, messages and bytes, and a timeline", async () => {
  await connected(
    `local ws = websocket.connect("ECHO")
     ws.OnMessage:Connect(function(message) print("got", message) end)
     ws.OnClose:Connect(function(code, reason) print("closed", code, reason) end)
     ws:Send('{"a":1}')
     ws:Send(buffer.fromstring("bytes"))`,
  );
  await frames().nth(4).waitFor();
  await sockets()
    .getByRole("row", { name: /Open.*\/echo.*2.*12 B.*2.*12 B/s })
    .waitFor();
  const texts = await frames().allInnerTexts();
  assert.match(texts.join("\n"), /Open after[\s\S]*7 B[\s\S]*\{"a":1\}[\s\S]*5 B[\s\S]*62 79 74 65 73/);
  await context.page.locator("#sockets-tab", { hasText: "Sockets (1)" }).waitFor();
});

test("a frame opens, as JSON or in hex", async () => {
  await frames().filter({ hasText: '{"a":1}' }).first().click();
  const content = sockets().getByRole("region", { name: "Message content" });
  assert.match(await content.innerText(), /\{\s+"a": 1\s+\}/);
  await sockets().getByRole("combobox", { name: "Format" }).selectOption("Hex");
  assert.match(await content.innerText(), /7b 22 61 22/i);
});

test("frames are filtered by text and direction", async () => {
  await sockets().getByRole("searchbox").fill("62 79");
  await frames().filter({ hasText: '{"a":1}' }).first().waitFor({ state: "detached" });
  await sockets().getByRole("searchbox").fill("");
  await sockets().getByRole("combobox", { name: "Direction" }).selectOption({ index: 1 });
  await frames().filter({ hasText: "received" }).first().waitFor({ state: "detached" });
  await sockets().getByRole("combobox", { name: "Direction" }).selectOption({ index: 0 });
  await frames().nth(4).waitFor();
});

test("the user can send text and bytes, and invalid input is refused", async () => {
  const message = sockets().getByRole("textbox", { name: "Message to send" });
  const send = sockets().getByRole("button", { name: "Send", exact: true });
  await message.fill("by hand");
  await send.click();
  await frames().filter({ hasText: "by hand" }).nth(1).waitFor();
  await sockets().getByRole("combobox", { name: "Message type" }).selectOption("Hex");
  await message.fill("0g");
  await send.click();
  await sockets()
    .getByText(/hex|0-9|digits/i)
    .last()
    .waitFor();
  await message.fill("ff 00 7f");
  await send.click();
  await frames().filter({ hasText: "ff 00 7f" }).nth(1).waitFor();
  await context.page.locator("#output-tab").click();
  await logged(/got\s+by hand/);
  await context.page.locator("#sockets-tab").click();
});

test("a paused timeline stands still and loses nothing", async () => {
  const before = await frames().count();
  await sockets().getByRole("button", { name: "Pause" }).click();
  await sockets().getByRole("combobox", { name: "Message type" }).selectOption("Text");
  await sockets().getByRole("textbox", { name: "Message to send" }).fill("paused");
  await sockets().getByRole("button", { name: "Send", exact: true }).click();
  await context.page.locator("#output-tab").click();
  await logged(/got\s+paused/);
  await context.page.locator("#sockets-tab").click();
  assert.equal(await frames().count(), before);
  await sockets()
    .getByRole("button", { name: /Resume|Go on|Paused|Pause/ })
    .first()
    .click();
  await frames().filter({ hasText: "paused" }).nth(1).waitFor();
});

test("the user can close a connection, and the script gets the code", async () => {
  await sockets().getByRole("button", { name: "Close connection" }).click();
  await sockets()
    .getByRole("row", { name: /Closed[\s\S]*1000/ })
    .waitFor();
  await context.page.locator("#output-tab").click();
  await logged(/closed\s+1000/);
});

test("the age of a connection grows while it is open, and messages show when they arrived", async () => {
  const { page } = context;
  const start = performance.now();
  await connected(
    `local ws = websocket.connect("ECHO")
     ws.OnMessage:Connect(print)
     task.wait(0.5)
     ws:Send("late")
     task.wait(60)`,
  );
  const seconds = async (/** @type {import("playwright-core").Locator} */ locator) =>
    Number.parseFloat((await locator.innerText()).trim());
  const age = await seconds(sockets().locator("td.age"));
  await page.waitForFunction(
    (age) => Number.parseFloat(document.querySelector("#sockets td.age")?.textContent ?? "") > age,
    age,
  );
  const frame = frames().filter({ hasText: /received.*late/s });
  const time = await seconds(frame.locator(".time"));
  assert(time >= 0.5 && time < (performance.now() - start) / 1_000, `${time} s`);
  await stop(page);
});

test("the code and reason of a close are shown, and those of a failed connection", async () => {
  const { page, port } = context;
  await run(
    page,
    `websocket.connect("ws://127.0.0.1:${port}/burst?count=1&close=4001&reason=because").OnClose:Wait()
     print(websocket.connect("ws://127.0.0.1:${port}/forbidden"))`,
  );
  await status(page, "Finished");
  await sockets()
    .getByRole("row", { name: /Closed.*burst.*4001 Private use: because/s })
    .waitFor();
  await sockets()
    .getByRole("row", { name: /Failed.*forbidden.*1006 Abnormal closure/s })
    .waitFor();
});

test("nothing can be sent on a closed connection, even if it ended before anyone looked at it", async () => {
  const { page, port } = context;
  await page.locator("#output-tab").click();
  await run(page, `websocket.connect("ws://127.0.0.1:${port}/echo"):Close()`);
  await status(page, "Finished");
  await page.locator("#sockets-tab").click();
  const send = sockets().getByRole("button", { name: "Send", exact: true });
  assert.equal(await send.getAttribute("aria-disabled"), "true");
  await sockets().getByRole("textbox", { name: "Message to send" }).press("Enter");
  await sockets().getByText("The connection is not open.").waitFor();
});

test("a cleared timeline continues with the next message", async () => {
  const { page } = context;
  await connected(
    `local ws = websocket.connect("ECHO")
     ws.OnMessage:Connect(print)
     for i = 1, 5 do ws:Send("number " .. i) end
     task.wait(60)`,
  );
  await frames().filter({ hasText: "number 5" }).nth(1).waitFor();
  await sockets().getByRole("button", { name: "Clear" }).click();
  await frames().first().waitFor({ state: "hidden" });
  await sockets().getByRole("textbox", { name: "Message to send" }).fill("after");
  await sockets().getByRole("button", { name: "Send", exact: true }).click();
  await frames().filter({ hasText: "after" }).nth(1).waitFor();
  assert.equal(await sockets().getByRole("button", { name: "↓ Latest" }).isVisible(), false);
  await stop(page);
});

test("the newest connection is shown until the user selects one", async () => {
  const { page, port } = context;
  await connected(
    `local room = websocket.connect("ws://127.0.0.1:${port}/chat")
     room:Send('{"type":"join","room":"newest","name":"script"}')
     room:Receive()
     local function open(name)
       task.spawn(function() websocket.connect("ECHO?name=" .. name).OnMessage:Wait() end)
     end
     open("first") open("second")
     room:Receive()
     open("third") open("fourth")`,
  );
  const title = sockets().getByRole("region", { name: "Timeline" }).getByRole("heading");
  await title.filter({ hasText: "name=second" }).waitFor();
  // The script opens the others when somebody else enters the room.
  const visitor = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  visitor.on("open", () => visitor.send('{"type":"join","room":"newest","name":"test"}'));
  await title.filter({ hasText: "name=fourth" }).waitFor();
  visitor.close();
  await sockets()
    .getByRole("row", { name: /name=first/ })
    .click();
  await title.filter({ hasText: "name=first" }).waitFor();
  await stop(page);
});

test("each of many connections has a row, and Stop shows all of them as closed", async () => {
  await connected(
    `for index = 1, 20 do task.spawn(function() websocket.connect("ECHO").OnMessage:Wait() end) end`,
  );
  await sockets().getByRole("row", { name: /Open/ }).nth(19).waitFor();
  await stop(context.page);
  await sockets().getByRole("row", { name: /Open/ }).first().waitFor({ state: "detached" });
  assert.equal(await sockets().getByRole("row").count(), 21);
});

test("the browser reports no problems", () => {
  assert.deepEqual(context.complaints, []);
});
