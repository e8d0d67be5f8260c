//! Networks and leases: `/1.0/networks`. Extension `network`.

use http::Method;
use lxd_api::{Lease, Network, NetworkPut};

use crate::{
    client::{Client, Tagged},
    error::Error,
    path::ApiPath,
};

fn networks() -> ApiPath {
    ApiPath::root().at("networks")
}

fn network(name: &str) -> Result<ApiPath, Error> {
    networks().name("network name", name)
}

impl Client {
    /// `GET /1.0/networks?recursion=1`: LXD's own (`managed`) and the host's other interfaces.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn networks(&self) -> Result<Vec<Network>, Error> {
        self.list(networks().recursion("1")).await
    }

    /// `GET /1.0/networks/<name>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn network(&self, name: &str) -> Result<Tagged<Network>, Error> {
        self.get(network(name)?).await
    }

    /// `PUT /1.0/networks/<name>`: replaces its configuration. LXD starts the bridge's DHCP anew; machines keep the
    /// addresses they have until they ask again. Begin with [`Network::to_put`].
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag; [`Error::Api`] (400) for
    /// what LXD does not take.
    pub async fn update_network(
        &self,
        name: &str,
        update: &NetworkPut,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        self.change(Method::PUT, network(name)?, Some(update), if_match).await
    }

    /// `GET /1.0/networks/<name>/leases`: the addresses of all instances on a managed bridge, in one cheap
    /// request. Extension `network_leases`.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for an interface that LXD does not manage.
    pub async fn leases(&self, name: &str) -> Result<Vec<Lease>, Error> {
        self.list(network(name)?.at("leases")).await
    }
}
