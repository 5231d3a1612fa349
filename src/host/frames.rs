//! Whether a page gets to draw while a script computes.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::values::property;

#[wasm_bindgen]
extern "C" {
    /// HTML, section 8.11. There is none outside of pages.
    #[wasm_bindgen(catch, js_name = requestAnimationFrame)]
    fn request_animation_frame(handler: &Function) -> Result<f64, JsValue>;

    #[wasm_bindgen(catch, js_name = cancelAnimationFrame)]
    fn cancel_animation_frame(id: f64) -> Result<(), JsValue>;
}

/// How long a page that is being looked at may wait for a frame, in milliseconds. It draws that much later, and a slice before and one
/// after it: so it is within three of sixty in a second.
const LONGEST_GAP: f64 = 24.0;

/// The frames of the page, as far as anybody waits for them.
///
/// Between two messages to itself a page may draw, and Chromium and `WebKit` do when a frame is due. Firefox lets messages go first and
/// draws a frame now and then; when it has nothing to do for a moment, it draws at once.
#[must_use = "frames that are dropped are not watched any more"]
pub(crate) struct Frames {
    has_come: Closure<dyn Fn()>,
    /// What `requestAnimationFrame` returned, while the frame has not come.
    requested: Rc<Cell<Option<f64>>>,
    /// Since when a frame is waited for.
    since: Cell<f64>,
    /// Whether there is no page, and so no frame.
    are_none: Cell<bool>,
}

impl Frames {
    /// Watches nothing until it is asked.
    pub(crate) fn new() -> Self {
        let requested: Rc<Cell<Option<f64>>> = Rc::default();
        let of_frame = requested.clone();
        Self {
            has_come: Closure::new(move || of_frame.set(None)),
            requested,
            since: Cell::new(0.0),
            are_none: Cell::new(false),
        }
    }

    /// Whether the page should have drawn by now and could not; `now` is in milliseconds. It is given as long again then.
    pub(crate) fn are_overdue(&self, now: f64) -> bool {
        if self.are_none.get() {
            return false;
        }
        if self.requested.get().is_none() {
            let id = request_animation_frame(self.has_come.as_ref().unchecked_ref()).ok();
            // Asked once: it throws where there is none, which takes longer than all else here.
            self.are_none.set(id.is_none());
            self.requested.set(id);
            self.since.set(now);
            return false;
        }
        // A hidden page draws nothing, and its timers are slow.
        if now - self.since.get() < LONGEST_GAP || is_hidden() {
            return false;
        }
        self.since.set(now);
        true
    }
}

/// HTML, section 6.2. Where that cannot be asked, nothing is drawn either.
fn is_hidden() -> bool {
    let document = property(&js_sys::global(), &"document".into());
    let hidden = document.and_then(|document| property(&document, &"hidden".into()));
    hidden.ok().and_then(|hidden| hidden.as_bool()) != Some(false)
}

impl Drop for Frames {
    fn drop(&mut self) {
        if let Some(id) = self.requested.take() {
            // It comes to a closure that is gone otherwise.
            let _ = cancel_animation_frame(id);
        }
    }
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").finish_non_exhaustive()
    }
}
