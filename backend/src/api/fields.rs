//! Reads a JSON value into a typed body and names every field that is wrong, not only the first.
//!
//! Serde stops at the first error. So after each one the value is mended at that place with a stand-in (an unknown field is
//! dropped, a missing or mistyped one replaced by an empty value of the expected type) and read again, until it passes or nothing
//! can be mended. A mended value is never returned: with one error recorded the answer is the list of errors.

use super::code::Code;
use super::error::{Item, Problems};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::{Path, Segment};

/// Bounds the work that a hostile body can ask for.
const MAX_PROBLEMS: usize = 32;

/// Reads `value`, which stands at `pointer` of the body.
pub fn read<T: DeserializeOwned>(value: Value, pointer: &str) -> Result<T, Problems> {
    let mut problems = Problems::default();
    let first = match attempt(&value) {
        Ok(read) => return Ok(read),
        Err(fault) => fault,
    };
    let mut value = value;
    let mut fault: Fault = first;
    let mut mended: Vec<String> = Vec::new();
    for _ in 0..MAX_PROBLEMS {
        let repeated = mended.contains(&fault.pointer);
        let below_a_stand_in = mended.iter().any(|done| fault.pointer.starts_with(&format!("{done}/")));
        if !repeated && !below_a_stand_in {
            problems.push(fault.item(pointer));
        }
        if !fault.mend(&mut value, repeated) {
            break;
        }
        mended.push(fault.pointer);
        fault = match attempt::<T>(&value) {
            Ok(_) => break,
            Err(next) => next,
        };
    }
    Err(problems)
}

fn attempt<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value).map_err(|error| Fault::of(error.path(), &error.inner().to_string()))
}

/// One serde error, taken apart. Serde's messages are its only interface to what went wrong; the tests below pin them.
#[derive(Debug)]
struct Fault {
    pointer: String,
    kind: Kind,
    message: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Missing,
    Unknown,
    /// Another JSON type; what was expected, in serde's words.
    Type(String),
    /// Not one of the words of an enumeration; the first that is.
    Word(Option<String>),
    Value,
}

impl Fault {
    fn of(path: &Path, message: &str) -> Fault {
        let pointer = pointer_of(path);
        let message = message.to_owned();
        if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            // The path ends at the object that lacks the field; for an unknown field it ends at the field itself.
            let pointer = format!("{pointer}/{}", escaped(field));
            return Fault { pointer, kind: Kind::Missing, message };
        }
        let kind = if message.starts_with("unknown field `") {
            Kind::Unknown
        } else if let Some((_, expected)) =
            message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
        {
            Kind::Type(expected.to_owned())
        } else if message.starts_with("unknown variant `") {
            let first = message.rsplit_once("expected ").and_then(|(_, words)| words.split('`').nth(1));
            Kind::Word(first.map(str::to_owned))
        } else {
            Kind::Value
        };
        Fault { pointer, kind, message }
    }

    fn item(&self, prefix: &str) -> Item {
        let field = self.pointer.rsplit('/').next().unwrap_or_default();
        let (code, message) = match &self.kind {
            Kind::Missing => (Code::MissingField, format!("`{field}` is missing.")),
            Kind::Unknown => (Code::UnknownField, format!("`{field}` is not a field of this request.")),
            Kind::Type(_) => (Code::InvalidType, sentence(&self.message)),
            Kind::Word(_) | Kind::Value => (Code::InvalidValue, sentence(&self.message)),
        };
        Item::new(code, message).at(format!("{prefix}{}", self.pointer))
    }

    /// Puts something at the place of the fault that lets the next attempt get past it; false if nothing would.
    fn mend(&self, value: &mut Value, repeated: bool) -> bool {
        let stand_in = match &self.kind {
            Kind::Unknown => return removed(value, &self.pointer),
            // What a missing field should have been is known only after a null was refused there.
            Kind::Missing if !repeated => Value::Null,
            Kind::Type(expected) => match stand_in_for(expected) {
                Some(stand_in) => stand_in,
                None => return false,
            },
            Kind::Word(Some(word)) => json!(word),
            Kind::Missing | Kind::Word(_) | Kind::Value => return false,
        };
        if value.pointer(&self.pointer) == Some(&stand_in) {
            return false;
        }
        placed(value, &self.pointer, stand_in)
    }
}

fn stand_in_for(expected: &str) -> Option<Value> {
    let starts = |words: &[&str]| words.iter().any(|word| expected.starts_with(word));
    if starts(&["a string", "a borrowed string", "string", "a character"]) {
        Some(json!(""))
    } else if starts(&["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize", "f32", "f64"]) {
        Some(json!(0))
    } else if starts(&["a boolean"]) {
        Some(json!(false))
    } else if starts(&["a sequence", "a tuple"]) {
        Some(json!([]))
    } else if starts(&["struct", "a map"]) {
        Some(json!({}))
    } else {
        None
    }
}

fn removed(value: &mut Value, pointer: &str) -> bool {
    let Some((parent, field)) = pointer.rsplit_once('/') else { return false };
    let object = value.pointer_mut(parent).and_then(Value::as_object_mut);
    object.is_some_and(|object| object.shift_remove(&unescaped(field)).is_some())
}

fn placed(value: &mut Value, pointer: &str, stand_in: Value) -> bool {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = stand_in;
        return true;
    }
    let Some((parent, field)) = pointer.rsplit_once('/') else { return false };
    match value.pointer_mut(parent).and_then(Value::as_object_mut) {
        Some(object) => object.insert(unescaped(field), stand_in).is_none(),
        None => false,
    }
}

fn pointer_of(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
        Segment::Enum { .. } | Segment::Unknown => pointer,
    })
}

