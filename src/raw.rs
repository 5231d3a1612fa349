//! The calls into Luau's C API that mlua has no safe form of. All `unsafe` code of the crate stands here.

mod memory;

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int};
use std::rc::Rc;

use mlua::prelude::*;
use mlua::{Thread, ffi};

use self::memory::limited;
pub use self::memory::set_memory_limit;
pub(crate) use self::memory::{unlimited, unlimited_internal};
use crate::error::{CHUNK_NAME, Frame, Kind};

/// How a thread came back from [`resume`].
#[derive(Debug)]
pub(crate) enum Resumed {
    /// It waits to be resumed again. What it yielded is dropped: the scheduler has no use for it.
    Yielded,
    /// Its function returned. What it returned is dropped, for the same reason.
    Finished,
    /// It ended with an error: the value that was thrown, and where, innermost first.
    Failed { value: LuaValue, frames: Vec<Frame> },
}

/// Resumes `thread` with `args`.
///
/// mlua's own `Thread::resume` turns the error into text and loses the value that was thrown.
///
/// # Errors
/// When there is no memory for the arguments.
pub(crate) fn resume(lua: &Lua, thread: &Thread, args: LuaMultiValue) -> LuaResult<Resumed> {
    let mut status = ffi::LUA_OK;
    let mut frames = Vec::new();
    let mut error = {
        let (status, frames) = (&mut status, &mut frames);
        let run = move |state: *mut ffi::lua_State| {
            let coroutine = thread.state();
            // SAFETY: `exec_raw` runs this under Luau's error protection, with nothing on the stack but the
            // arguments; both states belong to the same VM, and `thread` keeps the coroutine alive.
            unsafe {
                let count = ffi::lua_gettop(state);
                ffi::luaL_checkstack(coroutine, count, c"too many arguments to resume a thread".as_ptr());
                ffi::lua_xmove(state, coroutine, count);
                *status = limited(lua, || ffi::lua_resume(coroutine, state, count, std::ptr::null_mut()));
                match *status {
                    ffi::LUA_OK | ffi::LUA_YIELD => ffi::lua_settop(coroutine, 0),
                    _ => {
                        *frames = stack(coroutine);
                        ffi::lua_xmove(coroutine, state, 1);
                    }
                }
            }
        };
        // SAFETY: `run` leaves one value or none, and drops nothing when an error passes through it: what it
        // borrows lives in this function.
        unsafe { lua.exec_raw::<LuaMultiValue>(args, run) }?
    };
    Ok(match status {
        ffi::LUA_OK => Resumed::Finished,
        ffi::LUA_YIELD => Resumed::Yielded,
        _ => Resumed::Failed { value: error.pop_front().unwrap_or(LuaNil), frames },
    })
}

/// The text of a value, as `tostring` makes it; none if that fails: `__tostring` is the script's own.
pub(crate) fn text_of(lua: &Lua, value: &LuaValue) -> Option<LuaString> {
    unsafe extern "C-unwind" fn to_text(state: *mut ffi::lua_State) -> c_int {
        // SAFETY: Luau calls this with the value on the stack.
        unsafe { ffi::luaL_tolstring(state, 1, std::ptr::null_mut()) };
        1
    }
    // SAFETY: one value is on the stack, and one is left there. The call in between is protected, so no error passes over `limited`.
    let text = unsafe {
        lua.exec_raw(value, |state| {
            ffi::lua_pushcfunction(state, to_text);
            ffi::lua_insert(state, 1);
            if limited(lua, || ffi::lua_pcall(state, 1, 1, 0)) != ffi::LUA_OK {
                ffi::lua_settop(state, 0);
                ffi::lua_pushnil(state);
            }
        })
    };
    text.ok().flatten()
}

/// Loads a compiled chunk, whose globals will be `globals`, and whose constants are looked up in those of `loader`.
///
/// # Errors
/// When there is no memory.
pub(crate) fn load(
    lua: &Lua,
    loader: &Thread,
    name: &CStr,
    program: &[u8],
    globals: LuaTable,
) -> LuaResult<LuaFunction> {
    // SAFETY: both states belong to the same VM, `loader` keeps its own alive and never runs; its stack is this function's alone.
    // The program comes from the compiler.
    unsafe {
        lua.exec_raw(globals, |state| {
            let loader = loader.state();
            // An error in an earlier load may have left something. A new thread has room for twenty values.
            ffi::lua_settop(loader, 0);
            ffi::lua_xmove(state, loader, 1);
            ffi::luau_load(loader, name.as_ptr(), program.as_ptr().cast(), program.len(), 1);
            ffi::lua_xmove(loader, state, 1);
            ffi::lua_settop(loader, 0);
        })
    }
}

