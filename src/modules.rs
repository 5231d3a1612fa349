//! `require`, by Luau's rules for paths: <https://rfcs.luau.org/new-require-by-string-semantics.html>.
//!
//! Modules form a tree: `./` is a sibling of the module that asks, `../` a sibling of its parent, `@self/` a child of its
//! own, and `@` before any other name begins at the root with that name. A module is known by its path from the root, which is
//! also the name of its chunk, without an extension; one with an `init` is the folder of that. The page has the sources.

mod outcome;
mod path;
mod tree;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::{Rc, Weak};

use mlua::prelude::*;
use wasm_bindgen_futures::spawn_local;

use self::outcome::{failed, look_up, missing, not_loaded, now, result_of};
use self::path::resolve;
use self::tree::{Node, Tree};
use crate::bind::{Answer, Binder, Start};
use crate::error::{Kind, ScriptError};
use crate::failure::Failure;
use crate::host::modules::{Lookup, ModuleSource};
use crate::host::values::Thrown;
use crate::raw;
use crate::scheduler::{Scheduler, Token};
use crate::text;
use crate::value::type_name;

/// Takes how a module ended: with what it returned, or an error.
pub type OnEnd = Box<dyn FnOnce(Result<LuaMultiValue, ScriptError>)>;

/// Makes a thread for a chunk with this source and name, and returns both: the thread is to be resumed with the chunk. The table has the
/// globals of the script that asks for the module.
type Prepare = dyn Fn(&[u8], &str, Option<&LuaTable>, OnEnd) -> Result<(LuaThread, LuaFunction), ScriptError>;

/// The number of modules that may run inside one another. Deeper ones run in the next cycle, because the C stack is limited.
const MAX_DEPTH: usize = 32;

/// The modules of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Modules(Rc<Inner>);

struct Inner {
    scheduler: Scheduler,
    /// None where the page gave no modules.
    source: Option<ModuleSource>,
    prepare: Box<Prepare>,
    modules: RefCell<HashMap<String, Module>>,
    /// The outcomes of modules that ran inside the `require` call that asked for them, by their numbers.
    outcomes: RefCell<HashMap<usize, Result<LuaValue, Failure>>>,
    last_loading: Cell<usize>,
    /// None where scripts have no `script`.
    tree: OnceCell<Tree>,
}

/// The value `script` that the host asks for.
#[derive(Clone, Debug)]
pub struct ScriptTree {
    /// The paths of all modules; none if only the host's function knows them.
    pub paths: Option<Vec<String>>,
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
    /// The globals of the script that asked first.
    asking: Option<LuaTable>,
    /// The family of the thread that is in the call and resumed `thread`, until that is back.
    caller: Option<usize>,
    /// The number of modules that it runs inside of.
    depth: usize,
}

/// A thread that waits for a module.
struct Waiting {
    token: Token,
    /// The one that it is of: by that it is known which module cannot be loaded before.
    family: usize,
}

impl Modules {
    /// No modules yet; `prepare` makes the thread of one.
    pub fn new(
        scheduler: &Scheduler,
        source: Option<ModuleSource>,
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

    /// Forgets the modules that are being loaded: their threads are gone.
    pub fn stop(&self) {
        let (loaded, loading) =
            self.0.modules.take().into_iter().partition(|(_, module)| matches!(module, Module::Loaded(_)));
        self.0.modules.replace(loaded);
        let outcomes = self.0.outcomes.take();
        drop(outcomes);
        drop::<HashMap<String, Module>>(loading);
    }

    /// Returns the value `script` of the chunk with this name, if scripts have one.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn script(&self, lua: &Lua, chunk_name: &str) -> LuaResult<Option<LuaAnyUserData>> {
        self.0.tree.get().map(|tree| tree.script(lua, chunk_name)).transpose()
    }

