//! Which stored entries are still needed, and which may be evicted.

use std::collections::BTreeSet;

/// What is in storage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inventory {
    /// Those whose manifests are stored.
    pub models: Vec<StoredModel>,
    /// The SHA-256 of every shard there.
    pub shards: Vec<String>,
}

/// A model that a stored manifest describes.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredModel {
    /// The manifest's address.
    pub url: String,
    /// Its shards' SHA-256.
    pub shards: Vec<String>,
    /// When it was last loaded, in milliseconds since 1970; 0 if unknown.
    pub used: u64,
    /// Its shards are on their way, or were when a visit ended.
    pub is_coming: bool,
}

/// A download that was not continued for so long is abandoned: 30 days.
pub const ABANDONED_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Models that were loaded within so long before the last one may still be in use, in other tabs too: a day.
const IN_USE_MS: u64 = 24 * 60 * 60 * 1_000;

impl Inventory {
    /// The shards that no model has.
    pub fn unnamed_shards(&self) -> Vec<String> {
        let named: BTreeSet<&str> = self.models.iter().flat_map(StoredModel::shard_names).collect();
        self.shards.iter().filter(|shard| !named.contains(shard.as_str())).cloned().collect()
    }

    /// Takes out the downloads that were begun long ago.
    pub fn take_abandoned(&mut self, today: u64) -> Vec<StoredModel> {
        let is_old = |model: &mut StoredModel| today.saturating_sub(model.used) > ABANDONED_MS;
        self.models.extract_if(.., |model| model.is_coming && is_old(model)).collect()
    }

    /// Takes the model out whose manifest is at this address, whole or on its way.
    pub fn take(&mut self, url: &str) {
        self.models.retain(|model| model.url != url);
    }

    /// The model to do without when room is short for the one that comes from this address: the least recently used, and
    /// at the very last the one that it will take the place of.
    pub fn makes_room(&self, coming: &str) -> Option<&StoredModel> {
        let can_go = self.models.iter().filter(|model| !(model.is_coming && model.url == coming));
        can_go.min_by_key(|model| (model.url == coming, model.used, &model.url))
    }

    /// [`Inventory::makes_room`] for a model that is imported while others stay in use: none that was loaded last, or
    /// less than a day before that one.
    pub fn makes_room_for_import(&self, coming: &str) -> Option<&StoredModel> {
        let last = self.models.iter().map(|model| model.used).max()?;
        let unused = |model: &&StoredModel| last.saturating_sub(model.used) >= IN_USE_MS;
        self.models.iter().filter(unused).min_by_key(|model| (model.url == coming, model.used, &model.url))
    }
}

impl StoredModel {
    fn shard_names(&self) -> impl Iterator<Item = &str> {
        self.shards.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(url: &str, shards: &[&str], used: u64) -> StoredModel {
        let shards = shards.iter().map(|&shard| shard.to_owned()).collect();
        StoredModel { url: url.into(), shards, used, is_coming: false }
    }

    fn inventory(models: Vec<StoredModel>) -> Inventory {
        let shards = ["a", "b", "c", "d"].map(str::to_owned).into();
        Inventory { models, shards }
    }

    #[test]
    fn only_what_no_model_has_is_of_no_use() {
        assert_eq!(inventory(vec![]).unnamed_shards().len(), 4);
        let coming = StoredModel { is_coming: true, ..model("new", &["c"], 0) };
        let unnamed = inventory(vec![model("old", &["a", "b", "gone"], 5), coming]).unnamed_shards();
        assert_eq!(unnamed, ["d"]);
    }

    #[test]
    fn the_oldest_makes_room_and_what_is_replaced_goes_last() {
        let models = vec![model("x", &["a"], 3), model("y", &["b"], 1), model("z", &["c"], 2)];
        let all = inventory(models);
        let goes = |coming| all.makes_room(coming).map(|model| model.url.as_str());
        assert_eq!(goes("x"), Some("y"));
        assert_eq!(goes("y"), Some("z"));
        let coming = StoredModel { is_coming: true, ..model("x", &["b"], 4) };
        let update = inventory(vec![coming.clone(), model("x", &["a"], 3)]);
        assert_eq!(update.makes_room("x"), Some(&model("x", &["a"], 3)));
        assert_eq!(inventory(vec![coming]).makes_room("x"), None);
    }

    #[test]
    fn an_import_spares_what_was_used_last() {
        let now = 100 * IN_USE_MS;
        let goes = |models| inventory(models).makes_room_for_import("new").map(|model| model.url.clone());
        let last = || model("last", &["a"], now);
        assert_eq!(goes(vec![]), None);
        assert_eq!(goes(vec![last()]), None);
        assert_eq!(goes(vec![last(), model("other tab", &["b"], now - IN_USE_MS + 1)]), None);
        let unused = [model("old", &["b"], 5), model("older", &["c"], 4)];
        assert_eq!(goes([vec![last()], unused.to_vec()].concat()), Some("older".into()));
        assert_eq!(goes(vec![last(), model("old", &["b"], now - IN_USE_MS)]), Some("old".into()));
    }

    #[test]
    fn a_download_waits_a_month_to_be_gone_on_with() {
        let coming = |used| StoredModel { is_coming: true, ..model("new", &["c"], used) };
        let today = 100 * ABANDONED_MS;
        let abandoned = |model| inventory(vec![model]).take_abandoned(today).len();
        assert_eq!(abandoned(coming(today - ABANDONED_MS)), 0);
        assert_eq!(abandoned(coming(today - ABANDONED_MS - 1)), 1);
        assert_eq!(abandoned(model("kept", &[], 0)), 0);
        // A clock that was put back.
        assert_eq!(abandoned(coming(today + 5)), 0);
    }
}
