use super::*;

fn message(text: &str) -> String {
    first_value(text.as_bytes()).map_or_else(|why| why.message, |node| format!("{:?}", node.value))
}

#[test]
fn errors_read_as_go_words_them() {
    // Each observed from Toxiproxy 2.12.0 built with Go 1.26.
    let cases = [
        ("", "EOF"),
        (" \n", "EOF"),
        ("{", "unexpected EOF"),
        ("tru", "unexpected EOF"),
        ("{\"name\"}", "invalid character '}' after object key"),
        ("{\"name\":}", "invalid character '}' looking for beginning of value"),
        ("{\"name\":\"a\" \"b\"}", "invalid character '\"' after object key:value pair"),
        ("{name:1}", "invalid character 'n' looking for beginning of object key string"),
        ("{'a':1}", "invalid character '\\'' looking for beginning of object key string"),
        ("{\"name\":\"a\u{1}\"}", "invalid character '\\x01' in string literal"),
        ("{\"name\":\"\\x\"}", "invalid character 'x' in string escape code"),
        ("{\"name\":\"\\u12g4\"}", "invalid character 'g' in \\u hexadecimal character escape"),
        ("{\"name\":tru}", "invalid character '}' in literal true (expecting 'e')"),
        ("{\"name\":nul1}", "invalid character '1' in literal null (expecting 'l')"),
        ("{\"name\":01}", "invalid character '1' after object key:value pair"),
        ("{\"name\":1.}", "invalid character '}' after decimal point in numeric literal"),
        ("{\"name\":1e}", "invalid character '}' in exponent of numeric literal"),
        ("{\"name\":-}", "invalid character '}' in numeric literal"),
        ("{\"name\":\"a\",}", "invalid character '}' looking for beginning of object key string"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("{\"a\":[1 2]}", "invalid character '2' after array element"),
    ];
    for (text, expected) in cases {
        assert_eq!(message(text), expected, "{text}");
    }
    assert_eq!(
        first_value(b"\xff").map_err(|why| why.message),
        Err("invalid character 'ÿ' looking for beginning of value".to_owned())
    );
}

#[test]
fn what_follows_a_value_is_not_looked_at() {
    assert_eq!(message("nulll"), "Null");
    assert_eq!(message("{} trailing"), "Object([])");
    assert_eq!(message("true}"), "Bool(true)");
}

#[test]
fn strings_are_made_valid() {
    let text = |json: &[u8]| first_value(json).map(|node| node.value);
    assert_eq!(text(b"\"\\ud83d\\ude00\\ud800x\\udc00\""), Ok(Value::String("😀\u{fffd}x\u{fffd}".into())));
    assert_eq!(text(b"\"a\xffb\""), Ok(Value::String("a\u{fffd}b".into())));
    assert_eq!(text(br#""\"\\\/\b\f\n\r\t""#), Ok(Value::String("\"\\/\u{8}\u{c}\n\r\t".into())));
}

#[test]
fn nesting_is_bounded() {
    assert_eq!(message(&"[".repeat(100_000)), "exceeded max depth");
    assert_eq!(message(&"{\"a\":".repeat(100_000)), "exceeded max depth");
}

#[test]
fn fields_are_filled_as_go_fills_them() {
    let node = first_value(br#"{"NAME":"a","name":null,"Name":"b","n\u017fme":"c","zzz":{}}"#).unwrap();
    let mut decoding = Decoding::default();
    let mut name = String::new();
    for value in decoding.fields(&node, "Go value of type toxiproxy.Proxy").all("name") {
        decoding.string(value, "Proxy.name", &mut name);
    }
    assert_eq!((name.as_str(), decoding.finish()), ("b", Ok(())));
}

#[test]
fn integers_refuse_what_go_refuses() {
    let refused = |json: &str| {
        let node = first_value(json.as_bytes()).unwrap();
        let mut decoding = Decoding::default();
        decoding.integer(&node, "LatencyToxic.attributes.latency", "int64", &mut 0);
        decoding.finish().map_err(|(_, message)| message)
    };
    for number in ["1.5", "1e3", "99999999999999999999"] {
        let expected = format!(
            "json: cannot unmarshal number {number} into Go struct field LatencyToxic.attributes.latency of type int64"
        );
        assert_eq!(refused(number), Err(expected));
    }
    assert_eq!(refused("-9223372036854775808"), Ok(()));
    assert_eq!(refused("null"), Ok(()));
}

#[test]
fn floats_are_written_as_go_writes_them() {
    let cases = [
        (1.0, "1"),
        (0.3, "0.3"),
        (1e-7, "1e-7"),
        (-1.0, "-1"),
        (123_456_789.0, "123456790"),
        (1e22, "1e+22"),
        (0.0, "0"),
        (0.000_001, "0.000001"),
    ];
    for (value, expected) in cases {
        assert_eq!(float32(value), expected);
    }
}

#[test]
fn strings_are_escaped_as_go_escapes_them() {
    assert_eq!(
        quoted("a<b>&c\u{2028}\té\u{1}\u{7f}\"\\"),
        "\"a\\u003cb\\u003e\\u0026c\\u2028\\té\\u0001\u{7f}\\\"\\\\\""
    );
}
