use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use xmas_kernel::{
    audit::Actor,
    db::{Db, DbOptions},
};
use xmas_migration::{Migrator, MigratorTrait};
use xmas_players::{
    ExternalId, GivenId, Identity, NewAccount, Role, Status, create_in_tx, find_by_external_id,
    lock_by_id_in_tx, set_status_in_tx,
};
use xmas_time::{Clock, SystemClock};

/// A database of a test's own, with the whole schema. It is gone when this and every
/// [`TestDb::reconnected`] of it are dropped.
#[derive(Debug)]
pub struct TestDb {
    pub db: Db,
    url: String,
    home: Arc<Home>,
}

#[derive(Debug)]
enum Home {
    Folder {
        #[expect(dead_code, reason = "dropping it deletes the folder")]
        folder: TempDir,
    },
    /// A database on a server.
    Server { admin_url: String, name: String },
}

const GRANTS: &str = include_str!("../../../scripts/grants.sql");

/// The server to test on; SQLite if it is not set.
static SERVER_URL: LazyLock<Option<String>> = LazyLock::new(|| {
    std::env::var("DATABASE_TEST_URL")
        .ok()
        .filter(|url| !url.is_empty())
});

impl TestDb {
    /// A database with the current schema and no rows.
    pub async fn new() -> Self {
        if let Some(server) = Self::server() {
            return Self::on(server).await;
        }
        let folder = temporary_folder();
        std::fs::copy(sqlite_template().await, folder.path().join("xmas.db"))
            .expect("the template can be copied");
        Self::on_sqlite(folder).await
    }

