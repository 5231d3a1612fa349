//! The clock and the time zone of the host: ECMA-262, section 21.4, and ECMA-402, section 19.4.

use js_sys::Object;
use wasm_bindgen::prelude::*;

use super::values::{define, descriptor};
use crate::raw::{Offset, TimeZone, ZoneName};

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

    /// Minutes that local time is behind UTC.
    #[wasm_bindgen(catch, method, js_name = getTimezoneOffset)]
    fn behind(this: &JsDate) -> Result<f64, JsValue>;

    #[wasm_bindgen(catch, method, js_name = toLocaleTimeString)]
    fn local_text(this: &JsDate, locale: &str, options: &Object) -> Result<String, JsValue>;
}

/// The time zone of the page, worker or process. Where the host has put something broken in the place of `Date`, it is UTC.
pub(crate) const TIME_ZONE: TimeZone = TimeZone {
    now: || date_now().unwrap_or_default() / 1_000.0,
    offset: |time| offset(time).unwrap_or_default(),
    name: |time| name(time).ok().flatten().unwrap_or_else(|| digits(time)),
};

fn offset(time: f64) -> Result<Offset, JsValue> {
    let date = JsDate::at(time * 1_000.0)?;
    let behind = date.behind()?;
    // JS does not tell daylight-saving time from other changes. Half a year apart there is standard time at least once.
    let year = date.year()?;
    let standard = JsDate::of_day(year, 0, 1)?.behind()?.max(JsDate::of_day(year, 6, 1)?.behind()?);
    #[expect(clippy::cast_possible_truncation, reason = "offsets are less than a day; NaN becomes zero")]
    Ok(Offset { seconds: (behind * -60.0) as i32, is_dst: behind < standard })
}

/// Locales with abbreviations for the zones of their regions. Others write `GMT+1`.
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

/// Returns the offset as a name, which the time zone database has for zones without an abbreviation.
fn digits(time: f64) -> ZoneName {
    let digits = (TIME_ZONE.offset)(time).digits();
    str::from_utf8(&digits).ok().and_then(ZoneName::new).unwrap_or_default()
}
