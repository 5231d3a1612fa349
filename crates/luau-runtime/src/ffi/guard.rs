//! The guard that Luau asks while a script computes: it lets the script continue, interrupts it to give the event loop control, or ends it.

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_int, c_void};
use std::fmt;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

use super::clock_schedule::{
    self, MAX_STRIDE, MIN_STRIDE, OVERDUE_SKIPS, SKIPS, adjusted, check_clock_soon, max_stride,
};
use super::{allocator, is_our_code};
use crate::error::Kind;

/// The limits of one resumption of a thread; see [`guarded`].
pub(crate) struct Guard {
    /// The thread that was last resumed from outside Luau. It may have resumed the threads that run now.
    resumed: Cell<*mut ffi::lua_State>,
    pub(super) clock: Rc<dyn Fn() -> f64>,
    memory_limit: Cell<Option<usize>>,
    /// The number of refused allocations when the thread was resumed.
    refusals: Cell<u32>,
    /// The time that the event loop may wait, in milliseconds.
    slice: Cell<f64>,
    /// The time when the event loop started waiting. Read lazily: most threads finish first, and reading the clock is slow.
    waiting_since: Cell<Option<f64>>,
    /// The time when the thread will have run for too long without yielding.
    limit_ends: Cell<f64>,
    /// The number of interrupts from one clock reading to the next, adjusted by the time between readings.
    stride: Cell<u32>,
    /// The time of the last clock reading.
    last_reading: Cell<f64>,
    /// True if the slice is over, but the thread could not be interrupted yet because of a call into C.
    overdue: Cell<bool>,
    /// The interrupted threads, from the one that ran to the one that `resumed` had resumed.
    interrupted: RefCell<Vec<*mut ffi::lua_State>>,
    termination: RefCell<Option<Termination>>,
}

/// The reason why a running thread must end. It is raised as an error again and again, until nothing is left that could catch it.
#[derive(Clone, Debug)]
pub struct Termination(Rc<(Kind, CString)>);

impl Termination {
    pub(crate) fn new(kind: Kind, message: &str) -> Self {
        // The host chose the text, which may contain zeros.
        Self(Rc::new((kind, CString::new(message.replace('\0', " ")).unwrap_or_default())))
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.0
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.1.to_string_lossy())
    }
}

impl std::error::Error for Termination {}

impl From<Termination> for LuaError {
    fn from(termination: Termination) -> Self {
        Self::external(termination)
    }
}

/// The time for which code that cannot be interrupted may block the event loop, in milliseconds. After about this time browsers begin to
/// ask their users whether to end the page.
const MAX_OVERDUE_MS: f64 = 5_000.0;

/// The error message of a thread that blocked the event loop for longer.
const OVERDUE: &str = "timed out: the script blocked the event loop for 5 s in library functions, their callbacks or metamethods, \
                       which cannot be interrupted";

/// The error message of a thread that ran for too long.
const PAST_LIMIT: &str = "timed out: the script has run longer than its time limit without waiting";

thread_local! {
    /// The guard of the innermost resumption, of any VM. A host function that a script calls may run another VM, so resumptions may be
    /// nested.
    pub(super) static GUARD: RefCell<Option<Rc<Guard>>> = const { RefCell::new(None) };
    /// The steps of long loops; see [`Steps`].
    static STEPS: Steps = const { Steps { left: Cell::new(0), stride: Cell::new(1), last_reading: Cell::new(f64::NEG_INFINITY) } };
}

/// A time between two clock readings that only library functions with long values take, in milliseconds.
const LONG_STEP_MS: f64 = 20.0;

impl Guard {
    /// Creates a guard that reads times from `clock`. It applies to no resumption yet.
    pub(crate) fn new(clock: Rc<dyn Fn() -> f64>) -> Rc<Self> {
        let (slice, waiting_since, limit_ends, overdue, interrupted, termination) = Default::default();
        let (stride, last_reading, refusals) = Default::default();
        let resumed = Cell::new(std::ptr::null_mut());
        let memory_limit = Cell::new(None);
        Rc::new(Self {
            resumed,
            clock,
            memory_limit,
            refusals,
            slice,
            waiting_since,
            limit_ends,
            stride,
            last_reading,
            overdue,
            interrupted,
            termination,
        })
    }

