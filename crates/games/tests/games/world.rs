//! All games over a database, and fakes of them, with whatever a test wants different.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use async_trait::async_trait;
use xmas_activity::{Activities, ActivityLog, ActivityObserver, EventWriter};
use xmas_features::{FeatureRow, FeatureSettings, fake::FakeFeatures};
use xmas_games::{
    ActiveConfig, DrawRegistry, Engine, Fairness, Game, GameService, PlayCommand, PlayContext,
    catalog::Engines,
    dice::{Dice, NewDice},
    draw::Seed,
    fairness::InForceOdds,
    fake::FakeGame,
    lottery::{Lottery, NewLottery, NewPrize},
    roulette::{NewSegment, NewWheel, Roulette},
};
use xmas_kernel::{
    Asset, BundleId, Feature, UserId, entropy::Entropy, idempotency::RequestKey, seal::DataKey,
};
use xmas_players::Identity;
use xmas_rewards::{
    Credit, NewBundle, Reward, RewardDesk, RewardError, RewardType, Rewards, WalletService, Wallets,
};
use xmas_season_pass::{Level, NewSeason, SeasonMover, SeasonPass, SeasonPassOptions};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Utc};

pub const LIMIT: i64 = 8;
pub const REVIEW_POINTS: i64 = 10_000;
pub const DATA_KEY: &str = "the data key of all tests, 32 bytes or more";

pub fn at(day: u32) -> DateTime<Utc> {
    EventDay::from_ymd(2025, 12, day).unwrap().start()
}

/// Other bytes each time, and the same ones in every run: draws of a test are always the same.
#[derive(Default)]
pub struct Steps(AtomicU8);

impl Entropy for Steps {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, Ordering::SeqCst));
    }
}

pub fn reward(kind: RewardType, amount: i64) -> Reward {
    Reward::new(kind, amount).unwrap()
}

/// Slot by slot: nothing, three coins, 1,000 points, 1 XP, 10,000 points, two coins; all as likely.
pub fn wheel() -> NewWheel {
    let prizes = [
        Reward::NONE,
        reward(RewardType::TicketRoulette, 3),
        reward(RewardType::Point, 1_000),
        reward(RewardType::Xp, 1),
        reward(RewardType::Point, 10_000),
        reward(RewardType::TicketRoulette, 2),
    ];
    let segment = |(slot_index, reward): (i64, Reward)| NewSegment {
        slot_index,
        label: format!("칸 {slot_index}"),
        weight: 1,
        reward,
        is_jackpot: slot_index == 4,
    };
    NewWheel {
        name: "룰렛".to_owned(),
        max_daily_spins: LIMIT,
        segments: (0..).zip(prizes).map(segment).collect(),
    }
}

/// A wheel on which only one slot comes up, with this prize.
pub fn sure(prize: Reward) -> NewWheel {
    let mut wheel = wheel();
    for segment in &mut wheel.segments {
        segment.weight = i64::from(segment.slot_index == 0);
    }
    wheel.segments[0].reward = prize;
    wheel.max_daily_spins = 0;
    wheel
}

pub fn dice() -> NewDice {
    NewDice {
        name: "주사위".to_owned(),
        max_daily_plays: LIMIT,
        win: reward(RewardType::TicketDice, 2),
        draw: reward(RewardType::Point, 100),
        lose: Reward::NONE,
    }
}

pub fn prize(label: &str, weight: i64, stock: Option<i64>, reward: Reward) -> NewPrize {
    NewPrize {
        label: label.to_owned(),
        weight,
        stock,
        reward,
        is_active: true,
    }
}

pub fn lottery() -> NewLottery {
    NewLottery {
        name: "복권".to_owned(),
        max_daily_plays: LIMIT,
        prizes: vec![
            prize("다음 기회에", 4, None, Reward::NONE),
            prize("복권 2장", 3, None, reward(RewardType::TicketLottery, 2)),
            prize(
                "3,000 포인트",
                2,
                Some(500),
                reward(RewardType::Point, 3_000),
            ),
        ],
    }
}

/// One level at 20 XP, which pays one roulette coin by itself.
pub fn season() -> NewSeason {
    NewSeason {
        name: "S".to_owned(),
        start: EventDay::from_ymd(2025, 12, 25).unwrap(),
        end: EventDay::from_ymd(2025, 12, 31).unwrap(),
        max_level: 1,
        base_xp_per_stamp: 20,
        max_xp_bonus: 20,
        grace_days: 7,
        internal_win_threshold: 50,
        is_active: true,
        levels: vec![Level {
            level: 1,
            required_xp: 20,
            reward: reward(RewardType::TicketRoulette, 1),
            reward_label: "룰렛 티켓 1장".to_owned(),
            auto_claim: true,
            manual: false,
        }],
    }
}

pub fn features(xp_per_play: u32, stamp_on_play: bool) -> Arc<FakeFeatures> {
    let features = FakeFeatures::default();
    for feature in Feature::ALL {
        features.put(FeatureRow {
            feature,
            title: feature.to_string(),
            page_path: "/".to_owned(),
            is_enabled: true,
            settings: FeatureSettings {
                xp_per_play,
                stamp_on_play,
            },
        });
    }
    Arc::new(features)
}

