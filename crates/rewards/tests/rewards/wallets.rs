//! The contract of [`WalletService`], held by the fake and by the real service, and what grants
//! and spends do in a transaction.

use std::sync::Arc;

use xmas_activity::EventWriter;
use xmas_kernel::{
    Asset, RewardId, SeasonId, UserId,
    db::DbError,
    entropy::OsEntropy,
    paging::{Cursor, Limit},
    seal::DataKey,
};
use xmas_players::{Identity, Inactive, lock_in_tx};
use xmas_rewards::{
    Books, CouponCode, Credit, CreditError, Grant, GrantSource, Granted, NewCouponKind, Reward,
    RewardDesk, RewardError, RewardLedger, RewardState, RewardType, Rewards, Spend, SpendError,
    WalletService, Wallets, XpCorrection, constraints, fake::FakeWallets,
};
use xmas_test_support::TestDb;
use xmas_time::{DateTime, EventDay, Utc};

fn now() -> DateTime<Utc> {
    EventDay::from_ymd(2025, 12, 26).unwrap().start()
}

fn credit(asset: Asset, amount: i64) -> Credit {
    Credit {
        asset,
        amount,
        reason: "ADMIN_GRANT",
        reference: "test".to_owned(),
        actor: "tester".to_owned(),
    }
}

async fn wallet_contract(wallets: &dyn WalletService, player: UserId, nobody: UserId) {
    let give = async |asset, amount| wallets.credit(player, &credit(asset, amount), now()).await;
    assert!(
        wallets
            .balances(player)
            .await
            .unwrap()
            .values()
            .all(|balance| *balance == 0)
    );
    assert_eq!(
        wallets.balances(player).await.unwrap().len(),
        Asset::ALL.len()
    );

    assert_eq!(give(Asset::RouletteCoin, 3).await.unwrap(), 3);
    assert_eq!(give(Asset::RouletteCoin, 4).await.unwrap(), 7);
    assert_eq!(give(Asset::Point, 100).await.unwrap(), 100);
    for amount in [0, -1, i64::MIN, i64::MAX, Reward::MAX_AMOUNT + 1] {
        let refused = give(Asset::Point, amount).await;
        assert!(
            matches!(refused, Err(CreditError::InvalidAmount)),
            "{amount}"
        );
    }
    let refused = wallets
        .credit(nobody, &credit(Asset::Point, 1), now())
        .await;
    assert!(matches!(refused, Err(CreditError::UnknownPlayer)));

    let balances = wallets.balances(player).await.unwrap();
    assert_eq!(
        (balances[&Asset::RouletteCoin], balances[&Asset::Point]),
        (7, 100)
    );
    let first = wallets
        .ledger(player, Limit::clamped(2), None)
        .await
        .unwrap();
    let deltas: Vec<_> = first
        .items
        .iter()
        .map(|row| (row.delta, row.balance_after))
        .collect();
    assert_eq!(deltas, [(100, 100), (4, 7)]);
    assert_eq!(first.next, Some(Cursor(first.items[1].id)));
    let last = wallets
        .ledger(player, Limit::clamped(2), first.next)
        .await
        .unwrap();
    assert_eq!(last.items.len(), 1);
    assert_eq!(last.items[0].actor, "tester");
    assert_eq!(last.next, None);
}

#[tokio::test]
async fn the_fake_keeps_the_wallet_contract() {
    let wallets = FakeWallets::for_players([UserId(1)]);
    wallet_contract(&wallets, UserId(1), UserId(2)).await;
}

#[tokio::test]
async fn the_service_keeps_the_wallet_contract() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let wallets = Wallets::new(test.db.clone());
    wallet_contract(&wallets, player.user_id, UserId(player.user_id.0 + 1)).await;
}

fn grant(key: &str, kind: RewardType, amount: i64) -> Grant {
    Grant {
        grant_key: key.to_owned(),
        source: GrantSource::Play,
        reward: Reward::new(kind, amount).unwrap(),
        label: None,
        manual: false,
        season_id: Some(SeasonId(1)),
    }
}

async fn give(test: &TestDb, player: &Identity, grant: &Grant) -> Granted {
    try_to_give(test, player, grant).await.unwrap()
}

async fn try_to_give(test: &TestDb, player: &Identity, grant: &Grant) -> Result<Granted, DbError> {
    let rewards = Rewards::new(EventWriter, 10_000);
    let tx = test.db.begin().await?;
    let locked = lock_in_tx(&tx, player).await.unwrap();
    let mut books = Books::lock_in_tx(&tx, &locked, now()).await?;
    let granted = rewards.grant(&mut books, grant).await?;
    books.write_in_tx().await?;
    tx.commit().await?;
    Ok(granted)
}

