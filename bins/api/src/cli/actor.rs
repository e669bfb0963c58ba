//! In whose name something is done on the command line, for the audit log.

use anyhow::bail;
use xmas_kernel::{Problem, audit::Actor, db::Db, text::Lines};
use xmas_players::{GivenId, Role, Status, find_by_external_id};
use xmas_texts::{quoted, start};

/// The active admin of this external id (`--admin`).
pub(super) async fn find(
    db: &Db,
    admin: Option<&str>,
    reason: Option<&String>,
) -> anyhow::Result<Actor> {
    let Some(name) = admin else {
        bail!(start::no_actor());
    };
    let given = GivenId::try_from(name).map_err(|unfit| Problem::new("--admin", unfit))?;
    let account = find_by_external_id(db.read(), &given).await?;
    let account =
        account.filter(|account| account.role == Role::Admin && account.status == Status::Active);
    let Some(account) = account else {
        bail!(start::no_such_admin(quoted(name)));
    };
    let reason = reason.map_or("", String::as_str);
    let reason = Actor::reason(reason, Lines::One);
    let reason = reason.map_err(|unfit| Problem::new("--reason", unfit))?;
    Ok(Actor {
        user_id: account.user_id,
        name: account.external_id,
        reason,
        request_id: "command line".to_owned(),
    })
}
