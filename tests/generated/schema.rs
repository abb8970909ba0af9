//! The JSON schema of scenario files in words: what may be written for a key, its default, what it means.

use serde_json::Value;

use super::page::{Page, anchor, code};

/// The published schema.
pub(crate) struct Schema(Value);

/// Enumerations of what has a page of its own: schema name, page, word.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("FaultSpec", "faults.md", "fault"),
    ("CheckSpec", "checks.md", "check"),
    ("Kind", "malformed.md", "malformed kind"),
    ("Http2Kind", "http2.md", "HTTP/2 kind"),
];

/// Values that are explained together: schema name and word.
pub(crate) const VALUES: &[(&str, &str)] =
    &[("Span", "duration"), ("Rate", "rate"), ("Share", "percentage"), ("Size", "size"), ("Glob", "pattern")];

/// Names of definitions that read badly as titles.
const TITLES: &[(&str, &str)] = &[("Url", "URL"), ("OpDetail", "Operation with details")];

/// Where the values are explained.
const FORMAT: &str = "scenario-format.md";

impl Schema {
    pub(crate) fn new() -> Self {
        Self(gatecrash_core::scenario::schema())
    }

    pub(crate) fn root(&self) -> &Value {
        &self.0
    }

    /// A definition by name.
    pub(crate) fn definition(&self, name: &str) -> &Value {
        self.0["$defs"].get(name).unwrap_or_else(|| panic!("the schema does not define {name}"))
    }

    /// The parameters of one variant of `FaultSpec` or `CheckSpec`: the name of its definition.
    pub(crate) fn payload(&self, of: &str, variant: &str) -> &str {
        let variants = self.definition(of)["oneOf"].as_array().expect("variants");
        let found = variants.iter().find_map(|v| v["properties"].get(variant)).and_then(reference);
        found.unwrap_or_else(|| panic!("{of} has no {variant}"))
    }

    /// The table of an object's keys. `file` is the page the table stands on.
    pub(crate) fn keys(&self, page: &mut Page, object: &Value, order: &[&str], file: &str) {
        let rows: Vec<_> = properties(object, order)
            .into_iter()
            .map(|(key, value)| {
                let required = names(object, "required").contains(&key);
                let (meaning, default) = self.meaning(value, required);
                [code(key), self.words(value, file), default, meaning]
            })
            .collect();
        page.table(["key", "value", "default", "meaning"], &rows);
    }

    /// What a key means, and its default.
    fn meaning(&self, value: &Value, required: bool) -> (String, String) {
        let text = value["description"].as_str().unwrap_or_default();
        let (meaning, default) = text.split_once("Default: ").unwrap_or((text, ""));
        let mut meaning = meaning.trim().to_owned();
        for (word, what) in self.choices(value) {
            meaning.push_str(&format!(" `{word}`: {what}"));
        }
        let default = match (default.trim().trim_end_matches('.'), value.get("default")) {
            _ if required => "required".into(),
            ("", Some(Value::String(text))) => code(text),
            ("", Some(other)) if !other.is_null() => code(other),
            ("", _) => "–".into(),
            (text, _) => text.to_owned(),
        };
        (meaning, default)
    }

