pub(crate) mod user_event_log;
