//! Round trips of whatever event there may be.

use std::collections::BTreeMap;

use proptest::{
    collection::vec, option, prelude::*, sample::select, strategy::ValueTree,
    test_runner::TestRunner,
};
use xmas_event_file::{
    Date, EventFile, canonical,
    file::{
        BridgeSection, BundleSection, CouponSection, DaySection, DiceSection, FeatureSection,
        FeatureSections, ItemSection, LevelSection, LotterySection, OutcomeSection, PrizeSection,
        RewardFields, RouletteSection, SeasonSection, SegmentSection,
    },
    read,
};
use xmas_test_support::{AppBuilder, TestDb};
use xmas_time::{Clock, EventDay};

/// What anybody may call something.
fn name() -> impl Strategy<Value = String> {
    "[가-힣a-zA-Z0-9\"'\\\\.\\[\\]=#{}🎁]{1,16}".prop_map(|text| format!("이름 {text}"))
}

fn item() -> impl Strategy<Value = ItemSection> {
    let kinds = [
        "POINT",
        "TICKET_ROULETTE",
        "TICKET_DICE",
        "TICKET_LOTTERY",
        "CC_COIN",
    ];
    (select(kinds.to_vec()), 1..=1_000_000_000_i64).prop_map(|(kind, amount)| ItemSection {
        reward_type: kind.to_owned(),
        reward_amount: amount,
    })
}

/// A bundle is known by what is in it: it is never changed.
fn bundle() -> impl Strategy<Value = BundleSection> {
    vec(item(), 1..4).prop_map(|items| {
        let parts = items.iter();
        let parts = parts.map(|item| format!("{}×{}", item.reward_type, item.reward_amount));
        BundleSection {
            name: parts.collect::<Vec<_>>().join(" + "),
            items,
        }
    })
}

#[derive(Clone, Debug)]
struct Items {
    bundles: Vec<BundleSection>,
    coupons: Vec<CouponSection>,
}

fn items() -> impl Strategy<Value = Items> {
    let coupon =
        (name(), any::<bool>(), any::<bool>()).prop_map(|(name, manual, case)| CouponSection {
            name,
            is_manual: manual,
            ignores_case: case,
        });
    (vec(bundle(), 0..3), vec(coupon, 0..3)).prop_map(|(mut bundles, mut coupons)| {
        bundles.sort_by(|one, other| one.name.cmp(&other.name));
        bundles.dedup_by(|one, other| one.name == other.name);
        coupons.sort_by(|one, other| one.name.cmp(&other.name));
        coupons.dedup_by(|one, other| one.name == other.name);
        Items { bundles, coupons }
    })
}

fn reward(items: &Items) -> impl Strategy<Value = RewardFields> + use<> {
    let fields = |kind: &str, amount, item| RewardFields {
        reward_type: kind.to_owned(),
        reward_amount: amount,
        reward_item: item,
    };
    let plain = item().prop_map(move |it| fields(&it.reward_type, Some(it.reward_amount), None));
    let bundles = items.bundles.iter();
    let bundles = bundles.map(|it| fields("BUNDLE", None, Some(it.name.clone())));
    let coupons = items.coupons.iter();
    let coupons = coupons.map(|it| fields("COUPON", None, Some(it.name.clone())));
    let nothing = [fields("NONE", None, None)];
    let others: Vec<RewardFields> = bundles.chain(coupons).chain(nothing).collect();
    prop_oneof![plain, select(others)]
}

fn day(number: u32) -> Date {
    Date(EventDay::from_ymd(2027, 2, number).unwrap())
}

