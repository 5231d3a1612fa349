//! How much memory a script may have.
//!
//! mlua cannot do without memory where it takes a value from Luau: it panics, which ends the instance. So the limit is in force
//! while a script runs, and Rust code that it calls may have twice as much: enough for the stack on which mlua keeps such
//! values to grow once more, since that stack is part of what counts. What Rust code went over is collected before the
//! script goes on, or the script is refused its result.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;

use mlua::ffi;
use mlua::prelude::*;

use super::guard::{GUARD, raise_if_doomed};
use super::integers::{box_all, unbox_all};
use super::references::{References, TOO_MANY};
use super::{allocator, heap};

/// What scripts of a VM may have.
struct MemoryLimit {
    /// In bytes.
    most: usize,
    /// When garbage may be collected again while a script runs, in milliseconds.
    next_collection: Cell<f64>,
}

/// A script that runs.
struct Running<'a> {
    lua: &'a Lua,
    limit: usize,
}

thread_local! {
    /// The script that runs, of whichever VM; null while Rust code does, or the script has no limit.
    static RUNNING: Cell<*const Running<'static>> = const { Cell::new(ptr::null()) };
}

/// Limits the memory of a VM, in bytes. From then on an allocation for which the heap has no memory raises an error in the script too.
///
/// # Errors
/// If Luau does not keep its allocator where it did.
pub fn set_memory_limit(lua: &Lua, limit: usize) -> LuaResult<()> {
    if lua.app_data_ref::<MemoryLimit>().is_none() {
        allocator::install(lua)?;
    }
    lua.set_app_data(MemoryLimit { most: limit, next_collection: Cell::new(0.0) });
    relax(lua, limit)
}

/// What scripts of a VM may have, in bytes, if there is a limit.
pub(crate) fn limit_of(lua: &Lua) -> Option<usize> {
    lua.app_data_ref::<MemoryLimit>().map(|limit| limit.most)
}

fn is_short(lua: &Lua, limit: usize) -> bool {
    lua.used_memory() > limit - limit / 4
}

/// Collects garbage if the VM has used most of its limit, or the heap most of the engine's memory. Luau's collector keeps its own pace:
/// once a script has used up its limit, it would come round only at twice as much.
pub(crate) fn make_room(lua: &Lua) {
    if limit_of(lua).is_some_and(|limit| is_short(lua, limit)) || !heap::has_reserve() {
        // It fails when a finalizer does, and ours do not.
        let _ = lua.gc_collect();
    }
}

/// How much longer than a collection took the script goes on until the next one.
const COLLECTION_PAUSE: f64 = 8.0;

/// The same while a script runs, which may really need so much: most of the time is the script's.
pub(super) fn make_room_again(lua: &Lua, limit: Option<usize>) {
    let Some(limit) = limit.filter(|&limit| is_short(lua, limit) || !heap::has_reserve()) else { return };
    let clock = GUARD.with_borrow(|guard| guard.as_ref().map(|guard| guard.clock.clone()));
    if let Some(clock) = clock
        && let Some(pause) = collect_if_due(lua, &*clock)
        // Not after one that was worth it: the script was short of memory, and no longer is.
        && is_short(lua, limit)
    {
        pause.begin();
    }
}

/// Returns whether there is memory to resume a thread: mlua panics if an allocation of its own fails.
pub(crate) fn has_memory_to_resume(lua: &Lua, clock: impl Fn() -> f64) -> bool {
    if heap::has_reserve() {
        return true;
    }
    if let Some(pause) = collect_if_due(lua, clock) {
        pause.begin();
    }
    heap::has_reserve()
}

/// The time after a collection during which another one would not be worth its time.
struct Pause<'a> {
    lua: &'a Lua,
    ends: f64,
}

impl Pause<'_> {
    fn begin(self) {
        if let Some(limit) = self.lua.app_data_ref::<MemoryLimit>() {
            limit.next_collection.set(self.ends);
        }
    }
}

/// Collects garbage, unless a pause has not ended. Returns the pause that may follow.
fn collect_if_due(lua: &Lua, clock: impl Fn() -> f64) -> Option<Pause<'_>> {
    let began = clock();
    lua.app_data_ref::<MemoryLimit>().filter(|limit| began >= limit.next_collection.get())?;
    // It fails when a finalizer does, and ours do not.
    let _ = lua.gc_collect();
    let ended = clock();
    // A clock of the host's may be coarse.
    Some(Pause { lua, ends: ended + (ended - began).max(0.1) * COLLECTION_PAUSE })
}

/// Returns whether Luau code of a script runs, and no Rust code that it called.
pub(super) fn is_script_running() -> bool {
    !RUNNING.get().is_null()
}

