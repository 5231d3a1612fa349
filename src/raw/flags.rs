//! Luau's flags and limits that this crate sets.
//!
//! Luau releases fixes behind flags that are off at first. `luau-fixes.toml` in `crates/xtask` says which of them matter here.

use std::ffi::c_int;

use mlua::prelude::*;

/// Flags of fixes.
const FLAGS: [&str; 5] = [
    "LuauSandboxFreezesVectorMetatable",
    "LuauTableArrayAdjustCheck",
    "LuauTableArrayShrinkOrder",
    "LuauTableMoveTimeoutFix",
    "LuauTableRobustOom",
];

// Each is a structure that begins with the value. mlua only sets flags that are true or false.
#[cfg(not(target_env = "msvc"))]
unsafe extern "C" {
    #[link_name = "_ZN4FInt18LuauRecursionLimitE"]
    static mut RECURSION_LIMIT: c_int;
    #[link_name = "_ZN4FInt22LuauCompileInlineDepthE"]
    static mut INLINE_DEPTH: c_int;
}

/// The number of nested constructs that the parser accepts, in place of Luau's 1,000. Each takes up to 700 bytes of the engine's stack,
/// and the stack of a worker in Chromium has about half a megabyte.
const MAX_NESTING: c_int = 400;

/// Luau's own depth of inlining, for hosts that ask for level 2.
const MAX_INLINED: c_int = 5;

/// Sets the flags. To be called before a VM is made.
///
/// # Errors
/// If Luau does not know one of them any more.
pub(crate) fn set_flags() -> LuaResult<()> {
    for flag in FLAGS {
        Lua::set_fflag(flag, true).map_err(|()| LuaError::runtime(format!("Luau has no flag {flag} any more")))?;
    }
    Ok(())
}

/// Sets the limits of the compiler for a chunk. At a `level` below 2 nothing is inlined, even in functions with the attribute `@native`,
/// for which the compiler raises the level: a few lines that inline each other may become millions of instructions.
pub(super) fn limit_compiler(level: u8) {
    #[cfg(not(target_env = "msvc"))]
    // SAFETY: only the parser and the compiler read them, and nothing runs beside this.
    unsafe {
        RECURSION_LIMIT = MAX_NESTING;
        INLINE_DEPTH = if level < 2 { 0 } else { MAX_INLINED };
    }
    #[cfg(target_env = "msvc")]
    let _ = (level, MAX_NESTING, MAX_INLINED);
}
