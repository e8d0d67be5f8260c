//! The portal's two ways: one request after another, each waited for; and all requests handed over at once, by the
//! students of a class.

use std::time::Instant;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use vms_types::Operation;
use xtask::directory::Directory;

use super::{EACH, Series, Way, Work, at_rest, settle};
use crate::people::{self, Person, student};
use crate::portal::{Portal, PortalOptions};
use crate::target::Target;

/// A machine to be made, or made.
#[derive(Debug, Clone)]
struct Machine {
    owner: Person,
    name: String,
    /// LXD's name, once it is made.
    instance: String,
}

impl Machine {
    /// Orders the work and waits for its end.
    async fn take(&mut self, work: Work) -> Result<()> {
        let operation =
            self.order(work).await.with_context(|| format!("{}, {}", self.owner.name, work.name()))?;
        let done = self.owner.finish(operation).await?;
        if work == Work::Create {
            self.instance = done.machine.context("an operation without a machine")?.instance;
        }
        Ok(())
    }

    async fn order(&self, work: Work) -> Result<Operation> {
        let (api, instance) = (&self.owner.api, self.instance.as_str());
        Ok(match work {
            Work::Create => self.owner.order(&self.name).await?,
            Work::Snapshot => api.create_snapshot(instance, "antes").await?,
            Work::Restore => api.restore_snapshot(instance, "antes").await?,
            Work::Remove => api.delete_machine(instance).await?,
        })
    }
}

/// Each request waits until the one before it is done.
///
/// # Errors
/// When an operation fails.
pub async fn one_after_another(target: &Target, count: usize) -> Result<Way> {
    let (portal, mut machines) = school(target, count).await?;
    let mut way = Way::default();
    for (work, series) in Work::ALL.into_iter().zip(&mut way) {
        let since = Instant::now();
        for machine in &mut machines {
            machine.take(work).await.with_context(|| portal.log())?;
            series.push(since.elapsed().as_secs_f64());
        }
        rest(target, work).await?;
    }
    Ok(way)
}

/// All requests are sent without waiting for any.
///
/// # Errors
/// When an operation fails.
pub async fn all_at_once(target: &Target, count: usize) -> Result<Way> {
    let (portal, mut machines) = school(target, count).await?;
    let mut way = Way::default();
    for (work, series) in Work::ALL.into_iter().zip(&mut way) {
        *series = at_once(&mut machines, work).await.with_context(|| portal.log())?;
        rest(target, work).await?;
    }
    Ok(way)
}

async fn at_once(machines: &mut [Machine], work: Work) -> Result<Series> {
    let since = Instant::now();
    let mut open: FuturesUnordered<_> = machines.iter_mut().map(|machine| machine.take(work)).collect();
    let mut series = Series::new();
    while let Some(done) = open.next().await {
        done?;
        series.push(since.elapsed().as_secs_f64());
    }
    Ok(series)
}

async fn rest(target: &Target, work: Work) -> Result<()> {
    if work == Work::Create { at_rest(target).await } else { Ok(()) }
}

/// A portal of its own, so that nothing is left from the way before; the script runs without any.
async fn school(target: &Target, count: usize) -> Result<(Portal, Vec<Machine>)> {
    let students = count.div_ceil(EACH);
    let portal = Portal::open(PortalOptions {
        // Not by way of the counter: it would cost time.
        endpoint: target.lxd().context("this needs real LXD")?.endpoint(),
        defaults: target.defaults(),
        people: Directory::school().with_people(students),
        pages: None,
    })
    .await?;
    let people = people::log_in(&portal, (1..=students).map(student).collect()).await?;
    let machines = (0..count)
        .zip(people.iter().cycle())
        .map(|(number, owner)| Machine {
            owner: owner.clone(),
            name: format!("maquina{:02}", number.div_euclid(students.max(1)) + 1),
            instance: String::new(),
        })
        .collect();
    settle()?;
    Ok((portal, machines))
}
