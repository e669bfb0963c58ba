use std::sync::Arc;

use xmas_config::{Config, Secrets};
use xmas_kernel::db::Db;
use xmas_time::Clock;

use crate::{
    cli::database,
    seed::demo_state,
    wiring::{App, Ports},
};

/// A database that is asked, and the clock of its event.
pub(super) struct Opened {
    pub(super) db: Db,
    pub(super) app: App,
    pub(super) clock: Arc<dyn Clock>,
}

impl Opened {
    pub(super) async fn of(config: &Config) -> anyhow::Result<Self> {
        let db = database::open(config).await?;
        let demo = demo_state::find(&db).await?;
        let clock = database::clock(config, demo.as_ref());
        let ports = Ports::with_clock(clock.clone());
        let app = App::new(&db, config, &Secrets::for_now(config)?, ports);
        Ok(Self { db, app, clock })
    }
}
