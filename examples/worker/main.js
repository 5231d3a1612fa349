import { LuauWorker } from "luau-websocket/worker";

/** @param {string} id */
const element = (id) => /** @type {any} */ (document.getElementById(id));
const [script, runButton, stopButton, output] = ["script", "run", "stop", "output"].map(element);

/** @param {string} line */
const show = (line) => output.append(`${line}\n`);

runButton.onclick = async () => {
  runButton.disabled = true;
  try {
    const luau = await LuauWorker.create({
      print: show,
      warn: show,
      onError: (error) => show(String(error)),
    });
    // A script that never waits hears nothing, not even `luau.stop()`: the worker ends, with all that is in it.
    stopButton.onclick = () => luau.terminate();
    stopButton.disabled = false;
    try {
      await luau.run(script.value);
      // The script may have left something that goes on: threads, timers, sockets.
      await luau.idle();
    } finally {
      luau.dispose();
    }
    show("done");
  } catch (error) {
    show(String(error));
  } finally {
    stopButton.disabled = true;
    runButton.disabled = false;
  }
};
