//! Players and admins do this and that in any order, and every table agrees with a small model in
//! memory. What a draw brings is told to the model; everything that follows from it is predicted.

use std::{
    array,
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Runtime;
use xmas_games::{
    DrawRegistry, GameError, GameService, Play, dice::DiceOutcome, lottery::NewLottery,
};
use xmas_kernel::{
    Asset, Feature, entropy::Entropy, idempotency::Replayable, paging::Limit, seal::DataKey,
};
use xmas_players::{AccessError, Identity, Inactive, Status, lock_by_id_in_tx, set_status_in_tx};
use xmas_rewards::{Reward, RewardError, RewardState, RewardType, WalletError, WalletService};
use xmas_season_pass::{
    ClaimCommand, Level, NewSeason, Season, SeasonPassService, StampCommand, StampResult,
};
use xmas_time::EventDay;

use crate::world::{
    DATA_KEY, LIMIT, REVIEW_POINTS, Real, Setting, at, keyed, lottery, play, prize, reward, season,
};

const GAMES: [Feature; 3] = [Feature::Roulette, Feature::Dice, Feature::Lottery];
const PLAYERS: usize = 2;
/// Of each game, for each player to start with.
const TOKENS: i64 = 2;
const XP_PER_PLAY: u32 = 5;
const STAMP_XP: i64 = 20;
const MAX_XP_BONUS: i64 = 20;
/// Wins that earn the bonus stamp.
const WINS: i64 = 3;
const STOCK: i64 = 2;
/// Days of December: the season's first and last one, the last one of its grace, and one more.
const FIRST_DAY: u32 = 25;
const LAST_DAY: u32 = 26;
const GRACE_ENDS: u32 = 27;
const ALL_OVER: u32 = 28;

const OFF: &str = "Feature(Disabled)";
const BLOCKED: &str = "Access(Blocked)";
const NO_SEASON: &str = "NoActiveSeason";

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: 10,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_the_tables_say_what_the_rules_say(sequential 20..=25 => Model);
}

/// Five ways to pay a level, a stock that soon runs out, and prizes that wait for an admin or are nothing.
fn setting() -> Setting {
    let level = |level, reward, auto_claim, manual| Level {
        level,
        required_xp: 15 * level,
        reward,
        reward_label: format!("레벨 {level}"),
        auto_claim,
        manual,
    };
    let jackpot = reward(RewardType::Point, REVIEW_POINTS);
    Setting {
        xp_per_play: XP_PER_PLAY,
        stamp_on_play: true,
        season: NewSeason {
            end: EventDay::of(at(LAST_DAY)),
            max_level: 5,
            base_xp_per_stamp: STAMP_XP,
            max_xp_bonus: MAX_XP_BONUS,
            grace_days: GRACE_ENDS - LAST_DAY,
            internal_win_threshold: WINS,
            levels: vec![
                level(1, reward(RewardType::TicketRoulette, 1), true, false),
                level(2, reward(RewardType::Point, 4_000), false, false),
                level(3, reward(RewardType::CcCoin, 2), false, true),
                level(4, reward(RewardType::TicketDice, 3), true, false),
                level(5, reward(RewardType::CcCoin, 0), false, true),
            ],
            ..season()
        },
        lottery: NewLottery {
            prizes: vec![
                prize("다음 기회에", 1, None, Reward::NONE),
                prize("0 포인트", 1, None, reward(RewardType::Point, 0)),
                prize("복권 2장", 1, None, reward(RewardType::TicketLottery, 2)),
                prize("잭팟", 2, Some(STOCK), jackpot),
            ],
            ..lottery()
        },
        ..Setting::default()
    }
}

/// A game's token, and where its daily limit is.
fn rules_of(game: Feature) -> (Asset, &'static str) {
    match game {
        Feature::Roulette => (Asset::RouletteCoin, "roulette_config SET max_daily_spins"),
        Feature::Dice => (Asset::DiceToken, "dice_config SET max_daily_plays"),
        Feature::Lottery => (Asset::LotteryTicket, "lottery_config SET max_daily_plays"),
        other => panic!("{other} is no game"),
    }
}

