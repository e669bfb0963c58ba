mod claim;
mod internal_wins;
mod stamp;
mod status;