fn season(items: &Items) -> impl Strategy<Value = SeasonSection> + use<> {
    let level = (
        1..500_i64,
        reward(items),
        name(),
        any::<bool>(),
        any::<bool>(),
    );
    let numbers = (0..1_000_i64, 0..1_000_i64, 0..=366_i64, 1..1_000_i64);
    (vec(level, 1..9), numbers, 1..8_u32).prop_map(|(levels, numbers, first)| {
        let mut required_xp = 0;
        let levels = (1..)
            .zip(levels)
            .map(|(level, (more, reward, label, auto, manual))| {
                required_xp += more;
                LevelSection {
                    level,
                    required_xp,
                    reward,
                    reward_label: label,
                    auto_claim: auto,
                    is_manual: manual,
                }
            });
        SeasonSection {
            season_name: "아무 시즌".to_owned(),
            start_date: day(first),
            end_date: day(20),
            base_xp_per_stamp: numbers.0,
            max_xp_bonus: numbers.1,
            grace_days: numbers.2,
            internal_win_threshold: numbers.3,
            is_active: true,
            levels: levels.collect(),
        }
    })
}

fn bridge() -> impl Strategy<Value = BridgeSection> {
    let missions = xmas_event_bridge::Mission::ALL.map(xmas_event_bridge::Mission::as_str);
    let day_of = (select(missions.to_vec()), 0..1_000_000_i64);
    (vec(day_of, 1..=7), any::<bool>(), 21..28_u32).prop_map(|(days, auto, settle)| {
        let days = (1..)
            .zip(days)
            .map(|(number, (mission, points))| DaySection {
                day: i64::from(number),
                date: day(8 + number),
                event_type: format!("KEY_{number}_{mission}"),
                mission: mission.to_owned(),
                points,
            });
        let days: Vec<DaySection> = days.collect();
        BridgeSection {
            keys_required: i64::try_from(days.len()).unwrap(),
            settle_on: day(settle),
            auto_settle: auto,
            days,
        }
    })
}

fn games(
    items: &Items,
) -> impl Strategy<Value = (RouletteSection, DiceSection, LotterySection)> + use<> {
    let segment = (name(), 0..=1_000_000_000_i64, reward(items), any::<bool>());
    let wheel = (name(), 0..100_i64, vec(segment, 6)).prop_map(|(name, daily, segments)| {
        let mut segments: Vec<SegmentSection> = segments
            .into_iter()
            .map(|(label, weight, reward, is_jackpot)| SegmentSection {
                label,
                weight,
                reward,
                is_jackpot,
            })
            .collect();
        segments[0].weight = segments[0].weight.max(1);
        RouletteSection {
            name,
            max_daily_spins: daily,
            segments,
        }
    });
    let outcome = || reward(items).prop_map(|reward| OutcomeSection { reward });
    let dice = (name(), 0..100_i64, outcome(), outcome(), outcome()).prop_map(
        |(name, daily, win, draw, lose)| DiceSection {
            name,
            max_daily_plays: daily,
            win,
            draw,
            lose,
        },
    );
    let stock = option::of(0..=1_000_000_000_i64);
    let prize = (
        name(),
        0..=1_000_000_000_i64,
        stock,
        reward(items),
        any::<bool>(),
    );
    // Prizes of one lottery keep their order, so that another order is another lottery.
    let lottery = (name(), 0..100_i64, vec(prize, 1..9));
    let lottery = lottery.prop_map(|(name, daily, prizes)| {
        let prizes = prizes.into_iter().enumerate();
        let prizes =
            prizes.map(
                |(index, (label, weight, stock, reward, is_active))| PrizeSection {
                    label: format!("{label} {index}"),
                    weight,
                    stock_total: stock,
                    reward,
                    is_active,
                },
            );
        let mut prizes: Vec<PrizeSection> = prizes.collect();
        // Something of it can come up.
        prizes[0].is_active = true;
        prizes[0].weight = prizes[0].weight.max(1);
        prizes[0].stock_total = None;
        LotterySection {
            name,
            max_daily_plays: daily,
            prizes,
        }
    });
    (wheel, dice, lottery)
}

