//! Which class was taken for which.

/// How often examples of each class were answered with each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// `[right class, answered class]`, row-major.
    counts: Vec<u32>,
}

impl Confusion {
    /// A table of zeros.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts an answer.
    pub fn add(&mut self, right: usize, answered: usize) {
        self.counts[right * self.classes + answered] += 1;
    }

    /// Rows and columns.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How often examples of class `right` were answered with each class.
    pub fn row(&self, right: usize) -> &[u32] {
        &self.counts[right * self.classes..][..self.classes]
    }

    /// Examples that were answered.
    pub fn all(&self) -> u32 {
        self.counts.iter().sum()
    }

    /// Examples that were answered rightly.
    pub fn right(&self) -> u32 {
        (0..self.classes).map(|class| self.row(class)[class]).sum()
    }

    /// The share of right answers, 0 to 1; 0 where nothing was answered.
    pub fn accuracy(&self) -> f64 {
        f64::from(self.right()) / f64::from(self.all().max(1))
    }

    /// Mistaken pairs, the most frequent first: right class, answered class, how often.
    pub fn mistakes(&self) -> Vec<(usize, usize, u32)> {
        let pairs = (0..self.classes).flat_map(|right| {
            let row = self.row(right).iter().enumerate();
            row.filter(move |&(answered, &n)| answered != right && n > 0)
                .map(move |(answered, &n)| (right, answered, n))
        });
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_by_key(|&(right, answered, n)| (std::cmp::Reverse(n), right, answered));
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_the_worst_pairs() {
        let mut table = Confusion::new(3);
        for (right, answered) in [(0, 0), (0, 1), (1, 1), (2, 1), (2, 1), (2, 2)] {
            table.add(right, answered);
        }
        assert_eq!((table.all(), table.right(), table.accuracy()), (6, 3, 0.5));
        assert_eq!(table.mistakes(), [(2, 1, 2), (0, 1, 1)]);
        assert_eq!(table.row(2), [0, 2, 1]);
        assert_eq!(Confusion::new(2).accuracy(), 0.0);
    }
}
