//! What names mean in the whole contract. `token_type`, `version` or `cursor` are the same kind of thing
//! wherever they stand, so what may be in them is said here once, from the types that read them.
//!
//! What is asked (parameters, bodies) is bounded whole: a text by its names, its form or its length, a
//! number on both sides. What is answered names its closed sets, and no number is larger than every client can hold.
//! `tests/api/openapi.rs` finds whatever has been left out.

use std::ops::RangeInclusive;

use xmas_event_bridge::{BridgeState, GiftState, Mission, SlotState, rules::MAX_DAYS};
use xmas_features::ui_rules::MAX_KEY;
use xmas_games::{
    catalog,
    config::plan::PlanState,
    fairness::ChangeKind,
    odds::{MAX_ENTRIES, MAX_WEIGHT},
    ranking::{MAX_ROWS, MEMO_CHARACTERS},
};
use xmas_kernel::{
    Asset, ErrorCode, Feature, MAX_NUMBER,
    audit::{Actor, REQUIRED_REASON},
    idempotency::RequestKey,
    text::LABEL_CHARACTERS,
};
use xmas_players::{ExternalId, PASSWORD_CHARACTERS, Role, Status};
use xmas_reporting::{HistoryKind, Kind, TimelineKind};
use xmas_rewards::{
    BatchState, GrantSource, MAX_ITEMS, OrderKind, Reward, RewardState, RewardType,
};
use xmas_season_pass::rules::{self as season_pass, MAX_LEVELS};

use crate::extract::{BY_EXTERNAL_ID, ENTITY_TAG};

/// What may be in a field or a parameter.
pub(super) enum Meaning {
    /// One of these names.
    OneOf(Vec<&'static str>),
    /// A text of so many characters.
    Text(RangeInclusive<usize>),
    /// A text of this form (ECMA 262).
    Like(String),
    /// A whole number.
    Whole(RangeInclusive<i64>),
    /// A day in Korea.
    Day,
    /// An instant or a day in Korea, or this in its place.
    Moment(InPlace),
    /// So many of something.
    List(RangeInclusive<usize>),
}

/// What may stand in the place of an instant.
#[derive(Clone, Copy)]
pub(super) enum InPlace {
    /// Nothing, as in a form.
    Empty,
    Null,
}

/// Where a name stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The schema that has the field; `GET /path` for a parameter.
    pub(super) owner: &'a str,
    /// Whether clients send it.
    pub(super) is_asked: bool,
}

/// No control characters; see [`crate::extract::Params`].
const PLAIN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// The id of a row as text.
const ID: &str = "(0|[1-9][0-9]{0,15})";

fn names<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> Meaning {
    Meaning::OneOf(all.iter().map(|one| name(*one)).collect())
}

/// One of these names in upper or lower case; a filter may also be empty, which is as good as none.
fn in_any_case<'a>(names: impl IntoIterator<Item = &'a str>, may_be_empty: bool) -> Meaning {
    let letter = |letter: char| match (letter.to_ascii_uppercase(), letter.to_ascii_lowercase()) {
        (upper, lower) if upper == lower => letter.to_string(),
        (upper, lower) => format!("[{upper}{lower}]"),
    };
    let names = names
        .into_iter()
        .map(|name| name.chars().map(letter).collect());
    let names: Vec<String> = names.collect();
    let empty = if may_be_empty { "?" } else { "" };
    Meaning::Like(format!("^({}){empty}$", names.join("|")))
}

/// The place behind which a page begins; empty for the first page.
fn cursor(form: &str) -> Meaning {
    Meaning::Like(format!("^({form})?$"))
}

fn history_cursor<K: Kind>() -> Meaning {
    let kinds: Vec<&str> = K::ALL.iter().map(|kind| kind.as_str()).collect();
    cursor(&format!(
        "(0|[1-9][0-9]{{0,16}})-({})-{ID}",
        kinds.join("|")
    ))
}

