//! `bench spa`: what the first visit costs. Chromium with an empty profile opens the release server's pages; the bytes
//! and the moments are the browser's own (`performance`), so they are what a person's browser would see.

use anyhow::{Context as _, Result};
use xtask::lab::Chromedriver;
use xtask::{build, ui};

use crate::facts::Facts;
use crate::people;
use crate::portal::{Portal, PortalOptions};
use crate::report::{self, Verdict};
use crate::stats::{median, number};
use crate::target::Target;
use crate::visit::{File, Tab, Visit};
use xtask::directory::Directory;

/// Visits of each kind, each with an empty profile.
const VISITS: usize = 5;
/// Whose table is looked at, and how many machines are in it.
const STUDENT: (&str, usize) = ("bruno", 3);
/// The first row can be used: a button in it is enabled.
const TABLE: &str = "[data-testid=machine-row] button:not([disabled])";
/// The form can be used.
const FORM: &str = "[data-testid=login-username]:not([disabled])";

/// A line to the server, as the browser plays it.
#[derive(Debug, Clone, Copy)]
struct Network {
    name: &'static str,
    /// Bytes a second each way, and ms from request to answer.
    limits: Option<(u32, u32)>,
}

const NETWORKS: [Network; 2] = [
    Network { name: "loopback", limits: None },
    Network { name: "10 Mbit/s, 40 ms", limits: Some((1_250_000, 40)) },
];

/// Builds the pages and the server, visits them, and writes the report.
///
/// # Errors
/// When something does not build or start, or a page is not usable within half a minute.
pub async fn run(facts: &Facts, quick: bool) -> Result<()> {
    let pages = build::pages()?;
    let target = Target::simulated().await?;
    let portal = Portal::open(PortalOptions {
        endpoint: target.endpoint(),
        defaults: target.defaults(),
        people: Directory::school(),
        pages: Some(pages),
    })
    .await?;
    let step = ui::Step::begin("visiting the pages", "1 min");
    let owner = people::log_in(&portal, vec![STUDENT.0.to_owned()]).await?;
    people::furnish(&owner, STUDENT.1).await?;
    let chromedriver = Chromedriver::start()?;
    let mut results = Vec::new();
    for network in NETWORKS {
        for (page, selector) in [("login form", FORM), ("table", TABLE)] {
            let mut visits = Vec::new();
            for _ in 0..if quick { 3 } else { VISITS } {
                let who = (page == "table").then_some(STUDENT.0);
                let tab = Tab::open(&chromedriver, &portal.url(), who, network.limits).await?;
                let visited = tab.go("/", selector).await;
                tab.close().await?;
                visits.push(visited.with_context(|| format!("the {page} over {}", network.name))?);
            }
            results.push((network, page, visits));
        }
    }
    step.done();
    write(facts, &results)
}

/// The moments of a visit that tell what it waited for.
fn moments(visit: &Visit) -> [f64; 6] {
    let received =
        |kind: &str| visit.files.iter().filter(|f| f.kind() == kind).map(|f| f.end).fold(0.0, f64::max);
    let asked = visit.files.iter().filter(|f| f.kind() == "API answers" && f.start < visit.usable);
    let first = asked.clone().map(|f| f.start).fold(visit.usable, f64::min);
    let last = asked.map(|f| f.end).fold(first, f64::max);
    [visit.document, received("WebAssembly"), visit.painted, first, last, visit.usable]
}

