//! The smallest images there are: metadata and an empty root.
#![allow(dead_code, reason = "each suite uses a part of it")]

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

type Tarball = Builder<GzEncoder<Vec<u8>>>;

fn begin() -> Tarball {
    Builder::new(GzEncoder::new(Vec::new(), Compression::fast()))
}

fn end(tarball: Tarball) -> Vec<u8> {
    let mut gzip = tarball.into_inner().unwrap();
    gzip.flush().unwrap();
    gzip.finish().unwrap()
}

fn metadata(tarball: &mut Tarball, words: &str) {
    let text = format!(
        "architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  description: {words}\n  os: Empty\n"
    );
    let mut header = Header::new_gnu();
    header.set_size(u64::try_from(text.len()).unwrap());
    header.set_mode(0o644);
    tarball.append_data(&mut header, "metadata.yaml", text.as_bytes()).unwrap();
}

fn directory(tarball: &mut Tarball, path: &str) {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_size(0);
    header.set_mode(0o755);
    tarball.append_data(&mut header, path, std::io::empty()).unwrap();
}

/// A unified image; `words` make it a different one.
pub fn unified(words: &str) -> Vec<u8> {
    let mut tarball = begin();
    metadata(&mut tarball, words);
    directory(&mut tarball, "rootfs/");
    end(tarball)
}

/// The two halves of a split image.
pub fn halves(words: &str) -> (Vec<u8>, Vec<u8>) {
    let mut first = begin();
    metadata(&mut first, words);
    let mut second = begin();
    directory(&mut second, "./etc/");
    (end(first), end(second))
}

/// A form with these two files, and its content type.
pub fn form(metadata: &[u8], rootfs: &[u8]) -> (&'static str, Vec<u8>) {
    let mut body = Vec::new();
    for (name, content) in [("metadata", metadata), ("rootfs", rootfs)] {
        let head = format!(
            "--boundary7\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.tar.gz\"\r\nContent-Type: \
             application/gzip\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--boundary7--\r\n");
    ("multipart/form-data; boundary=boundary7", body)
}
