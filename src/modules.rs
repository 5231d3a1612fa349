//! `require`, by Luau's rules for paths: <https://rfcs.luau.org/new-require-by-string-semantics.html>.
//!
//! Modules form a tree: `./` is a sibling of the module that asks, `../` a sibling of its parent, `@self/` a child of its
//! own, and `@` before any other name begins at the root with that name. A module is known by its path from the root, which is
//! also the name of its chunk, without an extension. The page has the sources.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use mlua::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::bind::{Answer, Binder};
use crate::convert::{Converter, WeakConverter};
use crate::error::ScriptError;
use crate::failure::Failure;
use crate::host::modules::{Lookup, ModuleSource};
use crate::host::values::{Thrown, message_of};
use crate::raw;
use crate::scheduler::{Scheduler, Token};
use crate::value::type_name;

/// Takes how a module ended: with what it returned, or an error.
pub type OnEnd = Box<dyn FnOnce(Result<LuaMultiValue, ScriptError>)>;

/// Runs a chunk with this source and name in a thread of its own.
type Start = dyn Fn(&[u8], &str, OnEnd) -> Result<(), ScriptError>;

/// The modules of one VM. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Modules(Rc<Inner>);

struct Inner {
    scheduler: Scheduler,
    converter: WeakConverter,
    /// None where the page gave no modules.
    source: Option<ModuleSource>,
    start: Box<Start>,
    modules: RefCell<HashMap<String, Module>>,
}

enum Module {
    Loading {
        /// The threads that wait for it.
        waiting: Vec<Token>,
        /// The modules that its own code waits for.
        needs: Vec<String>,
    },
    /// With what it returned.
    Loaded(LuaValue),
}

