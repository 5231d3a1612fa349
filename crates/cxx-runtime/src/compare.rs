//! A `memcmp` that compares words. wasi-libc compares bytes, which takes seven times as long for long strings.

/// C's `memcmp`.
///
/// # Safety
/// `one` and `other` must have `count` bytes each.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, count: usize) -> i32 {
    let mut index = 0;
    // SAFETY: The caller's promise. The index stays below `count`.
    unsafe {
        while count - index >= size_of::<u64>() {
            let words =
                (one.add(index).cast::<u64>().read_unaligned(), other.add(index).cast::<u64>().read_unaligned());
            if words.0 != words.1 {
                // The first byte in memory decides, and the target is little-endian.
                return if words.0.swap_bytes() < words.1.swap_bytes() { -1 } else { 1 };
            }
            index += size_of::<u64>();
        }
        while index < count {
            let difference = i32::from(*one.add(index)) - i32::from(*other.add(index));
            if difference != 0 {
                return difference;
            }
            index += 1;
        }
    }
    0
}
