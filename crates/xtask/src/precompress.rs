//! Compressing the built pages once, as well as it goes, so that the server need not do it for every visitor.
//!
//! Beside `app.wasm` come `app.wasm.br` and `app.wasm.gz`; the server sends whichever the browser takes.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::ui;

/// What is worth compressing. Images are compressed already.
const ENDINGS: [&str; 5] = ["wasm", "js", "css", "svg", "json"];
/// Brotli's best, and its largest ordinary window.
const BROTLI: (u32, u32) = (11, 22);

/// Compresses every text and WebAssembly file of a directory; says how large the whole is then.
///
/// # Errors
/// When a file cannot be read or written.
pub fn directory(dir: &Path) -> Result<()> {
    let (mut raw, mut brotli, mut gzip) = (0, 0, 0);
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let path = entry?.path();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if !ENDINGS.contains(&ending) {
            continue;
        }
        let content = fs::read(&path)?;
        let small = brotli_of(&content)?;
        let gz = gzip_of(&content)?;
        raw += content.len();
        brotli += small.len();
        gzip += gz.len();
        fs::write(path.with_extension(format!("{ending}.br")), small)?;
        fs::write(path.with_extension(format!("{ending}.gz")), gz)?;
    }
    ui::say(format!("    the pages: {raw} bytes, {brotli} by brotli, {gzip} by gzip"));
    Ok(())
}

fn brotli_of(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 1 << 16, BROTLI.0, BROTLI.1);
    writer.write_all(content)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

fn gzip_of(content: &[u8]) -> Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    writer.write_all(content)?;
    Ok(writer.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_is_compressed_can_be_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let text = "máquina ".repeat(1000);
        fs::write(dir.path().join("a.css"), &text).unwrap();
        fs::write(dir.path().join("a.png"), &text).unwrap();
        directory(dir.path()).unwrap();
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["a.css", "a.css.br", "a.css.gz", "a.png"]);
        let mut back = String::new();
        brotli::Decompressor::new(fs::File::open(dir.path().join("a.css.br")).unwrap(), 4096)
            .read_to_string(&mut back)
            .unwrap();
        assert_eq!(back, text);
        let mut back = String::new();
        flate2::read::GzDecoder::new(fs::File::open(dir.path().join("a.css.gz")).unwrap())
            .read_to_string(&mut back)
            .unwrap();
        assert_eq!(back, text);
    }
}
