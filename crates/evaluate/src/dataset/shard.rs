//! A part of a dataset, for one of several jobs.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Every N-th photo, from the K-th on: written `K/N`, 1 ≤ K ≤ N. The N shards share no photo and leave none out,
/// and their sizes differ by one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// K, from 1 on.
    pub number: u64,
    /// N.
    pub of: u64,
}

impl Shard {
    /// The one shard that is all of it.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// Where in this shard the dataset's photo `photo`, counted from 0, stands; none if it belongs to another shard.
    pub fn position(self, photo: u64) -> Option<u64> {
        (photo % self.of == self.number - 1).then_some(photo / self.of)
    }

    /// Photos of this shard, of a dataset of `photos`.
    pub fn size(self, photos: u64) -> u64 {
        (photos + self.of - self.number) / self.of
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            // 2³² jobs are more than any scheduler has; the bound keeps sums from overflowing.
            Some((number, of)) if 1 <= number && number <= of && of <= 1 << 32 => Ok(Self { number, of }),
            _ => Err("expected K/N with 1 ≤ K ≤ N, such as 3/8".into()),
        }
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_and_complete() {
        for photos in [0, 1, 5, 12, 13] {
            for of in [1, 2, 3, 7, 20] {
                let shards: Vec<Shard> = (1..=of).map(|number| Shard { number, of }).collect();
                for photo in 0..photos {
                    let holders = shards.iter().filter_map(|s| s.position(photo).map(|at| (s, at)));
                    let [(shard, at)] = holders.collect::<Vec<_>>()[..] else {
                        panic!("{photo} of {photos}")
                    };
                    assert!(at < shard.size(photos));
                }
                assert_eq!(shards.iter().map(|shard| shard.size(photos)).sum::<u64>(), photos);
            }
        }
    }

    #[test]
    fn only_k_of_n_is_taken() {
        assert_eq!("3/8".parse(), Ok(Shard { number: 3, of: 8 }));
        for bad in ["", "3", "0/8", "9/8", "1/0", "-1/2", "1/2/3", "a/b", "1/99999999999"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
    }
}
