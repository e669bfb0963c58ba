//! The receipt of a draw, and its check from what is published alone: no database, no network.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use xmas_kernel::{Feature, OddsId, PlayId, UserId};
use xmas_texts::{Text, quoted, receipt as texts, shown_as_text};
use xmas_time::EventDay;

use crate::{
    catalog,
    draw::{DrawId, Seed},
    game::GameEntry,
    odds::{Entry, Odds},
};

/// A receipt as it is given out: what it states, and a digest that notices a slip of the pen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawReceipt {
    /// [`DrawReceipt::FORMAT`].
    pub format: String,
    pub facts: Facts,
    /// SHA-256 of the facts as compact JSON, fields in their order.
    pub digest: String,
}

/// What a receipt states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub day: EventDay,
    /// What was published before the day: the seed's SHA-256.
    pub commitment: String,
    pub seed: String,
    pub feature: Feature,
    pub user_id: UserId,
    pub play_id: PlayId,
    /// The player's 0-based play number for the game and day.
    pub nonce: i64,
    /// In the order of the attempts. Only the last one counts; the prizes of the others had run
    /// out.
    pub draws: Vec<Draw>,
    /// What the player saw, as JSON text.
    pub outcome: String,
}

/// One draw of a play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    pub odds_id: OddsId,
    /// The table as published, byte for byte what the hash is of.
    pub table: String,
    pub table_hash: String,
    /// What the HMAC came to, below the sum of the table's weights.
    pub number: u64,
    /// The entry that came up.
    pub entry_id: i64,
}

/// A receipt that holds: every draw follows from the seed, and the seed from the commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub day: EventDay,
    pub commitment: String,
    pub feature: Feature,
    pub user_id: UserId,
    pub nonce: i64,
    /// How many draws of the play did not count, since their prize had run out.
    pub redraws: usize,
    pub label: String,
    /// The tables that were drawn from, in the order of the attempts. That these are the published
    /// ones is for whoever checks to compare.
    pub tables: Vec<VerifiedTable>,
}

/// A table that a draw was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedTable {
    pub odds_id: OddsId,
    pub hash: String,
}

/// What a player knows from before: with it a receipt proves that the draw was made as announced,
/// without it only that it fits itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Published<'a> {
    /// The commitment of the play's day.
    pub commitment: Option<&'a str>,
    /// Hashes of odds tables. If there are any, every draw must be from one of them, or from one
    /// of them without entries that had run out before.
    pub odds_hashes: &'a [String],
}

/// Why a receipt does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// It is not what the API answers.
    Unreadable,
    /// It is an error of the API, of this code.
    IsError(String),
    UnknownFormat(String),
    OtherCommitment,
    OtherOdds(usize),
    MalformedSeed,
    SeedNotCommitted,
    NoGame(Feature),
    NoDraw,
    TableChanged(usize),
    InvalidTable(usize),
    OtherGame(usize),
    OtherTable(usize),
    OtherNumber {
        attempt: usize,
        drawn: u64,
        stated: u64,
    },
    OtherEntry {
        attempt: usize,
        drawn: i64,
        stated: i64,
    },
    OtherOutcome,
    Changed,
}

impl From<Rejected> for Text {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Unreadable => texts::unreadable(),
            Rejected::IsError(code) => texts::is_error(quoted(&code)),
            Rejected::UnknownFormat(got) => {
                texts::unknown_format(quoted(&got), quoted(DrawReceipt::FORMAT))
            }
            Rejected::OtherCommitment => texts::other_commitment(),
            Rejected::OtherOdds(attempt) => texts::other_odds(attempt),
            Rejected::MalformedSeed => texts::malformed_seed(),
            Rejected::SeedNotCommitted => texts::seed_not_committed(),
            Rejected::NoGame(feature) => texts::no_game(feature.as_str()),
            Rejected::NoDraw => texts::no_draw(),
            Rejected::TableChanged(attempt) => texts::table_changed(attempt),
            Rejected::InvalidTable(attempt) => texts::invalid_table(attempt),
            Rejected::OtherGame(attempt) => texts::other_game(attempt),
            Rejected::OtherTable(attempt) => texts::other_table(attempt),
            Rejected::OtherNumber {
                attempt,
                drawn,
                stated,
            } => texts::other_number(attempt, drawn.to_string(), stated.to_string()),
            Rejected::OtherEntry {
                attempt,
                drawn,
                stated,
            } => texts::other_entry(attempt, drawn.to_string(), stated.to_string()),
            Rejected::OtherOutcome => texts::other_outcome(),
            Rejected::Changed => texts::changed(),
        }
    }
}

shown_as_text!(Rejected);

impl DrawReceipt {
    pub const FORMAT: &str = "xmas-draw/1";