fn relax(lua: &Lua, limit: usize) -> LuaResult<()> {
    lua.set_memory_limit(limit.saturating_mul(2)).map(drop)
}

/// Runs Rust code that must not be refused memory. No script may run in it.
pub(super) fn without_limit<R>(lua: &Lua, run: impl FnOnce() -> R) -> R {
    let limit = limit_of(lua);
    // The allocator supports limits, see `set_memory_limit`.
    let _ = limit.map(|_| lua.set_memory_limit(0));
    let result = run();
    let _ = limit.map(|limit| relax(lua, limit));
    result
}

/// The length that no string reaches, in bytes.
const LONGEST: usize = 1 << 30;

/// How many bytes a script may still have; as many as a string can have, where there is no limit.
pub(crate) fn memory_left(lua: &Lua) -> usize {
    limit_of(lua).map_or(LONGEST, |limit| limit.saturating_sub(lua.used_memory()))
}

/// What Luau may need beside what it is asked for: a page of small objects, and room to spare.
const BESIDES: usize = 64 * 1024;

/// Whether Rust code is sure to get so many bytes from Luau: also if its table of strings, which is less than a third of all there is, is
/// made anew for them.
pub(super) fn is_ample(lua: &Lua, bytes: usize) -> bool {
    let fits = |limit: usize| {
        let used = lua.used_memory();
        let needed = bytes.saturating_add(BESIDES).saturating_add(used + used / 2);
        RUNNING.get().is_null() && needed < limit.saturating_mul(2)
    };
    bytes < LONGEST / 2 && limit_of(lua).is_none_or(fits)
}

/// The VM whose script runs, if a new thread and one more value that mlua keeps are sure to need no more memory than the script may
/// have. The stack on which mlua keeps values is made anew with twice as many places when it is full.
///
/// # Safety
/// It is not used any more when the call from the script returns.
pub(super) unsafe fn script_with_room<'a>(references: &References) -> Option<&'a Lua> {
    // SAFETY: who set it waits further down the stack for the script.
    let running = unsafe { RUNNING.get().as_ref() }?;
    let needed = references.growth() + BESIDES;
    let has_room = running.lua.used_memory() + needed < running.limit - running.limit / 4;
    (has_room && has_room_for_call(Some(references))).then_some(running.lua)
}

/// Runs `script`, which raises no error, with the limit in force that [`limit_of`] told.
pub(super) fn limited<R>(lua: &Lua, limit: Option<usize>, script: impl FnOnce() -> R) -> R {
    let running = limit.map(|limit| Running { lua, limit });
    let outer = RUNNING.replace(running.as_ref().map_or(ptr::null(), ptr::from_ref).cast());
    if let Some(running) = &running {
        running.enforce();
    }
    let result = script();
    if let Some(running) = &running {
        running.relax();
    }
    RUNNING.set(outer);
    result
}

impl Running<'_> {
    fn enforce(&self) {
        // This allocator knows limits, see `set_memory_limit`.
        let _ = self.lua.set_memory_limit(self.limit);
    }

    fn relax(&self) {
        let _ = relax(self.lua, self.limit);
    }

    fn is_over(&self) -> bool {
        self.lua.used_memory() > self.limit
    }

    /// Whether what is used is within the limit, if need be after a collection.
    fn has_kept_to_it(&self) -> bool {
        // It fails when a finalizer does, and ours do not.
        !self.is_over() || (self.lua.gc_collect().is_ok() && !self.is_over())
    }
}

/// A function that scripts call, and that calls `function`, which is written in Rust, without the limit of the script. The script gets
/// an error when there is not enough memory before or after. `function` returns nil and then its results, or a message, which the
/// script gets as an error that names its own line.
///
/// # Errors
/// When there is no memory.
pub(crate) fn unlimited_plain(lua: &Lua, function: LuaFunction) -> LuaResult<LuaFunction> {
    wrapped(lua, function, call_plainly)
}

/// The same for a function that scripts call through Luau code of ours, which gets all that it returns.
///
/// # Errors
/// When there is no memory.
pub(crate) fn unlimited(lua: &Lua, function: LuaFunction) -> LuaResult<LuaFunction> {
    wrapped(lua, function, call_for_script)
}

/// The same for a function that our own Luau code calls, and that always has to come to its end.
///
/// # Errors
/// When there is no memory.
pub(crate) fn unlimited_internal(lua: &Lua, function: LuaFunction) -> LuaResult<LuaFunction> {
    wrapped(lua, function, call_for_us)
}

