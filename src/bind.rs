//! How a Rust function becomes a Luau function.
//!
//! mlua hands an error of a Rust callback to the script as a userdata. Scripts expect a string that names their own
//! line, as Luau's library gives. So a Rust function here returns its failure as a value, and what stands around it raises
//! it: a function of C, or one of Luau (`bind.luau`) around those that park their thread, since C code cannot yield and go on
//! afterwards.

use mlua::prelude::*;

use crate::error::CHUNK_NAME;
use crate::failure::Failure;
use crate::raw;
use crate::scheduler::Scheduler;
use crate::value::{number, type_name};

/// What is called, as its errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// Called with a dot.
    Function(&'static str),
    /// Called with a colon: the first argument is the object, and the script does not count it.
    Method(&'static str),
}

/// The arguments of a call, with access by type in the wording of Luau's own library.
#[derive(Debug)]
pub struct Args<'a> {
    lua: &'a Lua,
    callee: Callee,
    values: LuaMultiValue,
}

impl Args<'_> {
    /// The argument at `index`, from 1; nil if there is none.
    #[must_use]
    pub fn value(&self, index: usize) -> LuaValue {
        self.values.get(index - 1).cloned().unwrap_or(LuaNil)
    }

    /// The arguments from `index` on, holes and all.
    #[must_use]
    pub fn rest(mut self, index: usize) -> LuaMultiValue {
        let rest = self.values.drain(..).skip(index - 1).collect();
        LuaMultiValue::from_vec(rest)
    }

    /// The failure of an argument that is not what was `expected`.
    #[must_use]
    pub fn mismatch(&self, index: usize, expected: &str) -> Failure {
        let (number, name) = match self.callee {
            Callee::Function(name) => (index, name),
            Callee::Method(name) if index == 1 => {
                return Failure::new(format!("expected ':' not '.' calling member function '{name}' of a {expected}"));
            }
            Callee::Method(name) => (index - 1, name),
        };
        match self.values.get(index - 1) {
            Some(value) => {
                let got = if raw::unboxed(self.lua, value).is_some() { "integer" } else { &type_name(value) };
                Failure::new(format!("invalid argument #{number} to '{name}' ({expected} expected, got {got})"))
            }
            None => Failure::new(format!("missing argument #{number} to '{name}' ({expected} expected)")),
        }
    }

    /// A value of any type, nil too, but not none at all.
    ///
    /// # Errors
    /// When the argument is missing.
    pub fn any(&self, index: usize) -> Result<LuaValue, Failure> {
        self.values.get(index - 1).cloned().ok_or_else(|| self.mismatch(index, "any value"))
    }

    /// A string; a number is not taken for one.
    ///
    /// # Errors
    /// When the argument is something else.
    pub fn string(&self, index: usize) -> Result<LuaString, Failure> {
        match self.value(index) {
            LuaValue::String(text) => Ok(text),
            _ => Err(self.mismatch(index, "string")),
        }
    }

    /// A number, or none where it is nil or missing.
    ///
    /// # Errors
    /// When the argument is something else.
    pub fn optional_number(&self, index: usize) -> Result<Option<f64>, Failure> {
        match self.value(index) {
            LuaValue::Nil => Ok(None),
            value => number(&value).map(Some).ok_or_else(|| self.mismatch(index, "number")),
        }
    }

    /// A function.
    ///
    /// # Errors
    /// When the argument is something else.
    pub fn function(&self, index: usize) -> Result<LuaFunction, Failure> {
        match self.value(index) {
            LuaValue::Function(function) => Ok(function),
            _ => Err(self.mismatch(index, "function")),
        }
    }

    /// A userdata that holds a `T`; `expected` is the name of the type in Luau.
    ///
    /// # Errors
    /// When the argument is something else.
    pub fn userdata<T: 'static>(&self, index: usize, expected: &str) -> Result<LuaUserDataRef<T>, Failure> {
        match self.value(index) {
            LuaValue::UserData(data) => data.borrow().map_err(|_| self.mismatch(index, expected)),
            _ => Err(self.mismatch(index, expected)),
        }
    }
}

