//! The conformance suite: what VMS relies on in LXD, as checks that know only the client.
//!
//! The same list runs against the simulator, real LXD and real Incus. What a check demands must hold on all
//! three; so the simulator can never know a behaviour that the real ones do not show.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

pub mod catalog;
pub mod changes;
pub mod connection;
pub mod images;
pub mod instances;
pub mod refusals;
pub mod snapshots;
#[path = "../support/tarballs.rs"]
pub mod tarballs;

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt, future::BoxFuture};
use libtest_mimic::{Failed, Trial};
use lxd_api::{
    EventPayload, EventType, InstanceAction, InstanceSource, InstanceStatePut, InstancesPost, Lifecycle,
    Operation, Profile,
};
use lxd_client::{Client, Error, EventStream, OperationHandle};

/// Long enough for the slowest real machine; nothing waits that long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The daemon under test, as far as a check may touch it.
pub trait Host: Send + Sync {
    /// Makes the daemon go away.
    fn stop(&self) -> BoxFuture<'_, Result<()>>;
    /// Brings it back.
    fn start(&self) -> BoxFuture<'_, Result<()>>;
    /// Where it listens for HTTPS.
    fn https_url(&self) -> Result<String>;
    /// Its own certificate.
    fn server_cert_pem(&self) -> Result<String>;
}

/// What a check has at hand.
pub struct Ctx {
    pub client: Client,
    /// The managed bridge.
    pub bridge: String,
    /// Alias of an image.
    pub image: String,
    pub host: Box<dyn Host>,
    counter: AtomicU32,
}

impl Ctx {
    pub fn new(client: Client, bridge: &str, image: &str, host: Box<dyn Host>) -> Self {
        Self { client, bridge: bridge.into(), image: image.into(), host, counter: AtomicU32::new(1) }
    }

