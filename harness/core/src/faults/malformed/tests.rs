use super::*;

const LINE: &str = "x-gatecrash-attempt: 1-2-3\r\n";
const HEAD: &str =
    "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 10\r\nx-gatecrash-attempt: 1-2-3\r\n\r\n";

fn original(head: &'static str, length: Option<u64>) -> Original<'static> {
    Original { status: 200, head: head.as_bytes(), length, attempt_line: LINE, to_head: false, amount: 100 }
}

fn of(kind: Kind) -> Script {
    script(kind, &original(HEAD, Some(10)))
}

#[test]
fn the_catalogue_is_in_order() {
    for info in KINDS {
        assert_eq!(info.kind.info().name, info.name);
        assert!(
            info.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        );
        assert_eq!(serde_json::to_string(&info.kind).unwrap(), format!("\"{}\"", info.name));
        assert!(info.rule.starts_with("RFC "), "{}", info.name);
        for text in [info.what, info.rule, info.imitates, info.gateways] {
            assert!(text.ends_with('.') && text.len() > 10, "{}: {text}", info.name);
        }
        for gateway in ["nginx", "HAProxy"] {
            assert!(info.gateways.contains(gateway), "{} was not measured on {gateway}", info.name);
        }
        assert_eq!(KINDS.iter().filter(|k| k.name == info.name).count(), 1);
    }
    assert!(KINDS.len() >= 60);
}

#[test]
fn every_head_names_its_attempt() {
    for info in KINDS.iter().filter(|k| !["raw", "partial"].contains(&k.group)) {
        let head = of(info.kind).head;
        let line = LINE.trim_end().as_bytes();
        assert_eq!(head.windows(line.len()).filter(|w| *w == line).count(), 1, "{}", info.name);
        let end: &[u8] = if info.kind == Kind::BareLfLines { b"\n\n" } else { b"\r\n\r\n" };
        assert!(head.ends_with(end), "{}", info.name);
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
    let original = original(chunked, None);
    assert_eq!(script(Kind::HeaderNul, &original).body, Body::Chunked(ChunkStyle::Correct));
    assert_eq!(script(Kind::SurplusBytes, &original).body, Body::Chunked(ChunkStyle::DataAfterLast));
    let close = "HTTP/1.1 200 OK\r\nx-gatecrash-attempt: 1-2-3\r\n\r\n";
    let original = Original { head: close.as_bytes(), ..original };
    assert_eq!(script(Kind::HeaderNul, &original).end, End::Close(With::Fin));
}

#[test]
fn amounts_are_kept_to_the_byte() {
    let header = of(Kind::HeaderOversize).head;
    assert_eq!(header.len(), HEAD.len() + 100 + 2);
    assert_eq!(of(Kind::ChunkExtensionHuge).body, Body::Chunked(ChunkStyle::HugeExtension(100)));
    assert_eq!(of(Kind::ContinueFlood).head.windows(4).filter(|w| *w == b" 100").count(), 100);
}

#[test]
fn changes_do_not_depend_on_the_cut() {
    for change in [Change::Flip(7), Change::Over(b"0123456789"), Change::None] {
        let mut whole = [b'x'; 50];
        change.apply(0, &mut whole);
        for cut in 1..50 {
            let mut pieces = [b'x'; 50];
            for (i, piece) in pieces.chunks_mut(cut).enumerate() {
                change.apply((i * cut) as u64, piece);
            }
            assert_eq!(pieces, whole, "{change:?} in pieces of {cut}");
        }
    }
    let mut flipped = *b"aaaaaaaaaa";
    Change::Flip(4).apply(0, &mut flipped);
    assert_eq!(&flipped, b"`aaa`aaa`a");
}

#[test]
fn a_stray_body_follows_a_head_alone() {
    let to_head = Original { to_head: true, ..original(HEAD, Some(10)) };
    assert_eq!(script(Kind::HeadWithBody, &to_head).body, Body::Bytes(vec![b'x'; 10]));
    let huge = script(Kind::HeadWithBody, &Original { length: Some(u64::MAX), ..to_head });
    assert_eq!(huge.body, Body::Bytes(vec![b'x'; 64 * 1024]));
    assert_eq!(of(Kind::HeadWithBody).nature, Nature::Plain);
}