    /// Prepares the guard for another resumption. The event loop has been waiting since `waiting_since`, or since the first clock reading,
    /// and may wait for `slice`. The script may use `memory_limit` bytes.
    pub(crate) fn begin(&self, waiting_since: Option<f64>, slice: f64, limit_ends: f64, memory_limit: Option<usize>) {
        self.memory_limit.set(memory_limit);
        self.slice.set(slice);
        self.waiting_since.set(waiting_since);
        self.limit_ends.set(limit_ends);
        self.stride.set(MIN_STRIDE);
        // Never read yet, so that the first reading does not make the stride longer.
        self.last_reading.set(f64::NEG_INFINITY);
        self.overdue.set(false);
        self.termination.take();
    }

    /// Notes that the thread is resumed. Must not be called when it continues after an interruption.
    pub(crate) fn note_start(&self) {
        self.refusals.set(allocator::refusals());
    }

    /// Returns the script's memory limit in bytes, if there is one.
    pub(super) fn memory_limit(&self) -> Option<usize> {
        self.memory_limit.get()
    }

    /// Returns true if the thread ran long enough for the clock to be read.
    pub(crate) fn has_read_clock(&self) -> bool {
        self.last_reading.get() > f64::NEG_INFINITY
    }

    /// Returns the time when the event loop started waiting, if it has been read.
    pub(crate) fn waiting_since(&self) -> Option<f64> {
        self.waiting_since.get()
    }

    /// Returns the time when the slice ends.
    fn slice_ends(&self, now: f64) -> f64 {
        let waiting_since = self.waiting_since.get().unwrap_or(now);
        self.waiting_since.set(Some(waiting_since));
        waiting_since + self.slice.get()
    }

    /// Notes the thread that is resumed from outside Luau.
    pub(super) fn note_resumed(&self, state: *mut ffi::lua_State) {
        self.resumed.set(state);
    }

    /// Takes the interrupted threads, beginning with the one that ran, without the one that was resumed.
    pub(super) fn take_interrupted(&self) -> Vec<*mut ffi::lua_State> {
        self.interrupted.take()
    }

    /// Returns the reason why the thread must end, if it must.
    pub(crate) fn termination(&self) -> Option<Termination> {
        self.termination.borrow().clone()
    }

    /// Ends the thread at the next loop iteration or call, at any depth.
    pub(crate) fn terminate(&self, termination: Termination) {
        self.termination.replace(Some(termination));
        SKIPS.set(0);
    }
}

/// Returns true if there is a guard, which means that a thread of some VM runs.
pub(crate) fn is_guarded() -> bool {
    GUARD.with_borrow(Option::is_some)
}

/// Runs `resume` with `guard` answering interrupts.
pub(crate) fn guarded<R>(guard: Rc<Guard>, resume: impl FnOnce() -> R) -> R {
    let outer = GUARD.replace(Some(guard));
    clock_schedule::begin();
    let result = resume();
    GUARD.replace(outer);
    // The outer thread may have been terminated meanwhile.
    check_clock_soon();
    result
}

/// Checks the time limit of the running thread, for long-running Rust code, which nothing interrupts.
///
/// # Errors
/// If no time is left. A cancelled thread may have time left: a host function that stops its VM and then starts a run needs it to convert
/// the arguments.
pub fn check_time_now() -> Result<(), Termination> {
    check_clock_soon();
    let Some(guard) = GUARD.with_borrow(Option::clone) else { return Ok(()) };
    let timeout = || guard.termination().filter(|termination| termination.kind() == Kind::Timeout);
    if timeout().is_none() {
        guard.has_timed_out((guard.clock)());
    }
    timeout().map_or(Ok(()), Err)
}

/// Returns true if an allocation was refused since the running thread was resumed.
pub(crate) fn was_refused_memory() -> bool {
    GUARD.with_borrow(|guard| guard.as_ref().is_some_and(|guard| guard.refusals.get() != allocator::refusals()))
}

/// Has Luau ask the guard at every loop iteration and call. If off, interrupts cost nothing.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn set_interrupts(lua: &Lua, on: bool) -> LuaResult<()> {
    // SAFETY: the callbacks belong to the VM and live as long. `interrupt` does only what Luau allows there.
    unsafe {
        lua.exec_raw((), move |state| {
            (*ffi::lua_callbacks(state)).interrupt = if on { Some(interrupt) } else { None };
        })
    }
}

/// Called by Luau at every loop iteration and call, and by the collector with `gc` from 0.
pub(super) unsafe extern "C-unwind" fn interrupt(state: *mut ffi::lua_State, gc: c_int) {
    let left = SKIPS.get();
    if left > 0 {
        SKIPS.set(left - 1);
        return;
    }
    if gc < 0 {
        // SAFETY: Luau calls this with the running thread.
        unsafe { check(state) }
    }
}