/// The first place at which two bodies differ, as a pointer: what a reused idempotency key has to name. Order inside objects does
/// not count. None if they are equal.
pub fn first_difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let added = other.keys().find(|key| !one.contains_key(*key)).map(|key| format!("/{}", escaped(key)));
            let changed = one.iter().find_map(|(key, value)| {
                let here = format!("/{}", escaped(key));
                let below = |other: &Value| first_difference(value, other).map(|rest| format!("{here}{rest}"));
                other.get(key).map_or_else(|| Some(here.clone()), below)
            });
            changed.or(added)
        }
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other).enumerate();
            let changed =
                pairs.filter_map(|(index, (one, other))| Some(format!("/{index}{}", first_difference(one, other)?))).next();
            changed.or_else(|| (one.len() != other.len()).then(|| format!("/{}", one.len().min(other.len()))))
        }
        (one, other) => (one != other).then(String::new),
    }
}

/// As RFC 6901 has it.
pub fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// Serde's message as a sentence, cut so that a client's own text cannot fill the answer.
fn sentence(message: &str) -> String {
    let mut cut: String = message.chars().take(300).collect();
    if let Some(first) = cut.get(..1).map(str::to_uppercase) {
        cut.replace_range(..1, &first);
    }
    if cut.ends_with('.') { cut } else { format!("{cut}.") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Receipt {
        account: String,
        amount: String,
        purpose: Purpose,
        lines: Vec<Line>,
        days: u16,
        payer: Payer,
        note: Option<String>,
        value_date: Option<chrono::NaiveDate>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Purpose {
        Capital,
        Deposit,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Line {
        text: String,
        urgent: bool,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Payer {
        name: String,
        bank: String,
    }

    fn faults(value: Value) -> Vec<(Code, String)> {
        let error = read::<Receipt>(value, "/data").unwrap_err().into_error().unwrap();
        error.items().iter().map(|item| (item.code, item.pointer().unwrap().to_owned())).collect()
    }

    fn good() -> Value {
        json!({
            "account": "a", "amount": "1", "purpose": "deposit", "lines": [{"text": "t", "urgent": true}],
            "days": 3, "payer": {"name": "n", "bank": "b"}
        })
    }

    #[test]
    fn a_good_body_is_read() {
        assert!(matches!(read::<Receipt>(good(), "/data").unwrap().purpose, Purpose::Deposit));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let mut body = good();
        body["amount"] = json!(100);
        body["amuont"] = json!("100");
        body["purpose"] = json!("gift");
        body["lines"] = json!([{"text": "t", "urgent": true}, {"urgent": "yes"}]);
        body["days"] = json!("3");
        body.as_object_mut().unwrap().shift_remove("account");
        let mut found = faults(body);
        found.sort_by(|a, b| a.1.cmp(&b.1));
        let expected = [
            (Code::MissingField, "/data/account"),
            (Code::InvalidType, "/data/amount"),
            (Code::UnknownField, "/data/amuont"),
            (Code::InvalidType, "/data/days"),
            (Code::MissingField, "/data/lines/1/text"),
            (Code::InvalidType, "/data/lines/1/urgent"),
            (Code::InvalidValue, "/data/purpose"),
        ];
        assert_eq!(found, expected.map(|(code, pointer)| (code, pointer.to_owned())));
    }

    #[test]
    fn an_empty_object_lacks_every_required_field_and_nothing_below() {
        let missing = ["account", "amount", "purpose", "lines", "days", "payer"];
        assert_eq!(faults(json!({})), missing.map(|field| (Code::MissingField, format!("/data/{field}"))));
    }

    #[test]
    fn what_cannot_be_mended_is_still_named() {
        let mut body = good();
        body["days"] = json!(70_000);
        assert_eq!(faults(body), [(Code::InvalidValue, "/data/days".to_owned())]);
        let mut body = good();
        body["value_date"] = json!("2026-02-30");
        body["account"] = Value::Null;
        let found = faults(body);
        assert!(found.contains(&(Code::InvalidType, "/data/account".to_owned())), "{found:?}");
        assert!(found.contains(&(Code::InvalidValue, "/data/value_date".to_owned())), "{found:?}");
    }

    #[test]
    fn a_field_name_is_escaped_in_its_pointer() {
        let mut body = good();
        body["a/b~c"] = json!(1);
        assert_eq!(faults(body), [(Code::UnknownField, "/data/a~1b~0c".to_owned())]);
    }

    #[test]
    fn two_bodies_differ_at_a_place() {
        let with = |change: fn(&mut Value)| {
            let mut body = good();
            change(&mut body);
            first_difference(&good(), &body)
        };
        assert_eq!(with(|_| ()), None);
        assert_eq!(with(|body| body["payer"]["bank"] = json!("c")), Some("/payer/bank".to_owned()));
        assert_eq!(with(|body| body["lines"][0]["urgent"] = json!(0)), Some("/lines/0/urgent".to_owned()));
        assert_eq!(with(|body| body["lines"] = json!([])), Some("/lines/0".to_owned()));
        assert_eq!(with(|body| body["a/b"] = json!(1)), Some("/a~1b".to_owned()));
        assert_eq!(with(|body| drop(body.as_object_mut().unwrap().shift_remove("days"))), Some("/days".to_owned()));
        let turned = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(first_difference(&turned(r#"{"a": 1, "b": 2}"#), &turned(r#"{"b": 2, "a": 1}"#)), None);
    }

    #[test]
    fn a_hostile_body_is_not_read_for_ever() {
        let mut body = good();
        for index in 0..1_000 {
            body[format!("x{index}")] = json!(1);
        }
        assert_eq!(faults(body).len(), MAX_PROBLEMS);
    }
}
