//! Images and their aliases.

use std::io::Write as _;

use anyhow::{Context as _, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use lxd_api::{ImageAliasEntry, ImageAliasPut, InstanceSource, InstancesPost};
use lxd_client::ImageUpload;
use sha2::{Digest, Sha256};

use super::{Ctx, done, refusal};

/// The smallest image there is: metadata and an empty root. `words` make it a different one.
fn tarball(words: &str) -> Result<Vec<u8>> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let metadata = format!(
        "architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  description: {words}\n  os: Empty\n"
    );
    let mut header = tar::Header::new_gnu();
    header.set_size(u64::try_from(metadata.len())?);
    header.set_mode(0o644);
    tar.append_data(&mut header, "metadata.yaml", metadata.as_bytes())?;
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_size(0);
    header.set_mode(0o755);
    tar.append_data(&mut header, "rootfs/", std::io::empty())?;
    let mut gzip = tar.into_inner()?;
    gzip.flush()?;
    Ok(gzip.finish()?)
}

async fn import(ctx: &Ctx, words: &str) -> Result<String> {
    let operation =
        done(ctx.client.import_image(ImageUpload::from_bytes(tarball(words)?, "empty.tar.gz")).await?)
            .await?;
    let fingerprint = operation.metadata.get("fingerprint").and_then(|value| value.as_str());
    Ok(fingerprint.context("no fingerprint in the operation")?.to_owned())
}

pub async fn an_upload_becomes_an_image(ctx: &Ctx) -> Result<()> {
    let fingerprint = import(ctx, "first").await?;
    let digest: String = Sha256::digest(tarball("first")?).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(fingerprint == digest, "the fingerprint is the SHA-256 of the upload");
    let image = ctx.client.image(&fingerprint).await?.value;
    ensure!(image.properties["description"] == "first" && image.properties["os"] == "Empty", "{image:?}");
    ensure!(image.architecture == "x86_64" && image.kind == "container" && !image.public && image.size > 0);
    ensure!(image.filename == "empty.tar.gz" && image.uploaded_at.is_some() && image.aliases.is_empty());
    ensure!(image.created_at.is_some_and(|time| time.timestamp() == 1_700_000_000));
    let short = fingerprint.get(..12).unwrap_or_default();
    ensure!(ctx.client.image(short).await?.value.fingerprint == fingerprint, "its beginning is enough");
    let mut put = image.to_put();
    put.properties.insert("description".into(), "changed".into());
    ctx.client.update_image(&fingerprint, &put, None).await?;
    let tagged = ctx.client.image(&fingerprint).await?;
    ensure!(tagged.value.properties["description"] == "changed" && tagged.etag.is_some());
    let old = Some("0123");
    ensure!(
        ctx.client.update_image(&fingerprint, &put, old).await.is_err_and(|e| e.is_precondition_failed())
    );
    // It can be used.
    let name = ctx.name();
    let post = InstancesPost { source: InstanceSource::fingerprint(&fingerprint), ..ctx.post(&name) };
    done(ctx.client.create_instance(&post, None).await?).await?;
    ensure!(ctx.client.instance(&name).await?.value.config["volatile.base_image"] == fingerprint);
    done(ctx.client.delete_instance(&name).await?).await?;
    done(ctx.client.delete_image(&fingerprint).await?).await?;
    ensure!(ctx.client.image(&fingerprint).await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

pub async fn the_same_image_twice_and_no_image_at_all(ctx: &Ctx) -> Result<()> {
    let fingerprint = import(ctx, "twice").await?;
    let again = ctx.client.import_image(ImageUpload::from_bytes(tarball("twice")?, "empty.tar.gz")).await;
    let error = refusal(again).await?;
    ensure!(error.to_string().contains("already exists"), "{error}");
    let nonsense = ctx.client.import_image(ImageUpload::from_bytes("this is no image", "x.tar.gz")).await;
    refusal(nonsense).await?;
    done(ctx.client.delete_image(&fingerprint).await?).await?;
    ensure!(ctx.client.delete_image(&fingerprint).await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

pub async fn aliases_point_to_images(ctx: &Ctx) -> Result<()> {
    let (first, second) = (import(ctx, "one").await?, import(ctx, "two").await?);
    let entry = ImageAliasEntry {
        name: "cf-alias/12".into(),
        description: "words".into(),
        target: first.clone(),
        kind: String::new(),
    };
    ctx.client.create_image_alias(&entry).await?;
    ensure!(ctx.client.create_image_alias(&entry).await.is_err_and(|error| error.is_conflict()));
    let missing = ImageAliasEntry { name: "cf-other".into(), target: "0123".into(), ..entry.clone() };
    ensure!(ctx.client.create_image_alias(&missing).await.is_err_and(|error| error.is_not_found()));
    let read = ctx.client.image_alias(&entry.name).await?.value;
    ensure!(read.target == first && read.description == "words" && read.kind == "container", "{read:?}");
    ensure!(ctx.client.image(&first).await?.value.aliases.iter().any(|alias| alias.name == entry.name));
    let update = ImageAliasPut { description: "other".into(), target: second.clone() };
    ctx.client.update_image_alias(&entry.name, &update, None).await?;
    ensure!(ctx.client.image_by_alias(&entry.name).await?.value.fingerprint == second);
    ensure!(ctx.client.image_aliases().await?.iter().any(|a| a.name == entry.name && a.target == second));
    ctx.client.delete_image_alias(&entry.name).await?;
    ensure!(ctx.client.image_alias(&entry.name).await.is_err_and(|error| error.is_not_found()));
    ensure!(ctx.client.image(&second).await.is_ok(), "the image stays");
    // An image takes its aliases along.
    ctx.client.create_image_alias(&ImageAliasEntry { target: second.clone(), ..entry.clone() }).await?;
    done(ctx.client.delete_image(&second).await?).await?;
    ensure!(ctx.client.image_alias(&entry.name).await.is_err_and(|error| error.is_not_found()));
    done(ctx.client.delete_image(&first).await?).await?;
    Ok(())
}
