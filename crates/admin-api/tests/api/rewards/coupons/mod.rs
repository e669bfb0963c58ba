mod codes;
mod kinds;
