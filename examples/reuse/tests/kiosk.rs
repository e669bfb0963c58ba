//! The kiosk on fakes of every service: no database, and a clock that stands still.

use std::sync::Arc;

use kiosk::{Kiosk, KioskError, Slip, Visitor};
use xmas_activity::{Event, EventKind};
use xmas_core_auth::{AuthError, fake::FakeAuth};
use xmas_event_bridge::{BridgeDay, Mission, NewBridge, fake::FakeBridge};
use xmas_features::fake::FakeFeatures;
use xmas_games::{
    draw::Seed,
    fake::FakeGame,
    roulette::{NewSegment, NewWheel, Roulette},
};
use xmas_kernel::{Asset, Feature, SeasonId};
use xmas_players::{Identity, Role, Status};
use xmas_rewards::{Credit, Reward, RewardType, WalletService, fake::FakeWallets};
use xmas_season_pass::{Level, NewSeason, SeasonError, fake::FakeSeasonPass};
use xmas_time::{Clock, EventDay, ManualClock};

/// The kiosk, its fakes, and one player.
struct Shop {
    kiosk: Kiosk,
    auth: Arc<FakeAuth>,
    wheel: Arc<FakeGame<Roulette>>,
    wallets: Arc<FakeWallets>,
    bridge: Arc<FakeBridge>,
    features: Arc<FakeFeatures>,
    clock: Arc<ManualClock>,
    santa: Identity,
}

fn day(day: u32) -> EventDay {
    EventDay::from_ymd(2025, 12, day).unwrap()
}

/// Level 1 at one stamp, level 2 at three.
fn season() -> NewSeason {
    let level = |level, required_xp| Level {
        level,
        required_xp,
        reward: Reward::new(RewardType::Point, 10).unwrap(),
        reward_label: "10 points".to_owned(),
        auto_claim: true,
        manual: false,
    };
    NewSeason {
        name: "Christmas 2025".to_owned(),
        start: day(25),
        end: day(31),
        max_level: 2,
        base_xp_per_stamp: 20,
        max_xp_bonus: 0,
        grace_days: 0,
        internal_win_threshold: 50,
        is_active: true,
        levels: vec![level(1, 20), level(2, 60)],
    }
}

/// A wheel that always stops at the star.
fn wheel() -> NewWheel {
    let segment = |slot_index: i64| NewSegment {
        slot_index,
        label: if slot_index == 3 { "a star" } else { "nothing" }.to_owned(),
        weight: i64::from(slot_index == 3),
        reward: Reward::NONE,
        is_jackpot: slot_index == 3,
    };
    NewWheel {
        name: "wheel".to_owned(),
        max_daily_spins: 2,
        segments: (0..6).map(segment).collect(),
    }
}

/// One key, for the stamp of the 26th.
fn bridge() -> NewBridge {
    NewBridge {
        season_id: SeasonId(1),
        days: vec![BridgeDay {
            number: 1,
            day: day(26),
            event_type: "KEY_DAY_1".to_owned(),
            mission: Mission::Stamp,
            points: 1_000,
        }],
        keys_required: 1,
        settle_on: day(31).next(),
        auto_settle: true,
    }
}

impl Shop {
    fn new() -> Self {
        let features = Arc::new(FakeFeatures::all_on());
        let auth = Arc::new(FakeAuth::default());
        let santa = auth.add("santa", "sleigh", Role::Player);
        let seasons = Arc::new(FakeSeasonPass::new(features.clone()));
        seasons.insert(season());
        let seed = Seed::new([7; 32]);
        let wheel = FakeGame::with_wheel(features.clone(), seed, wheel()).unwrap();
        let wheel = Arc::new(wheel);
        let wallets = Arc::new(FakeWallets::for_players([santa.user_id]));
        let bridge = Arc::new(FakeBridge::new(bridge()));
        let clock = Arc::new(ManualClock::at(day(26).start()));
        let kiosk = Kiosk {
            auth: auth.clone(),
            seasons,
            wheel: wheel.clone(),
            wallets: wallets.clone(),
            bridge: bridge.clone(),
            clock: clock.clone(),
        };
        Self {
            kiosk,
            auth,
            wheel,
            wallets,
            bridge,
            features,
            clock,
            santa,
        }
    }

    async fn visit(&self, ticket: &str) -> Result<Slip, KioskError> {
        let visitor = Visitor {
            ticket,
            external_id: "santa",
            password: "sleigh",
        };
        self.kiosk.serve(visitor).await
    }
}

