//! The 2025 event (docs/rules.md, "The 2025 event").

use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use xmas_event_bridge::{BridgeDay, BridgeError, Bridges, Mission, NewBridge};
use xmas_features::{
    FeatureDeskError, FeatureRow, FeatureSettings, Features, UiConfigs,
    ui_rules::{DOWNTIME_BANNER, ODDS_NOTICE, TICKET_ZERO},
};
use xmas_games::{
    SaveError,
    dice::{Dice, NewDice},
    lottery::{Lottery, NewLottery, NewPrize},
    roulette::{NewSegment, NewWheel, Roulette},
};
use xmas_kernel::{BundleId, CouponKindId, Feature, SeasonId, db::DbError};
use xmas_rewards::{NewBundle, NewCouponKind, Reward, RewardDesk, RewardError, RewardType};
use xmas_season_pass::{Level, NewSeason, SeasonPass, constraints::SEASON_NAME};
use xmas_time::{DateTime, EventDay, Utc};

/// Why the event was not written. Nothing of it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("this database holds the 2025 event already")]
    AlreadyThere,
    #[error("a reward of the event was refused")]
    Reward(#[from] RewardError),
    #[error("a game of the event was refused")]
    Game(#[from] SaveError),
    #[error("a text of the event was refused")]
    Text(#[from] FeatureDeskError),
    #[error("the event's bridge was refused")]
    Bridge(#[from] BridgeError),
    #[error("the database failed")]
    Db(DbError),
}

impl From<DbError> for WriteError {
    fn from(error: DbError) -> Self {
        match error.violates(&SEASON_NAME) {
            true => WriteError::AlreadyThere,
            false => WriteError::Db(error),
        }
    }
}

/// What rewards of the event name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items {
    /// 룰렛 1장 + 주사위 1장.
    level_3: BundleId,
    /// 주사위 2장 + 복권 1장.
    level_6: BundleId,
    /// 배민 1만, of level 8.
    pub(super) small_coupon: CouponKindId,
    /// 배민 2만, of the lottery.
    pub(super) large_coupon: CouponKindId,
}

/// Writes everything an operator would otherwise configure, but for the codes of the coupons.
pub(super) async fn write_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
) -> Result<Items, WriteError> {
    let items = write_items_in_tx(tx, now).await?;
    let season = season(&items);
    let season_id = SeasonPass::insert_in_tx(tx, &season, now).await?;
    let days = (season.start, season.end);
    Bridges::insert_in_tx(tx, &bridge(season_id), days, now).await?;
    Roulette::insert_active_in_tx(tx, &wheel(), now).await?;
    Dice::insert_active_in_tx(tx, &dice(), now).await?;
    Lottery::insert_active_in_tx(tx, &lottery(&items), now).await?;
    for feature in features() {
        Features::insert_in_tx(tx, &feature, now).await?;
    }
    for (key, value) in texts() {
        UiConfigs::insert_in_tx(tx, key, &value, now).await?;
    }
    Ok(items)
}

async fn write_items_in_tx(
    tx: &DatabaseTransaction,
    now: DateTime<Utc>,
) -> Result<Items, WriteError> {
    use RewardType::{TicketDice, TicketLottery, TicketRoulette};
    let bundle = async |name: &str, items: Vec<Reward>| {
        let name = name.to_owned();
        let added = RewardDesk::add_bundle_in_tx(tx, &NewBundle { name, items }, now).await;
        added.map_err(is_taken)
    };
    let coupon = async |name: &str| {
        let kind = NewCouponKind {
            ignores_case: false,
            name: name.to_owned(),
            manual: false,
        };
        let added = RewardDesk::add_coupon_kind_in_tx(tx, &kind, now).await;
        added.map_err(is_taken)
    };
    let level_3 = vec![reward(TicketRoulette, 1), reward(TicketDice, 1)];
    let level_6 = vec![reward(TicketDice, 2), reward(TicketLottery, 1)];
    Ok(Items {
        level_3: bundle("룰렛 1장 + 주사위 1장", level_3).await?,
        level_6: bundle("주사위 2장 + 복권 1장", level_6).await?,
        small_coupon: coupon("배민 1만").await?,
        large_coupon: coupon("배민 2만").await?,
    })
}

fn is_taken(error: RewardError) -> WriteError {
    match error {
        RewardError::NameTaken => WriteError::AlreadyThere,
        error => error.into(),
    }
}

fn reward(kind: RewardType, amount: i64) -> Reward {
    Reward::new(kind, amount).expect("the event promises proper rewards")
}

fn day(month: u32, day: u32) -> EventDay {
    EventDay::from_ymd(2025, month, day).expect("the event has proper days")
}

fn season(items: &Items) -> NewSeason {
    use RewardType::{CcCoin, Point, TicketDice, TicketLottery, TicketRoulette};
    let by_itself = |level, required_xp, reward, label: &str| Level {
        level,
        required_xp,
        reward,
        reward_label: label.to_owned(),
        auto_claim: true,
        manual: false,
    };
    let by_claim = |level, required_xp, reward, label: &str, manual| Level {
        auto_claim: false,
        manual,
        ..by_itself(level, required_xp, reward, label)
    };
    let level_3 = Reward::bundle(items.level_3);
    let level_6 = Reward::bundle(items.level_6);
    let level_8 = Reward::coupon(items.small_coupon);
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
            by_itself(1, 20, reward(TicketRoulette, 1), "룰렛 티켓 1장"),
            by_itself(2, 50, reward(TicketDice, 1), "주사위 티켓 1장"),
            by_itself(3, 100, level_3, "룰렛 1장 + 주사위 1장"),
            by_itself(4, 180, reward(TicketLottery, 1), "복권 티켓 1장"),
            by_itself(5, 300, reward(TicketRoulette, 2), "룰렛 티켓 2장"),
            by_itself(6, 450, level_6, "주사위 2장 + 복권 1장"),
            by_claim(7, 650, reward(CcCoin, 2), "CC 코인 2개", true),
            by_claim(8, 900, level_8, "배민 1만", true),
            by_claim(9, 1_200, reward(Point, 20_000), "20,000 포인트", false),
            by_claim(10, 1_600, reward(Point, 50_000), "50,000 포인트", false),
        ],
    }
}

