//! What the areas of the admin API have in common: pages of lists, parameters, and fields with two names.

pub mod paging;
pub mod params;
pub mod records;
pub mod two_names;
