use std::process::ExitCode;

fn main() -> ExitCode {
    xmas_api::cli::main()
}
