use std::{
    io::{Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use serde_json::json;
use xmas_games::fairness::{DrawReceipt, Published, receipt::Verified};
use xmas_texts::{Language, Text, player, receipt as texts};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The receipt (`GET /api/me/plays/{play_id}/draw`) as a file; `-` reads standard input.
    #[arg(default_value = "-")]
    receipt: PathBuf,
    /// The commitment that was published before the day (`GET /api/fairness/{day}`).
    #[arg(long, value_name = "HEX", value_parser = digest)]
    commitment: Option<String>,
    /// `content_hash` of a table that was published (`GET /api/odds/{feature}`); may be repeated.
    #[arg(long, value_name = "HEX", value_parser = digest)]
    odds_hash: Vec<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A SHA-256 as somebody may have noted it.
fn digest(text: &str) -> Result<String, Text> {
    let text = text.trim().to_ascii_lowercase();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text)
    } else {
        Err(player::sha256())
    }
}

/// The largest receipt that is read: a hundred draws from the largest tables fit.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Exit code 0 if the receipt holds, 1 if it does not or cannot be read.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let receipt = read(args).map_err(|error| {
        texts::file_unreadable(args.receipt.display().to_string(), error.to_string())
    })?;
    let published = Published {
        commitment: args.commitment.as_deref(),
        odds_hashes: &args.odds_hash,
    };
    let (text, code) = match DrawReceipt::verify(&receipt, published) {
        Ok(verified) if args.json => {
            let known = json!({
                "commitment": args.commitment.is_some(),
                "odds": !args.odds_hash.is_empty(),
            });
            let text = json!({ "verified": true, "draw": verified, "compared": known }).to_string();
            (text, ExitCode::SUCCESS)
        }
        Ok(verified) => (human(&verified, args), ExitCode::SUCCESS),
        Err(rejected) if args.json => {
            let reason = rejected.to_string();
            let text = json!({ "verified": false, "reason": reason }).to_string();
            (text, ExitCode::FAILURE)
        }
        Err(rejected) => {
            let text = texts::verdict(Text::from(rejected));
            let text = text.sentence(Language::of_environment());
            (text, ExitCode::FAILURE)
        }
    };
    // Nobody may be reading, which does not change the outcome.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(code)
}

/// What holds, and what is left for the reader to compare.
fn human(verified: &Verified, args: &Args) -> String {
    let Verified {
        day,
        commitment,
        feature,
        user_id,
        nonce,
        redraws,
        label,
        tables,
    } = verified;
    let redraws = match redraws {
        0 => String::new(),
        1 => " One draw before it brought a prize that had run out.".to_owned(),
        many => format!(" {many} draws before it brought prizes that had run out."),
    };
    let known = match args.commitment {
        Some(_) => "which is the commitment that you gave".to_owned(),
        None => format!("which must be what was published before {day}: compare it"),
    };
    let mut lines = vec![
        format!(
            "Verified: the play of player {user_id} with nonce {nonce} at {feature} on {day} brought \
             {label:?}.{redraws}"
        ),
        format!("The seed's SHA-256 is {commitment}, {known}."),
    ];
    for (attempt, table) in tables.iter().enumerate() {
        let known = match attempt {
            0 if !args.odds_hash.is_empty() => "one that you gave".to_owned(),
            0 => format!(
                "which must be what /api/odds/{feature}?odds_id={} shows: compare it",
                table.odds_id
            ),
            _ => "the one before without what had run out".to_owned(),
        };
        lines.push(format!("Drawn from the table {}, {known}.", table.hash));
    }
    lines.join("\n")
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
