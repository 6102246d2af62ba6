//! Photos of which one is enough: copies, near copies, bursts. Nothing is deleted: of each group the best is proposed.

use crate::best::better_first;
use crate::feature::{cosine, dot};
use crate::index::Index;
use crate::near_pairs::NearPairs;
use std::collections::{HashMap, HashSet};

/// Features of a photo and its copies, recompressed, resized or cropped a little, have at least about this cosine, those
/// of other photos less; `docs/library.md` has the measurement.
pub const NEAR_COSINE: f32 = 0.95;
/// Photos of a burst show the same, but moved.
pub const BURST_COSINE: f32 = 0.8;
/// Photos of a burst are at most so far apart.
pub const BURST_SECONDS: u64 = 3;
/// Photos of the same seconds that one is compared with: more than cameras take.
const MOST_IN_BURST_SECONDS: usize = 200;

/// Why photos are in one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
    /// The files are the same, byte for byte.
    Exact,
    /// The features are nearly those of the group's best photo: a copy in another size or quality, most likely.
    Near,
    /// Taken within [`BURST_SECONDS`] of one another, by EXIF, and similar.
    Burst,
}

/// Photos of which one is enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Why.
    pub kind: GroupKind,
    /// Numbers in the index, at least two. The first is the one to keep: of the most pixels, then the largest file, then
    /// the earliest; the others follow in that order.
    pub photos: Vec<usize>,
    /// The least cosine of the others with the first.
    pub least_cosine: f32,
}

/// All groups: of exact copies first, then near ones, then bursts, each kind in the order of paths. Of exact copies the
/// best alone can be in further groups. `run` gets the blocks of all comparisons to find pairs in ([`NearPairs`]): one
/// after another, or shared among threads.
pub fn duplicates(
    index: &Index,
    near: f32,
    run: impl FnOnce(&NearPairs) -> Vec<(usize, usize, f32)>,
) -> Vec<Group> {
    let mut order: Vec<usize> = (0..index.photos().len()).collect();
    order.sort_by(|&a, &b| better_first(&index.photos()[a], &index.photos()[b]));
    let (exact, distinct) = exact(index, &order);
    let pairs = run(&NearPairs::new(index, &distinct, near));
    let near_groups = stars(index, &distinct, pairs.iter().copied().filter(|pair| !is_of_burst(index, pair)));
    let bursts = bursts(index, &distinct, near);
    let mut groups = [exact, near_groups, bursts].concat();
    let path = |group: &Group| &index.photos()[group.photos[0]].path;
    groups.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| path(a).cmp(path(b))));
    groups
}

fn group(index: &Index, kind: GroupKind, photos: Vec<usize>) -> Group {
    let least_cosine = photos[1..].iter().map(|&other| between(index, photos[0], other)).fold(1.0, f32::min);
    Group { kind, photos, least_cosine }
}

fn between(index: &Index, a: usize, b: usize) -> f32 {
    let norms = index.norms();
    cosine(dot(index.row(a), index.row(b)), norms[a], norms[b])
}

/// Groups of equal files, and the best photo of each content. `order` and what is given back are best first.
fn exact(index: &Index, order: &[usize]) -> (Vec<Group>, Vec<usize>) {
    let mut by_content: HashMap<(u64, [u8; 32]), Vec<usize>> = HashMap::new();
    let mut distinct = Vec::new();
    for &photo in order {
        let of = &index.photos()[photo];
        let same = by_content.entry((of.size, of.sha256)).or_default();
        if same.is_empty() {
            distinct.push(photo);
        }
        same.push(photo);
    }
    let groups = by_content.into_values().filter(|same| same.len() > 1);
    (groups.map(|same| group(index, GroupKind::Exact, same)).collect(), distinct)
}

/// Seconds between two photos, where EXIF has both times.
fn apart(index: &Index, a: usize, b: usize) -> Option<u64> {
    let taken = |photo: usize| index.photos()[photo].taken.map(|time| time.0);
    Some(taken(a)?.abs_diff(taken(b)?))
}

/// A copy has the time of its original; what was taken a second later is another photo.
fn is_of_burst(index: &Index, &(a, b, _): &(usize, usize, f32)) -> bool {
    apart(index, a, b).is_some_and(|seconds| (1..=BURST_SECONDS).contains(&seconds))
}

/// Each photo, best first, takes those near to it that no better one has taken. So all of a group are near to the one that
/// is kept, where chains of pairs would lead to photos that are not.
fn stars(
    index: &Index,
    best_first: &[usize],
    pairs: impl Iterator<Item = (usize, usize, f32)>,
) -> Vec<Group> {
    let mut near: HashMap<usize, Vec<usize>> = HashMap::new();
    for (a, b, _) in pairs {
        near.entry(a).or_default().push(b);
        near.entry(b).or_default().push(a);
    }
    let mut taken = HashSet::new();
    let mut groups = Vec::new();
    for &best in best_first {
        let Some(others) = near.get(&best).filter(|_| !taken.contains(&best)) else { continue };
        let mut members: Vec<usize> = others.iter().copied().filter(|other| !taken.contains(other)).collect();
        if members.is_empty() {
            continue;
        }
        members.sort_by(|&a, &b| better_first(&index.photos()[a], &index.photos()[b]));
        taken.insert(best);
        taken.extend(&members);
        groups.push(group(index, GroupKind::Near, [vec![best], members].concat()));
    }
    groups
}

/// Photos that are linked by pairs of the same seconds that are similar.
fn bursts(index: &Index, best_first: &[usize], near: f32) -> Vec<Group> {
    let taken = |photo: usize| index.photos()[photo].taken;
    // Sorting is stable: of the same second, the better one first.
    let mut by_time: Vec<usize> =
        best_first.iter().copied().filter(|&photo| taken(photo).is_some()).collect();
    by_time.sort_by_key(|&photo| taken(photo));
    let mut links: Vec<usize> = (0..by_time.len()).collect();
    for later in 0..by_time.len() {
        for earlier in (later.saturating_sub(MOST_IN_BURST_SECONDS)..later).rev() {
            let (a, b) = (by_time[earlier], by_time[later]);
            let Some(seconds) = apart(index, a, b).filter(|&seconds| seconds <= BURST_SECONDS) else { break };
            let cosine = between(index, a, b);
            let is_copy = seconds == 0 && cosine >= near;
            if cosine >= BURST_COSINE && !is_copy {
                let (one, other) = (root(&mut links, earlier), root(&mut links, later));
                links[one.max(other)] = one.min(other);
            }
        }
    }
    let mut linked: HashMap<usize, Vec<usize>> = HashMap::new();
    for at in 0..by_time.len() {
        linked.entry(root(&mut links, at)).or_default().push(by_time[at]);
    }
    let groups = linked.into_values().filter(|photos| photos.len() > 1).map(|mut photos| {
        photos.sort_by(|&a, &b| better_first(&index.photos()[a], &index.photos()[b]));
        group(index, GroupKind::Burst, photos)
    });
    groups.collect()
}

/// The first photo that this one is linked with.
fn root(links: &mut [usize], mut at: usize) -> usize {
    while links[at] != at {
        links[at] = links[links[at]];
        at = links[at];
    }
    at
}
