//! Which version of a changing object a client was left with, and when that was current.

use gatecrash_model::{ClientRecord, Lineage, Nanos, VersionRecord};

use super::{Answers, History};

/// The versions that an answer showed, with the time line of the object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    lineage: Lineage,
    shown: VersionRecord,
    version: u32,
    sent: Nanos,
    /// When the answer began.
    answered: Nanos,
}

impl Seen {
    /// What a client saw of an object that changes; `None` for other objects, and where no version could be told.
    pub fn of(history: &History, answers: &Answers, client: &ClientRecord) -> Option<Self> {
        let shown = *history.version(client.id().pack())?;
        let (lineage, version) = (answers.lineage(history, client)?, shown.served()?);
        let answered = client.answered().unwrap_or_else(|| client.ended());
        Some(Self { lineage, shown, version, sent: client.sent(), answered })
    }

    /// The version the client was left with.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The version whose ETag stood over another one's bytes, with that.
    pub fn mislabelled(&self) -> Option<(u32, u32)> {
        self.shown.tag().zip(self.shown.body()).filter(|(tag, body)| tag != body)
    }

    /// Whether it showed both bytes and an ETag.
    pub fn is_labelled(&self) -> bool {
        self.shown.tag().is_some() && self.shown.body().is_some()
    }

    /// The versions whose bytes were put together into one body.
    pub fn mixed(&self) -> Option<(u32, u32)> {
        self.shown.body().zip(self.shown.then())
    }

    /// The version that was current when the request was sent.
    pub fn current_when_sent(&self) -> u32 {
        self.lineage.at(self.sent)
    }

    /// When the version the client was left with was replaced, where that was before the request was sent.
    pub fn replaced(&self) -> Option<Nanos> {
        Some(self.lineage.replaced(self.version)).filter(|at| *at < self.sent)
    }

    /// How long the version the client was left with had been replaced when the request was sent; 0 when it had not.
    pub fn outdated(&self) -> Nanos {
        self.replaced().map_or(0, |at| self.sent - at)
    }

    /// All of it in words.
    pub fn told(&self) -> String {
        let seconds = |nanos: Nanos| nanos as f64 / 1e9;
        let served = match (self.mixed(), self.mislabelled()) {
            (Some((first, then)), _) => format!("bytes of version {first}, then of version {then}"),
            (None, Some((tag, body))) => format!("bytes of version {body} under the ETag of version {tag}"),
            (None, None) => format!("version {}", self.version),
        };
        let replaced = match self.outdated() {
            0 => "not replaced before it was asked for".to_owned(),
            by => format!("replaced {:.1} s before it was asked for", seconds(by)),
        };
        let (sent, began) = (self.current_when_sent(), self.lineage.at(self.answered));
        format!("{served}, {replaced}; current was version {sent} then, {began} when the answer began")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{Request, Story};

    fn seen(request: Request) -> Option<Seen> {
        let story = Story::new().changing(1000).with(request);
        Seen::of(&story.history, &Answers::of(&story.plan), &story.history.clients[0])
    }

    #[test]
    fn a_version_is_outdated_from_its_end_on() {
        let told = |behind| seen(Request::at(5500).key("o/1").behind(behind)).unwrap();
        let (fresh, old, older) = (told(0), told(1), told(3));
        assert_eq!((fresh.outdated(), fresh.replaced()), (0, None));
        assert_eq!(older.outdated() - old.outdated(), 2_000_000_000);
        assert!((1..=1_000_000_000).contains(&old.outdated()));
        assert_eq!(older.version() + 3, older.current_when_sent());
        let words = older.told();
        assert!(words.contains(&format!("version {}, replaced ", older.version())), "{words}");
    }

    #[test]
    fn two_versions_in_one_answer_are_told() {
        let mixed = seen(Request::at(5500).key("o/1").behind(2).then_behind(0)).unwrap();
        assert_eq!(mixed.mixed(), Some((mixed.version(), mixed.version() + 2)));
        let labelled = seen(Request::at(5500).key("o/1").behind(2).tag_behind(1)).unwrap();
        assert_eq!(labelled.mislabelled(), Some((labelled.version() + 1, labelled.version())));
        assert!(labelled.told().contains("under the ETag of version"), "{}", labelled.told());
    }

    #[test]
    fn nothing_is_said_of_what_does_not_change() {
        let story = Story::new().with(Request::at(0).key("o/1"));
        assert_eq!(Seen::of(&story.history, &Answers::of(&story.plan), &story.history.clients[0]), None);
        assert_eq!(seen(Request::at(0).key("up/1").behind(0)), None);
    }
}
