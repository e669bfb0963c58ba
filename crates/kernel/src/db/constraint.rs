/// Every unique constraint whose violation means something to a caller.
///
/// The drivers do not name a violated constraint: MySQL and MariaDB put its name into the message,
/// SQLite its table and columns. This one table translates all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// One player per external id.
    UserExternalId,
    /// A once-only activity row, such as the day's first page view.
    ActivityOnce,
    /// One stamp per player, season and period.
    SeasonStampPeriod,
    /// One reward per player, season and level.
    SeasonLevelReward,
    /// One receipt per grant.
    RewardGrant,
    /// Season names are unique.
    SeasonName,
    /// At most one active roulette.
    RouletteActive,
    /// At most one active dice game.
    DiceActive,
    /// At most one active lottery.
    LotteryActive,
    /// One prize per label in a lottery.
    LotteryPrizeLabel,
    /// Bundle names are unique.
    BundleName,
    /// Names of kinds of coupons are unique.
    CouponKindName,
    /// One row per code of a kind of coupon.
    CouponCode,
    /// One row per code of all kinds of coupons.
    CouponCodeOnce,
    /// One row per content of an odds table.
    OddsContent,
    /// One seed per day.
    DrawSeedDay,
    /// At most one bridge that is not closed.
    BridgeOpen,
    /// One bridge per season.
    BridgeSeason,
    /// One lease per job.
    JobLease,
    /// One batch per key.
    WalletBatch,
    /// One revert per batch.
    WalletBatchReverts,
}

impl Constraint {
    pub const ALL: [Constraint; 21] = [
        Constraint::UserExternalId,
        Constraint::ActivityOnce,
        Constraint::SeasonStampPeriod,
        Constraint::SeasonLevelReward,
        Constraint::RewardGrant,
        Constraint::SeasonName,
        Constraint::RouletteActive,
        Constraint::DiceActive,
        Constraint::LotteryActive,
        Constraint::LotteryPrizeLabel,
        Constraint::BundleName,
        Constraint::CouponKindName,
        Constraint::CouponCode,
        Constraint::CouponCodeOnce,
        Constraint::OddsContent,
        Constraint::DrawSeedDay,
        Constraint::BridgeOpen,
        Constraint::BridgeSeason,
        Constraint::JobLease,
        Constraint::WalletBatch,
        Constraint::WalletBatchReverts,
    ];

    /// Its name in the schema.
    pub fn name(self) -> &'static str {
        self.definition().0
    }

    /// Name, table and columns, as the migration declares them.
    pub fn definition(self) -> (&'static str, &'static str, &'static [&'static str]) {
        match self {
            Constraint::UserExternalId => ("uq_user_external_id", "user", &["external_id"]),
            Constraint::ActivityOnce => (
                "uq_user_event_log_once",
                "user_event_log",
                &["user_id", "once_key"],
            ),
            Constraint::SeasonStampPeriod => (
                "uq_season_stamp_period",
                "season_pass_stamp_log",
                &["user_id", "season_id", "period_key"],
            ),
            Constraint::SeasonLevelReward => (
                "uq_season_level_reward",
                "season_pass_reward_log",
                &["user_id", "season_id", "level"],
            ),
            Constraint::RewardGrant => ("uq_reward_grant", "reward_log", &["grant_key"]),
            Constraint::SeasonName => ("uq_season_name", "season_pass_config", &["season_name"]),
            Constraint::RouletteActive => {
                ("uq_roulette_active", "roulette_config", &["active_slot"])
            }
            Constraint::DiceActive => ("uq_dice_active", "dice_config", &["active_slot"]),
            Constraint::LotteryActive => ("uq_lottery_active", "lottery_config", &["active_slot"]),
            Constraint::LotteryPrizeLabel => (
                "uq_lottery_prize_label",
                "lottery_prize",
                &["config_id", "label"],
            ),
            Constraint::BundleName => ("uq_reward_bundle_name", "reward_bundle", &["name"]),
            Constraint::CouponKindName => ("uq_coupon_kind_name", "coupon_kind", &["name"]),
            Constraint::CouponCode => (
                "uq_coupon_code_fingerprint",
                "coupon_code",
                &["kind_id", "fingerprint"],
            ),
            Constraint::CouponCodeOnce => (
                "uq_coupon_code_once",
                "coupon_code",
                &["fingerprint", "copy_number"],
            ),
            Constraint::OddsContent => ("uq_odds_table_content", "odds_table", &["content_hash"]),
            Constraint::DrawSeedDay => ("uq_draw_seed_day", "draw_seed", &["event_day"]),
            Constraint::BridgeOpen => ("uq_event_bridge_open", "event_bridge", &["open_slot"]),
            Constraint::BridgeSeason => ("uq_event_bridge_season", "event_bridge", &["season_id"]),
            Constraint::JobLease => ("uq_job_lease_name", "job_lease", &["name"]),
            Constraint::WalletBatch => ("uq_wallet_batch_key", "wallet_batch", &["batch_key"]),
            Constraint::WalletBatchReverts => {
                ("uq_wallet_batch_reverts", "wallet_batch", &["reverts"])
            }
        }
    }

    /// Finds the constraint that a server's message for a duplicate speaks of.
    pub(super) fn in_message(message: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|constraint| {
            let (name, table, columns) = constraint.definition();
            mysql_key(message) == Some(name)
                || sqlite_columns(message).is_some_and(|violated| {
                    violated
                        == columns
                            .iter()
                            .map(|column| format!("{table}.{column}"))
                            .collect::<Vec<_>>()
                            .join(", ")
                })
        })
    }
}

/// `Duplicate entry '1-2' for key 'user.uq_x'` (MySQL) or `… for key 'uq_x'` (MariaDB).
///
/// The entry is text that a client may have chosen, so the key is looked for from the end.
fn mysql_key(message: &str) -> Option<&str> {
    let (_, key) = message.rsplit_once("for key '")?;
    let key = key.strip_suffix('\'')?;
    Some(key.rsplit_once('.').map_or(key, |(_, name)| name))
}

/// `UNIQUE constraint failed: user.external_id`.
fn sqlite_columns(message: &str) -> Option<&str> {
    Some(message.split_once("UNIQUE constraint failed: ")?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_s_form_is_understood() {
        for (message, expected) in [
            (
                "Duplicate entry 'demo-01' for key 'user.uq_user_external_id'",
                Some(Constraint::UserExternalId),
            ),
            (
                "Duplicate entry '1-2-2025-12-26' for key 'uq_season_stamp_period'",
                Some(Constraint::SeasonStampPeriod),
            ),
            (
                "UNIQUE constraint failed: season_pass_stamp_log.user_id, \
                 season_pass_stamp_log.season_id, season_pass_stamp_log.period_key",
                Some(Constraint::SeasonStampPeriod),
            ),
            ("Duplicate entry '1' for key 'PRIMARY'", None),
            ("UNIQUE constraint failed: user.id", None),
            ("no such table: user", None),
        ] {
            assert_eq!(Constraint::in_message(message), expected, "{message}");
        }
    }

    #[test]
    fn a_value_that_imitates_a_message_does_not_deceive() {
        let message =
            "Duplicate entry 'x' for key 'uq_reward_grant'' for key 'uq_user_external_id'";
        assert_eq!(
            Constraint::in_message(message),
            Some(Constraint::UserExternalId)
        );
    }
}
