//! What an administrator does with `lxc` reaches an open websocket by itself.
#![allow(clippy::print_stdout, reason = "how long it took is worth reading")]

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use tokio::time::timeout_at;
use vms_client::ApiClient;
use vms_client::events::EventStream;
use vms_client::native::NativeTransport;
use vms_types::{Event, Machine, MachineStatus};

use serde_json::json;

use crate::school;

/// Longest that an event may take. How long each took is printed.
const SOON: Duration = Duration::from_secs(5);

/// Waits for the machine to be shown as wanted; counted from `since`, when the command was given.
async fn shows(events: &mut EventStream, what: &str, since: Instant, wanted: impl Fn(&Machine) -> bool) {
    let deadline = tokio::time::Instant::from_std(Instant::now() + SOON);
    let mut last = None;
    loop {
        let Ok(frame) = timeout_at(deadline, events.next()).await else {
            panic!("{what}: no such event within {SOON:?}; the last one was {last:#?}")
        };
        let event = frame.expect("closed").unwrap().event;
        if matches!(&event, Event::Machine { machine } if wanted(machine)) {
            println!("{what}: {} ms after the command", since.elapsed().as_millis());
            return;
        }
        last = Some(event);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_with_lxc_reaches_the_websocket() {
    let school = school!();
    let bruno = school.login("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": "maquinaa" })).await).await;
    let client = ApiClient::new(NativeTransport::new().unwrap(), &school.server.url());
    client.login("bruno", "bruno").await.unwrap();
    let mut events = client.events(None, false).await.unwrap();

    let name = "vmbrunomaquinaa";
    let begun = Instant::now();
    school.lxc(&["snapshot", name, "de-fora"]);
    shows(&mut events, "lxc snapshot", begun, |m| m.snapshots.iter().any(|s| s.name == "de-fora")).await;
    let begun = Instant::now();
    school.lxc(&["stop", "--force", name]);
    let stopped = |m: &Machine| m.status == MachineStatus::Stopped && m.addresses.is_empty();
    shows(&mut events, "lxc stop", begun, stopped).await;
    let begun = Instant::now();
    school.lxc(&["start", name]);
    shows(&mut events, "lxc start", begun, |m| m.status == MachineStatus::Running).await;
    // The row stays until its owner gives it up.
    let begun = Instant::now();
    school.lxc(&["delete", "--force", name]);
    shows(&mut events, "lxc delete", begun, |m| m.status == MachineStatus::Unknown).await;
    bruno.delete(&format!("/machines/{name}")).await.expect(202);
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let frame = timeout_at(deadline, events.next()).await.expect("the removal was not told");
        if matches!(frame.expect("closed").unwrap().event, Event::MachineRemoved { .. }) {
            break;
        }
    }
}
