//! `bench screens`: a school of 500 people with 1,000 machines, in the simulator, looked at in Chromium. How long each
//! screen takes from the answer that it shows to where it can be used, and how many rows it draws of how many there are.

use anyhow::{Context as _, Result};
use xtask::directory::Directory;
use xtask::lab::Chromedriver;
use xtask::{build, ui};

use crate::facts::Facts;
use crate::people;
use crate::portal::{Portal, PortalOptions};
use crate::report::{self, Verdict};
use crate::stats::median;
use crate::target::Target;
use crate::visit::{Tab, Visit};

/// People, and machines of each.
const SCHOOL: (usize, usize) = (500, 2);
/// Instances on the server that belong to nobody.
const STRAY: usize = 300;
/// Looks at each screen.
const LOOKS: usize = 5;
/// Longest from the answer to usable, in ms.
const EXPECTED: f64 = 200.0;
/// Most rows that a screen may draw without being asked for more.
const AT_ONCE: u64 = 100;

/// What is looked at: a page and, perhaps, something done on it.
struct Screen {
    name: &'static str,
    path: &'static str,
    /// The address of the answer that it shows.
    data: &'static str,
    /// What its rows are found by.
    row: &'static str,
    /// How many things there are behind it.
    of: &'static str,
    /// What is done once the rows are there, how often, and what is there in the end.
    act: Option<(&'static str, usize, &'static str)>,
}

const fn page(
    name: &'static str,
    (path, data): (&'static str, &'static str),
    row: &'static str,
    of: &'static str,
) -> Screen {
    Screen { name, path, data, row, of, act: None }
}

/// The next part of the list.
const MORE: &str = "document.querySelector('[data-testid=table-more]').click()";
/// What one types into the search.
const SEARCH: &str = "const field = document.querySelector('[data-testid=machines-q]'); field.value = 'aluno0321'; \
                      field.dispatchEvent(new Event('input', { bubbles: true }))";
/// Who holds the addresses of the first network.
const LEASES: &str = "document.querySelector('[data-testid=show-leases]').click()";

const MACHINE: &str = "tr[data-testid=machine-row]";

const SCREENS: [Screen; 13] = [
    page("overview", ("/admin/", "/overview"), "[data-testid=busiest]", "–"),
    page("machines of all", ("/admin/machines", "/machines?owner="), MACHINE, "1000"),
    Screen {
        act: Some((MORE, 19, "tr[data-testid=machine-row]:nth-child(PLACE)")),
        ..page("machines of all, up to 500 of them", ("/admin/machines", "/machines?owner="), MACHINE, "1000")
    },
    Screen {
        act: Some((SEARCH, 1, "tr[data-testid=machine-row]:first-child[data-instance*=aluno0321]")),
        ..page(
            "machines of all, one person searched for",
            ("/admin/machines", "/machines?owner="),
            MACHINE,
            "1000",
        )
    },
    page("users", ("/admin/users", "/users"), "[data-testid=user-row]", "501"),
    Screen {
        act: Some((MORE, 3, "[data-testid=user-row]:nth-child(PLACE)")),
        ..page("users, 200 of them", ("/admin/users", "/users"), "[data-testid=user-row]", "501")
    },
    page("audit", ("/admin/audit", "/audit"), "[data-testid=audit-row]", "> 1500"),
    page("differences", ("/admin/differences", "/differences"), "[data-testid=difference]", "300"),
    page("profiles", ("/admin/profiles", "/profiles"), "[data-testid=profile-row]", "–"),
    page("images", ("/admin/images", "/images/all"), "[data-testid=image-row]", "–"),
    page("quotas", ("/admin/quotas", "/quotas"), "[data-testid=quota-row]", "–"),
    page("networks", ("/admin/networks", "/networks"), "[data-testid=network-row]", "–"),
    Screen {
        act: Some((LEASES, 1, "[data-testid=lease-row]")),
        data: "/leases",
        ..page(
            "networks, who holds an address",
            ("/admin/networks", "/networks"),
            "[data-testid=network-row]",
            "> 1000",
        )
    },
];

/// What was seen of a screen.
struct Seen {
    screen: &'static Screen,
    visits: Vec<Visit>,
    rows: u64,
}

