//! What Luau asks while a script computes: whether it may go on, has to let the page have its turn, or has to end.

use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_int, c_void};
use std::fmt;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

use super::{allocator, is_our_code};
use crate::error::Kind;

/// What keeps one resumption of a thread in bounds; see [`guarded`].
pub(crate) struct Guard {
    /// The thread that was resumed last from outside of Luau: those that run may have been resumed by it.
    resumed: Cell<*mut ffi::lua_State>,
    pub(super) clock: Rc<dyn Fn() -> f64>,
    memory_limit: Cell<Option<usize>>,
    /// The number of refused allocations when the thread was resumed.
    refusals: Cell<u32>,
    /// How long the page may wait for its turn, in milliseconds.
    slice: Cell<f64>,
    /// Since when it waits. Most threads are back before anybody has to know, and to ask the clock takes long.
    began: Cell<Option<f64>>,
    /// When the thread has run for too long without yielding.
    limit_ends: Cell<f64>,
    /// How many interrupts there are from one look at the clock to the next: adjusted, so that looks are about `LOOK_EVERY` apart.
    stride: Cell<u32>,
    /// When the clock was looked at last.
    last_look: Cell<f64>,
    /// Whether the slice is over, and it could not be interrupted yet: there was a call into C.
    overdue: Cell<bool>,
    /// The threads that are interrupted now, from the one that ran to the one that `resumed` had resumed.
    interrupted: RefCell<Vec<*mut ffi::lua_State>>,
    doom: RefCell<Option<Doom>>,
}

/// Why a running thread is to end: it is raised as an error again and again, until nothing is left that could catch it.
#[derive(Clone, Debug)]
pub(crate) struct Doom(Rc<(Kind, CString)>);

impl Doom {
    pub(crate) fn new(kind: Kind, message: &str) -> Self {
        // The page chose the text, and may have put zeros into it.
        Self(Rc::new((kind, CString::new(message.replace('\0', " ")).unwrap_or_default())))
    }

    /// The kind of the error.
    pub(crate) fn kind(&self) -> Kind {
        self.0.0
    }
}

impl fmt::Display for Doom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.1.to_string_lossy())
    }
}

impl std::error::Error for Doom {}

impl From<Doom> for LuaError {
    fn from(doom: Doom) -> Self {
        Self::external(doom)
    }
}

/// How long the page may be kept from its turn by what cannot be interrupted, in milliseconds: about when browsers begin to ask their
/// users whether to end the page.
const MOST_OVERDUE: f64 = 5_000.0;

/// What a thread is told that did so.
const OVERDUE: &str = "timed out: for 5 s the page did not get its turn, since library functions, their callbacks and metamethods \
                       cannot be interrupted";

/// What a thread that ran for too long is told.
const PAST_LIMIT: &str = "timed out: the script has run longer than its time limit without waiting";

thread_local! {
    /// The guard of the innermost resumption, of whichever VM. A function of the page that a script calls may run another
    /// VM, so there can be several, one inside the other.
    pub(super) static GUARD: RefCell<Option<Rc<Guard>>> = const { RefCell::new(None) };
    /// How many interrupts to let pass until the next look at the clock.
    static LET_PASS: Cell<u32> = const { Cell::new(0) };
    /// The same while a slice is over and the thread cannot be made to yield.
    static PASSES: Cell<u32> = const { Cell::new(0) };
    /// The size of the largest program so far, in bytes.
    static LARGEST_PROGRAM: Cell<usize> = const { Cell::new(0) };
    /// The steps of long loops; see [`Steps`].
    static STEPS: Steps = const { Steps { left: Cell::new(0), stride: Cell::new(1), last_look: Cell::new(f64::NEG_INFINITY) } };
}

