//! What handlers ask of a request, as types.

mod command;
mod now;
mod player;

pub(crate) use command::{Body, Command, IdempotencyKey, OptionalBody, Payload};
pub(crate) use now::Now;
pub(crate) use player::{Bearer, Player, client_address};
