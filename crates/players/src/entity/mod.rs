pub(crate) mod user;
pub(crate) mod user_profiles;