#[tokio::test]
async fn what_was_given_is_not_given_again_under_its_key() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let tickets = grant("play:1", RewardType::TicketRoulette, 3);
    let given = give(&test, &player, &tickets).await;
    assert_eq!(given.state, RewardState::Delivered);
    let again = try_to_give(&test, &player, &tickets).await.unwrap_err();
    assert!(again.violates(&constraints::GRANT), "{again:?}");
    let balances = Wallets::new(test.db.clone())
        .balances(player.user_id)
        .await
        .unwrap();
    assert_eq!(balances[&Asset::RouletteCoin], 3);
    for table in ["wallet_ledger", "reward_log", "user_event_log"] {
        assert_eq!(
            test.count(&format!("SELECT COUNT(*) FROM {table}")).await,
            1,
            "{table}"
        );
    }
}

/// A play may win the coupon that the level pays which it reaches.
#[tokio::test]
async fn two_coupons_of_a_kind_at_once_are_two_codes_or_wait_for_an_admin() {
    for stock in 0..=2 {
        let test = TestDb::new().await;
        let (player, admin) = (test.player("a").await, test.operator("operator").await);
        let rewards = Rewards::new(EventWriter, 10_000);
        let desk = RewardDesk::new(
            test.db.clone(),
            DataKey::new("the key of this test, 32 bytes or more"),
            Arc::new(OsEntropy),
            rewards.clone(),
        );
        let kind = NewCouponKind {
            name: "coffee".to_owned(),
            manual: false,
            ignores_case: false,
        };
        let kind = desk.add_coupon_kind(&admin, &kind, now()).await.unwrap().id;
        let codes = ["ONE-1", "TWO-2"].into_iter().take(stock);
        let codes: Vec<CouponCode> = codes
            .map(|code| CouponCode::try_from(code).unwrap())
            .collect();
        if !codes.is_empty() {
            let added = desk.add_codes(&admin, kind, &codes, None, now());
            added.await.unwrap();
        }
        let tx = test.db.begin().await.unwrap();
        let locked = lock_in_tx(&tx, &player).await.unwrap();
        let mut books = Books::lock_in_tx(&tx, &locked, now()).await.unwrap();
        let mut delivered = 0;
        for key in ["play:1", "season:1:level:8"] {
            let coupon = Grant {
                reward: Reward::coupon(kind),
                ..grant(key, RewardType::None, 0)
            };
            let granted = rewards.grant(&mut books, &coupon).await.unwrap();
            delivered += usize::from(granted.state == RewardState::Delivered);
        }
        books.write_in_tx().await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(delivered, stock);
        let given = "SELECT COUNT(DISTINCT reward_id) FROM coupon_code WHERE reward_id IS NOT NULL";
        assert_eq!(test.count(given).await, i64::try_from(stock).unwrap());
        let waiting = "SELECT COUNT(*) FROM reward_log WHERE reason = 'NO_COUPON_LEFT'";
        assert_eq!(test.count(waiting).await, i64::try_from(2 - stock).unwrap());
    }
}

#[tokio::test]
async fn a_big_prize_waits_and_pays_nothing_yet() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let jackpot = give(&test, &player, &grant("play:1", RewardType::Point, 10_000)).await;
    assert_eq!(jackpot.state, RewardState::PendingReview);
    assert_eq!(test.count("SELECT COUNT(*) FROM wallet_ledger").await, 0);
    let waiting =
        "SELECT COUNT(*) FROM reward_log WHERE state = 'PENDING_REVIEW' AND delivered_at IS NULL";
    assert_eq!(test.count(waiting).await, 1);
}

#[tokio::test]
async fn of_nothing_only_a_receipt_is_written_and_it_is_delivered() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let kinds: Vec<RewardType> = RewardType::ALL
        .into_iter()
        .filter(|kind| Reward::new(*kind, 0).is_ok())
        .collect();
    for kind in &kinds {
        let nothing = Grant {
            manual: true,
            season_id: None,
            ..grant(&format!("play:{kind}"), *kind, 0)
        };
        let granted = give(&test, &player, &nothing).await;
        assert_eq!(granted.state, RewardState::Delivered, "{kind}");
        assert_eq!(granted.xp_due, 0, "{kind}");
    }
    let delivered = "SELECT COUNT(*) FROM reward_log WHERE state = 'DELIVERED' AND amount = 0 \
        AND delivered_at IS NOT NULL AND reason IS NULL";
    assert_eq!(
        test.count(delivered).await,
        i64::try_from(kinds.len()).unwrap()
    );
    for table in ["wallet_ledger", "user_game_wallet", "user_event_log"] {
        let rows = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(test.count(&rows).await, 0, "{table}");
    }
}

#[tokio::test]
async fn xp_is_a_receipt_and_a_debt_of_the_caller_s() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let xp = give(&test, &player, &grant("play:1:xp", RewardType::Xp, 5)).await;
    assert_eq!((xp.state, xp.xp_due), (RewardState::Delivered, 5));
    let again = grant("play:1:xp", RewardType::Xp, 5);
    assert!(try_to_give(&test, &player, &again).await.is_err());
    assert_eq!(
        test.count("SELECT SUM(amount) FROM reward_log WHERE season_id = 1")
            .await,
        5
    );
}

