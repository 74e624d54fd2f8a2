//! See `vipd --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    vipd::cli::main()
}
