//! How many statements each hot request costs, BEGIN and COMMIT not counted. In the plain case what is needed of the
//! configuration is known to the process, and nothing else comes along; a level, a bridge key, a prize of which there
//! are so many and a day's first page have numbers of their own. A request that costs more is slower for everybody.

use chrono::TimeDelta;
use serde_json::json;
use xmas_kernel::Asset;
use xmas_test_support::{Answer, AppBuilder, Client, TestApp};

const PLAY: &str = "/api/roulette/play";
const LOTTERY: &str = "/api/lottery/play";
/// What the process knows for a moment, is known again after these.
const PAGES: [&str; 4] = [
    "/api/season-pass/status",
    "/api/roulette/status",
    // Not the page of the dice, whose first look of a day is one of those that are counted.
    "/api/odds/dice",
    "/api/lottery/status",
];

/// Players who have played and have been stamped on 2025-12-26, in an event in which each play of roulette and lottery
/// wins points. There are several, since the process may read its configuration anew while one of them is looked at.
struct Day {
    app: TestApp,
    players: Vec<Client>,
}

impl Day {
    async fn new() -> Self {
        let app = AppBuilder::default()
            .set("REWARD_REVIEW_POINTS", "1000000")
            .start()
            .await;
        let points = "reward_type = 'POINT', reward_amount = 10, reward_item = NULL";
        let unlimited = "stock = NULL, stock_at_edit = NULL, stock_supplied = NULL";
        for sql in [
            format!("UPDATE roulette_segment SET {points}"),
            format!("UPDATE lottery_prize SET {points}, {unlimited}"),
        ] {
            app.test.execute(&sql).await;
        }
        let mut players = Vec::new();
        for name in ["dasher", "dancer", "prancer"] {
            let player = app.player(name, 100).await;
            for asset in [Asset::Point, Asset::DiceToken, Asset::LotteryTicket] {
                app.give(player.identity(), asset, 10).await;
            }
            stamp(&player).await;
            for play in [PLAY, LOTTERY] {
                player.play(play).await.expect_status(200);
            }
            players.push(player);
        }
        Self { app, players }
    }

    /// The fewest statements of a request that is made for each player.
    async fn cost(&self, request: impl AsyncFn(&Client) -> Answer) -> u64 {
        let mut fewest = u64::MAX;
        for player in &self.players {
            for page in PAGES {
                player.get(page).await.expect_status(200);
            }
            let before = self.app.statements();
            request(player).await.expect_status(200);
            fewest = fewest.min(self.app.statements() - before);
        }
        fewest
    }

    async fn set_xp(&self, xp: i64) {
        let sql = format!("UPDATE season_pass_progress SET current_xp = {xp}");
        self.app.test.execute(&sql).await;
    }

    /// The level that each of them has reached.
    async fn level(&self) -> i64 {
        let levels = "SELECT SUM(level_high_water) FROM season_pass_progress";
        let levels = self.app.test.count(levels).await;
        levels / i64::try_from(self.players.len()).unwrap()
    }

    async fn log_in_again(&mut self) {
        for (name, player) in ["dasher", "dancer", "prancer"]
            .iter()
            .zip(&mut self.players)
        {
            let session = self.app.login(name).await.expect_status(200).body;
            *player = self.app.with_token(session["access_token"].as_str());
        }
    }
}

async fn play(player: &Client) -> Answer {
    player.play(PLAY).await
}

async fn stamp(player: &Client) -> Answer {
    let source = json!({ "source_feature_type": "SEASON_PASS" });
    player.post("/api/season-pass/stamp", &source).await
}

#[tokio::test]
async fn a_play_that_wins_points_costs_seven_statements() {
    let day = Day::new().await;
    assert_eq!(day.cost(play).await, 7);
    let keyed = async |player: &Client| player.play_keyed(PLAY, "one").await;
    assert_eq!(day.cost(keyed).await, 8, "the answer is kept");
    assert_eq!(day.cost(keyed).await, 1, "the answer is given again");
    assert_eq!(day.level().await, 1, "nothing else came along");
    // The claim and the account's level; the rest goes with the play's own rows.
    day.set_xp(49).await;
    assert_eq!(day.cost(play).await, 9, "with a level");
    assert_eq!(day.level().await, 2);
}

