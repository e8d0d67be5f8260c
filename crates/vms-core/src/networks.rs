//! Networks and certificates of a server, for administrators. Looked at from memory; a change is sent to LXD at once,
//! because it is done when LXD answers, and the mirror is brought up to date before we answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use lxd_api::{CertificatesPost, Network, NetworkPut};
use vms_authz::{
    Allowed, Fleet,
    action::{ManageCertificates, ManageNetworks, ViewServers},
};
use vms_fleet::{InstanceView, Server};
use vms_types::network::{Subnet, check_ranges, format_ranges, parse_ranges};
use vms_types::{
    AddressFamily, AddressRange, CertificateAdded, CertificateView, LeaseView, MachineRef, NetworkView,
    NewCertificate, PatchNetwork,
};

use crate::error::CoreError;
use crate::vms::Vms;

const ADDRESS: &str = "ipv4.address";
const RANGES: &str = "ipv4.dhcp.ranges";
/// How often LXD is asked to change a network whose DHCP server has not let go of its address.
const TRIES: u32 = 3;
/// How long it is given for that.
const LET_GO: Duration = Duration::from_secs(1);
/// Longest name of a certificate, in characters.
const MAX_NAME: usize = 63;

impl Vms {
    /// A server's networks, by name; those that LXD manages first.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for a server that is not in the configuration; so below.
    pub async fn networks(
        &self,
        _proof: &Allowed<Fleet, ViewServers>,
        server: &str,
    ) -> Result<Vec<NetworkView>, CoreError> {
        let server = self.known_server(server)?;
        let mut networks: Vec<NetworkView> =
            server.networks().iter().map(|network| network_view(server, network)).collect();
        networks.sort_by(|a, b| b.managed.cmp(&a.managed).then_with(|| a.name.cmp(&b.name)));
        Ok(networks)
    }

    /// One network.
    ///
    /// # Errors
    /// [`CoreError::NotFound`], also for the network.
    pub async fn network(
        &self,
        _proof: &Allowed<Fleet, ViewServers>,
        server: &str,
        name: &str,
    ) -> Result<NetworkView, CoreError> {
        let server = self.known_server(server)?;
        Ok(network_view(server, &known_network(server, name)?))
    }

    /// The addresses that a network gave away, in no order.
    ///
    /// # Errors
    /// As for [`Vms::network`].
    pub async fn leases(
        &self,
        _proof: &Allowed<Fleet, ViewServers>,
        server: &str,
        network: &str,
    ) -> Result<Vec<LeaseView>, CoreError> {
        let server = self.known_server(server)?;
        known_network(server, network)?;
        let instances = server.instances();
        let seen = server.leases(network).map(|seen| seen.leases).unwrap_or_default();
        Ok(seen.into_iter().map(|lease| lease_view(lease, &instances)).collect())
    }

    /// Changes the addresses of a network. Machines that run keep theirs until they ask again.
    ///
    /// # Errors
    /// [`CoreError::Invalid`] for a network that is not LXD's and for ranges that do not fit; [`CoreError::InUse`] if a
    /// machine has a fixed address that would lie outside; what LXD says to it.
    pub async fn change_network(
        &self,
        _proof: &Allowed<Fleet, ManageNetworks>,
        server: &str,
        name: &str,
        patch: PatchNetwork,
    ) -> Result<NetworkView, CoreError> {
        let known = known_network(self.known_server(server)?, name)?;
        let server = self.answering_server(server)?;
        if !known.managed {
            let message = "cannot be set: the network belongs to the host";
            return Err(CoreError::invalid("ipv4_address", "not-managed", message));
        }
        // As it stands now, not as it was seen: what somebody else set a moment ago must stay.
        let now = server.client().network(name).await?;
        let mut put = now.value.to_put();
        if let Some(address) = patch.ipv4_address {
            put.config.insert(ADDRESS.to_owned(), address.trim().to_owned());
        }
        if let Some(ranges) = &patch.dhcp_ranges {
            put.config.insert(RANGES.to_owned(), format_ranges(ranges));
        }
        put.config.retain(|key, value| key != RANGES || !value.is_empty());
        let asked = patch.dhcp_ranges.as_deref();
        check(server, &Network { config: put.config.clone(), ..now.value }, asked)?;
        put_network(server, name, &put, now.etag.as_deref()).await?;
        reread(server, "the networks", server.refresh_networks().await);
        reread(server, "the leases", server.refresh_leases(name).await.map(drop));
        Ok(network_view(server, &known_network(server, name)?))
    }

    /// Whom a server trusts, by name.
    ///
    /// # Errors
    /// [`CoreError::NotFound`].
    pub async fn certificates(
        &self,
        _proof: &Allowed<Fleet, ViewServers>,
        server: &str,
    ) -> Result<Vec<CertificateView>, CoreError> {
        let server = self.known_server(server)?;
        let mut found: Vec<CertificateView> =
            server.certificates().into_iter().map(|one| certificate_view(server, one)).collect();
        found.sort_by(|a, b| (&a.name, &a.fingerprint).cmp(&(&b.name, &b.fingerprint)));
        Ok(found)
    }

