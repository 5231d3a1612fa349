//! Turns Rust functions into Luau functions.
//!
//! mlua passes the error of a Rust callback to the script as a userdata. Scripts expect a string that names their own line, as from Luau's
//! library. So a Rust function here returns its error as a value, and a wrapper raises it. The wrapper is a C function, or a Luau function
//! (`function.luau`) if the function may park its thread: C code cannot yield and then continue.

use mlua::prelude::*;

use crate::call_error::CallError;
use crate::error::CHUNK_NAME;
use crate::ffi::{self, Caller};
use crate::scheduler::Scheduler;
use crate::value::{number, type_name};

/// The called function, as its errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// A function that is called with a dot.
    Function(&'static str),
    /// A method that is called with a colon. The first argument is the object, which the script does not count.
    Method(&'static str),
}

/// The arguments of a call, with typed accessors. The errors are worded like those of Luau's own library.
#[derive(Debug)]
pub struct Args<'a> {
    lua: &'a Lua,
    callee: Callee,
    values: LuaMultiValue,
}

impl Args<'_> {
    pub(crate) fn lua(&self) -> &Lua {
        self.lua
    }

    /// Returns the argument at `index`, from 1, or nil if there is none.
    #[must_use]
    pub fn value(&self, index: usize) -> LuaValue {
        self.values.get(index - 1).cloned().unwrap_or(LuaNil)
    }

    /// Returns the arguments from `index` on, including nils.
    #[must_use]
    pub fn rest(mut self, index: usize) -> LuaMultiValue {
        let rest = self.values.drain(..).skip(index - 1).collect();
        LuaMultiValue::from_vec(rest)
    }

    /// Creates the error for an argument that is not of the `expected` type.
    #[must_use]
    pub fn mismatch(&self, index: usize, expected: &str) -> CallError {
        let (number, name) = match self.callee {
            Callee::Function(name) => (index, name),
            Callee::Method(name) if index == 1 => {
                return CallError::new(format!(
                    "expected ':' not '.' calling member function '{name}' of a {expected}"
                ));
            }
            Callee::Method(name) => (index - 1, name),
        };
        match self.values.get(index - 1) {
            Some(value) => {
                let got = if ffi::unboxed(self.lua, value).is_some() { "integer" } else { &type_name(value) };
                CallError::new(format!("invalid argument #{number} to '{name}' ({expected} expected, got {got})"))
            }
            None => CallError::new(format!("missing argument #{number} to '{name}' ({expected} expected)")),
        }
    }

    /// Returns an argument of any type, including nil.
    ///
    /// # Errors
    /// If the argument is missing.
    pub fn any(&self, index: usize) -> Result<LuaValue, CallError> {
        self.values.get(index - 1).cloned().ok_or_else(|| self.mismatch(index, "any value"))
    }

    /// Returns a string. A number is not accepted as a string.
    ///
    /// # Errors
    /// If the argument is something else.
    pub fn string(&self, index: usize) -> Result<LuaString, CallError> {
        match self.value(index) {
            LuaValue::String(text) => Ok(text),
            _ => Err(self.mismatch(index, "string")),
        }
    }

    /// Returns a number, or none if the argument is nil or missing.
    ///
    /// # Errors
    /// If the argument is something else.
    pub fn optional_number(&self, index: usize) -> Result<Option<f64>, CallError> {
        match self.value(index) {
            LuaValue::Nil => Ok(None),
            value => number(&value).map(Some).ok_or_else(|| self.mismatch(index, "number")),
        }
    }

    /// Returns a function.
    ///
    /// # Errors
    /// If the argument is something else.
    pub fn function(&self, index: usize) -> Result<LuaFunction, CallError> {
        match self.value(index) {
            LuaValue::Function(function) => Ok(function),
            _ => Err(self.mismatch(index, "function")),
        }
    }

    /// Returns a userdata that holds a `T`. `expected` is the name of the type in Luau.
    ///
    /// # Errors
    /// If the argument is something else.
    pub fn userdata<T: 'static>(&self, index: usize, expected: &str) -> Result<LuaUserDataRef<T>, CallError> {
        match self.value(index) {
            LuaValue::UserData(data) => data.borrow().map_err(|_| self.mismatch(index, expected)),
            _ => Err(self.mismatch(index, expected)),
        }
    }
}

