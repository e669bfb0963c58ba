use std::sync::Arc;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};
use xmas_kernel::{
    Problem, UserId,
    audit::{self, Actor, Change},
    db::{Db, DbError, retry},
    idempotency::{self, Replayable, RequestKey, find, find_in_tx, retry_keyed, store_in_tx},
    seal::DataKey,
    version,
};
use xmas_texts::player as texts;
use xmas_time::EventDay;

use crate::{
    AccessError, Anonymised, CreateError, ExternalId, Forgetful, GivenId, GivenUp, Leaving,
    LockedPlayer, NewAccount, NewPlayer, PasswordMaker, PasswordWish, PlayerDeskError, PlayerEdit,
    PlayerRecord, Role, SavedPlayer, SeasonWish, Seasons, ServedSeason, Standing, Status,
    create_in_tx, find_by_external_id, find_by_id, key_standing, lock_by_id_in_tx,
    reference::find_account,
    rules::{self, WishError},
    set_password_in_tx, set_status_in_tx, store,
};

/// Accounts for operators. Every change is one transaction, and leaves a row in the audit log.
pub struct Players {
    pub(crate) options: PlayersOptions,
}

/// What operators' work on players works with.
pub struct PlayersOptions {
    pub db: Db,
    /// `DATA_KEY`.
    pub key: DataKey,
    pub passwords: Arc<dyn PasswordMaker>,
    pub seasons: Arc<dyn Seasons>,
    /// Whoever else keeps what tells who a player is.
    pub forgetful: Vec<Arc<dyn Forgetful>>,
}

/// What is found out and made before a transaction begins.
#[derive(Default)]
struct Ready {
    /// The hash of a new password.
    hash: Option<String>,
    generated: Option<String>,
    season: Option<Arc<dyn ServedSeason>>,
}

impl Players {
    pub fn new(options: PlayersOptions) -> Self {
        Self { options }
    }

    async fn ready(
        &self,
        password: &PasswordWish,
        now: DateTime<Utc>,
    ) -> Result<Ready, PlayerDeskError> {
        let generated = match password {
            PasswordWish::Generate => Some(self.options.passwords.generate()),
            PasswordWish::Keep | PasswordWish::Set(_) => None,
        };
        let clear = match password {
            PasswordWish::Set(password) => Some(password.expose()),
            PasswordWish::Generate | PasswordWish::Keep => generated.as_deref(),
        };
        let hash = match clear {
            Some(clear) => Some(self.options.passwords.hash(clear).await?),
            None => None,
        };
        Ok(Ready {
            hash,
            generated,
            season: self.options.seasons.served(EventDay::of(now)).await?,
        })
    }

