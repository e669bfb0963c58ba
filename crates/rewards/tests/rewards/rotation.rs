//! Coupon codes while the database goes from one `DATA_KEY` to another.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Statement};
use xmas_activity::EventWriter;
use xmas_kernel::{
    CouponKindId,
    audit::Actor,
    db::{Db, DbError},
    entropy::{Entropy, OsEntropy},
    idempotency::{IdempotencyError, RequestKey},
    seal::{
        DataKey, Pace, ProbeError, Rotated, Rotation, RotationError, SealKey, Sealed, SealedTable,
    },
};
use xmas_rewards::{
    ClashWith, CouponCode, CouponKindEdit, NewCouponKind, RewardDesk, RewardError, Rewards,
    StockedCodes, WithheldCodes,
};
use xmas_test_support::TestDb;
use xmas_time::{Clock, DateTime, SystemClock, Utc};

const OLD: &str = "the old data key, of 32 bytes or more";
const NEW: &str = "the new data key, of 32 bytes or more";

fn now() -> DateTime<Utc> {
    SystemClock.now()
}

fn tables() -> Vec<Arc<dyn SealedTable>> {
    vec![
        Arc::new(StockedCodes::default()),
        Arc::new(WithheldCodes::default()),
    ]
}

fn only(secret: &str) -> DataKey {
    DataKey::new(secret).of_tables(tables())
}

/// As every replica is set during a rotation.
fn both() -> DataKey {
    DataKey::new(NEW).with_previous(OLD).of_tables(tables())
}

fn desk(db: &Db, key: DataKey) -> RewardDesk {
    let rewards = Rewards::new(EventWriter, 10_000);
    RewardDesk::new(db.clone(), key, Arc::new(OsEntropy), rewards)
}

fn codes(codes: &[&str]) -> Vec<CouponCode> {
    let code = |code: &&str| CouponCode::try_from(*code).unwrap();
    codes.iter().map(code).collect()
}

struct World {
    test: TestDb,
    admin: Actor,
    /// Each code is one of its own.
    plain: CouponKindId,
    /// Codes that differ in case only are one.
    folded: CouponKindId,
}

impl World {
    async fn new() -> Self {
        let test = TestDb::new().await;
        let admin = test.operator("operator").await;
        let old = desk(&test.db, only(OLD));
        let kind = async |name: &str, ignores_case| {
            let kind = NewCouponKind {
                name: name.to_owned(),
                manual: false,
                ignores_case,
            };
            let added = old.add_coupon_kind(&admin, &kind, now()).await;
            added.unwrap().id
        };
        let (plain, folded) = (kind("plain", false).await, kind("folded", true).await);
        Self {
            plain,
            folded,
            test,
            admin,
        }
    }

    fn desk(&self, key: DataKey) -> RewardDesk {
        desk(&self.test.db, key)
    }

    async fn add(
        &self,
        key: DataKey,
        kind: CouponKindId,
        texts: &[&str],
    ) -> Result<(), RewardError> {
        let desk = self.desk(key);
        let codes = codes(texts);
        let added = desk.add_codes(&self.admin, kind, &codes, None, now());
        added.await.map(drop)
    }

    async fn rotate(&self, key: &DataKey, db: &Db, stop: bool) -> Result<Rotated, RotationError> {
        let rotation = Rotation {
            db,
            key,
            entropy: &OsEntropy,
            actor: &self.admin,
            process: "this one",
        };
        let pace = Pace {
            chunk: 2,
            progress: &|_| (),
            is_stopped: &|| stop,
        };
        rotation.run(pace, now()).await
    }

    /// As a rotation is that was stopped before it sealed anything again.
    async fn begin(&self) {
        let stopped = self.rotate(&both(), &self.test.db, true).await;
        assert!(
            matches!(stopped, Err(RotationError::Stopped)),
            "{stopped:?}"
        );
    }

    /// The codes of a table that a key has sealed, if the fingerprints beside them are the same key's.
    async fn under(&self, secret: &str, table: &str) -> Vec<String> {
        let sql =
            format!("SELECT kind_id, sealed_code, fingerprint, folded FROM {table} ORDER BY id");
        let db = self.test.db.read();
        let ask = Statement::from_string(db.get_database_backend(), sql);
        let key = SealKey::new(secret);
        let mut found = Vec::new();
        for row in db.query_all_raw(ask).await.unwrap() {
            let (kind, sealed): (i64, String) =
                (row.try_get_by(0).unwrap(), row.try_get_by(1).unwrap());
            let Ok(code) = key.open(&format!("coupon_code:{kind}"), &sealed) else {
                continue;
            };
            let (fingerprint, folded): (String, String) =
                (row.try_get_by(2).unwrap(), row.try_get_by(3).unwrap());
            let code = String::from_utf8(code).unwrap();
            assert_eq!(fingerprint, key.fingerprint(code.as_bytes()), "{code}");
            let by_case = format!("without case:{}", code.to_lowercase());
            assert_eq!(folded, key.fingerprint(by_case.as_bytes()), "{code}");
            found.push(code);
        }
        found
    }

