use std::{
    io::{Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use serde_json::json;
use xmas_games::fairness::DrawReceipt;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The receipt (`GET /api/me/plays/{play_id}/draw`) as a file; `-` reads standard input.
    #[arg(default_value = "-")]
    receipt: PathBuf,
    /// The commitment that was published before the day. Without it the receipt is only checked
    /// against itself.
    #[arg(long, value_name = "HEX")]
    commitment: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// The largest receipt that is read: a hundred draws from the largest tables fit.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Exit code 0 if the receipt holds, 1 if it does not or cannot be read.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let receipt = read(args).with_context(|| format!("{}", args.receipt.display()))?;
    let outcome = DrawReceipt::verify(&receipt, args.commitment.as_deref());
    let (text, code) = match &outcome {
        Ok(verified) if args.json => (
            json!({ "verified": true, "draw": verified, "published_commitment": args.commitment.is_some() })
                .to_string(),
            ExitCode::SUCCESS,
        ),
        Err(rejected) if args.json => (
            json!({ "verified": false, "reason": rejected.to_string() }).to_string(),
            ExitCode::FAILURE,
        ),
        Ok(verified) => {
            let known = match &args.commitment {
                Some(_) => "which is the commitment that you gave".to_owned(),
                None => format!("which must be what was published before {}", verified.day),
            };
            let redraws = match verified.redraws {
                0 => String::new(),
                1 => " One draw before it brought a prize that had run out.".to_owned(),
                many => format!(" {many} draws before it brought prizes that had run out."),
            };
            (
                format!(
                    "Verified: play {} of player {} at {} on {} brought {:?}.{redraws}\n\
                     The seed's SHA-256 is {}, {known}.",
                    verified.nonce,
                    verified.user_id,
                    verified.feature,
                    verified.day,
                    verified.label,
                    verified.commitment,
                ),
                ExitCode::SUCCESS,
            )
        }
        Err(rejected) => (format!("Rejected: {rejected}."), ExitCode::FAILURE),
    };
    // Nobody may be reading, which does not change the outcome.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(code)
}

fn read(args: &Args) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if args.receipt.as_os_str() == "-" {
        std::io::stdin().take(LARGEST).read_to_end(&mut bytes)?;
    } else {
        let file = std::fs::File::open(&args.receipt)?;
        file.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}