/// Asks the guard. Not part of [`interrupt`], which would otherwise set up this function's stack frame at each call.
///
/// # Safety
/// `state` is the running thread, at a place where Luau may be interrupted. A raised error unwinds through this frame, which has nothing
/// left to drop by then.
#[cold]
#[inline(never)]
unsafe fn check(state: *mut ffi::lua_State) {
    let Some(guard) = GUARD.with_borrow(Option::clone) else { return };
    match guard.check(state) {
        Action::Continue => {}
        Action::Interrupt => {
            drop(guard);
            // SAFETY: `Guard::check` made sure that the threads may be interrupted. This is a break, because to the resumer a yield would
            // look like the thread's own.
            unsafe { ffi::lua_break(state) };
        }
        // SAFETY: the caller's promise. Our own code must finish, because it reports to the host how the thread ended.
        Action::Raise => unsafe {
            if !is_our_code(state, 0) {
                raise(state, guard);
            }
        },
    }
}

/// Raises the error that ends the running thread, if `guard` has one.
///
/// # Safety
/// `state` is the running thread. The error unwinds through the caller's frame.
unsafe fn raise(state: *mut ffi::lua_State, guard: Rc<Guard>) {
    // SAFETY: the caller's promise. The code that resumed the thread keeps the guard and its message alive.
    unsafe {
        let message = guard.termination.borrow().as_ref().map(|termination| termination.0.1.as_ptr());
        drop(guard);
        if let Some(message) = message {
            ffi::luaL_where(state, 0);
            ffi::lua_pushstring(state, message);
            ffi::lua_concat(state, 2);
            ffi::lua_error(state);
        }
    }
}

/// Raises an error if the running thread must end. For functions that a script calls: a library function may call them again and again,
/// without script code in between that could be interrupted.
///
/// # Safety
/// As for [`raise`].
pub(super) unsafe fn raise_if_terminated(state: *mut ffi::lua_State) {
    let is_terminated = |guard: &&Rc<Guard>| guard.termination.borrow().is_some();
    if let Some(guard) = GUARD.with_borrow(|guard| guard.as_ref().filter(is_terminated).cloned()) {
        // SAFETY: the caller's promise.
        unsafe { raise(state, guard) }
    }
}

/// Raises an error if the running thread must end. For long-running C functions.
///
/// # Safety
/// As for [`raise`].
pub(super) unsafe fn raise_if_out_of_time_now(state: *mut ffi::lua_State) {
    check_clock_soon();
    if let Some(guard) = GUARD.with_borrow(Option::clone)
        && guard.must_end((guard.clock)())
    {
        // SAFETY: the caller's promise.
        unsafe { raise(state, guard) }
    }
}

/// Does the same as [`raise_if_out_of_time_now`], after this many steps of a loop. Most calls don't read the clock.
///
/// # Safety
/// As for [`raise`].
pub(super) unsafe fn raise_if_out_of_time(state: *mut ffi::lua_State, steps: u32) {
    if STEPS.with(|counter| counter.is_due(steps)) {
        // SAFETY: the caller's promise.
        unsafe { raise_if_out_of_time_now(state) }
    }
}

/// The number of bytes that can be read in the time of one step.
const BYTES_PER_STEP: usize = 256;

/// Returns the number of steps that take as long as reading this many bytes.
fn steps_of(bytes: usize) -> u32 {
    u32::try_from(bytes / BYTES_PER_STEP).unwrap_or(u32::MAX).max(1)
}

/// Has Luau ask the guard wherever it reads many bytes at once.
pub(super) fn watch_reading() {
    unsafe extern "C-unwind" fn spend(state: *mut c_void, bytes: usize) {
        if state.is_null() {
            return check_clock_soon();
        }
        // SAFETY: Luau calls this with the running thread, where errors may be raised. No frame below has anything to drop.
        unsafe { raise_if_out_of_time(state.cast(), steps_of(bytes)) }
    }
    fn is_out_of_time(bytes: usize) -> bool {
        STEPS.with(|counter| counter.is_due(steps_of(bytes))) && {
            check_clock_soon();
            GUARD.with_borrow(Option::clone).is_some_and(|guard| guard.must_end((guard.clock)()))
        }
    }
    luau_patches::set_clock(luau_patches::Clock { spend, is_out_of_time });
}

/// Does the same as [`check_time_now`], for each step of a long loop in Rust. Most calls don't read the clock.
///
/// # Errors
/// As for [`check_time_now`].
pub fn check_time() -> Result<(), Termination> {
    if STEPS.with(|steps| steps.is_due(1)) { check_time_now() } else { Ok(()) }
}

