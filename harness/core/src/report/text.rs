//! Small text: numbers as people read them, and strings from the wire made harmless.

use super::PhaseSummary;

/// Longest stretch of one sentence that a report shows, characters.
const LONGEST: usize = 2_000;

/// Makes text from outside safe to print: control, bidirectional and invisible characters become visible
/// escapes, and what is longer than a report can bear is cut, saying so.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (shown, c) in text.chars().enumerate() {
        if shown == LONGEST {
            let left = text.chars().count() - LONGEST;
            out.push_str(&format!("… ({} more characters)", thousands(left as u64)));
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_harmful(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}')
}

/// `1503` as `1,503`.
pub(crate) fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `part` of `whole` as a percentage that says `100%` or `0%` only when it is exactly that; `-` of nothing.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".into();
    }
    share(part as f64 / whole as f64)
}

/// A share from 0 to 1 as a percentage that says `100%` or `0%` only when it is exactly that.
pub(crate) fn share(share: f64) -> String {
    if !share.is_finite() {
        return "-".into();
    }
    let exact = share <= 0.0 || share >= 1.0;
    let with = |decimals: usize| format!("{:.decimals$}", share * 100.0);
    let rounds_off = |text: &str| matches!(text.parse(), Ok(0.0 | 100.0));
    let text = (1..=6).map(with).find(|text| !rounds_off(text)).filter(|_| !exact);
    format!("{}%", text.unwrap_or_else(|| with(0)))
}

/// Milliseconds: `3.1ms`, `212ms`, `12.4s`; `-` when there are none; absurd ones are cut short.
pub(crate) fn millis(ms: Option<f64>) -> String {
    match ms.filter(|ms| ms.is_finite()) {
        None => "-".into(),
        Some(ms) if ms < 9.95 => format!("{ms:.1}ms"),
        Some(ms) if ms < 9_999.5 => format!("{ms:.0}ms"),
        Some(ms) if ms < 1e9 => format!("{:.1}s", ms / 1e3),
        Some(_) => ">11 days".into(),
    }
}

/// Seconds without needless decimals: `10s`, `2.5s`, `4m 30s`.
pub(crate) fn seconds(s: f64) -> String {
    let tenths = if s.is_finite() { (s.max(0.0) * 10.0).round() as u64 } else { 0 };
    match (tenths / 10, tenths % 10) {
        (whole, _) if whole >= 600 => format!("{}m {:02}s", whole / 60, whole % 60),
        (whole, 0) => format!("{whole}s"),
        (whole, rest) => format!("{whole}.{rest}s"),
    }
}

/// A ratio: `1.24x`; `-` when there is none.
pub(crate) fn ratio(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or_else(|| "-".into(), |v| format!("{v:.2}x"))
}

/// `1.80x`; where clients retry by themselves, `1.80x = 1.20 client tries x 1.50`: what reaches the upstream is the
/// product of both.
pub(super) fn attempts(phase: &PhaseSummary) -> String {
    let all = ratio(phase.attempts_per_request);
    match (phase.attempts_per_request, phase.client_tries_per_request.filter(|tries| *tries > 0.0)) {
        (Some(attempts), Some(tries)) => {
            format!("{all} = {tries:.2} client tries x {:.2}", attempts / tries)
        }
        _ => all,
    }
}

/// `1 sample`, `1,201 samples`.
pub(crate) fn count(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(value), if value == 1 { "" } else { "s" })
}

/// Escapes for HTML and XML text and attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0.04, 9.94, 9.96, 212.4, 12_400.0].map(|v| millis(Some(v))),
            ["0.0ms", "9.9ms", "10ms", "212ms", "12.4s"]
        );
        assert_eq!([0.0, 10.0, 2.52, 270.0, 600.0].map(seconds), ["0s", "10s", "2.5s", "270s", "10m 00s"]);
        assert_eq!(
            (ratio(Some(1.237)), ratio(None), ratio(Some(f64::NAN))),
            ("1.24x".into(), "-".into(), "-".into())
        );
        assert_eq!((count(1, "sample"), count(1_201, "sample")), ("1 sample".into(), "1,201 samples".into()));
    }

    #[test]
    fn a_percentage_never_rounds_to_all_or_nothing() {
        assert_eq!(percent(5, 5), "100%");
        assert_eq!(percent(0, 5), "0%");
        assert_eq!(percent(0, 0), "-");
        assert_eq!(percent(9_999, 10_000), "99.99%");
        assert_eq!(percent(1, 100_000), "0.001%");
        assert_eq!(percent(991, 1_000), "99.1%");
    }

    #[test]
    fn hostile_characters_become_visible() {
        assert_eq!(clean("a\x1b[31mb\0\u{202e}\nπ語"), "a\\u{1b}[31mb\\u{0}\\u{202e}\\nπ語");
        assert_eq!(clean(&"x".repeat(2_003)), format!("{}… (3 more characters)", "x".repeat(2_000)));
        assert_eq!(escape("</script> & \"'"), "&lt;/script&gt; &amp; &quot;&#39;");
    }
}
