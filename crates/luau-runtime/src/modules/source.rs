//! The interface for the host's modules.

use crate::call_error::CallError;

/// The source of a module, or none if there is no such module.
pub type Source = Option<Vec<u8>>;

/// The callback for the outcome of a lookup that did not finish at once.
pub type OnFound = Box<dyn FnOnce(Result<Source, CallError>)>;

/// The outcome of [`ModuleSource::look_up`].
#[derive(Debug)]
pub enum Lookup {
    /// The lookup has finished.
    Now(Source),
    /// The host will call `found` later.
    Later,
}

/// A provider of module sources.
pub trait ModuleSource {
    /// Looks up a module by its path from the root. Calls `found` only if it returns [`Lookup::Later`]; then it calls it once, from outside
    /// Luau.
    ///
    /// # Errors
    /// If the host fails. The script gets the error unchanged.
    fn look_up(&self, path: &str, found: OnFound) -> Result<Lookup, CallError>;
}
