//! Two surveys side by side: two gateways, two versions, two configurations.

use std::collections::BTreeSet;

use super::{Cell, Row, Survey};

/// One cell that is not the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Condition.
    pub condition: String,
    /// Operation, or `after` for what came after the condition.
    pub op: String,
    /// In the one.
    pub was: String,
    /// In the other.
    pub is: String,
}

/// What differs, in the order of the first. Of the conditions that were `asked` for, by name, those that only one of
/// them has are differences, too.
pub fn compare(was: &Survey, is: &Survey, asked: impl Fn(&str) -> bool) -> Vec<Difference> {
    let mut out = Vec::new();
    for row in was.rows.iter().filter(|row| asked(&row.condition)) {
        match is.rows.iter().find(|r| r.condition == row.condition) {
            Some(other) => out.extend(rows(row, other)),
            None => out.push(absent(row, true)),
        }
    }
    let added = is.rows.iter().filter(|r| was.rows.iter().all(|w| w.condition != r.condition));
    out.extend(added.map(|row| absent(row, false)));
    out
}

fn absent(row: &Row, was: bool) -> Difference {
    let (there, gone) = ("surveyed".to_owned(), "not surveyed".to_owned());
    let (was, is) = if was { (there, gone) } else { (gone, there) };
    Difference { condition: row.condition.clone(), op: "-".to_owned(), was, is }
}

fn rows(was: &Row, is: &Row) -> Vec<Difference> {
    let differ = |op: &str, a: String, b: String| Difference {
        condition: was.condition.clone(),
        op: op.to_owned(),
        was: a,
        is: b,
    };
    let mut out = Vec::new();
    if was.skipped != is.skipped {
        let told = |row: &Row| row.skipped.clone().unwrap_or_else(|| "surveyed".to_owned());
        out.push(differ("-", told(was), told(is)));
        return out;
    }
    for (a, b) in was.cells.iter().zip(&is.cells) {
        if key(a) != key(b) {
            out.push(differ(&a.op, a.text(), b.text()));
        }
    }
    let recovers =
        |row: &Row| if row.recovered == row.after { "recovers" } else { "does not recover at once" };
    if recovers(was) != recovers(is) {
        out.push(differ("after", recovers(was).to_owned(), recovers(is).to_owned()));
    }
    let dies = |row: &Row| row.died.clone().unwrap_or_else(|| "survives".to_owned());
    if dies(was) != dies(is) {
        out.push(differ("process", dies(was), dies(is)));
    }
    out
}

/// What of a cell does not depend on luck: the kinds of outcomes that count, and whether there were more tries
/// than one.
fn key(cell: &Cell) -> BTreeSet<(&str, bool)> {
    cell.notable().map(|s| (s.outcome.as_str(), s.tries.unwrap_or(1) > 1)).collect()
}
