//! The lottery: prizes, some of them limited, one ticket a play.

mod edit;
mod model;
pub mod rules;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use xmas_kernel::{
    Asset, ConfigId, ErrorCode, Feature, Problem, Problems,
    audit::Area,
    db::{Constraint, DbError},
};
use xmas_rewards::Reward;
use xmas_texts::game as texts;

use crate::{
    ActiveConfig, Game, SaveError,
    config::{Actions, Config, ConfigEdit, Past, Saved, StockKept, insert_in_tx},
    draw_counts, fairness,
    odds::Entry,
};
use store::config;

pub use model::{NewLottery, NewPrize, Prize, PrizeConfig, PrizeEdit, PrizeList};

/// How many prizes an edit may list, those that are switched off among them.
const MAX_PRIZES: usize = 1_000;

/// One prize per label in a lottery.
pub const PRIZE_LABEL: Constraint = Constraint::new(
    "uq_lottery_prize_label",
    "lottery_prize",
    &["config_id", "label"],
);

/// The rules of the lottery.
#[derive(Clone, Copy, Debug)]
pub struct Lottery;

#[async_trait]
impl Game for Lottery {
    // Names.

    const FEATURE: Feature = Feature::Lottery;
    const TOKEN: Asset = Asset::LotteryTicket;
    const AREA: Area = Area::new("LOTTERY");
    const ACTIONS: Actions = Actions {
        resource: "lottery",
        create: "LOTTERY_CREATE",
        update: "LOTTERY_UPDATE",
        switch_off: "LOTTERY_SWITCH_OFF",
        restore: "LOTTERY_RESTORE",
        delete: "LOTTERY_DELETE",
        plan: "LOTTERY_PLAN",
        withdraw: "LOTTERY_PLAN_WITHDRAW",
        take_over: "LOTTERY_TAKE_OVER",
        refuse: "LOTTERY_PLAN_REFUSE",
    };
    const ONE_ACTIVE: Constraint =
        Constraint::new("uq_lottery_active", "lottery_config", &["active_slot"]);
    const INVALID_CONFIG: ErrorCode = ErrorCode::InvalidLotteryConfig;
    const CONFIG_NOT_FOUND: ErrorCode = ErrorCode::LotteryConfigNotFound;
    const CHECK_CODES: &'static [ErrorCode] = &[
        ErrorCode::InvalidMaxDailyPlays,
        ErrorCode::InvalidLotteryWeight,
        ErrorCode::InvalidLotteryStock,
        ErrorCode::DuplicatePrizeLabel,
        ErrorCode::NoActivePrize,
        ErrorCode::ZeroTotalWeight,
    ];

    // Playing.

    /// Every active prize, also those of which nothing is left.
    type Menu = Vec<Prize>;
    type Outcome = Prize;

    fn playable(saved: Saved<PrizeList>) -> Option<ActiveConfig<Self>> {
        let limited = saved.config.body.prizes.iter();
        let supplied = limited.filter_map(|prize| Some((prize.id?, prize.stock_supplied?)));
        let supplied = supplied.collect();
        let prize = |prize: PrizeConfig| {
            let new = NewPrize {
                label: prize.label,
                weight: prize.weight,
                stock: prize.stock,
                reward: prize.reward.reward("").ok()?,
                is_active: prize.is_active,
            };
            Some((prize.id?, new))
        };
        let prizes = saved.config.body.prizes.into_iter().map(prize);
        let prizes = rules::prizes(saved.id, prizes.collect::<Option<_>>()?).ok()?;
        Some(ActiveConfig {
            config_id: saved.id,
            name: saved.config.name,
            max_daily: saved.config.max_daily,
            menu: prizes.shown,
            table: prizes.table,
            stock: prizes.stock,
            supplied,
        })
    }

    fn outcome(menu: &Vec<Prize>, entry: &Entry, _: u64) -> Prize {
        let prize = menu.iter().find(|prize| prize.id == entry.id);
        prize
            .expect("a lottery's odds are those of its prizes")
            .clone()
    }

    fn agrees(outcome: &Prize, entry: &Entry, _: u64) -> bool {
        let shown = (outcome.reward_type, outcome.reward_amount);
        outcome.id == entry.id
            && outcome.label == entry.label
            && shown == (entry.reward_type, entry.reward_amount)
    }

    async fn take_in_tx(tx: &DatabaseTransaction, entry: i64) -> Result<bool, DbError> {
        store::take_one(tx, entry).await
    }

    // Configuring.

    type Body = PrizeList;
    /// `None` keeps them all.
    type BodyEdit = Option<Vec<PrizeEdit>>;

    /// The prizes, which plays take from. A play takes its prize last and then waits for nothing, so
    /// whoever holds all prizes is waited for and waits for no player.
    async fn lock_in_tx(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
        store::lock_prizes(tx, id).await
    }

    fn edited(
        before: Option<&Saved<PrizeList>>,
        edit: &ConfigEdit<Option<Vec<PrizeEdit>>>,
        drawn: &BTreeSet<i64>,
        problems: &mut Problems,
    ) -> PrizeList {
        let sent = edit.body.as_ref().map_or(0, Vec::len);
        if sent > MAX_PRIZES {
            // Before each of them is compared with each.
            let text = texts::prizes(MAX_PRIZES, sent);
            problems.push(Problem::new("prizes", text));
            return before.map_or_else(PrizeList::default, |it| it.config.body.clone());
        }
        let Some(before) = before else {
            // Ids are those of the lottery that it was copied from.
            let strip = |prize: &PrizeEdit| PrizeEdit {
                id: None,
                ..prize.clone()
            };
            let new: Vec<PrizeEdit> = edit.body.iter().flatten().map(strip).collect();
            let prizes = edit::edited(&[], &new, true, drawn, problems);
            return PrizeList { prizes };
        };
        let Some(edited) = &edit.body else {
            return before.config.body.clone();
        };
        let is_exact = edit.seen.is_some();
        let prizes = edit::edited(
            &before.config.body.prizes,
            edited,
            is_exact,
            drawn,
            problems,
        );
        PrizeList { prizes }
    }

    async fn drawn_in_tx(
        tx: &DatabaseTransaction,
        before: &Saved<PrizeList>,
        edit: &ConfigEdit<Option<Vec<PrizeEdit>>>,
    ) -> Result<BTreeSet<i64>, DbError> {
        let edited = edit.body.as_deref().filter(|it| it.len() <= MAX_PRIZES);
        let left_out = edited.map(|edit| edit::left_out(&before.config.body.prizes, edit));
        let left_out = left_out.unwrap_or_default();
        if left_out.is_empty() {
            return Ok(BTreeSet::new());
        }
        let odds = fairness::odds_of_config(tx, Self::FEATURE, before.id).await?;
        draw_counts::drawn(tx, &odds, &left_out).await
    }

    async fn back_to_in_tx(
        tx: &DatabaseTransaction,
        before: &Saved<PrizeList>,
        version: &Past<PrizeList>,
    ) -> Result<Option<Vec<PrizeEdit>>, DbError> {
        let now = &before.config.body.prizes;
        let then = &version.config.body.prizes;
        let mut edits = edit::back_to(now, then);
        let since = version.edits.iter().map(|edit| {
            let (was, is) = edit.as_ref()?;
            Some((was.body.prizes.as_slice(), is.body.prizes.as_slice()))
        });
        let resets = edit::resets(now, then, &edits, since);
        if !resets.is_empty() {
            let ids: Vec<i64> = resets.iter().map(|reset| reset.id).collect();
            let odds = fairness::odds_of_config(tx, Self::FEATURE, before.id).await?;
            let won = draw_counts::won_since(tx, &odds, &ids, version.at).await?;
            for reset in resets {
                reset.apply(&mut edits, won.get(&reset.id).copied().unwrap_or(0));
            }
        }
        Ok(Some(edits))
    }

    fn stock_kept(version: &PrizeList, now: &PrizeList) -> Vec<StockKept> {
        edit::stock_kept(&version.prizes, &now.prizes)
    }

    async fn number_in_tx(
        tx: &DatabaseTransaction,
        id: ConfigId,
        body: &mut PrizeList,
    ) -> Result<(), DbError> {
        let new = body.prizes.iter_mut().filter(|prize| prize.id.is_none());
        let mut new: Vec<_> = new.collect();
        let ids = store::reserve(tx, id, new.len()).await?;
        for (prize, id) in new.iter_mut().zip(ids) {
            prize.id = Some(id);
        }
        Ok(())
    }

    fn keep_stock(before: &PrizeList, planned: &mut PrizeList) -> Vec<String> {
        edit::keep_stock(&before.prizes, &mut planned.prizes)
    }

    fn taken_away(before: &PrizeList, after: &PrizeList, planned: &PrizeList) -> Option<String> {
        let mut kept = before
            .prizes
            .iter()
            .filter(|it| planned.place(it.id).is_some());
        kept.find_map(|kept| {
            let Some(place) = after.place(kept.id) else {
                return Some("prizes".to_owned());
            };
            let is_emptied = kept.stock != Some(0) && after.prizes[place].stock == Some(0);
            is_emptied.then(|| format!("prizes.{place}.stock"))
        })
    }

    fn taken_over(before: &PrizeList, planned: PrizeList, problems: &mut Problems) -> PrizeList {
        let prizes = edit::taken_over(&before.prizes, planned.prizes, problems);
        PrizeList { prizes }
    }

    fn labels(body: &PrizeList) -> Vec<(String, &str)> {
        let labels = body.prizes.iter().map(|prize| prize.label.as_str());
        let named = labels.enumerate();
        let named = named.map(|(index, label)| (format!("prizes.{index}.label"), label));
        named.collect()
    }

    fn check(config: &Config<PrizeList>, problems: &mut Problems) -> Vec<(String, Reward)> {
        let mut rewards = Vec::new();
        let prizes = config.body.prizes.iter().enumerate();
        let prizes = prizes.map(|(index, prize)| {
            let prefix = format!("prizes.{index}.");
            let reward = prize.reward.checked(&prefix, problems);
            rewards.push((prefix, reward));
            NewPrize {
                label: prize.label.clone(),
                weight: prize.weight,
                stock: prize.stock,
                reward,
                is_active: prize.is_active,
            }
        });
        let lottery = NewLottery {
            name: config.name.clone(),
            max_daily_plays: config.max_daily,
            prizes: prizes.collect(),
        };
        problems.extend(rules::check(&lottery));
        rewards
    }

    // Storing.

    type Table = config::Entity;

    async fn bodies<C: ConnectionTrait>(
        conn: &C,
        rows: Vec<config::Model>,
    ) -> Result<Vec<PrizeList>, DbError> {
        store::bodies(conn, &rows).await
    }

    /// All of it stands in `lottery_prize`.
    fn own_columns(_: &PrizeList) -> config::ActiveModel {
        Default::default()
    }

    async fn insert_body_in_tx(
        tx: &DatabaseTransaction,
        id: ConfigId,
        body: &PrizeList,
    ) -> Result<(), DbError> {
        store::insert(tx, id, &body.prizes).await
    }

    async fn update_body_in_tx(
        tx: &DatabaseTransaction,
        before: &Saved<PrizeList>,
        after: &PrizeList,
    ) -> Result<(), DbError> {
        // Whatever was won of a prize before it had a limit was not taken from one; what was won of an
        // earlier limit counts on.
        let gained = store::newly_limited(before, after);
        let taken = if gained.is_empty() {
            BTreeMap::new()
        } else {
            let odds = fairness::odds_of_config(tx, Self::FEATURE, before.id).await?;
            draw_counts::taken(tx, &odds, &gained).await?
        };
        store::update(tx, before, after, &taken).await
    }

    async fn delete_body_in_tx(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
        store::delete(tx, id).await
    }
}

impl Lottery {
    /// Checks a lottery and saves it as the active one.
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        lottery: &NewLottery,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, SaveError> {
        insert_in_tx::<Self>(tx, &lottery.to_active_config(), now).await
    }
}
