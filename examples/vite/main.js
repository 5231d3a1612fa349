/// <reference types="vite/client" />

import { Luau } from "luau-websocket";
import chat from "./chat.luau?raw";

/** @param {string} id */
const element = (id) => /** @type {any} */ (document.getElementById(id));
const [script, runButton, form, output] = ["script", "run", "chat", "output"].map(element);

/** @param {string} line */
const show = (line) => output.append(`${line}\n`);

/** The function that the script gave to `onSubmit`. @type {((message: string) => Promise<unknown[]>) | undefined} */
let send;

script.value = chat;
const luau = await Luau.create({
  globals: {
    onSubmit: (/** @type {typeof send} */ handler) => {
      send = handler;
    },
  },
  print: show,
  warn: show,
  onError: (error) => show(error.traceback),
});
runButton.disabled = false;

runButton.onclick = async () => {
  // What ran before goes, and its connection with it.
  luau.stop();
  send = undefined;
  try {
    await luau.run(script.value, { chunkName: "chat" });
  } catch (error) {
    show(String(error));
  }
};

form.onsubmit = async (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  // A function of the script is a function here, which returns a promise.
  if (send !== undefined) {
    await send(form.elements.message.value);
    form.reset();
  }
};