    /// Adds a certificate to those that a server trusts or, if none is given, lets it make a token to add one with.
    ///
    /// # Errors
    /// [`CoreError::Invalid`] for a name or a text that cannot be used, and for a token where the server is too old for
    /// them; [`CoreError::InUse`] if it is trusted already.
    pub async fn add_certificate(
        &self,
        _proof: &Allowed<Fleet, ManageCertificates>,
        server: &str,
        new: NewCertificate,
    ) -> Result<CertificateAdded, CoreError> {
        self.known_server(server)?;
        let name = check_name(&new.name)?;
        let server = self.answering_server(server)?;
        let Some(pem) = new.certificate else {
            return Ok(CertificateAdded {
                certificate: None,
                token: Some(issue_token(server, &name).await?),
            });
        };
        let body = lxd_client::certificate_body(&pem).ok_or_else(|| {
            CoreError::invalid(
                "certificate",
                "pem",
                "must be one certificate in PEM (-----BEGIN CERTIFICATE-----)",
            )
        })?;
        if find(server, &body).is_some() {
            return Err(CoreError::InUse("The server trusts this certificate already.".into()));
        }
        let post = CertificatesPost {
            name,
            kind: "client".into(),
            certificate: body.clone(),
            ..CertificatesPost::default()
        };
        match server.client().add_certificate(&post).await {
            Err(lxd_client::Error::Api { code: 400, message }) => {
                return Err(CoreError::invalid(
                    "certificate",
                    "refused",
                    format!("is refused by the server: {message}"),
                ));
            }
            other => other?,
        }
        reread(server, "the certificates", server.refresh_certificates().await);
        Ok(CertificateAdded { certificate: find(server, &body), token: None })
    }

    /// Ends a server's trust in a certificate.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; [`CoreError::InUse`] for our own.
    pub async fn delete_certificate(
        &self,
        _proof: &Allowed<Fleet, ManageCertificates>,
        server: &str,
        fingerprint: &str,
    ) -> Result<(), CoreError> {
        let known = self.known_server(server)?.certificates();
        let known = known.into_iter().find(|one| one.fingerprint == fingerprint);
        let known = known.ok_or(CoreError::NotFound("certificate"))?;
        let server = self.answering_server(server)?;
        if server.client().is_own(&known) {
            let why =
                "This system shows this certificate to the server, and could do nothing there without it.";
            return Err(CoreError::InUse(format!("{why} Give it another one in vms.toml first.")));
        }
        match server.client().delete_certificate(fingerprint).await {
            // Somebody was faster.
            Err(error) if error.is_not_found() => {}
            other => other?,
        }
        reread(server, "the certificates", server.refresh_certificates().await);
        Ok(())
    }

    /// A server of the configuration, whether it answers or not.
    fn known_server(&self, name: &str) -> Result<&Arc<Server>, CoreError> {
        self.parts.fleet.server(name).ok_or(CoreError::NotFound("server"))
    }
}

fn known_network(server: &Server, name: &str) -> Result<Network, CoreError> {
    server.networks().into_iter().find(|network| network.name == name).ok_or(CoreError::NotFound("network"))
}

/// The change is done; if the mirror cannot be renewed now, LXD's event does it a moment later.
fn reread(server: &Server, what: &str, result: Result<(), lxd_client::Error>) {
    if let Err(error) = result {
        tracing::warn!(server = server.name(), what, %error, "it could not be read again at once");
    }
}

fn network_view(server: &Server, network: &Network) -> NetworkView {
    let set =
        |key: &str| network.config.get(key).filter(|value| !value.is_empty() && *value != "none").cloned();
    let on_it = |view: &Arc<InstanceView>| {
        view.machine_id().is_some() && view.nics.iter().any(|nic| nic.network.as_ref() == Some(&network.name))
    };
    NetworkView {
        name: network.name.clone(),
        kind: network.kind.clone(),
        managed: network.managed,
        description: network.description.clone(),
        ipv4_address: set(ADDRESS),
        dhcp_ranges: network.config.get(RANGES).map(|text| parse_ranges(text)).unwrap_or_default(),
        ipv6_address: set("ipv6.address"),
        machines: u32::try_from(server.instances().iter().filter(|view| on_it(view)).count())
            .unwrap_or(u32::MAX),
    }
}