/// What somebody does. Players are named by their index.
#[derive(Clone, Debug)]
enum Step {
    /// With an idempotency key or without.
    Play(usize, Feature, Option<u8>),
    Grant(usize, Asset, i64),
    /// With a bonus.
    Stamp(usize, Feature, i64),
    Claim(usize, i64),
    /// An admin approves or rejects one of the rewards that wait, if any does.
    Decide(usize, bool),
    Switch(Feature, bool),
    Limit(Feature, i64),
    Stock(i64),
    /// Whether a level pays by itself.
    Ladder(i64, bool),
    Block(usize, bool),
    NextDay,
}

/// What steps are chosen by: the rest is known only once they are taken.
#[derive(Clone, Debug)]
struct Script {
    /// Decides every draw.
    luck: u64,
    day: u32,
}

impl ReferenceStateMachine for Script {
    type State = Script;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Script> {
        let day = FIRST_DAY;
        any::<u64>()
            .prop_map(move |luck| Script { luck, day })
            .boxed()
    }

    fn transitions(_: &Script) -> BoxedStrategy<Step> {
        let player = || 0..PLAYERS;
        let game = || prop::sample::select(GAMES.to_vec());
        let key = prop::option::weighted(0.4, 0..4u8);
        let asset = prop::sample::select(Asset::ALL.to_vec());
        let feature = prop::sample::select(Feature::ALL.to_vec());
        // What is taken away is soon given back, or else not much would happen.
        let mostly = || prop::bool::weighted(0.7);
        let seldom = prop::bool::weighted(0.3);
        let bonus = 0..=MAX_XP_BONUS + 3;
        // There is no sixth level.
        let level = 1..=6i64;
        prop_oneof![
            12 => (player(), game(), key).prop_map(|(who, game, key)| Step::Play(who, game, key)),
            1 => (player(), asset, 1..4i64).prop_map(|(who, asset, n)| Step::Grant(who, asset, n)),
            2 => (player(), game(), bonus).prop_map(|(who, from, xp)| Step::Stamp(who, from, xp)),
            4 => (player(), level).prop_map(|(who, level)| Step::Claim(who, level)),
            2 => (0..4usize, any::<bool>()).prop_map(|(which, yes)| Step::Decide(which, yes)),
            1 => (feature, mostly()).prop_map(|(feature, on)| Step::Switch(feature, on)),
            2 => (game(), 0..3i64).prop_map(|(game, max)| Step::Limit(game, max)),
            1 => (0..=STOCK).prop_map(Step::Stock),
            1 => (1..=5i64, mostly()).prop_map(|(level, auto)| Step::Ladder(level, auto)),
            1 => (player(), seldom).prop_map(|(who, blocked)| Step::Block(who, blocked)),
            2 => Just(Step::NextDay),
        ]
        .boxed()
    }

    fn preconditions(script: &Script, step: &Step) -> bool {
        script.day < ALL_OVER || !matches!(step, Step::NextDay)
    }

    fn apply(mut script: Script, step: &Step) -> Script {
        script.day += u32::from(matches!(step, Step::NextDay));
        script
    }
}

struct Model;

struct Running {
    event: Event,
    runtime: Runtime,
}

impl StateMachineTest for Model {
    type SystemUnderTest = Running;
    type Reference = Script;

    fn init_test(script: &Script) -> Running {
        let runtime = Runtime::new().unwrap();
        let event = runtime.block_on(Event::new(script.luck));
        Running { event, runtime }
    }

    fn apply(mut running: Running, script: &Script, step: Step) -> Running {
        running.event.books.day = script.day;
        running.runtime.block_on(running.event.take(step));
        running
    }

    fn check_invariants(running: &Running, _: &Script) {
        running.runtime.block_on(running.event.check());
    }
}

/// What the model cannot know of a play: the fields of any game's outcome that matter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Drawn {
    reward_type: RewardType,
    reward_amount: i64,
    /// Of dice.
    outcome: Option<DiceOutcome>,
    /// Of a limited prize.
    stock: Option<i64>,
}

impl Drawn {
    fn is_win(&self) -> bool {
        match self.outcome {
            Some(outcome) => outcome == DiceOutcome::Win,
            None => self.reward_amount > 0,
        }
    }
}

/// The answer of any game, as a client reads it.
fn read<O: Serialize>(
    answer: Result<Replayable<Play<O>>, GameError>,
) -> Result<Replayable<Play<Drawn>>, GameError> {
    let Replayable { result, replayed } = answer?;
    let result = serde_json::from_value(json!(result)).unwrap();
    Ok(Replayable { result, replayed })
}

