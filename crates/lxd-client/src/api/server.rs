//! The daemon: `/1.0`, `/1.0/resources`, `/1.0/metrics`.

use http::Method;
use lxd_api::{Resources, ServerInfo};

use crate::{client::Client, error::Error, path::ApiPath};

impl Client {
    /// `GET /1.0`: versions, extensions, whether LXD trusts us. Works without trust, with less in it.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Timeout`], [`Error::Untrusted`] if the server's certificate is not
    /// the pinned one.
    pub async fn server_info(&self) -> Result<ServerInfo, Error> {
        let info: ServerInfo = self.get(ApiPath::root()).await?.value;
        self.remember_extensions(&info);
        Ok(info)
    }

    /// `GET /1.0` again, for those who need to be trusted.
    ///
    /// # Errors
    /// [`Error::Untrusted`] if LXD does not know our certificate; those of [`Client::server_info`].
    pub async fn check_trusted(&self) -> Result<ServerInfo, Error> {
        let info = self.server_info().await?;
        if info.is_trusted() {
            return Ok(info);
        }
        Err(Error::from_refusal(
            self.endpoint(),
            "/1.0",
            403,
            "our certificate is not in its trust store".into(),
        ))
    }

    /// `GET /1.0/resources`: CPUs, memory, disks; of one cluster member with `target`. Extension `resources`;
    /// `target` needs `clustering`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown member.
    pub async fn resources(&self, target: Option<&str>) -> Result<Resources, Error> {
        Ok(self.get(ApiPath::root().at("resources").target(target)).await?.value)
    }

    /// `GET /1.0/metrics`: CPU, memory, disk and network of every running instance, in OpenMetrics text; of one
    /// cluster member with `target` (without, of the one that answers). LXD keeps them for 8 s. Extension `metrics`.
    ///
    /// # Errors
    /// [`Error::MissingExtension`] before LXD 4.19.
    pub async fn metrics(&self, target: Option<&str>) -> Result<String, Error> {
        self.require_extension("metrics").await?;
        let path = ApiPath::root().at("metrics").target(target);
        let name = path.path().to_owned();
        let reply = self.send(self.request(Method::GET, path)).await?;
        String::from_utf8(reply.body.into())
            .map_err(|error| Error::Decode { path: name, reason: error.to_string() })
    }
}
