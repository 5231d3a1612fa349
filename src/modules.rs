//! `require`, by Luau's rules for paths: <https://rfcs.luau.org/new-require-by-string-semantics.html>.
//!
//! Modules form a tree: `./` is a sibling of the module that asks, `../` a sibling of its parent, `@self/` a child of its
//! own, and `@` before any other name begins at the root with that name. A module is known by its path from the root, which is
//! also the name of its chunk, without an extension; one with an `init` is the folder of that. The page has the sources.

mod path;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::{Rc, Weak};

use mlua::prelude::*;
use wasm_bindgen_futures::spawn_local;

use self::path::resolve;
use crate::bind::{Answer, Binder};
use crate::convert::page_failure;
use crate::error::ScriptError;
use crate::failure::Failure;
use crate::host::modules::{Lookup, ModuleSource};
use crate::host::values::{Thrown, message_of};
use crate::raw;
use crate::scheduler::{Scheduler, Token};
use crate::text;
use crate::value::type_name;

/// Takes how a module ended: with what it returned, or an error.
pub type OnEnd = Box<dyn FnOnce(Result<LuaMultiValue, ScriptError>)>;

/// Runs a chunk with this source and name in a thread of its own, which does not begin before this returns.
type Start = dyn Fn(&[u8], &str, OnEnd) -> Result<LuaThread, ScriptError>;

/// The modules of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Modules(Rc<Inner>);

struct Inner {
    scheduler: Scheduler,
    /// None where the page gave no modules.
    source: Option<ModuleSource>,
    start: Box<Start>,
    modules: RefCell<HashMap<String, Module>>,
    last_loading: Cell<usize>,
}

enum Module {
    Loading(Loading),
    /// With what it returned.
    Loaded(LuaValue),
}

impl Module {
    fn loading(&self) -> Option<&Loading> {
        match self {
            Self::Loading(loading) => Some(loading),
            Self::Loaded(_) => None,
        }
    }
}

/// A module that is being loaded.
struct Loading {
    /// Which time of all: what was begun before the VM was stopped does not count for what is begun afterwards. It is the family
    /// of the module's threads, too.
    number: usize,
    waiting: Vec<Waiting>,
    /// The one that runs its chunk, once there is one.
    thread: Option<LuaThread>,
}

/// A thread that waits for a module.
struct Waiting {
    token: Token,
    /// The one that it is of: by that it is known which module cannot be loaded before.
    family: usize,
}

impl Modules {
    /// No modules yet; `start` is how to run one.
    pub fn new(
        scheduler: &Scheduler,
        source: Option<ModuleSource>,
        start: impl Fn(&[u8], &str, OnEnd) -> Result<LuaThread, ScriptError> + 'static,
    ) -> Self {
        Self(Rc::new(Inner {
            scheduler: scheduler.clone(),
            source,
            start: Box::new(start),
            modules: RefCell::default(),
            last_loading: Cell::default(),
        }))
    }

    /// Forgets the modules that are being loaded: their threads are gone.
    pub fn stop(&self) {
        let (loaded, loading) =
            self.0.modules.take().into_iter().partition(|(_, module)| matches!(module, Module::Loaded(_)));
        self.0.modules.replace(loaded);
        drop::<HashMap<String, Module>>(loading);
    }

