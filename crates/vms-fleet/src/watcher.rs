//! The task that keeps the mirror of one server right.
//!
//! Listen first, list afterwards: whatever the list does not show yet comes as an event. Then every lifecycle event is
//! followed by one small look at the one thing it names; events that came in the meantime share it, and what a job of
//! ours does to an instance is looked at once, by the job at its end. When the stream ends
//! (LXD restarted, a proxy dropped it, we were too slow) everything begins again, after a growing pause.
//!
//! A request that LXD *answers* with an error says nothing about the stream: one instance with a broken storage volume
//! must not make the mirror list all the others again and again, and show them as stale meanwhile. What could not be
//! read stays [due](Due) and is asked for again, ever more slowly. Only when LXD does not answer at all is it lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures::{FutureExt as _, StreamExt as _};
use lxd_api::{EventPayload, EventType, Instance, Lifecycle};
use lxd_client::{Error, EventStream};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::addresses::{self, Addresses};
use crate::server::{Look, Server};
use crate::view::InstanceView;
use crate::{catalog, metrics};

/// Everything is listed again this often, in case an event was lost without the stream ending.
const RESYNC: Duration = Duration::from_secs(300);
/// LXD accepts a stream a moment before it begins to send; what happened in between shows in one more listing after this
/// time.
const LISTENING: Duration = Duration::from_secs(1);
/// How often addresses are looked for while a machine lacks one.
const ADDRESS_FAST: Duration = Duration::from_millis(400);
/// Of the time, at most one part in so many goes to looking for addresses: LXD goes through all its instances for that,
/// and while many machines are made at once it has better things to do.
const ADDRESS_SHARE: u32 = 10;
/// How often once it has lacked one for [`ADDRESS_PATIENCE`]: such a machine may never get any.
const ADDRESS_SLOW: Duration = Duration::from_secs(10);
/// See [`ADDRESS_SLOW`].
const ADDRESS_PATIENCE: Duration = Duration::from_secs(60);
/// How often the leases of all running machines are compared with what is shown.
const ADDRESS_COMPARE: Duration = Duration::from_secs(60);
/// Most events that share one look.
const BATCH: usize = 256;
/// First and longest pause before what LXD refused to show is asked for again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Longest time that an event waits for the end of the work on its instance: what others do to it meanwhile shows within
/// a second all the same.
const HELD: Duration = Duration::from_millis(700);
/// First and longest pause before connecting again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Runs until it is dropped.
pub(crate) async fn watch(server: Arc<Server>) {
    let mut pause = BACKOFF.0;
    loop {
        let connected_at = Instant::now();
        if let Err(error) = follow(&server).await {
            let refused = error.is_untrusted();
            let lost = server.set_connected(false);
            let trouble = error.to_string();
            let news = {
                let mut seen = server.write();
                let news = seen.trouble.as_deref() != Some(trouble.as_str());
                seen.refused = refused;
                seen.trouble = Some(trouble);
                news
            };
            if lost || news {
                tracing::warn!(server = server.name(), %error, "LXD server lost; its machines are shown as last seen");
                server.announce(None);
            }
        }
        // A stream that stood for a while was healthy: begin with the short pause again.
        pause = if connected_at.elapsed() > BACKOFF.1 {
            BACKOFF.0
        } else {
            pause.saturating_mul(2).min(BACKOFF.1)
        };
        sleep(pause).await;
    }
}

