//! What handlers ask of a request, as types.

mod account;
mod admin;
mod client;
mod command;
mod csv;
mod dry_run;
mod echo;
mod json;
mod json_text;
mod language;
mod media;
mod now;
mod params;
mod path_part;
mod payload;
mod player;
mod span;
mod upload;

pub use account::{AccountPart, BY_EXTERNAL_ID, account_of};
pub use admin::{Admin, ENTITY_TAG, key_of, reason, reason_text, seen_version};
pub use client::client_address;
pub(crate) use client::{is_in, network_of};
pub use command::{Body, Command, IdempotencyKey, List, Nothing, OptionalBody};
pub use csv::{Column, CsvRow, CsvUpload, LineProblems};
pub use dry_run::{DryRun, said};
pub use echo::{Echo, Echoes, Volatile, refuse};
pub use json::{read_json, shortened};
pub use language::PreferredLanguage;
pub use now::Now;
pub use params::{Params, given, is_id};
pub use path_part::PathPart;
pub use payload::read;
pub use player::{Bearer, Player};
pub use span::SpanParams;
pub use upload::{Content, Source, Upload};