/// The outcome of a call that may wait.
#[derive(Debug)]
pub enum Answer {
    /// The call returns these values.
    Ready(LuaMultiValue),
    /// The current thread was parked. The call returns the values that it is woken with.
    Pending,
}

/// The outcome of a call that may start a thread.
#[derive(Debug)]
pub(crate) enum Start {
    /// The call starts no thread.
    Answer(Answer),
    /// The thread is resumed with `main` and runs until it yields or ends. Then `finish` gets the ticket.
    Run { thread: LuaThread, main: LuaFunction, ticket: usize },
}

/// A builder of Luau functions. Each VM has one.
#[derive(Clone, Debug)]
pub struct FunctionBuilder {
    indexing: LuaFunction,
    bound: LuaFunction,
    yielding: LuaFunction,
    maybe_yielding: LuaFunction,
    starting: LuaFunction,
    scheduler: Scheduler,
}

impl FunctionBuilder {
    /// Creates a builder for `lua`, whose threads `scheduler` parks and wakes.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn new(lua: &Lua, scheduler: &Scheduler) -> LuaResult<Self> {
        let release = {
            let scheduler = scheduler.clone();
            internal(lua, move |lua, ()| {
                scheduler.release(&lua.current_thread());
                Ok(())
            })?
        };
        let shims = load(lua, include_str!("function.luau"), (scheduler.resume_sentinel(lua)?, release))?;
        let (indexing, bound, yielding, maybe_yielding, starting) = shims;
        Ok(Self { indexing, bound, yielding, maybe_yielding, starting, scheduler: scheduler.clone() })
    }

    /// Creates a function that returns at once.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn sync<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        callee: Callee,
        function: impl Fn(&Lua, Args) -> Result<R, CallError> + 'static,
    ) -> LuaResult<LuaFunction> {
        ffi::unlimited(lua, create(lua, native(callee, function))?, Caller::Script)
    }

    /// Creates the `__index` of a userdata with these methods. `index` returns the values for other names.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn indexing<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        methods: LuaTable,
        index: impl Fn(&Lua, Args) -> Result<R, CallError> + 'static,
    ) -> LuaResult<LuaFunction> {
        self.indexing.call((methods, in_luau(lua, native(Callee::Function("index"), index))?))
    }

    /// Creates a Luau function that binds a value: it returns functions for one of our own values, such as `loadstring` for a table of
    /// globals. `function` gets the value as the first argument, like a method gets its object.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn bound<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        name: &'static str,
        function: impl Fn(&Lua, Args) -> Result<R, CallError> + 'static,
    ) -> LuaResult<LuaFunction> {
        self.bound.call(in_luau(lua, native(Callee::Method(name), function))?)
    }

    /// Creates a function that parks the calling thread, and returns the values that it is woken with.
    ///
    /// If `park` succeeds, it must have parked the current thread through [`Scheduler::park`] or a similar method, unless it returns a
    /// reason. Then the call returns nil and the reason at once.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn yielding<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        callee: Callee,
        park: impl Fn(&Lua, Args) -> Result<R, CallError> + 'static,
    ) -> LuaResult<LuaFunction> {
        self.yielding.call(in_luau(lua, native(callee, park))?)
    }

    /// Creates a function that returns at once or parks the calling thread. Errors name a host function as `callee`, such as `the host
    /// function 'load'`.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn maybe_yielding(
        &self,
        lua: &Lua,
        callee: Option<&str>,
        function: impl Fn(&Lua, LuaMultiValue) -> Result<Answer, CallError> + 'static,
    ) -> LuaResult<LuaFunction> {
        let scheduler = self.scheduler.clone();
        let native = external(lua, move |lua, args: LuaMultiValue| answer(&scheduler, lua, function(lua, args)))?;
        self.maybe_yielding.call((native, callee))
    }

    /// Creates a function that returns at once, parks the calling thread, or first starts another thread. When that thread has yielded or
    /// ended, `finish` gets its ticket.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(crate) fn starting(
        &self,
        lua: &Lua,
        function: impl Fn(&Lua, LuaMultiValue) -> Result<Start, CallError> + 'static,
        finish: impl Fn(&Lua, usize) -> Result<Answer, CallError> + 'static,
    ) -> LuaResult<LuaFunction> {
        let native = {
            let scheduler = self.scheduler.clone();
            external(lua, move |lua, args: LuaMultiValue| match function(lua, args) {
                Ok(Start::Run { thread, main, ticket }) => (LuaNil, thread, main, ticket).into_lua_multi(lua),
                Ok(Start::Answer(answered)) => answer(&scheduler, lua, Ok(answered)),
                Err(error) => answer(&scheduler, lua, Err(error)),
            })?
        };
        let scheduler = self.scheduler.clone();
        let finish = internal(lua, move |lua, ticket: usize| answer(&scheduler, lua, finish(lua, ticket)))?;
        self.starting.call((native, finish))
    }
}

