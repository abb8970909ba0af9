use super::*;

const LINE: &str = "x-gatecrash-attempt: 1-2-3\r\n";
const HEAD: &str =
    "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 10\r\nx-gatecrash-attempt: 1-2-3\r\n\r\n";

fn of(kind: Kind) -> Script {
    script(kind, &Original { status: 200, head: HEAD.as_bytes(), length: Some(10), attempt_line: LINE })
}

#[test]
fn the_catalogue_is_in_order() {
    for info in KINDS {
        assert_eq!(info.kind.info().name, info.name);
        assert!(info.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        assert_eq!(serde_json::to_string(&info.kind).unwrap(), format!("\"{}\"", info.name));
        assert!(info.what.ends_with('.') && info.rule.starts_with("RFC "), "{}", info.name);
        assert_eq!(KINDS.iter().filter(|k| k.name == info.name).count(), 1);
    }
    assert!(KINDS.len() >= 24);
}

#[test]
fn every_head_names_its_attempt() {
    for info in KINDS.iter().filter(|k| k.group != "raw") {
        let head = of(info.kind).head;
        assert_eq!(head.windows(LINE.len()).filter(|w| *w == LINE.as_bytes()).count(), 1, "{}", info.name);
        assert!(head.ends_with(b"\r\n\r\n"), "{}", info.name);
    }
}

#[test]
fn framing_is_replaced_not_added() {
    let text = String::from_utf8(of(Kind::ClDuplicateDiffer).head).unwrap();
    assert_eq!(
        text,
        format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\n{LINE}Content-Length: 10\r\nContent-Length: 14\r\n\r\n")
    );
    let text = String::from_utf8(of(Kind::ChunkNoLast).head).unwrap();
    assert_eq!(text, format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\n{LINE}Transfer-Encoding: chunked\r\n\r\n"));
}

#[test]
fn a_body_of_unknown_length_keeps_an_end() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-gatecrash-attempt: 1-2-3\r\n\r\n";
    let original = Original { status: 200, head: chunked.as_bytes(), length: None, attempt_line: LINE };
    assert_eq!(script(Kind::HeaderNul, &original).body, Body::Chunked(ChunkStyle::Correct));
    assert_eq!(script(Kind::SurplusBytes, &original).body, Body::Chunked(ChunkStyle::DataAfterLast));
    let close = "HTTP/1.1 200 OK\r\nx-gatecrash-attempt: 1-2-3\r\n\r\n";
    let original = Original { head: close.as_bytes(), ..original };
    assert_eq!(script(Kind::HeaderNul, &original).end, End::Close(With::Fin));
}
