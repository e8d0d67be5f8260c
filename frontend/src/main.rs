//! Everybody's program that trunk builds for the browser.

fn main() {
    vms_frontend::start();
}
