//! Where conditions and variables find their values.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::caller::Caller;
use super::context::{Context, Key, Values};

/// The values of one question: what follows from the caller, then the context.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) caller: &'a Caller,
    pub(super) context: &'a dyn Context,
    /// Where keys without a value are noted, when someone wants to know: in lower case, and as first written.
    pub(super) missing: Option<&'a RefCell<BTreeMap<String, String>>>,
}

impl<'a> Scope<'a> {
    /// The values of a key.
    pub(super) fn values(&self, key: &Key) -> Values<'a> {
        let values = match self.caller.values(key.lower()) {
            Values::Missing => self.context.values(key.lower()),
            of_caller => of_caller,
        };
        if let Some(missing) = self.missing
            && values.is_empty()
        {
            let mut missing = missing.borrow_mut();
            missing.entry(key.lower().to_owned()).or_insert_with(|| key.written().to_owned());
        }
        values
    }

    /// The value of a variable; keys with several values cannot be variables.
    pub(super) fn variable(&self, key: &Key) -> Option<Cow<'a, str>> {
        match self.values(key) {
            Values::One(value) => Some(value),
            _ => None,
        }
    }
}
