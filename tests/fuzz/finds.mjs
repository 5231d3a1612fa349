// Programs that revealed faults when fuzzing, with the faults.

/** @type {Record<string, import("./program.mjs").Program>} */
export const FINDS = {
  "a library function calls the host after `dispose`": {
    seed: 18_807_023,
    options: { memoryLimit: 1_048_576 },
    steps: [{ do: "run", lines: ["try(table.foreach, { 'a', 'b' }, host.dispose)"] }],
  },
  "`stop` ends the instance when the memory is used up": {
    seed: 19_403_565,
    options: { timeLimit: 100, optimize: 0, memoryLimit: 4_194_304 },
    steps: [
      {
        do: "run",
        lines: [
          "while true do task.spawn(function() V[6] = try(host.call, (function(self) return self end), coroutine.create(pcall)) end) end",
        ],
      },
      { do: "set", name: "host", value: "wide" },
    ],
  },
};
