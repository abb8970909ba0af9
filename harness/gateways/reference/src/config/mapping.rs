//! Integration responses: which method response an upstream's answer becomes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ConfigError, require};

/// What S3 answers with (Amazon S3 API Reference, Error Responses, and the operations' own), and what stands for it on
/// the way.
const OF_S3: [u16; 20] =
    [200, 204, 206, 301, 304, 307, 400, 403, 404, 405, 409, 411, 412, 416, 429, 500, 501, 502, 503, 504];
/// Places of a status.
const PLACES: usize = 3;
/// All ten digits, as a set.
const ANY_DIGIT: u16 = 0x3ff;

/// What a non-proxy integration of API Gateway does with an answer (API Gateway Developer Guide, Set up an
/// integration response): its status selects an integration response, whose status and body the client gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mapping {
    /// The integration responses.
    pub responses: Responses,
    /// Body of what becomes a status of 400 or above, as JSON: `$input.body`, `$util.escapeJavaScript($input.body)`
    /// and `$context.requestId` are filled in. Empty passes the payload, as without a template. Default empty.
    #[serde(default)]
    pub error_template: String,
}

/// Integration responses, written as `PATTERN:STATUS` with spaces between them. A pattern is a regular expression
/// over the whole status, of digits, `.`, `\d`, `[..]`, `{n}` and `|`; `default` catches what no other pattern does.
/// Where several fit, the first one counts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Responses {
    written: String,
    each: Vec<(Pattern, u16)>,
    default: Option<u16>,
}

/// Alternatives, each a set of digits for each place of a status.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Pattern(Vec<[u16; PLACES]>);

/// Why integration responses cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MappingError {
    /// No integration response at all.
    #[error("expected integration responses such as `4\\d{{2}}:400 default:200`, found nothing")]
    Empty,
    /// Not a pattern and a status.
    #[error("expected PATTERN:STATUS such as `4\\d{{2}}:400` or `default:200`, found `{0}`")]
    Form(String),
    /// A pattern that is not understood, or not one of three digits.
    #[error("expected a pattern of a whole status such as `404`, `4\\d{{2}}` or `5..`, found `{0}`")]
    Pattern(String),
}

// === impl Mapping ===

impl Mapping {
    pub(super) fn check(&self, buffered: bool) -> Result<(), ConfigError> {
        let can_be_filled = self.error_template.is_empty() || buffered;
        require(can_be_filled, "mapping.error-template", "needs answers that are buffered (`answers.buffer`)")
    }
}

// === impl Responses ===

impl Responses {
    /// The status of the method response; `None` where nothing fits and there is no default.
    pub fn of(&self, status: u16) -> Option<u16> {
        let selected = self.each.iter().find(|(pattern, _)| pattern.fits(status));
        selected.map(|(_, becomes)| *becomes).or(self.default)
    }

    /// Whether each status that S3 answers with stays what it is.
    pub fn are_faithful(&self) -> bool {
        OF_S3.iter().all(|status| self.of(*status) == Some(*status))
    }
}

impl FromStr for Responses {
    type Err = MappingError;

    fn from_str(written: &str) -> Result<Self, MappingError> {
        let (mut each, mut default) = (Vec::new(), None);
        for word in written.split_whitespace() {
            let form = || MappingError::Form(word.to_owned());
            let (pattern, status) = word.rsplit_once(':').ok_or_else(form)?;
            let status = status.parse().ok().filter(|status| (200..600).contains(status)).ok_or_else(form)?;
            match pattern {
                "default" => default = default.or(Some(status)),
                pattern => each.push((pattern.parse()?, status)),
            }
        }
        if each.is_empty() && default.is_none() {
            return Err(MappingError::Empty);
        }
        Ok(Self { written: written.to_owned(), each, default })
    }
}

impl TryFrom<String> for Responses {
    type Error = MappingError;

    fn try_from(written: String) -> Result<Self, MappingError> {
        written.parse()
    }
}

impl From<Responses> for String {
    fn from(responses: Responses) -> Self {
        responses.written
    }
}

// === impl Pattern ===

impl Pattern {
    fn fits(&self, status: u16) -> bool {
        let digits = [status / 100, status / 10 % 10, status % 10];
        let fit =
            |places: &[u16; PLACES]| places.iter().zip(digits).all(|(set, digit)| set >> digit & 1 == 1);
        (100..1000).contains(&status) && self.0.iter().any(fit)
    }
}