/// What a test wants different.
pub struct Setting {
    pub xp_per_play: u32,
    pub stamp_on_play: bool,
    pub observers: Vec<Arc<dyn ActivityObserver>>,
    pub season: NewSeason,
    pub wheel: NewWheel,
    pub dice: NewDice,
    pub lottery: NewLottery,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            xp_per_play: 0,
            stamp_on_play: false,
            observers: Vec::new(),
            season: season(),
            wheel: wheel(),
            dice: dice(),
            lottery: lottery(),
        }
    }
}

/// What has gone to the database.
#[derive(Default)]
pub struct Statements {
    count: AtomicU64,
    hook: Mutex<Option<(Wanted, Hook)>>,
    /// Once so many have gone.
    last: Mutex<Option<(u64, Hook)>>,
}

type Wanted = fn(&str) -> bool;
type Hook = Box<dyn FnOnce() + Send>;

impl Statements {
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Does something right after the next statement that is wanted, before whoever sent it hears of it.
    pub fn after(&self, wanted: Wanted, hook: impl FnOnce() + Send + 'static) {
        *self.hook.lock().unwrap() = Some((wanted, Box::new(hook)));
    }

    /// Does something right after so many statements, the first of which is the next.
    pub fn after_so_many(&self, statements: u64, hook: impl FnOnce() + Send + 'static) {
        let last = self.count() + statements;
        *self.last.lock().unwrap() = Some((last, Box::new(hook)));
    }

    fn tell(&self, sql: &str) {
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let mut last = self.last.lock().unwrap();
        if let Some((_, hook)) = last.take_if(|(last, _)| *last <= count) {
            hook();
        }
        let mut waiting = self.hook.lock().unwrap();
        if let Some((_, hook)) = waiting.take_if(|(wanted, _)| wanted(sql)) {
            hook();
        }
    }
}

/// The real services over a fresh database.
pub struct Real {
    pub test: TestDb,
    pub statements: Arc<Statements>,
    pub features: Arc<FakeFeatures>,
    pub wallets: Arc<Wallets>,
    pub rewards: Arc<RewardDesk>,
    pub season_pass: Arc<SeasonPass>,
    pub draws: Arc<DrawRegistry>,
    pub roulette: Arc<Engine<Roulette>>,
    pub dice: Arc<Engine<Dice>>,
    pub lottery: Arc<Engine<Lottery>>,
    pub fairness: Arc<Fairness>,
}

impl Real {
    pub async fn new(setting: Setting) -> Self {
        let test = TestDb::new().await;
        let tx = test.db.begin().await.unwrap();
        let now = at(25);
        SeasonPass::insert_in_tx(&tx, &setting.season, now)
            .await
            .unwrap();
        Roulette::insert_active_in_tx(&tx, &setting.wheel, now)
            .await
            .unwrap();
        Dice::insert_active_in_tx(&tx, &setting.dice, now)
            .await
            .unwrap();
        Lottery::insert_active_in_tx(&tx, &setting.lottery, now)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let features = features(setting.xp_per_play, setting.stamp_on_play);
        Self::over(test, features, setting.observers)
    }

    /// Another process over the same database.
    pub async fn replica(&self) -> Self {
        let test = self.test.reconnected().await;
        Self::over(test, self.features.clone(), Vec::new())
    }

    fn over(
        mut test: TestDb,
        features: Arc<FakeFeatures>,
        observers: Vec<Arc<dyn ActivityObserver>>,
    ) -> Self {
        let statements = Arc::new(Statements::default());
        let told = statements.clone();
        test.db
            .observe_statements(move |executed| told.tell(executed.sql));
        let db = test.db.clone();
        let log = ActivityLog::with_observers(observers);
        let ledger = Rewards::new(EventWriter, REVIEW_POINTS);
        let entropy = Arc::new(Steps::default());
        let key = DataKey::new(DATA_KEY);
        let rewards = Arc::new(RewardDesk::new(
            db.clone(),
            key.clone(),
            entropy.clone(),
            ledger.clone(),
        ));
        let ledger = Arc::new(ledger);
        let mover = SeasonMover::new(ledger.clone(), log.clone());
        let pages = Arc::new(Activities::new(db.clone(), log.clone()));
        let season_pass = Arc::new(SeasonPass::new(SeasonPassOptions {
            db: db.clone(),
            features: features.clone(),
            rewards: rewards.clone(),
            pages: pages.clone(),
            activity: log.clone(),
            mover: mover.clone(),
        }));
        let wallets = Arc::new(Wallets::new(db.clone()));
        let draws = Arc::new(DrawRegistry::new(db.clone(), key, entropy));
        let context = PlayContext {
            db: db.clone(),
            features: features.clone(),
            ledger,
            rewards: rewards.clone(),
            seasons: season_pass.clone(),
            progress: Arc::new(mover),
            pages,
            activity: log,
            draws: draws.clone(),
        };
        let engines = Engines::new(&context);
        let fairness = Arc::new(Fairness::new(db, draws.clone(), engines.odds()));
        Self {
            test,
            statements,
            features,
            wallets,
            rewards,
            season_pass,
            draws,
            roulette: engines.roulette,
            dice: engines.dice,
            lottery: engines.lottery,
            fairness,
        }
    }