    /// What these codes clash with, were they added to the stock of a kind.
    async fn clashes(&self, key: DataKey, kind: CouponKindId, texts: &[&str]) -> Vec<ClashWith> {
        let seen = self
            .desk(key.clone())
            .check_codes(kind, &codes(texts))
            .await;
        let added = self.add(key, kind, texts).await;
        let with = |refused| match refused {
            RewardError::CodesClash(clashes) => {
                clashes.into_iter().map(|clash| clash.with).collect()
            }
            other => panic!("{other:?}"),
        };
        let (seen, added): (Vec<_>, Vec<_>) = (with(seen.unwrap_err()), with(added.unwrap_err()));
        assert_eq!(seen, added);
        added
    }
}

#[tokio::test]
async fn a_code_is_there_once_under_whichever_key() {
    let world = World::new().await;
    let (plain, folded) = (world.plain, world.folded);
    world
        .add(only(OLD), plain, &["One-1", "Two-2"])
        .await
        .unwrap();
    world.add(only(OLD), folded, &["Three-3"]).await.unwrap();
    // A replica that has both keys seals with the old one as long as others may have it alone.
    world.add(both(), plain, &["Four-4"]).await.unwrap();
    let stocked = ["One-1", "Two-2", "Three-3", "Four-4"];
    assert_eq!(world.under(OLD, "coupon_code").await, stocked);
    world.begin().await;
    world.add(both(), plain, &["Five-5"]).await.unwrap();
    assert_eq!(world.under(OLD, "coupon_code").await, stocked);
    assert_eq!(world.under(NEW, "coupon_code").await, ["Five-5"]);

    let of = |name: &str| ClashWith::Stock(name.to_owned());
    let assert_known = async |key: fn() -> DataKey| {
        let own = ClashWith::OwnStock;
        let texts = ["One-1", "Four-4", "Five-5"];
        let found = world.clashes(key(), plain, &texts).await;
        assert_eq!(found, [own.clone(), own.clone(), own.clone()]);
        let found = world.clashes(key(), plain, &["tHREE-3"]).await;
        assert_eq!(found, [of("folded")]);
        let found = world
            .clashes(key(), folded, &["oNE-1", "fIVE-5", "THREE-3"])
            .await;
        assert_eq!(found, [of("plain"), of("plain"), own]);
        // What differs in case only is another code where nobody ignores it.
        let desk = world.desk(key());
        desk.check_codes(plain, &codes(&["oNE-1"])).await.unwrap();
    };
    assert_known(both).await;
    // Two keys cannot say which codes are alike.
    let edit = CouponKindEdit {
        name: None,
        manual: None,
        ignores_case: Some(true),
        seen: None,
    };
    let desk = world.desk(both());
    let refused = desk
        .edit_coupon_kind(&world.admin, plain, &edit, now())
        .await;
    let Err(RewardError::Invalid(problems)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(problems[0].field, "ignores_case");

    let rotated = world.rotate(&both(), &world.test.db, false).await.unwrap();
    assert_eq!(rotated.tables["coupon_code"].sealed, 5);
    assert_eq!(rotated.tables["coupon_code"].resealed, 4);
    let all = ["One-1", "Two-2", "Three-3", "Four-4", "Five-5"];
    assert_eq!(world.under(NEW, "coupon_code").await, all);
    assert_known(both).await;
    assert_known(|| only(NEW)).await;
    let again = world.rotate(&both(), &world.test.db, false).await.unwrap();
    assert!(again.had_key && !rotated.had_key);
    desk.edit_coupon_kind(&world.admin, plain, &edit, now())
        .await
        .unwrap();
}

#[tokio::test]
async fn whoever_knows_one_of_two_keys_adds_nothing() {
    let world = World::new().await;
    world.add(only(OLD), world.plain, &["One-1"]).await.unwrap();
    world.begin().await;
    for key in [OLD, NEW] {
        let refused = world.add(only(key), world.plain, &["Two-2"]).await;
        let told = matches!(refused, Err(RewardError::Sealed(ProbeError::HalfKnown)));
        assert!(told, "{refused:?}");
        assert!(only(key).check(world.test.db.read()).await.is_err());
    }
    world.rotate(&both(), &world.test.db, false).await.unwrap();
    let refused = world.add(only(OLD), world.plain, &["Two-2"]).await;
    let told = matches!(refused, Err(RewardError::Sealed(ProbeError::OtherKey(_))));
    assert!(told, "{refused:?}");
    assert_eq!(world.under(NEW, "coupon_code").await, ["One-1"]);
    assert_eq!(
        world.test.count("SELECT COUNT(*) FROM coupon_code").await,
        1
    );
}

#[tokio::test]
async fn a_withheld_code_is_released_under_the_new_key_once() {
    let world = World::new().await;
    let plain = world.plain;
    world
        .add(only(OLD), plain, &["One-1", "Two-2"])
        .await
        .unwrap();
    // As a migration withholds them; a copy of the second one is in the stock.
    world
        .test
        .execute(
            "INSERT INTO coupon_withheld (kind_id, fingerprint, folded, sealed_code, created_at) \
             SELECT kind_id, fingerprint, folded, sealed_code, created_at FROM coupon_code",
        )
        .await;
    world
        .test
        .execute("DELETE FROM coupon_code WHERE id = 1")
        .await;
    world.begin().await;
    let desk = world.desk(both());
    let released = desk.release_withheld(&world.admin, 1, None, now()).await;
    released.unwrap();
    assert_eq!(world.under(NEW, "coupon_code").await, ["One-1"]);
    // The one is under another key by now than the other.
    let reseal = async |id| {
        let tx = world.test.db.begin().await.unwrap();
        let stocked = StockedCodes::default();
        let done = stocked.reseal_in_tx(&tx, &both(), &[id], &OsEntropy).await;
        tx.commit().await.unwrap();
        done.unwrap()
    };
    assert_eq!((reseal(2).await, reseal(2).await), (1, 0));
    assert_eq!(world.under(OLD, "coupon_withheld").await, ["Two-2"]);
    let refused = desk.release_withheld(&world.admin, 2, None, now()).await;
    assert!(
        matches!(refused, Err(RewardError::CodeInUse)),
        "{refused:?}"
    );
    let limit = xmas_kernel::paging::Limit::clamped(9);
    let listed = desk.withheld(limit, None).await.unwrap().items;
    assert_eq!(listed.len(), 1);
    assert!(listed[0].is_stocked && !listed[0].is_given, "{listed:?}");
    let clash = world.clashes(both(), world.folded, &["two-2"]).await;
    assert_eq!(clash, [ClashWith::Stock("plain".to_owned())]);
    let rotated = world.rotate(&both(), &world.test.db, false).await.unwrap();
    assert_eq!(rotated.tables["coupon_withheld"].resealed, 1);
    assert_eq!(world.under(NEW, "coupon_withheld").await, ["Two-2"]);
    let desk = world.desk(only(NEW));
    let refused = desk.release_withheld(&world.admin, 2, None, now()).await;
    assert!(
        matches!(refused, Err(RewardError::CodeInUse)),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_uploads_at_once_one_is_taken_though_the_key_changes_between_them() {
    let world = Arc::new(World::new().await);
    world.add(only(OLD), world.plain, &["One-1"]).await.unwrap();
    let mut stocked = 1;
    // There and back.
    for round in 0..10 {
        let (from, to) = match round % 2 {
            0 => (OLD, NEW),
            _ => (NEW, OLD),
        };
        let key = DataKey::new(to).with_previous(from).of_tables(tables());
        let upload = |own: &str| {
            let (world, key) = (world.clone(), key.clone());
            let codes = codes(&[&format!("{own}-{round}"), &format!("Same-{round}")]);
            tokio::spawn(async move {
                let db = world.test.reconnected().await.db;
                let desk = desk(&db, key);
                let added = desk.add_codes(&world.admin, world.plain, &codes, None, now());
                added.await.map(drop)
            })
        };
        let rotation = tokio::spawn({
            let (world, key) = (world.clone(), key.clone());
            async move {
                let db = world.test.reconnected().await.db;
                world.rotate(&key, &db, false).await
            }
        });
        let (one, other) = (upload("A"), upload("B"));
        let added = [one.await.unwrap(), other.await.unwrap()];
        rotation.await.unwrap().unwrap();
        let taken = added.iter().filter(|added| added.is_ok()).count();
        assert_eq!(taken, 1, "{added:?}");
        let refused = added.into_iter().find_map(Result::err);
        let clashes =
            matches!(&refused, Some(RewardError::CodesClash(clashes)) if clashes.len() == 1);
        assert!(clashes, "{refused:?}");
        stocked += 2;
        assert_eq!(world.under(to, "coupon_code").await.len(), stocked);
        let rows = "SELECT COUNT(*) FROM coupon_code";
        assert_eq!(
            world.test.count(rows).await,
            i64::try_from(stocked).unwrap()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_waits_for_whoever_seals_with_the_old_key() {
    let world = World::new().await;
    world.add(only(OLD), world.plain, &["One-1"]).await.unwrap();
    let other = world.test.reconnected().await.db;
    let tx = world.test.db.begin().await.unwrap();
    let claimed = both().claim_in_tx(&tx, &OsEntropy).await.unwrap();
    let value = claimed.seal("somewhere", b"A", &OsEntropy);
    assert!(SealKey::new(OLD).open("somewhere", &value).is_ok());
    let waited = world.rotate(&both(), &other, true).await;
    let in_vain = matches!(
        waited,
        Err(RotationError::Probe(ProbeError::Db(DbError::Contention(_))))
    );
    assert!(in_vain, "{waited:?}");
    assert!(!both().is_rotating(other.read()).await.unwrap());
    tx.commit().await.unwrap();
    world.begin().await;
    assert!(both().is_rotating(other.read()).await.unwrap());
}

/// A table in which a value is found late: it came in behind whoever looked.
struct Late {
    hides: AtomicBool,
}

#[async_trait]
impl SealedTable for Late {
    fn name(&self) -> &'static str {
        StockedCodes::default().name()
    }

    async fn any_in_tx(&self, tx: &DatabaseTransaction) -> Result<Option<Sealed>, DbError> {
        StockedCodes::default().any_in_tx(tx).await
    }

    async fn count(&self, conn: &DatabaseConnection) -> Result<u64, DbError> {
        StockedCodes::default().count(conn).await
    }

    async fn page(
        &self,
        conn: &DatabaseConnection,
        after: i64,
        most: u64,
    ) -> Result<Vec<(i64, Sealed)>, DbError> {
        let mut page = StockedCodes::default().page(conn, after, most).await?;
        if self.hides.swap(false, Ordering::Relaxed) {
            page.remove(0);
        }
        Ok(page)
    }

    async fn reseal_in_tx(
        &self,
        tx: &DatabaseTransaction,
        key: &DataKey,
        rows: &[i64],
        entropy: &dyn Entropy,
    ) -> Result<u64, ProbeError> {
        StockedCodes::default()
            .reseal_in_tx(tx, key, rows, entropy)
            .await
    }
}

#[tokio::test]
async fn it_ends_when_nothing_is_seen_under_the_old_key() {
    let world = World::new().await;
    let stock = ["One-1", "Two-2", "Three-3"];
    world.add(only(OLD), world.plain, &stock).await.unwrap();
    let late = Late {
        hides: AtomicBool::new(true),
    };
    let key = DataKey::new(NEW).with_previous(OLD);
    let key = key.of_tables(vec![Arc::new(late)]);
    let rotated = world.rotate(&key, &world.test.db, false).await.unwrap();
    let tally = rotated.tables["coupon_code"];
    assert_eq!((tally.sealed, tally.resealed), (3, 3));
    assert_eq!(world.under(NEW, "coupon_code").await, stock);
}

/// However often it is run, the second of three codes is named and left, and the rotation does not end.
async fn assert_second_code_is_named(world: &World) {
    for _ in 0..2 {
        let refused = world.rotate(&both(), &world.test.db, false).await;
        let Err(RotationError::Damaged(values)) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(values, ["coupon_code 2"]);
        assert_eq!(world.under(NEW, "coupon_code").await, ["One-1", "Three-3"]);
        assert!(both().is_rotating(world.test.db.read()).await.unwrap());
    }
}

/// Under one key it is seen that a row has another one's code.
#[tokio::test]
async fn a_code_that_was_copied_to_another_row_is_named_and_nothing_ends() {
    let world = World::new().await;
    let stock = ["One-1", "Two-2", "Three-3"];
    world.add(only(OLD), world.plain, &stock).await.unwrap();
    let copied = "UPDATE coupon_code SET sealed_code = (SELECT c FROM (SELECT sealed_code AS c FROM coupon_code \
                  WHERE id = 1) AS t) WHERE id = 2";
    world.test.execute(copied).await;
    assert_second_code_is_named(&world).await;
}

#[tokio::test]
async fn a_value_that_no_key_opens_is_named_and_nothing_ends() {
    let world = World::new().await;
    let stock = ["One-1", "Two-2", "Three-3"];
    world.add(only(OLD), world.plain, &stock).await.unwrap();
    let damaged = "UPDATE coupon_code SET sealed_code = 'x' WHERE id = 2";
    world.test.execute(damaged).await;
    assert_second_code_is_named(&world).await;
    let untouched = "SELECT COUNT(*) FROM coupon_code WHERE id = 2 AND sealed_code = 'x'";
    assert_eq!(world.test.count(untouched).await, 1);
    world
        .test
        .execute("DELETE FROM coupon_code WHERE id = 2")
        .await;
    world.rotate(&both(), &world.test.db, false).await.unwrap();
    assert!(only(NEW).compare(&world.test.db).await.unwrap());
    let told = "SELECT COUNT(*) FROM admin_audit_log WHERE resource = 'data_key' AND actor = 'operator' AND \
                action = 'DATA_KEY_ROTATE_";
    for action in ["BEGIN", "END"] {
        assert_eq!(world.test.count(&format!("{told}{action}'")).await, 1);
    }
}

#[tokio::test]
async fn an_upload_that_is_sent_again_is_known_under_either_key() {
    let world = World::new().await;
    let request =
        |key: &str, body: &str| RequestKey::new(key, "POST", "/codes", body.as_bytes()).unwrap();
    let upload = async |key: DataKey, name: &str, text: &str| {
        let desk = world.desk(key);
        let (codes, request) = (codes(&[text]), request(name, text));
        let added = desk.add_codes(&world.admin, world.plain, &codes, Some(&request), now());
        added.await.map(|added| added.replayed)
    };
    assert!(!upload(only(OLD), "first", "One-1").await.unwrap());
    assert!(!upload(both(), "second", "Two-2").await.unwrap());
    // During the restart of the replicas either may be asked again.
    for (name, text) in [("first", "One-1"), ("second", "Two-2")] {
        for key in [only(OLD), both()] {
            assert!(upload(key, name, text).await.unwrap());
        }
    }
    world.begin().await;
    assert!(!upload(both(), "third", "Three-3").await.unwrap());
    world.rotate(&both(), &world.test.db, false).await.unwrap();
    for (name, text) in [
        ("first", "One-1"),
        ("second", "Two-2"),
        ("third", "Three-3"),
    ] {
        assert!(upload(both(), name, text).await.unwrap());
        let reused = upload(both(), name, "Another-1").await;
        let told = matches!(
            reused,
            Err(RewardError::Idempotency(IdempotencyError::KeyReused))
        );
        assert!(told, "{reused:?}");
    }
    // What was stored since needs the old key no more.
    assert!(upload(only(NEW), "third", "Three-3").await.unwrap());
    assert_eq!(
        world.test.count("SELECT COUNT(*) FROM coupon_code").await,
        3
    );
}

#[tokio::test]
async fn it_says_what_it_cannot_begin_with() {
    let world = World::new().await;
    let db = &world.test.db;
    let nothing = world.rotate(&both(), db, false).await;
    assert!(matches!(nothing, Err(RotationError::NothingSealed)));
    assert_eq!(
        world
            .test
            .count("SELECT COUNT(*) FROM data_key_probe")
            .await,
        0
    );
    world.add(only(OLD), world.plain, &["One-1"]).await.unwrap();
    let alone = world.rotate(&only(NEW), db, false).await;
    let told = matches!(alone, Err(RotationError::Probe(ProbeError::OtherKey(_))));
    assert!(told, "{alone:?}");
    // As an older version has left it.
    world.test.execute("DELETE FROM data_key_probe").await;
    world.begin().await;
    let swapped = DataKey::new(OLD).with_previous(NEW).of_tables(tables());
    let refused = world.rotate(&swapped, db, false).await;
    assert!(
        matches!(refused, Err(RotationError::Swapped)),
        "{refused:?}"
    );
    // It reads all the same, and seals with what the database says.
    world.add(swapped, world.plain, &["Two-2"]).await.unwrap();
    assert_eq!(world.under(NEW, "coupon_code").await, ["Two-2"]);
    world.rotate(&both(), db, false).await.unwrap();
    assert_eq!(world.under(NEW, "coupon_code").await, ["One-1", "Two-2"]);
    let had = world.rotate(&only(NEW), db, false).await.unwrap();
    assert!(had.had_key);
}