/// What was done, if it was predicted that it would be; a refusal has to be the predicted one.
fn expected<T, E: Debug>(answer: Result<T, E>, refusal: Option<&str>) -> Option<T> {
    let told = answer.as_ref().err().map(|error| format!("{error:?}"));
    assert_eq!(told.as_deref(), refusal);
    answer.ok()
}

/// The first reason that holds.
fn first<const N: usize>(reasons: [(bool, &str); N]) -> Option<&str> {
    let reason = reasons.into_iter().find(|(holds, _)| *holds);
    reason.map(|(_, refusal)| refusal)
}

#[derive(Clone)]
struct Player {
    identity: Identity,
    is_blocked: bool,
    balances: BTreeMap<Asset, i64>,
    xp: i64,
    /// No step raises a level's requirement, so this is also the current level.
    high_water: i64,
    stamps: i64,
    stamped_on: Option<u32>,
    wins: i64,
    has_win_stamp: bool,
    claimed: BTreeSet<i64>,
    /// By day and feature.
    plays: BTreeMap<(u32, &'static str), i64>,
    /// By idempotency key.
    answers: BTreeMap<u8, (Feature, Play<Drawn>)>,
}

impl Player {
    fn new(identity: Identity) -> Self {
        let mut balances = BTreeMap::from(Asset::ALL.map(|asset| (asset, 0)));
        balances.extend(GAMES.map(|game| (rules_of(game).0, TOKENS)));
        Self {
            identity,
            is_blocked: false,
            balances,
            xp: 0,
            high_water: 0,
            stamps: 0,
            stamped_on: None,
            wins: 0,
            has_win_stamp: false,
            claimed: BTreeSet::new(),
            plays: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    fn change(&mut self, asset: Asset, delta: i64) {
        *self.balances.entry(asset).or_default() += delta;
    }

    fn pay(&mut self, reward: Reward) {
        if let Some(asset) = reward.kind().asset() {
            self.change(asset, reward.amount());
        }
    }
}

/// The model: what has to be in the tables.
struct Books {
    day: u32,
    season: Season,
    off: BTreeSet<Feature>,
    limits: BTreeMap<Feature, i64>,
    stock: i64,
    issued: i64,
    /// By grant key: to whom, what, and how far it has come.
    given: BTreeMap<String, (usize, Reward, RewardState)>,
    players: Vec<Player>,
}

impl Books {
    fn season_runs(&self) -> bool {
        self.day <= LAST_DAY
    }

    fn is_off(&self, feature: Feature) -> bool {
        self.off.contains(&feature)
    }

    /// Why a play is refused that repeats no earlier one.
    fn refuses_play(
        &self,
        who: usize,
        game: Feature,
        is_other_request: bool,
    ) -> Option<&'static str> {
        let player = &self.players[who];
        let played = player.plays.get(&(self.day, game.as_str()));
        let limit = self.limits[&game];
        first([
            (player.is_blocked && self.is_off(game), OFF),
            (player.is_blocked, BLOCKED),
            (is_other_request, "Idempotency(KeyReused)"),
            (self.is_off(game), OFF),
            // No limit is 0.
            (
                limit > 0 && played.is_some_and(|played| *played >= limit),
                "DailyLimitReached",
            ),
            (player.balances[&rules_of(game).0] == 0, "NotEnoughTokens"),
        ])
    }

    fn refuses_stamp(&self, who: usize, source: Feature, bonus: i64) -> Option<String> {
        let player = &self.players[who];
        let too_much = format!("XpBonusOutOfRange {{ max: {MAX_XP_BONUS}, got: {bonus} }}");
        let refusal = first([
            (self.is_off(Feature::SeasonPass) || self.is_off(source), OFF),
            (!self.season_runs(), NO_SEASON),
            (bonus > MAX_XP_BONUS, too_much.as_str()),
            (player.is_blocked, BLOCKED),
            (player.stamped_on == Some(self.day), "AlreadyStamped"),
        ]);
        refusal.map(str::to_owned)
    }

    fn refuses_claim(&self, who: usize, level: i64) -> Option<&'static str> {
        let player = &self.players[who];
        let rung = self.season.level(level);
        first([
            (self.is_off(Feature::SeasonPass), OFF),
            (self.day > GRACE_ENDS, NO_SEASON),
            (player.is_blocked, BLOCKED),
            (rung.is_none(), "LevelNotFound"),
            (level > player.high_water, "LevelNotReached"),
            // One that only an edit has made so is paid by this very claim.
            (
                rung.is_some_and(|rung| rung.auto_claim) && player.claimed.contains(&level),
                "AutoClaimLevel",
            ),
            (player.claimed.contains(&level), "AlreadyClaimed"),
        ])
    }

