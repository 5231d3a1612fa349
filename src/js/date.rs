//! The host's clock and time zone: ECMA-262, section 21.4, and ECMA-402, section 19.4.

use js_sys::Object;
use wasm_bindgen::prelude::*;

use super::values::{define, descriptor};
use luau_runtime::standard::{Offset, TimeZone, ZoneName};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Date)]
    type JsDate;

    #[wasm_bindgen(catch, constructor, js_class = "Date")]
    fn at(milliseconds: f64) -> Result<JsDate, JsValue>;

    #[wasm_bindgen(catch, constructor, js_class = "Date")]
    fn of_day(year: f64, month: u32, day: u32) -> Result<JsDate, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Date, js_name = now)]
    fn date_now() -> Result<f64, JsValue>;

    #[wasm_bindgen(catch, method, js_name = getFullYear)]
    fn year(this: &JsDate) -> Result<f64, JsValue>;

    /// Returns the number of minutes by which local time is behind UTC.
    #[wasm_bindgen(catch, method, js_name = getTimezoneOffset)]
    fn behind(this: &JsDate) -> Result<f64, JsValue>;

    #[wasm_bindgen(catch, method, js_name = toLocaleTimeString)]
    fn local_text(this: &JsDate, locale: &str, options: &Object) -> Result<String, JsValue>;
}

/// The time zone of the page, worker or process. It is UTC if the host has replaced `Date` with something broken.
pub(crate) const TIME_ZONE: TimeZone = TimeZone {
    now: || date_now().unwrap_or_default() / 1_000.0,
    offset: |time| offset(time).unwrap_or_default(),
    name: |time| name(time).ok().flatten().unwrap_or_else(|| digits(time)),
};

fn offset(time: f64) -> Result<Offset, JsValue> {
    let date = JsDate::at(time * 1_000.0)?;
    let behind = date.behind()?;
    // JS does not distinguish daylight-saving time from other changes. Of two times half a year apart, at least one is in standard time.
    let year = date.year()?;
    let standard = JsDate::of_day(year, 0, 1)?.behind()?.max(JsDate::of_day(year, 6, 1)?.behind()?);
    #[expect(clippy::cast_possible_truncation, reason = "offsets are less than a day; NaN becomes zero")]
    Ok(Offset { seconds: (behind * -60.0) as i32, is_dst: behind < standard })
}

/// The locales that have abbreviations for the zones of their regions. Other locales write `GMT+1`.
const LOCALES: [&str; 4] = ["en-US", "en-GB", "en-AU", "en-IN"];

fn name(time: f64) -> Result<Option<ZoneName>, JsValue> {
    let date = JsDate::at(time * 1_000.0)?;
    let options = Object::new();
    for (name, value) in [("timeZoneName", "short"), ("hourCycle", "h23")] {
        define(&options, &name.into(), &value.into(), &descriptor());
    }
    for locale in LOCALES {
        let text = date.local_text(locale, &options)?;
        let name =
            text.split_whitespace().next_back().filter(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic()));
        if let Some(name) = name {
            return Ok(ZoneName::new(name));
        }
    }
    Ok(None)
}

/// Returns the offset as a name, as in the time zone database for zones without an abbreviation.
fn digits(time: f64) -> ZoneName {
    let digits = (TIME_ZONE.offset)(time).digits();
    str::from_utf8(&digits).ok().and_then(ZoneName::new).unwrap_or_default()
}
