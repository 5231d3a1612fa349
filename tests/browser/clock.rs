//! A clock that the test turns, in the place of the browser's.

use js_sys::Function;
use wasm_bindgen::JsValue;

/// Stops the clock of the page for everything that reads it, until this is dropped. Then time goes on from where it was turned to, so
/// that it never goes back.
///
/// A VM looks at the clock when it has something to do: after turning it, run a script.
pub(crate) struct StoppedClock;

impl StoppedClock {
    pub(crate) fn new() -> Self {
        evaluate(
            "const real = performance.now.bind(performance);
             let time = real();
             performance.now = () => time;
             globalThis.stoppedClock = {
                 advance: (seconds) => { time += seconds * 1000; },
                 start: () => {
                     const offset = time - real();
                     performance.now = () => real() + offset;
                 },
             };",
        );
        Self
    }

    /// Turns the clock by so many seconds.
    #[allow(clippy::unused_self, reason = "there is a stopped clock only as long as there is one of these")]
    pub(crate) fn advance(&self, seconds: f64) {
        evaluate(&format!("stoppedClock.advance({seconds})"));
    }
}

impl Drop for StoppedClock {
    fn drop(&mut self) {
        evaluate("stoppedClock.start()");
    }
}

fn evaluate(source: &str) {
    Function::new_no_args(source).call0(&JsValue::UNDEFINED).unwrap();
}