    /// A name nobody else uses. All of them begin with `cf-`: see [`Ctx::clean`].
    pub fn name(&self) -> String {
        format!("cf-{}", self.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// The request that creates an instance of the image.
    pub fn post(&self, name: &str) -> InstancesPost {
        InstancesPost {
            name: name.into(),
            source: InstanceSource::alias(&self.image),
            ..InstancesPost::default()
        }
    }

    /// A new instance, off.
    pub async fn create(&self) -> Result<String> {
        let name = self.name();
        done(self.client.create_instance(&self.post(&name), None).await?).await?;
        Ok(name)
    }

    /// A new instance, running.
    pub async fn launch(&self) -> Result<String> {
        let name = self.create().await?;
        self.act(&name, InstanceAction::Start).await?;
        Ok(name)
    }

    /// Changes the state of an instance and waits until that is done; stops by force.
    pub async fn act(&self, name: &str, action: InstanceAction) -> Result<Operation, Error> {
        let force = matches!(action, InstanceAction::Stop | InstanceAction::Restart);
        let put = InstanceStatePut { force, ..InstanceStatePut::new(action) };
        self.client.set_instance_state(name, &put).await?.wait(PATIENCE).await
    }

    /// Repeats `look` until it finds something. For what LXD sends no event for: addresses, metrics.
    pub async fn until<T, F>(&self, what: &str, mut look: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{what} did not come within {PATIENCE:?}")
    }

    /// The IPv4 address of a running instance, once it has one.
    pub async fn address(&self, name: &str) -> Result<String> {
        self.until("the address", || async {
            let state = self.client.instance_state(name).await?;
            Ok(state
                .global_addresses()
                .iter()
                .find(|(_, a)| a.family == "inet")
                .map(|(_, a)| a.address.clone()))
        })
        .await
    }

    /// Takes away what checks leave behind.
    pub async fn clean(&self) -> Result<()> {
        for instance in self.client.instances().await?.into_iter().filter(|i| i.name.starts_with("cf-")) {
            if instance.status_code != lxd_api::StatusCode::STOPPED {
                self.act(&instance.name, InstanceAction::Stop).await?;
            }
            done(self.client.delete_instance(&instance.name).await?).await?;
        }
        for profile in self.client.profiles().await?.into_iter().filter(|p| p.name.starts_with("cf-")) {
            self.client.delete_profile(&profile.name).await?;
        }
        for image in self.client.images().await? {
            if image.aliases.iter().all(|alias| alias.name != self.image) {
                done(self.client.delete_image(&image.fingerprint).await?).await?;
            }
        }
        for alias in self.client.image_aliases().await?.into_iter().filter(|a| a.name.starts_with("cf-")) {
            self.client.delete_image_alias(&alias.name).await?;
        }
        Ok(())
    }
}

/// Waits for an operation to succeed.
pub async fn done(handle: OperationHandle) -> Result<Operation> {
    let what = handle.operation().description.clone();
    handle.wait(PATIENCE).await.with_context(|| format!("operation {what:?}"))
}

/// The refusal, whether it comes at once or from the operation (versions differ in that).
pub async fn refusal(begun: Result<OperationHandle, Error>) -> Result<Error> {
    let error = match begun {
        Err(error) => error,
        Ok(handle) => match handle.wait(PATIENCE).await {
            Err(error) => error,
            Ok(operation) => bail!("{:?} should have been refused", operation.description),
        },
    };
    match error {
        Error::Api { .. }
        | Error::Conflict { .. }
        | Error::NotFound { .. }
        | Error::PreconditionFailed { .. }
        | Error::OperationFailed { .. } => Ok(error),
        other => bail!("no refusal but: {other}"),
    }
}

/// Whether a refusal says that a name is taken. LXD says so in words, Incus 6.0 in those of its database.
pub fn says_taken(error: &Error) -> bool {
    let text = error.to_string();
    error.is_conflict() || text.contains("already exists") || text.contains("UNIQUE constraint failed")
}

/// Opens a stream of events (lifecycle among them) and waits until it speaks: both daemons accept it a moment before
/// they begin to send.
pub async fn listen(client: &Client, types: &[EventType]) -> Result<EventStream> {
    let mut events = client.events(types).await?;
    let deadline = Instant::now() + PATIENCE;
    let mut attempt = 0;
    while Instant::now() < deadline {
        attempt += 1;
        let name = format!("cf-listening-{attempt}");
        client.create_profile(&Profile { name: name.clone(), ..Profile::default() }).await?;
        let heard = tokio::time::timeout(Duration::from_secs(1), async {
            while let Some(event) = events.next().await {
                if let EventPayload::Lifecycle(lifecycle) = event?.payload()?
                    && lifecycle.action == "profile-created"
                    && lifecycle.source.contains(&name)
                {
                    return Ok(());
                }
            }
            bail!("the events ended")
        });
        let heard = heard.await;
        client.delete_profile(&name).await?;
        if let Ok(heard) = heard {
            return heard.map(|()| events);
        }
    }
    bail!("the events stay silent")
}

/// Lifecycle events, in whatever order they come: real daemons send each from a thread of its own, so two that belong to
/// one command may overtake each other.
pub struct Lifecycles(EventStream);

impl Lifecycles {
    /// Opens the stream; see [`listen`].
    pub async fn open(client: &Client) -> Result<Self> {
        Ok(Self(listen(client, &[EventType::Lifecycle]).await?))
    }

    /// The next event about an instance of this name (or a snapshot of it).
    async fn next(&mut self, instance: &str) -> Result<Lifecycle> {
        while let Some(event) = self.0.next().await {
            if let EventPayload::Lifecycle(lifecycle) = event?.payload()?
                && lifecycle.instance().as_deref() == Some(instance)
            {
                return Ok(lifecycle);
            }
        }
        bail!("the events ended")
    }

    /// Events about an instance until each of `actions` came: all of them.
    pub async fn until(&mut self, instance: &str, actions: &[&str]) -> Result<Vec<Lifecycle>> {
        let mut seen: Vec<Lifecycle> = Vec::new();
        let came = |seen: &[Lifecycle], action: &str| seen.iter().any(|event| event.action == action);
        while !actions.iter().all(|action| came(&seen, action)) {
            match tokio::time::timeout(PATIENCE, self.next(instance)).await {
                Ok(event) => seen.push(event?),
                Err(_) => bail!("not all of {actions:?} came, but: {seen:?}"),
            }
        }
        Ok(seen)
    }

    /// The event of an action, after others that may come before it.
    pub async fn one(&mut self, instance: &str, action: &str) -> Result<Lifecycle> {
        let seen = self.until(instance, &[action]).await?;
        seen.into_iter().next_back().context("no event")
    }
}

type Check = for<'a> fn(&'a Ctx) -> BoxFuture<'a, Result<()>>;

/// Lists checks by name.
macro_rules! checks {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$((concat!(stringify!($module), "::", stringify!($name)), |ctx| Box::pin($module::$name(ctx)))),*]
    };
}

