//! Following an operation to its end, without polling.

use std::time::Duration;

use lxd_api::{Operation, StatusCode};
use tokio::{sync::broadcast::error::RecvError, time::Instant};

use crate::{client::Client, error::Error, hub::Subscription};

/// While events are waited for, the operation is asked for as well, first after the one, then every other: LXD answers
/// the request for its websocket a moment before it begins to send, so that an event in between reaches nobody. An ended operation can be asked for during 5 s.
const ASK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));

/// An operation under way on LXD. Dropping it changes nothing there: LXD goes on.
#[derive(Clone, Debug)]
pub struct OperationHandle {
    client: Client,
    operation: Operation,
}

impl OperationHandle {
    pub(crate) fn new(client: Client, operation: Operation) -> Self {
        Self { client, operation }
    }

    /// Its UUID.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.operation.id
    }

    /// Its state when the handle was made.
    #[must_use]
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Waits until it has ended, by events; one GET closes the gap before them, and a few more follow in case one is
    /// lost. Without an event stream it is LXD that waits (`GET /1.0/operations/<id>/wait`).
    ///
    /// # Errors
    /// * [`Error::OperationFailed`], [`Error::Cancelled`]: it ended, but not well.
    /// * [`Error::OperationLost`]: LXD forgot it (seconds after its end, or by a restart).
    /// * [`Error::Timeout`]: it goes on; `timeout` is over.
    /// * [`Error::Unreachable`]: LXD went away meanwhile.
    pub async fn wait(&self, timeout: Duration) -> Result<Operation, Error> {
        self.wait_observed(timeout, |_| {}).await
    }

    /// As [`OperationHandle::wait`], and shows every state in between to `observe`, for progress.
    ///
    /// # Errors
    /// Those of [`OperationHandle::wait`].
    pub async fn wait_observed(
        &self,
        timeout: Duration,
        mut observe: impl FnMut(&Operation) + Send,
    ) -> Result<Operation, Error> {
        let deadline = Instant::now().checked_add(timeout);
        let end = async {
            if self.operation.is_final() {
                return Ok(self.operation.clone());
            }
            if let Some(operation) = self.end_by_events(&mut observe).await? {
                return Ok(operation);
            }
            self.end_by_waiting(deadline, &mut observe).await
        };
        let operation = match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, end).await.unwrap_or_else(|_| {
                Err(Error::Timeout {
                    endpoint: self.client.endpoint().to_owned(),
                    what: format!("operation {} ({})", self.id(), self.operation.description),
                    after: timeout,
                })
            })?,
            None => end.await?,
        };
        match operation.status_code {
            StatusCode::CANCELLED => Err(Error::Cancelled { id: operation.id }),
            code if code.is_success() => Ok(operation),
            _ => Err(Error::OperationFailed { id: operation.id, message: operation.err }),
        }
    }

    /// Asks LXD to cancel it: `DELETE /1.0/operations/<id>`. That it was cancelled shows in
    /// [`OperationHandle::wait`].
    ///
    /// # Errors
    /// [`Error::Api`] if it cannot be cancelled (most cannot; see `may_cancel`), [`Error::NotFound`] if it
    /// has ended.
    pub async fn cancel(&self) -> Result<(), Error> {
        self.client.cancel_operation(self.id()).await
    }

    /// `None` if the events were lost (or could not be had) before the end.
    async fn end_by_events(
        &self,
        observe: &mut (impl FnMut(&Operation) + Send),
    ) -> Result<Option<Operation>, Error> {
        let mut subscription = self.client.inner.hub.subscribe();
        if !subscription.connected().await {
            return Ok(None);
        }
        // Subscribed first, asked afterwards: whatever the answer does not show yet comes as an event.
        let now = self.refresh().await?;
        observe(&now);
        if now.is_final() {
            return Ok(Some(now));
        }
        let mut pause = ASK.0;
        loop {
            let now = match tokio::time::timeout(pause, self.next_event(&mut subscription)).await {
                Ok(Ok(operation)) => operation,
                Ok(Err(RecvError::Closed)) => return Ok(None),
                Ok(Err(RecvError::Lagged(_))) => self.refresh().await?,
                Err(_silent) => {
                    pause = ASK.1;
                    self.refresh().await?
                }
            };
            observe(&now);
            if now.is_final() {
                return Ok(Some(now));
            }
        }
    }

    async fn next_event(&self, subscription: &mut Subscription) -> Result<Operation, RecvError> {
        loop {
            let operation = subscription.operations.recv().await?;
            if operation.id == self.operation.id {
                return Ok((*operation).clone());
            }
        }
    }

    /// Lets LXD wait, in requests of at most 30 s.
    async fn end_by_waiting(
        &self,
        deadline: Option<Instant>,
        observe: &mut (impl FnMut(&Operation) + Send),
    ) -> Result<Operation, Error> {
        const STEP: Duration = Duration::from_secs(30);
        loop {
            let left = deadline.map_or(STEP, |end| end.saturating_duration_since(Instant::now()).min(STEP));
            let waited = self.client.wait_operation(self.id(), left.max(Duration::from_secs(1))).await;
            // A failed operation's own message can come as an error here: only its state says how it ended.
            let now = self.refresh().await?;
            observe(&now);
            if now.is_final() {
                return Ok(now);
            }
            match waited {
                Ok(_) => {}
                // Incus says so where LXD shows the operation still running: the step is over, nothing more.
                Err(Error::Api { code: 500, message }) if message.contains("context deadline exceeded") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The state now, from LXD or, if LXD has forgotten it, from what the events told.
    async fn refresh(&self) -> Result<Operation, Error> {
        match self.client.operation(self.id()).await {
            Err(Error::NotFound { .. }) => self
                .client
                .inner
                .hub
                .ended(self.id())
                .ok_or_else(|| Error::OperationLost { id: self.id().to_owned() }),
            other => other,
        }
    }
}
