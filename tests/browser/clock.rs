//! A clock that the test controls, in place of the browser's.

use js_sys::Function;
use wasm_bindgen::JsValue;

/// Stops the clock of the page for everything that reads it, until this is dropped. Then time continues from where it
/// was set, so that it never goes back.
///
/// A VM looks at the clock when it has something to do: after advancing it, run a script.
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

    /// Advances the clock.
    #[allow(clippy::unused_self, reason = "the clock is only stopped while a value of this type exists")]
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
