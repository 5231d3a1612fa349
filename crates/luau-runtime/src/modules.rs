//! `require`, by Luau's rules for paths: <https://rfcs.luau.org/new-require-by-string-semantics.html>.
//!
//! Modules form a tree: `./` is a sibling of the requiring module, `../` a sibling of its parent, `@self/` a child of its own, and `@`
//! before any other name begins at the root with that name. A module is identified by its path from the root, which is also the name of its
//! chunk, without an extension. A module named `init` stands for its folder. The host provides the sources.

mod outcome;
mod path;
mod source;
mod tree;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::{Rc, Weak};

use mlua::prelude::*;

pub use self::outcome::load_error;
use self::outcome::{failed, missing, ready, result_of};
use self::path::resolve;
pub use self::source::{Lookup, ModuleSource, OnFound, Source};
use self::tree::{Node, Tree};
use crate::call_error::CallError;
use crate::error::{Kind, ScriptError};
use crate::ffi::{self, Charge};
use crate::function::{Answer, FunctionBuilder, Start};
use crate::scheduler::{OnEnd, ResumeToken, Scheduler};
use crate::text;
use crate::value::type_name;

/// A function that creates a thread for a chunk with this source and name, and returns both. The thread must be resumed with the chunk. The
/// table has the globals of the requiring script.
type Prepare = dyn Fn(&[u8], &str, Option<&LuaTable>, OnEnd) -> Result<(LuaThread, LuaFunction), ScriptError>;

/// The maximum number of modules that run inside one another. Deeper ones run in the next cycle, because the C stack is limited.
const MAX_DEPTH: usize = 32;

/// The modules of one VM. Cloning creates another handle to the same modules.
#[derive(Clone)]
pub struct Modules(Rc<Inner>);

struct Inner {
    scheduler: Scheduler,
    /// None if the host provides no modules.
    source: Option<Box<dyn ModuleSource>>,
    prepare: Box<Prepare>,
    modules: RefCell<HashMap<Rc<str>, Module>>,
    /// The outcomes of modules that ran inside the `require` call for them, by their numbers.
    outcomes: RefCell<HashMap<usize, Result<LuaValue, CallError>>>,
    last_loading: Cell<usize>,
    /// None if scripts have no `script`.
    tree: OnceCell<Tree>,
}

/// The host's option for the value `script`.
#[derive(Clone, Debug)]
pub struct ScriptTree {
    /// The paths of all modules, or none if only the host's function knows them.
    pub paths: Option<Vec<String>>,
}

enum Module {
    Loading(Loading),
    Loaded(Loaded),
}

impl Module {
    fn loading(&self) -> Option<&Loading> {
        match self {
            Self::Loading(loading) => Some(loading),
            Self::Loaded(_) => None,
        }
    }
}

/// A module that has returned its value.
struct Loaded {
    value: LuaValue,
    _charge: Option<Charge>,
}

/// A module that is being loaded.
struct Loading {
    /// The number of this load. It tells a load from an earlier one of the same module, begun before the VM was stopped. It is also the
    /// group of the module's threads.
    number: usize,
    waiters: Vec<Waiter>,
    /// The thread that runs its chunk, once there is one.
    thread: Option<LuaThread>,
    /// The globals of the first script that required it.
    requirer: Option<LuaTable>,
    /// The group of the thread that resumed `thread` during its `require` call. None once that call waits or has returned.
    caller: Option<usize>,
    /// The number of modules inside which it runs.
    depth: usize,
    /// Counts this record as memory of the script, which can require any number of modules.
    charge: Option<Charge>,
}

/// The memory for a module besides its path, in bytes: its record, and its lookup while the host is asked for the source.
const MODULE_BYTES: usize = 512;

/// The number of copies of its path: ours and the lookup's.
const PATH_COPIES: usize = 2;

impl Loading {
    /// Adds a thread that waits. Threads that no longer wait leave stale entries behind, which are removed before the list grows.
    fn add(&mut self, waiter: Waiter, is_parked: impl Fn(&ResumeToken) -> bool) {
        if self.waiters.len() == self.waiters.capacity() {
            self.waiters.retain(|waiter| is_parked(&waiter.token));
            // Doubled, so that removing takes constant time for each thread added.
            self.waiters.reserve(self.waiters.len().max(4));
        }
        self.waiters.push(waiter);
    }
}

