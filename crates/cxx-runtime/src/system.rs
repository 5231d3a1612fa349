//! The system calls of wasi-libc, implemented with web APIs.
//!
//! wasi-libc calls them under the names `__imported_wasi_snapshot_preview1_…`; the definitions here replace these
//! imports. Names, parameters and error numbers follow WASI preview 1 (`wasi_snapshot_preview1.witx`). Luau does not
//! need the missing calls. If other code needs one, the check in [`crate::imports`] names it.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

/// The error numbers of WASI that this module uses.
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
    // A host without `performance` still has dates, and a clock that may jump is better than none.
    nanoseconds(performance_now().unwrap_or_else(|_| js_sys::Date::now()))
}

fn realtime_nanoseconds() -> u64 {
    nanoseconds(js_sys::Date::now())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "values out of range become the limit")]
fn nanoseconds(milliseconds: f64) -> u64 {
    (milliseconds * NANOSECONDS_PER_MILLISECOND) as u64
}

/// C's `clock`, in units of `CLOCKS_PER_SEC`, which is a billionth of a second in wasi-libc.
///
/// Web APIs do not report the processor time, so this returns the elapsed time.
#[unsafe(no_mangle)]
extern "C" fn clock() -> i64 {
    monotonic_nanoseconds().cast_signed()
}

/// # Safety
/// `out` must be writable, as wasi-libc promises.
#[unsafe(no_mangle)]
unsafe extern "C" fn __imported_wasi_snapshot_preview1_clock_time_get(id: i32, _precision: u64, out: *mut u64) -> i32 {
    let time = match id {
        clock_id::REALTIME => realtime_nanoseconds(),
        clock_id::MONOTONIC => monotonic_nanoseconds(),
        _ => return Errno::NoSys as i32,
    };
    // SAFETY: The caller's promise.
    unsafe { out.write(time) };
    Errno::Success as i32
}

/// # Safety
/// `out` must point to `len` writable bytes, as wasi-libc promises.
#[unsafe(no_mangle)]
unsafe extern "C" fn __imported_wasi_snapshot_preview1_random_get(out: *mut u8, len: usize) -> i32 {
    const AT_ONCE: u32 = 65_536;
    // SAFETY: The caller's promise.
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

/// A part of a write: `ciovec` of WASI.
#[repr(C)]
struct Slice {
    start: *const u8,
    len: usize,
}

thread_local! {
    /// The output of both streams since the last newline, because a console only takes whole lines.
    static PENDING: RefCell<[Vec<u8>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// # Safety
/// `slices` must point to `count` readable slices, and `written` must be writable, as wasi-libc promises.
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
    // SAFETY: The caller's promise.
    let slices = unsafe { std::slice::from_raw_parts(slices, count) };
    let (total, lines) = PENDING.with_borrow_mut(|streams| {
        let pending = if fd == STDOUT { &mut streams[0] } else { &mut streams[1] };
        let mut total = 0;
        for slice in slices.iter().filter(|slice| slice.len > 0) {
            // SAFETY: The caller's promise.
            pending.extend_from_slice(unsafe { std::slice::from_raw_parts(slice.start, slice.len) });
            total += slice.len;
        }
        let end = pending.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        (total, pending.drain(..end).collect::<Vec<u8>>())
    });
    // Called after the borrow has ended, because a console that the page has patched may reenter this function. An
    // exception must not pass through C, and a stream could not report it.
    if !lines.is_empty() {
        let _ = show(String::from_utf8_lossy(&lines).trim_end_matches('\n'));
    }
    // SAFETY: The caller's promise.
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
/// `out` must be writable, as wasi-libc promises.
#[unsafe(no_mangle)]
unsafe extern "C" fn __imported_wasi_snapshot_preview1_fd_fdstat_get(fd: i32, out: *mut FdStat) -> i32 {
    if fd != STDOUT && fd != STDERR {
        return Errno::BadFile as i32;
    }
    let stat = FdStat { file_type: CHARACTER_DEVICE, flags: 0, rights: u64::MAX, rights_inheriting: 0 };
    // SAFETY: The caller's promise.
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
        // The console stays open, whatever the C code believes.
        STDOUT | STDERR => Errno::Invalid as i32,
        _ => Errno::BadFile as i32,
    }
}