#[tokio::test]
async fn a_limited_prize_costs_one_more_and_one_that_has_run_out_a_second_draw() {
    let day = Day::new().await;
    // One of them is nearly always drawn.
    let rare = "UPDATE lottery_prize SET weight = 1, stock = 1000, stock_at_edit = 1000, \
        stock_supplied = 1000";
    day.app.test.execute(rare).await;
    let first = day
        .app
        .test
        .count("SELECT MIN(id) FROM lottery_prize")
        .await;
    let often = format!("UPDATE lottery_prize SET weight = 1000000000 WHERE id = {first}");
    day.app.test.execute(&often).await;
    let restart = day.app.test.reconnected().await;
    let app = AppBuilder::default().start_on(restart).await;
    let players = day.players.iter();
    let players = players
        .map(|player| app.with_token(Some(player.token())))
        .collect();
    let day = Day { app, players };
    let lottery = async |player: &Client| player.play(LOTTERY).await;
    assert_eq!(day.cost(lottery).await, 8);
    let count = async || {
        day.app
            .test
            .count("SELECT COUNT(*) FROM feature_redraw")
            .await
    };
    let set = async |left: i64| {
        let sql = format!("UPDATE lottery_prize SET stock = {left} WHERE id = {first}");
        day.app.test.execute(&sql).await;
    };
    let mut fewest = u64::MAX;
    for player in day.players.iter().cycle().take(9) {
        set(1_000).await;
        player.get("/api/lottery/status").await.expect_status(200);
        set(0).await;
        let (redraws, before) = (count().await, day.app.statements());
        player.play(LOTTERY).await.expect_status(200);
        let cost = day.app.statements() - before;
        // Unless the process has looked at the stock meanwhile.
        if count().await > redraws {
            fewest = fewest.min(cost);
        }
    }
    // Both draws, what is left of the table, and its odds; and that they are in force from now on, which whoever sees it
    // first writes into the history. All of it is read under one turn.
    assert_eq!(fewest, 29);
}

#[tokio::test]
async fn a_key_costs_two_more() {
    let day = Day::new().await;
    let dice = async |player: &Client| player.play("/api/dice/play").await;
    let keys = "SELECT COUNT(*) FROM season_pass_stamp_log WHERE event_type IS NOT NULL";
    assert_eq!(day.app.test.count(keys).await, 0);
    let first = day.cost(dice).await;
    assert_eq!(day.app.test.count(keys).await, 3, "the mission of the day");
    let second = day.cost(dice).await;
    // A stamp, and a count in the profile. What the dice win is another thing each time.
    assert!(
        (8..=12).contains(&first) && (6..=9).contains(&second),
        "{first}, {second}"
    );
}

#[tokio::test]
async fn a_stamp_costs_four_statements_and_a_claim_six() {
    let mut day = Day::new().await;
    day.app.clock.advance(TimeDelta::days(1));
    day.log_in_again().await;
    day.set_xp(20).await;
    assert_eq!(day.cost(stamp).await, 4);
    assert_eq!(day.level().await, 1, "nothing else came along");
    day.set_xp(1_195).await;
    // Reaches nine levels, and is paid six of them.
    day.cost(play).await;
    let claim = async |player: &Client| {
        let level = json!({ "level": 9 });
        player.post("/api/season-pass/claim", &level).await
    };
    assert_eq!(day.cost(claim).await, 6);
}

#[tokio::test]
async fn a_page_costs_a_statement_or_two_and_the_first_of_a_day_its_note() {
    let mut day = Day::new().await;
    let read = |path: &'static str| async move |player: &Client| player.get(path).await;
    for (path, cost) in [
        // One for the season, one for its bridge.
        ("/api/season-pass/status", 2),
        ("/api/season-pass/internal-wins", 1),
        ("/api/roulette/status", 1),
    ] {
        assert_eq!(day.cost(read(path)).await, cost, "{path}");
    }
    day.app.clock.advance(TimeDelta::days(1));
    day.log_in_again().await;
    // The player is locked, and the note written.
    assert_eq!(day.cost(read("/api/dice/status")).await, 3);
}