fn wrapped(lua: &Lua, function: LuaFunction, call: ffi::lua_CFunction) -> LuaResult<LuaFunction> {
    let references = References::of(lua)?;
    // SAFETY: the function is what is on the stack, and becomes an upvalue of the one that is left there.
    unsafe { lua.exec_raw(function, |state| push_wrapped(state, &references, call, ptr::null())) }
}

/// Puts `call` in the place of the function on the stack, with that and `references` and `own` as its upvalues.
///
/// # Safety
/// The function is alone on the stack.
pub(super) unsafe fn push_wrapped(
    state: *mut ffi::lua_State,
    references: &References,
    call: ffi::lua_CFunction,
    own: *const c_void,
) {
    // The VM keeps the references, so they are there for as long as the function is.
    let references = ptr::from_ref(references);
    // SAFETY: the caller's promise.
    unsafe {
        ffi::lua_pushlightuserdata(state, references.cast_mut().cast());
        ffi::lua_pushlightuserdata(state, own.cast_mut());
        ffi::lua_pushcclosure(state, call, 3);
    }
}

/// What a function is that [`unlimited_plain`] made.
pub(super) unsafe extern "C-unwind" fn call_plainly(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. There is a result at least, and room for another value: those of the
    // arguments have gone.
    unsafe {
        let count = call(state, Some(1));
        if ffi::lua_isnil(state, 1) == 0 {
            ffi::lua_settop(state, 1);
            ffi::luaL_where(state, 1);
            ffi::lua_insert(state, 1);
            ffi::lua_concat(state, 2);
            ffi::lua_error(state);
        }
        ffi::lua_remove(state, 1);
        count - 1
    }
}

unsafe extern "C-unwind" fn call_for_script(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe { call(state, Some(2)) }
}

unsafe extern "C-unwind" fn call_for_us(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe { call(state, None) }
}

/// Calls the function, with integers in boxes for it.
///
/// `script` is the level of the script that calls, which may be refused; none where Luau code of ours calls for itself.
///
/// # Safety
/// `state` runs a C function that [`wrapped`] made, with its arguments on the stack.
unsafe fn call(state: *mut ffi::lua_State, script: Option<c_int>) -> c_int {
    // SAFETY: who set it waits further down the stack for what `state` runs.
    let running = unsafe { RUNNING.get().as_ref() };
    // SAFETY: the caller's promise, and a C function has room for twenty values. Errors pass over frames in which nothing is
    // left to drop.
    unsafe {
        if script.is_some() {
            raise_if_doomed(state);
        }
        box_all(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        let count = ffi::lua_gettop(state) - 1;
        // The VM keeps them. There are some in every function that `push_wrapped` made.
        let references = ffi::lua_tolightuserdata(state, ffi::lua_upvalueindex(2)).cast::<References>().as_ref();
        if let Some(level) = script
            && references.is_some_and(|references| !references.have_room(count))
        {
            ffi::luaL_where(state, level);
            ffi::lua_pushlstring(state, TOO_MANY.as_ptr().cast(), TOO_MANY.len());
            ffi::lua_concat(state, 2);
            ffi::lua_error(state);
        }
        let Some(running) = running else {
            ffi::lua_call(state, count, ffi::LUA_MULTRET);
            unbox_all(state, 1);
            return ffi::lua_gettop(state);
        };
        if script.is_some() && (is_short(running.lua, running.limit) || !has_room_for_call(references)) {
            make_room_again(running.lua, Some(running.limit));
            if running.is_over() || !has_room_for_call(references) {
                refuse(state);
            }
        }
        RUNNING.set(ptr::null());
        running.relax();
        let status = ffi::lua_pcall(state, count, ffi::LUA_MULTRET, 0);
        let is_well = script.is_none() || running.has_kept_to_it();
        running.enforce();
        RUNNING.set(running);
        if status != ffi::LUA_OK {
            ffi::lua_error(state);
        }
        if !is_well {
            refuse(state);
        }
        unbox_all(state, 1);
        ffi::lua_gettop(state)
    }
}

/// The scheduler's tables have an entry for each value that Rust holds, and a table that is full is replaced by one of twice the size. With
/// those of mlua they make up this many times what [`References::growth`] returns.
const PARTS: usize = 4;

/// Returns whether the heap has room for what every call into Rust needs.
fn has_room_for_call(references: Option<&References>) -> bool {
    heap::has_room(references.map_or(0, References::growth).saturating_mul(PARTS) + BESIDES)
}

/// # Safety
/// As for [`call`].
unsafe fn refuse(state: *mut ffi::lua_State) -> ! {
    let message = allocator::refuse_memory();
    // SAFETY: the caller's promise. The text was made when Luau was, so this needs no memory.
    unsafe {
        ffi::lua_pushlstring(state, message.as_ptr().cast(), message.len());
        ffi::lua_error(state)
    }
}
