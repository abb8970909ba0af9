//! What was cut out of a tree with its mistakes, so that what the rest then lacks is not taken for another mistake.

use std::collections::BTreeSet;

use super::node::Node;
use crate::diagnostics::{Diagnostic, Level};

/// The blocks of a scenario, each after those it looks at.
const BLOCKS: &[&str] =
    &["gateway", "upstreams", "buckets", "identities", "load", "timeline", "capacity", "expect", "guards"];

/// What was cut out.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// Every key and every text in it, and the keys on the way to it.
    names: BTreeSet<String>,
    /// The first block that lost something.
    first: Option<usize>,
}

// === impl Lost ===

impl Lost {
    /// Notes what was cut out at a path.
    pub(super) fn note(&mut self, path: &[String], node: &Node) {
        // A key of the top that is no block may be any block, misspelt.
        let block = path.first().and_then(|first| BLOCKS.iter().position(|block| block == first));
        let block = block.unwrap_or_default();
        self.first = Some(self.first.map_or(block, |first| first.min(block)));
        self.names.extend(path.last().cloned());
        self.take_names(node);
    }

    fn take_names(&mut self, node: &Node) {
        self.names.extend(node.text().map(str::to_owned));
        for (key, below) in node.entries() {
            self.names.insert(key.text.clone());
            self.take_names(below);
        }
        node.elements().iter().for_each(|below| self.take_names(below));
    }

    /// Whether a problem of the rest is one of its own: a name that nothing cut out could have defined, or anything in
    /// a block that looks at none that lost something.
    pub(super) fn leaves(&self, problem: &Diagnostic, rest: &Node) -> bool {
        if problem.level != Level::Error {
            return false;
        }
        if let Some(name) = &problem.unknown {
            return !self.names.contains(&**name);
        }
        let path = rest.path_to(problem.place).unwrap_or_default();
        let block = path.first().and_then(|first| BLOCKS.iter().position(|block| block == first));
        block.is_some_and(|block| self.first.is_none_or(|first| block < first))
    }
}