    fn played(&mut self, who: usize, game: Feature, play: &Play<Drawn>) {
        let (today, drawn, receipt) = (self.day, &play.outcome, &play.receipt);
        let token = rules_of(game).0;
        let before = self.players[who].clone();
        let player = &mut self.players[who];
        let plays = player.plays.entry((today, game.as_str())).or_default();
        assert_eq!(receipt.nonce, *plays);
        *plays += 1;
        player.change(token, -1);
        if drawn.stock.is_some() {
            self.stock -= 1;
            self.issued += 1;
            assert!(self.stock >= 0, "more was won than there was");
        }
        let key = format!("play:{}", receipt.play_id);
        let won = reward(drawn.reward_type, drawn.reward_amount);
        let state = self.give(who, key.clone(), won, false);
        assert_eq!(receipt.reward_state, state);
        if self.season_runs() {
            let per_play = reward(RewardType::Xp, XP_PER_PLAY.into());
            self.give(who, format!("{key}:xp"), per_play, false);
            let mut xp = per_play.amount();
            if won.kind() == RewardType::Xp {
                xp += won.amount();
            }
            let stamps = !self.is_off(Feature::SeasonPass);
            let player = &mut self.players[who];
            if stamps && player.stamped_on != Some(today) {
                player.stamped_on = Some(today);
                player.stamps += 1;
                xp += STAMP_XP;
            }
            player.wins += i64::from(drawn.is_win());
            if player.wins >= WINS && !player.has_win_stamp {
                player.has_win_stamp = true;
                player.stamps += 1;
                xp += STAMP_XP;
            }
            self.advance(who, xp);
        }
        let after = &self.players[who];
        assert_eq!(play.token_balance, after.balances[&token]);
        let is_stamped = before.stamped_on != after.stamped_on;
        assert_eq!(play.season_pass.is_some(), is_stamped);
        if let Some(stamp) = &play.season_pass {
            assert_stamp(stamp, STAMP_XP, &before, after);
        }
    }

    /// Adds XP, and pays every level that is due by itself, also one that an edit made so.
    fn advance(&mut self, who: usize, xp: i64) {
        let player = &mut self.players[who];
        player.xp += xp;
        let levels = &self.season.rules.levels;
        let reached = levels.iter().filter(|rung| rung.required_xp <= player.xp);
        let reached = reached.map(|rung| rung.level).max().unwrap_or(0);
        player.high_water = player.high_water.max(reached);
        let due = levels.iter().filter(|rung| {
            let is_reached = rung.level <= player.high_water;
            rung.auto_claim && is_reached && !player.claimed.contains(&rung.level)
        });
        for level in due.cloned().collect::<Vec<Level>>() {
            self.collect(who, &level);
        }
    }

    fn collect(&mut self, who: usize, level: &Level) -> RewardState {
        let player = &mut self.players[who];
        player.claimed.insert(level.level);
        let (season, user_id) = (self.season.id, player.identity.user_id);
        let key = format!("season:{season}:level:{}:user:{user_id}", level.level);
        self.give(who, key, level.reward, level.manual)
    }

