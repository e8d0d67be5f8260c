//! Storage pools: `/1.0/storage-pools`. Extension `storage`.

use lxd_api::{StoragePool, StoragePoolResources};

use crate::{
    client::{Client, Tagged},
    error::Error,
    path::ApiPath,
};

fn pools() -> ApiPath {
    ApiPath::root().at("storage-pools")
}

fn pool(name: &str) -> Result<ApiPath, Error> {
    pools().name("storage pool name", name)
}

impl Client {
    /// `GET /1.0/storage-pools?recursion=1`.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn storage_pools(&self) -> Result<Vec<StoragePool>, Error> {
        self.list(pools().recursion("1")).await
    }

    /// `GET /1.0/storage-pools/<name>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn storage_pool(&self, name: &str) -> Result<Tagged<StoragePool>, Error> {
        self.get(pool(name)?).await
    }

    /// `GET /1.0/storage-pools/<name>/resources`: space used and in all, on one cluster member with `target`.
    /// Extension `resources`; `target` needs `clustering`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn storage_pool_resources(
        &self,
        name: &str,
        target: Option<&str>,
    ) -> Result<StoragePoolResources, Error> {
        Ok(self.get(pool(name)?.at("resources").target(target)).await?.value)
    }
}