/// Looking at the clock costs as much as some tens of interrupts, and an interrupt stands for anything from a few
/// nanoseconds to a long call into C.
const LEAST_STRIDE: u32 = 100;
const MOST_STRIDE: u32 = 4_000;
/// The number of bytes that instructions may read between two looks at the clock. A single one, such as a step of an iteration over a
/// table whose entries were removed, or a comparison of strings, may read the largest block that there is, at about 0.1 ns a byte.
const MAX_BYTES_UNSEEN: usize = 2_500_000_000;
/// The number of bytes of bytecode that may run between two looks at the clock, at about a nanosecond a byte. A loop may have a whole program
/// as its body.
const MAX_CODE_UNSEEN: usize = 50_000_000;
/// The time from one look at the clock to the next, in milliseconds.
const LOOK_EVERY: f64 = 0.5;
/// A time between two looks at the clock that only library functions with long values take, in milliseconds.
const LONG_STEPS: f64 = 20.0;

impl Guard {
    /// A guard with times as `clock` tells them, for no resumption yet.
    pub(crate) fn new(clock: Rc<dyn Fn() -> f64>) -> Rc<Self> {
        let (slice, began, limit_ends, overdue, interrupted, doom) = Default::default();
        let (stride, last_look, refusals) = Default::default();
        let resumed = Cell::new(std::ptr::null_mut());
        let memory_limit = Cell::new(None);
        Rc::new(Self {
            resumed,
            clock,
            memory_limit,
            refusals,
            slice,
            began,
            limit_ends,
            stride,
            last_look,
            overdue,
            interrupted,
            doom,
        })
    }

    /// For another resumption: the page waits since `began`, or since the first look at the clock, and may wait for `slice`. The
    /// script may have `memory_limit` bytes.
    pub(crate) fn begin(&self, began: Option<f64>, slice: f64, limit_ends: f64, memory_limit: Option<usize>) {
        self.memory_limit.set(memory_limit);
        self.slice.set(slice);
        self.began.set(began);
        self.limit_ends.set(limit_ends);
        self.stride.set(LEAST_STRIDE);
        // Never yet, so the first look makes no stride longer.
        self.last_look.set(f64::NEG_INFINITY);
        self.overdue.set(false);
        self.doom.take();
    }

    /// Must be called when the thread is resumed, but not when it continues after an interruption.
    pub(crate) fn note_start(&self) {
        self.refusals.set(allocator::refusals());
    }

    /// What the script may have, in bytes, if there is a limit.
    pub(super) fn memory_limit(&self) -> Option<usize> {
        self.memory_limit.get()
    }

    /// Whether the thread ran for so long that the clock was looked at.
    pub(crate) fn has_looked(&self) -> bool {
        self.last_look.get() > f64::NEG_INFINITY
    }

    /// Since when the page waits, as far as it was asked.
    pub(crate) fn began(&self) -> Option<f64> {
        self.began.get()
    }

    /// When the page is to get its turn.
    fn slice_ends(&self, now: f64) -> f64 {
        let began = self.began.get().unwrap_or(now);
        self.began.set(Some(began));
        began + self.slice.get()
    }

    /// Takes note of the thread that is resumed from outside of Luau.
    pub(super) fn note_resumed(&self, state: *mut ffi::lua_State) {
        self.resumed.set(state);
    }

    /// The threads that were interrupted beside the one that was resumed, beginning with the one that ran.
    pub(super) fn take_interrupted(&self) -> Vec<*mut ffi::lua_State> {
        self.interrupted.take()
    }

    /// Why the thread is to end.
    pub(crate) fn doom(&self) -> Option<Doom> {
        self.doom.borrow().clone()
    }

    /// Ends the thread, at whatever depth it runs, as soon as it comes to a loop or a call.
    pub(crate) fn set_doom(&self, doom: Doom) {
        self.doom.replace(Some(doom));
        LET_PASS.set(0);
    }
}

/// Returns whether there is a guard: a thread runs, of whichever VM.
pub(crate) fn is_guarded() -> bool {
    GUARD.with_borrow(Option::is_some)
}

/// Runs `resume` with `guard` as the one that is asked at interrupts.
pub(crate) fn guarded<R>(guard: Rc<Guard>, resume: impl FnOnce() -> R) -> R {
    let outer = GUARD.replace(Some(guard));
    // Most of what is resumed comes to its end before the clock is looked at.
    LET_PASS.set(LEAST_STRIDE.min(longest_stride()));
    PASSES.set(0);
    let result = resume();
    GUARD.replace(outer);
    // The outer one may have been doomed meanwhile.
    LET_PASS.set(0);
    PASSES.set(0);
    result
}

