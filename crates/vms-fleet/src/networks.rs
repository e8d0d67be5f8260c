//! Networks with the addresses they gave away, and the certificates a server trusts: as last seen, and looked at again
//! after a change of ours.

use chrono::{DateTime, Utc};
use lxd_api::{Certificate, Lease, Network};
use lxd_client::Error;

use crate::server::Server;

/// The leases of a managed bridge, and when they were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leases {
    /// When.
    pub seen_at: DateTime<Utc>,
    /// All of them, the gateway's own address too.
    pub leases: Vec<Lease>,
}

/// Whether leases can be asked for: LXD made it, and serves DHCP on it.
pub(crate) fn has_leases(network: &Network) -> bool {
    network.managed && network.kind == "bridge"
}

impl Server {
    /// Every network, those of the host too.
    #[must_use]
    pub fn networks(&self) -> Vec<Network> {
        self.read().networks.clone()
    }

    /// The leases of a network; `None` until they were seen once.
    #[must_use]
    pub fn leases(&self, network: &str) -> Option<Leases> {
        self.read().leases.get(network).cloned()
    }

    /// The certificates that it trusts.
    #[must_use]
    pub fn certificates(&self) -> Vec<Certificate> {
        self.read().certificates.clone()
    }

    /// Fetches the networks now.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn refresh_networks(&self) -> Result<(), Error> {
        let found = self.client().networks().await?;
        let mut seen = self.write();
        seen.managed_networks = found.iter().filter(|n| has_leases(n)).map(|n| n.name.clone()).collect();
        let managed = seen.managed_networks.clone();
        seen.leases.retain(|name, _| managed.contains(name));
        seen.networks = found;
        Ok(())
    }

    /// Fetches the leases of a network now, and gives them.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn refresh_leases(&self, network: &str) -> Result<Vec<Lease>, Error> {
        let leases = self.client().leases(network).await?;
        let seen = Leases { seen_at: Utc::now(), leases: leases.clone() };
        self.write().leases.insert(network.to_owned(), seen);
        Ok(leases)
    }

    /// Fetches the leases of every managed bridge now.
    ///
    /// # Errors
    /// Those of the client, at the first request that fails.
    pub(crate) async fn refresh_all_leases(&self) -> Result<(), Error> {
        let managed = self.read().managed_networks.clone();
        for network in managed {
            self.refresh_leases(&network).await?;
        }
        Ok(())
    }

    /// Fetches the certificates now.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn refresh_certificates(&self) -> Result<(), Error> {
        let found = self.client().certificates().await?;
        self.write().certificates = found;
        Ok(())
    }
}
