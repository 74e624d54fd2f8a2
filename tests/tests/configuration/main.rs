//! Configuration held against programs that others wrote: the template of the guide through real Jinja2, converted files
//! through a real validator of JSON Schema, and everything beside the real keepalived.

mod beside_keepalived;
mod command_line;
mod guide;
mod schema;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vipd::config::{Loaded, load_str};

/// Debian's, which has the packages that `cargo xtask setup` installs.
const PYTHON: &str = "/usr/bin/python3";

/// A folder of `tests/fixtures`.
fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder)
}

/// What a Python program writes when it is given `input`.
fn python(program: &str, input: &str) -> String {
    let mut child = Command::new(PYTHON)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is there: cargo xtask setup");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "python3 failed; has `cargo xtask setup` been run?\n{said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The file, which must be accepted.
fn accepted(name: &str, text: &str) -> Loaded {
    load_str(name, text).unwrap_or_else(|found| panic!("{name} is refused:\n{}\n{text}", found.render(false)))
}
