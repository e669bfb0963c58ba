use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::bail;
use sea_orm::DatabaseTransaction;
use xmas_activity::EventWriter;
use xmas_config::{Config, Secrets};
use xmas_games::{
    PlayCommand,
    ranking::{NewExternalEntry, NewRankingEntry, Ranking},
};
use xmas_kernel::{
    Asset, Feature, UserId,
    db::{Db, DbError},
    entropy::OsEntropy,
};
use xmas_players::{ExternalId, Identity, NewAccount, Nickname, Role, create_in_tx, has_accounts};
use xmas_rewards::{CouponCode, Credit, RewardDesk, RewardError, Rewards, Wallets};
use xmas_season_pass::{SeasonError, StampCommand};
use xmas_texts::start;
use xmas_time::{Clock, DateTime, EventDay, Kst, ManualClock, Utc};

use crate::{
    seed::{
        demo_state::{self, DemoState},
        written, xmas_2025,
    },
    wiring::{self, App, Ports},
};

const PLAYERS: u32 = 20;
/// What every demo player logs in with.
pub const PLAYER_PASSWORD: &str = "demo-pass";
pub const ADMIN: &str = "demo-admin";
pub const ADMIN_PASSWORD: &str = "demo-admin-pass";
/// How many tokens of each game a demo player starts with.
const TOKENS: i64 = 100;

/// Nine in the morning of the event's second day.
fn default_start() -> DateTime<Utc> {
    let day = EventDay::from_ymd(2025, 12, 26).expect("a proper day");
    day.start() + chrono::TimeDelta::hours(9)
}

/// Writes the 2025 event with coupon codes, demo players, their ranking, an admin, and the demo's
/// clock, which starts at `XMAS_CLOCK` or at nine in the morning of 2025-12-26. All or nothing; then
/// the first player plays each game on the day before, so that there are draws to check.
pub async fn demo(
    db: &Db,
    config: &Config,
    secrets: &Secrets,
    real: &dyn Clock,
) -> anyhow::Result<()> {
    if has_accounts(db.read()).await? {
        bail!(start::demo_wants_empty());
    }
    // Hashed once for all twenty, outside the transaction.
    let passwords = wiring::passwords(config, Arc::new(OsEntropy));
    let player_hash = passwords.hash(PLAYER_PASSWORD).await?;
    let admin_hash = passwords.hash(ADMIN_PASSWORD).await?;
    let now = config.event.clock.unwrap_or_else(default_start);
    let seeded_at = real.now();
    let yesterday = now - chrono::TimeDelta::days(1);
    let ports = Ports::with_clock(Arc::new(ManualClock::at(yesterday)));
    let app = App::new(db, config, secrets, ports);
    // Before anybody has played.
    let opened = EventDay::of(yesterday).start();
    let file = xmas_2025(opened)?;
    let tx = db.begin().await?;
    let applied = app.event().apply_in_tx(&tx, None, &file, None, opened);
    written(applied.await)?;
    let ledger = Rewards::new(EventWriter, config.event.reward_review_points);
    let key = wiring::data_key(&secrets.data_key, secrets.data_key_previous.as_ref());
    let desk = RewardDesk::new(db.clone(), key, Arc::new(OsEntropy), ledger);
    stock_coupons_in_tx(&tx, &desk, now).await?;
    let mut players = Vec::new();
    for number in 1..=PLAYERS {
        let account = NewAccount {
            external_id: ExternalId::try_from(format!("demo-{number:02}").as_str())?,
            nickname: Some(Nickname::try_from(format!("데모 {number:02}").as_str())?),
            password_hash: player_hash.clone(),
            role: Role::Player,
        };
        let player = create_in_tx(&tx, account, now).await?;
        for asset in [Asset::RouletteCoin, Asset::DiceToken, Asset::LotteryTicket] {
            let credit = Credit {
                asset,
                amount: TOKENS,
                reason: "DEMO_SEED",
                reference: "seed:demo".to_owned(),
                actor: "seed".to_owned(),
            };
            Wallets::credit_in_tx(&tx, &player, &credit, now).await?;
        }
        players.push(player.identity());
    }
    let ids: Vec<UserId> = players.iter().map(|player| player.user_id).collect();
    rank_in_tx(&tx, &ids, now).await?;
    let admin = NewAccount {
        external_id: ExternalId::try_from(ADMIN)?,
        nickname: None,
        password_hash: admin_hash,
        role: Role::Admin,
    };
    create_in_tx(&tx, admin, now).await?;
    let state = DemoState {
        clock_offset: now - seeded_at,
    };
    demo_state::insert_in_tx(&tx, &state, seeded_at).await?;
    tx.commit().await?;
    app.event().drop_copies();
    play_a_day(&app, &players[0], yesterday).await
}

