//! Where conditions and variables find their values.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;

use super::caller::Caller;
use super::context::{Context, Values};

/// The values of one question: what follows from the caller, then the context.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) caller: &'a Caller,
    pub(super) context: &'a dyn Context,
    /// Where keys without a value are noted, when someone wants to know.
    pub(super) missing: Option<&'a RefCell<BTreeSet<String>>>,
}

impl<'a> Scope<'a> {
    /// The values of a key (in lower case).
    pub(super) fn values(&self, key: &str) -> Values<'a> {
        let values = match self.caller.values(key) {
            Values::Missing => self.context.values(key),
            of_caller => of_caller,
        };
        if let Some(missing) = self.missing
            && values.is_empty()
        {
            missing.borrow_mut().insert(key.to_owned());
        }
        values
    }

    /// The value of a variable; keys with several values cannot be variables.
    pub(super) fn variable(&self, key: &str) -> Option<Cow<'a, str>> {
        match self.values(key) {
            Values::One(value) => Some(value),
            _ => None,
        }
    }
}
