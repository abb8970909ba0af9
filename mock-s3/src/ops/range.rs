//! The `Range` header as S3 reads it.

/// What to send of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Range {
    /// Everything: no range, several ranges, or a header that is no byte range.
    Whole,
    /// From `first` to `last`, both included.
    Part {
        first: u64,
        last: u64,
    },
    Unsatisfiable,
}

impl Range {
    /// Reads the header for an object of `length` bytes.
    pub(super) fn parse(value: &str, length: u64) -> Self {
        let Some((first, last)) = value.trim().strip_prefix("bytes=").and_then(|r| r.split_once('-')) else {
            return Self::Whole;
        };
        match (number(first), number(last)) {
            (None, _) | (_, None) => Self::Whole,
            (Some(None), Some(None)) => Self::Whole,
            (Some(None), Some(Some(0))) => Self::Unsatisfiable,
            (Some(None), Some(Some(_))) if length == 0 => Self::Unsatisfiable,
            (Some(None), Some(Some(suffix))) => {
                Self::Part { first: length.saturating_sub(suffix), last: length - 1 }
            }
            (Some(Some(first)), Some(Some(last))) if last < first => Self::Whole,
            (Some(Some(first)), _) if first >= length => Self::Unsatisfiable,
            (Some(Some(first)), Some(last)) => {
                Self::Part { first, last: last.unwrap_or(u64::MAX).min(length - 1) }
            }
        }
    }
}

/// A number, nothing (`Some(None)`), or neither (`None`).
fn number(text: &str) -> Option<Option<u64>> {
    match text.trim() {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ten_bytes() {
        let part = |first, last| Range::Part { first, last };
        let table = [
            ("bytes=0-9", part(0, 9)),
            ("bytes=0-0", part(0, 0)),
            ("bytes=3-", part(3, 9)),
            ("bytes=3-100", part(3, 9)),
            ("bytes=-4", part(6, 9)),
            ("bytes=-40", part(0, 9)),
            ("bytes=9-9", part(9, 9)),
            ("bytes=10-", Range::Unsatisfiable),
            ("bytes=10-20", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=5-3", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("items=0-1", Range::Whole),
            ("bytes", Range::Whole),
        ];
        for (value, expected) in table {
            assert_eq!(Range::parse(value, 10), expected, "{value}");
        }
        assert_eq!(Range::parse("bytes=0-", 0), Range::Unsatisfiable);
        assert_eq!(Range::parse("bytes=-1", 0), Range::Unsatisfiable);
    }
}
