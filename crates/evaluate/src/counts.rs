//! Right answers and confusions, counted over the photos.

use std::collections::HashMap;

/// Hits among some photos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Photos.
    pub images: u64,
    /// Photos whose likeliest class is right.
    pub top_1: u64,
    /// Photos whose right class is among the five likeliest.
    pub top_5: u64,
}

impl Hits {
    fn add(&mut self, other: Self) {
        self.images += other.images;
        self.top_1 += other.top_1;
        self.top_5 += other.top_5;
    }
}

/// Counts of all photos that were answered: the same whatever order they were counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Of all classes together.
    pub all: Hits,
    /// By right class.
    pub classes: Vec<Hits>,
    /// By right class and the class that was first instead. Only pairs that occurred: with 21,841 classes there
    /// could be half a billion.
    pub confusions: HashMap<(u32, u32), u64>,
}

impl Counts {
    /// For a head of so many classes.
    pub fn new(classes: usize) -> Self {
        Self { all: Hits::default(), classes: vec![Hits::default(); classes], confusions: HashMap::new() }
    }

    /// Counts a photo of `class` whose likeliest classes are `top`, up to five, best first.
    pub fn count(&mut self, class: u32, top: &[u32]) {
        let first = top.first() == Some(&class);
        let hits = Hits { images: 1, top_1: first.into(), top_5: top.contains(&class).into() };
        self.all.add(hits);
        self.classes[class as usize].add(hits);
        if let (false, Some(&instead)) = (first, top.first()) {
            *self.confusions.entry((class, instead)).or_default() += 1;
        }
    }

    /// Adds the counts of other photos.
    pub fn add(&mut self, other: Self) {
        self.all.add(other.all);
        self.classes.iter_mut().zip(other.classes).for_each(|(hits, more)| hits.add(more));
        for (pair, photos) in other.confusions {
            *self.confusions.entry(pair).or_default() += photos;
        }
    }

    /// Pairs of right class and class that was first instead, with their photos, most frequent first.
    pub fn most_confused(&self) -> Vec<(u32, u32, u64)> {
        let mut pairs: Vec<_> =
            self.confusions.iter().map(|(&(right, instead), &photos)| (right, instead, photos)).collect();
        pairs.sort_unstable_by_key(|&(right, instead, photos)| (std::cmp::Reverse(photos), right, instead));
        pairs
    }

    /// The mean of the classes' top-1, in percent, over the classes that have photos: what counts when some have
    /// many more than others.
    pub fn mean_of_classes(&self) -> Option<f64> {
        let shares: Vec<f64> = self
            .classes
            .iter()
            .filter(|hits| hits.images > 0)
            .map(|hits| 100.0 * hits.top_1 as f64 / hits.images as f64)
            .collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let photos: [(u32, &[u32]); 6] =
            [(0, &[0, 1, 2]), (0, &[1, 0]), (1, &[2, 0]), (1, &[2, 1]), (2, &[2]), (2, &[0])];
        let of = |photos: &[(u32, &[u32])]| {
            let mut counts = Counts::new(4);
            photos.iter().for_each(|(class, top)| counts.count(*class, top));
            counts
        };
        let whole = of(&photos);
        assert_eq!(whole.all, Hits { images: 6, top_1: 2, top_5: 4 });
        assert_eq!(whole.classes[1], Hits { images: 2, top_1: 0, top_5: 1 });
        assert_eq!(whole.most_confused(), [(1, 2, 2), (0, 1, 1), (2, 0, 1)]);
        assert!((whole.mean_of_classes().unwrap() - 100.0 / 3.0).abs() < 1e-9);
        let mut parts = of(&photos[..2]);
        parts.add(of(&photos[2..]));
        assert_eq!(parts, whole);
    }
}