/// Stamps and plays each game twice, as a player would have.
async fn play_a_day(app: &App, player: &Identity, now: DateTime<Utc>) -> anyhow::Result<()> {
    // As in a real event, commitments are published before the day.
    app.prepare_draws(now - chrono::TimeDelta::days(1)).await?;
    let stamp = StampCommand {
        identity: *player,
        request: None,
        source: Feature::SeasonPass,
        xp_bonus: 0,
    };
    match app.player.season_pass.stamp(&stamp, now).await {
        // The demo's clock may start on the season's first day.
        Ok(_) | Err(SeasonError::NoActiveSeason) => {}
        Err(error) => return Err(error.into()),
    }
    let play = PlayCommand {
        identity: *player,
        request: None,
    };
    for _ in 0..2 {
        app.player.games.roulette.play(&play, now).await?;
        app.player.games.dice.play(&play, now).await?;
        app.player.games.lottery.play(&play, now).await?;
    }
    Ok(())
}

/// Codes that look like the real ones and buy nothing.
async fn stock_coupons_in_tx(
    tx: &DatabaseTransaction,
    desk: &RewardDesk,
    now: DateTime<Utc>,
) -> Result<(), RewardError> {
    for (name, code) in [("배민 1만", "BM10"), ("배민 2만", "BM20")] {
        let codes = (1..=20).map(|number| format!("DEMO-{code}-{number:04}"));
        let codes = codes.filter_map(|code| CouponCode::try_from(code.as_str()).ok());
        let codes: Vec<CouponCode> = codes.collect();
        for kind in RewardDesk::coupon_kinds_named(tx, &[name]).await? {
            desk.add_codes_in_tx(tx, kind.id, &codes, now).await?;
        }
    }
    Ok(())
}

/// Boards for the days of the event: places go round among the players.
async fn rank_in_tx(
    tx: &DatabaseTransaction,
    players: &[UserId],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let mut day = EventDay::of(now);
    for turn in 0..7 {
        let mut order = players.to_vec();
        order.rotate_left(turn % players.len());
        let rows = (1..).zip(order).map(|(place, user_id)| NewRankingEntry {
            place,
            user_id: Some(user_id),
            display_name: String::new(),
            score: 10_000 - 370 * place,
        });
        let rows: Vec<NewRankingEntry> = rows.take(15).collect();
        Ranking::replace_day_in_tx(tx, day, &rows).await?;
        day = day.next();
    }
    let external = (1..).zip(players).map(|(place, user_id)| NewExternalEntry {
        user_id: *user_id,
        deposit_amount: 50_000 * (21 - place),
        play_count: 3 * place,
        memo: (place == 1).then(|| Some("데모 메모: 플레이어에게 보이지 않습니다".to_owned())),
        seen: None,
    });
    let external: Vec<NewExternalEntry> = external.take(12).collect();
    Ranking::upsert_external_in_tx(tx, &external, now).await
}

/// What a person does next, once the server is ready.
pub fn first_steps(address: SocketAddr, now: DateTime<Utc>, is_demo: bool) -> String {
    // Listening everywhere includes this machine.
    let host = match address.ip() {
        ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    let base = format!("http://{}", SocketAddr::new(host, address.port()));
    let time = serde_json::to_string(&Kst(now)).unwrap_or_default();
    let time = time.trim_matches('"');
    let mut text = format!(
        "\nXMAS 1Week answers at {base} (documentation: {base}/api/docs/).\n\
         The event's clock shows {time}."
    );
    if is_demo {
        text += &format!(
            "\n\nThis is the demo: log in as demo-01 to demo-20 with the password {PLAYER_PASSWORD}, \
             or as {ADMIN} with {ADMIN_PASSWORD}.\nPaste this to spin the roulette once:\n\n\
             TOKEN=$(curl -s {base}/api/auth/token -H 'content-type: application/json' \
             -d '{{\"external_id\":\"demo-01\",\"password\":\"{PLAYER_PASSWORD}\"}}' \
             | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/'); \
             curl -s -X POST {base}/api/roulette/play -H \"authorization: Bearer $TOKEN\"\n"
        );
    }
    text
}
