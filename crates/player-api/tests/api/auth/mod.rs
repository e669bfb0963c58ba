mod logout;
mod password;
mod refresh;
mod token;
