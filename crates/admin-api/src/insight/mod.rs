//! What is read only: the dashboard and the logs.

pub(crate) mod dashboard;
pub(crate) mod logs;
