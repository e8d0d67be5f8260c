//! `bench poll`: many students look at their machines every three seconds, while something happens now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use xtask::directory::Directory;
use xtask::ui;

use crate::chart::{self, Frame, Line};
use crate::facts::Facts;
use crate::load::{self, Tally, Viewer};
use crate::people::{self, Person};
use crate::portal::{Portal, PortalOptions};
use crate::process::{self, Memory};
use crate::report::{self, Verdict};
use crate::stats::{Sample, median, number};
use crate::target::Target;

/// Everybody.
const STUDENTS: usize = 2000;
/// How many of them look, from one phase to the next.
const PHASES: [usize; 3] = [1, 100, STUDENTS];
/// How often each looks.
const PERIOD: Duration = Duration::from_secs(3);
/// How often something happens on LXD that the portal did not order.
const CHANGE: Duration = Duration::from_secs(2);
/// Connections that ask without a pause, for the most requests a second.
const CONNECTIONS: usize = 32;
/// How often a list is read, for the median.
const READS: usize = 20;

/// What the figures of one LXD are.
struct Measured {
    name: &'static str,
    phases: Vec<Phase>,
    /// Requests a second at saturation: conditional, and each answered with the whole list.
    most: [Rate; 2],
    memory: Memory,
    /// The list of one student of the portal, and all of LXD's own, in ms.
    list: (f64, Option<f64>),
}

struct Phase {
    students: usize,
    tally: Tally,
    sample: Sample,
    processor: f64,
    lxd_per_minute: f64,
    memory: Memory,
}

struct Rate {
    per_second: f64,
    sample: Sample,
    errors: usize,
}

/// Measures on the simulated LXD with 1,000 machines and on a real one with 200 (`quick`: 20), and writes the report.
///
/// # Errors
/// When something cannot be started, or a result not be written.
pub async fn run(facts: &Facts, quick: bool, only_simulated: bool) -> Result<()> {
    let mut all = vec![];
    let step = ui::Step::begin("poll: simulated LXD, 1000 machines", "5 min; quick: 2 min");
    all.push(measure("simulated LXD", &Target::simulated().await?, (1000, 1), quick).await?);
    step.done();
    if !only_simulated {
        let owners = if quick { 2 } else { 20 };
        let step =
            ui::Step::begin(format!("poll: real LXD, {} machines", owners * 10), "7 min; quick: 2 min");
        let target = Target::real().await?;
        let measured = measure("real LXD", &target, (owners, 10), quick).await;
        target.clear().await?;
        all.push(measured?);
        step.done();
    }
    write(facts, &all)
}

/// `owners` have `each` machines, the other students none.
async fn measure(
    name: &'static str,
    target: &Target,
    (owners, each): (usize, usize),
    quick: bool,
) -> Result<Measured> {
    let portal = Portal::open(PortalOptions {
        endpoint: target.endpoint(),
        defaults: target.defaults(),
        people: Directory::school().with_people(STUDENTS),
        pages: None,
    })
    .await?;
    let step = ui::Step::begin(format!("making {} machines", owners * each), "");
    let rich = people::log_in(&portal, (1..=owners).map(people::student).collect()).await?;
    people::furnish(&rich, each).await.with_context(|| portal.log())?;
    step.done();
    let changed = target.client().instances().await?.first().context("there is no machine")?.name.clone();
    // Again, so that all tokens are young.
    let people = people::log_in(&portal, (1..=STUDENTS).map(people::student).collect()).await?;

    let length = Duration::from_secs(if quick { 15 } else { 60 });
    let mut phases = Vec::new();
    for students in PHASES {
        let phase =
            phase(&portal, target, people.get(..students).unwrap_or(&people), length, &changed).await?;
        ui::say(format!(
            "    {students} students: p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms, {} answers, {} errors, {:.0} % CPU, {:.0} MiB, {:.1} LXD requests a minute",
            phase.sample.median(),
            phase.sample.p99(),
            phase.sample.max(),
            phase.sample.len(),
            phase.tally.errors,
            phase.processor,
            phase.memory.now,
            phase.lxd_per_minute
        ));
        phases.push(phase);
    }
    let list = lists(&portal, target, rich.first().context("nobody has machines")?).await?;
    let length = Duration::from_secs(if quick { 4 } else { 10 });
    let busy = people.get(..owners).unwrap_or(&people);
    let most =
        [saturated(&portal, busy, true, length).await?, saturated(&portal, busy, false, length).await?];
    Ok(Measured { name, phases, most, memory: process::memory(portal.pid())?, list })
}

