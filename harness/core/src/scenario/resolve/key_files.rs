//! Keys that a file lists, each with how often it is read.

use gatecrash_model::Population;

use super::Cx;
use crate::plan::{BucketPlan, KeysPlan, WorkloadPlan};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{File, Keys};

/// Most lines of a file of keys.
const MOST: usize = 1_000_000;

impl Cx<'_> {
    /// Finds the objects of all files of keys.
    pub(super) fn keys_of_files(
        &mut self,
        file: &File,
        buckets: &[BucketPlan],
        workloads: &mut [WorkloadPlan],
    ) {
        for (name, written) in file.load.value.iter() {
            let Some(Spanned { value: Keys::FromFile(path), .. }) = &written.keys else { continue };
            let Some(plan) = workloads.iter_mut().find(|plan| plan.name == name.value) else { continue };
            // Which keys and sizes objects have does not depend on the seed, but for the sizes that laws draw.
            let bucket = buckets.iter().find(|bucket| bucket.name == plan.bucket);
            let Some(population) = bucket.and_then(|bucket| bucket.population(0).ok()) else { continue };
            let Some(text) = self.text_of(path) else { continue };
            match weights(&text, &population) {
                Ok(weights) => plan.keys = KeysPlan::FromFile { file: path.value.clone(), weights },
                Err(why) => self.error(format!("cannot use the keys of `{}`", path.value), path.place, why),
            }
        }
    }
}

/// Objects with their weights: of each line the key and, behind the last blank, a number. A line without one is a key
/// that is read once.
fn weights(text: &str, population: &Population) -> Result<Vec<(u32, f64)>, String> {
    let mut weights = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let split =
            line.rsplit_once([' ', '\t']).map(|(key, weight)| (key.trim_end(), weight.parse::<f64>()));
        let (key, weight) = match split {
            Some((key, Ok(weight))) if weight.is_finite() && weight >= 0.0 => (key, weight),
            Some((_, Ok(weight))) => {
                return Err(format!("line {number}: expected a weight of at least 0, found {weight}"));
            }
            _ => (line, 1.0),
        };
        let object = population.index(key).ok_or_else(|| {
            let some = population.key(0);
            let example = if some.is_empty() { String::new() } else { format!(", which has `{some}`") };
            format!("line {number}: `{key}` is no object of the bucket `{}`{example}", population.bucket)
        })?;
        weights.push((object, weight));
        if weights.len() > MOST {
            return Err(format!("more than {MOST} keys"));
        }
    }
    if weights.iter().all(|(_, weight)| *weight == 0.0) {
        return Err("expected at least one key with a weight above 0".into());
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u32, f64)>, String> {
        let bucket = &crate::golden::Story::new().plan.buckets[0]; // o/0 to o/99
        weights(text, &bucket.population(7).expect("a pattern"))
    }

    #[test]
    fn a_line_is_a_key_with_a_weight() {
        let text = "# hot ones\no/7 90\n\no/0\t0.5 # rare\no/99\n";
        assert_eq!(read(text), Ok(vec![(7, 90.0), (0, 0.5), (99, 1.0)]));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, said) in [
            ("o/1\no/100 3\n", "line 2: `o/100` is no object of the bucket `media`, which has `o/0`"),
            ("o/1 -2", "line 1: expected a weight of at least 0, found -2"),
            ("o/1 0", "above 0"),
            ("", "above 0"),
        ] {
            assert!(read(text).is_err_and(|why| why.contains(said)), "{text}: {:?}", read(text));
        }
    }
}
