mod dashboard;
mod logs;
