//! Makes sure that enough of the engine's stack is left.
//!
//! WebAssembly cannot query the engine's stack. If the stack overflows inside the instance, frames are discarded in the middle of their
//! work, and the instance must end. So each host call that may come at any depth first calls [`probe_stack`], which holds nothing and may
//! be discarded.

#![expect(clippy::inline_always, reason = "values in another function's frame would take no space in this one")]

use std::ptr;

/// Uses `levels` times eight kilobytes of the stack, and then releases them. `is_filled` must be zero.
///
/// Each value that lives across a call takes space in the function's frame, even if the function never gets there. Nothing in here may use
/// the instance's own stack, because its pointer would not be restored when the engine's stack overflows.
#[unsafe(no_mangle)]
#[inline(never)]
pub(super) extern "C" fn probe_stack(levels: u32, is_filled: u32) -> u32 {
    if is_filled != 0 {
        hold_1024(|| {
            probe_stack(0, 0);
        });
    }
    // The compiler would turn a sum into a loop.
    if levels == 0 { 0 } else { probe_stack(levels - 1, is_filled).rotate_left(1) ^ levels }
}

#[inline(always)]
fn hold_1024(call: impl FnOnce()) {
    hold_256(|| hold_256(|| hold_256(|| hold_256(call))));
}

#[inline(always)]
fn hold_256(call: impl FnOnce()) {
    hold_64(|| hold_64(|| hold_64(|| hold_64(call))));
}

#[inline(always)]
fn hold_64(call: impl FnOnce()) {
    hold_8(|| hold_8(|| hold_8(|| hold_8(|| hold_8(|| hold_8(|| hold_8(|| hold_8(call))))))));
}

/// Holds eight values during a call.
#[inline(always)]
fn hold_8(call: impl FnOnce()) {
    static mut SOURCE: u64 = 0;
    let source = &raw mut SOURCE;
    // SAFETY: nothing else accesses `SOURCE`, and there is one thread. Each volatile value is read and written individually.
    unsafe {
        let values = [(); 8].map(|()| ptr::read_volatile(source));
        call();
        for value in values {
            ptr::write_volatile(source, value);
        }
    }
}
