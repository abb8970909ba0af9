//! Laws of sizes.

use super::Cx;
use crate::plan::SizePlan;
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Either, Lognormal, Named, SizeLaw, Sizes};
use crate::units::{Share, Size, UnitError};

/// Most lines of a file of sizes: every draw walks through them.
const MAX_LINES: usize = 1000;

impl Cx<'_> {
    /// A law of sizes.
    pub(super) fn sizes(&mut self, given: Option<&Spanned<Sizes>>, default: Size, path: String) -> SizePlan {
        let Some(given) = given else {
            return SizePlan::Fixed(self.or(path, None, default));
        };
        self.took(path, given.place);
        match &given.value {
            Either::Short(size) => SizePlan::Fixed(*size),
            Either::Long(SizeLaw::Weighted(weights)) => {
                let law = SizePlan::Weighted(self.weighted(weights));
                self.whole("sizes", weights.iter().map(|(_, share)| share.value), given.place);
                law
            }
            Either::Long(SizeLaw::Lognormal(law)) => self.lognormal(law),
            Either::Long(SizeLaw::FromFile(path)) => {
                SizePlan::Weighted(self.text_of(path).map_or_else(Vec::new, |text| self.listed(path, &text)))
            }
        }
    }

    fn weighted(&mut self, weights: &Named<Spanned<Share>>) -> Vec<(Size, Share)> {
        let mut law = Vec::new();
        for (size, share) in weights.iter() {
            match size.value.parse::<Size>() {
                Ok(bytes) => law.push((bytes, share.value)),
                Err(UnitError(expected)) => {
                    let message = format!("invalid value `{}` for `weighted`", size.value);
                    self.error(message, size.place, format!("expected {expected}"));
                }
            }
        }
        law
    }

    fn lognormal(&mut self, law: &Lognormal) -> SizePlan {
        let (median, p99) = (law.median.value, law.p99.value);
        let max = law.max.map_or(Size(p99.0.saturating_mul(4)), |max| max.value);
        if median.0 == 0 {
            self.error("the median is zero", law.median.place, "expected at least one byte");
        }
        if p99 < median {
            self.error("`p99` is below the median", law.p99.place, format!("expected at least {median}"));
        }
        if let Some(low) = law.max.filter(|max| max.value < p99) {
            self.error("`max` is below `p99`", low.place, format!("expected at least {p99}"));
        }
        SizePlan::Lognormal { median, p99, max }
    }

    /// The sizes in a file, each with its share.
    fn listed(&mut self, path: &Spanned<String>, text: &str) -> Vec<(Size, Share)> {
        let mut law: Vec<(Size, f64)> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            match counted(line) {
                Ok(entry) => law.push(entry),
                Err(why) => {
                    let message = format!("line {} of `{}` is no size", number + 1, path.value);
                    self.error(message, path.place, why);
                    return Vec::new();
                }
            }
        }
        let total: f64 = law.iter().map(|(_, count)| count).sum();
        if total <= 0.0 || law.len() > MAX_LINES {
            let message = format!("{} sizes in `{}`", law.len(), path.value);
            self.error(message, path.place, format!("expected 1 to {MAX_LINES}, and one that occurs"));
        }
        law.into_iter().map(|(size, count)| (size, Share(count / total))).collect()
    }

    /// The text of a file that a value names, by its path from the scenario; a problem when it cannot be read.
    pub(super) fn text_of(&mut self, path: &Spanned<String>) -> Option<String> {
        let from = self.sources[usize::from(path.place.source)].name.clone();
        match self.loader.read(&from, &path.value) {
            Ok(source) => Some(source.text),
            Err(reason) => {
                self.error(format!("cannot read `{}`", path.value), path.place, reason);
                None
            }
        }
    }
}

/// A size (`16KiB`, or bytes as a bare number) and how often it occurs, once when that is not said.
fn counted(line: &str) -> Result<(Size, f64), String> {
    let mut words = line.split_whitespace();
    let size = words.next().unwrap_or_default();
    let bytes = match size.parse::<u64>() {
        Ok(bytes) => Size(bytes),
        Err(_) => size.parse().map_err(|UnitError(expected)| format!("expected {expected}, or bytes"))?,
    };
    let count = match words.next() {
        None => 1.0,
        Some(count) => count.parse().ok().filter(|c: &f64| c.is_finite() && *c >= 0.0).ok_or_else(|| {
            format!("expected a size and how often it occurs, such as `16KiB 90`, found `{line}`")
        })?,
    };
    match words.next() {
        None => Ok((bytes, count)),
        Some(more) => Err(format!("expected a size and how often it occurs, found `{more}` too")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_sizes() {
        assert_eq!(counted("16KiB 90"), Ok((Size(16 << 10), 90.0)));
        assert_eq!(counted("1000"), Ok((Size(1000), 1.0)));
        for bad in ["16 KiB", "KiB", "5 -1", "5 nan", "5 1 2"] {
            assert!(counted(bad).is_err(), "{bad}");
        }
    }
}
