//! Numbers in the format of `JSON.stringify`, which is ECMA-262's `Number::toString`.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// A formatter that writes compact JSON with JavaScript's number format.
pub(super) struct JsNumbers;

impl Formatter for JsNumbers {
    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, number: f64) -> io::Result<()> {
        if number.fract() == 0.0 && number.abs() <= MAX_EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
            return self.write_i64(writer, number as i64);
        }
        writer.write_all(text(number).as_bytes())
    }
}

/// The largest number up to which all integers are exact. Integers are the most frequent numbers, and quick to write.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Returns the text of a finite number.
fn text(number: f64) -> String {
    // Rust writes the fewest digits that parse to the same number, such as `1.25e-6`.
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if number < 0.0 { "-" } else { "" };
    let unsigned = match exponent {
        0..=20 => with_point(&digits, exponent.unsigned_abs() as usize + 1),
        -6..0 => format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        _ => format!("{mantissa}e{exponent:+}"),
    };
    format!("{sign}{unsigned}")
}

/// Puts the decimal point after `whole` digits, padding with zeros if there are fewer.
fn with_point(digits: &str, whole: usize) -> String {
    match digits.split_at_checked(whole) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits:0<whole$}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::ser::Formatter;

    use super::JsNumbers;

    fn written(number: f64) -> String {
        let mut bytes = Vec::new();
        JsNumbers.write_f64(&mut bytes, number).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_are_formatted_like_json_stringify() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-120.0, "-120"),
            (123.456, "123.456"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1.795_901_832e18, "1795901832000000000"),
            (9_007_199_254_740_994.0, "9007199254740994"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e300, "-1.5e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (0.000_001, "0.000001"),
            (1.25e-6, "0.00000125"),
            (1e-7, "1e-7"),
            (-1.5e-10, "-1.5e-10"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(written(number), expected);
            assert_eq!(expected.parse::<f64>().ok(), Some(number));
        }
    }
}
