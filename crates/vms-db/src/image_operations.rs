//! Operations that are about an image and no machine.

use serde_json::Value;
use uuid::Uuid;
use vms_authz::action::ManageImages;
use vms_authz::{Allowed, Catalog};
use vms_types::OperationKind;

use crate::datastore::Datastore;
use crate::error::BeginError;
use crate::idempotency::{self, IdempotencyKey};
use crate::operations::{NewOperation, OperationRow, insert};

/// An operation on an image, to be written down, pending.
#[derive(Debug, Clone, PartialEq)]
pub struct NewImageOperation {
    /// Identity.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// The server that shall do the work.
    pub server: String,
    /// What is asked for, in detail.
    pub params: Value,
}

impl Datastore {
    /// Writes down an operation on an image. It belongs to who asks for it.
    ///
    /// # Errors
    /// [`BeginError`]; nothing was written then.
    pub async fn begin_image_operation(
        &self,
        proof: &Allowed<Catalog, ManageImages>,
        new: NewImageOperation,
        key: Option<IdempotencyKey>,
    ) -> Result<OperationRow, BeginError> {
        let username = proof.actor().username().to_owned();
        self.write(move |conn| {
            if let Some(key) = &key {
                match idempotency::find(conn, &username, key)? {
                    None => {}
                    Some(Ok(id)) => return Err(BeginError::Replay(id)),
                    Some(Err(())) => return Err(BeginError::KeyReused),
                }
            }
            let NewImageOperation { id, kind, server, params } = new;
            let operation = NewOperation {
                id,
                kind,
                machine_id: None,
                machine_name: String::new(),
                instance: String::new(),
                owner: username.clone(),
                requested_by: username,
                server,
                params,
            };
            let operation = insert(conn, operation)?;
            if let Some(key) = key {
                idempotency::insert(conn, &operation.requested_by, key, operation.id)?;
            }
            Ok(operation)
        })
        .await
    }
}
