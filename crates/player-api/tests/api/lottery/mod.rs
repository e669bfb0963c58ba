mod play;
mod status;
