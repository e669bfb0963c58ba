//! What handlers ask of a request, as types.

mod command;
mod now;
mod params;
mod path_part;
mod player;

pub(crate) use command::{Body, Command, IdempotencyKey, Nothing, OptionalBody};
pub(crate) use now::Now;
pub(crate) use params::Params;
pub(crate) use path_part::PathPart;
pub(crate) use player::{Bearer, Player, client_address};
