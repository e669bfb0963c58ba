//! Plays in a transaction: of one player, or of several who play at the same time.

use std::{collections::HashSet, fmt, sync::Arc};

use chrono::{DateTime, Utc};
use sea_orm::{DatabaseTransaction, QueryResult, sea_query::SelectStatement};
use serde_json::json;
use xmas_kernel::{
    OddsId,
    db::{Ask, Caller, DbError, EventSeen, Tx, while_all_wait, while_any_waits},
    idempotency::{NewResult, Replayable, RequestKey, store_many_in_tx},
};
use xmas_players::{Entry as Entered, enter_beside_in_tx, enter_free_in_tx};
use xmas_rewards::Books;
use xmas_season_pass::Place;
use xmas_time::EventDay;

use crate::{
    Game, GameError, Play, PlayCommand, PlayContext,
    context::{Drawn, Ready},
    daily_limit::next_nonce,
    draw::DrawId,
    fairness::SeedOfDay,
    in_force::{InForce, PublishedConfig},
    odds::Odds,
    play_log::{self, Draw},
};

/// How one game is played, on the database.
pub(crate) struct Plays<G: Game> {
    pub(crate) context: PlayContext,
    pub(crate) in_force: InForce<G>,
}

/// The draws of one play so far, whose prizes had all run out, and what is drawn from next. The
/// number of a draw follows from the nonce and the attempt: a chain is carried on only by the play
/// with its nonce, in the same event.
pub(crate) struct Chain<G: Game> {
    pub(crate) published: Arc<PublishedConfig<G>>,
    /// Of which it is.
    pub(crate) event: EventSeen,
    pub(crate) nonce: i64,
    pub(crate) redraws: Vec<Draw>,
    pub(crate) odds: Odds,
}

/// What a play draws from that has drawn before: a chain, and the id under which its odds are published.
pub(crate) type Chained<G> = (Box<Chain<G>>, OddsId);

/// A play that is asked for.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) command: PlayCommand,
    pub(crate) now: DateTime<Utc>,
}

/// What one of those who play together is answered: `None` if they are to play alone.
pub(crate) type Answer<G> = Result<Option<Replayable<Play<<G as Game>::Outcome>>>, Stop<G>>;

/// What is the same for all plays of a transaction.
struct Round {
    /// Of which all of it is, and what is drawn from.
    event: EventSeen,
    ready: Ready,
    seed: Arc<SeedOfDay>,
}

/// A play of which everything is decided and nothing is written.
struct Decided<'a, G: Game> {
    books: Books<'a>,
    place: Place,
    /// Under which its answer is kept.
    request: Option<&'a RequestKey>,
    drawn: Drawn,
    outcome: G::Outcome,
    published: &'a Arc<PublishedConfig<G>>,
    odds: &'a Odds,
}

/// Why a play did not end.
#[derive(thiserror::Error)]
pub(crate) enum Stop<G: Game> {
    #[error(transparent)]
    Refused(#[from] GameError),
    /// The prize had run out since the configuration was looked up. Nothing is left of this attempt; the
    /// play goes on along the chain, once what it draws from is published.
    #[error("the prize has run out")]
    SoldOut(Box<Chain<G>>),
}

impl<G: Game> fmt::Debug for Stop<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Refused(error) => error.fmt(f),
            Stop::SoldOut(chain) => write!(f, "SoldOut({}, {:?})", chain.nonce, chain.redraws),
        }
    }
}

impl<G: Game> From<DbError> for Stop<G> {
    fn from(error: DbError) -> Self {
        Stop::Refused(error.into())
    }
}

impl<G: Game> Plays<G> {
    /// Plays in a transaction of its own.
    pub(crate) async fn play(
        &self,
        Asked { command, now }: &Asked,
        chain: Option<&Chained<G>>,
    ) -> Result<Replayable<Play<G::Outcome>>, Stop<G>> {
        let (identity, request) = (&command.identity, command.request.as_ref());
        let (context, now) = (&self.context, *now);
        let today = EventDay::of(now);
        let look = || async {
            let ready = context.ready(G::FEATURE, today).await;
            (ready, self.in_force.playable(now).await)
        };
        let (event, (ready, published)) = context.db.look_at_event(look).await?;
        // Without a key there is nothing to replay, and a refusal costs no transaction.
        let ready = if request.is_none() { Ok(ready?) } else { ready };
        // Both are looked at once the player is known not to be blocked, and nothing to be replayed.
        let seed = context.draws.seed(today, now).await;

        let tx = context.db.begin().await?;
        let join = |select: &mut SelectStatement, ready: &Ready| {
            PlayContext::join(select, G::FEATURE, ready, today);
        };
        let entered =
            enter_beside_in_tx::<_, _, GameError>(&tx, identity, request, ready, join).await?;
        let (player, ready, rows) = match entered {
            Entered::Replay(result) => return Ok(Replayable::replayed(result)),
            Entered::Run(player, (ready, rows)) => (player, ready, rows),
        };
        let (published, seed) = (published?, seed?);
        let round = Round { event, ready, seed };
        let books = Books::open(&tx, &player, &rows, now)?;
        let decided = round.decide(&published, chain, books, request, &rows)?;
        let (published, odds) = (decided.published, decided.odds);
        let (draw, mut redraws) = (decided.drawn.draw, decided.drawn.redraws.clone());
        let (nonce, took_stock) = (decided.drawn.nonce, decided.drawn.took_stock);
        let play = self.write_in_tx(&tx, &round.ready, vec![decided]).await?;
        // Last, since everybody who wins this prize waits for its lock.
        if took_stock && !G::take_in_tx(&tx, draw.entry_id).await? {
            redraws.push(draw);
            let rest = odds.without(draw.entry_id);
            return Err(Stop::SoldOut(Box::new(Chain {
                published: published.clone(),
                event: round.event,
                nonce,
                redraws,
                // A game of which nothing is left is not configured correctly.
                odds: rest.map_err(|_| GameError::InvalidConfig(G::FEATURE))?,
            })));
        }
        tx.commit().await?;
        if took_stock {
            // What is left has changed.
            self.in_force.forget();
        }
        let play = play.into_iter().next();
        let play = play.ok_or_else(|| DbError::Corrupt("a play was not written".to_owned()))?;
        Ok(Replayable::fresh(play))
    }

