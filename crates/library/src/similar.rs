//! Photos that look like one, to the network.

use crate::feature::{Feature, cosine, dot, norm};
use crate::index::Index;

/// A photo and how like the asked one it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similar {
    /// Its number in the index.
    pub photo: usize,
    /// The cosine of both features, −1 to 1.
    pub cosine: f32,
}

impl Index {
    /// The `count` photos whose features have the largest cosine with `feature`, the most similar first, of those that
    /// `wanted` lets through by number. Every photo is compared: nothing is approximated. Of equals the one of the
    /// smaller path comes first.
    ///
    /// Without photos where `feature` is not of this index's width.
    pub fn similar(&self, feature: &Feature, count: usize, wanted: &dyn Fn(usize) -> bool) -> Vec<Similar> {
        if feature.values.len() != self.width() {
            return Vec::new();
        }
        let own = norm(&feature.values);
        let rows = self.rows().chunks_exact(self.width()).zip(self.norms()).enumerate();
        let compared = rows.filter(|(photo, _)| wanted(*photo)).map(|(photo, (row, &norm))| Similar {
            photo,
            cosine: cosine(dot(row, &feature.values), own, norm),
        });
        let mut all: Vec<Similar> = compared.collect();
        let path = |similar: &Similar| &self.photos()[similar.photo].path;
        let order =
            |a: &Similar, b: &Similar| b.cosine.total_cmp(&a.cosine).then_with(|| path(a).cmp(path(b)));
        if count < all.len() {
            all.select_nth_unstable_by(count, order);
            all.truncate(count);
        }
        all.sort_unstable_by(order);
        all
    }
}
