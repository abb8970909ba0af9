use super::*;

fn read(text: &str) -> Result<Identities, Diagnostics> {
    Identities::read(&SourceText::new("who.yaml", text))
}

fn mistakes(text: &str) -> String {
    read(text).expect_err("a mistake").to_string()
}

const FULL: &str = r#"
identities:
  - name: app
    account: "111122223333"
    display-name: The application
    email: app@example.com
    canonical-id: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    access-key: AKIAAPP
    secret-key: topsecret/+
    root: true
    policies:
      - Version: "2012-10-17"
        Statement:
          Effect: Allow
          Action: s3:*
          Resource: "*"
  - name: bare
"#;

#[test]
fn a_full_entry_and_a_bare_one() {
    let identities = read(FULL).expect("valid");
    let [app, bare] = identities.list.as_slice() else { panic!("two") };
    assert_eq!((app.name.as_str(), app.account.as_str(), app.root), ("app", "111122223333", true));
    assert_eq!(app.display_name.as_deref(), Some("The application"));
    assert_eq!(app.email.as_deref(), Some("app@example.com"));
    assert_eq!(app.keys, Some(("AKIAAPP".to_owned(), "topsecret/+".to_owned())));
    assert_eq!(app.policies[0].document["Statement"]["Action"], "s3:*");
    assert_eq!(app.policies[0].document["Version"], "2012-10-17");
    assert_eq!((bare.account.as_str(), bare.root, bare.keys.is_none()), (DEFAULT_ACCOUNT, false, true));
    assert!(bare.canonical_id.is_none() && bare.policies.is_empty());
}

#[test]
fn json_is_the_same_file() {
    let text = r#"{ "identities": [ { "name": "app", "account": "111122223333", "policies": [
        { "Statement": [ { "Effect": "Deny", "Action": ["s3:\u0047etObject"], "Resource": "*" } ] } ] } ] }"#;
    let identities = read(text).expect("valid");
    assert_eq!(identities.list[0].policies[0].document["Statement"][0]["Action"][0], "s3:GetObject");
}

#[test]
fn every_mistake_is_named_at_its_place() {
    let cases = [
        ("identities: []", "no identity", 1),
        ("identities:\n  - acount: \"1\"\n    name: a", "did you mean `account`?", 2),
        ("identities:\n  - account: \"111122223333\"", "missing key `name`", 2),
        ("identities:\n  - name: a b", "invalid `name`", 2),
        ("identities:\n  - name: a\n    account: \"12\"", "invalid `account`", 3),
        ("identities:\n  - name: a\n    email: nobody", "invalid `email`", 3),
        ("identities:\n  - name: a\n    canonical-id: ABC", "invalid `canonical-id`", 3),
        ("identities:\n  - name: a\n    access-key: a/b\n    secret-key: x", "invalid `access-key`", 3),
        ("identities:\n  - name: a\n    access-key: AKIA", "a key pair without its secret-key", 3),
        ("identities:\n  - name: a\n    secret-key: x", "a key pair without its access-key", 3),
        ("identities:\n  - name: a\n  - name: a", "the same name twice", 3),
        ("identities:\n  - name: a\n    root: maybe", "expected true or false", 3),
    ];
    for (text, said, line) in cases {
        let shown = mistakes(text);
        assert!(shown.contains(said), "{text}\n{shown}");
        assert!(shown.contains(&format!("who.yaml:{line}:")), "{text}\n{shown}");
    }
}

#[test]
fn roles_have_a_trust_policy_and_a_longest_session() {
    let trust = "trust: { Statement: { Effect: Allow, Principal: \"*\", Action: sts:AssumeRole } }";
    let file = |more: &str| format!("identities:\n  - name: a\nroles:\n  - name: r\n    {trust}\n{more}");
    let read_file = read(&file("    boundary: { Statement: [] }\n")).expect("valid");
    let [role] = read_file.roles.as_slice() else { panic!("one") };
    assert_eq!((role.name.as_str(), role.account.as_str()), ("r", DEFAULT_ACCOUNT));
    assert_eq!(role.longest_session, Span::seconds(3600));
    assert_eq!(role.trust.document["Statement"]["Action"], "sts:AssumeRole");
    assert!(role.boundary.is_some());
    assert!(mistakes(&file("    longest-session: 13h\n")).contains("expected 1h to 12h"));
    assert!(mistakes("identities:\n  - name: a\nroles:\n  - name: r\n").contains("missing key `trust`"));
}

#[test]
fn accounts_and_canonical_ids_agree() {
    let id = |digit: &str| digit.repeat(64);
    let two = |a: &str, x: &str, b: &str, y: &str| {
        format!(
            "identities:\n  - {{ name: a, account: \"{a}\", canonical-id: \"{}\" }}\n  \
             - {{ name: b, account: \"{b}\", canonical-id: \"{}\" }}\n",
            id(x),
            id(y)
        )
    };
    let (one, other) = ("111111111111", "222222222222");
    assert!(read(&two(one, "a", one, "a")).is_ok());
    assert!(read(&two(one, "a", other, "b")).is_ok());
    assert!(mistakes(&two(one, "a", one, "b")).contains("one canonical id"));
    assert!(mistakes(&two(one, "a", other, "a")).contains("one canonical id"));
}

#[test]
fn a_refused_policy_is_shown_where_it_stands() {
    let identities = read(FULL).expect("valid");
    let shown = identities.refuse(&identities.list[0].policies[0], "no such effect").to_string();
    assert!(shown.contains("invalid policy: no such effect") && shown.contains("who.yaml:12:"), "{shown}");
}

#[test]
fn keys_are_never_shown() {
    let identities = read(FULL).expect("valid");
    let shown = format!("{identities:?}");
    assert!(!shown.contains("topsecret") && !shown.contains("AKIAAPP"), "{shown}");
    let twice = FULL.replace("name: bare", "name: bare\n    access-key: AKIAAPP\n    secret-key: x");
    assert!(mistakes(&twice).contains("the same access key twice"));
}
