//! Whose bytes these are: from a place in the pool back to an object.

use std::sync::OnceLock;

use gatecrash_model::content::PLACES;
use gatecrash_model::{Pool, Population};

/// Objects that are looked through at most; a larger population is only told as "another object".
const MOST: u32 = 200_000;

/// The synthetic objects of a run, by their place in the pool. Built at the first use.
#[derive(Debug, Default)]
pub(super) struct Owners {
    populations: Vec<Population>,
    places: OnceLock<Vec<Owner>>,
}

#[derive(Clone, Copy, Debug)]
struct Owner {
    place: u32,
    population: u32,
    object: u32,
}

impl Owners {
    pub(super) fn new(populations: Vec<Population>) -> Self {
        Self { populations, places: OnceLock::new() }
    }

    /// The owner of the byte at `place`, found at `offset` of another object, in words.
    pub(super) fn tell(&self, pool: &Pool, place: usize, offset: u64) -> String {
        let owners = self.places.get_or_init(|| self.all(pool));
        let start = (place + PLACES - (offset % PLACES as u64) as usize) % PLACES;
        let same_offset = owners.iter().find(|owner| owner.place as usize == start);
        let (owner, at) = match same_offset {
            Some(owner) => (owner, offset),
            None => {
                let within = |owner: &Owner| ((place + PLACES - owner.place as usize) % PLACES) as u64;
                let holds = |owner: &&Owner| within(owner) < self.of(owner).size(owner.object);
                match owners.iter().find(holds) {
                    Some(owner) => (owner, within(owner)),
                    None => return "bytes of an upload, or of an object outside this load".to_owned(),
                }
            }
        };
        let population = self.of(owner);
        format!("bytes of {}/{} from its offset {at}", population.bucket, population.key(owner.object))
    }

    fn of(&self, owner: &Owner) -> &Population {
        &self.populations[owner.population as usize]
    }

    fn all(&self, pool: &Pool) -> Vec<Owner> {
        let numbered = self.populations.iter().zip(0..);
        let objects =
            numbered.flat_map(|(p, population)| (0..p.count).map(move |object| (p, population, object)));
        objects
            .take(MOST as usize)
            .map(|(p, population, object)| {
                let place = pool.content(&p.bucket, &p.key(object), 0).place(0) as u32;
                Owner { place, population, object }
            })
            .collect()
    }
}
