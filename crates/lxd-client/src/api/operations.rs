//! Operations: `/1.0/operations`.

use std::{collections::BTreeMap, time::Duration};

use http::Method;
use lxd_api::{Operation, Outcome};

use crate::{
    client::{Client, NO_BODY},
    error::Error,
    operation::OperationHandle,
    path::ApiPath,
};

fn operations() -> ApiPath {
    ApiPath::root().at("operations")
}

fn operation(id: &str) -> Result<ApiPath, Error> {
    operations().name("operation id", id)
}

impl Client {
    /// `GET /1.0/operations?recursion=1`: all that LXD still knows, of every status.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn operations(&self) -> Result<Vec<Operation>, Error> {
        // LXD groups them by status: {"running": […], "success": […]}.
        let groups: Option<BTreeMap<String, Vec<Operation>>> =
            self.get(operations().recursion("1")).await?.value;
        Ok(groups.unwrap_or_default().into_values().flatten().collect())
    }

    /// `GET /1.0/operations/<id>`.
    ///
    /// # Errors
    /// [`Error::NotFound`] a few seconds after its end, and after a restart of the daemon.
    pub async fn operation(&self, id: &str) -> Result<Operation, Error> {
        Ok(self.get(operation(id)?).await?.value)
    }

    /// A handle for an operation that was begun earlier, to wait for it or cancel it (`GET` as above).
    ///
    /// # Errors
    /// [`Error::NotFound`] as above.
    pub async fn operation_handle(&self, id: &str) -> Result<OperationHandle, Error> {
        Ok(OperationHandle::new(self.clone(), self.operation(id).await?))
    }

    /// `DELETE /1.0/operations/<id>`: asks LXD to cancel it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Api`] if it cannot be cancelled (most cannot).
    pub async fn cancel_operation(&self, id: &str) -> Result<(), Error> {
        self.change(Method::DELETE, operation(id)?, NO_BODY, None).await
    }

    /// `GET /1.0/operations/<id>/wait?timeout=…`: LXD answers when it has ended or `timeout` (whole seconds)
    /// is over, whichever is first. [`OperationHandle::wait`] needs this only when there are no events.
    ///
    /// # Errors
    /// [`Error::NotFound`]; a failed operation's message may come as [`Error::Api`].
    pub async fn wait_operation(&self, id: &str, timeout: Duration) -> Result<Operation, Error> {
        let path = operation(id)?.at("wait").query("timeout", &timeout.as_secs().to_string());
        let name = path.path().to_owned();
        let request = self.patient_request(Method::GET, path, timeout);
        let decode = |reason: String| Error::Decode { path: name, reason };
        match self.call(request).await?.0 {
            Outcome::Sync(metadata) => {
                serde_json::from_value(metadata).map_err(|error| decode(error.to_string()))
            }
            _ => Err(decode("an operation in place of a result".into())),
        }
    }
}