    /// The words of a small enumeration with their meanings, when that is what a value is.
    fn choices<'s>(&'s self, value: &'s Value) -> Vec<(&'s str, &'s str)> {
        let definition = essence(value).and_then(reference).filter(|name| !elsewhere(name));
        let Some(choices) = definition.and_then(|name| self.definition(name)["oneOf"].as_array()) else {
            return Vec::new();
        };
        let choice = |choice: &'s Value| {
            let word = choice["const"].as_str().or_else(|| single(choice).map(|(key, _)| key))?;
            Some((word, choice["description"].as_str()?))
        };
        let is_small = choices.iter().any(|choice| choice.get("const").is_some());
        if is_small { choices.iter().filter_map(choice).collect() } else { Vec::new() }
    }

    /// What may be written, in words with links.
    fn words(&self, value: &Value, file: &str) -> String {
        let Some(value) = essence(value) else { return "anything".into() };
        if let Some(name) = reference(value) {
            return self.named(name, file);
        }
        if let Some(choices) = value.get("anyOf").or_else(|| value.get("oneOf")).and_then(Value::as_array) {
            return self.either(choices, file);
        }
        let kinds = kinds(value);
        let word = |kind: &&str| match *kind {
            "array" => format!("list of {}", self.many(&value["items"], file)),
            "object" => self.mapping(value, file),
            "integer" => whole_number(value),
            "number" => "number".into(),
            "boolean" => "flag".into(),
            _ => "text".into(),
        };
        if kinds.is_empty() { "text or a mapping".into() } else { or(kinds.iter().map(word).collect()) }
    }

    fn many(&self, value: &Value, file: &str) -> String {
        let words = self.words(value, file);
        if matches!(words.as_str(), "text" | "whole number") { format!("{words}s") } else { words }
    }

    fn mapping(&self, value: &Value, file: &str) -> String {
        if let Some((key, inner)) = single(value) {
            return format!("`{key}:` {}", self.words(inner, file));
        }
        match value.get("additionalProperties") {
            Some(of) if of.is_object() => format!("mapping from name to {}", self.words(of, file)),
            _ => "mapping".into(),
        }
    }

    fn either(&self, choices: &[Value], file: &str) -> String {
        let words = choices.iter().filter(|c| !is_variable(c)).map(|choice| match choice["const"].as_str() {
            Some(word) => code(word),
            None => self.words(choice, file),
        });
        or(words.collect())
    }

    fn named(&self, name: &str, file: &str) -> String {
        let here = |page: &str| if page == file { String::new() } else { page.to_owned() };
        if let Some((_, word)) = VALUES.iter().find(|(value, _)| *value == name) {
            return format!("[{word}]({}#{})", here(FORMAT), anchor("Values"));
        }
        if let Some((_, page, word)) = ELSEWHERE.iter().find(|(value, ..)| *value == name) {
            return format!("[{word}]({page})");
        }
        let definition = self.definition(name);
        if has_section(definition) {
            let title = title(name);
            return format!("[{}]({}#{})", title.to_lowercase(), here(FORMAT), anchor(&title));
        }
        if name == "OneOrMany" { "text or list of texts".into() } else { self.words(definition, file) }
    }

    /// Definitions with a section of their own, in the order of first mention, each with the paths to it.
    pub(crate) fn sections(&self, order: &[&str]) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        for (key, value) in properties(&self.0, order) {
            self.collect(value, key, &mut found);
        }
        found
    }

    fn collect(&self, value: &Value, path: &str, found: &mut Vec<(String, Vec<String>)>) {
        if let Some(name) = reference(value) {
            let definition = self.definition(name);
            if let Some((_, paths)) = found.iter_mut().find(|(known, _)| known == name) {
                return paths.push(path.to_owned());
            }
            if has_section(definition) && !self.is_payload(name) {
                found.push((name.to_owned(), vec![path.to_owned()]));
            }
            return self.collect(definition, path, found);
        }
        for choice in ["anyOf", "oneOf"].iter().filter_map(|k| value.get(k)).filter_map(Value::as_array) {
            choice.iter().for_each(|choice| self.collect(choice, path, found));
        }
        if value.get("items").is_some() {
            self.collect(&value["items"], &format!("{path}[]"), found);
        }
        if value.get("properties").is_some() {
            for (key, inner) in properties(value, &[]) {
                self.collect(inner, &format!("{path}.{key}"), found);
            }
        }
        if value.get("additionalProperties").is_some_and(Value::is_object) {
            self.collect(&value["additionalProperties"], &format!("{path}.<name>"), found);
        }
    }

    /// Whether a definition holds the parameters of a fault or a check, which stand on that page.
    fn is_payload(&self, name: &str) -> bool {
        let variants =
            ["FaultSpec", "CheckSpec"].into_iter().filter_map(|of| self.definition(of)["oneOf"].as_array());
        variants.flatten().filter_map(single).any(|(_, inner)| reference(inner) == Some(name))
    }

    /// The alternatives of an object that is one of several mappings: key, value and meaning.
    pub(crate) fn alternatives(&self, page: &mut Page, definition: &Value, file: &str) {
        let choices = definition["oneOf"].as_array().expect("alternatives");
        let rows: Vec<_> = choices
            .iter()
            .filter_map(|choice| {
                let (key, inner) = single(choice)?;
                let meaning = choice["description"].as_str().unwrap_or_default().to_owned();
                Some([code(key), self.words(inner, file), meaning])
            })
            .collect();
        page.table(["key", "value", "meaning"], &rows);
    }
}