    /// Serves those who play on the same day at the same time, in one transaction, each player once. Who is told to play
    /// alone finds out there why; nothing of what they asked for is done. As soon as somebody hangs up all others are.
    pub(crate) async fn serve(&self, today: EventDay, asks: Vec<Ask<Asked, Answer<G>>>) {
        let mut players = HashSet::new();
        let (asks, again): (Vec<_>, Vec<_>) = asks
            .into_iter()
            .partition(|ask| players.insert(ask.item.command.identity.user_id));
        let (asked, mut callers): (Vec<_>, Vec<_>) =
            asks.into_iter().map(|ask| (ask.item, ask.caller)).unzip();
        let served = match &*asked {
            [only] => {
                let played = while_all_wait(&mut callers, self.play(only, None)).await;
                played.map(|play| vec![play.map(Some)])
            }
            all => self.play_together(today, all, &mut callers).await,
        };
        let alone = || asked.iter().map(|_| Ok(None)).collect();
        for (caller, answer) in callers.into_iter().zip(served.unwrap_or_else(alone)) {
            caller.answer(answer);
        }
        for ask in again {
            ask.caller.answer(Ok(None));
        }
    }

    /// `None` if somebody has hung up: then nothing of it is done, or nobody waits for an answer.
    async fn play_together(
        &self,
        today: EventDay,
        asked: &[Asked],
        callers: &mut [Caller<Answer<G>>],
    ) -> Option<Vec<Answer<G>>> {
        let writing = self.write_together(today, asked);
        let (tx, answers) = match while_all_wait(callers, writing).await? {
            Ok(written) => written,
            Err(error) => return Some(asked.iter().map(|_| unwritten(&error)).collect()),
        };
        if !answers.iter().any(is_new::<G>) {
            return Some(answers);
        }
        // Nobody is told to play alone whose play is perhaps there.
        let committed = while_any_waits(callers, tx.commit()).await?;
        let answered = |answer: Answer<G>| match &committed {
            Err(error) if is_new::<G>(&answer) => Err(error.clone().into()),
            _ => answer,
        };
        Some(answers.into_iter().map(answered).collect())
    }

    /// Writes the plays of those who need not wait, and says what to answer once that is committed.
    async fn write_together(
        &self,
        today: EventDay,
        asked: &[Asked],
    ) -> Result<(Tx, Vec<Answer<G>>), GameError> {
        let now = asked
            .iter()
            .map(|asked| asked.now)
            .max()
            .unwrap_or_default();
        let context = &self.context;
        let look = || async {
            let ready = context.ready(G::FEATURE, today).await?;
            // Each is drawn from what was in force when it was asked for.
            let mut published = Vec::with_capacity(asked.len());
            for asked in asked {
                published.push(self.in_force.playable(asked.now).await?);
            }
            Ok::<_, GameError>((ready, published))
        };
        let (event, looked) = context.db.look_at_event(look).await?;
        let (ready, published) = looked?;
        let seed = context.draws.seed(today, now).await?;
        let round = Round { event, ready, seed };
        let asking = asked.iter().map(|asked| &asked.command);
        let asking: Vec<_> = asking
            .map(|command| (command.identity, command.request.as_ref()))
            .collect();
        let tx = context.db.begin().await?;
        let join = |select: &mut SelectStatement| {
            PlayContext::join(select, G::FEATURE, &round.ready, today);
        };
        let entered = enter_free_in_tx::<_, GameError>(&tx, &asking, join).await?;
        let (mut answers, mut running) = (Vec::new(), Vec::new());
        for (index, entered) in entered.into_iter().enumerate() {
            answers.push(match entered {
                Some(Ok(Entered::Run(player, rows))) => {
                    running.push((index, player, rows));
                    Ok(None)
                }
                Some(Ok(Entered::Replay(result))) => Ok(Some(Replayable::replayed(result))),
                Some(Err(refused)) => Err(refused.into()),
                None => Ok(None),
            });
        }
        let mut all = Vec::new();
        for (index, player, rows) in &running {
            let decided = Books::open(&tx, player, rows, asked[*index].now)
                .map_err(GameError::from)
                .and_then(|books| {
                    round.decide(&published[*index], None, books, asking[*index].1, rows)
                });
            match decided {
                // Others want the rows of this prize.
                Ok(decided) if decided.drawn.is_of_a_stock() => {}
                Ok(decided) => all.push((*index, decided)),
                Err(refused) => answers[*index] = Err(refused.into()),
            }
        }
        let (indices, all): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let plays = self.write_in_tx(&tx, &round.ready, all).await?;
        for (index, play) in indices.into_iter().zip(plays) {
            answers[index] = Ok(Some(Replayable::fresh(play)));
        }
        Ok((tx, answers))
    }