    /// The odds of a game that is played.
    pub async fn in_force(&self, game: Feature, now: DateTime<Utc>) -> InForceOdds {
        let odds = self.fairness.odds(game, now).await.unwrap();
        odds.in_force.unwrap()
    }

    /// A new player with so many tokens of each game.
    pub async fn player(&self, name: &str, tokens: i64) -> Identity {
        let player = self.test.player(name).await;
        if tokens > 0 {
            for asset in [Asset::RouletteCoin, Asset::DiceToken, Asset::LotteryTicket] {
                self.give(&player, asset, tokens).await;
            }
        }
        player
    }

    pub async fn give(&self, player: &Identity, asset: Asset, amount: i64) {
        let credit = Credit {
            asset,
            amount,
            reason: "ADMIN_GRANT",
            reference: "test".to_owned(),
            actor: "tester".to_owned(),
        };
        let given = self.wallets.credit(player.user_id, &credit, at(25));
        given.await.unwrap();
    }

    /// A bundle, as the seeds add them.
    pub async fn bundle(&self, bundle: &NewBundle) -> Result<BundleId, RewardError> {
        let tx = self.test.db.begin().await?;
        let id = RewardDesk::add_bundle_in_tx(&tx, bundle, at(25)).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Rows of every table that a play touches, and the sums that it moves.
    pub async fn rows(&self) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in [
            "feature_log",
            "feature_redraw",
            "wallet_ledger",
            "reward_log",
            "season_pass_progress",
            "season_pass_stamp_log",
            "season_pass_reward_log",
            "user_event_log",
            "idempotency_key",
        ] {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            rows.push(self.test.count(&sql).await);
        }
        for sum in [
            "SELECT SUM(balance) FROM user_game_wallet",
            "SELECT SUM(level) FROM user_profiles",
            "SELECT COALESCE(SUM(stock), 0) FROM lottery_prize",
            "SELECT COUNT(*) FROM coupon_code WHERE reward_id IS NOT NULL",
        ] {
            rows.push(self.test.count(sum).await);
        }
        rows
    }

    /// No wallet is negative or differs from the sum of its ledger.
    pub async fn assert_ledgers_add_up(&self) {
        let negative = "SELECT COUNT(*) FROM user_game_wallet WHERE balance < 0";
        assert_eq!(self.test.count(negative).await, 0);
        let differ = "SELECT COUNT(*) FROM user_game_wallet w WHERE balance <> \
            (SELECT COALESCE(SUM(delta), 0) FROM wallet_ledger l \
             WHERE l.user_id = w.user_id AND l.asset = w.asset)";
        assert_eq!(self.test.count(differ).await, 0);
    }
}

/// A game that can be real or fake.
#[async_trait]
pub trait World<G: Game> {
    fn service(&self) -> &dyn GameService<G>;
    fn features(&self) -> &FakeFeatures;
    /// A new player with so many tokens of the game.
    async fn player_with(&self, name: &str, tokens: i64) -> Identity;
}

macro_rules! real_world {
    ($game:ty, $field:ident) => {
        #[async_trait]
        impl World<$game> for Real {
            fn service(&self) -> &dyn GameService<$game> {
                &*self.$field
            }

            fn features(&self) -> &FakeFeatures {
                &self.features
            }

            async fn player_with(&self, name: &str, tokens: i64) -> Identity {
                self.player(name, tokens).await
            }
        }
    };
}

real_world!(Roulette, roulette);
real_world!(Dice, dice);
real_world!(Lottery, lottery);

pub struct Fake<G: Game> {
    features: Arc<FakeFeatures>,
    service: FakeGame<G>,
}

impl<G: Game> Fake<G> {
    pub fn new(config: ActiveConfig<G>) -> Self {
        let features = features(0, false);
        let service = FakeGame::new(features.clone(), Seed::new([7; 32]), Some(config));
        Self { features, service }
    }
}

#[async_trait]
impl<G: Game> World<G> for Fake<G> {
    fn service(&self) -> &dyn GameService<G> {
        &self.service
    }

    fn features(&self) -> &FakeFeatures {
        &self.features
    }

    async fn player_with(&self, name: &str, tokens: i64) -> Identity {
        let user_id = UserId(name.bytes().map(i64::from).sum());
        self.service.give_tokens(user_id, tokens);
        Identity {
            user_id,
            token_epoch: 0,
        }
    }
}

pub fn play(identity: Identity) -> PlayCommand {
    PlayCommand {
        identity,
        request: None,
    }
}

pub fn keyed(identity: Identity, key: &str, body: &str) -> PlayCommand {
    let request = RequestKey::new(key, "POST", "/play", body.as_bytes()).unwrap();
    PlayCommand {
        identity,
        request: Some(request),
    }
}