fn lease_view(lease: lxd_api::Lease, instances: &[Arc<InstanceView>]) -> LeaseView {
    let holds = |view: &&Arc<InstanceView>| {
        !lease.hwaddr.is_empty() && view.nics.iter().any(|nic| nic.hwaddr.eq_ignore_ascii_case(&lease.hwaddr))
    };
    let holder = instances.iter().find(holds);
    let v6 = lease.address.contains(':');
    LeaseView {
        family: if v6 { AddressFamily::Inet6 } else { AddressFamily::Inet },
        machine: holder.and_then(|view| {
            Some(MachineRef {
                id: view.machine_id()?,
                name: view.config.get(vms_fleet::keys::NAME).cloned().unwrap_or_default(),
                instance: view.name.clone(),
            })
        }),
        owner: holder.and_then(|view| view.config.get(vms_fleet::keys::OWNER).cloned()),
        address: lease.address,
        kind: lease.kind,
        hwaddr: lease.hwaddr,
        hostname: lease.hostname,
    }
}

/// Whether a network as it would be is one that can work; its ranges as they were asked for, or as they stand.
fn check(server: &Server, network: &Network, asked: Option<&[AddressRange]>) -> Result<(), CoreError> {
    let address = network.config.get(ADDRESS).map(String::as_str).unwrap_or_default();
    let Some(subnet) = Subnet::parse(address) else {
        let message = "must be the gateway and the size of a subnet, such as 10.99.0.1/18 (from /8 to /30)";
        return Err(CoreError::invalid("ipv4_address", "subnet", message));
    };
    let others = server.networks().into_iter().filter(|other| other.managed && other.name != network.name);
    for other in others {
        let theirs = other.config.get(ADDRESS).and_then(|text| Subnet::parse(text));
        if theirs.is_some_and(|theirs| theirs.overlaps(subnet)) {
            let message = format!("has addresses of the network {}", other.name);
            return Err(CoreError::invalid("ipv4_address", "overlap", message));
        }
    }
    let stand = || network.config.get(RANGES).map(|text| parse_ranges(text)).unwrap_or_default();
    let errors = check_ranges(subnet, &asked.map_or_else(stand, <[_]>::to_vec));
    if !errors.is_empty() {
        return Err(CoreError::Invalid(errors));
    }
    for view in server.instances() {
        let on_it = view.nics.iter().filter(|nic| nic.network.as_ref() == Some(&network.name));
        let outside = on_it.flat_map(|nic| &nic.fixed).find(|address| match address {
            IpAddr::V4(address) => !subnet.has_host(*address),
            IpAddr::V6(_) => false,
        });
        if let Some(outside) = outside {
            return Err(CoreError::InUse(format!(
                "The machine {} has the fixed address {outside}, which would lie outside of the network. Change that first.",
                view.name
            )));
        }
    }
    Ok(())
}

fn certificate_view(server: &Server, one: lxd_api::Certificate) -> CertificateView {
    CertificateView {
        own: server.client().is_own(&one),
        fingerprint: one.fingerprint,
        name: one.name,
        kind: one.kind,
        restricted: one.restricted,
        projects: one.projects,
    }
}

/// The trusted certificate with this body.
fn find(server: &Server, body: &str) -> Option<CertificateView> {
    let all = server.certificates();
    let same =
        |one: &lxd_api::Certificate| lxd_client::certificate_body(&one.certificate).as_deref() == Some(body);
    all.into_iter().find(same).map(|one| certificate_view(server, one))
}

async fn issue_token(server: &Server, name: &str) -> Result<String, CoreError> {
    match server.client().issue_token(name).await {
        Ok(token) => Ok(token),
        Err(lxd_client::Error::MissingExtension(_)) => {
            let message = "must be sent: the server is too old to make tokens";
            Err(CoreError::invalid("certificate", "required", message))
        }
        // One that does not listen on the network has nobody to give a token to.
        Err(lxd_client::Error::Api { code: 400, message }) => {
            let message = format!("must be sent, because the server makes no token: {message}");
            Err(CoreError::invalid("certificate", "required", message))
        }
        Err(error) => Err(error.into()),
    }
}

fn check_name(name: &str) -> Result<String, CoreError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(CoreError::invalid("name", "length", "must have 1 to 63 characters"));
    }
    Ok(name.to_owned())
}
/// Replaces a network's configuration. LXD kills its DHCP server and starts the next a tenth of a second later; on a busy
/// machine the old one still holds the address, LXD puts everything back and answers 500. The same is then asked again.
async fn put_network(
    server: &Server,
    name: &str,
    put: &NetworkPut,
    if_match: Option<&str>,
) -> Result<(), lxd_client::Error> {
    let mut tries = 1;
    loop {
        let answer = server.client().update_network(name, put, if_match).await;
        match answer {
            Err(lxd_client::Error::Api { code: 500, message })
                if tries < TRIES && message.contains("Address already in use") =>
            {
                tracing::warn!(server = server.name(), network = name, %message, "asking once more");
                tries += 1;
                tokio::time::sleep(LET_GO).await;
            }
            other => return other,
        }
    }
}