/// What a header may be.
pub(super) fn of_header(name: &str) -> Option<Meaning> {
    Some(Meaning::Like(match name {
        "idempotency-key" => format!("^[!-~]{{1,{}}}$", RequestKey::MAX_LENGTH),
        // Four bytes of UTF-8, percent-encoded, are the longest character.
        "x-reason" => format!("^[ -~]{{0,{}}}$", Actor::REASON_CHARACTERS * 12),
        "if-match" => format!(r"^(\*|{ENTITY_TAG}( *, *{ENTITY_TAG})*)$"),
        _ => return None,
    }))
}

/// The names of the games of chance.
fn games() -> impl Iterator<Item = &'static str> {
    let games = Feature::ALL.into_iter();
    let games = games.filter(|feature| catalog::find(*feature).is_some());
    games.map(Feature::as_str)
}

/// What a part of a path may be.
pub(super) fn of_path(operation: &str, name: &str) -> Option<Meaning> {
    Some(match (operation, name) {
        ("PUT /admin/api/feature-config/{feature}", "feature") => {
            in_any_case(Feature::ALL.map(Feature::as_str), false)
        }
        (_, "feature") => in_any_case(games(), false),
        (_, "date" | "day") => Meaning::Day,
        (_, "batch") => Meaning::Like(format!("^(id:|batch_id:)?{BATCH_NAME_IN_FULL}$")),
        (_, "id") if operation.contains("/users/{id}") => account(),
        (_, "user_id") => account(),
        ("PUT /admin/api/ui-config/{key}", "key") => {
            Meaning::Like(format!("^[a-z0-9_-]{{1,{MAX_KEY}}}$"))
        }
        // Any other text is a key under which nothing was saved, and is answered with nulls.
        (_, "key") => Meaning::Text(1..=MAX_KEY),
        (_, "version") => Meaning::Whole(0..=MAX_NUMBER),
        // Ids; the rest of a path is no number.
        _ => Meaning::Whole(1..=MAX_NUMBER),
    })
}

/// What a parameter of a query may be.
pub(super) fn of_query(operation: &str, name: &str) -> Option<Meaning> {
    let assets = || Asset::ALL.map(Asset::as_str).to_vec();
    Some(match (operation, name) {
        (_, "from" | "to") => Meaning::Moment(InPlace::Empty),
        ("GET /api/me/history", "kind") => {
            in_any_case(HistoryKind::ALL.iter().map(|kind| kind.as_str()), true)
        }
        ("GET /api/me/history", "cursor") => history_cursor::<HistoryKind>(),
        ("GET /admin/api/users/{id}/timeline", "kind") => {
            in_any_case(TimelineKind::ALL.iter().map(|kind| kind.as_str()), true)
        }
        ("GET /admin/api/users/{id}/timeline", "cursor") => history_cursor::<TimelineKind>(),
        ("GET /admin/api/game-tokens/wallets", "cursor") => {
            cursor(&format!("{ID}:({})", assets().join("|")))
        }
        (_, "cursor")
            if operation.starts_with("GET /admin/api/odds/")
                || operation.starts_with("GET /api/odds/") =>
        {
            Meaning::Whole(1..=MAX_NUMBER)
        }
        ("GET /api/odds/{feature}/history", "day") => Meaning::Day,
        (_, "cursor") => cursor(ID),
        ("GET /admin/api/coupons/{kind}/codes", "state") => in_any_case(["FREE", "TAKEN"], true),
        ("GET /admin/api/rewards/", "state") => in_any_case(
            RewardState::ALL
                .map(RewardState::as_str)
                .into_iter()
                .chain(["ALL"]),
            true,
        ),
        ("GET /admin/api/rewards/", "source") => {
            in_any_case(GrantSource::ALL.map(GrantSource::as_str), true)
        }
        ("GET /admin/api/game-tokens/payout.csv", "status") => in_any_case(
            Status::ALL.map(Status::as_str).into_iter().chain(["ALL"]),
            true,
        ),
        (_, "status") => names(&Status::ALL, Status::as_str),
        (_, "role") => names(&Role::ALL, Role::as_str),
        (_, "game") => in_any_case(games(), true),
        (_, "feature_type") => in_any_case(Feature::ALL.map(Feature::as_str), true),
        (_, "token_type") if operation.starts_with("GET ") => {
            Meaning::OneOf([vec![""], assets()].concat())
        }
        (_, "token_type") => Meaning::OneOf(assets()),
        ("GET /admin/api/game-tokens/batches/", "batch_id") => {
            Meaning::Like(format!("^({BATCH_NAME_IN_FULL})?$"))
        }
        (_, "batch_id") => Meaning::Like(BATCH_NAME.to_owned()),
        (_, "user_id" | "odds_id" | "bridge_id") => Meaning::Whole(1..=MAX_NUMBER),
        // Texts to look for.
        _ => Meaning::Like(PLAIN.to_owned()),
    })
}

