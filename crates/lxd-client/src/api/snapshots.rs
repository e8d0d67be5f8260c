//! Snapshots: `/1.0/instances/<name>/snapshots`. To go back to one: [`Client::restore_snapshot`].

use http::Method;
use lxd_api::{Snapshot, SnapshotPut, SnapshotRename, SnapshotsPost};

use crate::{
    client::{Client, NO_BODY, Tagged},
    error::Error,
    operation::OperationHandle,
    path::ApiPath,
};

fn snapshots(instance: &str) -> Result<ApiPath, Error> {
    Ok(super::instances::instance(instance)?.at("snapshots"))
}

pub(super) fn snapshot(instance: &str, snapshot: &str) -> Result<ApiPath, Error> {
    snapshots(instance)?.name("snapshot name", snapshot)
}

impl Client {
    /// `GET /1.0/instances/<name>/snapshots?recursion=1`, oldest first.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the instance.
    pub async fn snapshots(&self, instance: &str) -> Result<Vec<Snapshot>, Error> {
        self.list(snapshots(instance)?.recursion("1")).await
    }

    /// `GET /1.0/instances/<name>/snapshots/<snapshot>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn snapshot(&self, instance: &str, name: &str) -> Result<Tagged<Snapshot>, Error> {
        self.get(snapshot(instance, name)?).await
    }

    /// `POST /1.0/instances/<name>/snapshots`: takes one. `expires_at` needs extension
    /// `snapshot_expiry_creation`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the instance; [`Error::Conflict`] if the name is taken (LXD 5.0: the
    /// operation fails).
    pub async fn create_snapshot(
        &self,
        instance: &str,
        request: &SnapshotsPost,
    ) -> Result<OperationHandle, Error> {
        if !request.name.is_empty() {
            snapshot(instance, &request.name)?;
        }
        self.start(Method::POST, snapshots(instance)?, Some(request), None).await
    }

    /// `PUT /1.0/instances/<name>/snapshots/<snapshot>`: sets when it expires. Extension `snapshot_expiry`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag.
    pub async fn update_snapshot(
        &self,
        instance: &str,
        name: &str,
        update: &SnapshotPut,
        if_match: Option<&str>,
    ) -> Result<OperationHandle, Error> {
        self.start(Method::PUT, snapshot(instance, name)?, Some(update), if_match).await
    }

    /// `POST /1.0/instances/<name>/snapshots/<snapshot>`: renames it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if the new name is taken.
    pub async fn rename_snapshot(
        &self,
        instance: &str,
        name: &str,
        new_name: &str,
    ) -> Result<OperationHandle, Error> {
        snapshot(instance, new_name)?;
        let body = SnapshotRename { name: new_name.to_owned() };
        self.start(Method::POST, snapshot(instance, name)?, Some(&body), None).await
    }

    /// `DELETE /1.0/instances/<name>/snapshots/<snapshot>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_snapshot(&self, instance: &str, name: &str) -> Result<OperationHandle, Error> {
        self.start(Method::DELETE, snapshot(instance, name)?, NO_BODY, None).await
    }
}
