//! An allocator for Luau that fails where mlua's would abort.
//!
//! mlua's allocator respects a limit, but it aborts if the heap has no memory, which ends the instance. This one returns null, so Luau
//! raises "not enough memory" in the script. It updates mlua's account, in the place where mlua looks for it.

use std::alloc::{self, Layout};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use mlua::ffi;
use mlua::prelude::*;

use super::clock_schedule::note_block;
use super::running_script::is_script_running;
use crate::error::NOT_ENOUGH_MEMORY;

/// The number of allocations that were refused, in all VMs. It wraps.
static REFUSALS: AtomicU32 = AtomicU32::new(0);

/// mlua's account of a VM's memory, in bytes. The layout must be the same as in mlua.
#[repr(C)]
pub(super) struct Account {
    /// May also count memory that Rust holds for the script; see [`Charge`](super::charge::Charge).
    pub(super) used: isize,
    /// Zero for no limit.
    limit: isize,
    ignores_limit: bool,
    /// True if the last allocation was refused. In that case mlua's error handler allocates nothing.
    was_refused: bool,
}

/// The maximum distance from the allocator to the callbacks in Luau's global state, in words. It is about 300 in Luau 0.740.
const MAX_DISTANCE: usize = 2_048;

/// Replaces the allocator of a VM.
///
/// # Errors
/// If Luau or mlua stores the allocator elsewhere than in the versions this was written for, or another allocator is installed.
pub(super) fn install(lua: &Lua) -> LuaResult<()> {
    let mut is_installed = false;
    {
        let is_installed = &mut is_installed;
        // SAFETY: the stack is not used. Luau has no function that sets the allocator. But its global state holds the pair that
        // `lua_getallocf` returns, at a lower address than the callbacks, and all words in between belong to the global state. Both
        // allocators use Rust's with the same layouts, so either can free what the other allocated.
        unsafe {
            lua.exec_raw::<()>((), move |state| {
                let mut account = ptr::null_mut();
                let function = ffi::lua_getallocf(state, &raw mut account) as usize;
                let callbacks = ffi::lua_callbacks(state).cast::<usize>();
                let is_pair = |place: &*mut usize| place.read() == function && place.add(1).read() == account as usize;
                let place = (2..MAX_DISTANCE).map(|distance| callbacks.sub(distance)).find(is_pair);
                if let Some(place) = place {
                    place.write(allocate as *const () as usize);
                    *is_installed =
                        ffi::lua_getallocf(state, ptr::null_mut()) as usize == allocate as *const () as usize;
                }
            })?;
        }
    }
    if is_installed { Ok(()) } else { Err(LuaError::runtime("Luau no longer stores its allocator where it used to")) }
}

/// Returns the number of refusals so far, for comparison with a later number.
pub(super) fn refusals() -> u32 {
    REFUSALS.load(Relaxed)
}

/// Counts a refusal and returns its message. An error with this message is of kind `memory` only if the refusal was counted.
pub fn refuse_memory() -> &'static str {
    REFUSALS.fetch_add(1, Relaxed);
    NOT_ENOUGH_MEMORY
}

/// Counts a refusal and returns its error.
#[must_use]
pub fn refusal() -> LuaError {
    LuaError::MemoryError(refuse_memory().to_owned())
}

/// # Safety
/// As Luau promises for a `lua_Alloc`: `account` is the pointer registered with it, and `block` is null or a live block of `old_size`
/// bytes.
unsafe extern "C" fn allocate(account: *mut c_void, block: *mut c_void, old_size: usize, size: usize) -> *mut c_void {
    // SAFETY: mlua created the account, and frees it after the VM.
    let account = unsafe { &mut *account.cast::<Account>() };
    account.was_refused = false;
    let old_size = if block.is_null() { 0 } else { old_size };
    if size == 0 {
        if !block.is_null() {
            // SAFETY: the caller's promise.
            unsafe { alloc::dealloc(block.cast(), layout(old_size)) };
            account.used -= old_size.cast_signed();
        }
        return ptr::null_mut();
    }
    note_block(size);
    let allocated = account.allows(old_size, size).then(|| {
        // SAFETY: the size is at most `isize::MAX` minus the alignment. The rest is the caller's promise.
        unsafe {
            if block.is_null() {
                allocate_block(layout(size))
            } else {
                reallocate_block(block.cast(), layout(old_size), size)
            }
        }
    });
    match allocated {
        Some(allocated) if !allocated.is_null() => {
            account.used += size.cast_signed() - old_size.cast_signed();
            allocated.cast()
        }
        _ => {
            account.was_refused = true;
            refuse_memory();
            ptr::null_mut()
        }
    }
}

impl Account {
    fn allows(&self, old_size: usize, size: usize) -> bool {
        let max_size = isize::MAX.cast_unsigned() - ffi::SYS_MIN_ALIGN;
        let Some(more) = size.checked_sub(old_size).filter(|_| size <= max_size) else { return size <= max_size };
        let used = self.used.saturating_add(more.cast_signed());
        more == 0 || self.limit <= 0 || used <= self.limit || self.ignores_limit
    }
}

fn layout(size: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and `Account::allows` bounds the size.
    unsafe { Layout::from_size_align_unchecked(size, ffi::SYS_MIN_ALIGN) }
}

/// # Safety
/// As for [`alloc::alloc`].
unsafe fn allocate_block(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { if is_script_running() { super::heap::script_alloc(layout) } else { alloc::alloc(layout) } }
}

/// # Safety
/// As for [`alloc::realloc`].
unsafe fn reallocate_block(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        if is_script_running() {
            super::heap::script_realloc(block, layout, size)
        } else {
            alloc::realloc(block, layout, size)
        }
    }
}