fn write(facts: &Facts, results: &[(Network, &str, Vec<Visit>)]) -> Result<()> {
    let (_, _, visits) =
        results.iter().find(|(_, page, _)| *page == "table").context("nothing was visited")?;
    let visit = visits.first().context("nothing was visited")?;
    let before: Vec<&File> = visit.files.iter().filter(|file| file.start < visit.usable).collect();
    let mut sizes = Vec::new();
    for kind in ["WebAssembly", "JavaScript", "style sheets", "document", "pictures", "API answers"] {
        let of_kind = || before.iter().filter(|file| file.kind() == kind);
        let (wire, raw): (u32, u32) = (of_kind().map(|f| f.wire).sum(), of_kind().map(|f| f.raw).sum());
        sizes.push((kind, of_kind().count(), wire, raw));
    }
    let total: u32 = sizes.iter().map(|size| size.2).sum();
    let size_rows: Vec<Vec<String>> = sizes
        .iter()
        .map(|(kind, count, wire, raw)| {
            let share = 100.0 * f64::from(*wire) / f64::from(total.max(1));
            vec![
                (*kind).to_owned(),
                count.to_string(),
                wire.to_string(),
                raw.to_string(),
                format!("{share:.1}"),
            ]
        })
        .chain([vec![
            "all".to_owned(),
            before.len().to_string(),
            total.to_string(),
            sizes.iter().map(|size| size.3).sum::<u32>().to_string(),
            "100".to_owned(),
        ]])
        .collect();
    let size_heads = ["what", "requests", "bytes on the wire", "bytes unpacked", "share %"];
    report::csv("spa-bytes", &size_heads, &size_rows)?;

    let heads = [
        "visit",
        "document",
        "WebAssembly received",
        "first paint",
        "API first asked",
        "API answered",
        "usable",
    ];
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|(network, page, visits)| {
            let all: Vec<[f64; 6]> = visits.iter().map(moments).collect();
            let middle = (0..6).map(|index| median(all.iter().filter_map(|m| m.get(index).copied())));
            let name = format!("{page}; {}", network.name.replace(", ", " and "));
            std::iter::once(name).chain(middle.map(|ms| format!("{ms:.0}"))).collect()
        })
        .collect();
    report::csv("spa-moments", &heads, &rows)?;
    ui::say(format!(
        "    {}\n{}",
        size_rows.last().map_or_else(String::new, |r| r.join(" ")),
        report::table(&heads, &rows)
    ));
    let usable = rows.iter().map(|row| {
        format!("{} {} ms", row.first().map_or("", String::as_str), row.last().map_or("", String::as_str))
    });
    let pages: u32 = total.saturating_sub(sizes.last().map_or(0, |size| size.2));
    let verdict = Verdict::new(
        "bytes of the pages on the first visit (brotli)",
        "≤ 200 KB",
        format!("{:.0} KB", f64::from(pages) / 1000.0),
        pages <= 200_000,
    );
    ui::say(usable.collect::<Vec<_>>().join("\n"));
    let files: Vec<Vec<String>> = before
        .iter()
        .map(|f| {
            vec![
                format!("`{}`", plain(&f.path)),
                f.wire.to_string(),
                format!("{:.0}", f.start),
                format!("{:.0}", f.end),
            ]
        })
        .collect();
    let body = format!(
        "{}\n{}\nMoments in ms since the navigation began; medians of {} visits, each with an empty profile:\n\n{}\n\
         One of these visits to the table, request by request:\n\n{}",
        report::verdicts(&[verdict]),
        report::table(&size_heads, &size_rows),
        number(visits.len()),
        report::table(&heads, &rows),
        report::table(&["request", "bytes", "from ms", "to ms"], &files),
    );
    report::section("spa", facts, &body)
}

/// A file's name without the hash that changes with every build.
fn plain(path: &str) -> String {
    let hash = |part: &str| part.len() >= 12 && part.chars().all(|c| c.is_ascii_hexdigit());
    path.split('-')
        .map(|part| {
            let end = part.find(['.', '_']).unwrap_or(part.len());
            let (word, rest) = part.split_at(end);
            if hash(word) { format!("…{rest}") } else { part.to_owned() }
        })
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_without_their_hash() {
        assert_eq!(plain("/vms-frontend-eec5be68da24f9d3_bg.wasm"), "/vms-frontend-…_bg.wasm");
        assert_eq!(plain("/api/v1/auth/refresh"), "/api/v1/auth/refresh");
    }
}
