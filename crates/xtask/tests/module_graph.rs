//! The modules of each crate form no cycle and, where `lib.rs` has a map, use only those below them.
//!
//! Tier: default.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use syn::visit::Visit;
use syn::{ItemMod, ItemUse, UseTree};

/// The folders of the crates.
const CRATES: [&str; 6] = [
    "src",
    "crates/luau-runtime/src",
    "crates/cxx-runtime/src",
    "crates/checker/src",
    "crates/fuzz/src",
    "crates/xtask/src",
];

/// The words that introduce a map.
const MAP: &str = "a module uses only those below it:";

/// The path of a module from the root of its crate.
type Module = Vec<String>;

/// Pairs of modules with the same parent, of which the first uses the second.
type Edges = BTreeSet<(Module, Module)>;

#[test]
fn modules_form_no_cycle_and_use_only_those_below_them() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    CRATES.iter().try_for_each(|folder| check(&root.join(folder)).context(*folder))
}

fn check(folder: &Path) -> Result<()> {
    let sources = read(folder)?;
    let edges = edges(&sources)?;
    let cycle = cycle(&edges);
    ensure!(cycle.is_none(), "the modules {} use each other", cycle.unwrap_or_default().join(", "));
    match fs::read_to_string(folder.join("lib.rs")).map(|text| layers(&text)) {
        Ok(layers) if !layers.is_empty() => check_layers(&layers, &sources, &edges),
        _ => Ok(()),
    }
}

/// Returns the sources of all modules below a folder.
fn read(folder: &Path) -> Result<BTreeMap<Module, String>> {
    let mut sources = BTreeMap::new();
    let mut pending: Vec<(PathBuf, Module)> = vec![(folder.to_owned(), Vec::new())];
    while let Some((folder, module)) = pending.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let child = [module.clone(), vec![name]].concat();
            if path.is_dir() {
                pending.push((path, child));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.insert(child, fs::read_to_string(&path)?);
            }
        }
    }
    for root in ["lib", "main"] {
        sources.remove([root.to_owned()].as_slice());
    }
    Ok(sources)
}

/// Returns which modules use which. A module and the modules inside it may use each other.
fn edges(sources: &BTreeMap<Module, String>) -> Result<Edges> {
    let mut edges = Edges::new();
    for (module, source) in sources {
        let file = syn::parse_file(source).with_context(|| module.join("::"))?;
        let mut paths = Paths { module: module.clone(), found: BTreeSet::new() };
        paths.visit_file(&file);
        for path in paths.found {
            let mut used = path;
            while !used.is_empty() && !sources.contains_key(&used) {
                used.pop();
            }
            // The modules with the same parent that the two are, or are inside of.
            let common = module.iter().zip(&used).take_while(|(one, other)| one == other).count();
            if common < module.len() && common < used.len() {
                let sibling = |module: &Module| module.iter().take(common + 1).cloned().collect();
                edges.insert((sibling(module), sibling(&used)));
            }
        }
    }
    Ok(edges)
}

/// Collects the paths that a module names, from the root of the crate.
struct Paths {
    /// The module, with those that are written inside it.
    module: Module,
    found: BTreeSet<Module>,
}

impl Paths {
    /// Adds a path, unless it begins in another crate or with a local name.
    fn add(&mut self, segments: &[String]) {
        let mut base = match segments.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            _ => return,
        };
        let mut names = segments.iter().skip_while(|name| *name == "crate" || *name == "self").peekable();
        while names.next_if(|name| *name == "super").is_some() {
            base.pop();
        }
        base.extend(names.cloned());
        self.found.insert(base);
    }

    fn add_tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&path.tree, &with(path.ident.to_string())),
            UseTree::Name(name) => self.add(&with(name.ident.to_string())),
            UseTree::Rename(name) => self.add(&with(name.ident.to_string())),
            UseTree::Glob(_) => self.add(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_tree(tree, before)),
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, &[]);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(&segments);
        syn::visit::visit_path(self, path);
    }
}

