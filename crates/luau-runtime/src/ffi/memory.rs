//! Memory limits of scripts.
//!
//! mlua panics if an allocation fails while it pops a value, and a panic ends the instance. So the limit is in force while a script runs,
//! and Rust code that the script calls may use twice as much. That is enough for mlua's reference stack, which counts as used memory, to
//! grow once more. If Rust code exceeds the limit, garbage is collected before the script continues, or the script is refused the result.

use std::cell::Cell;
use std::ffi::c_int;
use std::ptr;
use std::rc::Rc;

use mlua::ffi;
use mlua::prelude::*;

use super::clock_schedule::check_clock_soon;
use super::guard::{GUARD, raise_if_terminated};
use super::integers::{box_all, unbox_all};
use super::references::{References, TOO_MANY};
use super::running_script::{RUNNING, RunningScript};
use super::{allocator, heap};

/// The memory limit for the scripts of a VM.
struct MemoryLimit {
    /// The limit, in bytes.
    max_bytes: usize,
    /// The time from which garbage may be collected again while a script runs, in milliseconds.
    next_collection: Cell<f64>,
}

/// Limits the memory of a VM, in bytes. From then on, an allocation that fails because the heap is exhausted also raises an error in the
/// script.
///
/// # Errors
/// If Luau no longer stores its allocator where it used to.
pub fn set_memory_limit(lua: &Lua, limit: usize) -> LuaResult<()> {
    if lua.app_data_ref::<MemoryLimit>().is_none() {
        allocator::install(lua)?;
    }
    lua.set_app_data(MemoryLimit { max_bytes: limit, next_collection: Cell::new(0.0) });
    relax(lua, limit)
}

/// Returns the memory limit for the scripts of a VM in bytes, if there is one.
pub(crate) fn limit_of(lua: &Lua) -> Option<usize> {
    lua.app_data_ref::<MemoryLimit>().map(|limit| limit.max_bytes)
}

fn is_short(lua: &Lua, limit: usize) -> bool {
    is_short_with(lua, limit, 0)
}

/// Does the same as [`is_short`] if the VM used this many bytes more.
fn is_short_with(lua: &Lua, limit: usize, bytes: usize) -> bool {
    lua.used_memory() + bytes > limit - limit / 4
}

/// Collects garbage if the VM has used most of its limit, or the heap most of the engine's memory. Luau's collector keeps its own pace:
/// once a script has used up its limit, the collector would not complete a cycle before twice as much is in use.
pub fn make_room(lua: &Lua) {
    if limit_of(lua).is_some_and(|limit| is_short(lua, limit)) || !heap::has_reserve() {
        collect(lua);
    }
}

/// Collects all garbage. That takes long, so the guard reads the clock afterwards.
fn collect(lua: &Lua) {
    // It fails only if a finalizer fails, and ours never do.
    let _ = lua.gc_collect();
    check_clock_soon();
}

/// The minimum time until the next collection, as a multiple of the duration of the last one.
const PAUSE_FACTOR: f64 = 8.0;

/// Does the same as [`make_room`] while a script runs. The script may really need that much, so it gets most of the time.
pub(super) fn make_room_again(lua: &Lua, limit: Option<usize>) {
    let Some(limit) = limit.filter(|&limit| is_short(lua, limit) || !heap::has_reserve()) else { return };
    let clock = GUARD.with_borrow(|guard| guard.as_ref().map(|guard| guard.clock.clone()));
    if let Some(clock) = clock
        && let Some(pause) = collect_if_due(lua, &*clock)
        // No pause after a worthwhile collection, which ended the shortage: the script would be refused memory that is garbage.
        && is_short(lua, limit)
    {
        pause.begin();
    }
}

/// Returns true if there is enough memory for what mlua allocates: it panics if one of its own allocations fails. Collects garbage if
/// necessary.
pub fn ensure_reserve(lua: &Lua, clock: impl Fn() -> f64) -> bool {
    if heap::has_reserve() {
        return true;
    }
    if let Some(pause) = collect_if_due(lua, clock) {
        pause.begin();
    }
    heap::has_reserve()
}