/// A thread that waits for a module.
struct Waiter {
    token: ResumeToken,
    /// The group of the waiting thread, which identifies the module that cannot finish loading before.
    group: usize,
}

impl Modules {
    /// Creates an empty set of modules. `prepare` creates the thread of a module.
    pub fn new(
        scheduler: &Scheduler,
        source: Option<Box<dyn ModuleSource>>,
        prepare: impl Fn(&[u8], &str, Option<&LuaTable>, OnEnd) -> Result<(LuaThread, LuaFunction), ScriptError> + 'static,
    ) -> Self {
        Self(Rc::new(Inner {
            scheduler: scheduler.clone(),
            source,
            prepare: Box::new(prepare),
            modules: RefCell::default(),
            outcomes: RefCell::default(),
            last_loading: Cell::default(),
            tree: OnceCell::new(),
        }))
    }

    /// Forgets the modules that are being loaded, whose threads are gone.
    pub fn stop(&self) {
        let (loaded, loading) =
            self.0.modules.take().into_iter().partition(|(_, module)| matches!(module, Module::Loaded(_)));
        self.0.modules.replace(loaded);
        let outcomes = self.0.outcomes.take();
        drop(outcomes);
        drop::<HashMap<Rc<str>, Module>>(loading);
    }

    /// Returns the value `script` of the chunk with this name, if scripts have that value.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn script(&self, lua: &Lua, chunk_name: &str) -> LuaResult<Option<LuaAnyUserData>> {
        self.0.tree.get().map(|tree| tree.script(lua, chunk_name)).transpose()
    }

    fn require(&self, lua: &Lua, args: &LuaMultiValue) -> Result<Start, CallError> {
        let (wanted, path) = wanted(lua, args)?;
        let refused = |reason: &str| CallError::new(format!("cannot require \"{wanted}\": {reason}"));
        let Some(source) = &self.0.source else {
            return Err(refused("the host provides no modules (option 'modules')"));
        };

        let is_known = {
            let modules = self.0.modules.borrow();
            if let Some(Module::Loaded(loaded)) = modules.get(&*path) {
                return Ok(Start::Answer(ready(loaded.value.clone())));
            }
            modules.contains_key(&*path)
        };
        if is_known {
            if let Some(cycle) = self.cycle(&lua.current_thread(), &path) {
                return Err(refused(&format!("circular dependency: {cycle}")));
            }
            self.wait(lua, &path);
            return Ok(Start::Answer(Answer::Pending));
        }
        let charge = Charge::new(lua, MODULE_BYTES + PATH_COPIES * path.len())?;
        let path = Rc::<str>::from(path);
        let number = self.0.last_loading.get() + 1;
        self.0.last_loading.set(number);
        let lookup = source.look_up(&path, self.on_found(path.clone(), number))?;
        if matches!(lookup, Lookup::Now(None)) {
            return Err(missing(&path));
        }
        let group = ffi::thread_group_of(&lua.current_thread());
        let depth = self.depth_in(group);
        let is_ready = depth < MAX_DEPTH && matches!(lookup, Lookup::Now(_));
        let loading = Loading {
            number,
            waiters: Vec::new(),
            thread: None,
            requirer: ffi::calling_environment(lua),
            caller: is_ready.then_some(group),
            depth,
            charge,
        };
        self.0.modules.borrow_mut().insert(path.clone(), Module::Loading(loading));
        match lookup {
            Lookup::Now(source) if is_ready => {
                return match self.prepare(&path, number, source) {
                    Some((thread, main)) => Ok(Start::Run { thread, main, ticket: number }),
                    None => self.finish(lua, number).map(Start::Answer),
                };
            }
            // In both cases wait before loading: the outcome may be known at once, and only waiting threads receive it.
            Lookup::Now(source) => {
                self.wait(lua, &path);
                self.run(&path, number, source);
            }
            Lookup::Later => self.wait(lua, &path),
        }
        Ok(Start::Answer(Answer::Pending))
    }

    /// Returns a function that receives the source of a module that the host had to look up asynchronously.
    fn on_found(&self, path: Rc<str>, number: usize) -> OnFound {
        let modules = Rc::downgrade(&self.0);
        Box::new(move |found| {
            if let Some(modules) = modules.upgrade().map(Self) {
                modules.0.scheduler.notify(|| modules.found(&path, number, found));
            }
        })
    }

    /// Continues a call that ran a module, after the module has ended or yielded.
    fn finish(&self, lua: &Lua, number: usize) -> Result<Answer, CallError> {
        let (path, thread) = {
            let mut modules = self.0.modules.borrow_mut();
            let mut of_number = modules.iter_mut().filter_map(|(path, module)| match module {
                Module::Loading(loading) if loading.number == number => Some((path, loading)),
                Module::Loading(_) | Module::Loaded(_) => None,
            });
            match of_number.next() {
                // A thread that failed to start is not resumable.
                Some((path, loading)) if loading.thread.as_ref().is_some_and(ffi::is_resumable) => {
                    loading.caller = None;
                    (Some(path.clone()), None)
                }
                Some((_, loading)) => (None, loading.thread.clone()),
                None => (None, None),
            }
        };
        if let Some(path) = path {
            self.wait(lua, &path);
            return Ok(Answer::Pending);
        }
        if let Some(thread) = thread {
            self.0.scheduler.fail_thread(&thread, ScriptError::new(Kind::Runtime, "stack overflow"));
        }
        let outcome = self.0.outcomes.borrow_mut().remove(&number);
        outcome.unwrap_or_else(|| Err(CallError::new("the module was stopped"))).map(ready)
    }

    /// Returns the number of modules inside which a module runs if a thread of `group` requires it.
    fn depth_in(&self, group: usize) -> usize {
        let modules = self.0.modules.borrow();
        let mut loading = modules.values().filter_map(Module::loading);
        loading.find(|loading| loading.number == group).map_or(0, |loading| loading.depth + 1)
    }

    fn wait(&self, lua: &Lua, path: &str) {
        let token = self.0.scheduler.park(lua, || {});
        if let Some(Module::Loading(loading)) = self.0.modules.borrow_mut().get_mut(path) {
            let waiter = Waiter { token, group: ffi::thread_group_of(&lua.current_thread()) };
            loading.add(waiter, |token| self.0.scheduler.is_parked(token));
        }
    }

    /// Returns the cycle that would arise if `requirer` waited for `path`: the path along which `path` waits for the module whose chunk
    /// `requirer` runs. Returns none if there is no such path, or if `requirer` runs no module.
    ///
    /// A module waits for everything that any of its threads waits for, since its other threads may wait for that thread in some way. But a
    /// module that one of its other threads requires need not keep its chunk from finishing.
    fn cycle(&self, requirer: &LuaThread, path: &str) -> Option<String> {
        let modules = self.0.modules.borrow();
        let loading = || modules.iter().filter_map(|(path, module)| Some((&**path, module.loading()?)));
        let (requirer, _) = loading().find(|(_, loading)| loading.thread.as_ref() == Some(requirer))?;
        // Breadth-first search along the waits, so that the shortest path comes first.
        let mut paths = VecDeque::from([vec![path]]);
        let mut seen = HashSet::from([path]);
        while let Some(current) = paths.pop_front() {
            let last = *current.last()?;
            if last == requirer {
                return Some(format!("{requirer} -> {}", current.join(" -> ")));
            }
            let Some(group) = modules.get(last).and_then(Module::loading).map(|loading| loading.number) else {
                continue;
            };
            let waits = |waiter: &Waiter| waiter.group == group && self.0.scheduler.is_parked(&waiter.token);
            let is_waited_for = |loading: &Loading| loading.caller == Some(group) || loading.waiters.iter().any(waits);
            for (next, _) in loading().filter(|(_, loading)| is_waited_for(loading)) {
                if seen.insert(next) {
                    paths.push_back(current.iter().copied().chain([next]).collect());
                }
            }
        }
        None
    }

    fn found(&self, path: &Rc<str>, number: usize, found: Result<Source, CallError>) {
        match found {
            Ok(source) => self.run(path, number, source),
            Err(failure) => self.settle(path, number, &Err(failure)),
        }
    }

    /// Runs a module in this cycle.
    fn run(&self, path: &Rc<str>, number: usize, source: Source) {
        if let Some((thread, main)) = self.prepare(path, number, source) {
            self.0.scheduler.resume(thread, LuaMultiValue::from_vec(vec![LuaValue::Function(main)]));
        }
    }

    /// Returns the thread of a module and its chunk. Returns none if there is nothing to run; in that case the waiting threads have been
    /// notified.
    fn prepare(&self, path: &Rc<str>, number: usize, source: Source) -> Option<(LuaThread, LuaFunction)> {
        let requirer = match self.0.modules.borrow().get(path) {
            Some(Module::Loading(loading)) if loading.number == number => loading.requirer.clone(),
            // The VM was stopped meanwhile.
            _ => return None,
        };
        let Some(source) = source else {
            self.settle(path, number, &Err(missing(path)));
            return None;
        };
        let (modules, name) = (Rc::downgrade(&self.0), path.clone());
        let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
            if let Some(modules) = Weak::upgrade(&modules).map(Self) {
                modules.settle(&name, number, &result_of(&name, outcome));
            }
        };
        match (self.0.prepare)(&source, path, requirer.as_ref(), Box::new(on_end)) {
            Ok((thread, main)) => {
                ffi::set_thread_group(&thread, number);
                if let Some(Module::Loading(loading)) = self.0.modules.borrow_mut().get_mut(path) {
                    loading.thread = Some(thread.clone());
                }
                Some((thread, main))
            }
            Err(error) => {
                self.settle(path, number, &Err(failed(path, error)));
                None
            }
        }
    }

    fn is_loading(&self, path: &str, number: usize) -> bool {
        matches!(self.0.modules.borrow().get(path), Some(Module::Loading(loading)) if loading.number == number)
    }

    /// Passes the outcome of a module to the threads that wait for it. A failed module is loaded again when it is next required.
    fn settle(&self, path: &Rc<str>, number: usize, outcome: &Result<LuaValue, CallError>) {
        if !self.is_loading(path, number) {
            return;
        }
        let Some(Module::Loading(loading)) = self.0.modules.borrow_mut().remove(path) else { return };
        if let Ok(value) = outcome {
            let loaded = Loaded { value: value.clone(), _charge: loading.charge };
            self.0.modules.borrow_mut().insert(path.clone(), Module::Loaded(loaded));
        }
        if loading.caller.is_some() {
            self.0.outcomes.borrow_mut().insert(number, outcome.clone());
        }
        for Waiter { token, .. } in loading.waiters {
            match outcome {
                Ok(value) => self.0.scheduler.wake(token, LuaMultiValue::from_vec(vec![value.clone()])),
                Err(failure) => self.0.scheduler.fail(token, failure.clone()),
            }
        }
    }
}

