//! Images: fetched, uploaded, published, refreshed, removed.
//!
//! What a job of ours made is known by a property that names the operation, as instances are by a key: after a crash the
//! image is found by it and only what is missing is done.

use lxd_api::{Config, Image, ImageAliasEntry, ImageAliasPut, ImageSource, ImagesPost};
use lxd_client::{Error, ImageUpload, OperationHandle};
use vms_fleet::keys;
use vms_types::ProblemCode;

use super::steps::{Failure, Job};

/// What an image is in words, among its properties.
const DESCRIPTION: &str = "description";

impl Job<'_> {
    /// Gets an image from a browser or from another image server, and gives it its alias.
    pub async fn import_image(&self) -> Result<(), Failure> {
        let fingerprint = match self.made_earlier().await? {
            Some(image) => image.fingerprint,
            None if self.text("url").is_empty() => self.receive_image().await?,
            None => self.fetch_image().await?,
        };
        self.give_alias(&fingerprint).await
    }

    /// Makes an image of the machine or of its snapshot, and gives it its alias.
    pub async fn publish_image(&self) -> Result<(), Failure> {
        let fingerprint = match self.made_earlier().await? {
            Some(image) => image.fingerprint,
            None => self.export_machine().await?,
        };
        self.give_alias(&fingerprint).await
    }

    /// Brings an image up to date. `earlier` is how LXD says that an earlier run's order ended.
    pub async fn refresh_image(&self, earlier: Option<Result<(), Failure>>) -> Result<(), Failure> {
        if let Some(end) = earlier {
            return end;
        }
        let fingerprint = self.text("fingerprint");
        match self.image(fingerprint).await? {
            Some(_) => {
                self.send("Looking for a newer image", || self.client().refresh_image(fingerprint)).await
            }
            // A newer one took its place.
            None if self.resumed => Ok(()),
            None => Err(Failure::new(ProblemCode::NotFound, "The image no longer exists on the server.")),
        }
    }

    /// Removes an image with its aliases.
    pub async fn delete_image(&self) -> Result<(), Failure> {
        let fingerprint = self.text("fingerprint");
        if self.image(fingerprint).await?.is_none() {
            return Ok(());
        }
        match self.send("Deleting the image", || self.client().delete_image(fingerprint)).await {
            Err(Failure::Failed { .. }) if self.image(fingerprint).await?.is_none() => Ok(()),
            end => end,
        }
    }

    async fn image(&self, fingerprint: &str) -> Result<Option<Image>, Failure> {
        match self.client().image(fingerprint).await {
            Ok(image) => Ok(Some(image.value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Failure::Away(error)),
        }
    }

    /// The image that an earlier run of this job made.
    async fn made_earlier(&self) -> Result<Option<Image>, Failure> {
        if !self.resumed {
            return Ok(None);
        }
        let id = self.row.id.to_string();
        let ours =
            |image: &Image| image.properties.get(keys::OPERATION).is_some_and(|made_by| *made_by == id);
        Ok(self.client().images().await.map_err(Failure::Away)?.into_iter().find(ours))
    }

    /// Properties that the new image gets beside its own.
    fn properties(&self) -> Config {
        let mut properties = Config::from([(keys::OPERATION.to_owned(), self.row.id.to_string())]);
        let description = self.text(DESCRIPTION);
        if !description.is_empty() {
            properties.insert(DESCRIPTION.to_owned(), description.to_owned());
        }
        properties
    }

    /// Hands an upload on to LXD, piece by piece.
    async fn receive_image(&self) -> Result<String, Failure> {
        let Some((lane, cancelled)) = self.vms.parts.jobs.receive(self.row.id) else {
            return Err(Failure::new(
                ProblemCode::InvalidImage,
                "The system was interrupted before it had the whole image. Upload it again.",
            ));
        };
        let (pieces, broken) = watched(lane.pieces());
        let upload = ImageUpload::new(pieces, self.text("filename"))
            .content_type(self.text("content_type"))
            .properties(self.properties());
        let command = async {
            let begun = tokio::select! {
                begun = self.client().import_image(upload) => begun,
                () = cancelled.cancelled() => Err(Error::Cancelled { id: self.row.id.to_string() }),
            };
            self.vms.parts.jobs.received(self.row.id);
            begun
        };
        let end = self.made("Receiving the image", command).await;
        // Whoever sent it closed the connection; LXD forgets what it had got.
        let broken = broken.load(std::sync::atomic::Ordering::Relaxed);
        if broken && end.is_err() { Err(Failure::Cancelled) } else { end.map_err(readable) }
    }

    /// Has LXD fetch it from another image server.
    async fn fetch_image(&self) -> Result<String, Failure> {
        let request = ImagesPost {
            source: ImageSource {
                kind: "image".into(),
                mode: "pull".into(),
                server: self.text("url").to_owned(),
                protocol: "simplestreams".into(),
                alias: self.text("source_alias").to_owned(),
                ..ImageSource::default()
            },
            auto_update: self.flag("auto_update"),
            properties: self.properties(),
            ..ImagesPost::default()
        };
        self.made("Fetching the image", self.client().create_image(&request)).await
    }

    /// Has LXD pack the machine or its snapshot.
    async fn export_machine(&self) -> Result<String, Failure> {
        self.existing().await?;
        let snapshot = self.text("snapshot");
        let source = if snapshot.is_empty() {
            ImageSource { kind: "instance".into(), name: self.row.instance.clone(), ..ImageSource::default() }
        } else {
            let name = format!("{}/{snapshot}", self.row.instance);
            ImageSource { kind: "snapshot".into(), name, ..ImageSource::default() }
        };
        // What the machine's own image said of itself (system, release) is true of the new one, too.
        let machine = self.client().instance(&self.row.instance).await.map_err(Failure::Away)?.value;
        let mut properties: Config = machine
            .config
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("image.")?.to_owned(), value.clone())))
            .collect();
        properties.extend(self.properties());
        let request = ImagesPost { source, properties, ..ImagesPost::default() };
        self.made("Packing the machine", self.client().create_image(&request)).await
    }

    /// Sends a command that makes an image, and gives its fingerprint.
    async fn made(
        &self,
        message: &str,
        command: impl Future<Output = Result<OperationHandle, Error>>,
    ) -> Result<String, Failure> {
        let ended = self.send_once(message, command).await?;
        let fingerprint = ended.metadata.get("fingerprint").and_then(|value| value.as_str());
        // Nothing says so, but it was made: the next run finds it.
        let nameless = || {
            Failure::Away(Error::OperationFailed { id: ended.id.clone(), message: "no fingerprint".into() })
        };
        fingerprint.map(str::to_owned).ok_or_else(nameless)
    }

    /// Points the alias at the image.
    async fn give_alias(&self, fingerprint: &str) -> Result<(), Failure> {
        let alias = self.text("image");
        let away = |error: Error| Failure::Away(error);
        let now = match self.client().image_alias(alias).await {
            Ok(now) => Some(now),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(away(error)),
        };
        let target = fingerprint.to_owned();
        match now {
            Some(now) if now.value.target == fingerprint => Ok(()),
            Some(now) if self.flag("replace") => {
                let update = ImageAliasPut { description: now.value.description, target };
                self.client().update_image_alias(alias, &update, now.etag.as_deref()).await.map_err(away)
            }
            Some(_) => Err(Failure::new(
                ProblemCode::NameTaken,
                format!(
                    "The image is on the server (fingerprint {}), but the alias \"{alias}\" was given to another one \
                     meanwhile. Give it an alias of its own.",
                    fingerprint.get(..12).unwrap_or(fingerprint)
                ),
            )),
            None => {
                let entry = ImageAliasEntry { name: alias.to_owned(), target, ..ImageAliasEntry::default() };
                self.client().create_image_alias(&entry).await.map_err(away)
            }
        }
    }
}