/// The time after a collection during which another one would not be worthwhile.
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

/// Collects garbage unless a pause is in effect. Returns the pause that may follow.
fn collect_if_due(lua: &Lua, clock: impl Fn() -> f64) -> Option<Pause<'_>> {
    let began = clock();
    lua.app_data_ref::<MemoryLimit>().filter(|limit| began >= limit.next_collection.get())?;
    collect(lua);
    let ended = clock();
    // The host's clock may be coarse.
    Some(Pause { lua, ends: ended + (ended - began).max(0.1) * PAUSE_FACTOR })
}

fn relax(lua: &Lua, limit: usize) -> LuaResult<()> {
    lua.set_memory_limit(limit.saturating_mul(2)).map(drop)
}

/// Runs Rust code that must not be refused memory. It must not run a script.
pub(super) fn without_limit<R>(lua: &Lua, run: impl FnOnce() -> R) -> R {
    let limit = limit_of(lua);
    // The allocator supports limits; see `set_memory_limit`.
    let _ = limit.map(|_| lua.set_memory_limit(0));
    let result = run();
    let _ = limit.map(|limit| relax(lua, limit));
    result
}

/// A length that no string reaches, in bytes.
const MAX_STRING_BYTES: usize = 1 << 30;

/// Returns the number of bytes that a script may still allocate. Without a limit that is the maximum length of a string.
pub(crate) fn memory_left(lua: &Lua) -> usize {
    limit_of(lua).map_or(MAX_STRING_BYTES, |limit| limit.saturating_sub(lua.used_memory()))
}

/// The memory that Luau may need beyond what is requested, in bytes: a page of small objects, and some margin.
const SPARE_BYTES: usize = 64 * 1024;

/// Returns true if Luau is certain to provide this many bytes to Rust code, even if it reallocates its string table, which takes up less
/// than a third of all memory.
pub(super) fn is_ample(lua: &Lua, bytes: usize) -> bool {
    let fits = |limit: usize| {
        let used = lua.used_memory();
        let needed = bytes.saturating_add(SPARE_BYTES).saturating_add(used + used / 2);
        RUNNING.get().is_null() && needed < limit.saturating_mul(2)
    };
    bytes < MAX_STRING_BYTES / 2 && limit_of(lua).is_none_or(fits)
}

/// Returns the VM whose script runs, if Luau is certain to provide the memory with which Rust holds one more value.
///
/// # Safety
/// The result must not be used after the call from the script has returned.
pub(super) unsafe fn script_with_room<'a>(references: &References) -> Option<&'a Lua> {
    // SAFETY: the frame that set it is further down the stack, and waits for the script.
    let running = unsafe { RUNNING.get().as_ref() }?;
    let is_short = is_short_with(running.lua, running.limit, references.growth() + SPARE_BYTES);
    (!is_short && has_room_for_call(Some(references), 1)).then_some(running.lua)
}

/// Runs `script`, which raises no error, with this limit in force, which came from [`limit_of`].
pub(super) fn limited<R>(lua: &Lua, limit: Option<usize>, script: impl FnOnce() -> R) -> R {
    let running = limit.map(|limit| RunningScript { lua, limit });
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

impl RunningScript<'_> {
    fn enforce(&self) {
        // The allocator supports limits; see `set_memory_limit`.
        let _ = self.lua.set_memory_limit(self.limit);
    }

    fn relax(&self) {
        let _ = relax(self.lua, self.limit);
    }

    fn is_over(&self) -> bool {
        self.lua.used_memory() > self.limit
    }

    /// Returns true if the used memory is within the limit, after a collection if necessary.
    fn fits_limit(&self) -> bool {
        if self.is_over() {
            collect(self.lua);
        }
        !self.is_over()
    }
}

/// The caller of a function created by [`unlimited`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// A script. `function` returns either nil and then its results, or a message, which the script gets as an error with its own line.
    Script,
    /// Our own Luau code, for a script. It receives everything that `function` returns.
    ShimForScript,
    /// Our own Luau code, where `function` must always finish: it is never refused.
    OurCode,
}

