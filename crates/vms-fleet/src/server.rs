//! One LXD server: its client, and what was last seen of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use chrono::{DateTime, Utc};
use lxd_api::{Certificate, Network};
use lxd_client::Client;
use tokio::sync::{Notify, broadcast, watch};
use uuid::Uuid;
use vms_types::Limits;

use crate::catalog::{self, CatalogImage, CatalogPool, CatalogProfile, StoredImage};
use crate::fleet::FleetChange;
use crate::limits::limits_of;
use crate::networks::Leases;
use crate::usage::Usage;
use crate::view::InstanceView;

/// One LXD (or Incus) endpoint, as configured.
#[derive(Debug)]
pub struct Server {
    name: String,
    client: Client,
    pub(crate) seen: RwLock<Seen>,
    /// Number of the last [`Look`].
    looks: AtomicU64,
    /// `true` once listed and while the event stream stands.
    pub(crate) connected: watch::Sender<bool>,
    pub(crate) changes: broadcast::Sender<FleetChange>,
    /// Something new in the mirror lacks an address. Not only the watcher puts things there: what a job saw a moment
    /// before a lease was put on the machine replaces it afterwards, and no event tells of that.
    pub(crate) lacking: Notify,
    /// Instances that somebody works on, and how many do.
    held: Mutex<BTreeMap<String, u32>>,
    /// One of them was let go.
    pub(crate) let_go: Notify,
    /// What it and its machines use, as the sampler last asked.
    pub(crate) usage: RwLock<Usage>,
}

/// Somebody works on an instance as long as this lives.
#[derive(Debug)]
pub struct Hold {
    server: Arc<Server>,
    name: String,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.server.held();
        if let Some(count) = held.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.name);
            }
        }
        self.server.let_go.notify_one();
    }
}

/// When a look at LXD began, as a number that grows. The watcher and the jobs look at the same instance at once, and
/// answers overtake each other: what an older look saw must not replace what a newer one told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Look(u64);

/// What was last seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub instances: BTreeMap<String, Arc<InstanceView>>,
    /// The look that told last of a name, also of one that is gone; without an entry it was [`Seen::listed`].
    told: BTreeMap<String, Look>,
    /// The look at everything that told last.
    listed: Look,
    pub images: Vec<CatalogImage>,
    pub stored_images: Vec<StoredImage>,
    /// The look that told last of the images.
    images_at: Look,
    pub profiles: Vec<CatalogProfile>,
    pub pools: Vec<CatalogPool>,
    /// Bridges whose DHCP is LXD's, so that leases can be asked for.
    pub managed_networks: BTreeSet<String>,
    /// Every network.
    pub networks: Vec<Network>,
    /// What was last seen of their leases, by network.
    pub leases: BTreeMap<String, Leases>,
    /// Whom it trusts.
    pub certificates: Vec<Certificate>,
    pub listed_at: Option<DateTime<Utc>>,
    /// Since when it answers, or does not.
    pub since: DateTime<Utc>,
    /// Bytes on the root disk of an instance, where the storage pool can tell.
    pub disks: BTreeMap<String, u64>,
    /// Why it does not answer.
    pub trouble: Option<String>,
    /// LXD refused our certificate, or showed another than the pinned one.
    pub refused: bool,
}

/// How a server is, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSummary {
    /// Name in the configuration.
    pub name: String,
    /// Where it is.
    pub endpoint: String,
    /// Whether it answers.
    pub connected: bool,
    /// Since when it answers, or does not.
    pub since: DateTime<Utc>,
    /// When everything was last listed.
    pub listed_at: Option<DateTime<Utc>>,
    /// Why it does not answer.
    pub trouble: Option<String>,
    /// LXD refused our certificate.
    pub refused: bool,
    /// Instances seen.
    pub instances: usize,
}

impl Server {
    pub(crate) fn new(name: String, client: Client, changes: broadcast::Sender<FleetChange>) -> Self {
        Self {
            name,
            client,
            seen: RwLock::new(Seen { since: Utc::now(), ..Seen::default() }),
            looks: AtomicU64::default(),
            connected: watch::Sender::new(false),
            changes,
            lacking: Notify::new(),
            held: Mutex::default(),
            let_go: Notify::new(),
            usage: RwLock::default(),
        }
    }

    /// Name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// To send it commands.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Whether everything was listed and the event stream stands: what the mirror shows is what is.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Notes whether it answers; whether that is news.
    pub(crate) fn set_connected(&self, connected: bool) -> bool {
        let news = self.connected.send_replace(connected) != connected;
        if news {
            self.write().since = Utc::now();
        }
        news
    }