impl Modules {
    /// No modules yet; `start` is how to run one.
    pub fn new(
        scheduler: &Scheduler,
        converter: &Converter,
        source: Option<ModuleSource>,
        start: impl Fn(&[u8], &str, OnEnd) -> Result<(), ScriptError> + 'static,
    ) -> Self {
        Self(Rc::new(Inner {
            scheduler: scheduler.clone(),
            converter: converter.downgrade(),
            source,
            start: Box::new(start),
            modules: RefCell::default(),
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
            Some(LuaValue::String(path)) => path.to_string_lossy(),
            Some(other) => {
                let got = type_name(other);
                return Err(Failure::new(format!("invalid argument #1 to 'require' (string expected, got {got})")));
            }
            None => return Err(Failure::new("missing argument #1 to 'require' (string expected)")),
        };
        let asking = raw::frames(&lua.current_thread()).into_iter().next().map(|frame| frame.chunk_name);
        let asking = without_extension(&asking.unwrap_or_default()).to_owned();
        let path = resolve(&asking, &wanted)?;
        let Some(source) = &self.0.source else {
            return Err(Failure::new(format!(
                "cannot require \"{wanted}\": the page gave no modules, by the option 'modules'"
            )));
        };

        let is_known = {
            let modules = self.0.modules.borrow();
            if let Some(Module::Loaded(value)) = modules.get(&path) {
                return Ok(Answer::Now(LuaMultiValue::from_vec(vec![value.clone()])));
            }
            modules.contains_key(&path)
        };
        if is_known && let Some(cycle) = self.cycle(&asking, &path) {
            return Err(Failure::new(format!(
                "cannot require \"{wanted}\": the modules require each other in a circle: {cycle}"
            )));
        }
        let lookup = if is_known { None } else { Some(self.look_up(source, &path)?) };
        if lookup.is_some() {
            let loading = Module::Loading { waiting: Vec::new(), needs: Vec::new() };
            self.0.modules.borrow_mut().insert(path.clone(), loading);
        }
        // Before it is loaded: how that ends may be known at once, and whoever waits then is told.
        self.wait(lua, &asking, &path);
        if let Some(lookup) = lookup {
            self.load(&path, lookup);
        }
        Ok(Answer::Parked)
    }

    /// Asks the page for a module.
    fn look_up(&self, source: &ModuleSource, path: &str) -> Result<Lookup, Failure> {
        let lookup = source.look_up(path).map_err(|thrown| match self.0.converter.upgrade() {
            Some(converter) => {
                let message = format!("cannot load module \"{path}\": {}", message_of(&thrown));
                converter.failure(message, thrown)
            }
            None => Failure::new("the VM is disposed"),
        })?;
        if matches!(lookup, Lookup::Now(None)) { Err(missing(path)) } else { Ok(lookup) }
    }

    fn wait(&self, lua: &Lua, asking: &str, path: &str) {
        // A thread that stops waiting leaves a stale token behind, which does nothing.
        let token = self.0.scheduler.park(lua, || {});
        let mut modules = self.0.modules.borrow_mut();
        if let Some(Module::Loading { needs, .. }) = modules.get_mut(asking) {
            needs.push(path.to_owned());
        }
        if let Some(Module::Loading { waiting, .. }) = modules.get_mut(path) {
            waiting.push(token);
        }
    }

    /// How `path` waits for `asking`, if it does, so that `asking` cannot wait for `path`.
    fn cycle(&self, asking: &str, path: &str) -> Option<String> {
        let modules = self.0.modules.borrow();
        let mut trails = vec![vec![path]];
        let mut seen = Vec::new();
        while let Some(trail) = trails.pop() {
            let last = *trail.last()?;
            if last == asking {
                return Some(format!("{asking} -> {}", trail.join(" -> ")));
            }
            if seen.contains(&last) {
                continue;
            }
            seen.push(last);
            if let Some(Module::Loading { needs, .. }) = modules.get(last) {
                trails.extend(needs.iter().map(|need| trail.iter().copied().chain([need.as_str()]).collect()));
            }
        }
        None
    }

    fn load(&self, path: &str, lookup: Lookup) {
        match lookup {
            Lookup::Now(source) => self.run(path, source),
            Lookup::Later(later) => {
                let (modules, path) = (Rc::downgrade(&self.0), path.to_owned());
                spawn_local(async move {
                    let found = later.await;
                    if let Some(modules) = modules.upgrade().map(Self) {
                        modules.0.scheduler.event(|| modules.found(&path, found));
                    }
                });
            }
        }
    }

    fn found(&self, path: &str, found: Result<Option<Vec<u8>>, Thrown>) {
        match found {
            Ok(source) => self.run(path, source),
            Err(thrown) => {
                if let Some(converter) = self.0.converter.upgrade() {
                    let message = format!("cannot load module \"{path}\": {}", message_of(&thrown));
                    self.settle(path, &Err(converter.failure(message, thrown)));
                }
            }
        }
    }

    fn run(&self, path: &str, source: Option<Vec<u8>>) {
        if !self.0.modules.borrow().contains_key(path) {
            // The VM was stopped meanwhile.
            return;
        }
        let Some(source) = source else { return self.settle(path, &Err(missing(path))) };
        let (modules, name) = (Rc::downgrade(&self.0), path.to_owned());
        let on_end = move |outcome: Result<LuaMultiValue, ScriptError>| {
            if let Some(modules) = Weak::upgrade(&modules).map(Self) {
                modules.settle(&name, &result_of(&name, outcome));
            }
        };
        if let Err(error) = (self.0.start)(&source, path, Box::new(on_end)) {
            self.settle(path, &Err(failed(path, &error)));
        }
    }

    /// Tells the threads that wait for a module how it ended. One that failed is loaded anew when it is required again.
    fn settle(&self, path: &str, outcome: &Result<LuaValue, Failure>) {
        let waiting = {
            let mut modules = self.0.modules.borrow_mut();
            for module in modules.values_mut() {
                if let Module::Loading { needs, .. } = module {
                    needs.retain(|need| need != path);
                }
            }
            let before = match outcome {
                Ok(value) => modules.insert(path.to_owned(), Module::Loaded(value.clone())),
                Err(_) => modules.remove(path),
            };
            match before {
                Some(Module::Loading { waiting, .. }) => waiting,
                Some(Module::Loaded(_)) | None => Vec::new(),
            }
        };
        for token in waiting {
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
    let modules = Rc::downgrade(&modules.0);
    let require = binder.answering(lua, move |lua, args| match modules.upgrade() {
        Some(modules) => Modules(modules).require(lua, &args),
        None => Err(Failure::new("the VM is disposed")),
    })?;
    lua.globals().raw_set("require", require)
}

fn missing(path: &str) -> Failure {
    Failure::new(format!("there is no module \"{path}\""))
}

fn failed(path: &str, error: &ScriptError) -> Failure {
    Failure::new(format!("cannot load module \"{path}\": {}", error.message))
}

fn result_of(path: &str, outcome: Result<LuaMultiValue, ScriptError>) -> Result<LuaValue, Failure> {
    let mut results = outcome.map_err(|error| failed(path, &error))?;
    match (results.pop_front(), results.is_empty()) {
        (Some(result), true) => Ok(result),
        (first, _) => {
            let count = results.len() + usize::from(first.is_some());
            Err(Failure::new(format!("module \"{path}\" must return exactly one value, and it returned {count}")))
        }
    }
}

/// The path from the root of the module that `asking` means by `wanted`.
fn resolve(asking: &str, wanted: &str) -> Result<String, Failure> {
    let (mut path, rest): (Vec<&str>, &str) = if let Some(rest) = wanted.strip_prefix("@self/") {
        (parts(asking), rest)
    } else if let Some(rest) = wanted.strip_prefix('@') {
        if rest.is_empty() || rest.starts_with('/') || rest == "self" {
            return Err(Failure::new(format!(
                "cannot require \"{wanted}\": the '@' must be followed by a name and a path"
            )));
        }
        (Vec::new(), wanted)
    } else if wanted.starts_with("./") || wanted.starts_with("../") {
        let mut path = parts(asking);
        path.pop();
        (path, wanted)
    } else {
        return Err(Failure::new(format!("cannot require \"{wanted}\": the path must begin with ./, ../ or @")));
    };
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if path.pop().is_none() {
                    return Err(Failure::new(format!("cannot require \"{wanted}\": the path leads above the root")));
                }
            }
            name => path.push(name),
        }
    }
    if path.is_empty() {
        return Err(Failure::new(format!("cannot require \"{wanted}\": the path names no module")));
    }
    Ok(path.join("/"))
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect()
}

/// The page may have named a chunk by its file.
fn without_extension(name: &str) -> &str {
    name.strip_suffix(".luau").or_else(|| name.strip_suffix(".lua")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_the_tree() {
        for (asking, wanted, path) in [
            ("script", "./a", "a"),
            ("script", "./a/b", "a/b"),
            ("lib/list", "./node", "lib/node"),
            ("lib/list", "../main", "main"),
            ("lib/list", "@self/node", "lib/list/node"),
            ("lib/list", "@net/http", "@net/http"),
            ("@net/http", "./url", "@net/url"),
            ("", "./a", "a"),
            ("src/main", "./x/../y", "src/y"),
        ] {
            assert_eq!(resolve(asking, wanted).as_deref(), Ok(path), "{wanted} from {asking}");
        }
    }

    #[test]
    fn other_paths_are_errors() {
        for wanted in ["a", "/a", "", "../a", "./..", "@", "@/a", "@self", "./"] {
            assert!(resolve("script", wanted).is_err(), "{wanted}");
        }
    }

    #[test]
    fn a_chunk_may_be_named_by_its_file() {
        assert_eq!(without_extension("src/main.luau"), "src/main");
        assert_eq!(without_extension("my.script"), "my.script");
    }
}
