use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait, ExprTrait, Iterable, QueryResult,
    sea_query::{Expr, Func, Query, SelectStatement},
};
use xmas_kernel::{SeasonId, db::DbError};
use xmas_players::beside;

use crate::{
    Progress,
    entity::{progress, reward_log, stamp_log},
    rules::INTERNAL_WIN_PERIOD,
};

/// Where a player stands in a season: what is read in one statement with their profile.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// `None` if nothing has moved the player in this season yet.
    pub(crate) progress: Option<Progress>,
    /// The levels whose reward has been collected.
    pub(crate) claimed: BTreeSet<i64>,
    /// Whether the once-a-season bonus stamp has been collected.
    pub(crate) has_bonus_stamp: bool,
}

impl Place {
    /// Adds what is needed to a statement that reads a profile.
    pub fn join(select: &mut SelectStatement, season: SeasonId) {
        let of_season = progress::Column::SeasonId.eq(season.0);
        let columns = progress::Column::iter();
        beside::join::<progress::Entity>(select, PROGRESS, columns, of_season);
        // 1,000 levels take 4,000 characters, and each session is set to more.
        let claimed = Query::select()
            .expr(Func::cust("GROUP_CONCAT").arg(Expr::col(reward_log::Column::Level)))
            .from(reward_log::Entity)
            .and_where(beside::of_player(reward_log::Entity))
            .and_where(reward_log::Column::SeasonId.eq(season.0))
            .take();
        let bonus_stamps = Query::select()
            .expr(Expr::col(stamp_log::Column::Id).count())
            .from(stamp_log::Entity)
            .and_where(beside::of_player(stamp_log::Entity))
            .and_where(stamp_log::Column::SeasonId.eq(season.0))
            .and_where(stamp_log::Column::PeriodKey.eq(INTERNAL_WIN_PERIOD))
            .take();
        select
            .expr_as(Expr::SubQuery(None, Box::new(claimed.into())), CLAIMED)
            .expr_as(
                Expr::SubQuery(None, Box::new(bonus_stamps.into())),
                BONUS_STAMPS,
            );
    }

    /// What [`Place::join`] has brought.
    pub fn joined(rows: &[QueryResult]) -> Result<Self, DbError> {
        let Some(row) = rows.first() else {
            return Ok(Self::default());
        };
        let progress = beside::joined::<progress::Model>(rows, PROGRESS)?;
        let claimed: Option<String> = row.try_get("", CLAIMED)?;
        Ok(Self {
            progress: progress.into_iter().next().map(Progress::from),
            claimed: levels(claimed.as_deref().unwrap_or_default())?,
            has_bonus_stamp: row.try_get::<i64>("", BONUS_STAMPS)? > 0,
        })
    }
}

const PROGRESS: &str = "progress_";
const CLAIMED: &str = "claimed_levels";
const BONUS_STAMPS: &str = "bonus_stamps";

/// Levels with commas between them.
fn levels(list: &str) -> Result<BTreeSet<i64>, DbError> {
    let levels = list.split_terminator(',').map(str::parse);
    levels
        .collect::<Result<_, _>>()
        .map_err(|_| DbError::Corrupt(format!("levels {list:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_as_databases_list_them() {
        assert_eq!(levels("").unwrap(), BTreeSet::new());
        assert_eq!(levels("3,1,12").unwrap(), BTreeSet::from([1, 3, 12]));
        assert!(levels("3,1,").is_ok() && levels("3,x").is_err());
    }
}