#[tokio::test]
async fn a_visitor_gets_a_stamp_a_spin_and_a_slip() {
    let shop = Shop::new();
    shop.wheel.give_tokens(shop.santa.user_id, 1);
    let credit = Credit {
        asset: Asset::Point,
        amount: 500,
        reason: "GIFT",
        reference: "shop".to_owned(),
        actor: "shop".to_owned(),
    };
    let now = shop.clock.now();
    let paid = shop.wallets.credit(shop.santa.user_id, &credit, now).await;
    assert_eq!(paid.unwrap(), 500);
    let slip = shop.visit("A-1").await.unwrap();
    let expected = Slip {
        name: "santa".to_owned(),
        is_stamped: true,
        level: 1,
        spin: Some("a star".to_owned()),
        points: 500,
        keys: Some((0, 1)),
        left: "144:00:00".to_owned(),
    };
    assert_eq!(slip, expected);
    let printed = "santa: level 1, a new stamp\nThe wheel says: a star\n500 points\n\
                   0 of 1 keys\n144:00:00 left";
    assert_eq!(slip.to_string(), printed);
}

#[tokio::test]
async fn one_stamp_a_day_and_one_spin_a_coin() {
    let shop = Shop::new();
    shop.wheel.give_tokens(shop.santa.user_id, 2);
    let first = shop.visit("A-1").await.unwrap();
    assert!(first.is_stamped && first.spin.is_some());
    let second = shop.visit("A-2").await.unwrap();
    assert!(!second.is_stamped && second.spin.is_some());
    let third = shop.visit("A-3").await.unwrap();
    assert!(!third.is_stamped && third.spin.is_none());
    shop.clock.set(day(27).start());
    assert!(shop.visit("A-4").await.unwrap().is_stamped);
    shop.clock.set(day(28).start());
    assert_eq!(shop.visit("A-5").await.unwrap().level, 2);
}

#[tokio::test]
async fn a_ticket_that_is_read_again_spins_no_second_time() {
    let shop = Shop::new();
    shop.wheel.give_tokens(shop.santa.user_id, 2);
    let first = shop.visit("A-1").await.unwrap();
    let again = shop.visit("A-1").await.unwrap();
    assert_eq!(again.spin, first.spin);
    // One coin is left.
    assert!(shop.visit("A-2").await.unwrap().spin.is_some());
    assert!(shop.visit("A-3").await.unwrap().spin.is_none());
}

#[tokio::test]
async fn the_day_s_key_is_on_the_slip() {
    let shop = Shop::new();
    let stamp = Event {
        kind: EventKind::SeasonPassStamp,
        feature: Some(Feature::SeasonPass),
        meta: serde_json::json!({}),
    };
    let now = shop.clock.now();
    shop.bridge.observe(shop.santa.user_id, &stamp, now);
    assert_eq!(shop.visit("A-1").await.unwrap().keys, Some((1, 1)));
}

#[tokio::test]
async fn a_stranger_and_a_blocked_visitor_get_no_slip() {
    let shop = Shop::new();
    for (external_id, password) in [("santa", "wrong"), ("grinch", "sleigh"), ("", "")] {
        let visitor = Visitor {
            ticket: "A-1",
            external_id,
            password,
        };
        let refused = shop.kiosk.serve(visitor).await;
        let refused = refused.unwrap_err();
        assert!(matches!(
            refused,
            KioskError::Auth(AuthError::InvalidCredentials)
        ));
    }
    shop.auth.set_status(shop.santa.user_id, Status::Blocked);
    let refused = shop.visit("A-1").await.unwrap_err();
    assert!(matches!(refused, KioskError::Auth(AuthError::Access(_))));
}

#[tokio::test]
async fn between_seasons_and_behind_a_kill_switch_the_kiosk_is_closed() {
    let shop = Shop::new();
    shop.clock.set(day(24).start());
    let closed = shop.visit("A-1").await.unwrap_err();
    assert!(matches!(
        closed,
        KioskError::Season(SeasonError::NoActiveSeason)
    ));
    shop.clock.set(day(26).start());
    shop.features.set_enabled(Feature::Roulette, false);
    let closed = shop.visit("A-2").await.unwrap_err();
    assert!(matches!(closed, KioskError::Wheel(_)), "{closed:?}");
}
