//! Images and their aliases.

use anyhow::{Context as _, Result, ensure};
use futures::stream;
use lxd_api::{
    Config, ImageAliasEntry, ImageAliasPut, ImageSource, ImagesPost, InstanceAction, InstanceSource,
    InstancesPost, SnapshotsPost,
};
use lxd_client::ImageUpload;
use sha2::{Digest, Sha256};

use super::{Ctx, done, refusal, tarballs};

async fn import(ctx: &Ctx, words: &str) -> Result<String> {
    let operation = done(
        ctx.client.import_image(ImageUpload::from_bytes(tarballs::unified(words), "empty.tar.gz")).await?,
    )
    .await?;
    let fingerprint = operation.metadata.get("fingerprint").and_then(|value| value.as_str());
    Ok(fingerprint.context("no fingerprint in the operation")?.to_owned())
}

pub async fn an_upload_becomes_an_image(ctx: &Ctx) -> Result<()> {
    let fingerprint = import(ctx, "first").await?;
    let digest: String =
        Sha256::digest(tarballs::unified("first")).iter().map(|byte| format!("{byte:02x}")).collect();
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
    let again =
        ctx.client.import_image(ImageUpload::from_bytes(tarballs::unified("twice"), "empty.tar.gz")).await;
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

pub async fn two_halves_become_one_image(ctx: &Ctx) -> Result<()> {
    let (metadata, rootfs) = tarballs::halves("two halves");
    let (kind, form) = tarballs::form(&metadata, &rootfs);
    let pieces = form.chunks(100).map(|piece| Ok::<_, std::io::Error>(piece.to_vec().into()));
    let upload =
        ImageUpload::new(stream::iter(pieces.collect::<Vec<Result<bytes::Bytes, _>>>()), "halves.tar.gz")
            .content_type(kind)
            .properties(Config::from([("user.vms.operation".into(), "a b&c=d".into())]));
    let operation = done(ctx.client.import_image(upload).await?).await?;
    let fingerprint = operation.metadata.get("fingerprint").and_then(|value| value.as_str());
    let fingerprint = fingerprint.context("no fingerprint in the operation")?;
    let digest: String =
        Sha256::digest([metadata, rootfs].concat()).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(fingerprint == digest, "the fingerprint is the SHA-256 of both halves");
    let image = ctx.client.image(fingerprint).await?.value;
    ensure!(image.properties["description"] == "two halves", "{image:?}");
    ensure!(image.properties["user.vms.operation"] == "a b&c=d", "{image:?}");
    ensure!(image.update_source.is_none_or(|source| source.server.is_empty()));
    let (kind, form) = tarballs::form(b"no metadata", b"no root");
    let bytes = stream::iter([Ok::<_, std::io::Error>(form.into())]);
    refusal(ctx.client.import_image(ImageUpload::new(bytes, "x").content_type(kind)).await).await?;
    Ok(())
}

pub async fn an_instance_and_a_snapshot_are_published(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let publish = async |kind: &str, name: String| {
        let source = ImageSource { kind: kind.into(), name, ..ImageSource::default() };
        let properties = Config::from([
            ("description".into(), "published".into()),
            ("user.vms.operation".into(), kind.into()),
        ]);
        let post = ImagesPost { source, properties, ..ImagesPost::default() };
        ctx.client.create_image(&post).await
    };
    let fingerprint = |operation: lxd_api::Operation| {
        let fingerprint = operation.metadata.get("fingerprint").and_then(|value| value.as_str());
        fingerprint.map(str::to_owned).context("no fingerprint in the operation")
    };
    let whole = fingerprint(done(publish("instance", name.clone()).await?).await?)?;
    let image = ctx.client.image(&whole).await?.value;
    ensure!(image.properties["description"] == "published" && image.aliases.is_empty(), "{image:?}");
    ensure!(image.properties["user.vms.operation"] == "instance", "{image:?}");
    ctx.act(&name, InstanceAction::Start).await?;
    refusal(publish("instance", name.clone()).await).await?;
    let snapshot = SnapshotsPost { name: "s".into(), ..SnapshotsPost::default() };
    done(ctx.client.create_snapshot(&name, &snapshot).await?).await?;
    let part = fingerprint(done(publish("snapshot", format!("{name}/s")).await?).await?)?;
    ensure!(ctx.client.image(&part).await?.value.properties["user.vms.operation"] == "snapshot");
    refusal(publish("snapshot", format!("{name}/none")).await).await?;
    refusal(publish("instance", "cf-none".into()).await).await?;
    Ok(())
}

pub async fn what_came_from_nowhere_is_not_refreshed(ctx: &Ctx) -> Result<()> {
    let fingerprint = import(ctx, "nowhere").await?;
    ensure!(ctx.client.refresh_image("0123456789abcdef").await.is_err_and(|error| error.is_not_found()));
    // Some say so, some do nothing: the image is the same in any case.
    if let Ok(handle) = ctx.client.refresh_image(&fingerprint).await {
        drop(handle.wait(super::PATIENCE).await);
    }
    ensure!(ctx.client.image(&fingerprint).await?.value.fingerprint == fingerprint);
    Ok(())
}
