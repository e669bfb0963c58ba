//! Odds that are announced: they take over at their instant, whoever plays where at that time.

use std::{collections::BTreeMap, sync::Arc};

use chrono::TimeDelta;
use sea_orm::DbBackend;
use xmas_games::{
    ConfigError, GameError, GameService,
    config::{
        ConfigEdit,
        plan::{LEAD, MAX_PLANS, NewPlan, Plan, PlanSource, PlanState},
    },
    fairness::ChangeKind::{self, Announced, InForce, Refused, TakenOver, Withdrawn},
    lottery::{NewLottery, PrizeEdit, PrizeList},
    roulette::SegmentEdit,
};
use xmas_kernel::{Asset, ConfigId, Feature, OddsId, PlanId, db::DbError, paging::Limit};
use xmas_rewards::{Reward, RewardType};
use xmas_time::{DateTime, EventDay, Utc};

use crate::world::{Real, Setting, at, lottery, play, prize, reward};

const ONE: ConfigId = ConfigId(1);

/// Ten in the morning of 26 December, as an example of an instant at which something takes over.
fn ten() -> DateTime<Utc> {
    at(26) + TimeDelta::hours(10)
}

type Prizes = ConfigEdit<Option<Vec<PrizeEdit>>>;

fn prizes(edit: &[PrizeEdit]) -> Prizes {
    ConfigEdit {
        body: Some(edit.to_vec()),
        ..ConfigEdit::default()
    }
}

/// A prize that stays, with another weight.
fn stays(label: &str, weight: i64) -> PrizeEdit {
    PrizeEdit {
        label: Some(label.to_owned()),
        weight: Some(weight),
        ..PrizeEdit::default()
    }
}

fn new(label: &str, weight: i64, stock: Option<i64>) -> PrizeEdit {
    let reward = xmas_games::config::RewardConfig::from(reward(RewardType::CcCoin, 1));
    PrizeEdit {
        label: Some(label.to_owned()),
        weight: Some(weight),
        stock: Some(stock),
        reward: (&reward).into(),
        ..PrizeEdit::default()
    }
}

