//! GET /journal

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json as object;
use tokio::sync::mpsc;

use super::{Answer, Ask, Refused};
use crate::observe::{Journal, News, Numbered, json};

const NDJSON: &str = "application/x-ndjson";
/// Chunks that wait for a reader; one that is further behind is overtaken in the journal's own backlog.
const CHUNKS: usize = 16;
/// A chunk gathers what is there already, up to about this many bytes.
const CHUNK: usize = 64 << 10;

/// The journal, a JSON object a line: what is kept, and with `follow` what comes.
pub(super) fn run(ask: &Ask) -> Result<Answer, Refused> {
    let since = match ask.query("since") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Refused::new(400, format!("since={text} is no number of an exchange")))?,
    };
    let journal = ask.shared.observers.journal();
    if !ask.query("follow").is_some_and(|value| !matches!(value.as_str(), "0" | "false")) {
        let lines: String = journal.since(since).iter().map(line).collect();
        return Ok(Answer::text(NDJSON, lines));
    }
    let (give, take) = mpsc::channel(CHUNKS);
    let (journal, shared) = (Arc::clone(journal), Arc::clone(&ask.shared));
    tokio::spawn(async move {
        tokio::select! {
            () = feed(&journal, since, give) => {}
            () = shared.stopping() => {}
        }
    });
    Ok(Answer::stream(NDJSON, take))
}

/// Feeds a reader until it leaves or is overtaken; the last line tells it how many it lost.
async fn feed(journal: &Journal, since: u64, reader: mpsc::Sender<Bytes>) {
    let (mut follower, mut last) = (journal.follow(since), since);
    loop {
        let mut news = tokio::select! {
            news = follower.next() => Some(news),
            () = reader.closed() => return,
        };
        let (mut chunk, mut over) = (String::new(), false);
        while let Some(one) = news {
            match one {
                News::Exchange(numbered) => {
                    chunk.push_str(&line(&numbered));
                    last = numbered.0;
                }
                News::Overtaken => {
                    let lost = journal.written().saturating_sub(last);
                    chunk.push_str(&format!("{}\n", object!({ "lost": lost })));
                    over = true;
                }
                News::End => over = true,
            }
            news = if over || chunk.len() >= CHUNK { None } else { follower.ready() };
        }
        if reader.send(chunk.into()).await.is_err() || over {
            return;
        }
    }
}

fn line((number, exchange): &Numbered) -> String {
    format!("{}\n", json(*number, exchange))
}