/// Tells Luau that a table of globals may change at any time.
///
/// # Errors
/// When there is no memory.
pub(crate) fn mark_unsafe(lua: &Lua, globals: LuaTable) -> LuaResult<()> {
    // SAFETY: the table is what is on the stack.
    unsafe {
        lua.exec_raw(globals, |state| {
            ffi::lua_setsafeenv(state, -1, 0);
            ffi::lua_settop(state, 0);
        })
    }
}

/// Ends a thread that does not run: what it was doing is dropped, and it cannot be resumed any more.
pub(crate) fn close(lua: &Lua, thread: &Thread) {
    // SAFETY: `thread` keeps its state alive, and one that waits may be reset at any time; nothing is left on the stack.
    // It fails for want of memory only, and then nobody resumes the thread either.
    let _ = unsafe {
        lua.exec_raw::<()>((), |_| {
            let state = thread.state();
            if ffi::lua_status(state) == ffi::LUA_YIELD || ffi::lua_gettop(state) > 0 {
                ffi::lua_resetthread(state);
            }
        })
    };
}

/// How many levels of a stack are told: who overflows it has twenty thousand, all alike.
const MOST_FRAMES: i32 = 100;

/// Where `thread` stands, innermost first; of a thread that failed, where it failed.
pub(crate) fn frames(thread: &Thread) -> Vec<Frame> {
    // SAFETY: `thread` keeps its state alive; reading its frames raises no error and changes nothing.
    unsafe { stack(thread.state()) }
}

/// # Safety
/// `state` is alive.
unsafe fn stack(state: *mut ffi::lua_State) -> Vec<Frame> {
    let mut frames = Vec::new();
    for level in 0..MOST_FRAMES {
        // SAFETY: a `lua_Debug` is plain data, for which zero is a valid value.
        let mut info: ffi::lua_Debug = unsafe { std::mem::zeroed() };
        // SAFETY: the caller's promise; the options only ask for text and numbers, nothing is pushed.
        if unsafe { ffi::lua_getinfo(state, level, c"sln".as_ptr(), &raw mut info) } == 0 {
            break;
        }
        // SAFETY: the names are null or strings that live as long as the function they describe, which is on the stack.
        let (chunk_name, name) = unsafe { (text(info.short_src), text(info.name)) };
        frames.extend(Frame::new(chunk_name, info.currentline, name));
    }
    frames
}

/// # Safety
/// `pointer` is null or points to a C string.
unsafe fn text(pointer: *const c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned())
}

/// What keeps one resumption of a thread in bounds; see [`guarded`].
pub(crate) struct Guard {
    /// The thread that the scheduler resumed: the only one that may be preempted.
    thread: *mut ffi::lua_State,
    clock: Rc<dyn Fn() -> f64>,
    /// When the page is to get its turn, in milliseconds.
    slice_ends: f64,
    /// When the thread has run for too long without yielding.
    limit_ends: f64,
    /// Whether the slice is over, and the thread could not be made to yield yet: it was waiting for one that it had
    /// resumed, or for a call into C.
    overdue: Cell<bool>,
    preempted: Cell<bool>,
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

    /// Its text.
    pub(crate) fn message(&self) -> String {
        self.0.1.to_string_lossy().into_owned()
    }
}

/// What a thread that ran for too long is told.
const TIMED_OUT: &str = "timed out: the script has run longer than its time limit without waiting";

thread_local! {
    /// The guard of the innermost resumption, of whichever VM. A function of the page that a script calls may run another
    /// VM, so there can be several, one inside the other.
    static GUARD: RefCell<Option<Rc<Guard>>> = const { RefCell::new(None) };
    /// How many interrupts to let pass until the next look at the clock.
    static LET_PASS: Cell<u32> = const { Cell::new(0) };
    /// The same while a slice is over and the thread cannot be made to yield.
    static PASSES: Cell<u32> = const { Cell::new(0) };
    /// How many to let pass after that: adjusted, so that looks are about `LOOK_EVERY` apart.
    static STRIDE: Cell<u32> = const { Cell::new(LEAST_STRIDE) };
    /// When the clock was looked at last.
    static LAST_LOOK: Cell<f64> = const { Cell::new(0.0) };
}

/// Looking at the clock costs as much as some tens of interrupts, and an interrupt stands for anything from a few
/// nanoseconds to a long call into C.
const LEAST_STRIDE: u32 = 100;
const MOST_STRIDE: u32 = 4_000;
/// In milliseconds.
const LOOK_EVERY: f64 = 0.5;

