//! The value `script`, which shows the modules as a tree. Packages written for Roblox require each other by `script.Parent.Name`. The value
//! has those members of Roblox's `Instance` that lead from one module to another:
//! <https://create.roblox.com/docs/reference/engine/classes/Instance>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use super::path::{INIT, Place, is_rewritten};
use crate::call_error::CallError;
use crate::ffi::Charge;
use crate::function::{Args, Callee, FunctionBuilder};
use crate::text;

/// The memory for a name in a place besides its text, in bytes: the name itself, and what an allocation takes.
const NAME_BYTES: usize = size_of::<String>() + 16;

/// The name of the type in Luau, as `typeof` returns it.
const INSTANCE: &str = "Instance";

/// The modules of a VM as a tree. Cloning creates another handle to the same tree.
#[derive(Clone)]
pub(super) struct Tree(Rc<Inner>);

struct Inner {
    /// None if the host looks modules up with a function. Then every name may be a module.
    list: Option<List>,
    /// The userdata of each place by its path, so that the same place is always the same value. The values are weak and live as long as
    /// scripts use them.
    nodes: LuaTable,
}

/// All modules, by their places.
#[derive(Default)]
struct List {
    modules: BTreeSet<String>,
    /// The names of the children of each place that has any.
    children: BTreeMap<String, BTreeSet<String>>,
}

/// A place in the tree, as a value for scripts.
pub(super) struct Node {
    place: Place,
    tree: Tree,
    _charge: Option<Charge>,
}

impl List {
    fn new(paths: &[String]) -> Self {
        let mut list = Self::default();
        for path in paths {
            let mut place = Place::of(path);
            list.modules.insert(key(&place));
            while let Some(name) = place.parts.pop() {
                list.children.entry(key(&place)).or_default().insert(name);
            }
        }
        list
    }

    fn has(&self, place: &Place) -> bool {
        let key = key(place);
        self.modules.contains(&key) || self.children.contains_key(&key)
    }
}

/// Returns the key of a place in the list. The host's object of modules does not distinguish `/a` and `a`.
fn key(place: &Place) -> String {
    place.path().trim_start_matches('/').to_owned()
}

impl Tree {
    /// Creates the tree of the modules with these paths, or of all modules that the host's function may know.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn new(lua: &Lua, paths: Option<&[String]>) -> LuaResult<Self> {
        let (nodes, metatable) = (lua.create_table()?, lua.create_table()?);
        metatable.raw_set("__mode", "v")?;
        nodes.set_metatable(Some(metatable))?;
        Ok(Self(Rc::new(Inner { list: paths.map(List::new), nodes })))
    }

    /// Returns the `script` of the chunk with this name.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(super) fn script(&self, lua: &Lua, chunk_name: &str) -> LuaResult<LuaAnyUserData> {
        self.node(lua, Place::of(chunk_name))
    }

    fn node(&self, lua: &Lua, place: Place) -> LuaResult<LuaAnyUserData> {
        let path = place.path();
        if let LuaValue::UserData(node) = self.0.nodes.raw_get(path.as_str())? {
            return Ok(node);
        }
        let charge = Charge::new(lua, path.len() + place.parts.len() * NAME_BYTES)?;
        let node = lua.create_any_userdata(Node { place, tree: self.clone(), _charge: charge })?;
        self.0.nodes.raw_set(path, &node)?;
        Ok(node)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").finish_non_exhaustive()
    }
}

impl Node {
    /// Returns the path by which the host knows the module at this place.
    pub(super) fn path(&self) -> String {
        self.place.path()
    }

    fn name(&self) -> &str {
        self.place.parts.last().map_or("", String::as_str)
    }

    fn full_name(&self) -> String {
        self.place.parts.join(".")
    }

    fn class_name(&self) -> &'static str {
        match &self.tree.0.list {
            _ if self.place.parts.is_empty() => "Folder",
            None => "ModuleScript",
            Some(list) if list.modules.contains(&key(&self.place)) => "ModuleScript",
            Some(list) if list.children.contains_key(&key(&self.place)) => "Folder",
            // A chunk that the host runs.
            Some(_) => "Script",
        }
    }

    fn is_a(&self, class: &[u8]) -> bool {
        let ancestors: &[&str] = match self.class_name() {
            "ModuleScript" => &["ModuleScript", "LuaSourceContainer"],
            "Script" => &["Script", "BaseScript", "LuaSourceContainer"],
            _ => &["Folder"],
        };
        class == b"Instance" || ancestors.iter().any(|ancestor| class == ancestor.as_bytes())
    }

    fn parent(&self, lua: &Lua) -> LuaResult<Option<LuaAnyUserData>> {
        let mut place = self.place.clone();
        place.parts.pop().map(|_| self.tree.node(lua, place)).transpose()
    }

    /// Returns the child with this name, unless the tree knows that there is none.
    fn child(&self, lua: &Lua, name: &[u8]) -> LuaResult<Option<LuaAnyUserData>> {
        let Ok(name) = str::from_utf8(name) else { return Ok(None) };
        if self.path().len() + name.len() >= text::MODULE_PATH.max_bytes || !is_name(name) {
            return Ok(None);
        }
        let mut place = self.place.clone();
        place.parts.push(name.to_owned());
        let is_there = self.tree.0.list.as_ref().is_none_or(|list| list.has(&place));
        is_there.then(|| self.tree.node(lua, place)).transpose()
    }

    fn ancestor(&self, lua: &Lua, name: &[u8]) -> LuaResult<Option<LuaAnyUserData>> {
        let mut place = self.place.clone();
        while place.parts.pop().is_some() {
            if place.parts.last().is_some_and(|part| part.as_bytes() == name) {
                return self.tree.node(lua, place).map(Some);
            }
        }
        Ok(None)
    }

    /// Returns the places below this one: the children, or all descendants in depth-first order if `is_deep`.
    fn places(&self, is_deep: bool) -> Result<Vec<Place>, CallError> {
        let Some(list) = &self.tree.0.list else {
            return Err(CallError::new("cannot list the modules: the host looks them up with a function"));
        };
        let mut found = Vec::new();
        let mut pending = vec![self.place.clone()];
        while let Some(place) = pending.pop() {
            if place.parts.len() > self.place.parts.len() {
                found.push(place.clone());
            }
            if is_deep || place.parts.len() == self.place.parts.len() {
                let names = list.children.get(&key(&place)).into_iter().flatten().rev();
                pending.extend(names.map(|name| {
                    let mut child = place.clone();
                    child.parts.push(name.clone());
                    child
                }));
            }
        }
        Ok(found)
    }

    fn missing(&self, name: &LuaString) -> CallError {
        let (name, class) = (text::shown(name), self.class_name());
        CallError::new(format!("{name} is not a valid member of {class} \"{}\"", self.full_name()))
    }
}