#[tokio::test]
async fn a_correction_of_xp_is_a_receipt_of_its_sign_that_waits_for_nobody() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let rewards = Rewards::new(EventWriter, 10_000);
    let tx = test.db.begin().await.unwrap();
    let locked = lock_in_tx(&tx, &player).await.unwrap();
    for (grant_key, delta) in [("correction:1", 80), ("correction:2", -90)] {
        let correction = XpCorrection {
            grant_key: grant_key.to_owned(),
            delta,
            season_id: SeasonId(1),
            reason: Some("가".repeat(500)),
        };
        let corrected = rewards.correct_xp_in_tx(&tx, &locked, &correction, now());
        corrected.await.unwrap();
    }
    tx.commit().await.unwrap();
    let total = "SELECT SUM(amount) FROM reward_log WHERE reward_type = 'XP' \
                 AND state = 'DELIVERED' AND CHAR_LENGTH(reason) = 191";
    let total = match test.db.backend() {
        sea_orm::DbBackend::Sqlite => total.replace("CHAR_LENGTH", "LENGTH"),
        _ => total.to_owned(),
    };
    assert_eq!(test.count(&total).await, -10);
    let told = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'REWARD_GRANTED'";
    assert_eq!(test.count(told).await, 2);
    assert_eq!(test.count("SELECT COUNT(*) FROM wallet_ledger").await, 0);
    // An admin who looks for it finds it decided, and not broken.
    let key = DataKey::new("the data key of all tests, 32 bytes or more");
    let desk = RewardDesk::new(test.db.clone(), key, Arc::new(OsEntropy), rewards);
    let operator = test.operator("tester").await;
    let id = test.count("SELECT MAX(id) FROM reward_log").await;
    let approved = desk
        .approve(&operator, RewardId(id), Inactive::Refused, None, now())
        .await;
    assert!(
        matches!(approved, Err(RewardError::NotPending)),
        "{approved:?}"
    );
    let rejected = desk
        .reject(&operator, RewardId(id), "no", None, now())
        .await;
    assert!(
        matches!(rejected, Err(RewardError::NotPending)),
        "{rejected:?}"
    );
}

#[tokio::test]
async fn a_spend_takes_all_or_nothing() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let wallets = Wallets::new(test.db.clone());
    wallets
        .credit(player.user_id, &credit(Asset::DiceToken, 2), now())
        .await
        .unwrap();
    let spend = |amount| Spend {
        asset: Asset::DiceToken,
        amount,
        reason: "PLAY",
        reference: "play:1".to_owned(),
    };
    let tx = test.db.begin().await.unwrap();
    let locked = lock_in_tx(&tx, &player).await.unwrap();
    let mut books = Books::lock_in_tx(&tx, &locked, now()).await.unwrap();
    let too_much = books.spend(&spend(3));
    assert!(matches!(too_much, Err(SpendError::NotEnough)));
    assert_eq!(books.spend(&spend(2)).unwrap(), 0);
    assert_eq!(books.balance(Asset::DiceToken), 0);
    books.write_in_tx().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(test.count("SELECT SUM(delta) FROM wallet_ledger").await, 0);
    assert_eq!(test.count("SELECT COUNT(*) FROM wallet_ledger").await, 2);
}

#[tokio::test]
async fn a_balance_that_would_overflow_stays_as_it_is() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let sql = format!(
        "INSERT INTO user_game_wallet VALUES ({}, 'POINT', {}, '2025-12-26 00:00:00.000000')",
        player.user_id,
        i64::MAX
    );
    test.execute(&sql).await;
    let wallets = Wallets::new(test.db.clone());
    let refused = wallets
        .credit(player.user_id, &credit(Asset::Point, 1), now())
        .await;
    assert!(matches!(refused, Err(CreditError::InvalidAmount)));
    assert_eq!(test.count("SELECT COUNT(*) FROM wallet_ledger").await, 0);
}

#[tokio::test]
async fn credits_in_parallel_add_up() {
    let test = TestDb::new().await;
    let player = test.player("a").await;
    let wallets = Wallets::new(test.db.clone());
    let credits: Vec<_> = (0..50)
        .map(|_| {
            let wallets = wallets.clone();
            tokio::spawn(async move {
                wallets
                    .credit(player.user_id, &credit(Asset::Point, 2), now())
                    .await
            })
        })
        .collect();
    for credit in credits {
        credit.await.unwrap().unwrap();
    }
    assert_eq!(
        wallets.balances(player.user_id).await.unwrap()[&Asset::Point],
        100
    );
    assert_eq!(
        test.count("SELECT SUM(delta) FROM wallet_ledger").await,
        100
    );
}
