//! Limited prizes and coupon codes, when everybody wants them at once.

use std::collections::{BTreeMap, HashSet};

use sea_orm::DbBackend;
use xmas_games::{GameError, GameService, fairness::ReportQuery, lottery::NewLottery};
use xmas_kernel::{
    Asset, CouponKindId, Feature, RewardId,
    audit::Actor,
    db::DbError,
    paging::{Cursor, Limit},
};
use xmas_players::{Identity, Inactive};
use xmas_rewards::{
    ClashWith, CouponCode, NewCouponKind, Reward, RewardError, RewardService, RewardState,
    RewardType,
};

use crate::world::{Real, Setting, at, lottery, play, prize, reward};

fn codes(count: usize) -> Vec<CouponCode> {
    let code = |number| CouponCode::try_from(format!("XMAS-{number:05}").as_str()).unwrap();
    (0..count).map(code).collect()
}

async fn admin(real: &Real) -> Actor {
    real.test.operator("admin-1").await
}

async fn free_codes(real: &Real, kind: CouponKindId) -> u64 {
    real.rewards.coupon_kind(kind).await.unwrap().stock.free
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_plays_at_once_share_a_stock_of_twenty_exactly() {
    const PLAYERS: usize = 500;
    const PLAYS: i64 = 1_000;
    const STOCK: i64 = 20;
    // Half of all draws want one of twenty.
    let real = Real::new(Setting {
        lottery: NewLottery {
            max_daily_plays: 0,
            prizes: vec![
                prize("다음 기회에", 300, None, Reward::NONE),
                prize("포인트", 200, None, reward(RewardType::Point, 10)),
                prize("한정", 500, Some(STOCK), reward(RewardType::CcCoin, 1)),
            ],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    let mut players = Vec::new();
    for number in 0..PLAYERS {
        let player = real.test.player(&format!("player-{number}")).await;
        real.give(&player, Asset::LotteryTicket, 2).await;
        players.push(player);
    }
    // Two replicas, each with its own idea of what is left.
    let replica = real.replica().await;
    let lost_locks = match real.test.db.backend() {
        DbBackend::Sqlite => 5,
        _ => 0,
    };
    let plays: Vec<_> = players
        .iter()
        .flat_map(|player| {
            [
                (real.lottery.clone(), *player),
                (replica.lottery.clone(), *player),
            ]
        })
        .map(|(lottery, player)| {
            tokio::spawn(async move {
                // Nobody is next for the lock of a file, so that one of two pools may wait for longer than a
                // use case does. Whoever is told so plays again, as a client would; nothing may be left of it.
                for _ in 0..lost_locks {
                    match lottery.play(&play(player), at(26)).await {
                        Err(GameError::Db(DbError::Contention(_))) => {}
                        played => return played,
                    }
                }
                lottery.play(&play(player), at(26)).await
            })
        })
        .collect();
    let mut prizes: BTreeMap<String, i64> = BTreeMap::new();
    // How many draw from a table that still had it is up to the machine; the next test has one that surely does.
    let mut redrawn = 0;
    for play in plays {
        let play = play.await.unwrap().unwrap().result;
        redrawn += i64::from(play.receipt.attempt > 0);
        *prizes.entry(play.outcome.label).or_default() += 1;
    }
    assert_eq!(prizes["한정"], STOCK);
    assert_eq!(prizes.values().sum::<i64>(), PLAYS);
    let query = ReportQuery {
        only: None,
        before: None,
        limit: Limit::clamped(9),
    };
    let whole = real.fairness.report(Feature::Lottery, query, at(26)).await;
    let drawn: i64 = whole.unwrap().items.iter().map(|report| report.draws).sum();
    assert_eq!(
        drawn,
        PLAYS + real.test.count("SELECT COUNT(*) FROM feature_redraw").await
    );
    let of = |label: &str| {
        format!(
            "SELECT COUNT(*) FROM feature_log l JOIN lottery_prize p ON p.id = l.entry_id WHERE p.label = '{label}'"
        )
    };
    for (label, count) in &prizes {
        assert_eq!(real.test.count(&of(label)).await, *count, "{label}");
    }
    for (sql, expected) in [
        ("SELECT stock FROM lottery_prize WHERE label = '한정'", 0),
        (
            "SELECT COUNT(*) FROM feature_log WHERE took_stock = 1",
            STOCK,
        ),
        (
            "SELECT SUM(delta) FROM wallet_ledger WHERE asset = 'CC_COIN'",
            STOCK,
        ),
        (
            "SELECT SUM(delta) FROM wallet_ledger WHERE reason = 'PLAY' AND asset = 'LOTTERY_TICKET'",
            -PLAYS,
        ),
        (
            "SELECT COUNT(*) FROM feature_log WHERE attempt > 0",
            redrawn,
        ),
        ("SELECT COUNT(*) FROM feature_redraw", redrawn),
        (
            "SELECT SUM(balance) FROM user_game_wallet WHERE asset = 'LOTTERY_TICKET'",
            0,
        ),
    ] {
        assert_eq!(real.test.count(sql).await, expected, "{sql}");
    }
    real.assert_ledgers_add_up().await;
    drop(replica);
}

#[tokio::test]
async fn a_prize_that_ran_out_behind_the_table_is_drawn_around_and_recorded() {
    let real = Real::new(Setting {
        lottery: NewLottery {
            prizes: vec![
                prize("다음 기회에", 1, None, Reward::NONE),
                prize(
                    "하나",
                    1_000_000_000,
                    Some(1),
                    reward(RewardType::CcCoin, 1),
                ),
                prize("둘", 1_000_000, Some(1), reward(RewardType::CcCoin, 2)),
            ],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 4).await;
    // The table is looked up, and only then does everything limited run out.
    real.lottery.status(&player, at(26)).await.unwrap();
    real.test
        .execute("UPDATE lottery_prize SET stock = 0 WHERE stock IS NOT NULL")
        .await;
    let played = real.lottery.play(&play(player), at(26)).await.unwrap();
    let played = played.result;
    assert_eq!(
        (played.outcome.label.as_str(), played.receipt.attempt),
        ("다음 기회에", 2)
    );
    assert_eq!(played.token_balance, 3, "one ticket for however many draws");
    let redraws = "SELECT COUNT(*) FROM feature_redraw r JOIN lottery_prize p ON p.id = r.entry_id \
        WHERE (r.attempt = 0 AND p.label = '하나') OR (r.attempt = 1 AND p.label = '둘')";
    assert_eq!(real.test.count(redraws).await, 2);
    // Three tables have been in force: the whole one, and without the one and the other.
    let tables = "SELECT COUNT(*) FROM odds_table WHERE feature_type = 'LOTTERY'";
    assert_eq!(real.test.count(tables).await, 3);
}

#[tokio::test]
async fn when_the_last_thing_there_was_has_run_out_no_ticket_is_taken() {
    let real = Real::new(Setting {
        lottery: NewLottery {
            prizes: vec![prize("하나", 1, Some(1), reward(RewardType::CcCoin, 1))],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 2).await;
    real.lottery.play(&play(player), at(26)).await.unwrap();
    let before = real.rows().await;
    let refused = real.lottery.play(&play(player), at(26)).await;
    assert!(matches!(refused, Err(GameError::InvalidConfig(_))));
    assert_eq!(real.rows().await, before);
}

/// A lottery in which everybody wins a coupon, and a stock of codes.
async fn coupons_for_all(stock: usize, manual: bool) -> Real {
    let real = Real::new(Setting {
        lottery: NewLottery {
            max_daily_plays: 0,
            prizes: vec![prize("쿠폰", 1, None, Reward::NONE)],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    let kind = NewCouponKind {
        name: "배민 2만".to_owned(),
        manual,
        ignores_case: false,
    };
    let admin = admin(&real).await;
    let kind = real
        .rewards
        .add_coupon_kind(&admin, &kind, at(25))
        .await
        .unwrap();
    let kind = kind.id;
    let codes = codes(stock);
    let stocked = real
        .rewards
        .add_codes(&admin, kind, &codes, None, at(25))
        .await;
    assert_eq!(stocked.unwrap().result.stock.free, stock as u64);
    real.test
        .execute(&format!(
            "UPDATE lottery_prize SET reward_type = 'COUPON', reward_amount = 1, reward_item = {kind}"
        ))
        .await;
    real
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_winners_at_once_share_fifty_codes_exactly() {
    let real = coupons_for_all(50, false).await;
    let mut players = Vec::new();
    for number in 0..200 {
        let player = real.test.player(&format!("player-{number}")).await;
        real.give(&player, Asset::LotteryTicket, 1).await;
        players.push(player);
    }
    let plays: Vec<_> = players
        .iter()
        .map(|player| (real.lottery.clone(), *player))
        .map(|(lottery, player)| {
            tokio::spawn(async move { lottery.play(&play(player), at(26)).await })
        })
        .collect();
    let mut shown = HashSet::new();
    let mut waiting = 0;
    for play in plays {
        let receipt = play.await.unwrap().unwrap().result.receipt;
        match receipt.reward_state {
            RewardState::Delivered => assert!(shown.insert(receipt.coupon_code.unwrap())),
            RewardState::PendingReview => {
                assert_eq!(receipt.coupon_code, None);
                waiting += 1;
            }
            RewardState::Rejected => panic!("{receipt:?}"),
        }
    }
    assert_eq!((shown.len(), waiting), (50, 150));
    for (sql, expected) in [
        ("SELECT COUNT(DISTINCT reward_id) FROM coupon_code", 50),
        (
            "SELECT COUNT(*) FROM reward_log WHERE state = 'PENDING_REVIEW' AND reason = 'NO_COUPON_LEFT'",
            150,
        ),
        (
            "SELECT COUNT(*) FROM reward_log WHERE state = 'DELIVERED' AND reward_type = 'COUPON'",
            50,
        ),
        (
            "SELECT SUM(balance) FROM user_game_wallet WHERE asset = 'LOTTERY_TICKET'",
            0,
        ),
    ] {
        assert_eq!(real.test.count(sql).await, expected, "{sql}");
    }
    real.assert_ledgers_add_up().await;
}

#[tokio::test]
async fn a_code_is_shown_to_its_winner_alone_and_kept_sealed() {
    let real = coupons_for_all(1, false).await;
    let (winner, other) = (
        real.player("winner", 1).await,
        real.player("other", 1).await,
    );
    let command = crate::world::keyed(winner, "k", "");
    let won = real.lottery.play(&command, at(26)).await.unwrap();
    assert_eq!(
        won.result.receipt.coupon_code.as_deref(),
        Some("XMAS-00000")
    );
    // Asked again with the same key, the answer has the code again, though it was not stored.
    let again = real.lottery.play(&command, at(26)).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.result, won.result);
    let key = format!("play:{}", won.result.receipt.play_id);
    let keys = [key];
    let codes = real.rewards.coupon_codes(other.user_id, &keys).await;
    assert!(codes.unwrap().is_empty());
    for leak in [
        "SELECT COUNT(*) FROM coupon_code WHERE sealed_code LIKE '%XMAS%' OR fingerprint LIKE '%XMAS%'",
        "SELECT COUNT(*) FROM idempotency_key WHERE result LIKE '%XMAS-0%'",
        "SELECT COUNT(*) FROM user_event_log WHERE meta_json LIKE '%XMAS-0%'",
        "SELECT COUNT(*) FROM feature_log WHERE outcome LIKE '%XMAS-0%'",
    ] {
        assert_eq!(real.test.count(leak).await, 0, "{leak}");
    }
}

#[tokio::test]
async fn codes_are_uploaded_all_or_none() {
    let real = coupons_for_all(3, false).await;
    let kind = CouponKindId(1);
    let upload = [codes(4), codes(1)].concat();
    let admin = admin(&real).await;
    let refused = real
        .rewards
        .add_codes(&admin, kind, &upload, None, at(26))
        .await;
    // The first three were there, and the last one is in the upload twice.
    let Err(RewardError::CodesClash(clashes)) = refused else {
        panic!("{refused:?}");
    };
    let clashes = clashes.into_iter().map(|clash| (clash.place, clash.with));
    let expected = [0, 1, 2, 4].map(|place| (place, ClashWith::OwnStock));
    assert!(clashes.eq(expected));
    assert_eq!(free_codes(&real, kind).await, 3);
    let unknown = CouponKindId(9);
    let refused = real
        .rewards
        .add_codes(&admin, unknown, &upload, None, at(26));
    let refused = refused.await;
    assert!(matches!(refused, Err(RewardError::UnknownCouponKind)));
    for bad in ["", " ", "A B", "A\tB", "A\u{0}", &"x".repeat(101)] {
        assert!(CouponCode::try_from(bad).is_err(), "{bad:?}");
    }
}

async fn waiting(real: &Real) -> Vec<RewardId> {
    let page = real
        .rewards
        .pending_rewards(Limit::clamped(200), None)
        .await;
    page.unwrap().items.iter().map(|reward| reward.id).collect()
}

#[tokio::test]
async fn a_waiting_coupon_is_released_once_codes_are_there() {
    let real = coupons_for_all(0, false).await;
    let player = real.player("a", 1).await;
    real.lottery.play(&play(player), at(26)).await.unwrap();
    let [reward] = waiting(&real).await[..] else {
        panic!("one reward waits")
    };
    let admin = admin(&real).await;
    let before = real.rows().await;
    let refused = real
        .rewards
        .approve(&admin, reward, Inactive::Refused, None, at(26))
        .await;
    assert!(matches!(refused, Err(RewardError::NoCouponLeft)));
    assert_eq!(real.rows().await, before);
    let kind = CouponKindId(1);
    let two = codes(2);
    let added = real
        .rewards
        .add_codes(&admin, kind, &two, None, at(26))
        .await;
    assert_eq!(added.unwrap().result.stock.waiting, 1);
    let approved = real
        .rewards
        .approve(&admin, reward, Inactive::Refused, None, at(26))
        .await;
    let approved = approved.unwrap().result.receipt;
    assert_eq!(approved.state, RewardState::Delivered);
    let keys = [approved.grant_key];
    let codes = real.rewards.coupon_codes(player.user_id, &keys).await;
    assert_eq!(codes.unwrap()[&keys[0]], "XMAS-00000");
    assert_eq!(free_codes(&real, kind).await, 1);
}

#[tokio::test]
async fn a_coupon_that_waits_is_not_given_a_withheld_code() {
    let real = coupons_for_all(1, true).await;
    let player = real.player("a", 1).await;
    real.lottery.play(&play(player), at(26)).await.unwrap();
    let [reward] = waiting(&real).await[..] else {
        panic!("one reward waits")
    };
    // As a migration withholds it.
    real.test
        .execute(
            "INSERT INTO coupon_withheld (kind_id, fingerprint, folded, sealed_code, created_at) \
             SELECT kind_id, fingerprint, folded, sealed_code, created_at FROM coupon_code",
        )
        .await;
    real.test.execute("DELETE FROM coupon_code").await;
    let admin = admin(&real).await;
    let refused = real
        .rewards
        .approve(&admin, reward, Inactive::Refused, None, at(26))
        .await;
    assert!(matches!(refused, Err(RewardError::NoCouponLeft)));
    let kind = CouponKindId(1);
    let refused = real
        .rewards
        .add_codes(&admin, kind, &codes(2), None, at(26))
        .await;
    let Err(RewardError::CodesClash(clashes)) = refused else {
        panic!("{refused:?}");
    };
    let withheld = ClashWith::Withheld("배민 2만".to_owned());
    assert_eq!((clashes.len(), &clashes[0].with), (1, &withheld));
    let another = &codes(2)[1..];
    let added = real
        .rewards
        .add_codes(&admin, kind, another, None, at(26))
        .await;
    added.unwrap();
    let approved = real
        .rewards
        .approve(&admin, reward, Inactive::Refused, None, at(26))
        .await;
    let keys = [approved.unwrap().result.receipt.grant_key];
    let codes = real.rewards.coupon_codes(player.user_id, &keys).await;
    assert_eq!(codes.unwrap()[&keys[0]], "XMAS-00001");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_clicks_twice_or_against_each_other_decides_once() {
    let real = Real::new(Setting {
        wheel: crate::world::sure(reward(RewardType::Point, 10_000)),
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 10).await;
    for _ in 0..10 {
        real.roulette.play(&play(player), at(26)).await.unwrap();
    }
    let rewards = waiting(&real).await;
    assert_eq!(rewards.len(), 10);
    let admin = admin(&real).await;
    let decisions: Vec<_> = rewards
        .iter()
        .flat_map(|reward| (0..8).map(|click| (*reward, click)))
        .map(|(reward, click)| {
            let (desk, admin) = (real.rewards.clone(), admin.clone());
            tokio::spawn(async move {
                if click % 2 == 0 {
                    desk.approve(&admin, reward, Inactive::Refused, None, at(27))
                        .await
                } else {
                    desk.reject(&admin, reward, "중복 계정", None, at(27)).await
                }
            })
        })
        .collect();
    let (mut approved, mut rejected) = (0, 0);
    for decision in decisions {
        match decision
            .await
            .unwrap()
            .map(|decision| decision.result.receipt)
        {
            Ok(receipt) if receipt.state == RewardState::Delivered => approved += 1,
            Ok(receipt) => {
                assert_eq!(receipt.reason.as_deref(), Some("중복 계정"));
                rejected += 1;
            }
            Err(error) => assert!(matches!(error, RewardError::NotPending), "{error:?}"),
        }
    }
    assert_eq!(approved + rejected, 10);
    let points = "SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet WHERE asset = 'POINT'";
    assert_eq!(real.test.count(points).await, approved * 10_000);
    let left =
        "SELECT COUNT(*) FROM reward_log WHERE state = 'REJECTED' AND reviewed_by = 'admin-1'";
    assert_eq!(real.test.count(left).await, rejected);
    real.assert_ledgers_add_up().await;
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action LIKE 'REWARD_%'";
    assert_eq!(real.test.count(told).await, 10);
    let nobody = real
        .rewards
        .approve(&admin, RewardId(999_999), Inactive::Refused, None, at(27));
    assert!(matches!(nobody.await, Err(RewardError::NotFound)));
    let silent = real.rewards.reject(&admin, rewards[0], " ", None, at(27));
    assert!(matches!(silent.await, Err(RewardError::Invalid(_))));
}

#[tokio::test]
async fn the_queue_is_paged_newest_first_and_coupons_may_be_manual() {
    let real = coupons_for_all(5, true).await;
    let player: Identity = real.player("a", 3).await;
    for _ in 0..3 {
        let won = real.lottery.play(&play(player), at(26)).await.unwrap();
        let state = won.result.receipt.reward_state;
        assert_eq!(state, RewardState::PendingReview);
    }
    let kind = CouponKindId(1);
    assert_eq!(free_codes(&real, kind).await, 5);
    let first = real
        .rewards
        .pending_rewards(Limit::clamped(2), None)
        .await
        .unwrap();
    let ids: Vec<i64> = first.items.iter().map(|reward| reward.id.0).collect();
    assert!(ids.is_sorted_by(|a, b| a > b));
    assert_eq!(first.items[0].reason.as_deref(), Some("MANUAL"));
    assert_eq!(first.next, Some(Cursor(ids[1])));
    let last = real
        .rewards
        .pending_rewards(Limit::clamped(2), first.next)
        .await;
    assert_eq!(last.unwrap().items.len(), 1);
}
