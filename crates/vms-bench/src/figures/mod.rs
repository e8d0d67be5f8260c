//! `bench figures`: the four measurements of the thesis on real LXD: time against the number of machines created,
//! snapshots taken, snapshots restored, machines removed with their snapshots.
//!
//! Three ways of doing each: a sequential script of `lxc` commands (the thesis' own), the portal with one request after
//! another, and the portal with all requests handed over at once by several students. And what LXD's own benchmark needs
//! for creating as many.

mod portal;
mod script;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use xtask::lab::Lxd;
use xtask::ui;

use crate::chart::{self, Frame, Line};
use crate::facts::Facts;
use crate::report::{self, Verdict};
use crate::stats::{median, number};
use crate::target::Target;

/// How many of each, at most; `--quick`: [`QUICK`].
const COUNT: usize = 40;
const QUICK: usize = 10;
/// Machines of each student.
const EACH: usize = 5;
/// How often everything is done.
const ROUNDS: usize = 3;
/// No further round is begun after that time.
const BUDGET: Duration = Duration::from_secs(480);
/// The counts that are shown.
const SHOWN: [usize; 6] = [1, 5, 10, 20, 30, 40];
/// How many machines LXD's own benchmark launches at once; its best counts.
const PARALLEL: [usize; 3] = [2, 4, 8];

/// What is measured, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Create,
    Snapshot,
    Restore,
    Remove,
}

impl Work {
    const ALL: [Self; 4] = [Self::Create, Self::Snapshot, Self::Restore, Self::Remove];

    const fn name(self) -> &'static str {
        match self {
            Self::Create => "machines created",
            Self::Snapshot => "snapshots created",
            Self::Restore => "snapshots restored",
            Self::Remove => "machines removed",
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Create => "figures-create",
            Self::Snapshot => "figures-snapshot",
            Self::Restore => "figures-restore",
            Self::Remove => "figures-remove",
        }
    }
}

/// The ways of doing it, in the order of the columns.
const WAYS: [&str; 3] = ["lxc script", "VMS, one after another", "VMS, all at once"];

/// When the first, second … was done: seconds since the beginning.
type Series = Vec<f64>;
/// One way, all four works.
type Way = [Series; 4];

struct Round {
    ways: [Way; 3],
    /// LXD's own benchmark, creating: seconds in all, for each of [`PARALLEL`].
    own: Vec<f64>,
}

/// Measures, and writes the report.
///
/// # Errors
/// When something fails, or a result cannot be written.
pub async fn run(facts: &Facts, quick: bool) -> Result<()> {
    let (count, most) = if quick { (QUICK, 1) } else { (COUNT, ROUNDS) };
    let since = Instant::now();
    let mut rounds = Vec::new();
    let target = Target::real().await?;
    let lxd = target.lxd().context("this needs real LXD")?;
    while rounds.len() < most && since.elapsed() < BUDGET {
        let step =
            ui::Step::begin(format!("round {} of {count} machines", rounds.len() + 1), "4 min; quick: 1 min");
        let round = Round {
            ways: [
                script::run(&target, lxd, count).await?,
                portal::one_after_another(&target, count).await?,
                portal::all_at_once(&target, count).await?,
            ],
            own: PARALLEL.iter().map(|parallel| own(lxd, count, *parallel)).collect::<Result<_>>()?,
        };
        step.done();
        say(&round);
        rounds.push(round);
    }
    write(facts, count, &rounds)
}

/// Seconds that `lxd-benchmark launch` takes.
fn own(lxd: &Lxd, count: usize, parallel: usize) -> Result<f64> {
    let parallel = parallel.to_string();
    settle()?;
    let since = Instant::now();
    script::benchmark(
        lxd,
        &["launch", "--count", &count.to_string(), "--parallel", &parallel, lxd.image_alias()],
    )?;
    let took = since.elapsed().as_secs_f64();
    script::benchmark(lxd, &["delete", "--parallel", "8"])?;
    Ok(took)
}

/// Waits until the disk has taken what the way before left to be written: each way begins alike.
fn settle() -> Result<()> {
    xtask::proc::output(&mut std::process::Command::new("sync")).map(drop)
}

