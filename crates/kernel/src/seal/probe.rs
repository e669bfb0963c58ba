//! Which key a database has.

use std::{marker::PhantomData, sync::Arc};

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, Statement,
    entity::prelude::*, sea_query::Expr,
};

use super::{DataKey, SealKey, Unsealable};
use crate::{
    db::{Db, DbError},
    entropy::Entropy,
};

/// Why a database cannot be used with a key.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// What is in the database was sealed with another key.
    #[error(transparent)]
    OtherKey(#[from] Unsealable),
    /// The database goes from one key to another one, and only one of them is known here.
    #[error("DATA_KEY is being rotated, and one of the two keys is missing here")]
    HalfKnown,
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// The database's key, for as long as the transaction in which it was asked for: nobody gives the database
/// another one until then. It takes this to seal a value, and to make a fingerprint that is stored.
#[derive(Debug)]
pub struct Claimed<'a> {
    key: Arc<SealKey>,
    of: PhantomData<&'a DatabaseTransaction>,
}

impl Claimed<'_> {
    /// Seals a value for one place, such as `coupon_code:3`; it opens nowhere else.
    pub fn seal(&self, place: &str, plain: &[u8], entropy: &dyn Entropy) -> String {
        self.key.seal(place, plain, entropy)
    }

    /// What finds the value's like ([`SealKey::fingerprint`]).
    pub fn fingerprint(&self, plain: &[u8]) -> String {
        self.key.fingerprint(plain)
    }

    /// Whether it was this key that sealed what is in this place.
    pub fn has_sealed(&self, place: &str, sealed: &str) -> bool {
        self.key.open(place, sealed).is_ok()
    }
}

/// What the database says of its key.
pub(super) enum Standing {
    /// Nothing has been sealed, or by a version that left no probe.
    Unclaimed,
    Settled(Arc<SealKey>),
    Rotating {
        to: Arc<SealKey>,
    },
}

/// How the probe is read in a transaction.
#[derive(Clone, Copy)]
pub(super) enum Hold {
    /// As it is now.
    Nothing,
    /// It stays as it is until the transaction ends.
    Shared,
    /// To be changed, once all who hold it are done.
    Alone,
}

const PROBE: &str = "data_key_probe";
const ONLY_ROW: i64 = 1;
/// Between the two probes of a rotation: in none of them. A version that knows of no rotations opens neither then,
/// and seals nothing.
const BETWEEN: char = ' ';

impl DataKey {
    /// Whether these are the keys that the database's values are sealed with: `true` if they open what
    /// is sealed there, `false` if nothing is. Changes nothing.
    pub async fn compare(&self, db: &Db) -> Result<bool, ProbeError> {
        let tx = db.begin().await?;
        Ok(match self.standing(&*tx, Hold::Nothing).await? {
            Standing::Unclaimed => self.first_in_tx(&tx).await?.is_some(),
            Standing::Settled(_) | Standing::Rotating { .. } => true,
        })
    }

    /// Fails unless these are the keys that the database says it has; one read.
    pub async fn check(&self, conn: &impl ConnectionTrait) -> Result<(), ProbeError> {
        self.standing(conn, Hold::Nothing).await.map(drop)
    }

    /// Whether values of two keys may be there.
    pub async fn is_rotating(&self, conn: &impl ConnectionTrait) -> Result<bool, ProbeError> {
        let standing = self.standing(conn, Hold::Nothing).await?;
        Ok(matches!(standing, Standing::Rotating { .. }))
    }

    /// The same keys, the one first that seals in this database now.
    pub async fn as_of(&self, db: &Db) -> Result<Self, DbError> {
        if self.keys.len() == 1 {
            return Ok(self.clone());
        }
        let seals = match self.standing(db.read(), Hold::Nothing).await {
            Ok(Standing::Settled(key) | Standing::Rotating { to: key }) => key,
            Err(ProbeError::Db(error)) => return Err(error),
            _ => return Ok(self.clone()),
        };
        let mut ordered = self.clone();
        ordered.keys.sort_by_key(|key| !Arc::ptr_eq(key, &seals));
        Ok(ordered)
    }