/// Follows one event stream to its end, which is always an error.
async fn follow(server: &Server) -> Result<(), Error> {
    let mut events = server.client().events(&[EventType::Lifecycle]).await?;
    list(server).await?;
    server.write().trouble = None;
    server.write().refused = false;
    server.set_connected(true);
    server.announce(None);
    tracing::info!(server = server.name(), instances = server.read().instances.len(), "LXD server listed");
    let mut due = Due::default();
    let mut again = interval(AGAIN.0);
    let mut resync = interval(RESYNC);
    let mut compare = interval(ADDRESS_COMPARE);
    for timer in [&mut resync, &mut compare] {
        timer.reset();
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    resync.reset_after(LISTENING);
    let mut look = interval(ADDRESS_FAST);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut looked, mut rest) = (Instant::now(), ADDRESS_FAST);
    let mut addresses = Addresses::default();
    let mut patience: Option<Instant> = None;
    loop {
        tokio::select! {
            event = next(&mut events) => {
                due.note(server, event?);
                for _ in 0..BATCH {
                    match next(&mut events).now_or_never() {
                        Some(event) => due.note(server, event?),
                        None => break,
                    }
                }
                again.reset_after(due.read(server).await?);
            }
            // What was read, by whomever, lacks an address; in a burst of events LXD is asked no more often for that.
            () = server.lacking.notified() => {
                patience = None;
                look.reset_at((looked + rest).max(Instant::now()));
            }
            () = server.let_go.notified(), if !due.is_empty() => again.reset_after(due.read(server).await?),
            _ = again.tick(), if !due.is_empty() => again.reset_after(due.read(server).await?),
            _ = resync.tick() => {
                due.everything = true;
                again.reset_after(due.read(server).await?);
            }
            _ = compare.tick() => {
                answered(server, "the leases", addresses::compare(server).await)?;
            }
            _ = look.tick() => {
                looked = Instant::now();
                let since = *patience.get_or_insert_with(Instant::now);
                let over = since.elapsed() > ADDRESS_PATIENCE;
                let lacking = answered(server, "the addresses", addresses.look(server, over).await)?;
                rest = (looked.elapsed() * ADDRESS_SHARE).max(ADDRESS_FAST);
                look.reset_at(looked + rest);
                if lacking == Some(0) {
                    // Nothing to look for until an event says so.
                    patience = None;
                    look.reset_after(RESYNC);
                } else if over || lacking.is_none() {
                    look.reset_after(ADDRESS_SLOW);
                }
            }
        }
    }
}

async fn next(events: &mut EventStream) -> Result<Option<Lifecycle>, Error> {
    match events.next().await {
        Some(event) => match event?.payload() {
            Ok(EventPayload::Lifecycle(lifecycle)) => Ok(Some(lifecycle)),
            Ok(_) => Ok(None),
            Err(error) => {
                tracing::warn!(%error, "an LXD event could not be read; its change shows at the next listing");
                Ok(None)
            }
        },
        None => Err(Error::Unreachable {
            endpoint: String::from("events"),
            sent: false,
            source: "the event stream ended".into(),
        }),
    }
}

/// What an error of one request means for the stream: nothing, as long as LXD answers. `None` then, and a line in the log.
fn answered<T>(server: &Server, what: &str, answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_unreachable() || error.is_timeout() || error.is_untrusted() => Err(error),
        Err(error) => {
            tracing::warn!(server = server.name(), what, %error, "LXD did not show it; it will be asked again");
            Ok(None)
        }
    }
}

/// What changed and has not been read yet.
#[derive(Debug, Default)]
struct Due {
    /// When the last event that named it came.
    instances: BTreeMap<String, (Look, Instant)>,
    images: bool,
    profiles: bool,
    networks: bool,
    pools: bool,
    certificates: bool,
    everything: bool,
    /// Pause after the last attempt that left something; zero if it left nothing.
    pause: Duration,
}

impl Due {
    fn is_empty(&self) -> bool {
        self.instances.is_empty() && !self.is_any_list()
    }

    fn is_any_list(&self) -> bool {
        self.images || self.profiles || self.networks || self.pools || self.certificates || self.everything
    }

    /// Notes what an event names.
    fn note(&mut self, server: &Server, event: Option<Lifecycle>) {
        let Some(event) = event else { return };
        metrics::event(server.name(), &event.action);
        match event.action.split('-').next().unwrap_or_default() {
            "instance" | "container" => {
                // At once, so that nobody takes the two names for two instances.
                if let Some(old) = event.old_name().filter(|_| event.snapshot().is_none()) {
                    server.remove(server.look(), old);
                    // LXD sends each event from a thread of its own: one of a rename back may have come before.
                    self.instances.insert(old.to_owned(), (server.look(), Instant::now()));
                }
                let now = (server.look(), Instant::now());
                self.instances.extend(event.instance().map(|name| (name, now)));
            }
            "image" => self.images = true,
            "profile" => self.profiles = true,
            "network" => self.networks = true,
            "certificate" => self.certificates = true,
            // `storage-pool-created`; volumes are named so, too, and come and go with every machine.
            "storage" => self.pools |= event.action.starts_with("storage-pool-"),
            _ => {}
        }
    }

