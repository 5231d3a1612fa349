//! A page with a VM: it records what scripts print and when, and the unhandled errors.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use luau_websocket::testing::{Vm, VmOptions};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The time between two checks of a condition, and the number of checks. Together they are at least a minute.
const INTERVAL_SECONDS: f64 = 0.02;
const TRIES: u32 = 3_000;

/// The address of the test server; `cargo xtask test` starts it and sets this.
pub(crate) const SERVER: &str = env!("LUAU_TEST_SERVER", "run the browser tests with `cargo xtask test`");
#[wasm_bindgen]
extern "C" {
    // Renamed, because wasm-bindgen cannot import the same name twice in a package, and src/js.rs imports it.
    #[wasm_bindgen(js_namespace = globalThis, js_name = setTimeout)]
    fn set_timeout_of_tests(handler: &Function, milliseconds: f64) -> JsValue;

    #[wasm_bindgen(js_name = fetch)]
    fn fetch(url: &str) -> Promise;
}

/// A printed line, and its time in seconds since the page was created.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub seconds: f64,
    pub text: String,
}

/// The function that is called with each line.
type OnPrint = Rc<dyn Fn(&str)>;

pub(crate) struct Page {
    /// None once it was released.
    vm: Option<Vm>,
    began: f64,
    lines: Rc<RefCell<Vec<Line>>>,
    errors: Rc<RefCell<Vec<JsValue>>>,
    on_print: Rc<RefCell<OnPrint>>,
    // Callable by the VM as long as it lives.
    _closures: [Closure<dyn Fn(JsValue)>; 3],
}

impl Page {
    pub(crate) fn new() -> Self {
        Self::with_options(&Object::new())
    }

    /// Creates a page whose VM has these options, and the sinks of the page.
    pub(crate) fn with_options(options: &Object) -> Self {
        // The runs of a test build on earlier ones.
        Reflect::set(options, &"globalScope".into(), &"vm".into()).unwrap();
        let began = luau_websocket::testing::now();
        let lines: Rc<RefCell<Vec<Line>>> = Rc::default();
        let errors: Rc<RefCell<Vec<JsValue>>> = Rc::default();
        let on_print: Rc<RefCell<OnPrint>> = Rc::new(RefCell::new(Rc::new(|_| {})));
        let line = |prefix: &'static str| {
            let (lines, on_print) = (lines.clone(), on_print.clone());
            Closure::<dyn Fn(JsValue)>::new(move |text: JsValue| {
                let seconds = (luau_websocket::testing::now() - began) / 1_000.0;
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

    /// Returns the VM, as long as the page has it.
    pub(crate) fn vm(&self) -> &Vm {
        self.vm.as_ref().unwrap()
    }

    /// Releases the VM without disposing it.
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

    /// Runs a script to its end and returns its results or its error.
    pub(crate) async fn try_run(&self, source: &str) -> Result<Vec<JsValue>, JsValue> {
        let results = JsFuture::from(self.start(source)).await?;
        Ok(results.unchecked_into::<Array>().iter().collect())
    }

    /// Runs a script that must not fail.
    pub(crate) async fn run(&self, source: &str) -> Vec<JsValue> {
        match self.try_run(source).await {
            Ok(results) => results,
            Err(error) => panic!("{}", text(&error, "message")),
        }
    }

    /// Runs a script that must fail.
    pub(crate) async fn fail(&self, source: &str) -> JsValue {
        self.try_run(source).await.expect_err("the script did not fail")
    }

    /// Returns the lines printed so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.borrow().clone()
    }

    /// Returns the text of the lines printed so far.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.lines.borrow().iter().map(|line| line.text.clone()).collect()
    }

    /// Returns the messages of unhandled errors.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.errors.borrow().iter().map(|error| text(error, "message")).collect()
    }

    /// Returns the seconds since this page was created.
    pub(crate) fn seconds(&self) -> f64 {
        (luau_websocket::testing::now() - self.began) / 1_000.0
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

/// Waits for a number of seconds.
pub(crate) async fn sleep(seconds: f64) {
    let promise = Promise::new(&mut |resolve, _| {
        set_timeout_of_tests(&resolve, seconds * 1_000.0);
    });
    JsFuture::from(promise).await.unwrap();
}

/// Waits until the condition holds, and fails if it never does. The deadline only keeps a broken test from hanging: a
/// busy machine must not reach it.
pub(crate) async fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..TRIES {
        if condition() {
            return;
        }
        sleep(INTERVAL_SECONDS).await;
    }
    panic!("it did not happen within a minute");
}

/// Returns an address where connections are accepted and never answered.
pub(crate) async fn silent() -> String {
    address("silent").await
}

/// Returns an address without a server.
pub(crate) async fn closed() -> String {
    address("closed").await
}

async fn address(name: &str) -> String {
    let ports = js_sys::JSON::parse(&answer("ports").await).unwrap();
    text(&ports, name)
}

/// Returns the number of open sockets on the server once it is `expected`, or the actual number after a minute.
pub(crate) async fn server_connections(expected: u32) -> u32 {
    ask_server("connections", &expected.to_string()).await.parse().unwrap()
}

/// Returns the number of sockets that the server will never answer, in the same way.
///
/// Not for Firefox: if a page closes a socket before the answer, it keeps connecting there until Firefox gives up, and
/// another socket to the same address waits for that.
pub(crate) async fn half_open(expected: u32) -> u32 {
    if is_firefox() {
        return expected;
    }
    ask_server("half-open", &expected.to_string()).await.parse().unwrap()
}

/// Returns true if the browser is Firefox.
pub(crate) fn is_firefox() -> bool {
    text(&property(&js_sys::global(), "navigator"), "userAgent").contains("Firefox")
}

/// Returns the server's answer, in JSON, once it is `expected`, or the actual one after a minute.
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

/// Returns a property of a JS object as text.
pub(crate) fn text(object: &JsValue, name: &str) -> String {
    property(object, name).as_string().unwrap_or_default()
}

/// Returns a property of a JS object.
pub(crate) fn property(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap()
}

/// Returns JS values as JSON, for comparison.
pub(crate) fn json(values: &[JsValue]) -> String {
    let array: Array = values.iter().collect();
    js_sys::JSON::stringify(&array).unwrap().into()
}