    /// The database's key, which becomes the first of these if the database has none yet.
    pub async fn claim_in_tx<'a>(
        &self,
        tx: &'a DatabaseTransaction,
        entropy: &dyn Entropy,
    ) -> Result<Claimed<'a>, ProbeError> {
        match self.claimed_in_tx(tx, Hold::Shared, entropy).await? {
            Standing::Settled(key) | Standing::Rotating { to: key } => Ok(Claimed {
                key,
                of: PhantomData,
            }),
            Standing::Unclaimed => Err(DbError::Corrupt(format!("{PROBE} is gone again")).into()),
        }
    }

    /// What the probe says, which is written if there is none.
    pub(super) async fn claimed_in_tx(
        &self,
        tx: &DatabaseTransaction,
        hold: Hold,
        entropy: &dyn Entropy,
    ) -> Result<Standing, ProbeError> {
        match self.standing(tx, hold).await? {
            Standing::Unclaimed => {}
            known => return Ok(known),
        }
        let key = self.first_in_tx(tx).await?;
        let key = key.unwrap_or_else(|| self.keys[0].clone());
        let inserted = Entity::insert(ActiveModel {
            id: Set(ONLY_ROW),
            sealed: Set(probe_of(&key, entropy)),
        })
        .exec_without_returning(tx)
        .await;
        match inserted.map_err(DbError::from) {
            Ok(_) => Ok(Standing::Settled(key)),
            // Another process was faster, maybe with another key.
            Err(error @ (DbError::Violated(..) | DbError::Other(_))) => {
                match self.standing(tx, hold).await? {
                    Standing::Unclaimed => Err(error.into()),
                    known => Ok(known),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the probe says. Whatever key it is of must be known.
    pub(super) async fn standing(
        &self,
        conn: &impl ConnectionTrait,
        hold: Hold,
    ) -> Result<Standing, ProbeError> {
        let Some(row) = find(conn, hold).await? else {
            return Ok(Standing::Unclaimed);
        };
        let known = |probe: &str| {
            let (key, _) = self.opened(PROBE, probe)?;
            Ok::<_, Unsealable>(key.clone())
        };
        let Some((from, to)) = row.sealed.split_once(BETWEEN) else {
            return Ok(Standing::Settled(known(&row.sealed)?));
        };
        match (known(from), known(to)) {
            (Ok(_), Ok(to)) => Ok(Standing::Rotating { to }),
            (Err(_), Err(unsealable)) => Err(unsealable.into()),
            _ => Err(ProbeError::HalfKnown),
        }
    }

    /// The key of what an older version has sealed, if anything is; one value of each table must open. If there
    /// are two, it is the previous one, whose values are then still to be rotated.
    pub(super) async fn first_in_tx(
        &self,
        tx: &DatabaseTransaction,
    ) -> Result<Option<Arc<SealKey>>, ProbeError> {
        let mut last = None;
        for table in &*self.tables {
            match table.any_in_tx(tx).await {
                Ok(Some(sealed)) => {
                    let (key, _) = self.opened(&sealed.place, &sealed.value)?;
                    let place = self.keys.iter().position(|known| Arc::ptr_eq(known, key));
                    last = last.max(place);
                }
                // A table that a migration is still to make holds nothing.
                Ok(None) | Err(DbError::SchemaMismatch(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(last.map(|place| self.keys[place].clone()))
    }
}

async fn find(conn: &impl ConnectionTrait, hold: Hold) -> Result<Option<Model>, DbError> {
    let lock = match (conn.get_database_backend(), hold) {
        // Its writers come one after the other anyway.
        (DbBackend::Sqlite, _) | (_, Hold::Nothing) => "",
        // MariaDB knows no FOR SHARE.
        (_, Hold::Shared) => " LOCK IN SHARE MODE",
        (_, Hold::Alone) => " FOR UPDATE",
    };
    let sql = format!("SELECT id, sealed FROM {PROBE} WHERE id = {ONLY_ROW}{lock}");
    let ask = Statement::from_string(conn.get_database_backend(), sql);
    Ok(Entity::find().from_raw_sql(ask).one(conn).await?)
}

/// What only this key opens.
fn probe_of(key: &SealKey, entropy: &dyn Entropy) -> String {
    key.seal(PROBE, PROBE.as_bytes(), entropy)
}

/// Notes, for whoever holds the probe alone, that the database goes from one key to another one.
pub(super) async fn turn_in_tx(
    tx: &DatabaseTransaction,
    (from, to): (&SealKey, &SealKey),
    entropy: &dyn Entropy,
) -> Result<(), DbError> {
    let (from, to) = (probe_of(from, entropy), probe_of(to, entropy));
    write(tx, format!("{from}{BETWEEN}{to}")).await
}

/// Notes, for whoever holds the probe alone, that the database has this key and no other one.
pub(super) async fn settle_in_tx(
    tx: &DatabaseTransaction,
    key: &SealKey,
    entropy: &dyn Entropy,
) -> Result<(), DbError> {
    write(tx, probe_of(key, entropy)).await
}

async fn write(tx: &DatabaseTransaction, sealed: String) -> Result<(), DbError> {
    Entity::update_many()
        .col_expr(Column::Sealed, Expr::value(sealed))
        .filter(Column::Id.eq(ONLY_ROW))
        .exec(tx)
        .await?;
    Ok(())
}

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "data_key_probe")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: i64,
    sealed: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