impl Guard {
    /// A guard for `thread`, with times as `clock` tells them.
    pub(crate) fn new(thread: &Thread, clock: Rc<dyn Fn() -> f64>, slice_ends: f64, limit_ends: f64) -> Rc<Self> {
        let (overdue, preempted, doom) = Default::default();
        Rc::new(Self { thread: thread.state(), clock, slice_ends, limit_ends, overdue, preempted, doom })
    }

    /// Whether the thread was made to yield, to be resumed without values.
    pub(crate) fn was_preempted(&self) -> bool {
        self.preempted.get()
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

/// Runs `resume` with `guard` as the one that is asked at interrupts.
pub(crate) fn guarded<R>(guard: Rc<Guard>, resume: impl FnOnce() -> R) -> R {
    let outer = GUARD.replace(Some(guard));
    // At once, since the times of this guard are its own.
    LET_PASS.set(0);
    PASSES.set(0);
    let result = resume();
    GUARD.replace(outer);
    // The outer one may have been doomed meanwhile.
    LET_PASS.set(0);
    PASSES.set(0);
    result
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
unsafe extern "C-unwind" fn interrupt(state: *mut ffi::lua_State, gc: c_int) {
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

/// # Safety
/// `state` is the thread that is running, and it stands where Luau may be interrupted. An error that is raised passes over
/// this frame, in which nothing is left to drop by then.
unsafe fn look(state: *mut ffi::lua_State) {
    let Some(guard) = GUARD.with_borrow(Option::clone) else { return };
    match guard.look(state) {
        Action::GoOn => {}
        Action::Yield => {
            // SAFETY: `Guard::look` asked whether the thread may yield.
            unsafe { ffi::lua_yield(state, 0) };
        }
        // SAFETY: the caller's promise. The guard, and the message in it, are kept by whoever resumed the thread.
        Action::Raise => unsafe {
            let message = guard.doom.borrow().as_ref().map(|doom| doom.0.1.as_ptr());
            drop(guard);
            // Code of ours goes on: it tells the page how the thread ended.
            if let Some(message) = message
                && !runs_our_code(state)
            {
                ffi::luaL_where(state, 0);
                ffi::lua_pushstring(state, message);
                ffi::lua_concat(state, 2);
                ffi::lua_error(state);
            }
        },
    }
}

/// What is to be done at an interrupt.
enum Action {
    GoOn,
    Yield,
    Raise,
}

impl Guard {
    fn look(&self, state: *mut ffi::lua_State) -> Action {
        if self.doom.borrow().is_some() {
            return Action::Raise;
        }
        if self.overdue.get() && self.can_yield(state) {
            self.preempted.set(true);
            return Action::Yield;
        }
        let passes = PASSES.get();
        if passes > 0 {
            PASSES.set(passes - 1);
            return Action::GoOn;
        }
        let now = (self.clock)();
        let since_last = now - LAST_LOOK.replace(now);
        let stride = STRIDE.get();
        let stride = if since_last < LOOK_EVERY { stride.saturating_mul(2) } else { stride / 2 };
        STRIDE.set(stride.clamp(LEAST_STRIDE, MOST_STRIDE));
        if now >= self.limit_ends {
            self.set_doom(Doom::new(Kind::Timeout, TIMED_OUT));
            return Action::Raise;
        }
        if now >= self.slice_ends {
            if self.can_yield(state) {
                self.preempted.set(true);
                return Action::Yield;
            }
            // Asked at every interrupt from now on, whether the thread is back.
            self.overdue.set(true);
            PASSES.set(STRIDE.get());
        } else {
            LET_PASS.set(STRIDE.get());
        }
        Action::GoOn
    }

    fn can_yield(&self, state: *mut ffi::lua_State) -> bool {
        // SAFETY: `state` is alive, as it is running; asking changes nothing.
        state == self.thread && unsafe { ffi::lua_isyieldable(state) } != 0
    }
}

/// Whether the function that is running is Luau code of ours.
///
/// # Safety
/// `state` is alive.
unsafe fn runs_our_code(state: *mut ffi::lua_State) -> bool {
    // SAFETY: a `lua_Debug` is plain data, for which zero is a valid value.
    let mut info: ffi::lua_Debug = unsafe { std::mem::zeroed() };
    // SAFETY: the caller's promise; only text is asked for, nothing is pushed, and the text lives as long as the function.
    unsafe {
        ffi::lua_getinfo(state, 0, c"s".as_ptr(), &raw mut info) != 0
            && text(info.short_src).is_some_and(|name| name == CHUNK_NAME)
    }
}