/// Waits until each of the machines has its address: what comes next finds them at rest.
async fn at_rest(target: &Target) -> Result<()> {
    let network = target.lxd().context("this needs real LXD")?.bridge().to_owned();
    let names = target.client().instance_names().await?;
    for _ in 0..300 {
        let leases = target.client().leases(&network).await?;
        if names
            .iter()
            .all(|name| leases.iter().any(|lease| lease.hostname == *name && lease.kind == "dynamic"))
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("not all of {} machines have an address after a minute", names.len())
}

fn last(series: &Series) -> f64 {
    series.last().copied().unwrap_or(f64::NAN)
}

fn say(round: &Round) {
    for (index, work) in Work::ALL.into_iter().enumerate() {
        let took: Vec<String> = WAYS
            .iter()
            .zip(&round.ways)
            .map(|(name, way)| format!("{name} {:.1} s", way.get(index).map_or(f64::NAN, last)))
            .collect();
        ui::say(format!("    {}: {}", work.name(), took.join(", ")));
    }
    ui::say(format!("    lxd-benchmark at {PARALLEL:?}: {:.1?} s", round.own));
}

/// The median over the rounds of something of a round.
fn middle(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    median(rounds.iter().map(of))
}

fn at(round: &Round, way: usize, work: usize, count: usize) -> f64 {
    let series = round.ways.get(way).and_then(|way| way.get(work));
    series.and_then(|series| series.get(count.saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn best(round: &Round) -> f64 {
    round.own.iter().copied().fold(f64::MAX, f64::min)
}

fn write(facts: &Facts, count: usize, rounds: &[Round]) -> Result<()> {
    let shown: Vec<usize> = SHOWN.into_iter().filter(|n| *n <= count).collect();
    let mut values = Vec::new();
    let mut body = String::new();
    for (work, what) in Work::ALL.into_iter().enumerate() {
        let mut lines = Vec::new();
        for (way, name) in WAYS.into_iter().enumerate() {
            for n in &shown {
                let each: Vec<String> =
                    rounds.iter().map(|r| format!("{:.3}", at(r, way, work, *n))).collect();
                let seconds = middle(rounds, |r| at(r, way, work, *n));
                values.push(vec![
                    what.name().to_owned(),
                    name.replace(',', ""),
                    n.to_string(),
                    format!("{seconds:.3}"),
                    each.join(" "),
                ]);
            }
            let points =
                shown.iter().map(|n| (number(*n), middle(rounds, |r| at(r, way, work, *n)))).collect();
            lines.push(Line { name: name.to_owned(), points });
        }
        if what == Work::Create {
            let points = vec![(number(count), middle(rounds, best))];
            lines.push(Line { name: "lxd-benchmark launch, at its best".to_owned(), points });
        }
        let title = format!("Time against {}", what.name());
        let frame = Frame {
            file: what.file(),
            title: &title,
            x: what.name(),
            y: "seconds",
            dots: true,
            legend_below: false,
        };
        chart::lines(frame, &lines)?;
        body.push_str(&format!("![{title}]({}.svg)\n\n", what.file()));
    }
    report::csv("figures", &["what", "way", "count", "seconds (median)", "seconds of each round"], &values)?;

    let mut heads = vec!["seconds for all".to_owned()];
    heads.extend(WAYS.map(str::to_owned));
    heads.push("lxd-benchmark".to_owned());
    let rows: Vec<Vec<String>> = Work::ALL
        .into_iter()
        .enumerate()
        .map(|(work, what)| {
            let mut row = vec![format!("{count} {}", what.name())];
            row.extend(
                (0..WAYS.len()).map(|way| format!("{:.1}", middle(rounds, |r| at(r, way, work, count)))),
            );
            row.push(if what == Work::Create {
                format!("{:.1}", middle(rounds, best))
            } else {
                "–".to_owned()
            });
            row
        })
        .collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let text = format!(
        "{}\n{}\nMedians of {} rounds; ratios are taken within a round. Pool: `dir`.\n\n{body}",
        report::verdicts(&judge(count, rounds)),
        report::table(&heads, &rows),
        rounds.len(),
    );
    report::section("figures", facts, &text)
}

fn judge(count: usize, rounds: &[Round]) -> Vec<Verdict> {
    let ratio = |over: usize, under: usize, work: usize| {
        middle(rounds, |r| at(r, over, work, count) / at(r, under, work, count))
    };
    let mut verdicts: Vec<Verdict> = Work::ALL
        .into_iter()
        .enumerate()
        .map(|(work, what)| {
            let slower = ratio(1, 0, work);
            let name = format!("{}: VMS one after another against the script", what.name());
            Verdict::new(name, "≤ 1.10 × the time", format!("{slower:.2} ×"), slower <= 1.10)
        })
        .collect();
    for (work, least) in [(0, 1.5), (3, 3.0)] {
        let faster = ratio(0, 2, work);
        let what = Work::ALL.get(work).map_or("", |what| what.name());
        let name = format!("{what}: VMS all at once against the script");
        verdicts.push(Verdict::new(
            name,
            format!("≥ {least} × faster"),
            format!("{faster:.2} ×"),
            faster >= least,
        ));
    }
    let own = middle(rounds, |r| at(r, 2, 0, count) / best(r));
    let name = "machines created: VMS all at once against lxd-benchmark at its best";
    verdicts.push(Verdict::new(name, "≤ 1.00 × the time", format!("{own:.2} ×"), own <= 1.0));
    verdicts
}