/// The outcome of a call that may have to wait.
#[derive(Debug)]
pub enum Answer {
    /// It returns these values.
    Now(LuaMultiValue),
    /// The current thread was given to the scheduler; the call returns what it is woken with.
    Parked,
}

/// The outcome of a call that may begin a thread.
#[derive(Debug)]
pub(crate) enum Start {
    /// It begins none.
    Answer(Answer),
    /// The thread is resumed with `main` and runs until it yields or ends. Then `finish` gets the ticket.
    Run { thread: LuaThread, main: LuaFunction, ticket: usize },
}

/// Makes Luau functions; one for each VM.
#[derive(Clone, Debug)]
pub struct Binder {
    indexing: LuaFunction,
    bound: LuaFunction,
    parking: LuaFunction,
    answering: LuaFunction,
    beginning: LuaFunction,
    scheduler: Scheduler,
}

impl Binder {
    /// A binder for `lua`, whose parked threads are those of `scheduler`.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(lua: &Lua, scheduler: &Scheduler) -> LuaResult<Self> {
        let scheduler_of_release = scheduler.clone();
        let release = internal(lua, move |lua, ()| {
            scheduler_of_release.release(&lua.current_thread());
            Ok(())
        })?;
        let shims = load(lua, include_str!("bind.luau"), (scheduler.mark(lua)?, release))?;
        let (indexing, bound, parking, answering, beginning) = shims;
        Ok(Self { indexing, bound, parking, answering, beginning, scheduler: scheduler.clone() })
    }

    /// A function that returns at once.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn plain<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        callee: Callee,
        function: impl Fn(&Lua, Args) -> Result<R, Failure> + 'static,
    ) -> LuaResult<LuaFunction> {
        raw::unlimited_plain(lua, made(lua, native(callee, function))?)
    }

    /// The same for one that makes a thread of a function: where that is all it is given, and there is room, `take` gets the thread
    /// without all that a call of Rust takes.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn making_threads<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        callee: Callee,
        function: impl Fn(&Lua, Args) -> Result<R, Failure> + 'static,
        take: impl Fn(LuaThread) + 'static,
    ) -> LuaResult<LuaFunction> {
        raw::unlimited_making_threads(lua, made(lua, native(callee, function))?, take)
    }

    /// The `__index` of a userdata that has these methods, and for other names what `index` gives.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn indexing<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        methods: LuaTable,
        index: impl Fn(&Lua, Args) -> Result<R, Failure> + 'static,
    ) -> LuaResult<LuaFunction> {
        self.indexing.call((methods, in_luau(lua, native(Callee::Function("index"), index))?))
    }

    /// Returns a Luau function that makes functions for a value of ours, such as `loadstring` for a table of globals. `function` gets the
    /// value as the first argument, as a method gets its object.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn bound<R: IntoLuaMulti>(
        &self,
        lua: &Lua,
        name: &'static str,
        function: impl Fn(&Lua, Args) -> Result<R, Failure> + 'static,
    ) -> LuaResult<LuaFunction> {
        self.bound.call(in_luau(lua, native(Callee::Method(name), function))?)
    }

    /// A function that parks the thread that calls it, and returns what it is woken with.
    ///
    /// When `park` succeeds, it has given the scheduler the current thread, by [`Scheduler::park`] or a kin of it.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn parking(
        &self,
        lua: &Lua,
        callee: Callee,
        park: impl Fn(&Lua, Args) -> Result<(), Failure> + 'static,
    ) -> LuaResult<LuaFunction> {
        self.parking.call(in_luau(lua, native(callee, park))?)
    }

    /// A function that returns at once, or parks the thread that calls it. Errors name a function of the host by `callee`, such as
    /// `the host function 'load'`.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn answering(
        &self,
        lua: &Lua,
        callee: Option<&str>,
        function: impl Fn(&Lua, LuaMultiValue) -> Result<Answer, Failure> + 'static,
    ) -> LuaResult<LuaFunction> {
        let scheduler = self.scheduler.clone();
        let native = external(lua, move |lua, args: LuaMultiValue| answer(&scheduler, lua, function(lua, args)))?;
        self.answering.call((native, callee))
    }

    /// A function that returns at once, parks the thread that calls it, or first begins another one. `finish` gets the ticket of that one
    /// when it is back.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn beginning(
        &self,
        lua: &Lua,
        function: impl Fn(&Lua, LuaMultiValue) -> Result<Start, Failure> + 'static,
        finish: impl Fn(&Lua, usize) -> Result<Answer, Failure> + 'static,
    ) -> LuaResult<LuaFunction> {
        let [of_native, of_finish] = [(); 2].map(|()| self.scheduler.clone());
        let native = external(lua, move |lua, args: LuaMultiValue| match function(lua, args) {
            Ok(Start::Run { thread, main, ticket }) => (LuaNil, thread, main, ticket).into_lua_multi(lua),
            Ok(Start::Answer(answered)) => answer(&of_native, lua, Ok(answered)),
            Err(failure) => answer(&of_native, lua, Err(failure)),
        })?;
        let finish = internal(lua, move |lua, ticket: usize| answer(&of_finish, lua, finish(lua, ticket)))?;
        self.beginning.call((native, finish))
    }
}