    /// Reads it. What LXD answers with an error stays; gives the pause before it should be read again.
    async fn read(&mut self, server: &Server) -> Result<Duration, Error> {
        if std::mem::take(&mut self.everything) {
            match answered(server, "everything", list(server).await)? {
                Some(changed) => changed.into_iter().for_each(|name| server.announce(Some(name))),
                None => self.everything = true,
            }
        }
        if std::mem::take(&mut self.images) {
            self.images = answered(server, "the images", server.refresh_images().await)?.is_none();
        }
        if std::mem::take(&mut self.profiles) {
            // What a profile allows shows in every instance that has it.
            let read = async {
                server.refresh_profiles().await?;
                list_instances(server).await
            };
            match answered(server, "the profiles", read.await)? {
                Some(changed) => changed.into_iter().for_each(|name| server.announce(Some(name))),
                None => self.profiles = true,
            }
        }
        if std::mem::take(&mut self.networks) {
            self.networks = answered(server, "the networks", server.refresh_networks().await)?.is_none();
        }
        if std::mem::take(&mut self.pools) {
            self.pools = answered(server, "the storage pools", list_pools(server).await)?.is_none();
        }
        if std::mem::take(&mut self.certificates) {
            list_certificates(server).await?;
        }
        let mut refused = self.is_any_list();
        for (name, since) in std::mem::take(&mut self.instances) {
            if server.told_since(&name, since.0) {
                continue;
            }
            if server.is_held(&name) && since.1.elapsed() < HELD {
                self.instances.insert(name, since);
            } else if answered(server, &name, server.refresh(&name).await)?.is_none() {
                self.instances.insert(name, since);
                refused = true;
            }
        }
        self.pause = match (self.is_empty(), refused) {
            (true, _) => Duration::ZERO,
            (false, true) => (self.pause * 2).clamp(AGAIN.0, AGAIN.1),
            (false, false) => HELD,
        };
        Ok(self.pause)
    }
}

/// Lists everything and replaces what was seen; gives the names of the instances that changed.
async fn list(server: &Server) -> Result<Vec<String>, Error> {
    server.refresh_networks().await?;
    server.refresh_profiles().await?;
    server.refresh_images().await?;
    list_certificates(server).await?;
    // A certificate that is restricted to a project may not see them, and manages machines all the same.
    answered(server, "the storage pools", list_pools(server).await)?;
    let changed = list_instances(server).await?;
    server.write().listed_at = Some(Utc::now());
    metrics::listed(server.name());
    Ok(changed)
}

async fn list_instances(server: &Server) -> Result<Vec<String>, Error> {
    let look = server.look();
    let found = server.client().instances_full().await?;
    server.write().disks = found.iter().filter_map(disk_of).collect();
    Ok(server.replace(look, found.iter().map(InstanceView::new).collect()))
}

/// What lies on an instance's root disk. Only some storage pools count that for each instance.
fn disk_of(instance: &Instance) -> Option<(String, u64)> {
    let usage = instance.state.as_ref()?.disk.get("root")?.usage;
    u64::try_from(usage).ok().filter(|bytes| *bytes > 0).map(|bytes| (instance.name.clone(), bytes))
}

async fn list_pools(server: &Server) -> Result<(), Error> {
    let found = catalog::pools(server.client().storage_pools().await?);
    server.write().pools = found;
    Ok(())
}

/// What is trusted is only shown; whoever may not see it, works all the same.
async fn list_certificates(server: &Server) -> Result<(), Error> {
    match server.refresh_certificates().await {
        Err(error) if error.is_unreachable() || error.is_timeout() => Err(error),
        Err(error) => {
            tracing::debug!(server = server.name(), %error, "LXD does not show whom it trusts");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
