//! What every HTTP side of the product needs: what handlers ask of a request ([`extract`]), what happens to
//! every request ([`middleware`]), how an error becomes an answer ([`error`]), how a path is registered
//! ([`endpoint`]), what answers share ([`answer`], [`export`], [`receipts`]), which of them are kept ([`finished`]),
//! the OpenAPI document ([`openapi`]), which connections are kept ([`connections`]), and the [`server`] around it
//! all.
//!
//! It knows the domain crates only to translate their errors, and no path of the product.

pub mod answer;
pub mod connections;
pub mod door;
pub mod endpoint;
pub mod error;
pub mod export;
pub mod extract;
pub mod finished;
pub mod metrics;
pub mod middleware;
pub mod openapi;
pub mod receipts;
pub mod server;
pub mod settings;

#[doc(hidden)]
pub use pastey;