    pub fn of(facts: Facts) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            digest: digest(&facts),
            facts,
        }
    }

    /// Reads a receipt and checks it against itself and against what was published.
    pub fn verify(json: &[u8], published: Published<'_>) -> Result<Verified, Rejected> {
        match serde_json::from_slice::<DrawReceipt>(json) {
            Ok(receipt) => receipt.check(published),
            Err(_) => Err(no_receipt(json)),
        }
    }

    fn check(&self, published: Published<'_>) -> Result<Verified, Rejected> {
        if self.format != Self::FORMAT {
            return Err(Rejected::UnknownFormat(self.format.clone()));
        }
        let facts = &self.facts;
        let commitment = published.commitment;
        if commitment.is_some_and(|published| published != facts.commitment) {
            return Err(Rejected::OtherCommitment);
        }
        // The tables after the first follow from it, as is checked below.
        if let Some(first) = facts.draws.first()
            && !published.odds_hashes.is_empty()
            && !published.odds_hashes.contains(&first.table_hash)
        {
            return Err(Rejected::OtherOdds(0));
        }
        let seed = Seed::from_hex(&facts.seed).map_err(|_| Rejected::MalformedSeed)?;
        if seed.commitment() != facts.commitment {
            return Err(Rejected::SeedNotCommitted);
        }
        let game = catalog::find(facts.feature).ok_or(Rejected::NoGame(facts.feature))?;
        let entry = facts.check_draws(game, &seed)?;
        if digest(facts) != self.digest {
            return Err(Rejected::Changed);
        }
        Ok(Verified {
            day: facts.day,
            commitment: facts.commitment.clone(),
            feature: facts.feature,
            user_id: facts.user_id,
            nonce: facts.nonce,
            redraws: facts.draws.len() - 1,
            label: entry.label,
            tables: facts.draws.iter().map(Draw::verified_table).collect(),
        })
    }
}

impl Facts {
    /// Makes every draw again; returns what the last one brought.
    fn check_draws(&self, game: &GameEntry, seed: &Seed) -> Result<Entry, Rejected> {
        let mut before: Option<(Odds, i64)> = None;
        let mut last = None;
        for (attempt, draw) in self.draws.iter().enumerate() {
            let odds = draw.odds(self.feature, attempt)?;
            if let Some((before, sold_out)) = before
                && before.without(sold_out) != Ok(odds.clone())
            {
                return Err(Rejected::OtherTable(attempt));
            }
            let id = DrawId {
                feature: self.feature,
                user_id: self.user_id,
                nonce: self.nonce,
                attempt: i64::try_from(attempt).unwrap_or(i64::MAX),
            };
            let number = seed.number(&id, odds.total());
            if number != draw.number {
                return Err(Rejected::OtherNumber {
                    attempt,
                    drawn: number,
                    stated: draw.number,
                });
            }
            let entry = (game.entry_at)(&odds, number).clone();
            if entry.id != draw.entry_id {
                return Err(Rejected::OtherEntry {
                    attempt,
                    drawn: entry.id,
                    stated: draw.entry_id,
                });
            }
            before = Some((odds, entry.id));
            last = Some((entry, number));
        }
        let (entry, number) = last.ok_or(Rejected::NoDraw)?;
        match (game.agrees)(&self.outcome, &entry, number) {
            true => Ok(entry),
            false => Err(Rejected::OtherOutcome),
        }
    }
}

impl Draw {
    fn verified_table(&self) -> VerifiedTable {
        VerifiedTable {
            odds_id: self.odds_id,
            hash: self.table_hash.clone(),
        }
    }

    fn odds(&self, game: Feature, attempt: usize) -> Result<Odds, Rejected> {
        if hex::encode(Sha256::digest(&self.table)) != self.table_hash {
            return Err(Rejected::TableChanged(attempt));
        }
        let odds = Odds::from_content(&self.table).map_err(|_| Rejected::InvalidTable(attempt))?;
        if odds.feature() == game {
            Ok(odds)
        } else {
            Err(Rejected::OtherGame(attempt))
        }
    }
}

fn digest(facts: &Facts) -> String {
    // Numbers, texts, and maps with text for keys: nothing here that JSON cannot say.
    let text = serde_json::to_vec(facts).expect("facts can be written as JSON");
    hex::encode(Sha256::digest(text))
}

/// What stands in the place of a receipt: mostly the error that was answered instead of it.
fn no_receipt(json: &[u8]) -> Rejected {
    let answer: Option<Value> = serde_json::from_slice(json).ok();
    let code = answer
        .as_ref()
        .and_then(|answer| answer["error"]["code"].as_str());
    match code {
        Some(code) => Rejected::IsError(code.to_owned()),
        None => Rejected::Unreadable,
    }
}