fn bridge(season_id: SeasonId) -> NewBridge {
    use Mission::{Login, PlayAllGames, PlayDice, PlayLottery, PlayRoulette, Stamp, ViewRanking};
    let missions = [
        ("KEY_DAY_1_ROULETTE", PlayRoulette),
        ("KEY_DAY_2_DICE", PlayDice),
        ("KEY_DAY_3_LOTTERY", PlayLottery),
        ("KEY_DAY_4_RANKING", ViewRanking),
        ("KEY_DAY_5_SEASON_PASS", Stamp),
        ("KEY_DAY_6_ALL_GAMES", PlayAllGames),
        ("KEY_DAY_7_LAST_LOGIN", Login),
    ];
    let mut date = day(12, 25);
    let mut days = Vec::new();
    for (number, (event_type, mission)) in (1..).zip(missions) {
        days.push(BridgeDay {
            number,
            day: date,
            event_type: event_type.to_owned(),
            mission,
            points: 5_000,
        });
        date = date.next();
    }
    NewBridge {
        season_id,
        days,
        keys_required: 7,
        settle_on: date,
        auto_settle: true,
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

fn dice() -> NewDice {
    NewDice {
        name: "크리스마스 주사위".to_owned(),
        max_daily_plays: 0,
        win: reward(RewardType::Point, 500),
        draw: reward(RewardType::Point, 100),
        lose: Reward::NONE,
    }
}

fn lottery(items: &Items) -> NewLottery {
    use RewardType::{Point, TicketDice, TicketRoulette};
    let large_coupon = Reward::coupon(items.large_coupon);
    let prizes = [
        ("다음 기회에", Reward::NONE, 400, None),
        ("주사위 티켓 3장", reward(TicketDice, 3), 240, None),
        ("룰렛 티켓 3장", reward(TicketRoulette, 3), 240, None),
        ("3,000 포인트", reward(Point, 3_000), 100, Some(500)),
        ("배민 2만", large_coupon, 20, Some(20)),
    ];
    let prize = |(label, reward, weight, stock): (&str, Reward, i64, Option<i64>)| NewPrize {
        label: label.to_owned(),
        weight,
        stock,
        reward,
        is_active: true,
    };
    NewLottery {
        name: "크리스마스 복권".to_owned(),
        max_daily_plays: 0,
        prizes: prizes.into_iter().map(prize).collect(),
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

fn texts() -> [(&'static str, Value); 3] {
    let ticket_zero = json!({
        "title": "티켓이 부족해요",
        "body": "출석 도장을 찍으면 티켓을 받을 수 있어요. 매일 자정에 새 도장이 열립니다.",
        "primaryCta": { "label": "출석하러 가기", "href": "/season-pass" },
        "secondaryCta": { "label": "닫기", "href": "" },
    });
    let downtime_banner = json!({
        "enabled": false,
        "title": "점검 안내",
        "message": "더 나은 이벤트를 위해 잠시 점검합니다. 보유한 티켓과 보상은 그대로 유지됩니다.",
        "severity": "info",
        "starts_at": null,
        "ends_at": null,
    });
    let odds_notice = json!({
        "label": "확률형 아이템 포함",
        "body": "룰렛, 주사위, 복권의 결과는 공개된 확률에 따라 정해집니다. 수량이 정해진 경품이 소진되면 확률이 바뀝니다.",
        "link_label": "확률 보기",
        "link_url": "/",
    });
    [
        (TICKET_ZERO, ticket_zero),
        (DOWNTIME_BANNER, downtime_banner),
        (ODDS_NOTICE, odds_notice),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_passes_the_checks_that_an_operator_s_edit_would() {
        let items = Items {
            level_3: BundleId(1),
            level_6: BundleId(2),
            small_coupon: CouponKindId(1),
            large_coupon: CouponKindId(2),
        };
        let season = season(&items);
        assert_eq!(xmas_season_pass::rules::check_season(&season), []);
        let days = (season.start, season.end);
        assert_eq!(
            xmas_event_bridge::rules::check(&bridge(SeasonId(1)), days),
            []
        );
        assert_eq!(xmas_games::roulette::rules::check(&wheel()), []);
        assert_eq!(xmas_games::dice::rules::check(&dice()), []);
        assert_eq!(xmas_games::lottery::rules::check(&lottery(&items)), []);
        let spins: i64 = wheel().segments.iter().map(|segment| segment.weight).sum();
        let prizes = lottery(&items).prizes;
        let tickets: i64 = prizes.iter().map(|prize| prize.weight).sum();
        assert_eq!((spins, tickets), (1_000, 1_000));
    }
}
