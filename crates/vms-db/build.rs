//! The migrations are embedded when the crate is compiled: a changed one must compile it again.
#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
