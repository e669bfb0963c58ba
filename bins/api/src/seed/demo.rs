use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use xmas_core_auth::Passwords;
use xmas_kernel::{Asset, db::Db};
use xmas_players::{ExternalId, NewAccount, Nickname, Role, create_in_tx, has_accounts};
use xmas_rewards::{Credit, Wallets};
use xmas_time::{Clock, DateTime, EventDay, Kst, Utc};

use super::{
    demo_state::{self, DemoState},
    event_2025,
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

/// Writes the 2025 event, its demo players and admin, and the demo's clock, which starts at `start`
/// or at nine in the morning of 2025-12-26. All or nothing.
pub async fn demo(
    db: &Db,
    passwords: &Passwords,
    start: Option<DateTime<Utc>>,
    real: &dyn Clock,
) -> anyhow::Result<()> {
    if has_accounts(db.read()).await? {
        bail!("this database has players already; the demo seed wants an empty one");
    }
    // Hashed once for all twenty, outside the transaction.
    let player_hash = passwords.hash(PLAYER_PASSWORD).await?;
    let admin_hash = passwords.hash(ADMIN_PASSWORD).await?;
    let now = start.unwrap_or_else(default_start);
    let seeded_at = real.now();
    let tx = db.begin().await?;
    event_2025::write_in_tx(&tx, now)
        .await
        .context("the event cannot be written")?;
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
    }
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
    Ok(())
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
