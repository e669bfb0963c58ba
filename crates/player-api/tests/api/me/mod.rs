mod draw;
mod history;
