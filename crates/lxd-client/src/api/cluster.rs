//! Clusters: `/1.0/cluster`. Extension `clustering`.

use lxd_api::{Cluster, ClusterMember};

use crate::{
    client::{Client, Tagged},
    error::Error,
    path::ApiPath,
};

fn cluster() -> ApiPath {
    ApiPath::root().at("cluster")
}

impl Client {
    /// `GET /1.0/cluster`: whether this daemon belongs to a cluster, and its name there.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn cluster(&self) -> Result<Cluster, Error> {
        Ok(self.get(cluster()).await?.value)
    }

    /// `GET /1.0/cluster/members?recursion=1`. Ask [`Client::cluster`] first.
    ///
    /// # Errors
    /// [`Error::Api`] from a daemon without a cluster (LXD 5.0: 500).
    pub async fn cluster_members(&self) -> Result<Vec<ClusterMember>, Error> {
        self.list(cluster().at("members").recursion("1")).await
    }

    /// `GET /1.0/cluster/members/<name>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn cluster_member(&self, name: &str) -> Result<Tagged<ClusterMember>, Error> {
        self.get(cluster().at("members").name("cluster member name", name)?).await
    }
}