/// Returns how many interrupts there may be from one look at the clock to the next.
fn longest_stride() -> u32 {
    let by_blocks = MAX_BYTES_UNSEEN.checked_div(allocator::largest_block()).unwrap_or(usize::MAX);
    let by_code = MAX_CODE_UNSEEN.checked_div(LARGEST_PROGRAM.get()).unwrap_or(usize::MAX);
    u32::try_from(by_blocks.min(by_code)).unwrap_or(MOST_STRIDE).clamp(1, MOST_STRIDE)
}

/// Notes the size of a program that scripts can run from now on, in bytes.
pub(super) fn note_program(size: usize) {
    LARGEST_PROGRAM.set(LARGEST_PROGRAM.get().max(size));
    LET_PASS.set(LET_PASS.get().min(longest_stride()));
    PASSES.set(PASSES.get().min(longest_stride()));
}

/// Fails if the running thread has no time left. For Rust code that runs long: nothing interrupts it.
///
/// A thread that was cancelled may have time left. A host function that stops its VM and then starts a run needs it for the conversion of
/// the arguments.
pub(crate) fn check_time_now() -> Result<(), Doom> {
    look_soon();
    let Some(guard) = GUARD.with_borrow(Option::clone) else { return Ok(()) };
    let timeout = || guard.doom().filter(|doom| doom.kind() == Kind::Timeout);
    if timeout().is_none() {
        guard.has_timed_out((guard.clock)());
    }
    timeout().map_or(Ok(()), Err)
}

/// Returns whether an allocation was refused since the running thread was resumed.
pub(crate) fn was_refused_memory() -> bool {
    GUARD.with_borrow(|guard| guard.as_ref().is_some_and(|guard| guard.refusals.get() != allocator::refusals()))
}

/// Has Luau ask the guard at every turn of a loop and every call; without, running costs nothing more.
///
/// # Errors
/// When there is no memory.
pub(crate) fn set_interrupts(lua: &Lua, on: bool) -> LuaResult<()> {
    // SAFETY: the callbacks belong to the VM and live as long; `interrupt` keeps to what Luau allows there.
    unsafe {
        lua.exec_raw((), move |state| {
            (*ffi::lua_callbacks(state)).interrupt = if on { Some(interrupt) } else { None };
        })
    }
}

/// Called by Luau at every turn of a loop and every call, and with `gc` from 0 by the collector.
pub(super) unsafe extern "C-unwind" fn interrupt(state: *mut ffi::lua_State, gc: c_int) {
    let left = LET_PASS.get();
    if left > 0 {
        LET_PASS.set(left - 1);
        return;
    }
    if gc < 0 {
        // SAFETY: Luau calls this with the thread that is running.
        unsafe { look(state) }
    }
}

/// Kept out of [`interrupt`], which would otherwise set up this function's stack frame at each call.
///
/// # Safety
/// `state` is the thread that is running, and it stands where Luau may be interrupted. An error that is raised passes over
/// this frame, in which nothing is left to drop by then.
#[cold]
#[inline(never)]
unsafe fn look(state: *mut ffi::lua_State) {
    let Some(guard) = GUARD.with_borrow(Option::clone) else { return };
    match guard.look(state) {
        Action::GoOn => {}
        Action::Interrupt => {
            drop(guard);
            // SAFETY: `Guard::look` asked whether the threads may be interrupted. A break, and no yield: that would be one of
            // the thread's own for whoever had resumed it.
            unsafe { ffi::lua_break(state) };
        }
        // SAFETY: the caller's promise. Our own code must finish: it reports to the host how the thread ended.
        Action::Raise => unsafe {
            if !is_our_code(state, 0) {
                raise(state, guard);
            }
        },
    }
}

