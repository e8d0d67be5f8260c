//! Instances: `/1.0/instances`. All names are validated before anything is sent ([`Error::InvalidName`]).

use http::Method;
use lxd_api::{
    Instance, InstancePatch, InstancePost, InstancePut, InstanceRebuildPost, InstanceRestore, InstanceSource,
    InstanceState, InstanceStatePut, InstancesPost, instance_of,
};

use crate::{
    client::{Client, NO_BODY, Tagged},
    error::Error,
    operation::OperationHandle,
    path::ApiPath,
};

/// What [`Client::rebuild_instance`] begins again from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RebuildSource {
    /// An image, by alias.
    Alias(String),
    /// An image, by fingerprint.
    Fingerprint(String),
}

fn instances() -> ApiPath {
    ApiPath::root().at("instances")
}

pub(super) fn instance(name: &str) -> Result<ApiPath, Error> {
    instances().name("instance name", name)
}

impl Client {
    /// `GET /1.0/instances`: the names only.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn instance_names(&self) -> Result<Vec<String>, Error> {
        let paths: Vec<String> = self.list(instances()).await?;
        Ok(paths.iter().filter_map(|path| instance_of(path)).collect())
    }

    /// `GET /1.0/instances?recursion=1`: all instances, without snapshots and running state.
    ///
    /// # Errors
    /// Those of every request.
    pub async fn instances(&self) -> Result<Vec<Instance>, Error> {
        self.list(instances().recursion("1")).await
    }

    /// `GET /1.0/instances?recursion=2`: all instances with snapshots and running state. Costs LXD about 4 ms
    /// *per instance*: for a resync or a test, never for a request of a user.
    ///
    /// # Errors
    /// Those of every request.
    pub async fn instances_full(&self) -> Result<Vec<Instance>, Error> {
        self.list(instances().recursion("2")).await
    }

    /// `GET /1.0/instances/<name>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn instance(&self, name: &str) -> Result<Tagged<Instance>, Error> {
        self.get(instance(name)?).await
    }

    /// `GET /1.0/instances/<name>?recursion=1`: one instance with its snapshots and running state, in one
    /// request. LXD before 4.x ignores the recursion; then both are `None`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn instance_full(&self, name: &str) -> Result<Tagged<Instance>, Error> {
        self.get(instance(name)?.recursion("1")).await
    }

    /// `GET /1.0/instances/<name>/state`: use of resources, and addresses.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn instance_state(&self, name: &str) -> Result<InstanceState, Error> {
        Ok(self.get(instance(name)?.at("state")).await?.value)
    }

    /// `POST /1.0/instances`: creates one, on this cluster member if `target` is given (extension
    /// `clustering`). It is off afterwards, unless `start` is set and LXD knows it (`instance_create_start`).
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown image alias; [`Error::Api`] (LXD 5.0: 500) for an unknown profile. A
    /// taken name is [`Error::Conflict`] in newer versions; in LXD 5.0 the operation fails. So does all that
    /// goes wrong later.
    pub async fn create_instance(
        &self,
        request: &InstancesPost,
        target: Option<&str>,
    ) -> Result<OperationHandle, Error> {
        if !request.name.is_empty() {
            instance(&request.name)?;
        }
        self.start(Method::POST, instances().target(target), Some(request), None).await
    }

    /// `PUT /1.0/instances/<name>`: replaces its configuration. Begin with [`Instance::to_put`].
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag.
    pub async fn update_instance(
        &self,
        name: &str,
        update: &InstancePut,
        if_match: Option<&str>,
    ) -> Result<OperationHandle, Error> {
        self.start(Method::PUT, instance(name)?, Some(update), if_match).await
    }

    /// `PATCH /1.0/instances/<name>`: merges into its configuration. Done when this returns. Extension `patch`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag.
    pub async fn patch_instance(
        &self,
        name: &str,
        patch: &InstancePatch,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        self.change(Method::PATCH, instance(name)?, Some(patch), if_match).await
    }

    /// `POST /1.0/instances/<name>` with a new name. It must be off, else the operation fails.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if the new name is taken.
    pub async fn rename_instance(&self, name: &str, new_name: &str) -> Result<OperationHandle, Error> {
        instance(new_name)?;
        let body = InstancePost { name: new_name.to_owned(), ..InstancePost::default() };
        self.start(Method::POST, instance(name)?, Some(&body), None).await
    }

    /// `POST /1.0/instances/<name>?target=<member>` with `migration`: moves it to another member of the
    /// cluster. It must be off, unless `live`. Extension `clustering`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown instance or member.
    pub async fn move_instance(
        &self,
        name: &str,
        member: &str,
        live: bool,
    ) -> Result<OperationHandle, Error> {
        let body = InstancePost { name: name.to_owned(), migration: true, live, ..InstancePost::default() };
        self.start(Method::POST, instance(name)?.target(Some(member)), Some(&body), None).await
    }

    /// `POST /1.0/instances/<name>` with `migration`, without a target: makes it ready to be pulled by
    /// another server. The operation's metadata holds the websocket secrets for
    /// [`InstanceSource::secrets`]; never show them to a browser.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn offer_instance(&self, name: &str, live: bool) -> Result<OperationHandle, Error> {
        let body = InstancePost { name: name.to_owned(), migration: true, live, ..InstancePost::default() };
        self.start(Method::POST, instance(name)?, Some(&body), None).await
    }

    /// `DELETE /1.0/instances/<name>`, with its snapshots. It must be off.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Api`] (400) while it is running.
    pub async fn delete_instance(&self, name: &str) -> Result<OperationHandle, Error> {
        self.start(Method::DELETE, instance(name)?, NO_BODY, None).await
    }

    /// `PUT /1.0/instances/<name>/state`: start, stop, restart, freeze, unfreeze. An action that does not fit
    /// the state ("already running") fails in the operation.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_instance_state(
        &self,
        name: &str,
        state: &InstanceStatePut,
    ) -> Result<OperationHandle, Error> {
        self.start(Method::PUT, instance(name)?.at("state"), Some(state), None).await
    }

    /// `POST /1.0/instances/<name>/rebuild`: its disk as the image makes it; configuration, addresses and
    /// name stay. It must be off and without snapshots. Extension `instances_rebuild` (LXD 5.8+, Incus).
    ///
    /// # Errors
    /// [`Error::MissingExtension`]: delete it and create it anew instead.
    pub async fn rebuild_instance(
        &self,
        name: &str,
        source: &RebuildSource,
    ) -> Result<OperationHandle, Error> {
        self.require_extension("instances_rebuild").await?;
        let source = match source {
            RebuildSource::Alias(alias) => InstanceSource::alias(alias),
            RebuildSource::Fingerprint(fingerprint) => InstanceSource::fingerprint(fingerprint),
        };
        let body = InstanceRebuildPost { source };
        self.start(Method::POST, instance(name)?.at("rebuild"), Some(&body), None).await
    }

    /// `PUT /1.0/instances/<name>` with `restore`: back to a snapshot. A running instance is stopped and
    /// started again by LXD. Its configuration goes back as well, and LXD 5.0 clears its `description`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the instance; an unknown snapshot makes the operation fail (newer versions: at
    /// once).
    pub async fn restore_snapshot(&self, name: &str, snapshot: &str) -> Result<OperationHandle, Error> {
        let path = instance(name)?;
        super::snapshots::snapshot(name, snapshot)?;
        let body = InstanceRestore { restore: snapshot.to_owned(), stateful: false };
        self.start(Method::PUT, path, Some(&body), None).await
    }
}
