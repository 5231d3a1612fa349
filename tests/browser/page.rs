//! A page with a VM: it notes what scripts print and when, and which errors nobody waited for.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use luau_websocket::vm::{Vm, VmOptions};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// How long to wait between two checks of something that takes a while, and how often to check. Together, a minute at least.
const INTERVAL_SECONDS: f64 = 0.02;
const TRIES: u32 = 3_000;

/// Where the test server listens; `cargo xtask test` starts it and sets this.
pub(crate) const SERVER: &str = env!("LUAU_TEST_SERVER", "run the browser tests with `cargo xtask test`");
#[wasm_bindgen]
extern "C" {
    // Not by its own name: wasm-bindgen cannot have one import twice in a package, and src/host.rs has it.
    #[wasm_bindgen(js_namespace = globalThis, js_name = setTimeout)]
    fn set_timeout_of_tests(handler: &Function, milliseconds: f64) -> JsValue;

    #[wasm_bindgen(js_name = fetch)]
    fn fetch(url: &str) -> Promise;
}

/// A line that was printed, and when: in seconds since the page was made.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub seconds: f64,
    pub text: String,
}

/// What is called with each line.
type OnPrint = Rc<dyn Fn(&str)>;

pub(crate) struct Page {
    /// None once it was let go of.
    vm: Option<Vm>,
    began: f64,
    lines: Rc<RefCell<Vec<Line>>>,
    errors: Rc<RefCell<Vec<JsValue>>>,
    on_print: Rc<RefCell<OnPrint>>,
    // Called by the VM as long as it lives.
    _closures: [Closure<dyn Fn(JsValue)>; 3],
}

impl Page {
    pub(crate) fn new() -> Self {
        Self::with_options(&Object::new())
    }

    /// A page whose VM is made with these options, and with the sinks of the page.
    pub(crate) fn with_options(options: &Object) -> Self {
        // The runs of a test build on earlier ones.
        Reflect::set(options, &"globalScope".into(), &"vm".into()).unwrap();
        let began = luau_websocket::host::now();
        let lines: Rc<RefCell<Vec<Line>>> = Rc::default();
        let errors: Rc<RefCell<Vec<JsValue>>> = Rc::default();
        let on_print: Rc<RefCell<OnPrint>> = Rc::new(RefCell::new(Rc::new(|_| {})));
        let line = |prefix: &'static str| {
            let (lines, on_print) = (lines.clone(), on_print.clone());
            Closure::<dyn Fn(JsValue)>::new(move |text: JsValue| {
                let seconds = (luau_websocket::host::now() - began) / 1_000.0;
                let text = format!("{prefix}{}", text.as_string().unwrap());
                lines.borrow_mut().push(Line { seconds, text: text.clone() });
                let on_print = on_print.borrow().clone();
                on_print(&text);
            })
        };
        let (print, warn) = (line(""), line("warning: "));
        let of_errors = errors.clone();
        let on_error = Closure::<dyn Fn(JsValue)>::new(move |error: JsValue| of_errors.borrow_mut().push(error));
        for (name, closure) in [("print", &print), ("warn", &warn), ("onError", &on_error)] {
            Reflect::set(options, &name.into(), closure.as_ref()).unwrap();
        }
        let vm = Vm::new(Some(options.clone().unchecked_into::<VmOptions>())).unwrap();
        Self { vm: Some(vm), began, lines, errors, on_print, _closures: [print, warn, on_error] }
    }

    /// The VM, as long as the page has it.
    pub(crate) fn vm(&self) -> &Vm {
        self.vm.as_ref().unwrap()
    }

    /// Lets go of the VM without disposing it.
    pub(crate) fn let_go(&mut self) {
        self.vm = None;
    }

    /// Calls `on_print` with each line as it is printed, from inside the call that prints it.
    pub(crate) fn on_print(&self, on_print: impl Fn(&str) + 'static) {
        self.on_print.replace(Rc::new(on_print));
    }

    /// Starts a script, in which SERVER stands for the address above.
    pub(crate) fn start(&self, source: &str) -> Promise {
        let source = source.replace("SERVER", SERVER);
        start(self.vm(), &source)
    }

    /// Runs a script to its end and returns what it returns, or its error.
    pub(crate) async fn try_run(&self, source: &str) -> Result<Vec<JsValue>, JsValue> {
        let results = JsFuture::from(self.start(source)).await?;
        Ok(results.unchecked_into::<Array>().iter().collect())
    }

    /// Runs a script that does not fail.
    pub(crate) async fn run(&self, source: &str) -> Vec<JsValue> {
        match self.try_run(source).await {
            Ok(results) => results,
            Err(error) => panic!("{}", text(&error, "message")),
        }
    }

    /// Runs a script that fails.
    pub(crate) async fn fail(&self, source: &str) -> JsValue {
        self.try_run(source).await.expect_err("the script did not fail")
    }

    /// What was printed until now.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.borrow().clone()
    }

    /// What was printed until now, without the times.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.lines.borrow().iter().map(|line| line.text.clone()).collect()
    }

    /// The messages of the errors that nobody waited for.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.errors.borrow().iter().map(|error| text(error, "message")).collect()
    }

    /// Seconds since this page was made.
    pub(crate) fn seconds(&self) -> f64 {
        (luau_websocket::host::now() - self.began) / 1_000.0
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if let Some(vm) = &self.vm {
            vm.dispose();
        }
    }
}

