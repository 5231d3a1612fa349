// The socket inspector shows what happens on every connection of the script, and lets a person take part.

import assert from "node:assert/strict";
import { test } from "node:test";
import { run, siteForTests, status } from "./site.mjs";

const context = siteForTests();

const sockets = () => context.page.locator("#sockets");
const frames = () => sockets().getByRole("listbox", { name: "Frames" }).getByRole("option");
/** @param {string | RegExp} text */
const logged = (text) => context.page.getByRole("log").getByText(text).first().waitFor();

/** @param {string} script */
async function connected(script) {
  const { page, port } = context;
  await run(page, script.replaceAll("ECHO", `ws://127.0.0.1:${port}/echo`));
  await page.locator("#sockets-tab").click();
  await sockets().getByRole("row", { name: /Open/ }).first().waitFor();
}

test("before there are connections it says what will be seen", async () => {
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
  const content = sockets().getByRole("region", { name: "Content of the frame" });
  assert.match(await content.innerText(), /\{\s+"a": 1\s+\}/);
  await sockets().getByRole("combobox", { name: "Shown as" }).selectOption("Hex");
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

test("messages are sent by hand, as text and as bytes, and wrong ones are refused", async () => {
  const message = sockets().getByRole("textbox", { name: "Message to send by hand" });
  const send = sockets().getByRole("button", { name: "Send", exact: true });
  await message.fill("by hand");
  await send.click();
  await frames().filter({ hasText: "by hand" }).nth(1).waitFor();
  await sockets().getByRole("combobox", { name: "Kind of message" }).selectOption("Hex");
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

test("while it is paused the timeline stands still, and nothing is lost", async () => {
  const before = await frames().count();
  await sockets().getByRole("button", { name: "Pause" }).click();
  await sockets().getByRole("combobox", { name: "Kind of message" }).selectOption("Text");
  await sockets().getByRole("textbox", { name: "Message to send by hand" }).fill("paused");
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

test("a connection is closed by hand, with its code, and the script learns of it", async () => {
  await sockets().getByRole("button", { name: "Close connection" }).click();
  await sockets()
    .getByRole("row", { name: /Closed[\s\S]*1000/ })
    .waitFor();
  await context.page.locator("#output-tab").click();
  await logged(/closed\s+1000/);
});

test("the age of a connection grows while it is open, and frames tell when they came", async () => {
  const { page } = context;
  await connected(
    `local ws = websocket.connect("ECHO")
     ws.OnMessage:Connect(print)
     task.wait(1.2)
     ws:Send("late")
     task.wait(60)`,
  );
  const age = sockets().locator("td.age");
  await age.getByText(/^[12]\.\d s$/).waitFor();
  const frame = frames().filter({ hasText: /received.*late/s });
  const time = Number.parseFloat((await frame.locator(".time").innerText()).trim());
  assert(time >= 1.2 && time < 5, `${time} s`);
  await page.locator("#stop").click();
  await status(page, "Stopped");
});

test("code and reason of a close are told, and those of a connection that was never open", async () => {
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

test("a closed connection takes nothing by hand, also when it ended before it was looked at", async () => {
  const { page, port } = context;
  await page.locator("#output-tab").click();
  await run(page, `websocket.connect("ws://127.0.0.1:${port}/echo"):Close()`);
  await status(page, "Finished");
  await page.locator("#sockets-tab").click();
  const send = sockets().getByRole("button", { name: "Send", exact: true });
  assert.equal(await send.getAttribute("aria-disabled"), "true");
  await sockets().getByRole("textbox", { name: "Message to send by hand" }).press("Enter");
  await sockets().getByText("The connection is not open.").waitFor();
});

test("the timeline is cleared, and goes on", async () => {
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
  await sockets().getByRole("textbox", { name: "Message to send by hand" }).fill("after");
  await sockets().getByRole("button", { name: "Send", exact: true }).click();
  await frames().filter({ hasText: "after" }).nth(1).waitFor();
  assert.equal(await sockets().getByRole("button", { name: "↓ Latest" }).isVisible(), false);
  await page.locator("#stop").click();
  await status(page, "Stopped");
});

test("the newest connection is shown as long as nobody has looked into one", async () => {
  const { page } = context;
  await connected(
    `for i = 1, 2 do task.spawn(function() websocket.connect("ECHO?first=" .. i).OnMessage:Wait() end) end
     task.wait(2)
     for i = 1, 2 do task.spawn(function() websocket.connect("ECHO?then=" .. i).OnMessage:Wait() end) end`,
  );
  const title = sockets().getByRole("region", { name: "Timeline" }).getByRole("heading");
  await title.filter({ hasText: "first=2" }).waitFor();
  await title.filter({ hasText: "then=2" }).waitFor();
  await sockets()
    .getByRole("row", { name: /first=1/ })
    .click();
  await title.filter({ hasText: "first=1" }).waitFor();
  await page.locator("#stop").click();
  await status(page, "Stopped");
});

test("many connections have a row each, and what was open when the script was stopped is shown as gone", async () => {
  await connected(
    `for index = 1, 20 do task.spawn(function() websocket.connect("ECHO").OnMessage:Wait() end) end`,
  );
  await sockets().getByRole("row", { name: /Open/ }).nth(19).waitFor();
  await context.page.locator("#stop").click();
  await status(context.page, "Stopped");
  await sockets().getByRole("row", { name: /Open/ }).first().waitFor({ state: "detached" });
  assert.equal(await sockets().getByRole("row").count(), 21);
});

test("nothing of all this made the browser complain", () => {
  assert.deepEqual(context.complaints, []);
});