    fn require(&self, lua: &Lua, args: &LuaMultiValue) -> Result<Answer, Failure> {
        let wanted = match args.front() {
            Some(LuaValue::String(path)) => {
                let path = text::lossy(path, text::MODULE_PATH);
                path.map_err(|error| Failure::new(format!("cannot require a module: {error}")))?
            }
            Some(other) => {
                let got = type_name(other);
                return Err(Failure::new(format!("invalid argument #1 to 'require' (string expected, got {got})")));
            }
            None => return Err(Failure::new("missing argument #1 to 'require' (string expected)")),
        };
        let asking = raw::frames(&lua.current_thread()).into_iter().next().map(|frame| frame.chunk_name);
        let refused = |reason: &str| Failure::new(format!("cannot require \"{wanted}\": {reason}"));
        let path = resolve(&asking.unwrap_or_default(), &wanted).map_err(|reason| refused(&reason))?;
        let Some(source) = &self.0.source else {
            return Err(refused("the page gave no modules, by the option 'modules'"));
        };

        let is_known = {
            let modules = self.0.modules.borrow();
            if let Some(Module::Loaded(value)) = modules.get(&path) {
                return Ok(Answer::Now(LuaMultiValue::from_vec(vec![value.clone()])));
            }
            modules.contains_key(&path)
        };
        if is_known {
            if let Some(cycle) = self.cycle(&lua.current_thread(), &path) {
                return Err(refused(&format!("the modules require each other in a circle: {cycle}")));
            }
            self.wait(lua, &path);
            return Ok(Answer::Parked);
        }
        let lookup = look_up(source, &path)?;
        let number = self.0.last_loading.get() + 1;
        self.0.last_loading.set(number);
        let loading = Loading { number, waiting: Vec::new(), thread: None };
        self.0.modules.borrow_mut().insert(path.clone(), Module::Loading(loading));
        // Before it is loaded: how that ends may be known at once, and whoever waits then is told.
        self.wait(lua, &path);
        match lookup {
            Lookup::Now(source) => self.run(&path, number, source),
            Lookup::Later(later) => {
                let modules = Rc::downgrade(&self.0);
                spawn_local(async move {
                    let found = later.await;
                    if let Some(modules) = modules.upgrade().map(Self) {
                        modules.0.scheduler.event(|| modules.found(&path, number, found));
                    }
                });
            }
        }
        Ok(Answer::Parked)
    }

    fn wait(&self, lua: &Lua, path: &str) {
        // A thread that stops waiting leaves a stale token behind, which does nothing.
        let token = self.0.scheduler.park(lua, || {});
        if let Some(Module::Loading(loading)) = self.0.modules.borrow_mut().get_mut(path) {
            loading.waiting.push(Waiting { token, family: raw::family_of(&lua.current_thread()) });
        }
    }

    /// How `path` waits for the module whose chunk `asking` runs, if it does and that one does, so that this cannot wait for `path`.
    ///
    /// A module waits for what any of its threads waits for, since the others may wait for that one, in whatever way. But what another
    /// of its threads asks for need not keep its chunk from coming to its end.
    fn cycle(&self, asking: &LuaThread, path: &str) -> Option<String> {
        let modules = self.0.modules.borrow();
        let loading = || modules.iter().filter_map(|(path, module)| Some((path.as_str(), module.loading()?)));
        let (asking, _) = loading().find(|(_, loading)| loading.thread.as_ref() == Some(asking))?;
        // From each to those that it waits for, the shortest way first.
        let mut ways = VecDeque::from([vec![path]]);
        let mut seen = HashSet::from([path]);
        while let Some(way) = ways.pop_front() {
            let last = *way.last()?;
            if last == asking {
                return Some(format!("{asking} -> {}", way.join(" -> ")));
            }
            let Some(family) = modules.get(last).and_then(Module::loading).map(|loading| loading.number) else {
                continue;
            };
            let waits = |waiting: &Waiting| waiting.family == family && self.0.scheduler.is_parked(&waiting.token);
            for (next, _) in loading().filter(|(_, loading)| loading.waiting.iter().any(waits)) {
                if seen.insert(next) {
                    ways.push_back(way.iter().copied().chain([next]).collect());
                }
            }
        }
        None
    }

    fn found(&self, path: &str, number: usize, found: Result<Option<Vec<u8>>, Thrown>) {
        match found {
            Ok(source) => self.run(path, number, source),
            Err(thrown) => self.settle(path, number, &Err(not_loaded(path, thrown))),
        }
    }

