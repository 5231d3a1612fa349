//! Memory, clocks and static constructors work as C and C++ code expects.

#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may panic")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "every block calls C functions as C allows")]
#![allow(clippy::cast_precision_loss, reason = "seconds since 1970 will be exact for a long time")]

use std::hint::black_box;
use std::ptr;

use wasm_bindgen_test::wasm_bindgen_test;

unsafe extern "C-unwind" {
    fn probe_constructor_runs() -> i32;
    fn probe_throw(number: i32);
    fn probe_catch(callback: extern "C-unwind" fn(i32), number: i32) -> i32;
}

unsafe extern "C" {
    fn malloc(size: usize) -> *mut u8;
    fn calloc(count: usize, size: usize) -> *mut u8;
    fn realloc(address: *mut u8, size: usize) -> *mut u8;
    fn free(address: *mut u8);
    fn aligned_alloc(align: usize, size: usize) -> *mut u8;
    fn posix_memalign(out: *mut *mut u8, align: usize, size: usize) -> i32;
    fn malloc_usable_size(address: *mut u8) -> usize;
    fn memcmp(one: *const u8, other: *const u8, count: usize) -> i32;
    fn exp(number: f64) -> f64;
    fn clock() -> i64;
    fn time(out: *mut i64) -> i64;
    fn getentropy(out: *mut u8, len: usize) -> i32;
}

#[wasm_bindgen_test]
fn memory_is_aligned_keeps_its_contents_and_can_be_freed() {
    unsafe {
        let first = malloc(10);
        assert_eq!(first as usize % 16, 0);
        assert!(malloc_usable_size(first) >= 10);
        ptr::write_bytes(first, 0xAB, 10);
        let grown = realloc(first, 100_000);
        assert_eq!(std::slice::from_raw_parts(grown, 10), [0xAB; 10]);
        free(grown);
        free(ptr::null_mut());

        let zeroed = calloc(1_000, 8);
        assert!(std::slice::from_raw_parts(zeroed, 8_000).iter().all(|&byte| byte == 0));
        free(zeroed);

        for align in [1, 16, 64, 4_096] {
            let aligned = aligned_alloc(align, 100);
            assert_eq!(aligned as usize % align, 0);
            ptr::write_bytes(aligned, 1, 100);
            free(aligned);
        }
        let mut out = ptr::null_mut();
        assert_eq!(posix_memalign(&raw mut out, 256, 1), 0);
        assert_eq!(out as usize % 256, 0);
        free(out);
        assert_ne!(posix_memalign(&raw mut out, 3, 1), 0);
    }
}

#[wasm_bindgen_test]
fn impossible_sizes_return_null_instead_of_trapping() {
    unsafe {
        // The optimizer knows these functions by name, and assumes success if their result is only compared.
        assert!(black_box(malloc(usize::MAX)).is_null());
        assert!(black_box(malloc(usize::MAX - 8)).is_null());
        assert!(black_box(calloc(usize::MAX / 2, 4)).is_null());
        let kept = malloc(1);
        assert!(black_box(realloc(kept, usize::MAX)).is_null());
        free(kept);
    }
}

#[wasm_bindgen_test]
fn freed_memory_is_reused() {
    const MEBIBYTE: usize = 1 << 20;
    const PAGES_PER_MEBIBYTE: usize = MEBIBYTE / 65_536;
    let before = std::arch::wasm32::memory_size(0);
    for _ in 0..1_000 {
        // `free` reads the size from the block's header, even if `realloc` has returned another block.
        unsafe {
            let block = black_box(malloc(MEBIBYTE));
            free(black_box(realloc(block, MEBIBYTE + 1)));
        }
    }
    let grown = std::arch::wasm32::memory_size(0) - before;
    assert!(grown <= 4 * PAGES_PER_MEBIBYTE, "{grown} pages");
}

#[wasm_bindgen_test]
fn memcmp_compares_by_the_first_byte_that_differs() {
    let compare = |one: &[u8], other: &[u8]| unsafe { memcmp(one.as_ptr(), other.as_ptr(), one.len()) }.signum();
    for length in 0..40 {
        let one = vec![0x7F; length];
        assert_eq!(compare(&one, &one.clone()), 0);
        for index in 0..length {
            let mut other = one.clone();
            // The bytes after it would give the opposite result. Bytes are unsigned.
            other[index..].fill(0);
            other[index] = 0x80;
            assert_eq!((compare(&one, &other), compare(&other, &one)), (-1, 1), "{index} of {length}");
        }
    }
}

#[wasm_bindgen_test]
fn clocks_agree_with_those_of_the_host() {
    let date = js_sys::Date::now() / 1_000.0;
    unsafe {
        assert!((time(ptr::null_mut()) as f64 - date).abs() <= 1.0);
        let before = clock();
        while clock() == before {}
        assert!(clock() > before);
    }
}

#[wasm_bindgen_test]
fn random_bytes_are_not_all_equal() {
    let mut bytes = [0_u8; 200];
    assert_eq!(unsafe { getentropy(bytes.as_mut_ptr(), bytes.len()) }, 0);
    assert!(bytes.iter().any(|&byte| byte != bytes[0]));
}

#[wasm_bindgen_test]
fn math_functions_come_from_the_c_library() {
    // compiler_builtins, the alternative, differs in the last bit.
    assert_eq!(unsafe { exp(1.0) }.to_bits(), std::f64::consts::E.to_bits());
}

#[wasm_bindgen_test]
fn static_constructors_run_once_however_often_init_is_called() {
    cxx_runtime::init();
    cxx_runtime::init();
    assert_eq!(unsafe { probe_constructor_runs() }, 1);
}

#[wasm_bindgen_test]
fn a_cpp_exception_passes_through_rust_frames_and_is_caught_by_its_type() {
    extern "C-unwind" fn thrower(number: i32) {
        unsafe { probe_throw(number) }
    }
    extern "C-unwind" fn returner(_: i32) {}
    for number in [1, 22, 333] {
        let length = "number ".len() + number.to_string().len();
        assert_eq!(unsafe { probe_catch(thrower, number) }, i32::try_from(length).unwrap());
        assert_eq!(unsafe { probe_catch(returner, number) }, 0);
    }
}
