use std::{io::Write, process::ExitCode};

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use xmas_config::{Config, Secrets};
use xmas_event_bridge::{BridgeError, KeyOrder, Mode, Pace, USUAL_CHUNK};
use xmas_kernel::{BridgeId, GiftId, Problem, UserId, idempotency::Replayable, with_causes};
use xmas_players::{GivenId, Inactive, PlayerRef};
use xmas_texts::start;

use crate::{
    cli::{actor, database, errors::print_problem, help, progress, settle},
    seed::demo_state,
    wiring::{App, Ports},
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
    /// The admin in whose name it is done: an external id.
    #[arg(long, global = true, value_name = "EXTERNAL_ID")]
    admin: Option<String>,
    /// Why, for the audit log: 1 to 191 characters.
    #[arg(long, global = true, value_name = "TEXT")]
    reason: Option<String>,
    /// Change nothing, and print what would be.
    #[arg(long, global = true)]
    dry_run: bool,
    /// Players in one transaction.
    #[arg(long, global = true, default_value_t = USUAL_CHUNK, value_parser = clap::value_parser!(u64).range(1..=1_000), value_name = "NUMBER")]
    chunk: u64,
    /// As JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Give the key of one day to one player, or to everybody who was active that week.
    #[command(after_help = help::KEYS)]
    Give(Give),
    /// Take the keys of a gift back from those who have not been paid for them.
    #[command(after_help = help::KEYS)]
    Revert {
        /// The number of the gift, as `give` has printed it.
        gift: i64,
    },
}

#[derive(Debug, clap::Args)]
#[group(id = "whom", required = true, multiple = false)]
struct Whom {
    /// Everybody who was active on any day of the bridge.
    #[arg(long)]
    all_active: bool,
    /// One player, by number.
    #[arg(long, value_name = "ID")]
    user_id: Option<i64>,
    /// One player, by external id.
    #[arg(long, value_name = "NAME")]
    external_id: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Give {
    /// Whose key: 1 to 7.
    #[arg(long, value_name = "NUMBER")]
    day: i64,
    /// The bridge; the one that is not closed if it is left out.
    #[arg(long, value_name = "ID")]
    bridge: Option<i64>,
    /// Also if the player is INACTIVE.
    #[arg(long, conflicts_with = "all_active")]
    force: bool,
    #[command(flatten)]
    whom: Whom,
}

/// Exit code 0 if all of it is done, 1 if it was refused or failed, 3 if it stopped half-way and should be
/// run again.
pub(super) async fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    database::require_real_time(config)?;
    let db = database::open(config).await?;
    let demo = demo_state::find(&db).await?;
    let clock = database::clock(config, demo.as_ref());
    let now = clock.now();
    let actor = actor::find(&db, args.admin.as_deref(), args.reason.as_ref()).await?;
    let app = App::new(&db, config, &Secrets::of(config)?, Ports::with_clock(clock));
    let settlement = app.settlement();
    let bar = progress::bar("players", None, args.json);
    let pace = Pace {
        chunk: args.chunk,
        progress: &|players| bar.set_position(players),
    };
    let mode = match args.dry_run {
        true => Mode::DryRun,
        false => Mode::Do(None),
    };
    let outcome = match &args.what {
        What::Give(give) => {
            let order = order(give)?;
            let given = settlement.give(&actor, &order, mode, pace, now);
            given.await.map(|Replayable { result: given, .. }| {
                let gift = given.gift.map(|gift| format!(" (gift {gift})"));
                let get = if args.dry_run { "would get" } else { "got" };
                let text = format!(
                    "{} players {get} the key{}, {} of them this time, {} points altogether; {} had it or have been paid.",
                    given.given,
                    gift.unwrap_or_default(),
                    given.given_now,
                    given.points,
                    given.had
                );
                (text, json!(given))
            })
        }
        What::Revert { gift } => {
            let gift = GiftId(*gift);
            let taken = settlement.revert_gift(&actor, gift, mode, pace, now);
            taken.await.map(|Replayable { result: taken, .. }| {
                let give = if args.dry_run { "would give" } else { "gave" };
                let text = format!(
                    "{} players {give} the key of gift {gift} back, {} points altogether; {} have earned it since, {} have been paid \
                     for it or lost it with the closing.",
                    taken.taken, taken.points, taken.earned, taken.kept
                );
                (text, json!(taken))
            })
        }
    };
    bar.finish_and_clear();
    match outcome {
        Ok((text, report)) => {
            print(args, &text, &report)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(BridgeError::Db(error)) => {
            print_problem(&start::keys_stopped(with_causes(&error)));
            Ok(ExitCode::from(3))
        }
        Err(error) => Err(settle::explained(error)),
    }
}

fn order(give: &Give) -> anyhow::Result<KeyOrder> {
    let external_id = give.whom.external_id.as_deref().map(GivenId::try_from);
    let external_id = external_id.transpose();
    let player = PlayerRef {
        user_id: give.whom.user_id.map(UserId),
        external_id: external_id.map_err(|unfit| Problem::new("--external-id", unfit))?,
    };
    Ok(KeyOrder {
        bridge: give.bridge.map(BridgeId),
        day_number: give.day,
        player: (!give.whom.all_active).then_some(player),
        inactive: Inactive::forced(give.force),
    })
}

fn print(args: &Args, text: &str, report: &serde_json::Value) -> anyhow::Result<()> {
    let text = match (args.json, args.dry_run) {
        (true, dry_run) => json!({ "dry_run": dry_run, "keys": report }).to_string(),
        (false, true) => format!("Dry run, nothing was changed: {text}"),
        (false, false) => text.to_owned(),
    };
    writeln!(std::io::stdout(), "{text}").context("the report cannot be printed")
}
