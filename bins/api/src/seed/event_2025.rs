//! The 2025 event (domain.md, "The 2025 event").

use sea_orm::DatabaseTransaction;
use xmas_features::{FeatureRow, FeatureSettings, Features};
use xmas_games::roulette::{NewSegment, NewWheel, Roulette};
use xmas_kernel::{Feature, db::DbError};
use xmas_rewards::{Reward, RewardType};
use xmas_season_pass::{Level, NewSeason, SeasonPass};
use xmas_time::{DateTime, EventDay, Utc};

/// Writes everything an operator would otherwise configure.
pub(super) async fn write_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    SeasonPass::insert_in_tx(tx, &season(), now).await?;
    Roulette::insert_active_in_tx(tx, &wheel(), now).await?;
    for feature in features() {
        Features::insert_in_tx(tx, &feature, now).await?;
    }
    Ok(())
}

fn reward(kind: RewardType, amount: i64) -> Reward {
    Reward::new(kind, amount).expect("the event promises proper rewards")
}

fn day(month: u32, day: u32) -> EventDay {
    EventDay::from_ymd(2025, month, day).expect("the event has proper days")
}

/// Levels 3, 6 and 8 pay tickets and points until bundles and coupons exist.
fn season() -> NewSeason {
    use RewardType::{CcCoin, Point, TicketDice, TicketLottery, TicketRoulette};
    let by_itself = |level, required_xp, kind, amount, label: &str| Level {
        level,
        required_xp,
        reward: reward(kind, amount),
        reward_label: label.to_owned(),
        auto_claim: true,
        manual: false,
    };
    let by_claim = |level, required_xp, kind, amount, label: &str, manual| Level {
        auto_claim: false,
        manual,
        ..by_itself(level, required_xp, kind, amount, label)
    };
    NewSeason {
        name: "XMAS_1WEEK_2025".to_owned(),
        start: day(12, 25),
        end: day(12, 31),
        max_level: 10,
        base_xp_per_stamp: 20,
        max_xp_bonus: 20,
        grace_days: 7,
        internal_win_threshold: 50,
        is_active: true,
        levels: vec![
            by_itself(1, 20, TicketRoulette, 1, "룰렛 티켓 1장"),
            by_itself(2, 50, TicketDice, 1, "주사위 티켓 1장"),
            by_itself(3, 100, TicketRoulette, 1, "룰렛 티켓 1장"),
            by_itself(4, 180, TicketLottery, 1, "복권 티켓 1장"),
            by_itself(5, 300, TicketRoulette, 2, "룰렛 티켓 2장"),
            by_itself(6, 450, TicketDice, 1, "주사위 티켓 1장"),
            by_claim(7, 650, CcCoin, 2, "CC 코인 2개", true),
            by_claim(8, 900, Point, 10_000, "10,000 포인트", true),
            by_claim(9, 1_200, Point, 20_000, "20,000 포인트", false),
            by_claim(10, 1_600, Point, 50_000, "50,000 포인트", false),
        ],
    }
}

fn wheel() -> NewWheel {
    use RewardType::{Point, TicketDice, TicketLottery, TicketRoulette};
    let segments = [
        ("다음 기회에", Reward::NONE, 120),
        ("룰렛 티켓 3장", reward(TicketRoulette, 3), 220),
        ("주사위 티켓 3장", reward(TicketDice, 3), 220),
        ("복권 티켓 2장", reward(TicketLottery, 2), 200),
        ("1,000 포인트", reward(Point, 1_000), 180),
        ("잭팟 10,000 포인트", reward(Point, 10_000), 60),
    ];
    let segment = |(slot_index, (label, reward, weight)): (i64, (&str, Reward, i64))| NewSegment {
        slot_index,
        label: label.to_owned(),
        weight,
        reward,
        is_jackpot: slot_index == 5,
    };
    NewWheel {
        name: "크리스마스 룰렛".to_owned(),
        max_daily_spins: 0,
        segments: (0..).zip(segments).map(segment).collect(),
    }
}

fn features() -> [FeatureRow; 5] {
    let feature = |feature, title: &str, page_path: &str, xp_per_play| FeatureRow {
        feature,
        title: title.to_owned(),
        page_path: page_path.to_owned(),
        is_enabled: true,
        settings: FeatureSettings {
            xp_per_play,
            stamp_on_play: false,
        },
    };
    [
        feature(Feature::SeasonPass, "시즌 패스", "/season-pass", 0),
        feature(Feature::Roulette, "룰렛", "/roulette", 5),
        feature(Feature::Dice, "주사위", "/dice", 3),
        feature(Feature::Lottery, "복권", "/lottery", 5),
        feature(Feature::Ranking, "랭킹", "/ranking", 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_passes_the_checks_that_an_operator_s_edit_would() {
        assert_eq!(xmas_season_pass::rules::check_season(&season()), []);
        assert_eq!(xmas_games::roulette::rules::check(&wheel()), []);
        let weights: i64 = wheel().segments.iter().map(|segment| segment.weight).sum();
        assert_eq!(weights, 1_000);
    }
}