/// Returns modules that use each other.
fn cycle(edges: &Edges) -> Option<Vec<String>> {
    let mut left = edges.clone();
    loop {
        let before = left.len();
        // A module that uses none of the rest is part of no cycle.
        let users: BTreeSet<Module> = left.iter().map(|(user, _)| user.clone()).collect();
        left.retain(|(_, used)| users.contains(used));
        if left.is_empty() {
            return None;
        }
        if left.len() == before {
            // Nor is one that none of the rest uses.
            let used: BTreeSet<Module> = left.iter().map(|(_, used)| used.clone()).collect();
            left.retain(|(user, _)| used.contains(user));
            if left.len() == before {
                return Some(used.into_iter().map(|module| module.join("::")).collect());
            }
        }
    }
}

/// Returns the layers of the map in the documentation of a crate, from the top down: each item of the list names the modules of a layer.
fn layers(text: &str) -> Vec<Vec<String>> {
    if !text.contains(MAP) {
        return Vec::new();
    }
    let items = text.lines().filter_map(|line| line.strip_prefix("//! - "));
    let names = |item: &str| {
        let (names, _) = item.split_once(':')?;
        let names: Vec<String> = names.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (!names.is_empty()).then_some(names)
    };
    items.filter_map(names).collect()
}

fn check_layers(layers: &[Vec<String>], sources: &BTreeMap<Module, String>, edges: &Edges) -> Result<()> {
    let depth = |name: &String| layers.iter().position(|layer| layer.contains(name));
    for module in sources.keys().filter(|module| module.len() == 1) {
        ensure!(
            module.iter().all(|name| depth(name).is_some()),
            "the map in lib.rs does not name {}",
            module.join("::")
        );
    }
    for (user, used) in edges {
        if let ([user], [used]) = (user.as_slice(), used.as_slice()) {
            ensure!(depth(user) <= depth(used), "{user} uses {used}, which is above it in the map in lib.rs");
        }
    }
    Ok(())
}

fn sources(files: &[(&str, &str)]) -> BTreeMap<Module, String> {
    files.iter().map(|(path, text)| (path.split('/').map(str::to_owned).collect(), (*text).to_owned())).collect()
}

#[test]
fn cycles_are_found_at_every_level() {
    let cycle_of = |files: &[(&str, &str)]| cycle(&edges(&sources(files)).unwrap());
    assert_eq!(cycle_of(&[("a", "use crate::b::{C, d};"), ("b", "fn f() { self::g(); other::a(); }")]), None);
    let both = Some(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(
        cycle_of(&[("a", "use crate::b::C;"), ("b", "fn f() { crate::a::g(); }"), ("c", "use crate::a;")]),
        both
    );
    let inner = Some(vec!["a::x".to_owned(), "a::y".to_owned()]);
    assert_eq!(
        cycle_of(&[("a", ""), ("a/x", "use super::y::Z;"), ("a/y", "mod tests { use super::super::x; }")]),
        inner
    );
    assert_eq!(cycle_of(&[("a", "use self::x::X;"), ("a/x", "use super::A;")]), None);
}

#[test]
fn modules_use_those_below_them() {
    let layers = layers(
        "//! From the top down; a module uses only those below it:\n//! - [`a`], `b`: the top\n//!   of all.\n//! - `c`: the bottom.\n//! - no module\n",
    );
    assert_eq!(layers, [vec!["a", "b"], vec!["c"]]);
    let check = |files: &[(&str, &str)]| {
        let sources = sources(files);
        check_layers(&layers, &sources, &edges(&sources).unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(check(&[("a", "use crate::{b, c};"), ("b", "use crate::c::D;"), ("c", "")]), Ok(()));
    assert!(check(&[("c", "use crate::a;"), ("a", "")]).unwrap_err().contains("c uses a"));
    assert!(check(&[("d", "")]).unwrap_err().contains("does not name d"));
}
