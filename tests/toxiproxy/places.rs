//! Ports that differ between two servers, written alike.

use std::net::TcpListener;

/// Four free ports of this machine, `{a}` to `{d}` in scripts, and the server's own, `{api}`.
pub(crate) struct Places(Vec<(&'static str, u16)>);

impl Places {
    pub(crate) fn new(api: u16) -> Self {
        let held: Vec<_> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let port = |listener: &TcpListener| listener.local_addr().expect("a bound port").port();
        let mut places: Vec<_> =
            ["{a}", "{b}", "{c}", "{d}"].into_iter().zip(held.iter().map(port)).collect();
        places.push(("{api}", api));
        Self(places)
    }

    /// A text of the script with this server's ports.
    pub(crate) fn filled(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, port)| text.replace(name, &port.to_string()))
    }

    /// A text of this server with the names again, and ports that the system chose as `PORT`.
    pub(crate) fn named(&self, text: &str) -> String {
        let mut named = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once(':') {
            let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            named += before;
            named.push(':');
            let port = behind[..digits].parse::<u16>().ok();
            match port.and_then(|port| self.0.iter().find(|(_, place)| *place == port)) {
                Some((name, _)) => named += name,
                None if port.is_some_and(|port| port >= 10_000) => named += "PORT",
                None => named += &behind[..digits],
            }
            rest = &behind[digits..];
        }
        named + rest
    }
}

#[test]
fn ports_are_named_again() {
    let places = Places(vec![("{a}", 41_000), ("{api}", 8474)]);
    let text = r#"{"listen":"127.0.0.1:41000","upstream":"u:1"} [::]:40999 http://127.0.0.1:8474/"#;
    let named = r#"{"listen":"127.0.0.1:{a}","upstream":"u:1"} [::]:PORT http://127.0.0.1:{api}/"#;
    assert_eq!(places.named(text), named);
    assert_eq!(places.filled("127.0.0.1:{a}"), "127.0.0.1:41000");
}
