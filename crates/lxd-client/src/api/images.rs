//! Images and aliases: `/1.0/images`, `/1.0/images/aliases`.

use bytes::Bytes;
use futures::{Stream, stream::BoxStream};
use http::{HeaderName, HeaderValue, Method};
use lxd_api::{Config, Image, ImageAliasEntry, ImageAliasPut, ImagePut, ImagesPost};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    client::{Client, NO_BODY, Tagged},
    error::{BoxError, Error},
    operation::OperationHandle,
    path::ApiPath,
    transport::{Body, byte_stream},
};

fn images() -> ApiPath {
    ApiPath::root().at("images")
}

fn image(fingerprint: &str) -> Result<ApiPath, Error> {
    images().name("image fingerprint", fingerprint)
}

fn aliases() -> ApiPath {
    images().at("aliases")
}

fn alias(name: &str) -> Result<ApiPath, Error> {
    aliases().name_with_slash("image alias", name)
}

/// An image to upload, in pieces, never whole in memory: one unified tarball (metadata.yaml and rootfs), or a
/// `multipart/form-data` body with the parts `metadata` and `rootfs`, in that order.
pub struct ImageUpload {
    bytes: BoxStream<'static, Result<Bytes, std::io::Error>>,
    content_type: String,
    filename: String,
    public: bool,
    properties: Config,
}

impl ImageUpload {
    /// From anything that gives bytes in pieces. `filename` is only shown.
    pub fn new<S, E>(bytes: S, filename: impl Into<String>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self {
            bytes: byte_stream(bytes),
            content_type: "application/octet-stream".into(),
            filename: filename.into(),
            public: false,
            properties: Config::new(),
        }
    }

    /// What the bytes are, where they are no unified tarball: `multipart/form-data; boundary=…`.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Properties that are added to those of the image's own metadata, or replace them.
    #[must_use]
    pub fn properties(mut self, properties: Config) -> Self {
        self.properties = properties;
        self
    }

    /// From memory, for small ones.
    pub fn from_bytes(bytes: impl Into<Bytes>, filename: impl Into<String>) -> Self {
        let bytes: Bytes = bytes.into();
        Self::new(futures::stream::iter([Ok::<_, std::io::Error>(bytes)]), filename)
    }

    /// Whether anyone may use it, even without a certificate. Not by default.
    #[must_use]
    pub fn public(mut self, public: bool) -> Self {
        self.public = public;
        self
    }
}

fn header(what: &'static str, text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(text).map_err(|_| Error::InvalidName {
        what,
        name: text.to_owned(),
        reason: "it cannot stand in a header",
    })
}

/// `key=value&…`, as the header with properties has them.
fn query_of(properties: &Config) -> String {
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs: Vec<String> =
        properties.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    pairs.join("&")
}

impl std::fmt::Debug for ImageUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImageUpload").field("filename", &self.filename).finish_non_exhaustive()
    }
}

