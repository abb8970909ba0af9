//! Bodies made by a template, as mapping templates of API Gateway are written.

use std::fmt::Write;

/// Fills in the few variables that there are (API Gateway Developer Guide, Variables for data transformations).
/// What else begins with `$` stays as it is.
pub(crate) fn filled(template: &str, body: &[u8], request_id: &str) -> String {
    let body = String::from_utf8_lossy(body);
    let variables: [(&str, &dyn Fn() -> String); 3] = [
        ("$util.escapeJavaScript($input.body)", &|| escaped(&body)),
        ("$input.body", &|| body.to_string()),
        ("$context.requestId", &|| request_id.to_owned()),
    ];
    let (mut text, mut rest) = (String::new(), template);
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        match variables.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                text.push_str(&value());
                rest = &rest[name.len()..];
            }
            None => {
                text.push('$');
                rest = &rest[1..];
            }
        }
    }
    text + rest
}

/// As the inside of a JSON string.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(escaped, "\\u{:04x}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_once() {
        let template =
            r#"{"id": "$context.requestId", "said": "$util.escapeJavaScript($input.body)", "cost": "$5"}"#;
        let filled = filled(template, b"<a b=\"$input.body\">\n\x01\\</a>", "r-1");
        assert_eq!(
            filled,
            "{\"id\": \"r-1\", \"said\": \"<a b=\\\"$input.body\\\">\\n\\u0001\\\\</a>\", \"cost\": \"$5\"}"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&filled).is_ok());
    }

    #[test]
    fn a_payload_may_be_passed_as_it_is() {
        assert_eq!(super::filled("$input.body!", b"all", ""), "all!");
    }
}