/// Fills a school, looks at every screen of an administrator, and writes the report.
///
/// # Errors
/// When something does not build or start, or a screen is not there within half a minute.
pub async fn run(facts: &Facts, quick: bool) -> Result<()> {
    let pages = build::pages()?;
    let target = Target::simulated().await?;
    let portal = Portal::open(PortalOptions {
        endpoint: target.endpoint(),
        defaults: target.defaults(),
        people: Directory::school().with_people(SCHOOL.0),
        pages: Some(pages),
    })
    .await?;
    let step = ui::Step::begin("a school of 500 people with 1000 machines", "1 min");
    let people = people::log_in(&portal, (1..=SCHOOL.0).map(people::student).collect()).await?;
    people::furnish(&people, SCHOOL.1).await.with_context(|| portal.log())?;
    target.litter(STRAY)?;
    step.done();
    let step = ui::Step::begin("looking at every screen", "2 min");
    let chromedriver = Chromedriver::start()?;
    let mut seen = Vec::new();
    for screen in &SCREENS {
        let found = look(&chromedriver, &portal.url(), screen, if quick { 2 } else { LOOKS }).await;
        seen.push(found.with_context(|| format!("the screen \"{}\"", screen.name))?);
    }
    step.done();
    write(facts, &seen)
}

async fn look(chromedriver: &Chromedriver, url: &str, screen: &'static Screen, times: usize) -> Result<Seen> {
    let mut seen = Seen { screen, visits: Vec::new(), rows: 0 };
    for _ in 0..times {
        let tab = Tab::open(chromedriver, url, Some("admin"), None).await?;
        let found = once(&tab, screen).await;
        tab.close().await?;
        let (visit, rows) = found?;
        seen.visits.push(visit);
        seen.rows = rows;
    }
    Ok(seen)
}

async fn once(tab: &Tab, screen: &Screen) -> Result<(Visit, u64)> {
    let mut visit = tab.go(screen.path, screen.row).await?;
    let mut rows = screen.row;
    if let Some((script, times, there)) = screen.act {
        for _ in 0..times {
            // One more than there are now.
            let place = tab.count(screen.row).await? + 1;
            visit = tab.act(script, &there.replace("PLACE", &place.to_string())).await?;
        }
        rows = if there.contains("PLACE") || there.starts_with(screen.row) { screen.row } else { there };
    }
    Ok((visit, tab.count(rows).await?))
}

fn write(facts: &Facts, seen: &[Seen]) -> Result<()> {
    let heads = ["screen", "things", "rows drawn", "elements", "answer to usable ms", "slowest ms"];
    let mut rows = Vec::new();
    let mut slowest = (0.0, "");
    let mut most = (0, "");
    for Seen { screen, visits, rows: drawn } in seen {
        let times: Vec<f64> = visits
            .iter()
            .map(|visit| Ok(visit.usable - visit.answered(screen.data)?))
            .collect::<Result<_>>()?;
        let (middle, worst) = (median(times.iter().copied()), times.iter().copied().fold(0.0, f64::max));
        let nodes = median(visits.iter().map(|visit| f64::from(visit.nodes)));
        if middle > slowest.0 {
            slowest = (middle, screen.name);
        }
        if screen.act.is_none() && *drawn > most.0 {
            most = (*drawn, screen.name);
        }
        rows.push(vec![
            screen.name.replace(", ", ": "),
            screen.of.to_owned(),
            drawn.to_string(),
            format!("{nodes:.0}"),
            format!("{middle:.0}"),
            format!("{worst:.0}"),
        ]);
    }
    report::csv("screens", &heads, &rows)?;
    ui::say(report::table(&heads, &rows));
    let fast = Verdict::new(
        "slowest screen from the answer to usable (median)",
        format!("< {EXPECTED:.0} ms"),
        format!("{:.0} ms ({})", slowest.0, slowest.1),
        slowest.0 < EXPECTED,
    );
    let few = Verdict::new(
        "most rows drawn at first",
        format!("≤ {AT_ONCE}"),
        format!("{} ({})", most.0, most.1),
        most.0 <= AT_ONCE,
    );
    report::section(
        "screens",
        facts,
        &format!("{}\n{}", report::verdicts(&[fast, few]), report::table(&heads, &rows)),
    )
}
