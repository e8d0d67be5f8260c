//! The servers and how everything is, for administrators; and what one machine used lately, for its owner.

use vms_types::{
    CertificateAdded, CertificateView, LeaseView, MachineUsage, NetworkView, NewCertificate, Overview, Page,
    PatchNetwork, ServerUsage, ServerView,
};

use crate::client::{ApiClient, Call, Conditional, PageQuery, query, segment};
use crate::error::ClientError;
use crate::transport::{Method, Transport};

impl<T: Transport> ApiClient<T> {
    /// `GET /overview`, with `If-None-Match` where an `etag` of an earlier answer is given; so below.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn overview(&self, etag: Option<&str>) -> Result<Conditional<Overview>, ClientError> {
        self.conditional(Call::new(Method::Get, "/overview"), etag).await
    }

    /// `GET /overview/history`, of one server or of each.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn overview_history(
        &self,
        server: Option<&str>,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<ServerUsage>>, ClientError> {
        let path = query("/overview/history", [("server", server.map(str::to_owned))]);
        self.conditional(Call::new(Method::Get, path), etag).await
    }

    /// `GET /servers`.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn servers(&self, etag: Option<&str>) -> Result<Conditional<Page<ServerView>>, ClientError> {
        self.conditional(Call::new(Method::Get, "/servers"), etag).await
    }

    /// `GET /machines/{machine}/usage`.
    ///
    /// # Errors
    /// `not-found`.
    pub async fn machine_usage(
        &self,
        machine: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<MachineUsage>, ClientError> {
        let path = format!("/machines/{}/usage", segment(machine));
        self.conditional(Call::new(Method::Get, path), etag).await
    }
}

fn server_path(server: &str, rest: &str) -> String {
    format!("/servers/{}{rest}", segment(server))
}

fn network_path(server: &str, network: &str, rest: &str) -> String {
    server_path(server, &format!("/networks/{}{rest}", segment(network)))
}

impl<T: Transport> ApiClient<T> {
    /// `GET /servers/{server}/networks`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn networks(
        &self,
        server: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<NetworkView>>, ClientError> {
        self.conditional(Call::new(Method::Get, server_path(server, "/networks")), etag).await
    }

    /// `GET /servers/{server}/networks/{network}`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn network(
        &self,
        server: &str,
        network: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<NetworkView>, ClientError> {
        self.conditional(Call::new(Method::Get, network_path(server, network, "")), etag).await
    }

    /// `PATCH /servers/{server}/networks/{network}`; with `if_match`, only if nobody changed it since.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `in-use`, `precondition-failed`, `validation-failed`, `server-unavailable`…
    pub async fn patch_network(
        &self,
        server: &str,
        network: &str,
        patch: &PatchNetwork,
        if_match: Option<&str>,
    ) -> Result<NetworkView, ClientError> {
        let call = Call::new(Method::Patch, network_path(server, network, ""))
            .json(patch)?
            .header("if-match", if_match.map(str::to_owned));
        self.call(call).await
    }

    /// `GET /servers/{server}/networks/{network}/leases`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn leases(
        &self,
        server: &str,
        network: &str,
        page: &PageQuery,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<LeaseView>>, ClientError> {
        let path = page.path(&network_path(server, network, "/leases"));
        self.conditional(Call::new(Method::Get, path), etag).await
    }

    /// `GET /servers/{server}/certificates`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn certificates(
        &self,
        server: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<CertificateView>>, ClientError> {
        self.conditional(Call::new(Method::Get, server_path(server, "/certificates")), etag).await
    }

    /// `POST /servers/{server}/certificates`: the one that is sent, or a token to add one with.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `in-use`, `validation-failed`, `server-unavailable`…
    pub async fn add_certificate(
        &self,
        server: &str,
        new: &NewCertificate,
    ) -> Result<CertificateAdded, ClientError> {
        self.call(Call::new(Method::Post, server_path(server, "/certificates")).json(new)?).await
    }

    /// `DELETE /servers/{server}/certificates/{fingerprint}`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `in-use` for this system's own, `server-unavailable`…
    pub async fn delete_certificate(&self, server: &str, fingerprint: &str) -> Result<(), ClientError> {
        let path = server_path(server, &format!("/certificates/{}", segment(fingerprint)));
        self.send_authorized(&Call::new(Method::Delete, path)).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        assert_eq!(network_path("a/b", "c d", "/leases"), "/servers/a%2Fb/networks/c%20d/leases");
    }
}