/// Announces an edit of the lottery.
async fn plan(
    real: &Real,
    edit: &Prizes,
    effective_from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Plan<PrizeList>, ConfigError> {
    let actor = real.test.operator("operator").await;
    let new = NewPlan {
        effective_from,
        source: PlanSource::Edit(&|_| edit.clone()),
        seen: None,
    };
    real.lottery.plan(&actor, ONE, &new, now).await
}

/// Announces another weight of a wheel's first slot.
async fn plan_wheel(
    real: &Real,
    weight: i64,
    effective_from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<PlanId, ConfigError> {
    let actor = real.test.operator("operator").await;
    let new = NewPlan {
        effective_from,
        source: PlanSource::Edit(&|_| wheel(weight)),
        seen: None,
    };
    let plan = real.roulette.plan(&actor, ONE, &new, now).await?;
    Ok(plan.id)
}

/// Another weight of a wheel's first slot.
fn wheel(weight: i64) -> ConfigEdit<Option<Vec<SegmentEdit>>> {
    let mut segments = vec![SegmentEdit::default(); 6];
    segments[0].weight = Some(weight);
    ConfigEdit {
        body: Some(segments),
        ..ConfigEdit::default()
    }
}

fn fields(refused: Result<impl Sized, ConfigError>) -> Vec<String> {
    match refused.map(|_| ()) {
        Err(ConfigError::Invalid(problems)) => {
            problems.into_iter().map(|problem| problem.field).collect()
        }
        other => panic!("{other:?} is no problem with a field"),
    }
}

/// What the history of a day says, without the ids of what it is about.
async fn history(real: &Real, feature: Feature, day: u32) -> Vec<(ChangeKind, DateTime<Utc>)> {
    let day = EventDay::of(at(day));
    let all = (None, Limit::clamped(100));
    let history = real.fairness.history(feature, day, all, day.end());
    let changes = history.await.unwrap().changes.into_iter();
    changes.map(|change| (change.kind, change.at)).collect()
}

async fn odds(
    real: &Real,
    feature: Feature,
    now: DateTime<Utc>,
) -> (OddsId, Option<DateTime<Utc>>) {
    let odds = real.in_force(feature, now).await;
    (odds.published.odds_id, odds.since)
}

#[tokio::test]
async fn a_plan_takes_over_among_a_thousand_plays_on_two_replicas() {
    const PLAYERS: i64 = 200;
    const PLAYS: i64 = 1_000;
    const STOCK: i64 = 900;
    let real = Real::new(Setting {
        lottery: NewLottery {
            max_daily_plays: 0,
            prizes: vec![
                prize("다음 기회에", 300, None, Reward::NONE),
                prize("한정", 300, Some(STOCK), reward(RewardType::Point, 10)),
                prize(
                    "나중에 없음",
                    300,
                    Some(STOCK),
                    reward(RewardType::Point, 20),
                ),
            ],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    let mut players = Vec::new();
    for number in 0..PLAYERS {
        let player = real.test.player(&format!("player-{number}")).await;
        real.give(&player, Asset::LotteryTicket, PLAYS / PLAYERS)
            .await;
        players.push(player);
    }
    let replica = real.replica().await;
    let before = odds(&real, Feature::Lottery, at(26)).await.0;
    let edit = prizes(&[
        stays("다음 기회에", 100),
        stays("한정", 500),
        new("새 경품", 400, Some(STOCK)),
    ]);
    let planned = plan(&real, &edit, ten(), ten() - TimeDelta::minutes(5));
    let planned = planned.await.unwrap();
    // The instants of the plays are 1 ms apart, half of them before the plan's; they come in any order.
    let lost_locks = match real.test.db.backend() {
        DbBackend::Sqlite => 20,
        _ => 0,
    };
    let plays: Vec<_> = (0..PLAYS)
        .map(|number| {
            let place = number * 617 % PLAYS;
            let now = ten() + TimeDelta::milliseconds(place - PLAYS / 2);
            let lottery = match number % 2 {
                0 => real.lottery.clone(),
                _ => replica.lottery.clone(),
            };
            let player = players[usize::try_from(number % PLAYERS).unwrap()];
            tokio::spawn(async move {
                // Nobody is next for the lock of a file; whoever is told so plays again, as a client would.
                for _ in 0..lost_locks {
                    match lottery.play(&play(player), now).await {
                        Err(GameError::Db(DbError::Contention(_))) => {}
                        played => return (now, played),
                    }
                }
                (now, lottery.play(&play(player), now).await)
            })
        })
        .collect();
    let mut won: BTreeMap<String, i64> = BTreeMap::new();
    for played in plays {
        let (now, played) = played.await.unwrap();
        let played = played.unwrap().result;
        let expected = if now < ten() { before } else { planned.odds_id };
        assert_eq!(played.receipt.odds_id, expected, "{now}");
        *won.entry(played.outcome.label).or_default() += 1;
    }
    // As the log has it, which is what receipts are made of.
    let count = async |what: &str| {
        let sql = format!("SELECT COUNT(*) FROM feature_log WHERE {what}");
        real.test.count(&sql).await
    };
    let instant = (ten()).format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    let (early, late) = (
        format!("created_at < '{instant}' AND odds_id = {before}"),
        format!(
            "created_at >= '{instant}' AND odds_id = {}",
            planned.odds_id
        ),
    );
    assert_eq!(
        (count(&early).await, count(&late).await),
        (PLAYS / 2, PLAYS / 2)
    );
    // What stays keeps its stock, what is new has its own, and what was drawn is kept.
    let stock = async |label: &str| {
        let sql = format!("SELECT stock FROM lottery_prize WHERE label = '{label}'");
        real.test.count(&sql).await
    };
    for label in ["한정", "새 경품", "나중에 없음"] {
        assert!(won[label] > 50, "{won:?}");
        assert_eq!(stock(label).await, STOCK - won[label], "{label}");
    }
    real.assert_ledgers_add_up().await;
    let expected = [
        (Announced, ten() - TimeDelta::minutes(5)),
        (TakenOver, ten()),
        (InForce, ten()),
    ];
    assert_eq!(history(&real, Feature::Lottery, 26).await, expected);
    let (now, since) = odds(&replica, Feature::Lottery, ten() + LEAD).await;
    assert_eq!((now, since), (planned.odds_id, Some(ten())));
}

#[tokio::test]
async fn what_is_announced_is_seen_at_once_and_takes_over_without_a_job() {
    let real = Real::new(Setting::default()).await;
    let (before, since) = odds(&real, Feature::Roulette, at(25)).await;
    assert_eq!(since, Some(at(25)));
    let replica = real.replica().await;
    let saved = ten() - LEAD;
    plan_wheel(&real, 5, ten(), saved).await.unwrap();
    let shown = real.fairness.odds(Feature::Roulette, saved).await.unwrap();
    assert_eq!(shown.in_force.unwrap().published.odds_id, before);
    let [next] = &*shown.next else {
        panic!("{:?}", shown.next)
    };
    assert_eq!((next.effective_from, next.announced_at), (ten(), saved));
    assert_eq!(next.published.odds.entries()[0].weight, 5);
    // A replica whose copy is from just before the announcement does not play on with it.
    let stale = Real::replica(&real).await;
    let older = saved - TimeDelta::microseconds(1);
    assert_eq!(odds(&stale, Feature::Roulette, older).await.0, before);
    let micro = TimeDelta::microseconds(1);
    assert_eq!(
        odds(&replica, Feature::Roulette, ten() - micro).await,
        (before, Some(at(25)))
    );
    let after = (next.published.odds_id, Some(ten()));
    assert_eq!(odds(&stale, Feature::Roulette, ten()).await, after);
    assert_eq!(odds(&replica, Feature::Roulette, ten()).await, after);
    // Whoever is late still gets what was in force then, also on a replica that has just been started.
    let late = real.replica().await;
    let was = (before, Some(at(25)));
    assert_eq!(odds(&late, Feature::Roulette, ten() - micro).await, was);
    assert_eq!(odds(&replica, Feature::Roulette, ten() - micro).await, was);
    assert_eq!(odds(&late, Feature::Roulette, ten()).await, after);
    let expected = [(Announced, saved), (TakenOver, ten()), (InForce, ten())];
    assert_eq!(history(&real, Feature::Roulette, 26).await, expected);
    // As operators see it.
    let plans = real.roulette.plans(ONE, Limit::clamped(10), None).await;
    let plan = plans.unwrap().items.remove(0);
    assert_eq!(
        (plan.state, plan.ended_at),
        (PlanState::TakenOver, Some(ten()))
    );
    let by = |saved: Option<xmas_games::config::SavedBy>| {
        let saved = saved.unwrap();
        (saved.actor, saved.action)
    };
    assert_eq!(
        by(plan.planned),
        ("operator".into(), "ROULETTE_PLAN".into())
    );
    let versions = real.roulette.versions(ONE, Limit::clamped(10), None).await;
    let version = versions.unwrap().items.remove(0);
    assert_eq!((version.since, version.plan), (ten(), Some(plan.id)));
    let taken = ("operator".into(), "ROULETTE_TAKE_OVER".into());
    assert_eq!(by(version.saved), taken);
}

#[tokio::test]
async fn a_plan_is_withdrawn_until_its_instant_and_not_from_then_on() {
    let real = Real::new(Setting::default()).await;
    let before = odds(&real, Feature::Roulette, at(25)).await.0;
    let actor = real.test.operator("desk").await;
    let first = plan_wheel(&real, 5, ten(), at(26)).await.unwrap();
    let second = ten() + TimeDelta::hours(1);
    let later = plan_wheel(&real, 7, second, at(26)).await.unwrap();
    let replica = real.replica().await;
    assert_eq!(
        odds(&replica, Feature::Roulette, ten() - LEAD).await.0,
        before
    );
    let withdraw = async |plan, now| real.roulette.withdraw(&actor, ONE, plan, now).await;
    let withdrawn = ten() - TimeDelta::microseconds(1);
    let plan = withdraw(first, withdrawn).await.unwrap();
    assert_eq!(
        (plan.state, plan.ended_at),
        (PlanState::Withdrawn, Some(withdrawn))
    );
    assert_eq!(plan.withdrawn.unwrap().action, "ROULETTE_PLAN_WITHDRAW");
    for again in [withdrawn, ten()] {
        let refused = withdraw(first, again).await;
        assert!(
            matches!(refused, Err(ConfigError::PlanEnded)),
            "{refused:?}"
        );
    }
    let unknown = withdraw(PlanId(99), withdrawn).await;
    assert!(matches!(unknown, Err(ConfigError::UnknownPlan)));
    let other = real
        .roulette
        .withdraw(&actor, ConfigId(2), later, withdrawn);
    assert!(matches!(other.await, Err(ConfigError::UnknownPlan)));
    assert_eq!(odds(&replica, Feature::Roulette, ten()).await.0, before);
    // From its instant on the plan has taken over, whether or not anybody has played.
    let refused = withdraw(later, second).await;
    assert!(matches!(refused, Err(ConfigError::PlanEnded)));
    assert_ne!(odds(&replica, Feature::Roulette, second).await.0, before);
    let expected = [
        (Announced, at(26)),
        (Announced, at(26)),
        (Withdrawn, withdrawn),
        (TakenOver, second),
        (InForce, second),
    ];
    assert_eq!(history(&real, Feature::Roulette, 26).await, expected);
}

#[tokio::test]
async fn what_cannot_be_announced_is_refused_field_by_field_and_leaves_nothing() {
    let real = Real::new(Setting::default()).await;
    let player = real.player("a", 2).await;
    real.lottery.play(&play(player), at(26)).await.unwrap();
    let rows = async || {
        let mut rows = Vec::new();
        for table in [
            "odds_plan",
            "odds_change",
            "admin_audit_log",
            "lottery_prize",
        ] {
            rows.push(
                real.test
                    .count(&format!("SELECT COUNT(*) FROM {table}"))
                    .await,
            );
        }
        rows
    };
    let before = rows().await;
    let now = at(26);
    let same = Prizes::default();
    let (soon, far) = (
        now + LEAD - TimeDelta::microseconds(1),
        now + TimeDelta::days(367),
    );
    for instant in [now, now - TimeDelta::days(1), soon, far] {
        let refused = plan(&real, &same, instant, now).await;
        assert_eq!(fields(refused), ["effective_from"], "{instant}");
    }
    let off = ConfigEdit {
        is_active: Some(false),
        ..same.clone()
    };
    assert_eq!(
        fields(plan(&real, &off, ten(), now).await),
        ["config.is_active"]
    );
    let more = prizes(&[
        stays("다음 기회에", 4),
        PrizeEdit {
            stock: Some(Some(2_000)),
            ..stays("3,000 포인트", 2)
        },
    ]);
    assert_eq!(
        fields(plan(&real, &more, ten(), now).await),
        ["config.prizes.1.stock"]
    );
    let bad = prizes(&[stays("다음 기회에", -1), new("새 경품", 0, Some(-1))]);
    let told = fields(plan(&real, &bad, ten(), now).await);
    let expected = [
        "config.prizes.0.weight",
        "config.prizes.1.stock",
        "config.prizes",
    ];
    assert_eq!(told, expected);
    assert_eq!(rows().await, before);

    plan(&real, &same, ten(), now).await.unwrap();
    for near in [-59, 0, 59] {
        let instant = ten() + TimeDelta::seconds(near);
        let refused = plan(&real, &same, instant, now).await;
        assert_eq!(fields(refused), ["effective_from"], "{near}");
    }
    for number in 1..i64::try_from(MAX_PLANS).unwrap() {
        let instant = ten() + LEAD * i32::try_from(number).unwrap();
        plan(&real, &same, instant, now).await.unwrap();
    }
    let refused = plan(&real, &same, ten() + TimeDelta::days(1), now).await;
    assert_eq!(fields(refused), ["effective_from"]);
    // What is announced is not deleted, not even if nobody has played it.
    let actor = real.test.operator("desk").await;
    plan_wheel(&real, 5, ten(), now).await.unwrap();
    let refused = real.roulette.delete(&actor, ONE, now).await;
    assert!(matches!(refused, Err(ConfigError::InUse)));
}

#[tokio::test]
async fn two_who_announce_the_same_instant_at_once_do_not_both_succeed() {
    let real = Arc::new(Real::new(Setting::default()).await);
    let replica = Arc::new(real.replica().await);
    real.test.operator("operator").await;
    let plans = [real.clone(), replica].map(|real| {
        tokio::spawn(async move { plan_wheel(&real, 5, ten(), at(26)).await.map(|_| ()) })
    });
    let mut made = 0;
    for plan in plans {
        match plan.await.unwrap() {
            Ok(()) => made += 1,
            refused => assert_eq!(fields(refused), ["effective_from"]),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(real.test.count("SELECT COUNT(*) FROM odds_plan").await, 1);
}

#[tokio::test]
async fn what_cannot_take_over_is_refused_as_a_whole_and_players_play_on() {
    let real = Real::new(Setting::default()).await;
    let player = real.player("a", 4).await;
    let before = odds(&real, Feature::Lottery, at(26)).await.0;
    let edit = prizes(&[stays("다음 기회에", 1), new("새 경품", 400, Some(3))]);
    let planned = plan(&real, &edit, ten(), at(26)).await.unwrap();
    // By hand, since nothing else can: the prize names a bundle that is not there.
    let broken = "UPDATE odds_plan SET config = REPLACE(config, '\"reward_type\":\"CC_COIN\"', \
                  '\"reward_type\":\"BUNDLE\"')";
    real.test.execute(broken).await;
    let played = real.lottery.play(&play(player), ten()).await.unwrap();
    assert_eq!(played.result.receipt.odds_id, before);
    let plans = real.lottery.plans(ONE, Limit::clamped(10), None).await;
    let refused = plans.unwrap().items.remove(0);
    assert_eq!(
        (refused.id, refused.state),
        (planned.id, PlanState::Refused)
    );
    assert_eq!(refused.refused_for, ["prizes.1.reward_item"]);
    let expected = [(Announced, at(26)), (Refused, ten())];
    assert_eq!(history(&real, Feature::Lottery, 26).await, expected);
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'LOTTERY_PLAN_REFUSE' \
                AND after_json LIKE '%prizes.1.reward_item%'";
    assert_eq!(real.test.count(told).await, 1);
    // Nor does one that no release of ours has written.
    let second = ten() + TimeDelta::hours(1);
    let new = prizes(&[stays("다음 기회에", 2)]);
    plan(&real, &new, second, ten()).await.unwrap();
    real.test
        .execute("UPDATE odds_plan SET config = '{}'")
        .await;
    let played = real.lottery.play(&play(player), second).await.unwrap();
    assert_eq!(played.result.receipt.odds_id, before);
    let states = "SELECT COUNT(*) FROM odds_plan WHERE state = 'REFUSED'";
    assert_eq!(real.test.count(states).await, 2);
}

#[tokio::test]
async fn an_edit_before_the_instant_changes_what_is_in_force_and_not_what_is_announced() {
    let real = Real::new(Setting::default()).await;
    let actor = real.test.operator("desk").await;
    let edit = prizes(&[stays("다음 기회에", 1), new("새 경품", 400, Some(3))]);
    let planned = plan(&real, &edit, ten(), at(26)).await.unwrap();
    // The wheel is switched off meanwhile, a prize is added, and another one gets another number.
    let now = at(26) + TimeDelta::hours(1);
    let update = async |edit: Prizes, now| {
        real.lottery
            .update(&actor, ONE, &|_| edit.clone(), now)
            .await
    };
    let more = ConfigEdit {
        is_active: Some(false),
        ..prizes(&[stays("다음 기회에", 9), new("그사이", 1, None)])
    };
    update(more, now).await.unwrap();
    let nothing = real.fairness.odds(Feature::Lottery, now).await;
    assert!(nothing.unwrap().in_force.is_none());
    let shown = real.in_force(Feature::Lottery, ten()).await;
    assert_eq!(shown.published.odds_id, planned.odds_id);
    assert_eq!((shown.since, shown.limits.stock.len()), (Some(ten()), 1));
    let expected = [
        (Announced, at(26)),
        (ChangeKind::Nothing, now),
        (TakenOver, ten()),
        (InForce, ten()),
    ];
    let seen = history(&real, Feature::Lottery, 26).await;
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_would_keep_a_plan_from_taking_over_is_refused_before() {
    let real = Real::new(Setting::default()).await;
    let actor = real.test.operator("desk").await;
    let edit = prizes(&[stays("다음 기회에", 1), new("새 경품", 400, Some(3))]);
    let first = plan(&real, &edit, ten(), at(26)).await.unwrap();
    // One of this name that is drawn until then would be kept, and the two would be called the same.
    let same_name = prizes(&[stays("다음 기회에", 1), new("새 경품", 9, None)]);
    let update = async |edit: Prizes| {
        real.lottery
            .update(&actor, ONE, &|_| edit.clone(), at(26))
            .await
    };
    let refused = update(same_name).await;
    assert_eq!(fields(refused), ["prizes.1.label"; 2]);
    // The plan after it knows that prize by its name, and another one between them does not.
    let later = ten() + TimeDelta::hours(2);
    let second = prizes(&[stays("다음 기회에", 1), stays("새 경품", 500)]);
    let second = plan(&real, &second, later, at(26)).await.unwrap();
    let ids = |plan: &Plan<PrizeList>| -> Vec<Option<i64>> {
        let config = plan.config.as_ref().unwrap();
        config.body.prizes.iter().map(|prize| prize.id).collect()
    };
    assert_eq!(ids(&first), ids(&second));
    let between = prizes(&[
        stays("다음 기회에", 1),
        stays("새 경품", 3),
        new("또", 1, None),
    ]);
    let between = plan(&real, &between, ten() + TimeDelta::hours(1), at(26))
        .await
        .unwrap();
    let third = ten() + TimeDelta::hours(3);
    // Left out in between it was switched off, and is to be switched on again.
    let on = PrizeEdit {
        is_active: Some(true),
        ..stays("또", 1)
    };
    let again = prizes(&[stays("다음 기회에", 1), on]);
    let again = plan(&real, &again, third, at(26)).await.unwrap();
    assert_eq!(ids(&between)[2], ids(&again)[1]);
    // Nor may one come between that calls another prize as they call theirs.
    let first_of_all = prizes(&[stays("다음 기회에", 1), new("새 경품", 7, None)]);
    let refused = plan(&real, &first_of_all, ten() - LEAD, at(26)).await;
    assert_eq!(fields(refused), ["config.prizes.1.label"; 2]);
    // Withdrawn, it is in nobody's way.
    for id in [first.id, second.id] {
        real.lottery
            .withdraw(&actor, ONE, id, at(26))
            .await
            .unwrap();
    }
    let shown = real.in_force(Feature::Lottery, third).await;
    assert_eq!(shown.published.odds.entries().len(), 2);
}

#[tokio::test]
async fn a_plan_keeps_what_was_won_and_leaves_out_what_has_run_out() {
    let real = Real::new(Setting {
        lottery: NewLottery {
            max_daily_plays: 0,
            prizes: vec![
                prize("다음 기회에", 1, None, Reward::NONE),
                prize(
                    "한정",
                    1_000_000_000,
                    Some(2),
                    reward(RewardType::CcCoin, 1),
                ),
            ],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 9).await;
    let edit = prizes(&[stays("다음 기회에", 7), stays("한정", 1_000_000)]);
    let planned = plan(&real, &edit, ten(), at(26)).await.unwrap();
    for _ in 0..3 {
        real.lottery.play(&play(player), at(26)).await.unwrap();
    }
    let late = ten() - TimeDelta::microseconds(1);
    let shown = real.in_force(Feature::Lottery, ten()).await;
    let entries = shown.published.odds.entries();
    assert_eq!((entries.len(), entries[0].weight), (1, 7));
    assert_ne!(shown.published.odds_id, planned.odds_id);
    assert_eq!(
        (shown.table.hash(), shown.since),
        (&*planned.content_hash, Some(ten()))
    );
    let stock: Vec<i64> = shown.limits.stock.into_values().collect();
    assert_eq!(
        (stock, shown.limits.supplied.into_values().sum::<i64>()),
        (vec![0], 2)
    );
    // Whoever is late draws from what was left of the table before.
    let played = real.lottery.play(&play(player), late).await.unwrap().result;
    let past = real
        .fairness
        .odds_by_id(Feature::Lottery, played.receipt.odds_id)
        .await;
    assert_eq!(past.unwrap().odds.entries()[0].weight, 1);
    let changed = [Announced, InForce, TakenOver, InForce];
    let seen = history(&real, Feature::Lottery, 26).await;
    assert_eq!(
        seen.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(),
        changed
    );
}

#[tokio::test]
async fn a_version_and_another_configuration_can_be_planned() {
    let real = Real::new(Setting::default()).await;
    let actor = real.test.operator("operator").await;
    let first = odds(&real, Feature::Roulette, at(25)).await.0;
    let heavy = real.roulette.update(&actor, ONE, &|_| wheel(9), at(25));
    heavy.await.unwrap();
    // Back to how it was, one hour later.
    let back = NewPlan {
        effective_from: ten(),
        source: PlanSource::Version(0),
        seen: None,
    };
    let plan = real
        .roulette
        .plan(&actor, ONE, &back, at(26))
        .await
        .unwrap();
    assert_eq!(plan.odds_id, first);
    let unknown = NewPlan {
        effective_from: ten() + LEAD,
        source: PlanSource::Version(999),
        seen: None,
    };
    let refused = real.roulette.plan(&actor, ONE, &unknown, at(26)).await;
    assert!(matches!(refused, Err(ConfigError::UnknownVersion)));
    // Another wheel, which is not switched on before.
    let other = ConfigEdit {
        name: Some("다른 룰렛".into()),
        body: Some(
            (0..6)
                .map(|slot| SegmentEdit {
                    slot_index: Some(slot),
                    label: Some(format!("새 칸 {slot}")),
                    weight: Some(slot),
                    reward: (&xmas_games::config::RewardConfig::from(Reward::NONE)).into(),
                    ..SegmentEdit::default()
                })
                .collect(),
        ),
        ..ConfigEdit::default()
    };
    let other = real
        .roulette
        .create(&actor, &other, at(26))
        .await
        .unwrap()
        .id;
    let switch = NewPlan {
        effective_from: ten() + TimeDelta::hours(1),
        source: PlanSource::Edit(&|_| ConfigEdit::default()),
        seen: None,
    };
    let switch = real
        .roulette
        .plan(&actor, other, &switch, at(26))
        .await
        .unwrap();
    assert_eq!(
        odds(&real, Feature::Roulette, ten()).await,
        (first, Some(ten()))
    );
    let later = switch.effective_from;
    let shown = odds(&real, Feature::Roulette, later).await;
    assert_eq!(shown, (switch.odds_id, Some(later)));
    let micro = TimeDelta::microseconds(1);
    assert_eq!(odds(&real, Feature::Roulette, later - micro).await.0, first);
    let active = "SELECT COUNT(*) FROM roulette_config WHERE is_active = 1";
    assert_eq!(real.test.count(active).await, 1);
    let on = real.roulette.config(other).await.unwrap().config;
    assert!(on.is_active && on.name == "다른 룰렛");
}

#[tokio::test]
async fn a_lottery_of_which_nothing_is_left_still_shows_its_odds() {
    let real = Real::new(Setting {
        lottery: NewLottery {
            prizes: vec![
                prize("하나", 3, Some(1), reward(RewardType::CcCoin, 1)),
                prize("둘", 1, Some(1), reward(RewardType::CcCoin, 2)),
            ],
            ..lottery()
        },
        ..Setting::default()
    })
    .await;
    let player = real.player("a", 3).await;
    let all = odds(&real, Feature::Lottery, at(26)).await.0;
    for _ in 0..2 {
        real.lottery.play(&play(player), at(26)).await.unwrap();
    }
    let refused = real.lottery.play(&play(player), at(26)).await;
    assert!(matches!(
        refused,
        Err(GameError::InvalidConfig(Feature::Lottery))
    ));
    let shown = real.in_force(Feature::Lottery, at(26)).await;
    assert_eq!((shown.is_playable, shown.since), (false, None));
    assert_eq!((shown.published.odds_id, shown.table.total()), (all, 4));
    assert!(shown.limits.stock.into_values().all(|left| left == 0));
    let seen = history(&real, Feature::Lottery, 26).await;
    let kinds: Vec<_> = seen.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.last(), Some(&ChangeKind::Nothing));
}

/// Given up after each of its statements in turn, as a process that is killed there leaves it.
#[tokio::test]
async fn whoever_is_killed_while_a_plan_takes_over_leaves_all_of_it_or_nothing() {
    let real = Real::new(Setting::default()).await;
    let (mut cut, mut whole) = (0, 0);
    for statements in 1..=40 {
        // A process that is killed takes its connections with it.
        let replica = Arc::new(real.replica().await);
        let instant = ten() + TimeDelta::hours(statements);
        let weight = 10 + statements;
        let now = instant - TimeDelta::minutes(30);
        let plan = plan_wheel(&real, weight, instant, now).await.unwrap();
        let looking = replica.clone();
        let look = tokio::spawn(async move {
            looking.in_force(Feature::Roulette, instant).await;
        });
        let look_over = look.abort_handle();
        let statements = u64::try_from(statements).unwrap();
        replica
            .statements
            .after_so_many(statements, move || look_over.abort());
        let is_cut = look.await.is_err();
        replica.statements.after_so_many(u64::MAX / 2, || {});
        cut += i32::from(is_cut);
        whole += i32::from(!is_cut);
        // What it was about to commit is there or not by the time that somebody else has had their turn.
        let turn = "UPDATE config_lock SET turn = turn + 1 WHERE area = 'ROULETTE'";
        real.test.execute(turn).await;
        // All of it is there or nothing.
        let count = async |sql: String| real.test.count(&sql).await;
        let state =
            format!("SELECT COUNT(*) FROM odds_plan WHERE id = {plan} AND state = 'TAKEN_OVER'");
        let taken = count(state.clone()).await;
        let parts = [
            format!(
                "SELECT COUNT(*) FROM odds_change WHERE plan_id = {plan} AND kind = 'TAKEN_OVER'"
            ),
            format!(
                "SELECT COUNT(*) FROM odds_change WHERE plan_id = {plan} AND kind = 'IN_FORCE'"
            ),
            format!(
                "SELECT COUNT(*) FROM roulette_segment WHERE slot_index = 0 AND weight = {weight}"
            ),
        ];
        for part in &parts {
            assert_eq!(
                count(part.clone()).await,
                taken,
                "after {statements}: {part}"
            );
        }
        // Whoever comes next finds it, or does it.
        let late = real.in_force(Feature::Roulette, instant - TimeDelta::microseconds(1));
        assert_ne!(
            late.await.published.odds.entries()[0].weight,
            weight.unsigned_abs()
        );
        let shown = real.in_force(Feature::Roulette, instant).await;
        assert_eq!(
            shown.published.odds.entries()[0].weight,
            weight.unsigned_abs()
        );
        assert_eq!(shown.since, Some(instant));
        for part in parts.into_iter().chain([state]) {
            assert_eq!(count(part.clone()).await, 1, "after {statements}: {part}");
        }
    }
    assert!(
        cut > 10 && whole > 5,
        "{cut} were cut off, {whole} were not"
    );
    let logged = "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'ROULETTE_TAKE_OVER'";
    assert_eq!(real.test.count(logged).await, 40);
}

#[tokio::test]
async fn whoever_is_later_than_two_plans_is_drawn_from_what_was_in_force_before_both() {
    let real = Real::new(Setting::default()).await;
    let first = odds(&real, Feature::Roulette, at(25)).await.0;
    let second = ten() + LEAD;
    for (weight, instant) in [(5, ten()), (7, second)] {
        plan_wheel(&real, weight, instant, at(26)).await.unwrap();
    }
    let replica = real.replica().await;
    let weight = async |now| {
        let odds = replica.in_force(Feature::Roulette, now).await;
        odds.published.odds.entries()[0].weight
    };
    assert_eq!(weight(second + LEAD).await, 7);
    let micro = TimeDelta::microseconds(1);
    assert_eq!(weight(ten() - micro).await, 1);
    assert_eq!(weight(ten()).await, 5);
    assert_eq!(weight(second - micro).await, 5);
    assert_eq!(weight(second).await, 7);
    let player = real.player("a", 1).await;
    let late = replica.roulette.play(&play(player), ten() - micro).await;
    assert_eq!(late.unwrap().result.receipt.odds_id, first);
}

#[tokio::test]
async fn what_is_announced_shows_what_would_be_left_if_it_took_over_now() {
    let real = Real::new(Setting::default()).await;
    let actor = real.test.operator("desk").await;
    let edit = prizes(&[
        stays("다음 기회에", 1),
        stays("3,000 포인트", 2),
        new("새 경품", 4, Some(9)),
    ]);
    plan(&real, &edit, ten(), at(26)).await.unwrap();
    let update = async |edit: Prizes| {
        let saved = real
            .lottery
            .update(&actor, ONE, &|_| edit.clone(), at(26))
            .await;
        saved.unwrap();
    };
    let shown = async || {
        let odds = real.fairness.odds(Feature::Lottery, at(26)).await.unwrap();
        let limits = odds.next[0].limits.clone().unwrap();
        let numbers = |of: BTreeMap<i64, i64>| of.into_values().collect::<Vec<_>>();
        (numbers(limits.stock), numbers(limits.supplied))
    };
    assert_eq!(shown().await.0, [500, 9]);
    let set = |label: &str, stock| PrizeEdit {
        stock: Some(stock),
        ..stays(label, 2)
    };
    let with = |edit: PrizeEdit| prizes(&[stays("다음 기회에", 4), stays("복권 2장", 3), edit]);
    update(with(set("3,000 포인트", Some(30)))).await;
    assert_eq!(shown().await, (vec![30, 9], vec![30]));
    // Without a limit now, it will have none then.
    update(with(set("3,000 포인트", None))).await;
    assert_eq!(shown().await.0, [9]);
    let limited = set("다음 기회에", Some(7));
    update(prizes(&[
        limited,
        stays("복권 2장", 3),
        stays("3,000 포인트", 2),
    ]))
    .await;
    assert_eq!(shown().await.0, [7, 9]);
    let then = real.in_force(Feature::Lottery, ten()).await;
    assert_eq!(then.limits.stock.into_values().collect::<Vec<_>>(), [7, 9]);
}

#[tokio::test]
async fn a_plan_that_leaves_the_odds_as_they_are_takes_over_and_they_stay_in_force() {
    let real = Real::new(Setting::default()).await;
    let before = odds(&real, Feature::Lottery, at(26)).await;
    let limit = Prizes {
        max_daily: Some(2),
        ..Prizes::default()
    };
    plan(&real, &limit, ten(), at(26)).await.unwrap();
    assert_eq!(odds(&real, Feature::Lottery, ten()).await, before);
    let shown = real.in_force(Feature::Lottery, ten()).await;
    assert_eq!(shown.limits.max_daily, 2);
    let expected = [(Announced, at(26)), (TakenOver, ten())];
    assert_eq!(history(&real, Feature::Lottery, 26).await, expected);
}

#[tokio::test]
async fn a_plan_that_later_ones_rest_on_is_withdrawn_after_them() {
    let real = Real::new(Setting::default()).await;
    let actor = real.test.operator("desk").await;
    let renamed = PrizeEdit {
        id: Some(3),
        label: Some("3천 포인트".to_owned()),
        ..PrizeEdit::default()
    };
    let first = prizes(&[stays("다음 기회에", 1), stays("복권 2장", 1), renamed]);
    let first = plan(&real, &first, ten(), at(26)).await.unwrap();
    let second = prizes(&[
        stays("다음 기회에", 1),
        stays("복권 2장", 1),
        new("3,000 포인트", 5, Some(7)),
    ]);
    let later = ten() + TimeDelta::hours(1);
    let second = plan(&real, &second, later, at(26)).await.unwrap();
    let withdraw = async |id| {
        real.lottery
            .withdraw(&actor, ONE, id, at(26))
            .await
            .map(|_| ())
    };
    assert_eq!(fields(withdraw(first.id).await), ["plan"]);
    // Nothing is in the way of an edit that has nothing to do with it.
    let name = Prizes {
        name: Some("새 이름".to_owned()),
        ..Prizes::default()
    };
    real.lottery
        .update(&actor, ONE, &|_| name.clone(), at(26))
        .await
        .unwrap();
    withdraw(second.id).await.unwrap();
    withdraw(first.id).await.unwrap();
}

#[tokio::test]
async fn a_prize_that_is_announced_stays_and_nothing_is_announced_of_which_nothing_is_left() {
    let real = Real::new(Setting::default()).await;
    let actor = real.test.operator("desk").await;
    let same = plan(&real, &Prizes::default(), ten(), at(26))
        .await
        .unwrap();
    let fewer = prizes(&[stays("다음 기회에", 1), stays("복권 2장", 1)]);
    let update = async |edit: Prizes| {
        real.lottery
            .update(&actor, ONE, &|_| edit.clone(), at(26))
            .await
            .map(|_| ())
    };
    assert_eq!(fields(update(fewer.clone()).await), ["prizes"]);
    let emptied = PrizeEdit {
        stock: Some(Some(0)),
        ..stays("3,000 포인트", 100)
    };
    let emptied = prizes(&[stays("다음 기회에", 400), stays("복권 2장", 300), emptied]);
    assert_eq!(fields(update(emptied).await), ["prizes.2.stock"]);
    real.lottery
        .withdraw(&actor, ONE, same.id, at(26))
        .await
        .unwrap();
    update(fewer).await.unwrap();
    let gone = new("한정", 1, Some(0));
    update(prizes(&[
        stays("다음 기회에", 1),
        stays("복권 2장", 1),
        gone,
    ]))
    .await
    .unwrap();
    let only = prizes(&[stays("한정", 1)]);
    assert_eq!(fields(plan(&real, &only, ten(), at(26)).await), ["config"]);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_put_the_history_out_of_order() {
    let real = Real::new(Setting::default()).await;
    let actor = real.test.operator("desk").await;
    real.in_force(Feature::Lottery, at(25)).await;
    for (weight, now) in [(7, at(27)), (8, at(26))] {
        let edit = prizes(&[stays("다음 기회에", weight), stays("복권 2장", 1)]);
        let edit = |_: &_| edit.clone();
        real.lottery.update(&actor, ONE, &edit, now).await.unwrap();
        let shown = real.in_force(Feature::Lottery, now).await;
        assert_eq!(
            shown.published.odds.entries()[0].weight,
            weight.unsigned_abs()
        );
        assert_eq!(shown.since, Some(at(27)));
    }
}
