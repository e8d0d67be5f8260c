//! `bench latency`: from LXD's own event to the frame at a thousand websockets.
//!
//! Somebody turns machines off and on past the portal. We listen to LXD's events beside the portal and note when each
//! came; every websocket notes when it was told of the same machine in the same status. The difference is what the portal
//! and the way through it take: fetch the one instance, replace it in the mirror, tell whom it concerns.

mod sockets;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use lxd_api::{EventPayload, EventType};
use tokio::task::JoinHandle;
use xtask::directory::{Directory, Person as Somebody};
use xtask::ui;

use self::sockets::{Seen, Socket};
use crate::chart::{self, Frame, Line};
use crate::facts::Facts;
use crate::people::{self, Person, student};
use crate::portal::{Portal, PortalOptions};
use crate::process;
use crate::report::{self, Verdict};
use crate::stats::Sample;
use crate::target::Target;

/// Websockets in all.
const SOCKETS: usize = 1000;
/// Websockets of one person: what the portal allows.
const EACH: usize = 20;
/// Websockets that see everybody's events: what the portal allows, of all administrators together.
const SEE_ALL: usize = 200;
/// How long a frame is waited for before it counts as missed.
const PATIENCE: Duration = Duration::from_secs(5);
/// A frame may be noted a little before LXD's event is: both are read by the same two processors.
const SLACK: Duration = Duration::from_millis(20);

/// LXD's event: this instance is now in this status.
#[derive(Debug, Clone)]
struct Change {
    instance: String,
    status: &'static str,
    at: Instant,
}

struct Measured {
    name: String,
    changes: usize,
    frames: Sample,
    missed: usize,
    processor: f64,
}

/// Measures on the simulated LXD and on a real one, and writes the report.
///
/// # Errors
/// When something cannot be started, or a result not be written.
pub async fn run(facts: &Facts, quick: bool, only_simulated: bool) -> Result<()> {
    let step = ui::Step::begin(format!("latency: simulated LXD, {SOCKETS} websockets"), "2 min");
    let mut all = measure("simulated LXD", &Target::simulated().await?, (SOCKETS, 1), quick).await?;
    step.done();
    if !only_simulated {
        let step = ui::Step::begin(format!("latency: real LXD, {SOCKETS} websockets"), "2 min");
        let target = Target::real().await?;
        let measured = measure("real LXD", &target, (SOCKETS / EACH, EACH), quick).await;
        target.clear().await?;
        all.extend(measured?);
        step.done();
    }
    write(facts, &all)
}

/// `owners` students have one machine and `each` websockets; then administrators' websockets see everything.
async fn measure(
    name: &str,
    target: &Target,
    (owners, each): (usize, usize),
    quick: bool,
) -> Result<Vec<Measured>> {
    let admins = SEE_ALL / EACH;
    let portal = Portal::open(PortalOptions {
        endpoint: target.endpoint(),
        defaults: target.defaults(),
        people: school(owners, admins),
        pages: None,
    })
    .await?;
    let students = people::log_in(&portal, (1..=owners).map(student).collect()).await?;
    people::furnish(&students, 1).await.with_context(|| portal.log())?;
    let mut machines: Vec<String> =
        target.client().instances().await?.into_iter().map(|instance| instance.name).collect();
    machines.sort();
    let seconds = if quick { 5 } else { 20 };
    let mut all = Vec::new();
    let pause = Duration::from_millis(if target.lxd().is_some() { 500 } else { 100 });
    let own = measure_one(&portal, target, &students, each, false, &machines, pause, seconds).await?;
    all.push(Measured { name: format!("each its owner's, {name}"), ..own });
    let admins = people::log_in(&portal, (1..=admins).map(admin).collect()).await?;
    let pause = Duration::from_millis(500);
    let everybody = measure_one(&portal, target, &admins, EACH, true, &machines, pause, seconds).await?;
    all.push(Measured { name: format!("all at {SEE_ALL} websockets, {name}"), ..everybody });
    Ok(all)
}

fn admin(number: usize) -> String {
    format!("chefe{number:03}")
}

fn school(students: usize, admins: usize) -> Directory {
    let mut school = Directory::school().with_people(students);
    for uid in (1..=admins).map(admin) {
        for group in school.groups.iter_mut().filter(|group| group.cn == "administradores") {
            group.members.push(uid.clone());
        }
        school.people.push(Somebody { uid, given_name: "Chefe".to_owned(), surname: "Geral".to_owned() });
    }
    school
}