impl FromStr for Pattern {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        let alternatives: Option<Vec<_>> = text.split('|').map(places).collect();
        alternatives.map(Self).ok_or_else(|| MappingError::Pattern(text.to_owned()))
    }
}

/// The sets of digits that one alternative stands for.
fn places(mut rest: &str) -> Option<[u16; PLACES]> {
    let mut places = Vec::new();
    while !rest.is_empty() {
        let (set, after) = if let Some(after) = rest.strip_prefix("\\d").or_else(|| rest.strip_prefix('.')) {
            (ANY_DIGIT, after)
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (digits, after) = inner.split_once(']')?;
            (set_of(digits)?, after)
        } else {
            (digit(rest.chars().next()?)?, &rest[1..])
        };
        let (times, after) = match after.strip_prefix('{') {
            Some(counted) => {
                let (times, after) = counted.split_once('}')?;
                (times.parse().ok().filter(|times| *times <= PLACES)?, after)
            }
            None => (1, after),
        };
        places.extend(std::iter::repeat_n(set, times));
        rest = after;
    }
    places.try_into().ok()
}

/// Digits and ranges of them, such as `45` and `0-3`.
fn set_of(digits: &str) -> Option<u16> {
    let mut set = 0;
    let mut rest: Vec<char> = digits.chars().rev().collect();
    while let Some(first) = rest.pop() {
        set |= digit(first)?;
        if rest.last() == Some(&'-') {
            rest.pop();
            let last = rest.pop()?;
            digit(last)?;
            for between in first..=last {
                set |= digit(between)?;
            }
        }
    }
    (set != 0).then_some(set)
}

fn digit(c: char) -> Option<u16> {
    c.to_digit(10).map(|digit| 1 << digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(written: &str, statuses: &[u16]) -> Vec<Option<u16>> {
        let responses: Responses = written.parse().unwrap_or_else(|e| panic!("{written}: {e}"));
        statuses.iter().map(|status| responses.of(*status)).collect()
    }

    #[test]
    fn the_tutorial_maps_by_hundreds() {
        let tutorial = r"4\d{2}:400 5\d{2}:500 default:200";
        let mapped = of(tutorial, &[200, 206, 301, 403, 404, 503]);
        assert_eq!(mapped, [200, 200, 200, 400, 400, 500].map(Some));
    }

    #[test]
    fn without_a_default_the_rest_has_no_response() {
        assert_eq!(of("5..:502", &[200, 404, 503, 999]), [None, None, Some(502), None]);
    }

    #[test]
    fn the_first_that_fits_counts_and_the_default_comes_last() {
        assert_eq!(of("default:200 404:404 4..:400", &[404, 403, 500]), [404, 400, 200].map(Some));
    }

    #[test]
    fn faithful_is_what_keeps_every_status() {
        let is =
            |written: &str| written.parse::<Responses>().unwrap_or_else(|e| panic!("{e}")).are_faithful();
        let each = OF_S3.map(|status| format!("{status}:{status}")).join(" ");
        assert!(is(&each) && is(&format!("{each} default:500")));
        assert!(!is(r"4\d{2}:400 5\d{2}:500 default:200") && !is(&each.replace("404:404", "")));
    }

    #[test]
    fn patterns_are_alternatives_of_sets() {
        let mapped = of(r"40[3-4]|[59]0\d:500", &[403, 404, 405, 503, 909, 510]);
        assert_eq!(mapped, [Some(500), Some(500), None, Some(500), Some(500), None]);
    }

    #[test]
    fn what_is_no_pattern_of_a_status_is_refused() {
        let refused = |written: &str| written.parse::<Responses>().expect_err(written);
        assert_eq!(refused(" "), MappingError::Empty);
        for word in ["404", "404:", "404:99", "404:abc", "404:600"] {
            assert_eq!(refused(word), MappingError::Form(word.into()));
        }
        for pattern in ["4", "4.", "4...", ".*", "4\\d{9}", "4[]4", "4[3-]4", "x04", "40[a-c]", "4|404"] {
            assert_eq!(
                refused(&format!("{pattern}:400")),
                MappingError::Pattern(pattern.into()),
                "{pattern}"
            );
        }
    }

    #[test]
    fn they_are_written_as_they_were_read() {
        let json = r#"{"responses":"4\\d{2}:400 default:200","error-template":""}"#;
        let mapping: Mapping = serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(serde_json::to_string(&mapping).ok().as_deref(), Some(json));
    }
}