/// The same pieces, and whether one of them was an error.
fn watched<S>(
    pieces: S,
) -> (impl futures::Stream<Item = S::Item> + Send + 'static, std::sync::Arc<std::sync::atomic::AtomicBool>)
where
    S: futures::Stream<Item = Result<bytes::Bytes, std::io::Error>> + Send + 'static,
{
    use futures::StreamExt as _;
    let broken = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = std::sync::Arc::clone(&broken);
    let pieces = pieces.inspect(move |piece| {
        if piece.is_err() {
            seen.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    (pieces, broken)
}

/// What LXD says of an upload it cannot use, for people who make images.
fn readable(failure: Failure) -> Failure {
    let Failure::Failed { code: ProblemCode::ServerError, message } = failure else { return failure };
    let has = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let what = if has(&["same fingerprint already exists", "already exists"]) {
        let message = "The server has this very image already. Give that one the alias, or delete it first.";
        return Failure::new(ProblemCode::NameTaken, message);
    } else if has(&["no space left"]) {
        return Failure::Failed { code: ProblemCode::ServerError, message };
    } else if has(&["Unsupported compression", "not a tar", "magic"]) {
        "The file is no tarball that LXD can open (tar, packed with gzip, xz, bzip2 or zstd)"
    } else if has(&["metadata.yaml", "metadata tarball", "Metadata tarball"]) {
        "The tarball has no metadata.yaml that LXD can read at its top"
    } else if has(&["multipart"]) {
        "A split image needs two files: its metadata first, then its root file system"
    } else if has(&["unexpected EOF", "Unexpected EOF", "truncated", "unexpected end"]) {
        "The tarball is cut short"
    } else {
        "LXD cannot use this file as an image"
    };
    Failure::new(ProblemCode::InvalidImage, format!("{what}. LXD says: {message}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    #[test]
    fn lxds_words_become_readable() {
        for (said, begins) in [
            ("Unsupported compression", "The file is no tarball"),
            ("Metadata tarball is missing metadata.yaml", "The tarball has no metadata.yaml"),
            ("Invalid multipart image", "A split image needs two files"),
            ("Unable to read the image: unexpected EOF", "The tarball is cut short"),
            ("something new", "LXD cannot use this file"),
        ] {
            let Failure::Failed { code: ProblemCode::InvalidImage, message } =
                readable(Failure::new(ProblemCode::ServerError, said))
            else {
                panic!("{said}")
            };
            assert!(message.starts_with(begins) && message.ends_with(said), "{message}");
        }
        let full = readable(Failure::new(ProblemCode::ServerError, "write: no space left on device"));
        assert!(matches!(full, Failure::Failed { code: ProblemCode::ServerError, .. }), "{full}");
    }
}