    /// Writes plays of several players, and what follows from them. Returns them in the same order.
    async fn write_in_tx(
        &self,
        tx: &DatabaseTransaction,
        ready: &Ready,
        decided: Vec<Decided<'_, G>>,
    ) -> Result<Vec<Play<G::Outcome>>, GameError> {
        let logged: Vec<_> = decided.iter().map(Decided::logged).collect();
        let numbers = play_log::insert(tx, &logged).await?;
        let (mut plays, mut open, mut results) = (Vec::new(), Vec::new(), Vec::new());
        for (decided, number) in decided.into_iter().zip(numbers) {
            let (mut books, place) = (decided.books, &decided.place);
            let settled = self
                .context
                .settle(&mut books, (ready, place), &decided.drawn, number)
                .await?;
            let play = Play {
                outcome: decided.outcome,
                season_pass: settled.stamp,
                token_balance: settled.token_balance,
                receipt: settled.receipt,
            };
            if let Some(request) = decided.request {
                let (player, now) = (books.player.user_id(), books.now);
                results.push(NewResult::new(player, request, &play, now)?);
            }
            if books.give_codes() {
                books.write_in_tx().await?;
            } else {
                open.push(books);
            }
            plays.push(play);
        }
        Books::write_all_in_tx(open).await?;
        store_many_in_tx(tx, results).await?;
        Ok(plays)
    }
}

impl Round {
    /// Draws for a player, whose rows were read with their lock: from what was in force when they asked, or on along the
    /// chain, if it is of this play.
    fn decide<'a, G: Game>(
        &self,
        own: &'a Arc<PublishedConfig<G>>,
        chain: Option<&'a Chained<G>>,
        books: Books<'a>,
        request: Option<&'a RequestKey>,
        rows: &[QueryResult],
    ) -> Result<Decided<'a, G>, GameError> {
        let nonce = next_nonce(play_log::joined_plays(rows)?, own.active.max_daily)?;
        PlayContext::check_price(&books, G::TOKEN)?;
        let place = self.ready.place(rows)?;
        let (published, odds, odds_id, redraws) =
            match chain.filter(|(chain, _)| (chain.nonce, chain.event) == (nonce, self.event)) {
                Some((chain, odds_id)) => {
                    let redraws = chain.redraws.clone();
                    (&chain.published, &chain.odds, *odds_id, redraws)
                }
                None => (own, &own.odds, own.odds_id, Vec::new()),
            };
        let active = &published.active;
        let id = DrawId {
            feature: G::FEATURE,
            user_id: books.player.user_id(),
            nonce,
            attempt: i64::try_from(redraws.len()).unwrap_or(i64::MAX),
        };
        let number = self.seed.seed.number(&id, odds.total());
        let entry = G::entry_at(odds, number);
        let reward = entry.reward();
        let reward = reward.map_err(|_| GameError::InvalidConfig(G::FEATURE))?;
        let outcome = G::outcome(&active.menu, entry, number);
        let drawn = Drawn {
            feature: G::FEATURE,
            config_id: active.config_id,
            token: G::TOKEN,
            nonce,
            draw: Draw {
                odds_id,
                entry_id: entry.id,
            },
            redraws,
            took_stock: active.stock.contains_key(&entry.id),
            outcome: json!(outcome),
            is_win: G::is_win(entry, reward),
            reward,
            label: entry.label.clone(),
        };
        Ok(Decided {
            books,
            place,
            request,
            drawn,
            outcome,
            published,
            odds,
        })
    }
}

/// What everybody is answered when nothing was written. What passes is tried again, and what does not is perhaps because of
/// one of them.
fn unwritten<G: Game>(error: &GameError) -> Answer<G> {
    match error {
        GameError::Db(
            DbError::Corrupt(_) | DbError::Other(_) | DbError::CommitOutcomeUnknown(_),
        ) => Ok(None),
        GameError::Db(error) => Err(error.clone().into()),
        _ => Ok(None),
    }
}

/// Whether a play is told of that is not committed yet.
fn is_new<G: Game>(answer: &Answer<G>) -> bool {
    matches!(answer, Ok(Some(play)) if !play.replayed)
}

impl<G: Game> Decided<'_, G> {
    fn logged(&self) -> play_log::Row<'_> {
        self.drawn
            .logged(self.books.player.user_id(), self.books.now)
    }
}
