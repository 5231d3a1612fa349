// The tier of the tests, which `cargo xtask test` sets: what a pull request needs, or with `--full` the long forms too.

export const isFull = process.env.TEST_TIER === "full";
