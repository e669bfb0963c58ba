//! `GET /`: a small page for whoever opens the address in a browser: what this is, whether it runs, where to go on, and
//! today's odds.

use std::{fmt::Write, future::ready, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ContentType},
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};
use tokio::time::timeout;
use xmas_games::{
    Fairness, FairnessError, GameError,
    dice::DiceOutcome,
    fairness::{InForceOdds, OddsNow, PlannedOdds},
    odds::{Entry, Odds},
    percent::Percent,
};
use xmas_http::{
    answer::VARY_BY_LANGUAGE,
    extract::{Now, PreferredLanguage},
    middleware::limits,
};
use xmas_kernel::Feature;
use xmas_texts::{Language, Text, odds, page};
use xmas_time::{DateTime, EventDay, Kst, Utc};

use crate::{openapi::get_or_head, readiness::Readiness};

/// What something is called.
type Name = fn() -> Text;

/// Where to go on.
const LINKS: [(&str, Name); 2] = [
    ("/api/docs/", page::api_documentation),
    ("/readyz", page::health),
];

/// The games whose odds are shown, in the order of the page.
const GAMES: [(Feature, Name); 3] = [
    (Feature::Roulette, page::roulette),
    (Feature::Dice, page::dice),
    (Feature::Lottery, page::lottery),
];

/// How long the page waits for the database: whoever opens it wants to hear that it is away.
const PATIENCE: Duration = Duration::from_secs(1);

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;margin:.5rem 0 1.5rem}\
th,td{padding:.15rem 1rem .15rem 0;text-align:left}td+td{text-align:right}";

pub(crate) fn configure(cfg: &mut ServiceConfig) {
    let other = || {
        ready(
            HttpResponse::MethodNotAllowed()
                .insert_header((header::ALLOW, "GET, HEAD"))
                .finish(),
        )
    };
    let page = web::resource("/")
        .route(web::route().guard(get_or_head()).to(home))
        .default_service(web::to(other));
    cfg.service(page.wrap(from_fn(limits::time)));
}

async fn home(
    request: HttpRequest,
    now: Now,
    readiness: Data<Readiness>,
    fairness: Data<Fairness>,
) -> HttpResponse {
    let PreferredLanguage(language) = PreferredLanguage::of(&request);
    let checked = timeout(PATIENCE, readiness.check()).await;
    let is_ready = checked.is_ok_and(|checked| checked.is_ok());
    let mut tables = Vec::with_capacity(GAMES.len());
    for (game, name) in GAMES {
        // Without a database each of them would only be waited for.
        let asked = async {
            match is_ready {
                true => timeout(PATIENCE, fairness.odds(game, now.0)).await.ok(),
                false => None,
            }
        };
        let odds = match asked.await {
            None => Err(page::odds_away()),
            Some(Ok(odds)) => Ok(odds),
            Some(Err(FairnessError::Game(GameError::Db(error)))) => {
                tracing::warn!(%game, ?error, "the odds of {game} cannot be shown");
                Err(page::odds_away())
            }
            Some(Err(_)) => Err(page::no_odds()),
        };
        tables.push((name().in_language(language), odds));
    }
    let today = EventDay::of(now.0);
    HttpResponse::Ok()
        .content_type(ContentType::html())
        .append_header(VARY_BY_LANGUAGE)
        .body(written(language, is_ready, today, &tables))
}