/// Creates a function that calls `function`, which is written in Rust, without the memory limit of the script. A script gets an error if
/// there is not enough memory before or after the call.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn unlimited(lua: &Lua, function: LuaFunction, caller: Caller) -> LuaResult<LuaFunction> {
    let call: ffi::lua_CFunction = match caller {
        Caller::Script => call_plainly,
        Caller::ShimForScript => call_for_script,
        Caller::OurCode => call_for_us,
    };
    let references = References::of(lua)?;
    // The VM keeps the references, so they live as long as the function.
    let references = Rc::as_ptr(&references).cast_mut();
    // SAFETY: only `function` is on the stack, and it becomes an upvalue of the function that is left there.
    unsafe {
        lua.exec_raw(function, |state| {
            ffi::lua_pushlightuserdata(state, references.cast());
            ffi::lua_pushcclosure(state, call, 2);
        })
    }
}

unsafe extern "C-unwind" fn call_plainly(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack. There is at least one result, and room for another value in place of the
    // arguments.
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

pub(super) unsafe extern "C-unwind" fn call_for_script(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe { call(state, Some(2)) }
}

unsafe extern "C-unwind" fn call_for_us(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Luau calls this with the arguments on the stack.
    unsafe { call(state, None) }
}

/// Calls the function, passing it integers in boxes.
///
/// `script` is the stack level of the calling script, which may be refused; none if our own Luau code calls.
///
/// # Safety
/// `state` runs a C function created by [`unlimited`], with its arguments on the stack.
unsafe fn call(state: *mut ffi::lua_State, script: Option<c_int>) -> c_int {
    // SAFETY: the frame that set it is further down the stack, and waits for `state`.
    let running = unsafe { RUNNING.get().as_ref() };
    // SAFETY: the caller's promise, and a C function has room for twenty values. Errors unwind through frames that have nothing left to
    // drop.
    unsafe {
        if script.is_some() {
            raise_if_terminated(state);
        }
        box_all(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        let count = ffi::lua_gettop(state) - 1;
        // The VM keeps them alive. Every function created by `unlimited` has them.
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
        let has_room = || has_room_for_call(references, count.unsigned_abs() as usize);
        if script.is_some() && (is_short(running.lua, running.limit) || !has_room()) {
            make_room_again(running.lua, Some(running.limit));
            if running.is_over() || !has_room() {
                refuse(state);
            }
        }
        RUNNING.set(ptr::null());
        running.relax();
        let status = ffi::lua_pcall(state, count, ffi::LUA_MULTRET, 0);
        let is_allowed = script.is_none() || running.fits_limit();
        running.enforce();
        RUNNING.set(running);
        if status != ffi::LUA_OK {
            ffi::lua_error(state);
        }
        if !is_allowed {
            refuse(state);
        }
        unbox_all(state, 1);
        ffi::lua_gettop(state)
    }
}

/// The number of tables that may grow with the references. The scheduler's tables have an entry for each value that Rust holds, and a full
/// table is replaced by one of twice the size. Together with mlua's tables they take up this many times [`References::growth`].
const GROWING_TABLES: usize = 4;

/// The number of lists of the arguments that Rust may hold at once.
const ARGUMENT_LISTS: usize = 3;

/// Returns true if the heap has room for what a call into Rust with this many arguments needs.
fn has_room_for_call(references: Option<&References>, arguments: usize) -> bool {
    let tables = references.map_or(0, References::growth).saturating_mul(GROWING_TABLES);
    let lists = arguments * size_of::<LuaValue>() * ARGUMENT_LISTS;
    heap::has_room(tables.saturating_add(lists) + SPARE_BYTES)
}

/// # Safety
/// As for [`call`].
unsafe fn refuse(state: *mut ffi::lua_State) -> ! {
    let message = allocator::refuse_memory();
    // SAFETY: the caller's promise. Luau created the text with the VM, so this needs no memory.
    unsafe {
        ffi::lua_pushlstring(state, message.as_ptr().cast(), message.len());
        ffi::lua_error(state)
    }
}
