//! The class that JS sees: a VM with the libraries in it.

mod machine;
mod options;
mod threads;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

use self::machine::{DEFAULT_CHUNK_NAME, Machine};
use self::options::Options;
pub use self::options::VmOptions;
use self::threads::Threads;
use crate::convert::early_error_to_js;
use crate::host::hooks::Hooks;

#[wasm_bindgen]
extern "C" {
    /// The promise of a run, as TypeScript knows it.
    #[wasm_bindgen(typescript_type = "Promise<unknown[]>")]
    pub type Results;

    /// The source of a chunk, as TypeScript knows it.
    #[wasm_bindgen(typescript_type = "string | Uint8Array")]
    pub type Source;

    /// What is under way, as TypeScript knows it.
    #[wasm_bindgen(typescript_type = "{ threads: number, timers: number, sockets: number, memory: number }")]
    pub type Stats;
}

/// A Luau VM with `task`, `websocket`, `json`, `require`, `print` and `warn`.
///
/// After `dispose` every call throws a `LuauError` of kind `disposed`, or returns a promise that is rejected with one.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Vm {
    /// None once it is disposed.
    machine: RefCell<Option<Rc<Machine>>>,
    hooks: Hooks,
}

#[wasm_bindgen]
impl Vm {
    /// Makes a VM.
    ///
    /// # Errors
    /// A `TypeError` for an option that is not what it should be, a `LuauError` for a global that cannot be converted, and
    /// when there is not enough memory.
    #[wasm_bindgen(constructor)]
    pub fn new(options: Option<VmOptions>) -> Result<Self, JsValue> {
        #[cfg(feature = "panic-hook")]
        console_error_panic_hook::set_once();
        cxx_runtime::init();

        let options = Options::read(options)?;
        let hooks = options.hooks.clone();
        let machine = Machine::new(options)?;
        Ok(Self { machine: RefCell::new(Some(machine)), hooks })
    }

    /// Runs a chunk as a thread: up to its first wait before this returns, or, when it is called by a function that a
    /// script has called, as soon as that script waits. `args` are the values of `...` in the chunk, and `id` is what
    /// [`cancel`](Self::cancel) knows the run by.
    ///
    /// The promise is resolved with what the chunk returns, and rejected with a `LuauError`: of kind `syntax` before
    /// anything ran, `cancelled` when the thread was cancelled, `disposed` when the VM was disposed meanwhile.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen hands them over as a whole")]
    pub fn run(&self, source: Source, chunk_name: Option<String>, args: Option<Array>, id: Option<u32>) -> Results {
        let promise = match self.machine() {
            Ok(machine) => machine.run(&bytes_of(&source), chunk_name.as_deref(), &args.unwrap_or_default(), id),
            Err(error) => Promise::reject(&error),
        };
        promise.unchecked_into()
    }

    /// Cancels the run that was started with `id`. Its promise is rejected with a `LuauError` of kind `cancelled`, whose
    /// cause is `reason`. Does nothing when it has ended.
    ///
    /// # Errors
    /// When the VM is disposed.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen hands it over as a whole")]
    pub fn cancel(&self, id: u32, reason: JsValue) -> Result<(), JsValue> {
        self.machine()?.cancel(id, &reason);
        Ok(())
    }

    /// Compiles a chunk. Returns the `LuauError` if it is no Luau program, else null.
    ///
    /// # Errors
    /// When the VM is disposed.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen hands them over as a whole")]
    pub fn check(&self, source: Source, chunk_name: Option<String>) -> Result<JsValue, JsValue> {
        let machine = self.machine()?;
        let checked = machine.compile(&bytes_of(&source), chunk_name.as_deref().unwrap_or(DEFAULT_CHUNK_NAME));
        Ok(checked.map_or_else(|error| machine.error_to_js(&error), |_| JsValue::NULL))
    }

    /// The value of a global.
    ///
    /// # Errors
    /// When the VM is disposed, or there is no memory.
    pub fn get(&self, name: &str) -> Result<JsValue, JsValue> {
        self.machine()?.get(name)
    }

    /// Sets a global.
    ///
    /// # Errors
    /// When the VM is disposed, the value cannot be converted, or there is no memory.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen hands it over as a whole")]
    pub fn set(&self, name: &str, value: JsValue) -> Result<(), JsValue> {
        self.machine()?.set(name, &value)
    }

    /// A promise that is resolved when no thread, timer or socket is left.
    pub fn idle(&self) -> Promise {
        match self.machine() {
            Ok(machine) => machine.idle(),
            Err(error) => Promise::reject(&error),
        }
    }

    /// How many threads, timers and sockets there are, and how much memory Luau uses, in bytes.
    ///
    /// # Errors
    /// When the VM is disposed.
    pub fn stats(&self) -> Result<Stats, JsValue> {
        Ok(self.machine()?.stats().unchecked_into())
    }

    /// Cancels every thread and closes every socket. The VM can be used again.
    ///
    /// # Errors
    /// When the VM is disposed.
    pub fn stop(&self) -> Result<(), JsValue> {
        self.machine()?.stop();
        Ok(())
    }

    /// Ends the VM: closes its sockets, calls off its timers, and rejects what is still running.
    ///
    /// Disposing it again does nothing.
    pub fn dispose(&self) {
        let machine = self.machine.take();
        if let Some(machine) = machine {
            machine.dispose();
        }
    }
}

impl Vm {
    fn machine(&self) -> Result<Rc<Machine>, JsValue> {
        self.machine.borrow().clone().ok_or_else(|| early_error_to_js(&self.hooks, &Threads::disposed()))
    }
}

impl Drop for Vm {
    /// The page called `free`, or its collector found the object: not a reason to end what still runs.
    fn drop(&mut self) {
        if let Some(machine) = self.machine.take() {
            machine.let_go();
        }
    }
}

/// The bytes of a source; Luau does not mind what they are. The package has seen to it that it is nothing else.
fn bytes_of(source: &Source) -> Vec<u8> {
    match source.as_string() {
        Some(text) => text.into_bytes(),
        None => source.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec).unwrap_or_default(),
    }
}
