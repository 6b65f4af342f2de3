//! Values of JSON as annotation tools write them: numbers as text, ids as floats, `NaN`.

use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// The id of an image, an annotation or a category. `7`, `7.0` and `"7"` are the same id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// Reads an id: a whole number or a text.
pub(super) fn id(raw: &RawValue) -> Option<Id> {
    match scalar(raw)? {
        Value::Number(number) => whole(number.as_f64()?, number.as_i64()).map(Id::Number),
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Id::Number(number),
            _ => Id::Text(text),
        }),
        _ => None,
    }
}

/// Reads a finite number, also as text.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

/// Reads a whole number that is not negative, also as a float or as text.
pub(super) fn size(value: &Value) -> Option<usize> {
    usize::try_from(whole(number(value)?, value.as_i64())?).ok()
}

/// Reads a flag: `0`, `1`, `false`, `true`, also as text.
pub(super) fn flag(raw: &RawValue) -> Option<bool> {
    match scalar(raw)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) if text.is_empty() || text.eq_ignore_ascii_case("false") => Some(false),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        other => number(&other).map(|number| number != 0.0),
    }
}

/// Reads a name: a text, or a number as text.
pub(super) fn text(raw: &RawValue) -> Option<String> {
    match scalar(raw)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Parses a value that is no list and no object.
pub(super) fn scalar(raw: &RawValue) -> Option<Value> {
    if raw.get().starts_with(['[', '{']) {
        return None;
    }
    serde_json::from_str(raw.get()).ok()
}

fn whole(float: f64, exact: Option<i64>) -> Option<i64> {
    // Above 2^53, floats skip numbers.
    let of_float = || (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64);
    exact.or_else(of_float)
}

/// Returns a value for people, shortened.
pub(super) fn shown(raw: &RawValue) -> String {
    const LONGEST: usize = 40;
    let text = raw.get();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

/// Decodes a file to JSON text: removes a byte order mark, decodes UTF-16, and replaces `NaN` and `Infinity`, which Python
/// writes and JSON does not have, by an empty text.
///
/// # Errors
/// Returns what the file is instead.
pub(super) fn decode(mut bytes: Vec<u8>) -> Result<String, String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks().0.iter().map(|&pair| unit(pair)).collect();
        String::from_utf16(&units).map(String::into_bytes).map_err(|_| "is no valid UTF-16 text".to_owned())
    };
    if bytes.starts_with(b"\xff\xfe") {
        bytes = wide(&bytes[2..], u16::from_le_bytes)?;
    } else if bytes.starts_with(b"\xfe\xff") {
        bytes = wide(&bytes[2..], u16::from_be_bytes)?;
    } else if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    replace_infinite(&mut bytes);
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is not UTF-8 text (byte {at}); save it as UTF-8")
    })
}

/// Overwrites `NaN`, `Infinity` and `-Infinity` outside of texts by `""` and spaces.
fn replace_infinite(bytes: &mut [u8]) {
    let (mut at, mut in_text) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => in_text = !in_text,
            b'\\' if in_text => at += 1,
            b'N' | b'I' | b'-' if !in_text => {
                let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
                if let Some(word) = words.into_iter().find(|word| bytes[at..].starts_with(word)) {
                    bytes[at..at + word.len()].fill(b' ');
                    bytes[at..at + 2].fill(b'"');
                    at += word.len() - 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn ids_of_every_form() {
        let check = |text, expected: Option<Id>| assert_eq!(id(&raw(text)), expected, "{text}");
        for seven in ["7", "7.0", "\"7\"", "7e0"] {
            check(seven, Some(Id::Number(7)));
        }
        check("-7", Some(Id::Number(-7)));
        check("9007199254740993", Some(Id::Number(9_007_199_254_740_993)));
        check("\"07\"", Some(Id::Text("07".into())));
        check("\"a-7\"", Some(Id::Text("a-7".into())));
        for none in ["7.5", "\"\"", "null", "true", "[7]", "{}", "1e300"] {
            check(none, None);
        }
    }

    #[test]
    fn flags_and_numbers_of_every_form() {
        for (text, expected) in [
            ("0", Some(false)),
            ("1", Some(true)),
            ("false", Some(false)),
            ("true", Some(true)),
            ("0.0", Some(false)),
            ("\"0\"", Some(false)),
            ("\"1\"", Some(true)),
            ("\"False\"", Some(false)),
            ("\"\"", Some(false)),
            ("\"maybe\"", None),
            ("[]", None),
        ] {
            assert_eq!(flag(&raw(text)), expected, "{text}");
        }
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (text, expected) in
            [("80", Some(80)), ("80.0", Some(80)), ("\"80\"", Some(80)), ("-1", None), ("80.5", None)]
        {
            assert_eq!(size(&value(text)), expected, "{text}");
        }
        assert_eq!(
            (number(&value("\" 1.5 \"")), number(&value("\"NaN\"")), number(&value("true"))),
            (Some(1.5), None, None)
        );
    }

    #[test]
    fn texts_of_every_encoding() {
        let json = "{\"a\": [NaN, -Infinity, Infinity, -1], \"b NaN \\\" Infinity\": \"NaN\"}";
        let expected = "{\"a\": [\"\" , \"\"       , \"\"      , -1], \"b NaN \\\" Infinity\": \"NaN\"}";
        assert_eq!(decode(json.into()).unwrap(), expected);
        assert_eq!(decode([b"\xef\xbb\xbf", json.as_bytes()].concat()).unwrap(), expected);
        let wide =
            |unit: fn(u16) -> [u8; 2]| -> Vec<u8> { "\u{feff}{\"\u{fc}\"}".encode_utf16().flat_map(unit).collect() };
        assert_eq!(decode(wide(u16::to_le_bytes)).unwrap(), "{\"\u{fc}\"}");
        assert_eq!(decode(wide(u16::to_be_bytes)).unwrap(), "{\"\u{fc}\"}");
        assert!(decode(b"{\"M\xfcller\"}".into()).unwrap_err().contains("byte 3"));
    }
}
