//! What a draw is made from: the entries of a game with their weights, as a table that never
//! changes and is known by its hash.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use xmas_kernel::{ConfigId, Feature};
use xmas_rewards::{Reward, RewardType};

use crate::{draw, percent::Percent};

/// The largest weight of an entry: far above need, and a table of them is far from
/// [`draw::RANGE`].
pub const MAX_WEIGHT: i64 = 1_000_000_000;
/// How many entries a table may have.
pub const MAX_ENTRIES: usize = 100;

/// One way a draw can end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub id: i64,
    pub label: String,
    /// How likely it is, relative to the others; 0 never comes up.
    pub weight: u64,
    pub reward_type: RewardType,
    pub reward_amount: i64,
    /// Which bundle or kind of coupon.
    pub reward_item: Option<i64>,
}

/// The entries do not make a table that can be drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("weights are 0 to 1,000,000,000 and not all 0, and every reward can be given")]
pub struct InvalidOdds;

impl Entry {
    pub fn new(id: i64, label: &str, weight: i64, reward: Reward) -> Result<Self, InvalidOdds> {
        Ok(Self {
            id,
            label: label.to_owned(),
            weight: u64::try_from(weight).map_err(|_| InvalidOdds)?,
            reward_type: reward.kind(),
            reward_amount: reward.amount(),
            reward_item: reward.item(),
        })
    }

    pub fn reward(&self) -> Result<Reward, InvalidOdds> {
        Reward::from_parts(self.reward_type, self.reward_amount, self.reward_item)
            .map_err(|_| InvalidOdds)
    }
}

/// How the content of a table is written: fields in this order, without spaces.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    v: u32,
    feature: Feature,
    config_id: ConfigId,
    entries: Vec<Entry>,
}

const VERSION: u32 = 1;

/// A table of odds: at least one entry can come up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odds {
    feature: Feature,
    config_id: ConfigId,
    entries: Vec<Entry>,
    total: u64,
    content: String,
    hash: String,
}

