//! The byte order of numbered keys, computed: no list of them is kept.
//!
//! Numbers of one length are in order as they count. With several lengths the numbers form a tree, `1` above
//! `10` to `19`, and the keys are the tree walked with each number before those below it, or behind them: what
//! follows the number in the key decides.

use gatecrash_model::KeyPattern;

/// Which object of a population is at which place of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyOrder {
    /// As they count.
    Counting,
    /// Each number before those that begin with it.
    Before(Tree),
    /// Each number behind those that begin with it.
    Behind(Tree),
    /// Sorted once: what follows the number begins with a digit itself.
    Sorted(Vec<u32>),
}

/// Numbers below `count`, of at least `width` digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tree {
    count: u64,
    /// Roots are the numbers of so many digits, zeros in front included: below this.
    roots: u64,
    /// Roots below this begin with a zero and have nothing below them.
    lone: u64,
}

impl KeyOrder {
    pub(super) fn of(pattern: &KeyPattern, count: u32) -> Self {
        let width = pattern.width().max(1);
        let roots = 10_u64.pow(width as u32);
        if u64::from(count) <= roots {
            return Self::Counting;
        }
        let tree = Tree { count: count.into(), roots, lone: if width == 1 { 1 } else { roots / 10 } };
        match pattern.suffix().bytes().next() {
            Some(first) if first.is_ascii_digit() => {
                let mut sorted: Vec<u32> = (0..count).collect();
                sorted.sort_unstable_by_key(|n| pattern.key(*n));
                Self::Sorted(sorted)
            }
            Some(first) if first > b'9' => Self::Behind(tree),
            _ => Self::Before(tree),
        }
    }

    /// The object at a place; the place is below the count.
    pub(super) fn at(&self, place: u32) -> u32 {
        match self {
            Self::Counting => place,
            Self::Sorted(sorted) => sorted[place as usize],
            Self::Before(tree) => tree.at(place.into(), true) as u32,
            Self::Behind(tree) => tree.at(place.into(), false) as u32,
        }
    }
}

impl Tree {
    fn at(&self, mut place: u64, before: bool) -> u64 {
        // The root whose tree holds the place: the last one with no more numbers in front of it.
        let (mut low, mut high) = (0, self.roots.min(self.count));
        while high - low > 1 {
            let middle = low.midpoint(high);
            if self.in_front(middle) <= place { low = middle } else { high = middle }
        }
        let mut number = low;
        place -= self.in_front(number);
        loop {
            if before {
                if place == 0 {
                    return number;
                }
                place -= 1;
            } else if place == self.size(number) - 1 {
                return number;
            }
            let mut child = number * 10;
            while place >= self.size(child) {
                place -= self.size(child);
                child += 1;
            }
            number = child;
        }
    }

    /// Numbers in the trees of all roots below `root`.
    fn in_front(&self, root: u64) -> u64 {
        let lone = root.min(self.lone).min(self.count);
        if root <= self.lone { lone } else { lone + self.below(self.lone, root) }
    }

    /// A number and those that begin with it.
    fn size(&self, number: u64) -> u64 {
        if number < self.lone { u64::from(number < self.count) } else { self.below(number, number + 1) }
    }

    /// The numbers `from..to`, of one length, and all that begin with one of them.
    fn below(&self, mut from: u64, mut to: u64) -> u64 {
        let mut sum = 0;
        while from < self.count {
            sum += to.min(self.count) - from;
            (from, to) = (from * 10, to * 10);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_sorted_keys() {
        for pattern in ["a/{n}", "a/{n}.json", "a/{n}x", "a/{n}-", "a/{n}5", "{n:02}.b", "{n:02}z", "{n:03}"]
        {
            let pattern: KeyPattern = pattern.parse().unwrap();
            for count in [0, 1, 9, 10, 11, 12, 99, 100, 101, 110, 999, 1_000, 1_001, 2_345, 12_000] {
                let mut sorted: Vec<u32> = (0..count).collect();
                sorted.sort_by_cached_key(|n| pattern.key(*n));
                let order = KeyOrder::of(&pattern, count);
                let computed: Vec<u32> = (0..count).map(|place| order.at(place)).collect();
                assert_eq!(computed, sorted, "{pattern} {count}");
            }
        }
    }

    #[test]
    fn four_milliards_of_keys_are_as_quick() {
        for pattern in ["a/{n}", "a/{n}x", "a/{n:02}.b", "a/{n:010}"] {
            let pattern: KeyPattern = pattern.parse().unwrap();
            let order = KeyOrder::of(&pattern, u32::MAX);
            let places = [0, 1, 2, 77_777, 1 << 20, 1 << 31, u32::MAX - 1];
            let keys: Vec<String> = places.iter().map(|place| pattern.key(order.at(*place))).collect();
            assert!(keys.is_sorted(), "{keys:?}");
            assert!(!matches!(order, KeyOrder::Sorted(_)));
        }
    }
}
