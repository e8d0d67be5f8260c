//! Profiles, and who may use them and the images, for administrators.

use vms_types::{Audience, CatalogKind, NewProfile, ProfileDetail, ProfileUpdate};

use crate::client::{ApiClient, Call, Conditional, segment};
use crate::error::ClientError;
use crate::transport::{Method, Transport};

fn profile_path(name: &str) -> String {
    format!("/profiles/{}", segment(name))
}

fn audience_path(kind: CatalogKind, name: &str) -> String {
    format!("/{}s/{}/audience", kind.as_str(), segment(name))
}

impl<T: Transport> ApiClient<T> {
    /// `GET /profiles/{profile}/audience` or `GET /images/{image}/audience`.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn audience(
        &self,
        kind: CatalogKind,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<Audience>, ClientError> {
        self.conditional(Call::new(Method::Get, audience_path(kind, name)), etag).await
    }

    /// `PUT /profiles/{profile}/audience` or `PUT /images/{image}/audience`, whole; with `if_match`, only if nobody
    /// changed it since.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `precondition-failed`, `validation-failed`.
    pub async fn put_audience(
        &self,
        kind: CatalogKind,
        name: &str,
        audience: &Audience,
        if_match: Option<&str>,
    ) -> Result<Audience, ClientError> {
        let call = Call::new(Method::Put, audience_path(kind, name))
            .json(audience)?
            .header("if-match", if_match.map(str::to_owned));
        self.call(call).await
    }

    /// `GET /profiles/{profile}`, with `If-None-Match` where an `etag` of an earlier answer is given.
    ///
    /// # Errors
    /// `forbidden`, `not-found`.
    pub async fn profile(
        &self,
        name: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<ProfileDetail>, ClientError> {
        self.conditional(Call::new(Method::Get, profile_path(name)), etag).await
    }

    /// `POST /profiles`, on every server.
    ///
    /// # Errors
    /// `forbidden`, `name-taken`, `validation-failed` with a field for each key that could harm the host,
    /// `server-unavailable`…
    pub async fn create_profile(&self, profile: &NewProfile) -> Result<ProfileDetail, ClientError> {
        self.call(Call::new(Method::Post, "/profiles").json(profile)?).await
    }

    /// `PUT /profiles/{profile}`, whole; with `if_match`, only if nobody changed it since.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `precondition-failed`, `validation-failed`, `server-unavailable`…
    pub async fn update_profile(
        &self,
        name: &str,
        update: &ProfileUpdate,
        if_match: Option<&str>,
    ) -> Result<ProfileDetail, ClientError> {
        let call = Call::new(Method::Put, profile_path(name))
            .json(update)?
            .header("if-match", if_match.map(str::to_owned));
        self.call(call).await
    }

    /// `DELETE /profiles/{profile}`, from every server.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `in-use`, `server-unavailable`…
    pub async fn delete_profile(&self, name: &str) -> Result<(), ClientError> {
        self.send_authorized(&Call::new(Method::Delete, profile_path(name))).await.map(|_| ())
    }
}
