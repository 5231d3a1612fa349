//! Luau's allocator, which refuses where mlua's would abort.
//!
//! mlua's allocator keeps to a limit, but if the heap has no memory, it aborts, which ends the instance. This one returns null, so that
//! Luau raises "not enough memory" in the script. It keeps the account of mlua's, in the place where mlua looks for it.

use std::alloc::{self, Layout};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use mlua::ffi;
use mlua::prelude::*;

use super::guard::look_soon;
use super::memory::is_script_running;
use crate::error::NOT_ENOUGH_MEMORY;

/// The number of allocations that were refused, in all VMs. It wraps.
static REFUSALS: AtomicU32 = AtomicU32::new(0);

/// The size of the largest block so far, in bytes, in all VMs.
static LARGEST_BLOCK: AtomicUsize = AtomicUsize::new(0);

/// The size of a block that takes about as long to fill as a look at the clock, in bytes.
const LARGE: usize = 32 * 1024;

/// mlua's account of a VM's memory, in bytes. It must look as in mlua.
#[repr(C)]
struct Account {
    used: isize,
    /// Zero for no limit.
    limit: isize,
    ignores_limit: bool,
    /// True if the last allocation was refused. mlua's error handler allocates nothing then.
    was_refused: bool,
}

/// The maximum distance from the allocator to the callbacks in Luau's global state, in words. It is about 300 in Luau 0.740.
const MAX_DISTANCE: usize = 2_048;

/// Replaces the allocator of a VM.
///
/// # Errors
/// If Luau or mlua keeps it elsewhere than the versions this was written for, or another allocator is in its place.
pub(super) fn install(lua: &Lua) -> LuaResult<()> {
    let mut is_installed = false;
    {
        let is_installed = &mut is_installed;
        // SAFETY: the stack is not used. Luau has no function that sets the allocator, but its global state holds the pair that
        // `lua_getallocf` returns, at a lower address than the callbacks, and all words between them belong to it. Both allocators
        // use Rust's, with the same layouts, so either frees what the other allocated.
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
    if is_installed { Ok(()) } else { Err(LuaError::runtime("Luau does not keep its allocator where it did")) }
}

/// Returns the size of the largest block so far, in bytes; zero if there was no large one.
pub(super) fn largest_block() -> usize {
    LARGEST_BLOCK.load(Relaxed)
}

/// Returns the number of refusals so far, to be compared with a later one.
pub(super) fn refusals() -> u32 {
    REFUSALS.load(Relaxed)
}

/// Counts a refusal, and returns its message. Errors with this message are of kind `memory` only if it was counted.
pub(crate) fn refuse_memory() -> &'static str {
    REFUSALS.fetch_add(1, Relaxed);
    NOT_ENOUGH_MEMORY
}

/// # Safety
/// As Luau promises of a `lua_Alloc`: `account` is what it was given with it, and `block` is null or a live block of `old_size` bytes.
unsafe extern "C" fn allocate(account: *mut c_void, block: *mut c_void, old_size: usize, size: usize) -> *mut c_void {
    // SAFETY: mlua made the account, and frees it after the VM.
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
    if size >= LARGE {
        LARGEST_BLOCK.fetch_max(size, Relaxed);
        look_soon();
    }
    let allocated = account.allows(old_size, size).then(|| {
        // SAFETY: the size is at most `isize::MAX`, less the alignment; the caller's promise for the rest.
        unsafe {
            if block.is_null() {
                memory_for(layout(size))
            } else {
                more_memory_for(block.cast(), layout(old_size), size)
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
        let longest = isize::MAX.cast_unsigned() - ffi::SYS_MIN_ALIGN;
        let Some(more) = size.checked_sub(old_size).filter(|_| size <= longest) else { return size <= longest };
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
unsafe fn memory_for(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { if is_script_running() { super::heap::script_alloc(layout) } else { alloc::alloc(layout) } }
}

/// # Safety
/// As for [`alloc::realloc`].
unsafe fn more_memory_for(block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe {
        if is_script_running() {
            super::heap::script_realloc(block, layout, size)
        } else {
            alloc::realloc(block, layout, size)
        }
    }
}