/// A counter for the steps of long loops, which keeps clock readings about half a millisecond apart. A step usually takes nanoseconds. But
/// one that looks up a key or creates a string may take as long as the script likes, through keys and strings with the same hash.
struct Steps {
    /// The number of steps until the next clock reading.
    left: Cell<u32>,
    /// The number of steps from one clock reading to the next.
    stride: Cell<u32>,
    last_reading: Cell<f64>,
}

impl Steps {
    /// Counts some steps. Returns true if it read the clock.
    fn is_due(&self, steps: u32) -> bool {
        if let Some(left) = self.left.get().checked_sub(steps) {
            self.left.set(left);
            return false;
        }
        let now = GUARD.with_borrow(|guard| guard.as_ref().map(|guard| (guard.clock)()));
        let Some(now) = now else { return false };
        let since_last = now - self.last_reading.replace(now);
        let stride = adjusted(self.stride.get(), since_last).clamp(1, MAX_STRIDE);
        self.stride.set(stride);
        self.left.set(stride);
        true
    }
}

/// The action to take at an interrupt.
enum Action {
    Continue,
    Interrupt,
    Raise,
}

impl Guard {
    fn check(&self, state: *mut ffi::lua_State) -> Action {
        if self.termination.borrow().is_some() {
            return Action::Raise;
        }
        if self.overdue.get() && self.can_interrupt(state) {
            return Action::Interrupt;
        }
        let skips = OVERDUE_SKIPS.get();
        if skips > 0 {
            OVERDUE_SKIPS.set(skips - 1);
            return Action::Continue;
        }
        let now = (self.clock)();
        let since_last = now - self.last_reading.replace(now);
        let max = max_stride();
        // Read the clock more often only if single steps take long.
        let is_slow = since_last.is_finite() && since_last > LONG_STEP_MS;
        let min = if is_slow { 1 } else { MIN_STRIDE.min(max) };
        let stride = adjusted(self.stride.get(), since_last).clamp(min, max);
        self.stride.set(stride);
        let slice_ends = self.slice_ends(now);
        if now < self.limit_ends.get() && now >= slice_ends && self.can_interrupt(state) {
            return Action::Interrupt;
        }
        if self.has_timed_out(now) {
            return Action::Raise;
        }
        if now >= slice_ends {
            // From now on, every interrupt checks whether the call into C has returned.
            self.overdue.set(true);
            OVERDUE_SKIPS.set(stride);
        } else {
            SKIPS.set(stride);
        }
        Action::Continue
    }

    /// Returns true if the running thread was terminated, or has timed out.
    fn must_end(&self, now: f64) -> bool {
        self.termination.borrow().is_some() || self.has_timed_out(now)
    }

    /// Returns true if the running thread has exceeded its time limit or blocked the event loop for too long. Then it is terminated.
    fn has_timed_out(&self, now: f64) -> bool {
        let message = if now >= self.limit_ends.get() {
            PAST_LIMIT
        } else if now >= self.slice_ends(now) + MAX_OVERDUE_MS {
            OVERDUE
        } else {
            return false;
        };
        self.terminate(Termination::new(Kind::Timeout, message));
        true
    }

    /// Returns true if `state`, which is running, may be interrupted along with all threads that wait for it. Then it notes these threads.
    fn can_interrupt(&self, state: *mut ffi::lua_State) -> bool {
        // SAFETY: these threads are alive: each runs, or waits in a call for the next one. The calls change nothing.
        unsafe {
            if ffi::lua_isyieldable(state) == 0 {
                return false;
            }
            let mut chain = Vec::new();
            let mut waiting = self.resumed.get();
            while waiting != state {
                if ffi::lua_isyieldable(waiting) == 0 {
                    return false;
                }
                let Some(next) = resumed_by(waiting) else { return false };
                chain.push(next);
                waiting = next;
            }
            chain.reverse();
            self.interrupted.replace(chain);
        }
        true
    }
}

/// Returns the thread that another one has resumed and waits for.
///
/// # Safety
/// `waiting` is alive, and waits in a call that resumed a thread.
unsafe fn resumed_by(waiting: *mut ffi::lua_State) -> Option<*mut ffi::lua_State> {
    // The call is either `coroutine.resume`, which has the thread as an argument, or a function from `coroutine.wrap`, which has it as an
    // upvalue and has passed on all its arguments.
    let places = [1, ffi::lua_upvalueindex(1)];
    // SAFETY: the caller's promise. In a call into C both indices may be read, even if they hold nothing.
    places.into_iter().map(|place| unsafe { ffi::lua_tothread(waiting, place) }).find(|thread| !thread.is_null())
}