/// Registers the members of the tree's places in `lua`.
///
/// # Errors
/// If there is not enough memory.
pub(super) fn install(lua: &Lua, builder: &FunctionBuilder) -> LuaResult<()> {
    let methods = lua.create_table_from([
        (
            "FindFirstChild",
            builder.sync(lua, Callee::Method("FindFirstChild"), |lua, args| find_first_child(lua, &args))?,
        ),
        ("WaitForChild", builder.sync(lua, Callee::Method("WaitForChild"), |lua, args| wait_for_child(lua, &args))?),
        (
            "FindFirstAncestor",
            builder.sync(lua, Callee::Method("FindFirstAncestor"), |lua, args| {
                Ok(node(&args)?.ancestor(lua, &args.string(2)?.as_bytes())?)
            })?,
        ),
        ("GetChildren", builder.sync(lua, Callee::Method("GetChildren"), |lua, args| nodes_below(lua, &args, false))?),
        (
            "GetDescendants",
            builder.sync(lua, Callee::Method("GetDescendants"), |lua, args| nodes_below(lua, &args, true))?,
        ),
        ("GetFullName", builder.sync(lua, Callee::Method("GetFullName"), |_, args| Ok(node(&args)?.full_name()))?),
        (
            "IsA",
            builder.sync(lua, Callee::Method("IsA"), |_, args| Ok(node(&args)?.is_a(&args.string(2)?.as_bytes())))?,
        ),
    ])?;
    let index = builder.indexing(lua, methods, |lua, args| {
        let node = node(&args)?;
        let LuaValue::String(name) = args.value(2) else { return Err(args.mismatch(2, "string")) };
        match name.as_bytes().as_ref() {
            b"Name" => Ok(node.name().into_lua(lua)?),
            b"ClassName" => Ok(node.class_name().into_lua(lua)?),
            b"Parent" => Ok(node.parent(lua)?.into_lua(lua)?),
            other => match node.child(lua, other)? {
                Some(child) => Ok(LuaValue::UserData(child)),
                None => Err(node.missing(&name)),
            },
        }
    })?;
    let newindex = builder.sync(lua, Callee::Function("newindex"), |_, args| -> Result<(), CallError> {
        let name = args.string(2)?;
        Err(CallError::new(format!("{} of {} cannot be set", text::shown(&name), node(&args)?.class_name())))
    })?;
    let tostring = builder.sync(lua, Callee::Function("tostring"), |_, args| Ok(node(&args)?.name().to_owned()))?;
    lua.register_userdata_type::<Node>(move |registry| {
        registry.add_meta_field("__type", INSTANCE);
        registry.add_meta_field("__index", index);
        registry.add_meta_field("__newindex", newindex);
        registry.add_meta_field("__tostring", tostring);
    })
}

fn node(args: &Args) -> Result<LuaUserDataRef<Node>, CallError> {
    args.userdata(1, INSTANCE)
}

fn find_first_child(lua: &Lua, args: &Args) -> Result<Option<LuaAnyUserData>, CallError> {
    let (node, name) = (node(args)?, args.string(2)?);
    let child = node.child(lua, &name.as_bytes())?;
    let is_recursive = args.value(3).as_boolean().unwrap_or(false);
    if !is_recursive || child.is_some() {
        return Ok(child);
    }
    let found = node
        .places(true)?
        .into_iter()
        .find(|place| place.parts.last().is_some_and(|part| name.as_bytes() == part.as_bytes()));
    Ok(found.map(|place| node.tree.node(lua, place)).transpose()?)
}

/// Returns a child at once: all modules exist from the start, so there is nothing to wait for.
fn wait_for_child(lua: &Lua, args: &Args) -> Result<Option<LuaAnyUserData>, CallError> {
    let (node, name) = (node(args)?, args.string(2)?);
    let child = node.child(lua, &name.as_bytes())?;
    if child.is_none() && args.optional_number(3)?.is_none() {
        return Err(node.missing(&name));
    }
    Ok(child)
}

fn nodes_below(lua: &Lua, args: &Args, is_deep: bool) -> Result<Vec<LuaAnyUserData>, CallError> {
    let node = node(args)?;
    let places = node.places(is_deep)?;
    Ok(places.into_iter().map(|place| node.tree.node(lua, place)).collect::<LuaResult<_>>()?)
}

/// Returns true if this can be the name of a module in a path.
fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | ".." | INIT) && !text.contains(|char| char == '/' || is_rewritten(char))
}
