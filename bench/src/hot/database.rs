//! A database of one contender, and what its server counts.

use std::{
    fs,
    ops::Sub,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
    time::Duration,
};

use anyhow::{Context, ensure};
use sea_orm::{ConnectionTrait, Statement};
use tempfile::TempDir;
use xmas_kernel::db::{Db, DbOptions};

/// Signs the tokens of all players.
pub(super) const JWT_SECRET: &str = "a secret of the benchmark, 32 bytes or more";

/// Where databases are made.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A server without a database: `mysql://root@127.0.0.1:3306`.
    Server(String),
    /// A folder, for embedded ones: `sqlite:FOLDER`.
    Folder(PathBuf),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("sqlite:") {
            Some(folder) => Ok(Place::Folder(folder.into())),
            None if text.starts_with("mysql://") => Ok(Place::Server(text.to_owned())),
            None => Err("must be mysql://… or sqlite:FOLDER".to_owned()),
        }
    }
}

impl Place {
    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self, Place::Folder(_))
    }

    async fn execute(&self, statements: &[String]) -> anyhow::Result<()> {
        if let Place::Server(url) = self {
            let server = sea_orm::Database::connect(url).await?;
            for sql in statements {
                server.execute_unprepared(sql).await?;
            }
            server.close().await?;
        }
        Ok(())
    }
}

/// A database with the event, on a server or embedded.
pub(super) struct Database {
    place: Place,
    name: String,
    /// The program's own, with the embedded database in it.
    folder: TempDir,
    pub(super) db: Db,
    /// The process of the server, if it runs on this machine.
    pub(super) server_id: Option<u32>,
    /// What one look at the counters adds to them.
    look: Counters,
}

impl Database {
    /// Makes a database and has `program` write the event into it.
    pub(super) async fn make(place: &Place, name: &str, program: &Path) -> anyhow::Result<Self> {
        let name = format!("xmas_bench_hot_{name}");
        let parent = match place {
            Place::Folder(folder) => folder.clone(),
            Place::Server(_) => std::env::temp_dir(),
        };
        let folder = tempfile::Builder::new().prefix(&name).tempdir_in(parent)?;
        let fresh = [
            // What makes a commit last: the setting of production, whatever the test server has.
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1".to_owned(),
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
        ];
        place.execute(&fresh).await?;
        let url = url(place, &name, folder.path());
        let steps: &[&[&str]] = match place {
            Place::Server(_) => &[&["migrate", "up"], &["seed", "event"]],
            // The embedded one is brought up to date by whoever opens it.
            Place::Folder(_) => &[&["seed", "event"]],
        };
        for step in steps {
            let mut command = command(program, place, &url, folder.path());
            let done = command.args(*step).output()?;
            ensure!(done.status.success(), "{step:?}: {done:?}");
        }
        let db = Db::connect(&DbOptions {
            max_connections: 64,
            acquire_timeout: Duration::from_secs(30),
            ..DbOptions::new(url.parse()?)
        })
        .await?;
        let mut database = Self {
            server_id: server_id(&db, place).await,
            place: place.clone(),
            name,
            folder,
            db,
            look: Counters::default(),
        };
        let before = database.counters().await?;
        database.look = database.counters().await? - before;
        Ok(database)
    }

    /// The program, set to use this database.
    pub(super) fn command(&self, program: &Path) -> Command {
        let url = url(&self.place, &self.name, self.folder.path());
        command(program, &self.place, &url, self.folder.path())
    }

    pub(super) fn is_sqlite(&self) -> bool {
        self.place.is_sqlite()
    }

    pub(super) async fn remove(self) -> anyhow::Result<()> {
        self.db.close().await?;
        let gone = format!("DROP DATABASE {}", self.name);
        self.place.execute(&[gone]).await
    }

    /// What the server has counted so far, for everybody; all 0 on SQLite, which counts nothing.
    pub(super) async fn counters(&self) -> anyhow::Result<Counters> {
        let mut counters = Counters::default();
        if self.place.is_sqlite() {
            return Ok(counters);
        }
        let sql = "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Com%' OR Variable_name LIKE \
                   'Handler_read%'";
        let rows = Statement::from_string(self.db.backend(), sql);
        for row in self.db.write().query_all_raw(rows).await? {
            let (name, value): (String, String) = (row.try_get_by(0)?, row.try_get_by(1)?);
            counters.add(&name, value.parse().unwrap_or(0));
        }
        Ok(counters)
    }

    /// What was counted since `before`, without the look itself.
    pub(super) async fn counted(&self, before: Counters) -> anyhow::Result<Counters> {
        Ok(self.counters().await? - before - self.look)
    }

    /// `10.11.14-MariaDB`, or `SQLite 3.50.4`.
    pub(super) async fn version(&self) -> anyhow::Result<String> {
        let sql = match self.place {
            Place::Server(_) => "SELECT VERSION()",
            Place::Folder(_) => "SELECT 'SQLite ' || sqlite_version()",
        };
        let asked = Statement::from_string(self.db.backend(), sql);
        let row = self.db.read().query_one_raw(asked).await?;
        Ok(row.context("a version")?.try_get_by(0)?)
    }
}

/// What a server of MariaDB or MySQL counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    /// Reads and writes.
    pub(super) statements: u64,
    /// BEGIN, COMMIT and ROLLBACK.
    pub(super) boundaries: u64,
    /// Statements that had to be prepared first.
    pub(super) prepared: u64,
    /// Rows that were read, of tables or of indexes.
    pub(super) rows: u64,
}

impl Counters {
    fn add(&mut self, name: &str, value: u64) {
        let counter = match name {
            "Com_select" | "Com_insert" | "Com_insert_select" | "Com_update"
            | "Com_update_multi" | "Com_delete" | "Com_delete_multi" | "Com_replace"
            | "Com_replace_select" | "Com_compound_sql" => &mut self.statements,
            "Com_begin" | "Com_commit" | "Com_rollback" => &mut self.boundaries,
            "Com_stmt_prepare" => &mut self.prepared,
            name if name.starts_with("Handler_read") => &mut self.rows,
            _ => return,
        };
        *counter += value;
    }
}

impl Sub for Counters {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            statements: self.statements.saturating_sub(other.statements),
            boundaries: self.boundaries.saturating_sub(other.boundaries),
            prepared: self.prepared.saturating_sub(other.prepared),
            rows: self.rows.saturating_sub(other.rows),
        }
    }
}

fn url(place: &Place, name: &str, folder: &Path) -> String {
    match place {
        Place::Server(server) => format!("{server}/{name}"),
        Place::Folder(_) => format!("sqlite://{}?mode=rwc", folder.join("xmas.db").display()),
    }
}

fn command(program: &Path, place: &Place, url: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_clear()
        .env("DATA_DIR", folder)
        .env("JWT_SECRET", JWT_SECRET);
    if let Place::Server(_) = place {
        command.env("DATABASE_URL", url);
    }
    command
}

async fn server_id(db: &Db, place: &Place) -> Option<u32> {
    if place.is_sqlite() {
        return None;
    }
    let asked = Statement::from_string(db.backend(), "SELECT @@pid_file");
    let row = db.read().query_one_raw(asked).await.ok()??;
    let file: String = row.try_get_by(0).ok()?;
    // Of a server elsewhere there is none here.
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
