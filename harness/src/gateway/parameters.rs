//! The parameters of a recipe: declared with kind, default and meaning; given as text; handed to templates
//! typed.

use std::collections::BTreeMap;

use gatecrash_core::units::{Size, Span};
use gatecrash_reference::config::{MappingError, Responses};
use minijinja::{Value, context};
use serde::Deserialize;

use super::error::GatewayError;
use super::render::Renderer;

/// One parameter of a recipe.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Parameter {
    /// Kebab-case name in scenarios; templates see it with underscores.
    pub name: String,
    /// What it sets.
    pub about: String,
    /// What may be written.
    pub kind: ParameterKind,
    /// Default, a template over `primaries` and `standbys`, the numbers of endpoints.
    pub default: String,
    /// Least value of a count or number, and of a span (with its unit).
    #[serde(default)]
    pub min: Option<String>,
    /// Greatest value.
    #[serde(default)]
    pub max: Option<String>,
    /// The words of a choice or of words.
    #[serde(default)]
    pub of: Vec<String>,
}

/// What a parameter's text means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// A duration of whole milliseconds; templates see `1500ms`.
    Span,
    /// A size; templates see bytes.
    Size,
    /// A whole number.
    Count,
    /// A number of 0 or more.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of the words.
    Choice,
    /// Some of the words, separated by spaces; `none` for an empty list.
    Words,
    /// A path that begins with `/`.
    Path,
    /// Integration responses, or `none`; templates see `responses` as written and whether they are `faithful`, or none.
    Mapping,
    /// Any text in one line.
    Text,
}

/// Checks what was given and fills in the rest. Every problem is reported.
pub(super) fn settle(
    declared: &[Parameter],
    given: &BTreeMap<String, String>,
    topology: &Value,
    renderer: &Renderer,
) -> Result<Value, Vec<String>> {
    let mut problems: Vec<String> = given.keys().filter_map(|name| unknown(name, declared)).collect();
    let mut values = BTreeMap::new();
    for parameter in declared {
        let text = match given.get(&parameter.name) {
            Some(text) => Ok(text.clone()),
            None => renderer.text(&parameter.name, &parameter.default, topology.clone()),
        };
        let value = match text {
            Ok(text) => parameter.value(text.trim()),
            Err(GatewayError::Render { problem, .. }) => Err(problem),
            Err(other) => Err(other.to_string()),
        };
        match value {
            Ok(value) => {
                values.insert(parameter.name.replace('-', "_"), value);
            }
            Err(problem) => problems.push(format!("parameter `{}`: {problem}", parameter.name)),
        }
    }
    if problems.is_empty() { Ok(Value::from(values)) } else { Err(problems) }
}

fn unknown(name: &str, declared: &[Parameter]) -> Option<String> {
    if declared.iter().any(|parameter| parameter.name == name) {
        return None;
    }
    let known: Vec<&str> = declared.iter().map(|parameter| parameter.name.as_str()).collect();
    let known = if known.is_empty() { "none".into() } else { known.join(", ") };
    Some(format!("unknown parameter `{name}` (known: {known})"))
}

// === impl Parameter ===

