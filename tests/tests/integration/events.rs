//! Events: a ticket, a websocket, and what comes over it to whom.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::json;
use tokio::time::timeout;
use vms_client::events::EventStream;
use vms_client::native::NativeTransport;
use vms_client::{ApiClient, ClientError};
use vms_types::{Event, EventMessage, MachineStatus, OperationStatus};

use crate::app::{PATIENCE, TestApp};

type Client = ApiClient<NativeTransport>;

/// Somebody with the typed client.
async fn client(app: &TestApp, name: &str) -> Client {
    let client = ApiClient::new(NativeTransport::new().unwrap(), &app.url());
    client.login(name, name).await.unwrap();
    client
}

/// The next frame; `None` when the server has closed.
async fn next(events: &mut EventStream) -> Option<EventMessage> {
    let next = timeout(PATIENCE, events.next()).await.expect("no frame came");
    next.map(|frame| frame.unwrap())
}

/// Everything until the operation has ended, that end included.
async fn until_ended(events: &mut EventStream) -> Vec<EventMessage> {
    let mut seen = Vec::new();
    loop {
        let message = next(events).await.expect("closed");
        let ended =
            matches!(&message.event, Event::Operation { operation } if operation.status.is_finished());
        seen.push(message);
        if ended {
            return seen;
        }
    }
}