impl std::fmt::Debug for Modules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Modules").finish_non_exhaustive()
    }
}

/// Adds `require` to the globals of `lua`, and prepares the value `script` if the host requests it.
///
/// # Errors
/// If there is not enough memory.
pub fn install(lua: &Lua, builder: &FunctionBuilder, modules: &Modules, script: Option<&ScriptTree>) -> LuaResult<()> {
    if let Some(script) = script {
        tree::install(lua, builder)?;
        // Set only here.
        let _ = modules.0.tree.set(Tree::new(lua, script.paths.as_deref())?);
    }
    if modules.0.source.is_some() {
        ffi::keep_thread_groups(lua)?;
    }
    let modules = Rc::downgrade(&modules.0);
    let upgrade = move || modules.upgrade().map(Modules).ok_or_else(|| CallError::new("the VM is disposed"));
    let require = builder.starting(
        lua,
        {
            let upgrade = upgrade.clone();
            move |lua, args| upgrade()?.require(lua, &args)
        },
        move |lua, number| upgrade()?.finish(lua, number),
    )?;
    lua.globals().raw_set("require", require)
}

/// Returns the module that the arguments of `require` name, first as errors show it, and then as a path.
fn wanted(lua: &Lua, args: &LuaMultiValue) -> Result<(String, String), CallError> {
    let wanted = match args.front() {
        Some(LuaValue::String(path)) => {
            let path = text::lossy(path, text::MODULE_PATH);
            path.map_err(|error| CallError::new(format!("cannot require a module: {error}")))?
        }
        Some(LuaValue::UserData(value)) if value.is::<Node>() => {
            let path = value.borrow::<Node>()?.path();
            return Ok((path.clone(), path));
        }
        Some(other) => {
            let got = type_name(other);
            return Err(CallError::new(format!("invalid argument #1 to 'require' (string expected, got {got})")));
        }
        None => return Err(CallError::new("missing argument #1 to 'require' (string expected)")),
    };
    let path = resolve(&ffi::requirer(&lua.current_thread()).unwrap_or_default(), &wanted)
        .map_err(|reason| CallError::new(format!("cannot require \"{wanted}\": {reason}")))?;
    Ok((wanted, path))
}
