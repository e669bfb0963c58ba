//! In whose name something is done on the command line, for the audit log.

use anyhow::bail;
use xmas_kernel::{
    Problem,
    audit::Actor,
    db::Db,
    text::{self, Lines},
};
use xmas_players::{GivenId, Role, Status, find_by_external_id};
use xmas_texts::{quoted, start};

/// A reason as the audit log keeps it.
fn fit_reason(reason: &str) -> anyhow::Result<Option<String>> {
    let reason = text::tidy(reason);
    let fit = text::check(&reason, 0..=Actor::REASON_CHARACTERS, Lines::One);
    fit.map_err(|unfit| Problem::new("--reason", unfit))?;
    Ok((!reason.is_empty()).then_some(reason))
}

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
    let reason = match reason {
        Some(reason) => fit_reason(reason)?,
        None => None,
    };
    Ok(Actor {
        user_id: account.user_id,
        name: account.external_id,
        reason,
        request_id: "command line".to_owned(),
    })
}