async fn phase(
    portal: &Portal,
    target: &Target,
    people: &[Person],
    length: Duration,
    changed: &str,
) -> Result<Phase> {
    let viewers =
        people.iter().map(|person| Viewer::new(portal.address(), person)).collect::<Result<Vec<_>>>()?;
    let pid = portal.pid();
    let begin = Arc::new(Mutex::new(None));
    let mark = Arc::clone(&begin);
    let load = load::steady(viewers, PERIOD, length, move || {
        *mark.lock().unwrap_or_else(PoisonError::into_inner) = process::used(pid).ok();
    });
    tokio::pin!(load);
    let since = Instant::now();
    let mut asked = None;
    let mut on = true;
    let mut tick = tokio::time::interval(CHANGE);
    let (_, tally) = loop {
        tokio::select! {
            done = &mut load => break done?,
            _ = tick.tick() => {
                on = !on;
                target.turn(changed, on).await?;
                // Counted from a change on, so that every phase has whole changes only.
                if since.elapsed() >= PERIOD {
                    asked.get_or_insert_with(|| (Instant::now(), target.requests()));
                }
            }
        }
    };
    let (from, before) = asked.context("the phase was too short")?;
    let minutes = from.elapsed().as_secs_f64() / 60.0;
    let lxd_per_minute = number(target.requests().saturating_sub(before)) / minutes;
    let processor = {
        let earlier = begin.lock().unwrap_or_else(PoisonError::into_inner).context("nothing was counted")?;
        process::used(pid)?.percent_since(earlier)
    };
    if !on {
        target.turn(changed, true).await?;
    }
    let sample = tally.sample();
    Ok(Phase {
        students: people.len(),
        tally,
        sample,
        processor,
        lxd_per_minute,
        memory: process::memory(pid)?,
    })
}

async fn saturated(portal: &Portal, people: &[Person], conditional: bool, length: Duration) -> Result<Rate> {
    let viewers = people
        .iter()
        .cycle()
        .take(CONNECTIONS)
        .map(|person| Viewer::new(portal.address(), person))
        .collect::<Result<Vec<_>>>()?;
    let since = Instant::now();
    let (_, tally) = load::saturate(viewers, conditional, length).await?;
    let sample = tally.sample();
    let rate = Rate {
        per_second: number(sample.len()) / since.elapsed().as_secs_f64(),
        sample,
        errors: tally.errors,
    };
    ui::say(format!(
        "    saturated, conditional {conditional}: {:.0} requests a second, p99 {:.1} ms",
        rate.per_second,
        rate.sample.p99()
    ));
    Ok(rate)
}

