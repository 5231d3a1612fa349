// The tier of the tests, which `cargo xtask test` sets: the default one for pull requests, or with `--full` the long
// tests too.

export const isFull = process.env.TEST_TIER === "full";
