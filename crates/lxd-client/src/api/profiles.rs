//! Profiles: `/1.0/profiles`.

use http::Method;
use lxd_api::{Profile, ProfilePut};

use crate::{
    client::{Client, NO_BODY, Tagged},
    error::Error,
    path::ApiPath,
};

fn profiles() -> ApiPath {
    ApiPath::root().at("profiles")
}

fn profile(name: &str) -> Result<ApiPath, Error> {
    profiles().name("profile name", name)
}

/// Body of a rename.
#[derive(serde::Serialize)]
struct Rename<'a> {
    name: &'a str,
}

impl Client {
    /// `GET /1.0/profiles?recursion=1`.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn profiles(&self) -> Result<Vec<Profile>, Error> {
        self.list(profiles().recursion("1")).await
    }

    /// `GET /1.0/profiles/<name>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn profile(&self, name: &str) -> Result<Tagged<Profile>, Error> {
        self.get(profile(name)?).await
    }

    /// `POST /1.0/profiles`. `used_by` is not sent on.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the name is taken; [`Error::Api`] (400) for invalid configuration or devices.
    pub async fn create_profile(&self, request: &Profile) -> Result<(), Error> {
        profile(&request.name)?;
        let body = Profile { used_by: Vec::new(), ..request.clone() };
        self.change(Method::POST, profiles(), Some(&body), None).await
    }

    /// `PUT /1.0/profiles/<name>`: replaces it, for all instances that use it. Begin with [`Profile::to_put`].
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag.
    pub async fn update_profile(
        &self,
        name: &str,
        update: &ProfilePut,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        self.change(Method::PUT, profile(name)?, Some(update), if_match).await
    }

    /// `PATCH /1.0/profiles/<name>`: merges configuration and devices. Extension `patch`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag.
    pub async fn patch_profile(
        &self,
        name: &str,
        patch: &ProfilePut,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        self.change(Method::PATCH, profile(name)?, Some(patch), if_match).await
    }

    /// `POST /1.0/profiles/<name>`: renames it. The one called `default` cannot be.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if the new name is taken.
    pub async fn rename_profile(&self, name: &str, new_name: &str) -> Result<(), Error> {
        profile(new_name)?;
        self.change(Method::POST, profile(name)?, Some(&Rename { name: new_name }), None).await
    }

    /// `DELETE /1.0/profiles/<name>`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Api`] (400) while an instance uses it.
    pub async fn delete_profile(&self, name: &str) -> Result<(), Error> {
        self.change(Method::DELETE, profile(name)?, NO_BODY, None).await
    }
}