/// One student's list from the portal against LXD's `/1.0/instances?recursion=2`, which shows the same facts.
async fn lists(portal: &Portal, target: &Target, person: &Person) -> Result<(f64, Option<f64>)> {
    let mut viewer = Viewer::new(portal.address(), person)?;
    viewer.look(false).await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..READS {
        let since = Instant::now();
        viewer.look(false).await?;
        ours.push(since.elapsed().as_secs_f64() * 1000.0);
        if target.lxd().is_some() {
            let since = Instant::now();
            target.client().instances_full().await?;
            theirs.push(since.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok((median(ours), (!theirs.is_empty()).then(|| median(theirs))))
}

fn write(facts: &Facts, all: &[Measured]) -> Result<()> {
    let mut rows = Vec::new();
    for measured in all {
        for phase in &measured.phases {
            rows.push(vec![
                measured.name.to_owned(),
                phase.students.to_string(),
                phase.sample.len().to_string(),
                format!("{:.2}", phase.sample.median()),
                format!("{:.2}", phase.sample.p99()),
                format!("{:.1}", phase.sample.max()),
                phase.tally.errors.to_string(),
                format!("{:.0}", 100.0 * number(phase.tally.unchanged) / number(phase.sample.len()).max(1.0)),
                format!("{:.1}", phase.processor),
                format!("{:.0}", phase.memory.now),
                format!("{:.1}", phase.lxd_per_minute),
            ]);
        }
    }
    let heads = [
        "LXD",
        "students",
        "answers",
        "p50 ms",
        "p99 ms",
        "max ms",
        "errors",
        "304 %",
        "CPU %",
        "memory MiB",
        "LXD requests/min",
    ];
    report::csv("poll", &heads, &rows)?;
    let saturation: Vec<Vec<String>> = all
        .iter()
        .flat_map(|m| {
            m.most.iter().zip(["304", "whole list"]).map(move |(rate, kind)| {
                vec![
                    format!("{}, {kind}", m.name),
                    format!("{:.0}", rate.per_second),
                    format!("{:.2}", rate.sample.median()),
                    format!("{:.2}", rate.sample.p99()),
                    rate.errors.to_string(),
                ]
            })
        })
        .collect();
    let saturation_heads = ["at saturation", "requests/s", "p50 ms", "p99 ms", "errors"];
    report::csv(
        "poll-saturation",
        &["LXD and answer", "requests/s", "p50 ms", "p99 ms", "errors"],
        &saturation
            .iter()
            .map(|row| row.iter().map(|cell| cell.replace(", ", " ")).collect())
            .collect::<Vec<_>>(),
    )?;
    charts(all)?;
    let verdicts: Vec<Verdict> = all.iter().flat_map(judge).collect();
    let errors: Vec<String> =
        all.iter().flat_map(|m| &m.phases).filter_map(|phase| phase.tally.first_error.clone()).collect();
    let body = format!(
        "{}\n{}\n{}\n{}\n![Answer times of 2,000 students](poll-latency.svg)\n\n![Requests to LXD](poll-lxd.svg)\n",
        report::verdicts(&verdicts),
        report::table(&heads, &rows),
        report::table(&saturation_heads, &saturation),
        errors.first().map_or_else(String::new, |error| format!("The first error: `{error}`\n")),
    );
    report::section("poll", facts, &body)
}

fn judge(measured: &Measured) -> Vec<Verdict> {
    let Some(most) = measured.phases.last() else { return Vec::new() };
    let asked = measured.phases.iter().map(|phase| phase.lxd_per_minute);
    let (low, high) = (asked.clone().fold(f64::MAX, f64::min), asked.fold(0.0, f64::max));
    let spread = (high - low) / ((high + low) / 2.0).max(0.001) / 2.0 * 100.0;
    let name = measured.name;
    let mut verdicts = vec![
        Verdict::new(
            format!("p99 of an answer, {STUDENTS} students, {name}"),
            "≤ 10 ms",
            format!("{:.1} ms", most.sample.p99()),
            most.sample.p99() <= 10.0 && most.tally.errors == 0,
        ),
        Verdict::new(
            format!("resident memory at most, {name}"),
            "≤ 100 MiB",
            format!("{:.0} MiB", measured.memory.peak),
            measured.memory.peak <= 100.0,
        ),
        Verdict::new(
            format!("LXD requests with 1 to {STUDENTS} students, {name}"),
            "the same, ± 10 %",
            format!("{low:.0} to {high:.0} a minute (± {spread:.0} %)"),
            spread <= 10.0,
        ),
    ];
    if let (ours, Some(theirs)) = measured.list {
        verdicts.push(Verdict::new(
            format!("one student's list against `/1.0/instances?recursion=2`, {name}"),
            "≥ 100 × faster",
            format!("{ours:.2} ms against {theirs:.0} ms: {:.0} ×", theirs / ours.max(0.001)),
            theirs / ours.max(0.001) >= 100.0,
        ));
    }
    verdicts
}

fn charts(all: &[Measured]) -> Result<()> {
    let curves: Vec<Line> = all
        .iter()
        .filter_map(|m| {
            m.phases.last().map(|phase| Line { name: m.name.to_owned(), points: phase.sample.curve() })
        })
        .collect();
    let frame = Frame {
        file: "poll-latency",
        title: "2,000 students look every 3 s: time to the whole answer",
        x: "share of all answers, %",
        y: "ms",
        dots: false,
        legend_below: false,
    };
    chart::lines(frame, &curves)?;
    let asked: Vec<Line> = all
        .iter()
        .map(|m| Line {
            name: m.name.to_owned(),
            points: m.phases.iter().map(|phase| (number(phase.students), phase.lxd_per_minute)).collect(),
        })
        .collect();
    let frame = Frame {
        file: "poll-lxd",
        title: "What LXD is asked while more and more students look",
        x: "students who look every 3 s",
        y: "requests to LXD a minute",
        dots: true,
        legend_below: true,
    };
    chart::lines(frame, &asked)
}