impl Odds {
    /// Entries in the order in which they are drawn.
    pub fn new(
        feature: Feature,
        config_id: ConfigId,
        entries: Vec<Entry>,
    ) -> Result<Self, InvalidOdds> {
        let mut ids: Vec<i64> = entries.iter().map(|entry| entry.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let is_fair =
            |entry: &Entry| entry.weight <= MAX_WEIGHT.unsigned_abs() && entry.reward().is_ok();
        let is_whole = ids.len() == entries.len()
            && (1..=MAX_ENTRIES).contains(&entries.len())
            && entries.iter().all(is_fair);
        let total: u64 = entries.iter().map(|entry| entry.weight).sum();
        if !is_whole || total == 0 {
            return Err(InvalidOdds);
        }
        let content = Content {
            v: VERSION,
            feature,
            config_id,
            entries,
        };
        let text = serde_json::to_string(&content).map_err(|_| InvalidOdds)?;
        Ok(Self {
            feature,
            config_id,
            entries: content.entries,
            total,
            hash: hex::encode(Sha256::digest(&text)),
            content: text,
        })
    }

    /// Reads a table back from its content.
    pub fn from_content(text: &str) -> Result<Self, InvalidOdds> {
        let content: Content = serde_json::from_str(text).map_err(|_| InvalidOdds)?;
        let odds = Self::new(content.feature, content.config_id, content.entries)?;
        // Only the one spelling has the hash that is published.
        if content.v == VERSION && odds.content == text {
            Ok(odds)
        } else {
            Err(InvalidOdds)
        }
    }

    /// How the content of every table of a configuration begins.
    pub(crate) fn beginning(feature: Feature, config_id: ConfigId) -> String {
        format!("{{\"v\":{VERSION},\"feature\":\"{feature}\",\"config_id\":{config_id},")
    }

    /// The same table without one entry: what is drawn from once it has run out.
    pub fn without(&self, entry: i64) -> Result<Self, InvalidOdds> {
        self.keeping(|other| other.id != entry)
    }

    /// The same table with some of its entries only.
    pub fn keeping(&self, stays: impl Fn(&Entry) -> bool) -> Result<Self, InvalidOdds> {
        let rest = self.entries.iter().filter(|entry| stays(entry));
        Self::new(self.feature, self.config_id, rest.cloned().collect())
    }

    /// How probable an entry is; 0 for one that is not in the table.
    pub fn percent(&self, id: i64) -> Percent {
        let weight = self.entry(id).map_or(0, |entry| entry.weight);
        Percent::of(weight, self.total)
    }

    /// What can be won, entry by entry.
    pub fn rewards(&self) -> Result<Vec<Reward>, InvalidOdds> {
        self.entries.iter().map(Entry::reward).collect()
    }

    pub fn feature(&self) -> Feature {
        self.feature
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn entry(&self, id: i64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// The sum of the weights.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The table as published, byte for byte what [`Odds::hash`] is of.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// SHA-256 of the content in hexadecimal digits.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The entry on which a number below [`Odds::total`] falls.
    pub fn entry_at(&self, number: u64) -> &Entry {
        let weights = self.entries.iter().map(|entry| entry.weight);
        &self.entries[draw::pick(weights, number)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries(weights: &[i64]) -> Vec<Entry> {
        let entry = |(id, weight): (i64, &i64)| {
            let label = format!("칸 {id}");
            Entry::new(id, &label, *weight, Reward::NONE).unwrap()
        };
        (1..).zip(weights).map(entry).collect()
    }

    fn odds(weights: &[i64]) -> Result<Odds, InvalidOdds> {
        Odds::new(Feature::Lottery, ConfigId(1), entries(weights))
    }

    #[test]
    fn a_table_has_entries_of_which_one_can_come_up() {
        assert!(odds(&[0, 1]).is_ok());
        assert_eq!(odds(&[]), Err(InvalidOdds));
        assert_eq!(odds(&[0, 0]), Err(InvalidOdds));
        assert_eq!(odds(&[MAX_WEIGHT + 1]), Err(InvalidOdds));
        assert_eq!(odds(&[1; MAX_ENTRIES + 1]), Err(InvalidOdds));
        assert_eq!(
            Entry::new(1, "", -1, Reward::NONE).map(|_| ()),
            Err(InvalidOdds)
        );
        assert!(odds(&[MAX_WEIGHT; MAX_ENTRIES]).unwrap().total() < draw::RANGE);
        let twice = [entries(&[1]), entries(&[1])].concat();
        let twice = Odds::new(Feature::Lottery, ConfigId(1), twice);
        assert_eq!(twice, Err(InvalidOdds));
    }

    #[test]
    fn a_table_is_read_back_from_its_content_and_from_nothing_else() {
        let table = odds(&[3, 0, 5]).unwrap();
        assert_eq!(Odds::from_content(table.content()), Ok(table.clone()));
        let spaced = table.content().replace("\"v\":1", "\"v\": 1");
        assert_eq!(Odds::from_content(&spaced), Err(InvalidOdds));
        let newer = table.content().replace("\"v\":1", "\"v\":2");
        assert_eq!(Odds::from_content(&newer), Err(InvalidOdds));
        let odd = table.content().replace("NONE", "GOLD");
        assert_eq!(Odds::from_content(&odd), Err(InvalidOdds));
    }

    #[test]
    fn the_tables_of_a_configuration_begin_alike() {
        let table = odds(&[3, 1]).unwrap();
        let beginning = Odds::beginning(Feature::Lottery, ConfigId(1));
        assert!(
            table.content().starts_with(&beginning),
            "{}",
            table.content()
        );
        let other = Odds::new(Feature::Lottery, ConfigId(12), entries(&[3, 1])).unwrap();
        assert!(!other.content().starts_with(&beginning));
    }

    #[test]
    fn what_has_run_out_is_left_out() {
        let table = odds(&[3, 1, 5]).unwrap();
        let rest = table.without(2).unwrap();
        let ids: Vec<i64> = rest.entries().iter().map(|entry| entry.id).collect();
        assert_eq!((ids, rest.total()), (vec![1, 3], 8));
        assert_ne!(rest.hash(), table.hash());
        assert_eq!(odds(&[3]).unwrap().without(1), Err(InvalidOdds));
        assert_eq!(odds(&[3, 0]).unwrap().without(1), Err(InvalidOdds));
    }

    #[test]
    fn a_table_says_what_it_is_of_and_finds_its_entries() {
        let table = odds(&[3, 0, 5]).unwrap();
        assert_eq!(table.feature(), Feature::Lottery);
        assert_eq!(table.entry(3).map(|entry| entry.weight), Some(5));
        assert_eq!(table.entry(4), None);
        assert_eq!(table.total(), 8);
        let at = |number| table.entry_at(number).id;
        assert_eq!((at(0), at(2), at(3), at(7)), (1, 1, 3, 3));
    }

    #[test]
    fn the_hash_is_that_of_the_content_in_this_spelling() {
        let entry = Entry::new(7, "꽝", 2, Reward::NONE).unwrap();
        let table = Odds::new(Feature::Roulette, ConfigId(5), vec![entry]).unwrap();
        let content = r#"{"v":1,"feature":"ROULETTE","config_id":5,"entries":[{"id":7,"label":"꽝","weight":2,"reward_type":"NONE","reward_amount":0,"reward_item":null}]}"#;
        assert_eq!(table.content(), content);
        assert_eq!(table.hash(), hex::encode(Sha256::digest(content)));
    }

    #[test]
    fn the_largest_weights_are_taken_and_every_reward_can_be_given() {
        assert!(odds(&[MAX_WEIGHT]).is_ok());
        let mut broken = entries(&[1]);
        broken[0].reward_amount = -1;
        assert!(broken[0].reward().is_err());
        let broken = Odds::new(Feature::Lottery, ConfigId(1), broken);
        assert_eq!(broken, Err(InvalidOdds));
        let point = Reward::new(RewardType::Point, 5).unwrap();
        let entry = Entry::new(1, "", 1, point).unwrap();
        assert_eq!(entry.reward(), Ok(point));
    }

    proptest! {
        #[test]
        fn a_weight_of_0_never_comes_up(weights in prop::collection::vec(0i64..4, 1..9), number in any::<u64>()) {
            if let Ok(table) = odds(&weights) {
                prop_assert!(table.entry_at(number % table.total()).weight > 0);
            }
        }
    }
}
