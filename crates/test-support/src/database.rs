use std::{path::PathBuf, sync::LazyLock};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use xmas_kernel::db::{Db, DbOptions};
use xmas_migration::{Migrator, MigratorTrait};

/// A database of a test's own, with the whole schema. It is gone when this is dropped.
#[derive(Debug)]
pub struct TestDb {
    pub db: Db,
    url: String,
    home: Home,
}

#[derive(Debug)]
enum Home {
    /// A file in a folder that is deleted when this is dropped.
    Folder(TempDir),
    /// A database on a server.
    Server { admin_url: String, name: String },
}

/// The server to test on; SQLite if it is not set.
static SERVER_URL: LazyLock<Option<String>> =
    LazyLock::new(|| std::env::var("DATABASE_TEST_URL").ok().filter(|url| !url.is_empty()));

impl TestDb {
    /// A database with the current schema and no rows.
    pub async fn new() -> Self {
        let test = Self::without_schema().await;
        if let Home::Server { .. } = test.home {
            Migrator::up(test.db.write(), None)
                .await
                .expect("the migrations apply to an empty database");
        }
        test
    }

    /// An empty database, for tests of the migrations themselves. (On SQLite the schema is copied
    /// from a file that is migrated once, so [`TestDb::new`] and this differ there as well.)
    pub async fn empty() -> Self {
        match SERVER_URL.as_deref() {
            Some(_) => Self::without_schema().await,
            None => {
                let folder = TempDir::new().expect("a temporary folder can be made");
                Self::on_sqlite(folder).await
            }
        }
    }

    /// Where it is, for a process that connects by itself.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many rows `sql` counts: for looking at tables past the crates' own code.
    pub async fn count(&self, sql: &str) -> i64 {
        let statement = sea_orm::Statement::from_string(self.db.backend(), sql);
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
        self.db
            .write()
            .execute_unprepared(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn without_schema() -> Self {
        let Some(server) = SERVER_URL.as_deref() else {
            let folder = TempDir::new().expect("a temporary folder can be made");
            std::fs::copy(sqlite_template().await, folder.path().join("xmas.db"))
                .expect("the template can be copied");
            return Self::on_sqlite(folder).await;
        };
        let name = format!("xmas_test_{}", uuid::Uuid::new_v4().simple());
        let admin_url = server.trim_end_matches('/').to_owned();
        on_server(&admin_url, &format!("CREATE DATABASE {name}")).await;
        let url = format!("{admin_url}/{name}");
        let db = connect(&url).await;
        let home = Home::Server { admin_url, name };
        Self { db, url, home }
    }

    async fn on_sqlite(folder: TempDir) -> Self {
        let url = format!("sqlite://{}", folder.path().join("xmas.db").display());
        let db = connect(&url).await;
        let home = Home::Folder(folder);
        Self { db, url, home }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let Home::Server { admin_url, name } = &self.home else {
            return;
        };
        let (admin_url, name) = (admin_url.clone(), name.clone());
        // A test's runtime may be single-threaded and about to stop, so the clean-up has its own.
        let cleaner = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime can be made")
                .block_on(on_server(&admin_url, &format!("DROP DATABASE {name}")));
        });
        // A panic in there has been printed; a second one here would abort the test run.
        drop(cleaner.join());
    }
}

async fn connect(url: &str) -> Db {
    let options = DbOptions {
        max_connections: 8,
        // The races of the tests queue longer than a player would wait.
        acquire_timeout: std::time::Duration::from_secs(60),
        ..DbOptions::new(url)
    };
    Db::connect(&options)
        .await
        .unwrap_or_else(|error| panic!("{url}: {error:?}"))
}

async fn on_server(admin_url: &str, sql: &str) {
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
            let folder = TempDir::new().expect("a temporary folder can be made").keep();
            let file = folder.join("template.db");
            let db = connect(&format!("sqlite://{}", file.display())).await;
            Migrator::up(db.write(), None)
                .await
                .expect("the migrations apply to an empty database");
            // Closing the last connection folds the write-ahead log into the file.
            db.close().await.expect("the template closes");
            file
        })
        .await
        .clone()
}