    /// Tells when [`Server::is_connected`] changes.
    #[must_use]
    pub fn watch_connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// An instance as last seen.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<Arc<InstanceView>> {
        self.read().instances.get(name).cloned()
    }

    /// The instance of that name, if it is that machine: an administrator may have given the name to another one.
    #[must_use]
    pub fn machine(&self, name: &str, id: Uuid) -> Option<Arc<InstanceView>> {
        self.instance(name).filter(|view| view.machine_id() == Some(id))
    }

    /// All instances as last seen, by name.
    #[must_use]
    pub fn instances(&self) -> Vec<Arc<InstanceView>> {
        self.read().instances.values().cloned().collect()
    }

    /// Images with an alias.
    #[must_use]
    pub fn images(&self) -> Vec<CatalogImage> {
        self.read().images.clone()
    }

    /// Images with or without an alias, as they are stored.
    #[must_use]
    pub fn stored_images(&self) -> Vec<StoredImage> {
        self.read().stored_images.clone()
    }

    /// Profiles.
    #[must_use]
    pub fn profiles(&self) -> Vec<CatalogProfile> {
        self.read().profiles.clone()
    }

    /// Storage pools, by name.
    #[must_use]
    pub fn pools(&self) -> Vec<CatalogPool> {
        self.read().pools.clone()
    }

    /// What a machine may use that carries these profiles, in the order they apply; `None` if one of them is missing.
    #[must_use]
    pub fn limits_with(&self, profiles: &[String]) -> Option<Limits> {
        let seen = self.read();
        let (mut config, mut devices) = (lxd_api::Config::new(), lxd_api::Devices::new());
        for name in profiles {
            let profile = seen.profiles.iter().find(|profile| &profile.name == name)?;
            config.extend(profile.config.clone());
            devices.extend(profile.devices.clone());
        }
        Some(limits_of(&config, &devices))
    }

    /// How it is.
    #[must_use]
    pub fn summary(&self) -> ServerSummary {
        let seen = self.read();
        ServerSummary {
            name: self.name.clone(),
            endpoint: self.client.endpoint().to_owned(),
            connected: self.is_connected(),
            since: seen.since,
            listed_at: seen.listed_at,
            trouble: seen.trouble.clone(),
            refused: seen.refused,
            instances: seen.instances.len(),
        }
    }

    /// Fetches one instance now and puts what LXD shows into the mirror: after an operation, and after an event. Not its
    /// state, which costs LXD more than all the rest (it starts a process in the machine): addresses stay as long as the
    /// machine runs on, and are looked for by lease when it was started anew.
    ///
    /// # Errors
    /// Those of the client, except that an instance which does not exist is simply taken off the mirror.
    pub async fn refresh(&self, name: &str) -> Result<Option<Arc<InstanceView>>, lxd_client::Error> {
        let look = self.look();
        let fetched = async {
            let (instance, snapshots) =
                tokio::try_join!(self.client.instance(name), self.client.snapshots(name))?;
            let mut instance = instance.value;
            instance.snapshots = Some(snapshots);
            Ok(instance)
        };
        self.take_in(look, name, fetched.await)
    }

    /// The same with its state, so that its addresses are those that it has within.
    ///
    /// # Errors
    /// Those of [`Server::refresh`].
    pub(crate) async fn refresh_with_state(
        &self,
        name: &str,
    ) -> Result<Option<Arc<InstanceView>>, lxd_client::Error> {
        let look = self.look();
        self.take_in(look, name, self.fetch_with_state(name).await)
    }

    /// Fetches the profiles now: after one was changed, so that who changed it sees it at once.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn refresh_profiles(&self) -> Result<(), lxd_client::Error> {
        let found = catalog::profiles(&self.client.profiles().await?);
        self.write().profiles = found;
        Ok(())
    }

    /// Fetches the images now: after one was changed, so that who changed it sees it at once.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn refresh_images(&self) -> Result<(), lxd_client::Error> {
        let look = self.look();
        let found = self.client.images().await?;
        let (images, stored) = (catalog::images(&found), catalog::stored(&found));
        let mut seen = self.write();
        if seen.images_at <= look {
            seen.images_at = look;
            seen.images = images;
            seen.stored_images = stored;
        }
        Ok(())
    }

    fn take_in(
        &self,
        look: Look,
        name: &str,
        fetched: Result<lxd_api::Instance, lxd_client::Error>,
    ) -> Result<Option<Arc<InstanceView>>, lxd_client::Error> {
        match fetched {
            Ok(instance) => {
                let mut view = InstanceView::new(&instance);
                if instance.state.is_none()
                    && let Some(before) = self.instance(name)
                {
                    view.keep_addresses(&before);
                }
                Ok(Some(self.put(look, view)))
            }
            Err(error) if error.is_not_found() => {
                self.remove(look, name);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Up to three requests; the instance may be deleted between them, which shows as "not found" at any of them.
    async fn fetch_with_state(&self, name: &str) -> Result<lxd_api::Instance, lxd_client::Error> {
        let mut instance = self.client.instance_full(name).await?.value;
        if instance.snapshots.is_none() {
            instance.snapshots = Some(self.client.snapshots(name).await?);
        }
        if instance.state.is_none() {
            instance.state = Some(self.client.instance_state(name).await?);
        }
        Ok(instance)
    }

    /// Says that somebody works on an instance and looks at it at the end: until then the watcher has no need to look at
    /// it at every event of that work.
    #[must_use]
    pub fn hold(self: &Arc<Self>, name: &str) -> Hold {
        *self.held().entry(name.to_owned()).or_default() += 1;
        Hold { server: Arc::clone(self), name: name.to_owned() }
    }

    pub(crate) fn is_held(&self, name: &str) -> bool {
        self.held().contains_key(name)
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a look that began later has told of the name.
    pub(crate) fn told_since(&self, name: &str, look: Look) -> bool {
        let seen = self.read();
        seen.told.get(name).copied().unwrap_or(seen.listed) > look
    }

    /// Begins a look at LXD. To be called before the request is sent.
    pub(crate) fn look(&self) -> Look {
        Look(self.looks.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Puts what a look saw of one instance into the mirror, and gives it back.
    pub(crate) fn put(&self, look: Look, view: InstanceView) -> Arc<InstanceView> {
        let view = Arc::new(view);
        let changed = self.write().tell(look, &view.name, Some(&view));
        if changed {
            if view.lacks_address() {
                self.lacking.notify_one();
            }
            self.announce(Some(view.name.clone()));
        }
        view
    }

    /// Takes an instance off the mirror that a look did not find.
    pub(crate) fn remove(&self, look: Look, name: &str) {
        let changed = self.write().tell(look, name, None);
        if changed {
            self.announce(Some(name.to_owned()));
        }
    }

    /// Replaces everything by what a look at everything saw; gives the names that changed.
    pub(crate) fn replace(&self, look: Look, found: Vec<InstanceView>) -> Vec<String> {
        let found: BTreeMap<String, Arc<InstanceView>> =
            found.into_iter().map(|view| (view.name.clone(), Arc::new(view))).collect();
        let mut seen = self.write();
        let names: BTreeSet<String> = seen.instances.keys().chain(found.keys()).cloned().collect();
        let changed: Vec<String> =
            names.into_iter().filter(|name| seen.tell(look, name, found.get(name))).collect();
        if seen.instances.values().any(|view| view.lacks_address()) {
            self.lacking.notify_one();
        }
        seen.told.retain(|_, told| *told > look);
        seen.listed = seen.listed.max(look);
        changed
    }

    /// Changes what is seen of an instance, as it stands now. `change` says whether it did.
    pub(crate) fn amend(&self, name: &str, change: impl FnOnce(&mut InstanceView) -> bool) {
        let changed = {
            let mut seen = self.write();
            seen.instances.get_mut(name).is_some_and(|view| change(Arc::make_mut(view)))
        };
        if changed {
            self.announce(Some(name.to_owned()));
        }
    }

    pub(crate) fn announce(&self, instance: Option<String>) {
        // Nobody listening is no error: the mirror itself is already right.
        drop(self.changes.send(FleetChange { server: self.name.clone(), instance }));
    }

    /// A poisoned lock only says that another thread panicked while it held it; each write here is one assignment.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Seen> {
        self.seen.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Takes over what a look saw under a name, unless a newer look has told of it; whether that changed anything.
    fn tell(&mut self, look: Look, name: &str, view: Option<&Arc<InstanceView>>) -> bool {
        if self.told.get(name).copied().unwrap_or(self.listed) > look {
            return false;
        }
        self.told.insert(name.to_owned(), look);
        let before = match view {
            Some(view) => self.instances.insert(name.to_owned(), Arc::clone(view)),
            None => self.instances.remove(name),
        };
        before.as_deref() != view.map(|view| &**view)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lxd_client::ClientConfig;

    use super::*;

    fn server() -> Server {
        let client = Client::new(ClientConfig::new("unix:///nowhere".parse().unwrap())).unwrap();
        Server::new("lxd".into(), client, broadcast::channel(16).0)
    }

    fn view(name: &str, description: &str) -> InstanceView {
        InstanceView::new(&lxd_api::Instance {
            name: name.into(),
            description: description.into(),
            ..lxd_api::Instance::default()
        })
    }

    fn descriptions(server: &Server) -> Vec<String> {
        server.instances().iter().map(|view| view.description.clone()).collect()
    }

    #[test]
    fn an_answer_that_was_overtaken_changes_nothing() {
        let server = server();
        let (slow, fast) = (server.look(), server.look());
        server.put(fast, view("a", "new"));
        server.put(slow, view("a", "old"));
        assert_eq!(descriptions(&server), ["new"]);

        let (slow, fast) = (server.look(), server.look());
        server.remove(fast, "a");
        server.put(slow, view("a", "a ghost"));
        assert!(server.instances().is_empty());
    }

    #[test]
    fn a_list_knows_nothing_of_what_came_while_it_was_made() {
        let server = server();
        let before = server.look();
        server.put(server.look(), view("gone", ""));
        let list = server.look();
        server.put(server.look(), view("new", "made meanwhile"));
        let changed = server.replace(list, vec![view("a", "listed")]);
        assert_eq!(changed, ["a", "gone"]);
        assert_eq!(descriptions(&server), ["listed", "made meanwhile"]);
        server.put(before, view("gone", "a ghost"));
        assert_eq!(descriptions(&server), ["listed", "made meanwhile"], "older than the list");
    }
}
