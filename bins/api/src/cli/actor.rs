//! In whose name something is done on the command line, for the audit log.

use anyhow::{anyhow, bail};
use xmas_kernel::{audit::Actor, db::Db};
use xmas_players::{GivenId, Role, Status, find_by_external_id};

/// The active admin of this external id (`--admin`).
pub(super) async fn find(
    db: &Db,
    admin: Option<&str>,
    reason: Option<&String>,
) -> anyhow::Result<Actor> {
    let Some(name) = admin else {
        bail!("--admin says in whose name it is done");
    };
    let given = GivenId::try_from(name).map_err(|error| anyhow!("--admin {}", error.0))?;
    let account = find_by_external_id(db.read(), &given).await?;
    let account =
        account.filter(|account| account.role == Role::Admin && account.status == Status::Active);
    let Some(account) = account else {
        bail!("there is no admin {name}");
    };
    Ok(Actor {
        user_id: account.user_id,
        name: account.external_id,
        reason: reason.cloned(),
        request_id: "command line".to_owned(),
    })
}