    fn give(&mut self, who: usize, key: String, reward: Reward, manual: bool) -> RewardState {
        let state = match reward.kind() {
            _ if reward.amount() == 0 => RewardState::Delivered,
            RewardType::Xp if !self.season_runs() => RewardState::Rejected,
            RewardType::Point if reward.amount() >= REVIEW_POINTS => RewardState::PendingReview,
            _ if manual => RewardState::PendingReview,
            _ => RewardState::Delivered,
        };
        if state == RewardState::Delivered {
            self.players[who].pay(reward);
        }
        let earlier = self.given.insert(key, (who, reward, state));
        assert_eq!(earlier, None, "a reward is given once");
        state
    }
}

fn assert_stamp(stamp: &StampResult, xp_added: i64, before: &Player, after: &Player) {
    assert_eq!((stamp.added_stamp, stamp.xp_added), (1, xp_added));
    let stands = (stamp.current_xp, stamp.current_level);
    assert_eq!(stands, (after.xp, after.high_water));
    assert_eq!(stamp.leveled_up, after.high_water > before.high_water);
    let paid: Vec<i64> = stamp.rewards.iter().map(|reward| reward.level).collect();
    let due: Vec<i64> = (&after.claimed - &before.claimed).into_iter().collect();
    assert_eq!(paid, due);
}

/// Seeds that differ from case to case, and are the same when a case is run again.
struct Luck(AtomicU64);

impl Entropy for Luck {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
        for (byte, value) in bytes.iter_mut().zip(number.into_iter().cycle()) {
            *byte = value;
        }
    }
}

/// The real services, and beside them what they ought to have written.
struct Event {
    real: Real,
    books: Books,
}

