//! Uploads to `/1.0/images`: a unified tarball, or its two halves as `multipart/form-data`.

use std::{io::Read, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use lxd_api::{Config, Image};
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::{
    api::images::store,
    engine::{Core, Plan},
    reply::{ApiRequest, Reply, sha256_hex},
};

/// Takes an upload; what is wrong with it shows in the operation, as it does on a real server.
pub(super) fn receive(core: &Arc<Core>, request: &ApiRequest, kind: &str) -> Reply {
    let header =
        |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let filename = header("x-lxd-filename").to_owned();
    let public = matches!(header("x-lxd-public"), "1" | "true");
    let properties = properties(header("x-lxd-properties"));
    let boundary = kind.strip_prefix("multipart/form-data").and_then(|rest| rest.split_once("boundary="));
    let boundary = boundary.map(|(_, boundary)| boundary.trim_matches('"').to_owned());
    let body = request.body.clone();
    core.run(request, Plan::bare("Downloading image"), move |task| async move {
        task.pause(task.core.timing.image).await?;
        let (metadata, content) = match boundary {
            Some(boundary) => {
                let (metadata, rootfs) = halves(&body, &boundary)?;
                (read_metadata(metadata)?, Bytes::from([metadata, rootfs].concat()))
            }
            None => (read_metadata(&body)?, body),
        };
        let mut image = Image {
            fingerprint: sha256_hex(&content),
            properties: metadata.properties,
            architecture: metadata.architecture,
            kind: "container".into(),
            size: i64::try_from(content.len()).unwrap_or(i64::MAX),
            filename,
            public,
            created_at: DateTime::from_timestamp(metadata.creation_date, 0),
            uploaded_at: Some(Utc::now()),
            profiles: vec!["default".into()],
            ..Image::default()
        };
        image.properties.extend(properties);
        store(&task, image, &[])
    })
}

/// `key=value&…`, percent-encoded.
fn properties(query: &str) -> Config {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (decode(key), decode(value))).collect()
}

/// The parts `metadata` and `rootfs` of a form, in that order.
fn halves<'a>(body: &'a [u8], boundary: &str) -> Result<(&'a [u8], &'a [u8]), String> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, &delimiter) {
        parts.push(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + delimiter.len()..).unwrap_or_default();
    }
    let part = |number: usize, name: &str| {
        let part: &'a [u8] = parts.get(number)?;
        let head_ends = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(part.get(..head_ends)?);
        let content = part.get(head_ends + 4..)?;
        head.contains(&format!("name=\"{name}\"")).then(|| content.strip_suffix(b"\r\n").unwrap_or(content))
    };
    // Before the first delimiter there is nothing.
    part(1, "metadata").zip(part(2, "rootfs")).ok_or_else(|| "Invalid multipart image".to_owned())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// `metadata.yaml` at the head of an image.
#[derive(Debug, Deserialize)]
struct Metadata {
    architecture: String,
    #[serde(default)]
    creation_date: i64,
    #[serde(default)]
    properties: Config,
}

/// Finds `metadata.yaml` in a tarball, plain or gzip. (LXD also reads xz, bzip2, zstd and squashfs.)
fn read_metadata(body: &[u8]) -> Result<Metadata, String> {
    let plain: Box<dyn Read + '_> = match body.get(..2) {
        Some([0x1f, 0x8b]) => Box::new(flate2::read::GzDecoder::new(body)),
        _ if body.get(257..262) == Some(b"ustar".as_slice()) => Box::new(body),
        _ => return Err("Unsupported compression".into()),
    };
    let mut archive = tar::Archive::new(plain);
    let unreadable = |error: std::io::Error| format!("Unable to read the image: {error}");
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let path = entry.path().map_err(unreadable)?;
        if path.strip_prefix("./").unwrap_or(&path).as_os_str() == "metadata.yaml" {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(unreadable)?;
            return serde_yaml_ng::from_str(&text)
                .map_err(|error| format!("Could not parse metadata.yaml: {error}"));
        }
    }
    Err("Metadata tarball is missing metadata.yaml".into())
}
