//! The class that JS sees: a VM with its libraries.

mod options;
mod state;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

use self::options::Options;
pub use self::options::VmOptions;
use self::state::{DEFAULT_CHUNK_NAME, VmState};
use crate::convert::early_error_to_js;
use crate::js::hooks::Hooks;
use luau_runtime::threads::Threads;

#[wasm_bindgen]
extern "C" {
    /// The promise of a run, with its TypeScript type.
    #[wasm_bindgen(typescript_type = "Promise<unknown[]>")]
    pub type Results;

    /// The source of a chunk, with its TypeScript type.
    #[wasm_bindgen(typescript_type = "string | Uint8Array")]
    pub type Source;

    /// The statistics of a VM, with their TypeScript type.
    #[wasm_bindgen(typescript_type = "{ threads: number, timers: number, sockets: number, memory: number }")]
    pub type Stats;
}

/// A Luau VM with `task`, `websocket`, `json`, `require`, `print` and `warn`.
///
/// After `dispose` every call throws a `LuauError` of kind `disposed`, or returns a promise that is rejected with one.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Vm {
    /// None once the VM is disposed.
    state: RefCell<Option<Rc<VmState>>>,
    hooks: Hooks,
}

#[wasm_bindgen]
impl Vm {
    /// Creates a VM.
    ///
    /// # Errors
    /// If an option has the wrong type (a `TypeError`), a global cannot be converted, or there is not enough memory (a `LuauError`).
    #[wasm_bindgen(constructor)]
    pub fn new(options: Option<VmOptions>) -> Result<Self, JsValue> {
        #[cfg(feature = "panic-hook")]
        console_error_panic_hook::set_once();
        cxx_runtime::init();

        let options = Options::read(options);
        let hooks = options.hooks.clone();
        let state = VmState::new(options)?;
        Ok(Self { state: RefCell::new(Some(state)), hooks })
    }

    /// Runs a chunk as a thread. The thread runs up to its first wait before this returns. If a script called the function that calls this,
    /// the thread runs once that script waits. `args` are the values of `...` in the chunk. `id` identifies the run for
    /// [`cancel`](Self::cancel).
    ///
    /// The promise is resolved with the chunk's results, or rejected with a `LuauError`: of kind `syntax` if nothing ran, `cancelled` if
    /// the thread was cancelled, `disposed` if the VM was disposed meanwhile.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes them by value")]
    pub fn run(&self, source: Source, chunk_name: Option<String>, args: Option<Array>, id: Option<u32>) -> Results {
        let promise = match self.state() {
            Ok(state) => state.run(&bytes_of(&source), chunk_name.as_deref(), &args.unwrap_or_default(), id),
            Err(error) => Promise::reject(&error),
        };
        promise.unchecked_into()
    }

    /// Cancels the run that was started with `id`. Its promise is rejected with a `LuauError` of kind `cancelled`, whose cause is `reason`.
    /// Does nothing if the run has ended.
    ///
    /// # Errors
    /// If the VM is disposed.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes it by value")]
    pub fn cancel(&self, id: u32, reason: JsValue) -> Result<(), JsValue> {
        self.state()?.cancel(id, &reason);
        Ok(())
    }

    /// Compiles a chunk. Returns a `LuauError` if the source is not valid Luau, and null otherwise.
    ///
    /// # Errors
    /// If the VM is disposed.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes them by value")]
    pub fn check(&self, source: Source, chunk_name: Option<String>) -> Result<JsValue, JsValue> {
        let state = self.state()?;
        let checked = state.compile(&bytes_of(&source), chunk_name.as_deref().unwrap_or(DEFAULT_CHUNK_NAME));
        Ok(checked.map_or_else(|error| state.error_to_js(&error), |_| JsValue::NULL))
    }

    /// Returns the value of a global.
    ///
    /// # Errors
    /// If the VM is disposed, or there is not enough memory.
    pub fn get(&self, name: &str) -> Result<JsValue, JsValue> {
        self.state()?.get(name)
    }

    /// Sets a global.
    ///
    /// # Errors
    /// If the VM is disposed, the value cannot be converted, or there is not enough memory.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes it by value")]
    pub fn set(&self, name: &str, value: JsValue) -> Result<(), JsValue> {
        self.state()?.set(name, &value)
    }

    /// Returns a promise that is resolved when no thread, timer or socket is left.
    pub fn idle(&self) -> Promise {
        match self.state() {
            Ok(state) => state.idle(),
            Err(error) => Promise::reject(&error),
        }
    }

    /// Returns the numbers of threads, timers and sockets, and the memory that Luau uses, in bytes.
    ///
    /// # Errors
    /// If the VM is disposed.
    pub fn stats(&self) -> Result<Stats, JsValue> {
        Ok(self.state()?.stats().unchecked_into())
    }

    /// Cancels every thread and closes every socket. The VM can be used again.
    ///
    /// # Errors
    /// If the VM is disposed.
    pub fn stop(&self) -> Result<(), JsValue> {
        self.state()?.stop();
        Ok(())
    }

    /// Ends the VM: closes its sockets, cancels its timers, and rejects the promises of runs.
    ///
    /// Disposing it again does nothing.
    pub fn dispose(&self) {
        let state = self.state.take();
        if let Some(state) = state {
            state.dispose();
        }
    }
}

impl Vm {
    fn state(&self) -> Result<Rc<VmState>, JsValue> {
        self.state.borrow().clone().ok_or_else(|| early_error_to_js(&self.hooks, &Threads::disposed()))
    }
}

impl Drop for Vm {
    /// Called by `free` or by JS's garbage collector. Neither is a reason to end running threads.
    fn drop(&mut self) {
        if let Some(state) = self.state.take() {
            state.detach();
        }
    }
}

/// Returns the bytes of a source, which need not be UTF-8. The package has already checked the type.
fn bytes_of(source: &Source) -> Vec<u8> {
    match source.as_string() {
        Some(text) => text.into_bytes(),
        None => source.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).unwrap_or_default(),
    }
}