fn code(result: Result<EventStream, ClientError>) -> String {
    match result {
        Ok(_) => "connected".to_owned(),
        Err(ClientError::Problem(problem)) => problem.code.as_str().to_owned(),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_followed_from_its_row_to_its_removal() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let mut events = client(&app, "bruno").await.events(None, false).await.unwrap();
    assert_eq!(next(&mut events).await.unwrap().event, Event::Hello);
    bruno.done(bruno.post("/machines", json!({ "name": "a" })).await).await;
    let seen = until_ended(&mut events).await;
    assert!(seen.windows(2).all(|pair| pair[0].seq < pair[1].seq), "{seen:?}");
    let Event::Machine { machine } = &seen[0].event else { panic!("{seen:?}") };
    assert_eq!((machine.status, machine.name.as_str()), (MachineStatus::Creating, "a"));
    // Before its end is told, the machine is shown as it is now, and takes the next command.
    let last = seen.iter().rev().find_map(|m| match &m.event {
        Event::Machine { machine } => Some(machine),
        _ => None,
    });
    assert_eq!(last.unwrap().operation, None);
    let shown = bruno.get(&format!("/machines/{}", machine.id)).await.expect(200);
    assert_eq!(shown["status"], "running");

    let id = machine.id;
    let edited = json!({ "description": "mine" });
    bruno.send(Method::PATCH, &format!("/machines/{id}"), Some(edited)).await.expect(200);
    loop {
        // The address may come before it.
        let Event::Machine { machine } = next(&mut events).await.unwrap().event else { panic!() };
        if machine.description == "mine" {
            break;
        }
    }
    bruno.delete(&format!("/machines/{id}")).await.expect(202);
    let seen = until_ended(&mut events).await;
    let removed =
        seen.iter().position(|m| m.event == Event::MachineRemoved { id, instance: "vmbrunoa".into() });
    assert_eq!(removed, Some(seen.len() - 2), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_once_the_next_command_is_taken() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let machine = bruno.machine("a").await["id"].as_str().unwrap().to_owned();
    let mut events = client(&app, "bruno").await.events(None, false).await.unwrap();
    next(&mut events).await.unwrap();
    for action in ["stop", "start"].repeat(10) {
        let asked = bruno.power(&machine, action).await.expect(202);
        let seen = until_ended(&mut events).await;
        let Event::Operation { operation } = &seen.last().unwrap().event else { panic!() };
        // Each end is told once, so it is this one's.
        assert_eq!(asked["id"], operation.id.to_string());
        assert_eq!(operation.status, OperationStatus::Succeeded, "{operation:?}");
        let machine = seen.iter().rev().find_map(|m| match &m.event {
            Event::Machine { machine } => Some(machine),
            _ => None,
        });
        assert_eq!(machine.unwrap().operation, None, "the machine as it was before the end: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_sees_their_own_and_administrators_all() {
    let app = TestApp::start().await;
    let (ana, bruno, admin) =
        (app.as_student("ana").await, app.as_student("bruno").await, app.as_admin().await);
    let mut of_ana = client(&app, "ana").await.events(None, false).await.unwrap();
    let mut of_all = client(&app, "admin").await.events(None, true).await.unwrap();
    let mut of_admin = client(&app, "admin").await.events(None, false).await.unwrap();
    for events in [&mut of_ana, &mut of_all, &mut of_admin] {
        assert_eq!(next(events).await.unwrap().event, Event::Hello);
    }
    assert_eq!(code(client(&app, "ana").await.events(None, true).await), "forbidden");
    // Bruno acts, then Ana: what Ana sees first is her own.
    bruno.machine("a").await;
    ana.done(ana.post("/machines", json!({ "name": "b" })).await).await;
    let seen = until_ended(&mut of_ana).await;
    for message in &seen {
        match &message.event {
            Event::Machine { machine } => assert_eq!(machine.owner, "ana"),
            Event::Operation { operation } => assert_eq!(operation.requested_by, "ana"),
            other => panic!("{other:?}"),
        }
    }
    // An administrator acts on her machine: both learn of it, and of the machine only she.
    let Event::Machine { machine } = &seen[0].event else { panic!("{seen:?}") };
    let asked = admin.power(&machine.instance, "stop").await.expect(202);
    let by_admin = |message: &EventMessage| matches!(&message.event, Event::Operation { operation } if operation.id.to_string() == asked["id"]);
    loop {
        let seen = until_ended(&mut of_ana).await;
        if seen.iter().any(by_admin) {
            break;
        }
    }
    assert!(until_ended(&mut of_admin).await.iter().all(by_admin));
    let mut owners = std::collections::BTreeSet::new();
    while owners.len() < 2 {
        if let Event::Machine { machine } = next(&mut of_all).await.unwrap().event {
            owners.insert(machine.owner);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teacher_hears_of_their_students_and_nobody_else() {
    let app = TestApp::start().await;
    let (ana, bruno) = (app.as_student("ana").await, app.as_student("bruno").await);
    let mut of_class = client(&app, "prof").await.events(None, true).await.unwrap();
    assert_eq!(next(&mut of_class).await.unwrap().event, Event::Hello);
    // Ana, who is in no class of theirs, acts first.
    ana.machine("b").await;
    bruno.done(bruno.post("/machines", json!({ "name": "a" })).await).await;
    for message in until_ended(&mut of_class).await {
        match message.event {
            Event::Machine { machine } => assert_eq!(machine.owner, "bruno"),
            Event::Operation { operation } => assert_eq!(operation.requested_by, "bruno"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_gets_exactly_what_was_missed() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let watcher = client(&app, "bruno").await;
    let mut whole = watcher.events(None, false).await.unwrap();
    let mut short = watcher.events(None, false).await.unwrap();
    let hello = next(&mut whole).await.unwrap();
    let away_since = next(&mut short).await.unwrap().seq;
    drop(short);
    bruno.done(bruno.post("/machines", json!({ "name": "a" })).await).await;
    let all = until_ended(&mut whole).await;

    let mut back = watcher.events(Some(away_since), false).await.unwrap();
    assert_eq!(next(&mut back).await.unwrap().event, Event::Hello);
    assert_eq!(until_ended(&mut back).await, all);
    // From the middle on.
    let middle = all[all.len() / 2].seq;
    let mut back = watcher.events(Some(middle), false).await.unwrap();
    assert_eq!(next(&mut back).await.unwrap().seq, middle);
    assert_eq!(until_ended(&mut back).await, all[all.len() / 2 + 1..]);
    // What the server never knew, or no longer knows.
    for since in [hello.seq - 1_000_000_000, all.last().unwrap().seq + 1_000_000] {
        let mut back = watcher.events(Some(since), false).await.unwrap();
        assert_eq!(next(&mut back).await.unwrap().event, Event::Hello);
        assert_eq!(next(&mut back).await.unwrap().event, Event::Resync);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_connection_and_only_from_our_pages() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let ticket = async || bruno.post("/events/ticket", json!({})).await.expect(201);
    let made = ticket().await;
    assert_eq!(made["expires_in"], 30);
    let upgrade = app
        .nobody()
        .with("connection", "upgrade")
        .with("upgrade", "websocket")
        .with("sec-websocket-version", "13")
        .with("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==");
    let path = |ticket: &serde_json::Value| format!("/events?ticket={}", ticket["ticket"].as_str().unwrap());
    let foreign = upgrade.with("origin", "https://evil.example");
    foreign.get(&path(&made)).await.problem(403, "foreign-origin");
    // None of these uses the ticket up.
    let plain = app.nobody().get(&path(&made)).await;
    assert_eq!(plain.header("upgrade"), "websocket");
    plain.problem(426, "upgrade-required");

    let url = format!("{}/api/v1{}", app.url().replacen("http", "ws", 1), path(&made));
    let (socket, answer) = tokio_tungstenite::connect_async(&url).await.unwrap();
    assert_eq!(answer.status(), 101);
    upgrade.get(&path(&made)).await.problem(401, "unauthenticated");
    upgrade.get("/events").await.problem(400, "malformed-parameter");
    upgrade.get("/events?ticket=vmst_AAAA").await.problem(401, "unauthenticated");
    drop(socket);

    // The session ends before the ticket is used.
    let late = ticket().await;
    let cookie = app.nobody().post("/auth/login", json!({ "username": "ana", "password": "ana" })).await;
    let ana = app.nobody().with_token(cookie.body["access_token"].as_str().unwrap());
    let anas = ana.post("/events/ticket", json!({})).await.expect(201);
    app.nobody().with_cookie(&cookie.cookie()).send(Method::POST, "/auth/logout", None).await.expect(204);
    upgrade.get(&path(&anas)).await.problem(401, "session-expired");
    let own = format!("{}/api/v1{}", app.url().replacen("http", "ws", 1), path(&late));
    tokio_tungstenite::connect_async(&own).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_closes_its_connection_and_no_other() {
    let app = TestApp::start().await;
    let (first, second) = (client(&app, "bruno").await, client(&app, "bruno").await);
    let mut of_first = first.events(None, false).await.unwrap();
    let mut of_second = second.events(None, false).await.unwrap();
    for events in [&mut of_first, &mut of_second] {
        next(events).await.unwrap();
    }
    // A new access token is still the same session.
    first.refresh().await.unwrap();
    let bruno = app.as_student("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": "a" })).await).await;
    until_ended(&mut of_first).await;

    first.logout().await.unwrap();
    while next(&mut of_first).await.is_some() {}
    assert_eq!(of_first.closed().unwrap().0, 4401);
    until_ended(&mut of_second).await;

    // A script's token likewise.
    let token = bruno.post("/tokens", json!({ "name": "script" })).await.expect(201);
    let script = ApiClient::new(NativeTransport::new().unwrap(), &app.url());
    script.set_token(Some(token["token"].as_str().unwrap().to_owned()));
    let mut of_script = script.events(None, false).await.unwrap();
    next(&mut of_script).await.unwrap();
    bruno.delete(&format!("/tokens/{}", token["id"].as_str().unwrap())).await.expect(204);
    while next(&mut of_script).await.is_some() {}
    assert_eq!(of_script.closed().unwrap().0, 4401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_sends_its_watchers_away_and_does_not_wait_for_them() {
    let mut app = TestApp::start().await;
    let mut events = client(&app, "bruno").await.events(None, false).await.unwrap();
    next(&mut events).await.unwrap();
    // This one never reads.
    let _silent = client(&app, "ana").await.events(None, false).await.unwrap();
    timeout(Duration::from_secs(10), app.stop_server()).await.expect("a websocket held it up");
    let mut frames = Vec::new();
    while let Some(message) = next(&mut events).await {
        frames.push(message.event);
    }
    assert_eq!(frames, [Event::GoAway]);
    assert_eq!(events.closed().unwrap().0, 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_twenty_connections_and_gets_a_place_back() {
    let app = TestApp::start().await;
    let watcher = client(&app, "bruno").await;
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(watcher.events(None, false).await.unwrap());
    }
    assert_eq!(code(watcher.events(None, false).await), "too-many-connections");
    assert_eq!(code(client(&app, "ana").await.events(None, false).await), "connected");
    drop(open.pop());
    crate::app::eventually("a place to be free", async || match code(watcher.events(None, false).await) {
        said if said == "connected" => Ok(()),
        said => Err(said),
    })
    .await;
}