/// An account, by its number or by its external id.
fn account() -> Meaning {
    let most = ExternalId::MAX_CHARS;
    Meaning::Like(format!(
        r"^(0*[1-9][0-9]{{0,15}}|{BY_EXTERNAL_ID}[^\u0000-\u001f\u007f-\u009f]{{1,{most}}})$"
    ))
}

const BATCH_NAME: &str = "^[!-~]{1,100}$";
/// Names that are made from an `Idempotency-Key` are longer.
const BATCH_NAME_IN_FULL: &str = "[!-~]{1,128}";

/// What a field may be.
pub(super) fn meaning(place: Place<'_>, name: &str) -> Option<Meaning> {
    Some(match (place.owner, name) {
        ("ErrorInfo", "code") => names(ErrorCode::ALL, ErrorCode::as_str),
        ("SessionAnswer", "token_type") => Meaning::OneOf(vec!["bearer"]),
        (_, "token_type") => names(&Asset::ALL, Asset::as_str),
        ("BundleThing", "reward_type") => {
            let all = RewardType::ALL.into_iter();
            Meaning::OneOf(
                all.filter(|kind| kind.asset().is_some())
                    .map(RewardType::as_str)
                    .collect(),
            )
        }
        ("BundleRequest", "items") => Meaning::List(1..=MAX_ITEMS),
        ("AdminBridgeRequest", "days") => Meaning::List(1..=MAX_DAYS),
        ("RouletteConfigRequest", "segments") => Meaning::List(0..=6),
        ("LotteryConfigRequest", "prizes") => Meaning::List(0..=MAX_ENTRIES),
        ("LadderRequest" | "SeasonRequest", "levels") => {
            Meaning::List(1..=usize::try_from(MAX_LEVELS).unwrap_or(usize::MAX))
        }
        ("DayRankingRequest", "items") => Meaning::List(1..=MAX_ROWS),
        ("BundleThing", "reward_amount") => Meaning::Whole(1..=Reward::MAX_AMOUNT),
        ("LevelRequest", "reward_type") => {
            // XP is a prize of games.
            let all = RewardType::ALL.into_iter();
            Meaning::OneOf(
                all.filter(|kind| *kind != RewardType::Xp)
                    .map(RewardType::as_str)
                    .collect(),
            )
        }
        (_, name) if name == "reward_type" || name.ends_with("_reward_type") => {
            names(&RewardType::ALL, RewardType::as_str)
        }
        ("ScheduleRequest" | "ScheduledRequest", "feature_type") => {
            in_any_case(Feature::ALL.map(Feature::as_str), false)
        }
        (_, "feature_type" | "source_feature_type" | "feature") => {
            names(&Feature::ALL, Feature::as_str)
        }
        (_, "game") => Meaning::OneOf(games().collect()),
        (_, "mission") => names(&Mission::ALL, Mission::as_str),
        ("Alive" | "Ready", "status") => return None,
        ("BatchFilter", "status") => Meaning::OneOf(vec![Status::Active.as_str()]),
        (_, "status") => names(&Status::ALL, Status::as_str),
        (_, "role") => names(&Role::ALL, Role::as_str),
        ("AdminBridgeAnswer", "state") => names(&BridgeState::ALL, BridgeState::as_str),
        ("BatchAnswer" | "BatchItem", "state") => names(&BatchState::ALL, BatchState::as_str),
        ("BatchAnswer" | "BatchItem", "kind") => names(&OrderKind::ALL, OrderKind::as_str),
        ("GiftItem", "state") => names(&GiftState::ALL, GiftState::as_str),
        ("CodeItem", "state") => Meaning::OneOf(vec!["FREE", "TAKEN"]),
        ("SlotAnswer", "state") => names(&SlotState::ALL, SlotState::as_str),
        (owner, "state") if owner.starts_with("PlanAnswer") => {
            names(&PlanState::ALL, PlanState::as_str)
        }
        ("OddsChangeAnswer", "change") => names(&ChangeKind::ALL, ChangeKind::as_str),
        (_, "state" | "reward_state") => names(&RewardState::ALL, RewardState::as_str),
        (_, "source") => names(&GrantSource::ALL, GrantSource::as_str),
        (_, "version") => Meaning::Like("^[0-9a-f]{16}$".to_owned()),
        (_, "batch_id") => Meaning::Like(BATCH_NAME.to_owned()),
        ("BridgeDayRequest", "event_type") => Meaning::Like("^[A-Z0-9_]{1,32}$".to_owned()),
        ("FeatureRequest", "page_path") => Meaning::Like("^/([!-.0-~][!-~]{0,189})?$".to_owned()),
        ("BatchFilter", "played_since" | "played_until") => Meaning::Moment(InPlace::Null),
        // In a row of a board, an empty one is as good as none.
        ("ExternalRankingItem" | "DayRankingItem", "external_id") => {
            Meaning::Text(0..=ExternalId::MAX_CHARS)
        }
        (_, "external_id") => Meaning::Text(1..=ExternalId::MAX_CHARS),
        (_, "nickname") => Meaning::Text(0..=ExternalId::MAX_CHARS),
        ("LoginRequest" | "RefreshRequest", "password" | "refresh_token")
        | (_, "current_password") => Meaning::Text(1..=*PASSWORD_CHARACTERS.end()),
        (_, "new_password") => Meaning::Text(PASSWORD_CHARACTERS),
        // An empty field of a form is as good as none.
        (_, "password") => {
            let (least, most) = PASSWORD_CHARACTERS.into_inner();
            Meaning::Like(format!(r"^([\s\S]{{{least},{most}}})?$"))
        }
        ("KeysRequest" | "KeysRevertRequest" | "RejectRequest" | "RevertRequest", "reason") => {
            Meaning::Text(REQUIRED_REASON)
        }
        (_, "reason") => Meaning::Text(0..=Actor::REASON_CHARACTERS),
        (_, "reward_label") => Meaning::Text(season_pass::LABEL_CHARACTERS),
        (_, "memo") => Meaning::Text(MEMO_CHARACTERS),
        (_, "display_name") => Meaning::Text(0..=*LABEL_CHARACTERS.end()),
        (_, "name" | "season_name" | "label" | "title") => Meaning::Text(LABEL_CHARACTERS),
        (_, "reward_amount" | "reward_value" | "points" | "stock" | "max_daily_plays")
        | (_, "max_daily_spins" | "max_daily_tickets" | "win_reward_amount" | "win_reward_value")
        | (_, "draw_reward_amount" | "draw_reward_value")
        | (_, "lose_reward_amount" | "lose_reward_value") => Meaning::Whole(0..=Reward::MAX_AMOUNT),
        (_, "weight") => Meaning::Whole(0..=MAX_WEIGHT),
        ("BridgeDayRequest" | "KeysRequest" | "GiftItem", "day") | (_, "keys_required") => {
            Meaning::Whole(1..=7)
        }
        (_, "index" | "slot_index") => Meaning::Whole(0..=5),
        ("SeasonRequest", "base_xp_per_stamp" | "max_xp_bonus") | ("StampRequest", "xp_bonus") => {
            Meaning::Whole(0..=1_000_000)
        }
        ("SeasonRequest", "grace_days") => Meaning::Whole(0..=366),
        ("ClaimRequest" | "LevelRequest", "level") | (_, "max_level") => {
            Meaning::Whole(1..=MAX_LEVELS)
        }
        (_, "level" | "season_level") if place.is_asked => Meaning::Whole(0..=MAX_LEVELS),
        (_, "required_xp" | "xp" | "deposit_amount" | "play_count") => {
            Meaning::Whole(0..=MAX_NUMBER)
        }
        (_, "score" | "value") => Meaning::Whole(-MAX_NUMBER..=MAX_NUMBER),
        // Ids, places and counts.
        _ => Meaning::Whole(1..=MAX_NUMBER),
    })
}
