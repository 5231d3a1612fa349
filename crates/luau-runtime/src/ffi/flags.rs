//! Flags and limits of Luau that this crate sets.
//!
//! Luau releases fixes behind flags that are off at first. `luau-fixes.toml` in `crates/xtask` says which of them matter here.

use std::ffi::c_int;

use mlua::prelude::*;

/// The flags that turn on fixes.
const FLAGS: [&str; 5] = [
    "LuauSandboxFreezesVectorMetatable",
    "LuauTableArrayAdjustCheck",
    "LuauTableArrayShrinkOrder",
    "LuauTableMoveTimeoutFix",
    "LuauTableRobustOom",
];

// Each is a struct that begins with the value. mlua can only set boolean flags.
#[cfg(not(target_env = "msvc"))]
unsafe extern "C" {
    #[link_name = "_ZN4FInt18LuauRecursionLimitE"]
    static mut RECURSION_LIMIT: c_int;
    #[link_name = "_ZN4FInt22LuauCompileInlineDepthE"]
    static mut INLINE_DEPTH: c_int;
}

/// The maximum depth of nested constructs that the parser accepts, instead of Luau's 1,000. Each takes up to 700 bytes of the engine's
/// stack, and a worker in Chromium has a stack of about half a megabyte.
const MAX_NESTING: c_int = 400;

/// The maximum depth of inlining, for hosts that ask for level 2. It is Luau's default.
const MAX_INLINE_DEPTH: c_int = 5;

/// Sets the flags. Must be called before a VM is created.
///
/// # Errors
/// If Luau no longer knows one of them.
pub fn set_flags() -> LuaResult<()> {
    for flag in FLAGS {
        Lua::set_fflag(flag, true).map_err(|()| LuaError::runtime(format!("Luau no longer has the flag {flag}")))?;
    }
    Ok(())
}

/// Sets the compiler's limits for a chunk. At a `level` below 2 nothing is inlined, not even in functions with the attribute `@native`, for
/// which the compiler raises the level: a few lines that inline each other may become millions of instructions.
pub(super) fn limit_compiler(level: u8) {
    #[cfg(not(target_env = "msvc"))]
    // SAFETY: only the parser and the compiler read them, and no other thread runs.
    unsafe {
        RECURSION_LIMIT = MAX_NESTING;
        INLINE_DEPTH = if level < 2 { 0 } else { MAX_INLINE_DEPTH };
    }
    #[cfg(target_env = "msvc")]
    let _ = (level, MAX_NESTING, MAX_INLINE_DEPTH);
}
