//! Names of classes, as descriptions of models and the metadata of ONNX files state them.

use serde_json::Value;

/// A list of names in the order of the logits, or a table of names and numbers.
pub(super) type Names = Vec<String>;

/// Returns the names in a JSON value: a list of names, an object of names by number, or an object of numbers by name.
///
/// Placeholders, as transformers writes for a model without names ("LABEL_0"), are no names.
pub(super) fn from_json(value: &Value) -> Result<Option<Names>, String> {
    let names: Names = match value {
        Value::Array(values) => {
            let names = values.iter().map(|value| value.as_str().map(str::to_owned));
            names.collect::<Option<_>>().ok_or("is not a list of texts")?
        }
        Value::Object(entries) => {
            let pairs = entries.iter().map(|(key, value)| numbered(key, value)).collect::<Option<Vec<_>>>();
            in_order(pairs.ok_or("does not pair numbers with names")?)?
        }
        _ => return Err("is neither a list of names nor an object of names by number".into()),
    };
    Ok(Some(names).filter(|names| !is_placeholders(names)))
}

/// Returns the names in the text of a metadata entry: JSON, a list or dictionary of Python, or names with commas or on lines
/// of their own. Returns `None` if it is something else.
pub(super) fn from_text(text: &str) -> Option<Names> {
    let text = text.trim();
    let names = if let Ok(value) = serde_json::from_str::<Value>(text) {
        from_json(&value).ok()?
    } else if text.starts_with(['{', '[', '(']) {
        from_json(&python_literal(text)?).ok()?
    } else {
        let separator = if text.contains('\n') { '\n' } else { ',' };
        let names: Names = text.split(separator).map(|name| name.trim().to_owned()).collect();
        Some(names).filter(|names| names.len() > 1)
    };
    names.filter(|names| !names.is_empty() && !is_placeholders(names))
}

/// Returns the number and the name of an entry like `"3": "cat"` or `"cat": 3`.
fn numbered(key: &str, value: &Value) -> Option<(usize, String)> {
    match value {
        Value::String(name) => Some((key.parse().ok()?, name.clone())),
        Value::Number(number) => Some((usize::try_from(number.as_u64()?).ok()?, key.to_owned())),
        _ => None,
    }
}

/// Returns the names by their numbers, which must be 0, 1, 2 and so on.
fn in_order(mut pairs: Vec<(usize, String)>) -> Result<Names, String> {
    pairs.sort_by_key(|(number, _)| *number);
    match pairs.iter().enumerate().find(|(at, (number, _))| at != number) {
        Some((at, (number, _))) => Err(format!("has a name for the number {number} where {at} is expected")),
        None => Ok(pairs.into_iter().map(|(_, name)| name).collect()),
    }
}

fn is_placeholders(names: &[String]) -> bool {
    let is_placeholder =
        |name: &String| name.strip_prefix("LABEL_").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    !names.is_empty() && names.iter().all(is_placeholder)
}

/// Reads a flat list, tuple or dictionary of Python with texts and numbers: `{0: 'cat', 1: "dog's"}`.
fn python_literal(text: &str) -> Option<Value> {
    let inner = text.strip_prefix(['{', '[', '('])?.strip_suffix(['}', ']', ')'])?;
    let (mut items, mut keys) = (Vec::new(), Vec::new());
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let (value, after) = python_value(rest)?;
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix(':') {
            let (named, after) = python_value(after.trim_start())?;
            keys.push((text_of(&value), named));
            rest = after.trim_start();
        } else {
            items.push(value);
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            None if rest.is_empty() => {}
            None => return None,
        }
    }
    match (items.is_empty(), keys.is_empty()) {
        (true, false) => Some(Value::Object(keys.into_iter().collect())),
        (false, true) => Some(Value::Array(items)),
        _ => None,
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads one text or number. Returns it and what follows.
fn python_value(text: &str) -> Option<(Value, &str)> {
    let quote = text.chars().next()?;
    if quote != '\'' && quote != '"' {
        let end = text.find([',', ':', ' ', '\n']).unwrap_or(text.len());
        let number: u64 = text[..end].parse().ok()?;
        return Some((number.into(), &text[end..]));
    }
    let mut read = String::new();
    let mut chars = text[1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => read.push(chars.next()?.1),
            c if c == quote => return Some((read.into(), &text[at + 2..])),
            c => read.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_metadata() {
        let check = |text: &str, want: Option<&[&str]>| {
            assert_eq!(
                from_text(text),
                want.map(|names| names.iter().map(|&name| name.to_owned()).collect()),
                "{text}"
            );
        };
        check("{0: 'c', 1: 'a', 2: 'b'}", Some(&["c", "a", "b"]));
        check(r#"{1: "dog's", 0: 'a, b: c'}"#, Some(&["a, b: c", "dog's"]));
        check(r"['it\'s', 'x',]", Some(&["it's", "x"]));
        check(r#"["c", "a"]"#, Some(&["c", "a"]));
        check(r#"{"c": 1, "a": 0}"#, Some(&["a", "c"]));
        check("cat, dog,bird", Some(&["cat", "dog", "bird"]));
        check("cat\ndog\n", Some(&["cat", "dog"]));
        check("['é', 'ß']", Some(&["é", "ß"]));
        for other in
            ["", "cat", "{0: 'a', 2: 'b'}", "{0: 'a'", "['a' 'b']", "{'a', 1: 'b'}", "3", "['LABEL_0', 'LABEL_1']"]
        {
            check(other, None);
        }
    }

    #[test]
    fn values_of_descriptions() {
        let check = |json: &str, want: Result<Option<&[&str]>, &str>| {
            let got = from_json(&serde_json::from_str(json).unwrap());
            let want =
                want.map(|names| names.map(|names| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()));
            match (got, want) {
                (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
                (got, want) => assert_eq!(got, want.map_err(str::to_owned), "{json}"),
            }
        };
        check(r#"{"1": "b", "0": "a", "10": "k", "2": "c"}"#, Err("number 10 where 3"));
        check(r#"{"0": "LABEL_0", "1": "LABEL_1"}"#, Ok(None));
        check(r#"["a", 1]"#, Err("not a list of texts"));
        check(r#""a""#, Err("neither a list"));
        check(r#"{"1": "b", "0": "a"}"#, Ok(Some(&["a", "b"])));
    }
}
