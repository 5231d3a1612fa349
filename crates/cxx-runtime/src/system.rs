//! The system calls that wasi-libc makes, answered by the page.
//!
//! wasi-libc calls each under the name `__imported_wasi_snapshot_preview1_…`; a definition here takes the place of the
//! import. Names, parameters and error numbers are those of WASI preview 1 (`wasi_snapshot_preview1.witx`). Calls that
//! are not here are not needed by Luau; should some code need another, the check in [`crate::imports`] names it.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

/// The error numbers of WASI that are used here.
#[derive(Clone, Copy)]
#[repr(i32)]
enum Errno {
    Success = 0,
    BadFile = 8,
    Invalid = 28,
    NoSys = 52,
    NotSeekable = 70,
}

/// `clockid` of WASI.
mod clock_id {
    pub(super) const REALTIME: i32 = 0;
    pub(super) const MONOTONIC: i32 = 1;
}

/// `filetype` of WASI.
const CHARACTER_DEVICE: u8 = 2;

const STDOUT: i32 = 1;
const STDERR: i32 = 2;

#[wasm_bindgen]
extern "C" {
    /// High Resolution Time, section 7: milliseconds since the time origin of the page, worker or process.
    #[wasm_bindgen(js_namespace = performance, js_name = now, catch)]
    fn performance_now() -> Result<f64, JsValue>;

    /// Web Cryptography, section 10.1: fills at most 65,536 bytes.
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(into: &js_sys::Uint8Array) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = console, js_name = log, catch)]
    fn console_log(line: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = console, js_name = error, catch)]
    fn console_error(line: &str) -> Result<(), JsValue>;
}

const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

fn monotonic_nanoseconds() -> u64 {
    // A host without `performance` still has a date, and a clock that may jump beats none.
    nanoseconds(performance_now().unwrap_or_else(|_| js_sys::Date::now()))
}

fn realtime_nanoseconds() -> u64 {
    nanoseconds(js_sys::Date::now())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is out of range becomes its end")]
fn nanoseconds(milliseconds: f64) -> u64 {
    (milliseconds * NANOSECONDS_PER_MILLISECOND) as u64
}

/// C's `clock`, in units of `CLOCKS_PER_SEC`, a thousand millionth of a second in wasi-libc.
///
/// A page does not tell how much processor time it used, so this is the time that passed.
#[unsafe(no_mangle)]
extern "C" fn clock() -> i64 {
    monotonic_nanoseconds().cast_signed()
}

/// # Safety
/// `out` may be written, as wasi-libc promises.
#[unsafe(no_mangle)]
unsafe extern "C" fn __imported_wasi_snapshot_preview1_clock_time_get(id: i32, _precision: u64, out: *mut u64) -> i32 {
    let time = match id {
        clock_id::REALTIME => realtime_nanoseconds(),
        clock_id::MONOTONIC => monotonic_nanoseconds(),
        _ => return Errno::NoSys as i32,
    };
    // SAFETY: the caller's promise.
    unsafe { out.write(time) };
    Errno::Success as i32
}

/// # Safety
/// `out` points to `len` bytes that may be written, as wasi-libc promises.
#[unsafe(no_mangle)]
unsafe extern "C" fn __imported_wasi_snapshot_preview1_random_get(out: *mut u8, len: usize) -> i32 {
    const AT_ONCE: u32 = 65_536;
    // SAFETY: the caller's promise.
    let out = unsafe { std::slice::from_raw_parts_mut(out, len) };
    let random = js_sys::Uint8Array::new_with_length(AT_ONCE);
    for part in out.chunks_mut(AT_ONCE as usize) {
        if get_random_values(&random).is_err() {
            return Errno::NoSys as i32;
        }
        for (index, byte) in (0..).zip(part) {
            *byte = random.get_index(index);
        }
    }
    Errno::Success as i32
}

/// A part of what is written at once: `ciovec` of WASI.
#[repr(C)]
struct Slice {
    start: *const u8,
    len: usize,
}

thread_local! {
    /// What was written to the two streams since their last end of line: a console only takes whole lines.
    static PENDING: RefCell<[Vec<u8>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// # Safety
/// `slices` points to `count` slices that may be read, and `written` may be written, as wasi-libc promises.
#[unsafe(no_mangle)]
unsafe extern "C" fn __imported_wasi_snapshot_preview1_fd_write(
    fd: i32,
    slices: *const Slice,
    count: usize,
    written: *mut usize,
) -> i32 {
    let show: fn(&str) -> Result<(), JsValue> = match fd {
        STDOUT => console_log,
        STDERR => console_error,
        _ => return Errno::BadFile as i32,
    };
    // SAFETY: the caller's promise.
    let slices = unsafe { std::slice::from_raw_parts(slices, count) };
    let (total, lines) = PENDING.with_borrow_mut(|streams| {
        let pending = if fd == STDOUT { &mut streams[0] } else { &mut streams[1] };
        let mut total = 0;
        for slice in slices.iter().filter(|slice| slice.len > 0) {
            // SAFETY: the caller's promise.
            pending.extend_from_slice(unsafe { std::slice::from_raw_parts(slice.start, slice.len) });
            total += slice.len;
        }
        let end = pending.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        (total, pending.drain(..end).collect::<Vec<u8>>())
    });
    // After the borrow: a console that a page has put its own functions into may get back here. What they throw must not pass through
    // C, and is nothing that a stream could tell of.
    if !lines.is_empty() {
        let _ = show(String::from_utf8_lossy(&lines).trim_end_matches('\n'));
    }
    // SAFETY: the caller's promise.
    unsafe { written.write(total) };
    Errno::Success as i32
}

/// `fdstat` of WASI.
#[repr(C)]
struct FdStat {
    file_type: u8,
    flags: u16,
    rights: u64,
    rights_inheriting: u64,
}

/// # Safety
/// `out` may be written, as wasi-libc promises.
#[unsafe(no_mangle)]
unsafe extern "C" fn __imported_wasi_snapshot_preview1_fd_fdstat_get(fd: i32, out: *mut FdStat) -> i32 {
    if fd != STDOUT && fd != STDERR {
        return Errno::BadFile as i32;
    }
    let stat = FdStat { file_type: CHARACTER_DEVICE, flags: 0, rights: u64::MAX, rights_inheriting: 0 };
    // SAFETY: the caller's promise.
    unsafe { out.write(stat) };
    Errno::Success as i32
}

#[unsafe(no_mangle)]
extern "C" fn __imported_wasi_snapshot_preview1_fd_seek(fd: i32, _offset: i64, _whence: i32, _out: *mut u64) -> i32 {
    match fd {
        STDOUT | STDERR => Errno::NotSeekable as i32,
        _ => Errno::BadFile as i32,
    }
}

#[unsafe(no_mangle)]
extern "C" fn __imported_wasi_snapshot_preview1_fd_close(fd: i32) -> i32 {
    match fd {
        // The console stays open, whatever the C code thinks.
        STDOUT | STDERR => Errno::Invalid as i32,
        _ => Errno::BadFile as i32,
    }
}