/// Returns what a native function of `answering` returns, see `bind.luau`.
fn answer(scheduler: &Scheduler, lua: &Lua, answer: Result<Answer, Failure>) -> LuaResult<LuaMultiValue> {
    match answer {
        Ok(Answer::Now(mut values)) => {
            values.push_front(LuaValue::Boolean(false));
            values.push_front(LuaNil);
            Ok(values)
        }
        Ok(Answer::Parked) => (LuaNil, true).into_lua_multi(lua),
        Err(failure) => {
            let has_place = failure.has_place();
            (scheduler.raised(lua, failure), has_place).into_lua_multi(lua)
        }
    }
}

/// A Rust function of whatever types. What mlua makes of each takes several kilobytes, so it makes something of this one only.
type Native = Box<dyn Fn(&Lua, LuaMultiValue) -> LuaResult<LuaMultiValue>>;

fn made(lua: &Lua, function: Native) -> LuaResult<LuaFunction> {
    lua.create_function(move |lua, values| function(lua, values))
}

/// What scripts call through Luau code of ours.
fn in_luau(lua: &Lua, function: Native) -> LuaResult<LuaFunction> {
    raw::unlimited(lua, made(lua, function)?)
}

fn typed<A: FromLuaMulti, R: IntoLuaMulti>(function: impl Fn(&Lua, A) -> LuaResult<R> + 'static) -> Native {
    Box::new(move |lua, values| function(lua, A::from_lua_multi(values, lua)?)?.into_lua_multi(lua))
}

/// A function that returns nil and then its results, or the message of its failure.
fn native<R: IntoLuaMulti>(callee: Callee, function: impl Fn(&Lua, Args) -> Result<R, Failure> + 'static) -> Native {
    Box::new(move |lua, values| {
        let result = function(lua, Args { lua, callee, values })
            .and_then(|results| results.into_lua_multi(lua).map_err(Failure::from));
        match result {
            Ok(mut results) => {
                results.push_front(LuaNil);
                Ok(results)
            }
            Err(failure) => failure.into_thrown(lua).0.into_lua_multi(lua),
        }
    })
}

/// A Rust function that hands to the host what scripts call it with, through Luau code of ours: it is refused when there is not enough
/// memory.
///
/// # Errors
/// When there is no memory.
pub(crate) fn external<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    function: impl Fn(&Lua, A) -> LuaResult<R> + 'static,
) -> LuaResult<LuaFunction> {
    in_luau(lua, typed(function))
}

/// A Rust function that Luau code of ours calls where it has to come to its end.
///
/// # Errors
/// When there is no memory.
pub(crate) fn internal<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    function: impl Fn(&Lua, A) -> LuaResult<R> + 'static,
) -> LuaResult<LuaFunction> {
    raw::unlimited_internal(lua, made(lua, typed(function))?)
}

/// Runs a chunk of ours and returns what it returns. It has no lines: `error` puts none of ours before a message, whatever level it is given.
pub(crate) fn load<R: FromLuaMulti>(lua: &Lua, source: &str, args: impl IntoLuaMulti) -> LuaResult<R> {
    let compiler = LuaCompiler::new().set_debug_level(0);
    lua.load(source).set_name(format!("={CHUNK_NAME}")).set_compiler(compiler).call(args)
}
