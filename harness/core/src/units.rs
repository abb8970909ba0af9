//! Quantities with their unit always written: `250ms`, `16KiB`, `150/s`, `20%`.
//!
//! One parser each; bare numbers are refused with a hint. They print as they are written, so a plan reads like its file.

use std::fmt;
use std::str::FromStr;

/// Why a quantity was refused: a lower-case fragment that completes "expected ...".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(pub String);

/// A duration, nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Span(pub u64);

/// A size in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Size(pub u64);

/// Arrivals per second.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default)]
pub struct Rate(pub f64);

/// A share or probability, 0.0 to 1.0, written as a percentage.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default)]
pub struct Share(pub f64);

const SPANS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];
const RATES: &[(&str, u64)] = &[("/s", 1), ("/m", 60), ("/h", 3600)];

// === impl Span ===

impl Span {
    /// Whole milliseconds.
    pub const fn millis(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }

    /// Whole seconds.
    pub const fn seconds(s: u64) -> Self {
        Self(s * 1_000_000_000)
    }

    /// As the standard library's duration.
    pub const fn duration(self) -> std::time::Duration {
        std::time::Duration::from_nanos(self.0)
    }

    /// In seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl FromStr for Span {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let hint = "a duration with its unit, such as 250ms, 5s, 2m or 1h";
        let (number, unit) = split(text, hint)?;
        let scale = SPANS.iter().find(|(name, _)| *name == unit).ok_or_else(|| UnitError(hint.into()))?.1;
        let nanos = number * scale as f64;
        (nanos <= 1e18)
            .then_some(Self(nanos.round() as u64))
            .ok_or_else(|| UnitError("a duration below 30 years".into()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&largest(
            self.0,
            &[("h", SPANS[5].1), ("m", SPANS[4].1), ("s", SPANS[3].1), ("ms", SPANS[2].1), ("us", 1_000)],
            "ns",
            "0s",
        ))
    }
}

// === impl Size ===

impl FromStr for Size {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let hint = "a size with its unit, such as 16KiB, 1MiB (binary) or 1MB (decimal)";
        let (number, unit) = split(text, hint)?;
        let scale = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(|| UnitError(hint.into()))?.1;
        Ok(Self((number * scale as f64).round() as u64))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = [
            ("TiB", 1 << 40),
            ("GiB", 1 << 30),
            ("MiB", 1 << 20),
            ("KiB", 1 << 10),
            ("MB", 1_000_000),
            ("kB", 1_000),
        ];
        f.pad(&largest(self.0, &steps, "B", "0B"))
    }
}

// === impl Rate ===

impl FromStr for Rate {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let hint = "a rate with its unit, such as 150/s, 30/m or 0.2/s";
        let (number, unit) = split(text, hint)?;
        let per = RATES.iter().find(|(name, _)| *name == unit).ok_or_else(|| UnitError(hint.into()))?.1;
        Ok(Self(number / per as f64))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/s", self.0))
    }
}

// === impl Share ===

impl FromStr for Share {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let hint = "a percentage from 0% to 100%, such as 20% or 99.9%";
        let (number, unit) = split(text, hint)?;
        if unit != "%" || number > 100.0 {
            return Err(UnitError(hint.into()));
        }
        // Rounded in decimal first: 99.9% is the double nearest to 0.999, so that 999 of 1,000 meet it.
        Ok(Self((number * 1e9).round() / 1e11))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = (self.0 * 100.0 * 1e9).round() / 1e9;
        f.pad(&format!("{percent}%"))
    }
}

// === serde and schema, the same for all ===

macro_rules! as_text {
    ($($type:ident: $pattern:literal, $doc:literal;)*) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|e: UnitError| serde::de::Error::custom(format!("expected {e}, found `{text}`")))
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $doc })
            }
        }
    )*};
}
as_text! {
    Span: r"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)$", "A duration with its unit: 250ms, 5s, 2m, 1h.";
    Size: r"^[0-9]+(\.[0-9]+)?(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$", "A size with its unit: 16KiB, 1MiB, 1MB.";
    Rate: r"^[0-9]+(\.[0-9]+)?/(s|m|h)$", "A rate with its unit: 150/s, 30/m.";
    Share: r"^[0-9]+(\.[0-9]+)?%$", "A percentage, 0% to 100%.";
}

fn split<'a>(text: &'a str, hint: &str) -> Result<(f64, &'a str), UnitError> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..end].parse().map_err(|_| UnitError(hint.into()))?;
    Ok((number, text[end..].trim_start()))
}

fn largest(value: u64, steps: &[(&str, u64)], smallest: &str, zero: &str) -> String {
    if value == 0 {
        return zero.into();
    }
    let step = steps.iter().find(|(_, scale)| value >= *scale && value.is_multiple_of(*scale));
    step.map_or_else(|| format!("{value}{smallest}"), |(unit, scale)| format!("{}{unit}", value / scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spans_and_sizes_print_as_they_are_read(value in 0u64..1_000_000_000_000_000) {
            prop_assert_eq!(Span(value).to_string().parse::<Span>(), Ok(Span(value)));
            prop_assert_eq!(Size(value).to_string().parse::<Size>(), Ok(Size(value)));
        }
    }

    #[test]
    fn examples() {
        assert_eq!("250ms".parse(), Ok(Span::millis(250)));
        assert_eq!("1.5s".parse(), Ok(Span::millis(1500)));
        assert_eq!("16KiB".parse(), Ok(Size(16384)));
        assert_eq!("30/m".parse(), Ok(Rate(0.5)));
        assert_eq!("99.9%".parse(), Ok(Share(0.999)));
        assert_eq!(Share(0.999).to_string(), "99.9%");
        assert_eq!(Span::millis(1500).to_string(), "1500ms");
        for bad in ["5", "", "s", "-1s", "5 parsecs", "1e3s"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
        for bad in ["0.2", "101%", "20"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
    }
}
