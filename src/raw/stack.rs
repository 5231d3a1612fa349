//! How much of the engine's stack is left.
//!
//! WebAssembly cannot ask. Where the stack ends inside the instance, its frames are cut off amid their work, and the instance has to end.
//! So each call of the host that may come at any depth first calls [`probe_stack`], which holds nothing and may be cut off.

#![expect(clippy::inline_always, reason = "a value that lives in another function's frame takes no place in this one")]

use std::ptr;

/// Uses `levels` times eight kilobytes of the stack, and gives them back. `is_filled` is zero.
///
/// Values that live across a call take a place each in the frame of a function, whether it comes to where they live or not. Nothing in
/// here may take memory of the instance's own stack, whose pointer would stay where it is when the engine's stack ends.
#[unsafe(no_mangle)]
#[inline(never)]
pub(super) extern "C" fn probe_stack(levels: u32, is_filled: u32) -> u32 {
    if is_filled != 0 {
        hold_1024(|| {
            probe_stack(0, 0);
        });
    }
    // A sum would be made a loop.
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
    // SAFETY: nothing else knows the place, and there is one thread. Each value is read and written by itself, as volatile ones are.
    unsafe {
        let values = [(); 8].map(|()| ptr::read_volatile(source));
        call();
        for value in values {
            ptr::write_volatile(source, value);
        }
    }
}
