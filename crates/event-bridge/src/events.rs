//! What the activity log says about keys.

use serde_json::{Value, json};
use xmas_kernel::BridgeId;
use xmas_players::KeyHolder;

use crate::{BridgeDay, gifts::Gift};

/// A key that a player has earned.
pub(crate) fn key_meta(bridge: BridgeId, day: &BridgeDay) -> Value {
    json!({
        "bridge_id": bridge,
        "day": day.number,
        "event_type": day.event_type,
        "points": day.points,
        "given_by": null,
        "reason": null,
    })
}

/// A key that an operator has given.
pub(crate) fn given_key_meta(bridge: BridgeId, day: &BridgeDay, gift: &Gift) -> Value {
    let mut meta = key_meta(bridge, day);
    meta["given_by"] = json!(gift.actor);
    meta["reason"] = json!(gift.reason);
    meta["gift"] = json!(gift.id);
    meta
}

/// A given key that was taken back.
pub(crate) fn taken_key_meta(gift: &Gift) -> Value {
    json!({
        "bridge_id": gift.bridge,
        "day": gift.day_number,
        "event_type": gift.event_type,
        "points": gift.points,
        "gift": gift.id,
    })
}

/// The keys of a player that were paid for, or have expired.
pub(crate) fn holder_meta(bridge: BridgeId, holder: &KeyHolder) -> Value {
    json!({
        "bridge_id": bridge,
        "keys": holder.keys,
        "points": holder.pending_points,
    })
}