impl Event {
    async fn new(luck: u64) -> Self {
        let (real, now) = (Real::new(setting()).await, at(FIRST_DAY));
        let luck = Arc::new(Luck(AtomicU64::new(luck)));
        let draws = DrawRegistry::new(real.test.db.clone(), DataKey::new(DATA_KEY), luck);
        draws.prepare(now).await.unwrap();
        let mut players = Vec::new();
        for number in 0..PLAYERS {
            let identity = real.player(&format!("player-{number}"), TOKENS).await;
            players.push(Player::new(identity));
        }
        let season = real.season_pass.running(EventDay::of(now)).await.unwrap();
        let books = Books {
            day: FIRST_DAY,
            season: Season::clone(&season.unwrap()),
            off: BTreeSet::new(),
            limits: GAMES.map(|game| (game, LIMIT)).into(),
            stock: STOCK,
            issued: 0,
            given: BTreeMap::new(),
            players,
        };
        Self { real, books }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Play(who, game, key) => self.play(who, game, key).await,
            Step::Grant(who, asset, amount) => {
                let player = &mut self.books.players[who];
                self.real.give(&player.identity, asset, amount).await;
                player.change(asset, amount);
            }
            Step::Stamp(who, source, bonus) => self.stamp(who, source, bonus).await,
            Step::Claim(who, level) => self.claim(who, level).await,
            Step::Decide(which, approve) => self.decide(which, approve).await,
            Step::Switch(feature, on) => {
                self.real.features.set_enabled(feature, on);
                self.books.off.insert(feature);
                self.books.off.retain(|off| !on || *off != feature);
            }
            Step::Limit(game, max) => {
                self.edit(&format!("{} = {max}", rules_of(game).1)).await;
                self.books.limits.insert(game, max);
            }
            Step::Stock(stock) => {
                let more = stock - self.books.stock;
                self.edit(&format!(
                    "lottery_prize SET stock = {stock}, stock_at_edit = {stock}, \
                     stock_supplied = stock_supplied + ({more}) WHERE stock IS NOT NULL"
                ))
                .await;
                self.books.stock = stock;
            }
            Step::Ladder(level, auto) => {
                let edit =
                    format!("season_pass_level SET auto_claim = {auto} WHERE level = {level}");
                self.edit(&edit).await;
                let mut levels = self.books.season.rules.levels.iter_mut();
                levels.find(|rung| rung.level == level).unwrap().auto_claim = auto;
            }
            Step::Block(who, blocked) => self.block(who, blocked).await,
            // The books have been told already.
            Step::NextDay => {}
        }
    }

    async fn play(&mut self, who: usize, game: Feature, key: Option<u8>) {
        let now = at(self.books.day);
        let player = &self.books.players[who];
        let command = match key {
            Some(key) => keyed(player.identity, &format!("key-{key}"), game.as_str()),
            None => play(player.identity),
        };
        let answer = match game {
            Feature::Roulette => read(self.real.roulette.play(&command, now).await),
            Feature::Dice => read(self.real.dice.play(&command, now).await),
            _ => read(self.real.lottery.play(&command, now).await),
        };
        let earlier = key.and_then(|key| player.answers.get(&key));
        if let Some((played, earlier)) = earlier
            && *played == game
            && !player.is_blocked
        {
            // What was answered once is answered again, whatever has changed since.
            let again = answer.unwrap();
            assert!(again.replayed);
            assert_eq!(again.result, *earlier);
            return;
        }
        let refusal = self.books.refuses_play(who, game, earlier.is_some());
        if let Some(play) = expected(answer, refusal) {
            assert!(!play.replayed);
            self.books.played(who, game, &play.result);
            let answers = &mut self.books.players[who].answers;
            answers.extend(key.map(|key| (key, (game, play.result))));
        }
    }

    async fn stamp(&mut self, who: usize, source: Feature, xp_bonus: i64) {
        let (now, before) = (at(self.books.day), self.books.players[who].clone());
        let command = StampCommand {
            identity: before.identity,
            request: None,
            source,
            xp_bonus,
        };
        let answer = self.real.season_pass.stamp(&command, now).await;
        let refusal = self.books.refuses_stamp(who, source, xp_bonus);
        if let Some(stamp) = expected(answer, refusal.as_deref()) {
            let player = &mut self.books.players[who];
            player.stamped_on = Some(self.books.day);
            player.stamps += 1;
            self.books.advance(who, STAMP_XP + xp_bonus);
            let after = &self.books.players[who];
            assert_stamp(&stamp.result, STAMP_XP + xp_bonus, &before, after);
        }
    }

    async fn claim(&mut self, who: usize, level: i64) {
        let command = ClaimCommand {
            identity: self.books.players[who].identity,
            request: None,
            level,
        };
        let now = at(self.books.day);
        let answer = self.real.season_pass.claim(&command, now).await;
        let refusal = self.books.refuses_claim(who, level);
        if let Some(claim) = expected(answer, refusal) {
            // A claim also pays what an edit of the ladder has made due.
            self.books.advance(who, 0);
            let rung = self.books.season.level(level).unwrap().clone();
            assert_eq!(claim.result.level, level);
            if !rung.auto_claim {
                assert_eq!(claim.result.state, self.books.collect(who, &rung));
            }
        }
    }

    async fn decide(&mut self, which: usize, approve: bool) {
        let (rewards, now) = (&self.real.rewards, at(self.books.day));
        let waiting = rewards
            .pending_rewards(Limit::clamped(Limit::MAX), None)
            .await;
        let waiting = waiting.unwrap().items;
        let Some(receipt) = waiting.get(which % waiting.len().max(1)) else {
            return;
        };
        let admin = self.real.test.operator("admin-1").await;
        let (id, reason) = (receipt.id, "중복 계정");
        let decide = async |approve: bool| {
            if approve {
                rewards
                    .approve(&admin, id, Inactive::Refused, None, now)
                    .await
            } else {
                rewards.reject(&admin, id, reason, None, now).await
            }
        };
        let decided = decide(approve).await.unwrap();
        for again in [approve, !approve] {
            assert!(matches!(decide(again).await, Err(RewardError::NotPending)));
        }
        let (who, reward, state) = self.books.given.get_mut(&receipt.grant_key).unwrap();
        *state = RewardState::Rejected;
        if approve {
            *state = RewardState::Delivered;
            self.books.players[*who].pay(*reward);
        }
        assert_eq!(decided.result.receipt.state, *state);
    }

    async fn block(&mut self, who: usize, blocked: bool) {
        let player = &mut self.books.players[who];
        let (user_id, now) = (player.identity.user_id, at(self.books.day));
        let tx = self.real.test.db.begin().await.unwrap();
        let locked = lock_by_id_in_tx(&tx, user_id).await.unwrap().unwrap();
        let status = [Status::Active, Status::Blocked][usize::from(blocked)];
        set_status_in_tx(&tx, &locked, status, now).await.unwrap();
        let locked = lock_by_id_in_tx(&tx, user_id).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let is_right = match self.real.wallets.own(&player.identity).await {
            Err(WalletError::Access(AccessError::Blocked)) => blocked,
            // Nobody gets a token while they are blocked, so there is none to end.
            Ok(_) => !blocked,
            Err(_) => false,
        };
        assert!(is_right, "a block acts at once, and so does its end");
        player.is_blocked = blocked;
        player.identity = locked.identity();
    }

    /// Edits the configuration by hand. New services look at it at once, and not only when their
    /// copies of it have expired.
    async fn edit(&mut self, update: &str) {
        self.real.test.execute(&format!("UPDATE {update}")).await;
        self.real = self.real.replica().await;
    }

    /// Every table that a step may touch holds what the books say.
    async fn check(&self) {
        let players = &self.books.players;
        self.real.assert_ledgers_add_up().await;
        for player in players {
            let balances = self.real.wallets.balances(player.identity.user_id).await;
            assert_eq!(balances.unwrap(), player.balances);
        }

        let progress = "SELECT u.level - 1, COALESCE(p.current_level, 0), \
            COALESCE(p.level_high_water, 0), COALESCE(p.current_xp, 0), \
            COALESCE(p.total_stamps, 0), COALESCE(p.internal_wins, 0), \
            (SELECT COUNT(*) FROM season_pass_stamp_log s WHERE s.user_id = u.user_id) \
            FROM user_profiles u JOIN user a ON a.id = u.user_id AND a.role = 'PLAYER' \
            LEFT JOIN season_pass_progress p ON p.user_id = u.user_id ORDER BY u.user_id";
        let expected = players.iter().map(|player| {
            let level = player.high_water;
            let (xp, stamps) = (player.xp, player.stamps);
            [level, level, level, xp, stamps, player.wins, stamps]
        });
        assert_eq!(self.numbers(progress).await, expected.collect::<Vec<_>>());

        let claimed = "SELECT user_id, level FROM season_pass_reward_log ORDER BY user_id, level";
        let expected = players.iter().flat_map(|player| {
            let levels = player.claimed.iter();
            levels.map(|level| [player.identity.user_id.0, *level])
        });
        assert_eq!(self.numbers(claimed).await, expected.collect::<Vec<_>>());

        let plays = "SELECT user_id, COUNT(*) FROM feature_log \
            GROUP BY user_id, event_day, feature_type ORDER BY user_id, event_day, feature_type";
        let expected = players.iter().flat_map(|player| {
            let plays = player.plays.values();
            plays.map(|plays| [player.identity.user_id.0, *plays])
        });
        assert_eq!(self.numbers(plays).await, expected.collect::<Vec<_>>());

        let stock = "SELECT stock, stock_supplied - stock, \
            (SELECT COUNT(*) FROM feature_log WHERE took_stock) \
            FROM lottery_prize WHERE stock IS NOT NULL";
        let (left, issued) = (self.books.stock, self.books.issued);
        assert_eq!(self.numbers(stock).await, [[left, issued, issued]]);

        let receipts = "SELECT grant_key, state, user_id, amount FROM reward_log";
        let receipt = |row: &QueryResult| {
            let text = |column: usize| row.try_get_by::<String, _>(column).unwrap();
            let number = |column: usize| row.try_get_by::<i64, _>(column).unwrap();
            (text(0), (text(1), number(2), number(3)))
        };
        let rows = self.rows(receipts).await;
        let receipts: BTreeMap<_, _> = rows.iter().map(receipt).collect();
        let expected = self.books.given.iter().map(|(key, (who, reward, state))| {
            let user_id = players[*who].identity.user_id;
            let state = state.as_str().to_owned();
            (key.clone(), (state, user_id.0, reward.amount()))
        });
        assert_eq!(receipts, expected.collect());

        // Of nothing the activity log has no row, and the others have one, with one more by whoever decides.
        let granted = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'REWARD_GRANTED'";
        let decided = "SELECT COUNT(*) FROM reward_log WHERE reviewed_at IS NOT NULL";
        let something = self.books.given.values();
        let something = something.filter(|(_, reward, _)| reward.amount() != 0);
        let count = async |sql| self.numbers::<1>(sql).await[0][0];
        let expected = i64::try_from(something.count()).unwrap() + count(decided).await;
        assert_eq!(count(granted).await, expected);
    }

    async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        let db = &self.real.test.db;
        let statement = Statement::from_string(db.backend(), sql);
        db.read().query_all_raw(statement).await.unwrap()
    }

    async fn numbers<const COLUMNS: usize>(&self, sql: &str) -> Vec<[i64; COLUMNS]> {
        let numbers = |row: &QueryResult| array::from_fn(|at| row.try_get_by(at).unwrap());
        self.rows(sql).await.iter().map(numbers).collect()
    }
}