    fn run(&self, path: &str, number: usize, source: Option<Vec<u8>>) {
        if !self.is_loading(path, number) {
            // The VM was stopped meanwhile.
            return;
        }
        let Some(source) = source else { return self.settle(path, number, &Err(missing(path))) };
        let (modules, name) = (Rc::downgrade(&self.0), path.to_owned());
        let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
            if let Some(modules) = Weak::upgrade(&modules).map(Self) {
                modules.settle(&name, number, &result_of(&name, outcome));
            }
        };
        match (self.0.start)(&source, path, Box::new(on_end)) {
            Ok(thread) => {
                raw::set_family(&thread, number);
                if let Some(Module::Loading(loading)) = self.0.modules.borrow_mut().get_mut(path) {
                    loading.thread = Some(thread);
                }
            }
            Err(error) => self.settle(path, number, &Err(failed(path, error))),
        }
    }

    fn is_loading(&self, path: &str, number: usize) -> bool {
        matches!(self.0.modules.borrow().get(path), Some(Module::Loading(loading)) if loading.number == number)
    }

    /// Tells the threads that wait for a module how it ended. One that failed is loaded anew when it is required again.
    fn settle(&self, path: &str, number: usize, outcome: &Result<LuaValue, Failure>) {
        if !self.is_loading(path, number) {
            return;
        }
        let before = {
            let mut modules = self.0.modules.borrow_mut();
            match outcome {
                Ok(value) => modules.insert(path.to_owned(), Module::Loaded(value.clone())),
                Err(_) => modules.remove(path),
            }
        };
        let waiting = match before {
            Some(Module::Loading(loading)) => loading.waiting,
            Some(Module::Loaded(_)) | None => Vec::new(),
        };
        for Waiting { token, .. } in waiting {
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

/// Adds `require` to the globals of `lua`.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, binder: &Binder, modules: &Modules) -> LuaResult<()> {
    if modules.0.source.is_some() {
        raw::keep_families(lua)?;
    }
    let modules = Rc::downgrade(&modules.0);
    let require = binder.answering(lua, move |lua, args| match modules.upgrade() {
        Some(modules) => Modules(modules).require(lua, &args),
        None => Err(Failure::new("the VM is disposed")),
    })?;
    lua.globals().raw_set("require", require)
}

/// Asks the page for a module.
fn look_up(source: &ModuleSource, path: &str) -> Result<Lookup, Failure> {
    let lookup = source.look_up(path).map_err(|thrown| not_loaded(path, thrown))?;
    if matches!(lookup, Lookup::Now(None)) { Err(missing(path)) } else { Ok(lookup) }
}

/// What a script is told when the page throws in place of giving a module.
fn not_loaded(path: &str, thrown: Thrown) -> Failure {
    page_failure(format!("cannot load module \"{path}\": {}", message_of(&thrown)), thrown)
}

fn missing(path: &str) -> Failure {
    Failure::new(format!("there is no module \"{path}\""))
}

/// What those get who wait for a module that failed: a text with its name before the text, anything else as it was thrown.
fn failed(path: &str, error: ScriptError) -> Failure {
    match error.value {
        LuaValue::Nil | LuaValue::String(_) | LuaValue::Error(_) => {
            Failure::of_error(format!("cannot load module \"{path}\": {}", error.message), error)
        }
        _ => Failure::of_value(error),
    }
}

fn result_of(path: &str, outcome: Result<LuaMultiValue, ScriptError>) -> Result<LuaValue, Failure> {
    let mut results = outcome.map_err(|error| failed(path, error))?;
    match (results.pop_front(), results.is_empty()) {
        (Some(result), true) => Ok(result),
        (first, _) => {
            let count = results.len() + usize::from(first.is_some());
            Err(Failure::new(format!("module \"{path}\" must return exactly one value, and it returned {count}")))
        }
    }
}
