//! Images as they are stored, for administrators.

use vms_types::{ImageDetail, ImportImage, Operation, Page, PatchImage, PublishImage};

use crate::client::{ApiClient, Call, Conditional, PageQuery, query, segment};
use crate::error::ClientError;
use crate::transport::{Method, Transport};

fn image_path(image: &str) -> String {
    format!("/images/{}", segment(image))
}

/// What is said of an upload (`POST /images`) beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UploadQuery {
    /// The alias it shall have.
    pub alias: String,
    /// What it is, in words; the image's own words if absent.
    pub description: Option<String>,
    /// Whether the alias may be another image's until now.
    pub replace: bool,
    /// The servers that shall have it; all if empty.
    pub servers: Vec<String>,
    /// The name of the file, to be shown.
    pub filename: Option<String>,
}

impl UploadQuery {
    /// The path with its query, below the prefix.
    #[must_use]
    pub fn path(&self) -> String {
        let parameters = [
            ("alias", Some(self.alias.clone())),
            ("description", self.description.clone()),
            ("replace", self.replace.then(|| "true".to_owned())),
            ("servers", (!self.servers.is_empty()).then(|| self.servers.join(","))),
            ("filename", self.filename.clone()),
        ];
        query("/images", parameters)
    }
}

impl<T: Transport> ApiClient<T> {
    /// `GET /images/all`, with `If-None-Match` where an `etag` of an earlier answer is given.
    ///
    /// # Errors
    /// `forbidden`.
    pub async fn all_images(
        &self,
        page: &PageQuery,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<ImageDetail>>, ClientError> {
        self.conditional(Call::new(Method::Get, page.path("/images/all")), etag).await
    }

    /// `GET /images/{image}`, by alias or fingerprint.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `validation-failed` for what names several.
    pub async fn image(
        &self,
        image: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<ImageDetail>, ClientError> {
        self.conditional(Call::new(Method::Get, image_path(image)), etag).await
    }

    /// `POST /images/import`: one operation for each server.
    ///
    /// # Errors
    /// `forbidden`, `name-taken`, `validation-failed`, `server-unavailable`…
    pub async fn import_image(&self, request: &ImportImage) -> Result<Page<Operation>, ClientError> {
        self.call(Call::new(Method::Post, "/images/import").json(request)?).await
    }

    /// `POST /images/publish`: of a stopped machine, or of a snapshot.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `name-taken`, `validation-failed`, `wrong-state`, `machine-busy`…
    pub async fn publish_image(&self, request: &PublishImage) -> Result<Operation, ClientError> {
        self.call(Call::new(Method::Post, "/images/publish").json(request)?).await
    }

    /// `PATCH /images/{image}`, on every server that has it; with `if_match`, only if nobody changed it since.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `name-taken`, `precondition-failed`, `validation-failed`, `server-unavailable`…
    pub async fn edit_image(
        &self,
        image: &str,
        patch: &PatchImage,
        if_match: Option<&str>,
    ) -> Result<ImageDetail, ClientError> {
        let call = Call::new(Method::Patch, image_path(image))
            .json(patch)?
            .header("if-match", if_match.map(str::to_owned));
        self.call(call).await
    }

    /// `POST /images/{image}/refresh`: one operation for each server that has it.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `not-refreshable`, `server-unavailable`…
    pub async fn refresh_image(&self, image: &str) -> Result<Page<Operation>, ClientError> {
        self.call(Call::new(Method::Post, format!("{}/refresh", image_path(image)))).await
    }

    /// `DELETE /images/{image}`: one operation for each server that has it. With `force` also what machines need to be
    /// reset.
    ///
    /// # Errors
    /// `forbidden`, `not-found`, `in-use`, `server-unavailable`…
    pub async fn delete_image(&self, image: &str, force: bool) -> Result<Page<Operation>, ClientError> {
        let force = if force { "?force=true" } else { "" };
        self.call(Call::new(Method::Delete, format!("{}{force}", image_path(image)))).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_says_what_it_is_in_its_query() {
        let mut query = UploadQuery { alias: "debian/12".into(), ..UploadQuery::default() };
        assert_eq!(query.path(), "/images?alias=debian%2F12");
        query.replace = true;
        query.servers = vec!["lxd1".into(), "lxd2".into()];
        assert_eq!(query.path(), "/images?alias=debian%2F12&replace=true&servers=lxd1%2Clxd2");
    }
}
