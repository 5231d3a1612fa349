//! Checks that a page can draw while a script computes.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::values::property;

#[wasm_bindgen]
extern "C" {
    /// HTML, section 8.11. It exists only in pages.
    #[wasm_bindgen(catch, js_name = requestAnimationFrame)]
    fn request_animation_frame(handler: &Function) -> Result<f64, JsValue>;

    #[wasm_bindgen(catch, js_name = cancelAnimationFrame)]
    fn cancel_animation_frame(id: f64) -> Result<(), JsValue>;
}

/// The time that a visible page may wait for a frame, in milliseconds. It may then draw later by this time and by one slice before and
/// after it, which is within three of sixty frames per second.
const MAX_GAP_MS: f64 = 24.0;

/// A watch for the page's frames.
///
/// A page may draw between two messages to itself, and Chromium and `WebKit` do so when a frame is due. Firefox handles messages first and
/// draws a frame only now and then. When it has nothing to do for a moment, it draws at once.
#[must_use = "dropping it stops watching for frames"]
pub(crate) struct Frames {
    on_frame: Closure<dyn Fn()>,
    /// The result of `requestAnimationFrame` until the frame arrives.
    requested: Rc<Cell<Option<f64>>>,
    /// The time when the wait for the frame started.
    since: Cell<f64>,
    /// True if there is no page, and so no frames.
    are_unavailable: Cell<bool>,
}

impl Frames {
    /// Creates a watch that starts at the first check.
    pub(crate) fn new() -> Self {
        let requested: Rc<Cell<Option<f64>>> = Rc::default();
        let on_frame = {
            let requested = requested.clone();
            Closure::new(move || requested.set(None))
        };
        Self { on_frame, requested, since: Cell::new(0.0), are_unavailable: Cell::new(false) }
    }

    /// Returns true if the page should have drawn by `now`, in milliseconds, but could not. Then it gets the same time again.
    pub(crate) fn are_overdue(&self, now: f64) -> bool {
        if self.are_unavailable.get() {
            return false;
        }
        if self.requested.get().is_none() {
            let id = request_animation_frame(self.on_frame.as_ref().unchecked_ref()).ok();
            // Checked only once: outside pages the call throws, which is the slowest part of this function.
            self.are_unavailable.set(id.is_none());
            self.requested.set(id);
            self.since.set(now);
            return false;
        }
        // A hidden page does not draw, and its timers are slow.
        if now - self.since.get() < MAX_GAP_MS || is_hidden() {
            return false;
        }
        self.since.set(now);
        true
    }
}

/// Returns true if the page is hidden (HTML, section 6.2). If there is no such property, nothing is drawn either.
fn is_hidden() -> bool {
    let document = property(&js_sys::global(), &"document".into());
    let hidden = document.and_then(|document| property(&document, &"hidden".into()));
    hidden.ok().and_then(|hidden| hidden.as_bool()) != Some(false)
}

impl Drop for Frames {
    fn drop(&mut self) {
        if let Some(id) = self.requested.take() {
            // Otherwise the frame would call a closure that is gone.
            let _ = cancel_animation_frame(id);
        }
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").finish_non_exhaustive()
    }
}