    /// The server under test, if it is not SQLite.
    pub fn server() -> Option<&'static str> {
        SERVER_URL.as_deref()
    }

    /// [`TestDb::new`] on a server of the test's own.
    pub async fn on(server: &str) -> Self {
        let owner = Self::on_server(server).await;
        migrate(&owner.db).await;
        owner.into_application().await
    }

    /// The same database through a user of its own, who may do what the application's may
    /// (scripts/grants.sql): not more, so that the whole suite shows that it is enough.
    async fn into_application(self) -> Self {
        let Home::Server { admin_url, name } = &*self.home else {
            return self;
        };
        let user = format!("'{name}'@'%'");
        let grants = GRANTS.lines().filter(|line| line.starts_with("GRANT"));
        let grants = grants.map(|line| line.replace("{database}", name).replace("{user}", &user));
        let admin = Database::connect(admin_url).await.expect("a connection");
        let create = format!("CREATE USER {user}");
        for sql in std::iter::once(create).chain(grants) {
            let done = admin.execute_unprepared(&sql).await;
            done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        admin.close().await.expect("the connection closes");
        let (_, address) = admin_url.rsplit_once('@').expect("a URL with a user");
        let url = format!("mysql://{name}@{address}/{name}");
        let db = connect(&url).await;
        self.db
            .close()
            .await
            .expect("the owner's connections close");
        Self { db, url, ..self }
    }

    /// A database without a single table, for tests of the migrations themselves.
    pub async fn empty() -> Self {
        match SERVER_URL.as_deref() {
            Some(server) => Self::on_server(server).await,
            None => Self::on_sqlite(temporary_folder()).await,
        }
    }

    /// Ends every connection that anybody has to this database. SQLite has none.
    pub async fn close_connections(&self) {
        if let Home::Server { admin_url, name } = &*self.home {
            let admin = Database::connect(admin_url).await.expect("a connection");
            close_connections(&admin, name).await;
        }
    }

    /// The same database through new connections.
    pub async fn reconnected(&self) -> Self {
        Self {
            db: connect(&self.url).await,
            url: self.url.clone(),
            home: self.home.clone(),
        }
    }

    /// The same database through new connections that cannot write. Servers decide for all of theirs
    /// (`SET GLOBAL read_only`), so that this is for SQLite only.
    pub async fn as_read_only_file(&self) -> Self {
        assert_eq!(self.db.backend(), DbBackend::Sqlite);
        let url = format!("{}?mode=ro", self.url);
        Self {
            db: connect(&url).await,
            url,
            home: self.home.clone(),
        }
    }

    /// The same database through its owner, who may change the schema.
    pub async fn as_owner(&self) -> Self {
        let Home::Server { admin_url, name } = &*self.home else {
            return self.reconnected().await;
        };
        let url = format!("{admin_url}/{name}");
        Self {
            db: connect(&url).await,
            url,
            home: self.home.clone(),
        }
    }

    /// Where it is, for a process that connects by itself.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The one number that `sql` selects: for looking at tables past the crates' own code.
    pub async fn count(&self, sql: &str) -> i64 {
        // A sum is a decimal on MySQL.
        let number = format!("SELECT CAST(({sql}) AS SIGNED)");
        let statement = sea_orm::Statement::from_string(self.db.backend(), number);
        self.db
            .read()
            .query_one_raw(statement)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
            .unwrap_or_else(|| panic!("{sql}: no row"))
            .try_get_by(0)
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    /// Runs SQL that an operator might run by hand.
    pub async fn execute(&self, sql: &str) {
        match &*self.home {
            // An operator may do more than the application.
            Home::Server { admin_url, name } => {
                execute_on(&format!("{admin_url}/{name}"), sql).await;
            }
            Home::Folder { .. } => {
                let done = self.db.write().execute_unprepared(sql).await;
                done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
        }
    }

    /// Executes what the schema's own check `table.constraint` would refuse.
    pub async fn execute_unchecked(&self, check: &str, sql: &str) {
        let sql = match self.db.backend() {
            DbBackend::Sqlite => format!(
                "PRAGMA ignore_check_constraints = ON; {sql}; PRAGMA ignore_check_constraints = OFF"
            ),
            _ => {
                let (table, name) = check.split_once('.').expect("table.constraint");
                self.execute(&format!("ALTER TABLE {table} DROP CONSTRAINT {name}"))
                    .await;
                sql.to_owned()
            }
        };
        self.execute(&sql).await;
    }

    /// An active player at account level 1 with a password that nothing matches.
    pub async fn player(&self, external_id: &str) -> Identity {
        let account = NewAccount {
            external_id: ExternalId::try_from(external_id).expect("a valid external id"),
            nickname: None,
            password_hash: "!".to_owned(),
            role: Role::Player,
        };
        let tx = self.db.begin().await.expect("a transaction begins");
        let created = create_in_tx(&tx, account, SystemClock.now()).await;
        let identity = created.expect("the external id is free").identity();
        tx.commit().await.expect("the player is kept");
        identity
    }

    /// An operator, as the audit log knows them: the same one for the same name.
    pub async fn operator(&self, name: &str) -> Actor {
        let external_id = ExternalId::try_from(name).expect("a valid external id");
        let known = find_by_external_id(self.db.read(), &GivenId::from(&external_id)).await;
        let user_id = match known.expect("accounts can be read") {
            Some(account) => account.user_id,
            None => {
                let account = NewAccount {
                    external_id,
                    nickname: None,
                    password_hash: "!".to_owned(),
                    role: Role::Admin,
                };
                let tx = self.db.begin().await.expect("a transaction begins");
                let created = create_in_tx(&tx, account, SystemClock.now()).await;
                let user_id = created.expect("the external id is free").user_id();
                tx.commit().await.expect("the operator is kept");
                user_id
            }
        };
        Actor {
            user_id,
            name: name.to_owned(),
            reason: None,
            request_id: "test".to_owned(),
        }
    }

    /// Blocks a player as an operator would.
    pub async fn block(&self, identity: &Identity) {
        let tx = self.db.begin().await.expect("a transaction begins");
        let player = lock_by_id_in_tx(&tx, identity.user_id)
            .await
            .expect("a lock");
        let player = player.expect("the player exists");
        set_status_in_tx(&tx, &player, Status::Blocked, SystemClock.now())
            .await
            .expect("the player is blocked");
        tx.commit().await.expect("the block is kept");
    }

    async fn on_server(server: &str) -> Self {
        // Also the name of a user, which has up to 32 characters on MySQL.
        let name = format!("xmas_{}", &uuid::Uuid::new_v4().simple().to_string()[..26]);
        let admin_url = server.trim_end_matches('/').to_owned();
        execute_on(&admin_url, &format!("CREATE DATABASE {name}")).await;
        let url = format!("{admin_url}/{name}");
        let db = connect(&url).await;
        let home = Home::Server { admin_url, name };
        Self {
            db,
            url,
            home: Arc::new(home),
        }
    }

    async fn on_sqlite(folder: TempDir) -> Self {
        let url = format!("sqlite://{}", folder.path().join("xmas.db").display());
        let db = connect(&url).await;
        let home = Home::Folder { folder };
        Self {
            db,
            url,
            home: Arc::new(home),
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let Home::Server { admin_url, name } = self else {
            return;
        };
        let (admin_url, name) = (admin_url.clone(), name.clone());
        // A test's runtime may be single-threaded and about to stop, so the clean-up has its own.
        let cleaner = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made")
                .block_on(drop_database(&admin_url, &name));
        });
        // A panic in there has been printed; a second one here would abort the test run.
        drop(cleaner.join());
    }
}

async fn connect(url: &str) -> Db {
    let place = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    let options = DbOptions {
        max_connections: 8,
        // The races of the tests queue longer than a player would wait.
        acquire_timeout: std::time::Duration::from_secs(60),
        ..DbOptions::new(place)
    };
    Db::connect(&options)
        .await
        .unwrap_or_else(|error| panic!("{url}: {error:?}"))
}

/// Drops a database whatever its test has left open: a transaction that was rolled back by being
/// dropped ends only when its runtime runs again, and until then it would hold the drop up.
async fn drop_database(admin_url: &str, name: &str) {
    let admin = Database::connect(admin_url)
        .await
        .unwrap_or_else(|error| panic!("{admin_url}: {error}"));
    close_connections(&admin, name).await;
    let user = format!("DROP USER IF EXISTS '{name}'@'%'");
    for drop in [format!("DROP DATABASE {name}"), user] {
        let dropped = admin.execute_unprepared(&drop).await;
        dropped.unwrap_or_else(|error| panic!("{drop}: {error}"));
    }
    admin.close().await.expect("the connection closes");
}

/// Ends every connection to a database, as a restarted server would.
async fn close_connections(admin: &DatabaseConnection, name: &str) {
    let open = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
    let statement = sea_orm::Statement::from_string(admin.get_database_backend(), open);
    for row in admin.query_all_raw(statement).await.unwrap_or_default() {
        // Unsigned on MySQL, signed on MariaDB.
        let id = row.try_get_by::<u64, _>(0).map(|id| id.to_string());
        let id = id.or_else(|_| row.try_get_by::<i64, _>(0).map(|id| id.to_string()));
        if let Ok(id) = id {
            // It may have ended by itself in between.
            let _ = admin.execute_unprepared(&format!("KILL {id}")).await;
        }
    }
}

async fn execute_on(admin_url: &str, sql: &str) {
    let admin: DatabaseConnection = Database::connect(admin_url)
        .await
        .unwrap_or_else(|error| panic!("{admin_url}: {error}"));
    admin
        .execute_unprepared(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    admin.close().await.expect("the connection closes");
}

/// A migrated SQLite file to copy from: made once per test process.
async fn sqlite_template() -> PathBuf {
    static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let folder = temporary_folder().keep();
            let file = folder.join("template.db");
            let db = connect(&format!("sqlite://{}", file.display())).await;
            migrate(&db).await;
            // Closing the last connection folds the write-ahead log into the file.
            db.close().await.expect("the template closes");
            file
        })
        .await
        .clone()
}

async fn migrate(db: &Db) {
    Migrator::up(db.write(), None)
        .await
        .expect("the migrations apply to an empty database");
}

fn temporary_folder() -> TempDir {
    TempDir::new().expect("a temporary folder can be made")
}
