//! What every [`BridgeService`] promises: the real one, and the fake for other crates' tests.

use xmas_activity::{Event, EventKind};
use xmas_event_bridge::{BridgeService, BridgeStatus, SlotState, fake::FakeBridge};
use xmas_kernel::{Feature, SeasonId, UserId};
use xmas_players::Identity;
use xmas_time::{DateTime, Utc};

use super::{ALL_POINTS, Real, at, bridge, day, new_year};

/// The bridge of `super::bridge`, and players who walk on it.
trait World {
    fn service(&self) -> &dyn BridgeService;

    fn season(&self) -> SeasonId;

    async fn player(&self, external_id: &str) -> Identity;

    async fn act(&self, player: &Identity, kind: EventKind, feature: Feature, now: DateTime<Utc>);

    /// Pays everybody who may be paid.
    async fn settle(&self, now: DateTime<Utc>);
}

impl World for Real {
    fn service(&self) -> &dyn BridgeService {
        &self.bridges
    }

    fn season(&self) -> SeasonId {
        self.season
    }

    async fn player(&self, external_id: &str) -> Identity {
        self.test.player(external_id).await
    }

    async fn act(&self, player: &Identity, kind: EventKind, feature: Feature, now: DateTime<Utc>) {
        Real::act(self, player, kind, feature, now).await;
    }

    async fn settle(&self, now: DateTime<Utc>) {
        let settled = self.settlement.settle(self.id, 100, now, &|_| ());
        settled.await.unwrap();
    }
}

const SEASON: SeasonId = SeasonId(3);

impl World for FakeBridge {
    fn service(&self) -> &dyn BridgeService {
        self
    }

    fn season(&self) -> SeasonId {
        SEASON
    }

    async fn player(&self, external_id: &str) -> Identity {
        Identity {
            user_id: UserId(i64::try_from(external_id.len()).unwrap()),
            token_epoch: 0,
        }
    }

    async fn act(&self, player: &Identity, kind: EventKind, feature: Feature, now: DateTime<Utc>) {
        let event = Event {
            kind,
            feature: Some(feature),
            meta: serde_json::json!({}),
        };
        self.observe(player.user_id, &event, now);
    }

    async fn settle(&self, _: DateTime<Utc>) {
        FakeBridge::settle(self);
    }
}

#[tokio::test]
async fn the_real_one_keeps_the_contract() {
    contract(&Real::new().await).await;
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    contract(&FakeBridge::new(bridge(SEASON, 2025))).await;
}

async fn shown(world: &impl World, player: &Identity, now: DateTime<Utc>) -> BridgeStatus {
    let status = world.service().status(player.user_id, world.season(), now);
    status.await.unwrap().unwrap()
}

async fn states(world: &impl World, player: &Identity, now: DateTime<Utc>) -> Vec<SlotState> {
    let slots = shown(world, player, now).await.slots.into_iter();
    slots.map(|slot| slot.state).collect()
}

async fn play(world: &impl World, player: &Identity, game: Feature, now: DateTime<Utc>) {
    world.act(player, EventKind::Play, game, now).await;
}

async fn contract(world: &impl World) {
    use SlotState::{Collected, Missed, Open, Upcoming};
    let walker = world.player("walker").await;
    let idler = world.player("idle").await;

    // Nothing is shown before the first day, nor of a season that has no bridge.
    let service = world.service();
    let early = service.status(walker.user_id, world.season(), at(24)).await;
    assert_eq!(early.unwrap(), None);
    let elsewhere = SeasonId(world.season().0 + 1);
    let other = service.status(walker.user_id, elsewhere, at(25)).await;
    assert_eq!(other.unwrap(), None);

    let first = shown(world, &walker, at(25)).await;
    let expected = BridgeStatus {
        slots: first.slots.clone(),
        keys_required: 3,
        pending_points: 0,
        settles_on: day(31).next(),
        settled: false,
    };
    assert_eq!(first, expected);
    let days: Vec<_> = first.slots.iter().map(|slot| slot.day.clone()).collect();
    assert_eq!(days, bridge(world.season(), 2025).days);
    assert_eq!(
        states(world, &walker, at(25)).await,
        [Open, Upcoming, Upcoming]
    );

    // Only the day's own mission earns its key, and only once.
    play(world, &walker, Feature::Lottery, at(25)).await;
    assert_eq!(states(world, &walker, at(25)).await[0], Open);
    for _ in 0..2 {
        play(world, &walker, Feature::Dice, at(25)).await;
        let status = shown(world, &walker, at(25)).await;
        assert_eq!(status.slots[0].state, Collected);
        assert_eq!(status.pending_points, 1_000);
    }
    assert_eq!(states(world, &idler, at(25)).await[0], Open);

    // The mission of another day is too late, and one missed stays missed.
    play(world, &idler, Feature::Dice, at(26)).await;
    assert_eq!(
        states(world, &idler, at(26)).await,
        [Missed, Open, Upcoming]
    );
    let (stamp, pass) = (EventKind::SeasonPassStamp, Feature::SeasonPass);
    for player in [&walker, &idler] {
        world.act(player, stamp, pass, at(26)).await;
    }

    // All games take all games of one day.
    for game in [Feature::Lottery, Feature::Lottery, Feature::Roulette] {
        play(world, &walker, game, at(27)).await;
        assert_eq!(states(world, &walker, at(27)).await[2], Open);
    }
    play(world, &walker, Feature::Dice, at(27)).await;
    assert_eq!(
        states(world, &walker, at(27)).await,
        [Collected, Collected, Collected]
    );
    assert_eq!(
        shown(world, &walker, at(27)).await.pending_points,
        ALL_POINTS
    );

    // After the last day nothing is earned any more.
    play(world, &idler, Feature::Dice, at(28)).await;
    assert_eq!(
        states(world, &idler, at(28)).await,
        [Missed, Collected, Missed]
    );

    // Whoever has all keys is paid once the bridge is settled; nobody else is.
    assert!(!shown(world, &walker, new_year(1)).await.settled);
    let due = new_year(1) + chrono::TimeDelta::minutes(10);
    world.settle(due).await;
    let paid = shown(world, &walker, due).await;
    assert!(paid.settled);
    assert_eq!(paid.pending_points, 0);
    assert!(paid.slots.iter().all(|slot| slot.state == Collected));
    let unpaid = shown(world, &idler, due).await;
    assert!(!unpaid.settled);
    assert_eq!(unpaid.pending_points, 2_000);
}