/// Starts a script in a VM.
pub(crate) fn start(vm: &Vm, source: &str) -> Promise {
    vm.run(JsValue::from(source).unchecked_into(), None, None, None).unchecked_into()
}

/// Lets so many seconds pass.
pub(crate) async fn sleep(seconds: f64) {
    let promise = Promise::new(&mut |resolve, _| {
        set_timeout_of_tests(&resolve, seconds * 1_000.0);
    });
    JsFuture::from(promise).await.unwrap();
}

/// Waits until the condition holds, and fails if it never does. The deadline only keeps a broken test from hanging: a busy machine
/// must not reach it.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..TRIES {
        if condition() {
            return;
        }
        sleep(INTERVAL_SECONDS).await;
    }
    panic!("it did not happen within a minute");
}

/// Where connections are taken and never answered.
pub(crate) async fn silent() -> String {
    address("silent").await
}

/// Where nobody listens.
pub(crate) async fn closed() -> String {
    address("closed").await
}

async fn address(name: &str) -> String {
    let ports = js_sys::JSON::parse(&answer("ports").await).unwrap();
    text(&ports, name)
}

/// How many sockets the server has open, once it is the number that is `expected`; or after a minute, the other one.
pub(crate) async fn server_connections(expected: u32) -> u32 {
    ask_server("connections", &expected.to_string()).await.parse().unwrap()
}

/// How many sockets it has that it will never answer, likewise.
///
/// Not in Firefox: a socket that a page closes before the answer goes on connecting there, until Firefox gives it up by
/// itself, and another one to the same address waits for that.
pub(crate) async fn half_open(expected: u32) -> u32 {
    if is_firefox() {
        return expected;
    }
    ask_server("half-open", &expected.to_string()).await.parse().unwrap()
}

/// Whether the browser is Firefox.
pub(crate) fn is_firefox() -> bool {
    text(&property(&js_sys::global(), "navigator"), "userAgent").contains("Firefox")
}

/// What the server says, in JSON, once it is what is `expected`; or after a minute, the other thing.
pub(crate) async fn ask_server(question: &str, expected: &str) -> String {
    let mut last = String::new();
    for _ in 0..TRIES {
        last = answer(question).await;
        if last == expected {
            break;
        }
        sleep(INTERVAL_SECONDS).await;
    }
    last
}

async fn answer(question: &str) -> String {
    let response = JsFuture::from(fetch(&format!("http://{SERVER}/server/{question}"))).await.unwrap();
    let body: Function = Reflect::get(&response, &"text".into()).unwrap().unchecked_into();
    let body: Promise = body.call0(&response).unwrap().unchecked_into();
    JsFuture::from(body).await.unwrap().as_string().unwrap()
}

/// A property of a JS object, as text.
pub(crate) fn text(object: &JsValue, name: &str) -> String {
    property(object, name).as_string().unwrap_or_default()
}

/// A property of a JS object.
pub(crate) fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

/// JS values in JSON, to be compared.
pub(crate) fn json(values: &[JsValue]) -> String {
    let array: Array = values.iter().collect();
    js_sys::JSON::stringify(&array).unwrap().into()
}
