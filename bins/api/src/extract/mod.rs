//! What handlers ask of a request, as types.

mod account;
mod admin;
mod command;
mod csv;
mod dry_run;
mod echo;
mod json;
mod json_text;
mod media;
mod now;
mod params;
mod path_part;
mod player;
mod span;
mod upload;

pub(crate) use account::{AccountPart, BY_EXTERNAL_ID, account_of};
pub(crate) use admin::{Admin, ENTITY_TAG, key_of, reason, seen_version, told_reason};
pub(crate) use command::{Body, Command, IdempotencyKey, List, Nothing, OptionalBody, read};
pub(crate) use csv::{Column, CsvRow, CsvUpload, LineProblems};
pub(crate) use dry_run::{DryRun, said};
pub(crate) use echo::{Echo, Echoes, FIXED, Volatile, refuse};
pub(crate) use json::{read_json, shortened};
pub(crate) use now::Now;
pub(crate) use params::{Params, given, is_id};
pub(crate) use path_part::PathPart;
pub(crate) use player::{Bearer, Player, client_address};
pub(crate) use span::SpanParams;
pub(crate) use upload::{Content, Source, Upload};