fn written(
    language: Language,
    is_ready: bool,
    today: EventDay,
    tables: &[(String, Result<OddsNow, Text>)],
) -> String {
    let say = |text| in_html(&text, language);
    let state = match is_ready {
        true => page::runs(),
        false => page::is_not_ready(),
    };
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>XMAS 1Week</title>\n\
         <style>{STYLE}</style>\n<h1>XMAS 1Week</h1>\n<p>{}</p>\n<p><strong>{}</strong></p>\n<ul>\n",
        language.tag(),
        sentence(&page::about(), language),
        sentence(&state, language),
    );
    let links = LINKS.map(|(path, name)| (path.to_owned(), name()));
    let commitment = (format!("/api/fairness/{today}"), page::commitment());
    for (path, name) in links.into_iter().chain([commitment]) {
        // Writing to a String cannot fail.
        let _ = writeln!(html, "<li><a href=\"{path}\">{}</a></li>", say(name));
    }
    let _ = writeln!(
        html,
        "</ul>\n<h2>{}</h2>\n<p><strong>{}</strong></p>\n<p>{}</p>",
        say(page::odds_of_today(today.to_string())),
        say(odds::contains_chance()),
        sentence(&odds::change_when_sold_out(), language),
    );
    for (game, odds) in tables {
        let _ = writeln!(html, "<h3>{}</h3>", escaped(game));
        match odds {
            Ok(odds) => game_now(odds, language, &mut html),
            Err(instead) => {
                let _ = writeln!(html, "<p>{}</p>", sentence(instead, language));
            }
        }
    }
    html
}

fn game_now(odds: &OddsNow, language: Language, html: &mut String) {
    match &odds.in_force {
        Some(in_force) => table(in_force, language, html),
        None => {
            let _ = writeln!(html, "<p>{}</p>", sentence(&page::no_odds(), language));
        }
    }
    for planned in &odds.next {
        announced(planned, language, html);
    }
}

fn table(in_force: &InForceOdds, language: Language, html: &mut String) {
    let say = |text| in_html(&text, language);
    let _ = writeln!(
        html,
        "<table>\n<tr><th>{}</th><th>{}</th><th>{}</th></tr>",
        say(page::result()),
        say(page::probability()),
        say(page::left()),
    );
    let table = &in_force.table;
    let name = |entry: &Entry| match outcome(table, entry) {
        Some(outcome) => say(outcome),
        None => escaped(&entry.label),
    };
    let left = |entry: &Entry| match in_force.limits.stock.get(&entry.id) {
        Some(left) => left.to_string(),
        None => say(page::unlimited()),
    };
    for entry in table.entries() {
        let percent = match in_force.is_playable {
            true => in_force.published.odds.percent(entry.id),
            false => Percent::ZERO,
        };
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{percent}</td><td>{}</td></tr>",
            name(entry),
            left(entry),
        );
    }
    html.push_str("</table>\n");
    if let Some(since) = in_force.since {
        let _ = writeln!(
            html,
            "<p>{}</p>",
            sentence(&page::in_force_since(told(since)), language)
        );
    }
}

/// That another table takes over, and where it stands.
fn announced(planned: &PlannedOdds, language: Language, html: &mut String) {
    let game = planned.published.odds.feature();
    let text = page::takes_over(told(planned.effective_from));
    let _ = writeln!(
        html,
        "<p><a href=\"/api/odds/{}?odds_id={}\">{}</a></p>",
        game.as_str().to_ascii_lowercase(),
        planned.published.odds_id,
        sentence(&text, language),
    );
}

/// An instant as people in Korea write it, to the second.
fn told(instant: DateTime<Utc>) -> String {
    let korean = Kst(instant).to_string();
    let (date_time, _) = korean.split_once('.').unwrap_or((&korean, ""));
    format!("{} KST", date_time.replace('T', " "))
}

fn sentence(text: &Text, language: Language) -> String {
    escaped(&text.sentence(language))
}

/// What an entry of the dice is called: operators name those of the other games.
fn outcome(odds: &Odds, entry: &Entry) -> Option<Text> {
    if odds.feature() != Feature::Dice {
        return None;
    }
    let mut outcomes = DiceOutcome::ALL.into_iter();
    let outcome = outcomes.find(|outcome| outcome.entry_id() == entry.id)?;
    Some(match outcome {
        DiceOutcome::Win => page::won(),
        DiceOutcome::Draw => page::drawn(),
        DiceOutcome::Lose => page::lost(),
    })
}

fn in_html(text: &Text, language: Language) -> String {
    escaped(&text.in_language(language))
}

/// A text between tags. What operators have entered is no markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            escaped("<b title=\"a\">배민 & 2만</b>"),
            "&lt;b title=&quot;a&quot;&gt;배민 &amp; 2만&lt;/b&gt;"
        );
    }
}
