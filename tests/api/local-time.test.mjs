// `os.date` returns local time unless its format begins with `!`, and `os.time` expects UTC.
//
// Tier: default.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Luau } from "../../pkg/node.js";

const zone = process.env.TZ;
after(() => {
  if (zone === undefined) {
    delete process.env.TZ;
  } else {
    process.env.TZ = zone;
  }
});

/**
 * @param {string} name a time zone
 * @param {string} source
 */
async function runIn(name, source) {
  // Node rereads the variable when a program sets it.
  process.env.TZ = name;
  const luau = await Luau.create();
  try {
    return await luau.run(source);
  } finally {
    luau.dispose();
  }
}

const FORMAT = "%Y-%m-%d %H:%M:%S %z %Z";

for (const [name, time, expected, isDst] of /** @type {[string, string, string, boolean][]} */ ([
  ["Europe/Berlin", "2024-03-31T00:59:59Z", "2024-03-31 01:59:59 +0100 CET", false],
  ["Europe/Berlin", "2024-03-31T01:00:00Z", "2024-03-31 03:00:00 +0200 CEST", true],
  ["Europe/Berlin", "2024-10-27T00:59:59Z", "2024-10-27 02:59:59 +0200 CEST", true],
  ["Europe/Berlin", "2024-10-27T01:00:00Z", "2024-10-27 02:00:00 +0100 CET", false],
  ["America/New_York", "2024-12-31T23:30:00Z", "2024-12-31 18:30:00 -0500 EST", false],
  ["America/New_York", "2024-07-01T03:00:00Z", "2024-06-30 23:00:00 -0400 EDT", true],
  ["Europe/London", "2024-07-01T12:00:00Z", "2024-07-01 13:00:00 +0100 BST", true],
  ["Australia/Sydney", "2024-01-01T00:00:00Z", "2024-01-01 11:00:00 +1100 AEDT", true],
  ["Australia/Sydney", "2024-07-01T00:00:00Z", "2024-07-01 10:00:00 +1000 AEST", false],
  ["Asia/Kolkata", "2024-01-01T00:00:00Z", "2024-01-01 05:30:00 +0530 IST", false],
  ["Asia/Kathmandu", "2024-01-01T00:00:00Z", "2024-01-01 05:45:00 +0545 +0545", false],
  ["America/St_Johns", "2024-01-01T00:00:00Z", "2023-12-31 20:30:00 -0330 -0330", false],
  ["UTC", "2024-02-29T12:34:56Z", "2024-02-29 12:34:56 +0000 UTC", false],
])) {
  test(`${time} in ${name}`, async () => {
    const seconds = Date.parse(time) / 1000;
    const [text, actualIsDst, utc] = await runIn(
      name,
      `local time = ${seconds}
       return os.date("${FORMAT}", time), os.date("*t", time).isdst, os.date("!%Y-%m-%dT%H:%M:%SZ", time)`,
    );
    assert.deepEqual([text, actualIsDst, utc], [expected, isDst, time]);
  });
}

test("*t returns the local date, and !*t returns the UTC date, which os.time converts back", async () => {
  const time = Date.parse("2024-12-31T23:30:15Z") / 1000;
  const [local, utc, back] = await runIn(
    "Asia/Tokyo",
    `return os.date("*t", ${time}), os.date("!*t", ${time}), os.time(os.date("!*t", ${time}))`,
  );
  const common = { min: 30, sec: 15, isdst: false };
  assert.deepEqual(local, { ...common, year: 2025, month: 1, day: 1, hour: 8, wday: 4, yday: 1 });
  assert.deepEqual(utc, { ...common, year: 2024, month: 12, day: 31, hour: 23, wday: 3, yday: 366 });
  assert.equal(back, time);
});

test("the default time is now, and the default format is that of the C locale", async () => {
  const [hour, text, all] = await runIn("Asia/Tokyo", "return os.date('*t').hour, os.date(), os.date('%c')");
  assert(Math.abs(Number(hour) - new Date().getHours()) % 23 <= 1);
  assert.match(String(text), /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/);
  assert.equal(String(text).length, String(all).length);
});

test("a double percent sign is a literal one, and invalid directives are errors", async () => {
  const [text, last, early, ...errors] = await runIn(
    "Asia/Tokyo",
    `local _, wrong = pcall(os.date, "%Q")
     local _, noNumber = pcall(os.date, "%H", {})
     return os.date("%%z %%%z%", 0), os.date("%", 0), os.date("%H", -1), wrong, noNumber`,
  );
  assert.deepEqual([text, last, early], ["%z %+0900%", "%", undefined]);
  assert.deepEqual(errors, [
    "invalid argument #1 to 'date' (invalid conversion specifier)",
    "invalid argument #2 to 'date' (number expected, got table)",
  ]);
});