impl Client {
    /// `GET /1.0/images?recursion=1`.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn images(&self) -> Result<Vec<Image>, Error> {
        self.list(images().recursion("1")).await
    }

    /// `GET /1.0/images/<fingerprint>`; the beginning of the fingerprint is enough.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn image(&self, fingerprint: &str) -> Result<Tagged<Image>, Error> {
        self.get(image(fingerprint)?).await
    }

    /// The image behind an alias: `GET /1.0/images/aliases/<alias>`, then `GET /1.0/images/<target>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn image_by_alias(&self, name: &str) -> Result<Tagged<Image>, Error> {
        let entry = self.image_alias(name).await?.value;
        self.image(&entry.target).await
    }

    /// `POST /1.0/images` with a tarball as body. Its fingerprint is in the metadata of the ended operation
    /// (`fingerprint`). Takes as long as the upload takes ([`Timeouts::upload`](crate::Timeouts)).
    ///
    /// # Errors
    /// [`Error::Api`] for what is not an image; an image that is already there fails in the operation.
    pub async fn import_image(&self, upload: ImageUpload) -> Result<OperationHandle, Error> {
        let filename = header("file name", &upload.filename)?;
        let kind = header("content type", &upload.content_type)?;
        let public = HeaderValue::from_static(if upload.public { "1" } else { "0" });
        let path = images();
        let name = path.path().to_owned();
        let mut request = self.request(Method::POST, path);
        request.timeout = self.inner.transport.timeouts.upload;
        request.body = Body::Stream(kind, upload.bytes);
        // Incus renamed the headers; each ignores the other's.
        request.headers = vec![
            (HeaderName::from_static("x-lxd-filename"), filename.clone()),
            (HeaderName::from_static("x-incus-filename"), filename),
            (HeaderName::from_static("x-lxd-public"), public.clone()),
            (HeaderName::from_static("x-incus-public"), public),
        ];
        if !upload.properties.is_empty() {
            let properties = header("image property", &query_of(&upload.properties))?;
            request.headers.push((HeaderName::from_static("x-lxd-properties"), properties.clone()));
            request.headers.push((HeaderName::from_static("x-incus-properties"), properties));
        }
        self.command_request(request)
            .await?
            .ok_or(Error::Decode { path: name, reason: "a result in place of an operation".into() })
    }

    /// `POST /1.0/images` with a description of where to take it from: another server, or an instance here.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the source; what goes wrong later is in the operation.
    pub async fn create_image(&self, request: &ImagesPost) -> Result<OperationHandle, Error> {
        self.start(Method::POST, images(), Some(request), None).await
    }

    /// `PUT /1.0/images/<fingerprint>`: replaces its properties. Begin with [`Image::to_put`].
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag.
    pub async fn update_image(
        &self,
        fingerprint: &str,
        update: &ImagePut,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        self.change(Method::PUT, image(fingerprint)?, Some(update), if_match).await
    }

    /// `POST /1.0/images/<fingerprint>/refresh`: asks where it came from whether there is a newer one, which takes its
    /// place and its aliases then.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what goes wrong later is in the operation.
    pub async fn refresh_image(&self, fingerprint: &str) -> Result<OperationHandle, Error> {
        self.start(Method::POST, image(fingerprint)?.at("refresh"), NO_BODY, None).await
    }

    /// `DELETE /1.0/images/<fingerprint>`, with its aliases.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_image(&self, fingerprint: &str) -> Result<OperationHandle, Error> {
        self.start(Method::DELETE, image(fingerprint)?, NO_BODY, None).await
    }

    /// `GET /1.0/images/aliases?recursion=1`.
    ///
    /// # Errors
    /// Those of every request.
    pub async fn image_aliases(&self) -> Result<Vec<ImageAliasEntry>, Error> {
        self.list(aliases().recursion("1")).await
    }

    /// `GET /1.0/images/aliases/<alias>`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn image_alias(&self, name: &str) -> Result<Tagged<ImageAliasEntry>, Error> {
        self.get(alias(name)?).await
    }

    /// `POST /1.0/images/aliases`.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the alias is taken; [`Error::NotFound`] for the image.
    pub async fn create_image_alias(&self, entry: &ImageAliasEntry) -> Result<(), Error> {
        alias(&entry.name)?;
        self.change(Method::POST, aliases(), Some(entry), None).await
    }

    /// `PUT /1.0/images/aliases/<alias>`: points it at another image.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::PreconditionFailed`] if `if_match` is an old ETag.
    pub async fn update_image_alias(
        &self,
        name: &str,
        update: &ImageAliasPut,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        self.change(Method::PUT, alias(name)?, Some(update), if_match).await
    }

    /// `DELETE /1.0/images/aliases/<alias>`; the image stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_image_alias(&self, name: &str) -> Result<(), Error> {
        self.change(Method::DELETE, alias(name)?, NO_BODY, None).await
    }
}