/// Raises the error that `guard` has for the running thread, if it has one.
///
/// # Safety
/// `state` is the thread that is running. The error passes over the caller's frame.
unsafe fn raise(state: *mut ffi::lua_State, guard: Rc<Guard>) {
    // SAFETY: the caller's promise. The guard, and the message in it, are kept by whoever resumed the thread.
    unsafe {
        let message = guard.doom.borrow().as_ref().map(|doom| doom.0.1.as_ptr());
        drop(guard);
        if let Some(message) = message {
            ffi::luaL_where(state, 0);
            ffi::lua_pushstring(state, message);
            ffi::lua_concat(state, 2);
            ffi::lua_error(state);
        }
    }
}

/// Raises an error if the running thread was ended. For what a script calls: a library function may call it again and again, without code of
/// the script in between that could be interrupted.
///
/// # Safety
/// As for [`raise`].
pub(super) unsafe fn raise_if_doomed(state: *mut ffi::lua_State) {
    let doomed = |guard: &&Rc<Guard>| guard.doom.borrow().is_some();
    if let Some(guard) = GUARD.with_borrow(|guard| guard.as_ref().filter(doomed).cloned()) {
        // SAFETY: the caller's promise.
        unsafe { raise(state, guard) }
    }
}

/// Raises an error if the running thread is to end. For a C function that runs long.
///
/// # Safety
/// As for [`raise`].
pub(super) unsafe fn raise_if_out_of_time_now(state: *mut ffi::lua_State) {
    look_soon();
    if let Some(guard) = GUARD.with_borrow(Option::clone)
        && (guard.doom.borrow().is_some() || guard.has_timed_out((guard.clock)()))
    {
        // SAFETY: the caller's promise.
        unsafe { raise(state, guard) }
    }
}

/// Does the same as [`raise_if_out_of_time_now`] for each step of a loop; most calls don't look at the clock.
///
/// # Safety
/// As for [`raise`].
pub(super) unsafe fn raise_if_out_of_time(state: *mut ffi::lua_State) {
    // SAFETY: the caller's promise.
    unsafe { raise_if_out_of_time_after(state, 1) }
}

/// Counts several steps as [`raise_if_out_of_time`] counts one.
///
/// # Safety
/// As for [`raise`].
unsafe fn raise_if_out_of_time_after(state: *mut ffi::lua_State, steps: u32) {
    if STEPS.with(|counter| counter.takes_a_look(steps)) {
        // SAFETY: the caller's promise.
        unsafe { raise_if_out_of_time_now(state) }
    }
}

/// The number of bytes that are read in the time of a step.
const BYTES_PER_STEP: usize = 256;

/// Has Luau ask the guard where it reads many bytes at once.
pub(super) fn watch_reading() {
    unsafe extern "C-unwind" fn spend(state: *mut c_void, bytes: usize) {
        if state.is_null() {
            return look_soon();
        }
        let steps = u32::try_from(bytes / BYTES_PER_STEP).unwrap_or(u32::MAX);
        // SAFETY: Luau calls this with the thread that runs, where it may raise errors. No frame below has anything to drop.
        unsafe { raise_if_out_of_time_after(state.cast(), steps.max(1)) }
    }
    luau_patches::on_spend(spend);
}

/// Does the same as [`check_time_now`] for each step of a long loop in Rust; most calls don't look at the clock.
pub(crate) fn check_time() -> Result<(), Doom> {
    if STEPS.with(|steps| steps.takes_a_look(1)) { check_time_now() } else { Ok(()) }
}

/// Counts the steps of long loops, so that looks at the clock are about `LOOK_EVERY` apart. A step usually takes nanoseconds, but one that
/// looks up a key or makes a string takes as long as a script makes it by keys and strings with the same hash.
struct Steps {
    /// The number of steps until the next look.
    left: Cell<u32>,
    /// The number of steps from one look to the next.
    stride: Cell<u32>,
    last_look: Cell<f64>,
}

