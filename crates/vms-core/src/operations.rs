//! What became of commands: look, wait, cancel.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;
use vms_authz::{
    Allowed, OperationTarget, PersonTarget, Sight,
    action::{CancelOperation, ListOperations, ViewOperation},
};
use vms_db::OperationRow;
use vms_types::{MachineRef, Operation, OperationError, OperationStatus, Page};

use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
    /// The facts about an operation that authorization needs.
    ///
    /// # Errors
    /// [`CoreError::NotFound`].
    pub async fn find_operation(&self, id: Uuid) -> Result<OperationTarget, CoreError> {
        self.parts.db.operation_target(id).await?.ok_or(CoreError::NotFound("operation"))
    }

    /// A person's operations, newest first.
    ///
    /// # Errors
    /// If the database fails or the cursor is none.
    pub async fn operations_of(
        &self,
        proof: &Allowed<PersonTarget, ListOperations>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<Operation>, CoreError> {
        Ok(self.show_page(self.parts.db.operations_of(proof, limit, cursor).await?))
    }

    /// The operations of everybody whom the actor may look at, newest first.
    ///
    /// # Errors
    /// If the database fails or the cursor is none.
    pub async fn all_operations(
        &self,
        sight: &Sight<ListOperations>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<Operation>, CoreError> {
        let db = &self.parts.db;
        Ok(self.show_page(match sight {
            Sight::Everyone(proof) => db.all_operations(proof, limit, cursor).await?,
            Sight::Students(proof) => db.operations_of_students(proof, limit, cursor).await?,
        }))
    }

    /// One operation.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] if it was cleaned away by now.
    pub async fn operation(
        &self,
        proof: &Allowed<OperationTarget, ViewOperation>,
    ) -> Result<Operation, CoreError> {
        self.operation_by_id(proof.resource().id).await
    }

    /// Waits until an operation has ended or the time is over, and shows it as it is then.
    ///
    /// # Errors
    /// As [`Vms::operation`].
    pub async fn wait_operation(
        &self,
        proof: &Allowed<OperationTarget, ViewOperation>,
        patience: Duration,
    ) -> Result<Operation, CoreError> {
        let id = proof.resource().id;
        let deadline = Instant::now() + patience;
        // Listen first, look afterwards: an end in between is not missed.
        let mut ended = self.parts.jobs.ended();
        loop {
            let operation = self.operation_by_id(id).await?;
            if operation.status.is_finished() {
                return Ok(operation);
            }
            loop {
                let news = tokio::select! {
                    news = timeout_at(deadline, ended.recv()) => news,
                    () = self.parts.jobs.stopping().cancelled() => return Ok(operation),
                };
                match news {
                    Ok(Ok(other)) if other != id => {}
                    Ok(Ok(_) | Err(RecvError::Lagged(_))) => break,
                    Ok(Err(RecvError::Closed)) | Err(_) => return self.operation_by_id(id).await,
                }
            }
        }
    }

    /// Stops an operation where LXD can, or where LXD has not been asked yet.
    ///
    /// # Errors
    /// [`CoreError::NotCancellable`].
    pub async fn cancel_operation(
        &self,
        proof: &Allowed<OperationTarget, CancelOperation>,
    ) -> Result<Operation, CoreError> {
        let id = proof.resource().id;
        let row = self.parts.db.operation_by_id(id).await?.ok_or(CoreError::NotFound("operation"))?;
        if row.status.is_finished() {
            return Err(CoreError::NotCancellable);
        }
        match row.lxd_operation {
            Some(lxd_operation) => {
                let client = self.answering_server(&row.server)?.client();
                let now = client.operation(&lxd_operation).await.map_err(|_| CoreError::NotCancellable)?;
                if !now.may_cancel {
                    return Err(CoreError::NotCancellable);
                }
                client.cancel_operation(&lxd_operation).await.map_err(|_| CoreError::NotCancellable)?;
            }
            None if self.parts.jobs.cancel_early(id) => {}
            None => return Err(CoreError::NotCancellable),
        }
        self.operation_by_id(id).await
    }

    pub(crate) async fn operation_by_id(&self, id: Uuid) -> Result<Operation, CoreError> {
        let row = self.parts.db.operation_by_id(id).await?.ok_or(CoreError::NotFound("operation"))?;
        Ok(self.parts.jobs.as_it_stands(show(row)))
    }

    fn show_page(&self, page: Page<OperationRow>) -> Page<Operation> {
        Page {
            items: page.items.into_iter().map(|row| self.parts.jobs.as_it_stands(show(row))).collect(),
            next_cursor: page.next_cursor,
        }
    }
}

/// A row as the API shows it.
pub(crate) fn show(row: OperationRow) -> Operation {
    let error = match (row.status, row.error_code) {
        (OperationStatus::Succeeded, _) | (_, None) => None,
        (_, Some(code)) => Some(OperationError { code, message: row.error_message.unwrap_or_default() }),
    };
    let image = row.params.get("image").and_then(serde_json::Value::as_str);
    Operation {
        image: image.filter(|_| row.kind.is_of_image()).map(str::to_owned),
        id: row.id,
        kind: row.kind,
        status: row.status,
        progress: row.progress,
        message: row.message,
        machine: row.machine_id.map(|id| MachineRef { id, name: row.machine_name, instance: row.instance }),
        requested_by: row.requested_by,
        server: row.server,
        created_at: row.created_at,
        updated_at: row.updated_at,
        finished_at: row.finished_at,
        error,
    }
}