fn value() -> impl Strategy<Value = toml::Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(toml::Value::Integer),
        any::<bool>().prop_map(toml::Value::Boolean),
        (-1e9..1e9_f64).prop_map(toml::Value::Float),
        name().prop_map(toml::Value::String),
        "줄 1\n\t\"따옴표\" \\\\ [가-힣]{0,5}".prop_map(toml::Value::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = vec(inner.clone(), 0..4).prop_map(toml::Value::Array);
        let table = proptest::collection::btree_map("[a-z가-힣 .\"]{1,8}", inner, 0..4);
        let table = table.prop_map(|table| toml::Value::Table(table.into_iter().collect()));
        prop_oneof![list, table]
    })
}

fn table() -> impl Strategy<Value = toml::Table> {
    let fields = proptest::collection::btree_map("[a-z가-힣]{1,8}", value(), 0..4);
    fields.prop_map(|fields| fields.into_iter().collect())
}

fn features() -> impl Strategy<Value = FeatureSections> {
    let feature = (
        name(),
        "/[a-z/]{0,10}",
        any::<bool>(),
        0..1_000_i64,
        any::<bool>(),
        table(),
    );
    let feature =
        feature.prop_map(
            |(title, path, is_enabled, xp, stamps, client)| FeatureSection {
                title,
                page_path: path.replace("//", "/x"),
                is_enabled,
                xp_per_play: xp,
                stamp_on_play: stamps,
                client,
            },
        );
    vec(feature, 5).prop_map(|features| {
        let mut features = features.into_iter();
        FeatureSections {
            season_pass: features.next(),
            roulette: features.next(),
            dice: features.next(),
            lottery: features.next(),
            ranking: features.next(),
        }
    })
}

fn event() -> impl Strategy<Value = EventFile> {
    items().prop_flat_map(|items| {
        let texts = vec(table(), 2);
        let parts = (season(&items), bridge(), games(&items), features(), texts);
        parts.prop_map(
            move |(season, bridge, (wheel, dice, lottery), features, texts)| {
                let keys = ["one-text", "other-text"].map(str::to_owned);
                let mut event = EventFile {
                    season: Some(season),
                    bridge: Some(bridge),
                    roulette: Some(wheel),
                    dice: Some(dice),
                    lottery: Some(lottery),
                    bundles: items.bundles.clone(),
                    coupons: items.coupons.clone(),
                    features,
                    texts: keys.into_iter().zip(texts).collect::<BTreeMap<_, _>>(),
                };
                // Only what is promised is in a file.
                let text = canonical(&EventFile {
                    bundles: Vec::new(),
                    coupons: Vec::new(),
                    ..event.clone()
                });
                let promised: toml::Table = text.parse().unwrap();
                let promised = promised.to_string();
                let is_promised = |name: &str| {
                    let written = toml::Value::String(name.to_owned()).to_string();
                    promised.contains(&format!("reward_item = {written}"))
                };
                event.bundles.retain(|it| is_promised(&it.name));
                event.coupons.retain(|it| is_promised(&it.name));
                event
            },
        )
    })
}

#[tokio::test]
async fn whatever_the_event_it_comes_back_as_it_was_and_changes_nothing_the_second_time() {
    let app = AppBuilder::default().start_on(TestDb::new().await).await;
    let (desk, now) = (app.app.event(), app.clock.now());
    let mut runner = TestRunner::deterministic();
    for round in 0..64 {
        let event = event().new_tree(&mut runner).unwrap().current();
        let text = canonical(&event);
        let file = read(&text, EventDay::of(now));
        let file = file.unwrap_or_else(|problems| panic!("{round}: {problems:#?}\n{text}"));
        assert_eq!(file.event, event, "{round}\n{text}");
        let plan = desk.plan(&file, now).await.unwrap();
        assert_eq!(plan.refused, [], "{round}\n{text}");
        desk.apply(None, &file, None, now).await.unwrap();
        let exported = desk.export(None).await.unwrap();
        assert_eq!(exported.text, text, "{round}");
        assert_eq!(exported.unsaid, [], "{round}");
        let again = desk.apply(None, &file, None, now).await.unwrap();
        assert_eq!(again.changes, [], "{round}");
    }
}