impl Steps {
    /// Counts some steps, and returns whether it is time for a look.
    fn takes_a_look(&self, steps: u32) -> bool {
        if let Some(left) = self.left.get().checked_sub(steps) {
            self.left.set(left);
            return false;
        }
        let now = GUARD.with_borrow(|guard| guard.as_ref().map(|guard| (guard.clock)()));
        let Some(now) = now else { return false };
        let since_last = now - self.last_look.replace(now);
        let stride = adapted(self.stride.get(), since_last).clamp(1, MOST_STRIDE);
        self.stride.set(stride);
        self.left.set(stride);
        true
    }
}

/// Returns the next stride, so that looks become about `LOOK_EVERY` apart.
fn adapted(stride: u32, since_last: f64) -> u32 {
    if since_last < LOOK_EVERY { stride.saturating_mul(2) } else { stride / 2 }
}

/// The number of bytes that take as long to read as to look at the clock.
pub(super) const LONG_READ: usize = 2_048;

/// Has the guard look at the clock at the next interrupt if that many bytes take long to read.
pub(crate) fn note_read(bytes: usize) {
    if bytes >= LONG_READ {
        look_soon();
    }
}

/// Has the guard look at the clock at the next interrupt, because something runs that may take long.
pub(super) fn look_soon() {
    LET_PASS.set(0);
    PASSES.set(0);
}

/// What is to be done at an interrupt.
enum Action {
    GoOn,
    Interrupt,
    Raise,
}

impl Guard {
    fn look(&self, state: *mut ffi::lua_State) -> Action {
        if self.doom.borrow().is_some() {
            return Action::Raise;
        }
        if self.overdue.get() && self.can_interrupt(state) {
            return Action::Interrupt;
        }
        let passes = PASSES.get();
        if passes > 0 {
            PASSES.set(passes - 1);
            return Action::GoOn;
        }
        let now = (self.clock)();
        let since_last = now - self.last_look.replace(now);
        let most = longest_stride();
        // Only where single steps take long, the clock is looked at more often.
        let is_slow = since_last.is_finite() && since_last > LONG_STEPS;
        let least = if is_slow { 1 } else { LEAST_STRIDE.min(most) };
        let stride = adapted(self.stride.get(), since_last).clamp(least, most);
        self.stride.set(stride);
        let slice_ends = self.slice_ends(now);
        if now < self.limit_ends.get() && now >= slice_ends && self.can_interrupt(state) {
            return Action::Interrupt;
        }
        if self.has_timed_out(now) {
            return Action::Raise;
        }
        if now >= slice_ends {
            // Asked at every interrupt from now on, whether it is back from C.
            self.overdue.set(true);
            PASSES.set(stride);
        } else {
            LET_PASS.set(stride);
        }
        Action::GoOn
    }

    /// Whether the time for what runs is over, by a limit or because the page waits for too long; then it is doomed.
    fn has_timed_out(&self, now: f64) -> bool {
        let message = if now >= self.limit_ends.get() {
            PAST_LIMIT
        } else if now >= self.slice_ends(now) + MOST_OVERDUE {
            OVERDUE
        } else {
            return false;
        };
        self.set_doom(Doom::new(Kind::Timeout, message));
        true
    }

    /// Whether `state`, which is running, may be interrupted, with all those that wait for it; they are noted then.
    fn can_interrupt(&self, state: *mut ffi::lua_State) -> bool {
        // SAFETY: these threads are alive: they run, or wait in a call for the next of them. Asking changes nothing.
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

/// The thread that another one has resumed and waits for.
///
/// # Safety
/// `waiting` is alive, and waits in a call that resumed a thread.
unsafe fn resumed_by(waiting: *mut ffi::lua_State) -> Option<*mut ffi::lua_State> {
    // That is `coroutine.resume`, of which the thread is an argument, or what `coroutine.wrap` made, of which it is an upvalue
    // and which has handed all its arguments on.
    let places = [1, ffi::lua_upvalueindex(1)];
    // SAFETY: the caller's promise; both places may be asked for in a call into C, whether there is anything or not.
    places.into_iter().map(|place| unsafe { ffi::lua_tothread(waiting, place) }).find(|thread| !thread.is_null())
}