    fn require(&self, lua: &Lua, args: &LuaMultiValue) -> Result<Start, Failure> {
        let (wanted, path) = wanted(lua, args)?;
        let refused = |reason: &str| Failure::new(format!("cannot require \"{wanted}\": {reason}"));
        let Some(source) = &self.0.source else {
            return Err(refused("the page gave no modules, by the option 'modules'"));
        };

        let is_known = {
            let modules = self.0.modules.borrow();
            if let Some(Module::Loaded(value)) = modules.get(&path) {
                return Ok(Start::Answer(now(value.clone())));
            }
            modules.contains_key(&path)
        };
        if is_known {
            if let Some(cycle) = self.cycle(&lua.current_thread(), &path) {
                return Err(refused(&format!("the modules require each other in a circle: {cycle}")));
            }
            self.wait(lua, &path);
            return Ok(Start::Answer(Answer::Parked));
        }
        let lookup = look_up(source, &path)?;
        let number = self.0.last_loading.get() + 1;
        self.0.last_loading.set(number);
        let family = raw::family_of(&lua.current_thread());
        let depth = self.depth_in(family);
        let is_at_hand = depth < MAX_DEPTH && matches!(lookup, Lookup::Now(_));
        let loading = Loading {
            number,
            waiting: Vec::new(),
            thread: None,
            asking: raw::calling_environment(lua),
            caller: is_at_hand.then_some(family),
            depth,
        };
        self.0.modules.borrow_mut().insert(path.clone(), Module::Loading(loading));
        match lookup {
            Lookup::Now(source) if is_at_hand => {
                return match self.prepared(&path, number, source) {
                    Some((thread, main)) => Ok(Start::Run { thread, main, ticket: number }),
                    None => self.finish(lua, number).map(Start::Answer),
                };
            }
            // Both wait before it is loaded: how that ends may be known at once, and whoever waits then is told.
            Lookup::Now(source) => {
                self.wait(lua, &path);
                self.run(&path, number, source);
            }
            Lookup::Later(later) => {
                self.wait(lua, &path);
                let modules = Rc::downgrade(&self.0);
                spawn_local(async move {
                    let found = later.await;
                    if let Some(modules) = modules.upgrade().map(Self) {
                        modules.0.scheduler.event(|| modules.found(&path, number, found));
                    }
                });
            }
        }
        Ok(Start::Answer(Answer::Parked))
    }

    /// Goes on with a call that ran a module, which has ended by now or has yielded.
    fn finish(&self, lua: &Lua, number: usize) -> Result<Answer, Failure> {
        let (path, thread) = {
            let mut modules = self.0.modules.borrow_mut();
            let mut of_number = modules.iter_mut().filter_map(|(path, module)| match module {
                Module::Loading(loading) if loading.number == number => Some((path, loading)),
                Module::Loading(_) | Module::Loaded(_) => None,
            });
            match of_number.next() {
                // It is resumable, unless its beginning failed.
                Some((path, loading)) if loading.thread.as_ref().is_some_and(raw::is_resumable) => {
                    loading.caller = None;
                    (Some(path.clone()), None)
                }
                Some((_, loading)) => (None, loading.thread.clone()),
                None => (None, None),
            }
        };
        if let Some(path) = path {
            self.wait(lua, &path);
            return Ok(Answer::Parked);
        }
        if let Some(thread) = thread {
            self.0.scheduler.fail_thread(&thread, ScriptError::plain(Kind::Runtime, "stack overflow"));
        }
        let outcome = self.0.outcomes.borrow_mut().remove(&number);
        outcome.unwrap_or_else(|| Err(Failure::new("the module was stopped"))).map(now)
    }