impl Parameter {
    /// The typed value of a text, or what was expected instead.
    pub(super) fn value(&self, text: &str) -> Result<Value, String> {
        let found = |expected: &str| format!("expected {expected}, found `{text}`");
        match self.kind {
            ParameterKind::Span => {
                let span: Span = text.parse().map_err(|e| found(&format!("{e}")))?;
                if !span.0.is_multiple_of(1_000_000) {
                    return Err(found("whole milliseconds"));
                }
                self.within(span.0 as f64, text, |bound| bound.parse::<Span>().ok().map(|s| s.0 as f64))?;
                Ok(Value::from(format!("{}ms", span.0 / 1_000_000)))
            }
            ParameterKind::Size => {
                let size: Size = text.parse().map_err(|e| found(&format!("{e}")))?;
                self.within(size.0 as f64, text, |bound| bound.parse::<Size>().ok().map(|s| s.0 as f64))?;
                Ok(Value::from(size.0))
            }
            ParameterKind::Count => {
                let count: u64 = text.parse().map_err(|_| found("a whole number"))?;
                self.within(count as f64, text, |bound| bound.parse().ok())?;
                Ok(Value::from(count))
            }
            ParameterKind::Number => {
                let number: f64 = text.parse().map_err(|_| found("a number"))?;
                if !number.is_finite() || number < 0.0 {
                    return Err(found("a number of 0 or more"));
                }
                self.within(number, text, |bound| bound.parse().ok())?;
                Ok(Value::from(number))
            }
            ParameterKind::Flag => text.parse::<bool>().map(Value::from).map_err(|_| found("true or false")),
            ParameterKind::Choice if self.of.iter().any(|word| word == text) => Ok(Value::from(text)),
            ParameterKind::Choice => Err(found(&format!("one of {}", self.of.join(", ")))),
            ParameterKind::Words if text == "none" => Ok(Value::from(Vec::<String>::new())),
            ParameterKind::Words => {
                let words: Vec<&str> = text.split_whitespace().collect();
                match words.iter().find(|word| !self.of.iter().any(|known| known == *word)) {
                    Some(word) => Err(format!("expected some of {}, found `{word}`", self.of.join(", "))),
                    None => Ok(Value::from_iter(words.iter().copied().map(str::to_owned))),
                }
            }
            ParameterKind::Path if text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Value::from(text))
            }
            ParameterKind::Path => Err(found("a path that begins with `/`")),
            ParameterKind::Mapping if text == "none" => Ok(Value::from(())),
            ParameterKind::Mapping => {
                let responses: Responses = text.parse().map_err(|e: MappingError| e.to_string())?;
                Ok(context! { responses => text, faithful => responses.are_faithful() })
            }
            ParameterKind::Text if !text.is_empty() && !text.chars().any(char::is_control) => {
                Ok(Value::from(text))
            }
            ParameterKind::Text => Err(found("a text in one line")),
        }
    }

    fn within(&self, value: f64, text: &str, read: impl Fn(&str) -> Option<f64>) -> Result<(), String> {
        let bound = |bound: &Option<String>| bound.as_deref().and_then(&read);
        if let (Some(min), Some(word)) = (bound(&self.min), &self.min)
            && value < min
        {
            return Err(format!("expected at least {word}, found `{text}`"));
        }
        if let (Some(max), Some(word)) = (bound(&self.max), &self.max)
            && value > max
        {
            return Err(format!("expected at most {word}, found `{text}`"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> Vec<Parameter> {
        let parameter = |name: &str, kind, default: &str, min: Option<&str>| Parameter {
            name: name.into(),
            about: String::new(),
            kind,
            default: default.into(),
            min: min.map(str::to_owned),
            max: None,
            of: vec!["a".into(), "b".into()],
        };
        vec![
            parameter("tries", ParameterKind::Count, "{{ primaries + 1 }}", Some("1")),
            parameter("read-timeout", ParameterKind::Span, "1s", Some("1ms")),
            parameter("on", ParameterKind::Words, "a", None),
            parameter("mapping", ParameterKind::Mapping, "none", None),
            parameter("says", ParameterKind::Text, "none", None),
        ]
    }

    fn settled(given: &[(&str, &str)]) -> Result<String, Vec<String>> {
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let topology = minijinja::context! { primaries => 2, standbys => 0 };
        settle(&declared(), &given, &topology, &Renderer::new()).map(|values| values.to_string())
    }

    #[test]
    fn defaults_may_depend_on_the_topology() {
        assert_eq!(
            settled(&[]).as_deref(),
            Ok("{'mapping': None, 'on': ['a'], 'read_timeout': '1000ms', 'says': 'none', 'tries': 3}")
        );
    }

    #[test]
    fn a_mapping_tells_whether_it_is_faithful() {
        let mapping = |text| settled(&[("mapping", text)]).unwrap_or_else(|e| panic!("{e:?}"));
        let tutorial = mapping(r"4\d{2}:400 default:200");
        assert!(tutorial.contains("'faithful': False"), "{tutorial}");
    }

    #[test]
    fn every_problem_is_named() {
        let given = [
            ("trys", "1"),
            ("tries", "0"),
            ("read-timeout", "5"),
            ("on", "a c"),
            ("mapping", "4:400"),
            ("says", ""),
        ];
        let problems = settled(&given).expect_err("six mistakes");
        assert_eq!(
            problems,
            [
                "unknown parameter `trys` (known: tries, read-timeout, on, mapping, says)",
                "parameter `tries`: expected at least 1, found `0`",
                "parameter `read-timeout`: expected a duration with its unit, such as 250ms, 5s, 2m or 1h, \
                 found `5`",
                "parameter `on`: expected some of a, b, found `c`",
                "parameter `mapping`: expected a pattern of a whole status such as `404`, `4\\d{2}` or `5..`, found `4`",
                "parameter `says`: expected a text in one line, found ``",
            ]
        );
    }
}
