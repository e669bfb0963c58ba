//! The contract of [`FeatureService`], held by the fake and by the real service.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::time::{Duration, Instant};

use async_trait::async_trait;
use xmas_cache::Snapshot;
use xmas_features::{
    FeatureError, FeatureRow, FeatureService, FeatureSettings, Features, fake::FakeFeatures,
};
use xmas_kernel::{Feature, db::DbError};
use xmas_test_support::TestDb;
use xmas_time::{Clock, EventDay, SystemClock};

fn day(day: u32) -> EventDay {
    EventDay::from_ymd(2025, 12, day).unwrap()
}

fn row(feature: Feature) -> FeatureRow {
    FeatureRow {
        feature,
        title: "룰렛".to_owned(),
        page_path: "/roulette".to_owned(),
        is_enabled: true,
        settings: FeatureSettings {
            xp_per_play: 5,
            stamp_on_play: true,
        },
    }
}

/// What the contract needs beyond the service itself.
#[async_trait]
trait World {
    fn service(&self) -> &dyn FeatureService;
    async fn put(&self, row: FeatureRow);
    async fn switch(&self, feature: Feature, enabled: bool);
    async fn schedule(&self, day: EventDay, feature: Feature);
}

async fn kill_switch_contract(world: &dyn World) {
    let require = async || world.service().require(Feature::Roulette, day(26)).await;
    assert!(matches!(require().await, Err(FeatureError::NotToday)));

    world.put(row(Feature::Roulette)).await;
    // The process that adds a row may still hold an older copy, as another replica would.
    let dice = async || world.service().require(Feature::Dice, day(26)).await;
    assert!(matches!(dice().await, Err(FeatureError::NotToday)));

    world.switch(Feature::Roulette, false).await;
    assert!(matches!(require().await, Err(FeatureError::Disabled)));
    world.switch(Feature::Roulette, true).await;
    assert_eq!(require().await.unwrap(), row(Feature::Roulette).settings);
}

async fn gate_contract(world: &dyn World) {
    world.put(row(Feature::Roulette)).await;
    world.schedule(day(26), Feature::Roulette).await;
    let require = async |day| world.service().require(Feature::Roulette, day).await;
    assert!(require(day(26)).await.is_ok());
    assert!(matches!(
        require(day(27)).await,
        Err(FeatureError::NotToday)
    ));
}

struct Real {
    test: TestDb,
    features: Features,
}

impl Real {
    async fn new(gate_enabled: bool) -> Self {
        let test = TestDb::new().await;
        let features = Features::new(test.db.clone(), gate_enabled);
        Self { test, features }
    }
}

#[async_trait]
impl World for Real {
    fn service(&self) -> &dyn FeatureService {
        &self.features
    }

    async fn put(&self, row: FeatureRow) {
        let tx = self.test.db.begin().await.unwrap();
        Features::insert_in_tx(&tx, &row, SystemClock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    async fn switch(&self, feature: Feature, enabled: bool) {
        self.features
            .set_enabled(feature, enabled, SystemClock.now())
            .await
            .unwrap();
    }

    async fn schedule(&self, day: EventDay, feature: Feature) {
        let sql = format!("INSERT INTO feature_schedule VALUES ('{day}', '{feature}', 1)");
        self.test.execute(&sql).await;
    }
}

#[async_trait]
impl World for FakeFeatures {
    fn service(&self) -> &dyn FeatureService {
        self
    }

    async fn put(&self, row: FeatureRow) {
        FakeFeatures::put(self, row);
    }

    async fn switch(&self, feature: Feature, enabled: bool) {
        self.set_enabled(feature, enabled);
    }

    async fn schedule(&self, day: EventDay, feature: Feature) {
        FakeFeatures::schedule(self, day, feature);
    }
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    kill_switch_contract(&FakeFeatures::default()).await;
    gate_contract(&FakeFeatures::default()).await;
}

#[tokio::test]
async fn the_service_keeps_the_contract() {
    kill_switch_contract(&Real::new(false).await).await;
    gate_contract(&Real::new(true).await).await;
}

#[tokio::test]
async fn a_switch_thrown_by_another_replica_acts_within_a_second() {
    let here = Real::new(false).await;
    here.put(row(Feature::Roulette)).await;
    let there = Features::new(here.test.db.clone(), false);
    assert!(there.require(Feature::Roulette, day(26)).await.is_ok());
    here.switch(Feature::Roulette, false).await;
    // The promise is the copies' lifetime; a busy machine may look later than it could.
    const { assert!(Snapshot::<(), ()>::LIFETIME.as_millis() < 1_000) };
    let thrown = Instant::now();
    while there.require(Feature::Roulette, day(26)).await.is_ok() {
        assert!(
            thrown.elapsed() < Duration::from_secs(30),
            "the switch has not arrived"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_broken_row_stops_only_its_own_feature() {
    let real = Real::new(false).await;
    real.put(row(Feature::Roulette)).await;
    real.put(row(Feature::Dice)).await;
    for broken in ["null", "{\"xp_per_play\":-1}"] {
        let sql = "UPDATE feature_config SET config_json = '{}' WHERE feature_type = 'DICE'";
        real.test.execute(&sql.replace("{}", broken)).await;
        let features = Features::new(real.test.db.clone(), false);
        assert!(features.require(Feature::Roulette, day(26)).await.is_ok());
        let refused = features.require(Feature::Dice, day(26)).await;
        assert!(matches!(refused, Err(FeatureError::NotToday)));
    }
}

/// What another process does that applies an event.
async fn apply_an_event(test: &TestDb) {
    let turn = "UPDATE config_lock SET turn = turn + 1 WHERE area = 'EVENT'";
    test.execute(turn).await;
}

#[tokio::test]
async fn another_event_is_noticed_by_whoever_reads_a_part_of_it_first() {
    let test = TestDb::new().await;
    let features = Features::new(test.db.clone(), false);
    let dice = async || features.require(Feature::Dice, day(26)).await;
    let put = async |feature| {
        let tx = test.db.begin().await.unwrap();
        Features::insert_in_tx(&tx, &row(feature), SystemClock.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    put(Feature::Roulette).await;
    let before = test.db.event();
    assert!(matches!(dice().await, Err(FeatureError::NotToday)));
    // Others read their part.
    let other = async || {
        let conn = test.db.read();
        let part = test
            .db
            .load_of_event(conn, || async { Ok::<_, DbError>(1) });
        assert_eq!(part.await.unwrap(), 1);
    };
    let looks = std::cell::Cell::new(0);
    let look = || async {
        looks.set(looks.get() + 1);
        let found = dice().await;
        if looks.get() == 1 {
            put(Feature::Dice).await;
            apply_an_event(&test).await;
        }
        other().await;
        found
    };
    let (event, found) = test.db.look_at_event(look).await.unwrap();
    assert_eq!(looks.get(), 2);
    assert_ne!(event, before);
    // The copy from before may not be out of date yet.
    assert!(found.is_ok());
}

#[tokio::test]
async fn a_part_under_which_the_event_becomes_another_is_read_again() {
    let test = TestDb::new().await;
    let conn = test.db.read();
    let reads = std::cell::Cell::new(0);
    let part = test.db.load_of_event(conn, || async {
        reads.set(reads.get() + 1);
        if reads.get() <= 2 {
            apply_an_event(&test).await;
        }
        Ok::<_, DbError>(reads.get())
    });
    assert_eq!(part.await.unwrap(), 3);
    let restless = test.db.load_of_event(conn, || async {
        apply_an_event(&test).await;
        Ok::<_, DbError>(())
    });
    assert!(matches!(restless.await, Err(DbError::Contention(_))));
}