/// A definition's name in words.
pub(crate) fn title(name: &str) -> String {
    if let Some((_, title)) = TITLES.iter().find(|(known, _)| *known == name) {
        return (*title).to_owned();
    }
    let mut title = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !title.is_empty() {
            title.push(' ');
            title.extend(letter.to_lowercase());
        } else {
            title.push(letter);
        }
    }
    title
}

/// Whether a definition gets a section: objects with keys, and choices between such objects.
fn has_section(definition: &Value) -> bool {
    let with_keys = definition.get("properties").is_some();
    let of_objects =
        definition["oneOf"].as_array().is_some_and(|c| c.len() > 1 && c.iter().all(|c| single(c).is_some()));
    let is_catalogue = of_objects && definition["oneOf"].as_array().is_some_and(|c| c.len() > 10);
    (with_keys || of_objects) && !is_catalogue
}

fn elsewhere(name: &str) -> bool {
    ELSEWHERE.iter().any(|(known, ..)| *known == name)
}

/// Keys of an object: the given ones first, then required ones, then by name.
fn properties<'v>(object: &'v Value, order: &[&str]) -> Vec<(&'v str, &'v Value)> {
    let required = names(object, "required");
    let rank = |key: &str| {
        let place = |list: &[&str]| list.iter().position(|k| *k == key).unwrap_or(usize::MAX);
        (place(order), place(&required), key != "min")
    };
    let mut keys: Vec<_> =
        object["properties"].as_object().into_iter().flatten().map(|(k, v)| (k.as_str(), v)).collect();
    keys.sort_by_key(|(key, _)| rank(key));
    keys
}

fn names<'v>(object: &'v Value, list: &str) -> Vec<&'v str> {
    object[list].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn reference(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// A value without "or null".
fn essence(value: &Value) -> Option<&Value> {
    let Some(choices) = value["anyOf"].as_array() else { return Some(value) };
    let mut real = choices.iter().filter(|choice| choice["type"] != "null" && !is_variable(choice));
    let first = real.next()?;
    if real.next().is_none() { essence(first) } else { Some(value) }
}

/// Whether a schema only admits a variable in the place of a word.
fn is_variable(value: &Value) -> bool {
    value["pattern"].as_str().is_some_and(|p| p.starts_with("^\\$\\{")) && value["type"] == "string"
}

/// The one key of an object that has one alone and requires it.
fn single(value: &Value) -> Option<(&str, &Value)> {
    let map = value["properties"].as_object()?;
    let (key, inner) = map.iter().next()?;
    (map.len() == 1 && names(value, "required") == [key.as_str()]).then_some((key, inner))
}

/// Types but null, and but the text that stands for a variable.
fn kinds(value: &Value) -> Vec<&str> {
    let mut kinds = names(value, "type");
    kinds.extend(value["type"].as_str());
    kinds.retain(|kind| *kind != "null");
    let variable = value["pattern"].as_str().is_some_and(|p| p.starts_with("^\\$\\{"));
    if variable && kinds.len() > 1 {
        kinds.retain(|kind| *kind != "string");
    }
    kinds
}

fn whole_number(value: &Value) -> String {
    let (min, max) = (value["minimum"].as_u64().unwrap_or(0), value["maximum"].as_u64());
    match max.filter(|max| ![u64::from(u8::MAX), u64::from(u16::MAX)].contains(max)) {
        Some(max) if max == min => code(max),
        Some(max) => format!("whole number, {min} to {max}"),
        None if min > 0 => format!("whole number from {min}"),
        None => "whole number".into(),
    }
}

fn or(mut words: Vec<String>) -> String {
    words.dedup();
    match words.pop() {
        Some(last) if !words.is_empty() => format!("{} or {last}", words.join(", ")),
        last => last.unwrap_or_default(),
    }
}