    async fn create_once(
        &self,
        actor: &Actor,
        new: &NewPlayer,
        ready: &Ready,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<PlayerRecord>, PlayerDeskError> {
        let tx = self.options.db.begin().await?;
        let season = ready.season.as_deref();
        if let Some(earlier) = earlier_in_tx(&tx, actor, request, season).await? {
            return Ok(Replayable::replayed(earlier));
        }
        let account = NewAccount {
            external_id: new.external_id.clone(),
            nickname: new.nickname.clone(),
            password_hash: ready.hash.clone().unwrap_or_default(),
            role: Role::Player,
        };
        let player = match create_in_tx(&tx, account, now).await {
            Err(CreateError::ExternalIdExists) => {
                // Maybe by the same request, which was faster: nobody can lock a player who is not there yet.
                if let Some(earlier) = earlier_in_tx(&tx, actor, request, season).await? {
                    return Ok(Replayable::replayed(earlier));
                }
                return Err(taken_in_tx(&tx, &new.external_id).await?);
            }
            created => created?,
        };
        if new.status != Status::Active {
            set_status_in_tx(&tx, &player, new.status, now).await?;
        }
        let standing = Standing::default();
        correct_in_tx(
            &tx,
            &player,
            season,
            (&new.season, standing, false),
            actor,
            now,
        )
        .await?;
        let record = player_record_in_tx(&tx, player.user_id(), season).await?;
        let mut after = audit::state(&record.editable());
        after["password"] = password_source(ready);
        let change = Change {
            action: "USER_CREATE",
            resource: &resource(player.user_id()),
            before: Value::Null,
            after,
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        store_in_tx(&tx, actor.user_id, request, &record.user_id, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(record))
    }

    async fn edit_once(
        &self,
        actor: &Actor,
        (user_id, action): (UserId, &'static str),
        (edit, ready): (&PlayerEdit, &Ready),
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<PlayerRecord>, PlayerDeskError> {
        let tx = self.options.db.begin().await?;
        let shuts_out = edit.status.is_some_and(|status| status != Status::Active);
        let player = lock_for_in_tx(&tx, actor, user_id, shuts_out).await?;
        let season = ready.season.as_deref();
        // The key is the operator's. Two equal requests are about one player, so the second one has waited for
        // the first one's lock.
        if let Some(earlier) = earlier_in_tx(&tx, actor, request, season).await? {
            return Ok(Replayable::replayed(earlier));
        }
        let before = player_record_in_tx(&tx, user_id, season).await?;
        if player.is_anonymised() {
            return Err(PlayerDeskError::Anonymised);
        }
        version::expect(edit.seen.as_ref(), &before.version())?;
        let wish = (&edit.season, before.standing, edit.seen.is_some());
        let becomes = edit.status.unwrap_or(before.status);
        if becomes == Status::Inactive && wished_in(season, wish)? > Some(before.standing.xp) {
            let problem = Problem::new("xp", texts::xp_while_inactive());
            return Err(PlayerDeskError::Invalid(vec![problem]));
        }
        correct_in_tx(&tx, &player, season, wish, actor, now).await?;
        let names = rules::new_names(&before, edit).map_err(PlayerDeskError::Invalid)?;
        if let (Some(_), _) | (_, Some(_)) = &names {
            let nickname = names.1.as_ref().map(Option::as_ref);
            store::rename(&tx, &player, names.0.as_ref(), nickname, now).await?;
        }
        if let Some(hash) = &ready.hash {
            set_password_in_tx(&tx, &player, hash, now).await?;
        }
        // An echo of the status must not log anybody out.
        if let Some(status) = edit.status.filter(|status| *status != before.status) {
            set_status_in_tx(&tx, &player, status, now).await?;
        }
        let record = player_record_in_tx(&tx, user_id, season).await?;
        // An edit that changes nothing leaves no trace, but for its key.
        if record == before && ready.hash.is_none() {
            if request.is_some() {
                store_in_tx(&tx, actor.user_id, request, &user_id, now).await?;
                tx.commit().await?;
            }
            return Ok(Replayable::fresh(before));
        }
        let (before_changes, mut after_changes) = rules::changes(&before, &record);
        if ready.hash.is_some() {
            after_changes["password"] = password_source(ready);
        }
        let change = Change {
            action,
            resource: &resource(user_id),
            before: before_changes,
            after: after_changes,
        };
        audit::write_in_tx(&tx, actor, change, now).await?;
        store_in_tx(&tx, actor.user_id, request, &user_id, now).await?;
        tx.commit().await?;
        Ok(Replayable::fresh(record))
    }

    async fn anonymise_once(
        &self,
        actor: &Actor,
        user_id: UserId,
        ready: &Ready,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Anonymised>, PlayerDeskError> {
        let tx = self.options.db.begin().await?;
        let player = lock_for_in_tx(&tx, actor, user_id, true).await?;
        let season = ready.season.as_deref();
        let earlier: Option<(UserId, GivenUp)> = find_in_tx(&tx, actor.user_id, request).await?;
        if let Some((_, given_up)) = earlier {
            let record = player_record_in_tx(&tx, user_id, season).await?;
            return Ok(Replayable::replayed(Anonymised { record, given_up }));
        }
        let before = player_record_in_tx(&tx, user_id, season).await?;
        if before.role == Role::Admin {
            let problem = Problem::new("id", texts::operator_is_kept());
            return Err(PlayerDeskError::Invalid(vec![problem]));
        }
        let is_first = !player.is_anonymised();
        if is_first {
            store::anonymise(&tx, &player, now).await?;
            set_status_in_tx(&tx, &player, Status::Inactive, now).await?;
        }
        idempotency::forget_in_tx(&tx, user_id).await?;
        let leaving = Leaving {
            player: &player,
            external_id: &before.external_id,
            actor,
        };
        let keys = key_standing(&*tx, user_id).await?.unwrap_or_default();
        let mut given_up = GivenUp {
            keys: keys.keys,
            key_points: keys.pending_points,
            ..GivenUp::default()
        };
        for keeper in &self.options.forgetful {
            let own = keeper.forget_in_tx(&tx, &leaving, now).await?;
            given_up = given_up.and(own);
        }
        let record = player_record_in_tx(&tx, user_id, season).await?;
        // Once more only for what an older version had left waiting.
        if is_first || !given_up.rewards.is_empty() {
            let change = Change {
                action: "USER_ANONYMISE",
                resource: &resource(user_id),
                // Nothing of what is forgotten here.
                before: json!({ "status": before.status }),
                after: json!({
                    "status": record.status,
                    "refused_rewards": given_up.rewards,
                    "reward_points": given_up.reward_points,
                    "keys": given_up.keys,
                    "key_points": given_up.key_points,
                    "balances": given_up.balances,
                }),
            };
            audit::write_in_tx(&tx, actor, change, now).await?;
        }
        store_in_tx(&tx, actor.user_id, request, &(user_id, &given_up), now).await?;
        tx.commit().await?;
        for keeper in &self.options.forgetful {
            keeper.has_forgotten();
        }
        Ok(Replayable::fresh(Anonymised { record, given_up }))
    }

    /// The key of a request in which a password may be.
    pub(crate) async fn with_secrets(
        &self,
        request: Option<&RequestKey>,
    ) -> Result<Option<RequestKey>, DbError> {
        let Some(request) = request else {
            return Ok(None);
        };
        let key = self.options.key.as_of(&self.options.db).await?;
        Ok(Some(request.with_secrets(&key)))
    }
}

/// The account that this request has created or changed before, as it is now: its names are not stored.
async fn earlier_in_tx(
    tx: &DatabaseTransaction,
    actor: &Actor,
    request: Option<&RequestKey>,
    season: Option<&dyn ServedSeason>,
) -> Result<Option<PlayerRecord>, PlayerDeskError> {
    match find_in_tx(tx, actor.user_id, request).await? {
        Some(user_id) => Ok(Some(player_record_in_tx(tx, user_id, season).await?)),
        None => Ok(None),
    }
}

/// What to do about an external id that somebody has.
async fn taken_in_tx(
    tx: &DatabaseTransaction,
    external_id: &ExternalId,
) -> Result<PlayerDeskError, DbError> {
    let owner = find_by_external_id(tx, &external_id.into()).await?;
    let deleted = owner.filter(|owner| owner.status == Status::Inactive);
    Ok(deleted.map_or(PlayerDeskError::ExternalIdExists, |owner| {
        PlayerDeskError::ExternalIdDeleted(owner.user_id)
    }))
}

fn resource(user_id: UserId) -> String {
    format!("user:{user_id}")
}

/// What the audit log says about a new password.
fn password_source(ready: &Ready) -> Value {
    let how = if ready.generated.is_some() {
        "GENERATED"
    } else {
        "SET"
    };
    how.into()
}

async fn player_record_in_tx(
    tx: &DatabaseTransaction,
    user_id: UserId,
    season: Option<&dyn ServedSeason>,
) -> Result<PlayerRecord, DbError> {
    let standing = match season {
        Some(season) => season.standing_in_tx(tx, user_id).await?,
        None => Standing::default(),
    };
    store::record(tx, user_id, standing).await
}

/// Locks the player who is worked on. Nobody shuts themself out; and whoever shuts an admin out is
/// locked and looked at too, so that of two who do it to each other one is left.
async fn lock_for_in_tx(
    tx: &DatabaseTransaction,
    actor: &Actor,
    user_id: UserId,
    shuts_out: bool,
) -> Result<LockedPlayer, PlayerDeskError> {
    if shuts_out && user_id == actor.user_id {
        let own = Problem::new("status", texts::own_status());
        return Err(PlayerDeskError::Invalid(vec![own]));
    }
    // Read without a lock: a role never changes.
    let account = find_by_id(tx, user_id).await?;
    let account = account.ok_or(PlayerDeskError::UnknownPlayer)?;
    let looks_at_actor = shuts_out && account.role == Role::Admin;
    // In ascending id, as all work on several.
    if looks_at_actor && actor.user_id < user_id {
        lock_by_id_in_tx(tx, actor.user_id).await?;
    }
    let player = lock_by_id_in_tx(tx, user_id).await?;
    if looks_at_actor {
        lock_by_id_in_tx(tx, actor.user_id).await?;
        match find_by_id(tx, actor.user_id).await?.map(|own| own.status) {
            Some(Status::Active) => {}
            Some(Status::Blocked) => return Err(AccessError::Blocked.into()),
            Some(Status::Inactive) | None => return Err(AccessError::StaleToken.into()),
        }
    }
    player.ok_or(PlayerDeskError::UnknownPlayer)
}

/// What is wished of a player's season, where the player stands, and whether the wish is exact.
type Wish<'a> = (&'a SeasonWish, Standing, bool);

/// The XP that is wished, if it is to change; says so if it cannot be.
fn wished_in(
    season: Option<&dyn ServedSeason>,
    (wish, standing, exact): Wish<'_>,
) -> Result<Option<i64>, PlayerDeskError> {
    let ladder = season.map(|season| move |level| season.required_xp(level));
    let ladder = ladder.as_ref().map(|ladder| ladder as rules::Ladder<'_>);
    let wanted = rules::wanted_xp(wish, standing, exact, ladder);
    wanted.map_err(|error| match error {
        WishError::NoSeason => PlayerDeskError::NoActiveSeason,
        WishError::Invalid(problem) => PlayerDeskError::Invalid(vec![problem]),
    })
}

/// Corrects XP, if that is what is wished.
async fn correct_in_tx(
    tx: &DatabaseTransaction,
    player: &LockedPlayer,
    season: Option<&dyn ServedSeason>,
    wish: Wish<'_>,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), PlayerDeskError> {
    let (_, standing, _) = wish;
    if let (Some(wanted), Some(season)) = (wished_in(season, wish)?, season) {
        // Operators earn nothing, by no way.
        let account = find_by_id(tx, player.user_id()).await?;
        if account.is_some_and(|account| account.role == Role::Admin) {
            let problem = Problem::new("xp", texts::operators_have_no_xp());
            return Err(PlayerDeskError::Invalid(vec![problem]));
        }
        let delta = wanted - standing.xp;
        season
            .correct_xp_in_tx(tx, player, delta, actor, now)
            .await?;
    }
    Ok(())
}

impl Players {
    /// The account, of a player or an admin, that an external id means.
    pub async fn account_of(&self, given: &GivenId) -> Result<Option<UserId>, DbError> {
        let db = self.options.db.read();
        retry(async || find_account(db, given).await).await
    }

    /// Creates a player, once per request. Without a password one is generated, and shown once: an answer that is
    /// given again does not have it.
    pub async fn create(
        &self,
        actor: &Actor,
        new: &NewPlayer,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<SavedPlayer>, PlayerDeskError> {
        let password = match &new.password {
            Some(password) => PasswordWish::Set(password.clone()),
            None => PasswordWish::Generate,
        };
        let request = self.with_secrets(request).await?;
        let request = request.as_ref();
        let ready = self.ready(&password, now).await?;
        let created = retry_keyed(&self.options.db, request, || {
            self.create_once(actor, new, &ready, request, now)
        })
        .await?;
        Ok(saved(created, ready))
    }

    /// Changes an account, once per request. A client may have sent back more than it changed
    /// ([`SeasonWish`]).
    pub async fn edit(
        &self,
        actor: &Actor,
        user_id: UserId,
        edit: &PlayerEdit,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<SavedPlayer>, PlayerDeskError> {
        let request = self.with_secrets(request).await?;
        let request = request.as_ref();
        let ready = self.ready(&edit.password, now).await?;
        let what = (user_id, "USER_UPDATE");
        let edited = retry_keyed(&self.options.db, request, || {
            self.edit_once(actor, what, (edit, &ready), request, now)
        })
        .await?;
        Ok(saved(edited, ready))
    }

    /// What [`Players::edit`] has answered this request, if it has: what the request says of the account may not
    /// be true any more.
    pub async fn edited_before(
        &self,
        actor: &Actor,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Option<SavedPlayer>, PlayerDeskError> {
        let request = self.with_secrets(request).await?;
        let found = find::<UserId>(self.options.db.read(), actor.user_id, request.as_ref());
        let Some(user_id) = found.await? else {
            return Ok(None);
        };
        Ok(Some(SavedPlayer {
            record: self.record(user_id, now).await?,
            generated_password: None,
        }))
    }

    /// What [`Players::anonymise`] has answered this request, if it has: the player has lost the name that the
    /// request may call them by.
    pub async fn anonymised_before(
        &self,
        actor: &Actor,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Option<Anonymised>, PlayerDeskError> {
        let db = self.options.db.read();
        let found: Option<(UserId, GivenUp)> = find(db, actor.user_id, request).await?;
        let Some((user_id, given_up)) = found else {
            return Ok(None);
        };
        let record = self.record(user_id, now).await?;
        Ok(Some(Anonymised { record, given_up }))
    }

    async fn record(
        &self,
        user_id: UserId,
        now: DateTime<Utc>,
    ) -> Result<PlayerRecord, PlayerDeskError> {
        let season = self.options.seasons.served(EventDay::of(now)).await?;
        let tx = self.options.db.begin().await?;
        Ok(player_record_in_tx(&tx, user_id, season.as_deref()).await?)
    }

    /// Makes an account INACTIVE: as if it did not exist, and reversible. Asked twice, it stays so.
    pub async fn deactivate(
        &self,
        actor: &Actor,
        user_id: UserId,
        now: DateTime<Utc>,
    ) -> Result<(), PlayerDeskError> {
        let edit = PlayerEdit {
            status: Some(Status::Inactive),
            ..PlayerEdit::default()
        };
        let (what, ready) = ((user_id, "USER_DEACTIVATE"), Ready::default());
        match retry(|| self.edit_once(actor, what, (&edit, &ready), None, now)).await {
            // Who is INACTIVE for good stays so.
            Ok(_) | Err(PlayerDeskError::Anonymised) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes whatever tells who a player is, refuses what waits for them, and makes the account INACTIVE.
    /// What they did and were given stays. It is final ([`crate::reach::Reach`]). Asked twice, nothing more happens.
    pub async fn anonymise(
        &self,
        actor: &Actor,
        user_id: UserId,
        request: Option<&RequestKey>,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Anonymised>, PlayerDeskError> {
        let ready = self.ready(&PasswordWish::Keep, now).await?;
        retry_keyed(&self.options.db, request, || {
            self.anonymise_once(actor, user_id, &ready, request, now)
        })
        .await
    }
}

/// An account after a change, with the password that was made up for it, if this is the change.
fn saved(record: Replayable<PlayerRecord>, ready: Ready) -> Replayable<SavedPlayer> {
    let generated_password = ready.generated.filter(|_| !record.replayed);
    record.map(|record| SavedPlayer {
        record,
        generated_password,
    })
}