/// Converts an answer to the results of a native function of `maybe_yielding`; see `function.luau`.
fn answer(scheduler: &Scheduler, lua: &Lua, answer: Result<Answer, CallError>) -> LuaResult<LuaMultiValue> {
    match answer {
        Ok(Answer::Ready(mut values)) => {
            values.push_front(LuaValue::Boolean(false));
            values.push_front(LuaNil);
            Ok(values)
        }
        Ok(Answer::Pending) => (LuaNil, true).into_lua_multi(lua),
        Err(failure) => {
            let has_place = failure.has_place();
            (scheduler.raised(lua, failure), has_place).into_lua_multi(lua)
        }
    }
}

/// A Rust function with its types erased. mlua generates several kilobytes of code per type, so it gets only this one.
type Native = Box<dyn Fn(&Lua, LuaMultiValue) -> LuaResult<LuaMultiValue>>;

fn create(lua: &Lua, function: Native) -> LuaResult<LuaFunction> {
    lua.create_function(move |lua, values| function(lua, values))
}

/// Creates a function that scripts call through our own Luau code.
fn in_luau(lua: &Lua, function: Native) -> LuaResult<LuaFunction> {
    ffi::unlimited(lua, create(lua, function)?, Caller::ShimForScript)
}

fn typed<A: FromLuaMulti, R: IntoLuaMulti>(function: impl Fn(&Lua, A) -> LuaResult<R> + 'static) -> Native {
    Box::new(move |lua, values| function(lua, A::from_lua_multi(values, lua)?)?.into_lua_multi(lua))
}

/// Wraps a function so that it returns either nil and then its results, or the message of its error.
fn native<R: IntoLuaMulti>(callee: Callee, function: impl Fn(&Lua, Args) -> Result<R, CallError> + 'static) -> Native {
    Box::new(move |lua, values| {
        let result = function(lua, Args { lua, callee, values })
            .and_then(|results| results.into_lua_multi(lua).map_err(CallError::from));
        match result {
            Ok(mut results) => {
                results.push_front(LuaNil);
                Ok(results)
            }
            Err(failure) => failure.into_thrown(lua).0.into_lua_multi(lua),
        }
    })
}

/// Creates a function that passes the script's arguments to the host. Our own Luau code calls it for the script, and the call is refused if
/// there is not enough memory.
///
/// # Errors
/// If there is not enough memory.
pub fn external<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    function: impl Fn(&Lua, A) -> LuaResult<R> + 'static,
) -> LuaResult<LuaFunction> {
    in_luau(lua, typed(function))
}

/// Creates a function that passes a thread to `take`, and calls `function` like an [`external`] one with anything else. A VM has only one.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn taking_threads<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    take: impl Fn(LuaThread) + 'static,
    function: impl Fn(&Lua, A) -> LuaResult<R> + 'static,
) -> LuaResult<LuaFunction> {
    ffi::taking_threads(lua, create(lua, typed(function))?, take)
}

/// Creates a function that our own Luau code calls and that must always finish.
///
/// # Errors
/// If there is not enough memory.
pub(crate) fn internal<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    function: impl Fn(&Lua, A) -> LuaResult<R> + 'static,
) -> LuaResult<LuaFunction> {
    ffi::unlimited(lua, create(lua, typed(function))?, Caller::OurCode)
}

/// Runs one of our own chunks and returns its results. The chunk has no line numbers, so `error` never puts one before a message.
///
/// # Errors
/// If there is not enough memory, or the chunk fails.
pub fn load<R: FromLuaMulti>(lua: &Lua, source: &str, args: impl IntoLuaMulti) -> LuaResult<R> {
    let compiler = LuaCompiler::new().set_debug_level(0);
    lua.load(source).set_name(format!("={CHUNK_NAME}")).set_compiler(compiler).call(args)
}