/// All checks. The last one restarts the daemon.
const CHECKS: &[(&str, Check)] = checks![
    connection::the_server_says_who_it_is,
    connection::resources_show_processors_and_memory,
    connection::metrics_name_running_instances,
    connection::a_lone_server_is_no_cluster,
    connection::certificates_are_added_and_removed,
    connection::a_token_is_made_for_a_certificate,
    connection::https_with_a_trusted_certificate,
    connection::an_untrusted_certificate_is_told_apart,
    connection::another_server_certificate_is_refused,
    instances::a_new_instance_is_off_and_complete,
    instances::lists_of_three_depths,
    instances::a_running_instance_gets_an_address_and_a_lease,
    instances::a_clean_stop_and_one_without_patience,
    instances::a_restart_keeps_it_running,
    instances::freezing_and_thawing,
    instances::a_deleted_instance_is_gone,
    instances::two_starts_at_once_both_succeed,
    instances::events_tell_what_was_done,
    instances::an_operation_tells_its_course,
    changes::a_rename_moves_all_that_belongs_to_it,
    changes::a_patch_merges_user_keys,
    changes::an_old_etag_is_refused,
    changes::a_put_replaces_and_needs_the_volatile_keys,
    changes::limits_show_in_the_expanded_configuration,
    snapshots::taken_listed_renamed_deleted,
    snapshots::names_that_are_refused,
    snapshots::restore_brings_the_configuration_back,
    snapshots::restore_of_a_running_instance_starts_it_again,
    snapshots::deleting_the_instance_deletes_them,
    refusals::what_does_not_exist,
    refusals::a_name_that_is_taken,
    refusals::names_that_no_host_can_have,
    refusals::an_image_or_profile_that_does_not_exist,
    refusals::configuration_that_nobody_knows,
    refusals::actions_that_do_not_fit_the_state,
    refusals::an_operation_that_cannot_be_cancelled,
    catalog::profiles_from_birth_to_death,
    catalog::a_profile_in_use_stays,
    catalog::a_bridge_is_changed_by_who_knows_it,
    catalog::the_bridge_knows_its_range_and_its_users,
    catalog::pools_and_their_space,
    images::an_upload_becomes_an_image,
    images::the_same_image_twice_and_no_image_at_all,
    images::aliases_point_to_images,
    images::two_halves_become_one_image,
    images::an_instance_and_a_snapshot_are_published,
    images::what_came_from_nowhere_is_not_refreshed,
    connection::a_daemon_that_goes_away_and_comes_back,
];

/// A daemon and what it runs on, made when the first check needs it.
pub struct Stage<G> {
    pub ctx: Ctx,
    /// Dropped after the last check.
    pub guard: G,
    pub runtime: tokio::runtime::Runtime,
}

/// A stage that is set when the first check asks, and struck by [`Shared::strike`].
pub type Shared<G> = Arc<Mutex<Option<Result<Stage<G>, String>>>>;

/// One trial for each check, on one stage.
pub fn trials<G, F>(prefix: &str, shared: &Shared<G>, set: F) -> Vec<Trial>
where
    G: Send + 'static,
    F: Fn() -> Result<Stage<G>> + Send + Clone + 'static,
{
    CHECKS
        .iter()
        .map(|(name, check)| {
            let (shared, set, check) = (Arc::clone(shared), set.clone(), *check);
            Trial::test(format!("{prefix}::{name}"), move || {
                let mut stage = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let stage = stage.get_or_insert_with(|| set().map_err(|error| format!("{error:#}")));
                let stage = stage.as_ref().map_err(|error| Failed::from(format!("no daemon: {error}")))?;
                let (checked, cleaned) = stage.runtime.block_on(async {
                    let checked = tokio::time::timeout(2 * PATIENCE, check(&stage.ctx)).await;
                    (checked, stage.ctx.clean().await)
                });
                checked
                    .map_err(|_| Failed::from("it took too long"))?
                    .map_err(|error| Failed::from(format!("{error:#}")))?;
                cleaned.map_err(|error| Failed::from(format!("cleaning up: {error:#}")))
            })
        })
        .collect()
}

/// Takes the stage down: first the client, then what it spoke with.
pub fn strike<G>(shared: &Shared<G>) {
    if let Some(Ok(Stage { ctx, guard, runtime })) =
        shared.lock().unwrap_or_else(PoisonError::into_inner).take()
    {
        drop(ctx);
        drop(runtime);
        drop(guard);
    }
}