    /// Returns the number of modules that a module runs inside of if a thread of `family` requires it.
    fn depth_in(&self, family: usize) -> usize {
        let modules = self.0.modules.borrow();
        let mut loading = modules.values().filter_map(Module::loading);
        loading.find(|loading| loading.number == family).map_or(0, |loading| loading.depth + 1)
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
            let is_waited_for = |loading: &Loading| loading.caller == Some(family) || loading.waiting.iter().any(waits);
            for (next, _) in loading().filter(|(_, loading)| is_waited_for(loading)) {
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

    /// Runs a module in this cycle.
    fn run(&self, path: &str, number: usize, source: Option<Vec<u8>>) {
        if let Some((thread, main)) = self.prepared(path, number, source) {
            self.0.scheduler.resume(thread, LuaMultiValue::from_vec(vec![LuaValue::Function(main)]));
        }
    }

    /// Returns the thread of a module and its chunk. Returns none if there is nothing to run; who waits has been told then.
    fn prepared(&self, path: &str, number: usize, source: Option<Vec<u8>>) -> Option<(LuaThread, LuaFunction)> {
        let asking = match self.0.modules.borrow().get(path) {
            Some(Module::Loading(loading)) if loading.number == number => loading.asking.clone(),
            // The VM was stopped meanwhile.
            _ => return None,
        };
        let Some(source) = source else {
            self.settle(path, number, &Err(missing(path)));
            return None;
        };
        let (modules, name) = (Rc::downgrade(&self.0), path.to_owned());
        let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
            if let Some(modules) = Weak::upgrade(&modules).map(Self) {
                modules.settle(&name, number, &result_of(&name, outcome));
            }
        };
        match (self.0.prepare)(&source, path, asking.as_ref(), Box::new(on_end)) {
            Ok((thread, main)) => {
                raw::set_family(&thread, number);
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
            Some(Module::Loading(loading)) => {
                if loading.caller.is_some() {
                    self.0.outcomes.borrow_mut().insert(number, outcome.clone());
                }
                loading.waiting
            }
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

/// Adds `require` to the globals of `lua`, and prepares the value `script` where the host asks for it.
///
/// # Errors
/// When there is no memory.
pub fn install(lua: &Lua, binder: &Binder, modules: &Modules, script: Option<&ScriptTree>) -> LuaResult<()> {
    if let Some(script) = script {
        tree::install(lua, binder)?;
        // Set once, here.
        let _ = modules.0.tree.set(Tree::new(lua, script.paths.as_deref())?);
    }
    if modules.0.source.is_some() {
        raw::keep_families(lua)?;
    }
    let [of_require, of_finish] = [(); 2].map(|()| Rc::downgrade(&modules.0));
    let disposed = || Failure::new("the VM is disposed");
    let require = binder.beginning(
        lua,
        move |lua, args| Modules(of_require.upgrade().ok_or_else(disposed)?).require(lua, &args),
        move |lua, number| Modules(of_finish.upgrade().ok_or_else(disposed)?).finish(lua, number),
    )?;
    lua.globals().raw_set("require", require)
}

/// Returns the module that the arguments of `require` name: as errors show it, and by its path.
fn wanted(lua: &Lua, args: &LuaMultiValue) -> Result<(String, String), Failure> {
    let wanted = match args.front() {
        Some(LuaValue::String(path)) => {
            let path = text::lossy(path, text::MODULE_PATH);
            path.map_err(|error| Failure::new(format!("cannot require a module: {error}")))?
        }
        Some(LuaValue::UserData(value)) if value.is::<Node>() => {
            let path = value.borrow::<Node>()?.path();
            return Ok((path.clone(), path));
        }
        Some(other) => {
            let got = type_name(other);
            return Err(Failure::new(format!("invalid argument #1 to 'require' (string expected, got {got})")));
        }
        None => return Err(Failure::new("missing argument #1 to 'require' (string expected)")),
    };
    let asking = raw::frames(&lua.current_thread()).into_iter().next().map(|frame| frame.chunk_name);
    let path = resolve(&asking.unwrap_or_default(), &wanted)
        .map_err(|reason| Failure::new(format!("cannot require \"{wanted}\": {reason}")))?;
    Ok((wanted, path))
}