#[expect(clippy::too_many_arguments, reason = "called twice, and every one is another number")]
async fn measure_one(
    portal: &Portal,
    target: &Target,
    people: &[Person],
    each: usize,
    all: bool,
    machines: &[String],
    pause: Duration,
    seconds: u64,
) -> Result<Measured> {
    let sockets = Socket::open(portal.address(), people, each, all).await.with_context(|| portal.log())?;
    let count = sockets.len();
    let (listener, changes) = listen(target).await?;
    let before = process::used(portal.pid())?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut orders = machines.iter().flat_map(|machine| [(machine, false), (machine, true)]).cycle();
    let mut tick = tokio::time::interval(pause);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut left_on = true;
    // What was turned off is turned on again: who comes next finds every machine running.
    while Instant::now() < end || !left_on {
        tick.tick().await;
        let (machine, on) = orders.next().context("there is no machine")?;
        target.turn(machine, on).await?;
        left_on = on;
    }
    let processor = process::used(portal.pid())?.percent_since(before);
    // What was sent last reaches those who listen: as long as an event is allowed to take, ten times over.
    tokio::time::sleep(Duration::from_secs(1)).await;
    listener.abort();
    let changes = changes.lock().unwrap_or_else(PoisonError::into_inner).clone();
    ensure!(!changes.is_empty(), "LXD told of no change");
    let (mut times, mut missed) = (Vec::new(), 0);
    for socket in sockets {
        let owner = socket.owner.clone();
        let seen = socket.close().await?;
        let concerned = changes.iter().filter(|change| all || change.instance.contains(&owner));
        for change in concerned {
            match told(&seen, change) {
                Some(took) => times.push(took),
                None => missed += 1,
            }
        }
    }
    let frames = Sample::new(times);
    ui::say(format!(
        "    {count} websockets, {} changes, {} frames: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms, {missed} missed, {processor:.0} % CPU",
        changes.len(),
        frames.len(),
        frames.median(),
        frames.p99(),
        frames.max()
    ));
    Ok(Measured { name: String::new(), changes: changes.len(), frames, missed, processor })
}

/// How long after LXD's event this socket was told of it.
fn told(seen: &[Seen], change: &Change) -> Option<Duration> {
    seen.iter()
        .filter(|seen| seen.instance == change.instance && seen.status == change.status)
        .filter(|seen| seen.at + SLACK >= change.at && seen.at <= change.at + PATIENCE)
        .map(|seen| seen.at.saturating_duration_since(change.at))
        .min()
}

/// Notes LXD's own events.
async fn listen(target: &Target) -> Result<(JoinHandle<()>, Arc<Mutex<Vec<Change>>>)> {
    let mut events = target.client().events(&[EventType::Lifecycle]).await?;
    let changes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&changes);
    let task = tokio::spawn(async move {
        while let Some(Ok(event)) = events.next().await {
            let at = Instant::now();
            let Ok(EventPayload::Lifecycle(lifecycle)) = event.payload() else { continue };
            let status = match lifecycle.action.as_str() {
                "instance-started" => "running",
                "instance-stopped" => "stopped",
                _ => continue,
            };
            if let Some(instance) = lifecycle.instance() {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(Change { instance, status, at });
            }
        }
    });
    Ok((task, changes))
}

fn write(facts: &Facts, all: &[Measured]) -> Result<()> {
    let heads = ["events", "changes", "frames", "p50 ms", "p99 ms", "max ms", "missed", "CPU %"];
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|m| {
            vec![
                m.name.clone(),
                m.changes.to_string(),
                m.frames.len().to_string(),
                format!("{:.1}", m.frames.median()),
                format!("{:.1}", m.frames.p99()),
                format!("{:.1}", m.frames.max()),
                m.missed.to_string(),
                format!("{:.0}", m.processor),
            ]
        })
        .collect();
    let plain: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| cell.replace(',', "")).collect()).collect();
    report::csv("latency", &heads, &plain)?;
    let curves: Vec<Line> =
        all.iter().map(|m| Line { name: m.name.clone(), points: m.frames.curve() }).collect();
    let frame = Frame {
        file: "latency",
        title: "From LXD's event to the frame at the websocket",
        x: "share of all frames, %",
        y: "ms",
        dots: false,
        legend_below: false,
    };
    chart::lines(frame, &curves)?;
    let verdicts: Vec<Verdict> = all
        .iter()
        .map(|m| {
            let kept = m.frames.p99() <= 100.0 && m.missed == 0;
            let measured = format!("{:.1} ms, {} missed", m.frames.p99(), m.missed);
            Verdict::new(format!("p99, {}", m.name), "≤ 100 ms, none missed", measured, kept)
        })
        .collect();
    let body = format!(
        "{}\n{}\n![From LXD's event to the frame](latency.svg)\n",
        report::verdicts(&verdicts),
        report::table(&heads, &rows)
    );
    report::section("latency", facts, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fitting_frame_after_the_event_counts() {
        let at = Instant::now() + Duration::from_secs(60);
        let change = Change { instance: "a".into(), status: "running", at };
        let seen = |instance: &str, status: &str, ms: u64| Seen {
            instance: instance.into(),
            status: status.into(),
            at: at + Duration::from_millis(ms),
        };
        let frames = [
            seen("b", "running", 1),
            seen("a", "stopped", 2),
            seen("a", "running", 7),
            seen("a", "running", 900),
        ];
        assert_eq!(told(&frames, &change), Some(Duration::from_millis(7)));
        assert_eq!(told(&frames[..2], &change), None);
        let early = [Seen { at: at - Duration::from_millis(1), ..seen("a", "running", 0) }];
        assert_eq!(told(&early, &change), Some(Duration::ZERO));
    }
}
