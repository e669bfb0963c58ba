-- What the application's database user may do, on MySQL and MariaDB. Everything that can be looked up
-- afterwards stays as it was written: `wallet_ledger`, `admin_audit_log`, `odds_table` and `odds_change` can be
-- read and added to, and neither changed nor deleted. Migrations want another user, who owns the schema.
--
--   xmas-api migrate up           with DATABASE_URL of the owner
--   sed -e 's/{database}/xmas/' -e "s/{user}/'xmas_app'@'%'/" scripts/grants.sql | mysql
--   xmas-api serve                with DATABASE_URL of xmas_app
--
-- Run it again after each migration: a new table has no grants yet.

GRANT SELECT, INSERT ON `{database}`.`admin_audit_log` TO {user};
GRANT SELECT, INSERT ON `{database}`.`odds_change` TO {user};
GRANT SELECT, INSERT ON `{database}`.`odds_table` TO {user};
GRANT SELECT, INSERT ON `{database}`.`wallet_ledger` TO {user};

GRANT SELECT ON `{database}`.`schema_compatibility` TO {user};
GRANT SELECT ON `{database}`.`seaql_migrations` TO {user};

GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`app_ui_config` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`config_lock` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`coupon_code` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`coupon_kind` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`coupon_withheld` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`data_key_probe` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`demo_state` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`dice_config` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`draw_seed` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`event_bridge` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`event_bridge_day` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`event_bridge_gift` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`event_bridge_gift_key` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`event_bridge_progress` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`external_ranking_data` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`feature_config` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`feature_log` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`feature_redraw` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`feature_schedule` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`idempotency_key` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`job_lease` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`job_result` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`lottery_config` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`lottery_prize` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`odds_observed` TO {user};
GRANT SELECT, INSERT, UPDATE ON `{database}`.`odds_plan` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`ranking_daily` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`refresh_token` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`reward_bundle` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`reward_bundle_item` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`reward_log` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`roulette_config` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`roulette_segment` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`season_pass_config` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`season_pass_level` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`season_pass_progress` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`season_pass_reward_log` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`season_pass_stamp_log` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`user` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`user_event_log` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`user_game_wallet` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`user_profiles` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`wallet_batch` TO {user};
GRANT SELECT, INSERT, UPDATE, DELETE ON `{database}`.`wallet_batch_item` TO {user};
