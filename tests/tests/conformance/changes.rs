//! Changes to instances: names, configuration, ETags.

use anyhow::{Context as _, Result, ensure};
use lxd_api::{InstanceAction, InstancePatch, SnapshotsPost, StatusCode};
use lxd_client::Error;

use super::{Ctx, done, refusal};

fn config(key: &str, value: &str) -> InstancePatch {
    InstancePatch { config: [(key.to_owned(), value.to_owned())].into(), ..InstancePatch::default() }
}

pub async fn a_rename_moves_all_that_belongs_to_it(ctx: &Ctx) -> Result<()> {
    let (name, other) = (ctx.launch().await?, ctx.create().await?);
    let post = SnapshotsPost { name: "s1".into(), ..SnapshotsPost::default() };
    done(ctx.client.create_snapshot(&name, &post).await?).await?;
    let mac = ctx.client.instance(&name).await?.value.config["volatile.eth0.hwaddr"].clone();
    let new = ctx.name();
    let error = refusal(ctx.client.rename_instance(&name, &new).await).await?;
    ensure!(error.to_string().contains("running"), "a running instance was renamed: {error}");
    ctx.act(&name, InstanceAction::Stop).await?;
    ensure!(ctx.client.rename_instance(&name, &other).await.is_err_and(|error| error.is_conflict()));
    let error = ctx.client.rename_instance(&name, "bad_name").await.err().context("a bad name")?;
    ensure!(matches!(error, Error::Api { code: 400, .. }), "{error}");
    done(ctx.client.rename_instance(&name, &new).await?).await?;
    ensure!(ctx.client.instance(&name).await.is_err_and(|error| error.is_not_found()));
    ensure!(ctx.client.instance(&new).await?.value.config["volatile.eth0.hwaddr"] == mac);
    let snapshots = ctx.client.snapshots(&new).await?;
    ensure!(snapshots.len() == 1 && snapshots[0].short_name() == "s1");
    Ok(())
}

pub async fn a_patch_merges_user_keys(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    ctx.client.patch_instance(&name, &config("user.vms.owner", "bruno"), None).await?;
    ctx.client.patch_instance(&name, &config("user.vms.name", "maquinaa"), None).await?;
    let now = ctx.client.instance(&name).await?.value;
    ensure!(now.config["user.vms.owner"] == "bruno" && now.config["user.vms.name"] == "maquinaa");
    ensure!(now.config.contains_key("volatile.base_image") && now.profiles == ["default"]);
    // An empty value unsets.
    ctx.client.patch_instance(&name, &config("user.vms.owner", ""), None).await?;
    let now = ctx.client.instance(&name).await?.value;
    ensure!(!now.config.contains_key("user.vms.owner") && now.config["user.vms.name"] == "maquinaa");
    // A running instance can be marked as well.
    ctx.act(&name, InstanceAction::Start).await?;
    ctx.client.patch_instance(&name, &config("user.vms.id", "x"), None).await?;
    ensure!(ctx.client.instance(&name).await?.value.status_code == StatusCode::RUNNING);
    let description = InstancePatch { description: Some("words".into()), ..InstancePatch::default() };
    ctx.client.patch_instance(&name, &description, None).await?;
    let now = ctx.client.instance(&name).await?.value;
    ensure!(now.description == "words" && now.config["user.vms.id"] == "x");
    Ok(())
}

pub async fn an_old_etag_is_refused(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let old = ctx.client.instance(&name).await?.etag.context("no ETag")?;
    ensure!(ctx.client.instance(&name).await?.etag.as_ref() == Some(&old), "the ETag changes by itself");
    ctx.client.patch_instance(&name, &config("user.a", "1"), Some(&old)).await?;
    let new = ctx.client.instance(&name).await?;
    ensure!(new.etag.as_ref() != Some(&old));
    let error = ctx.client.patch_instance(&name, &config("user.a", "2"), Some(&old)).await.err();
    ensure!(error.as_ref().is_some_and(Error::is_precondition_failed), "{error:?}");
    let error = ctx.client.update_instance(&name, &new.value.to_put(), Some(&old)).await.err();
    ensure!(error.as_ref().is_some_and(Error::is_precondition_failed), "{error:?}");
    ensure!(ctx.client.instance(&name).await?.value.config["user.a"] == "1");
    Ok(())
}

pub async fn a_put_replaces_and_needs_the_volatile_keys(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    ctx.client.patch_instance(&name, &config("user.a", "1"), None).await?;
    let tagged = ctx.client.instance(&name).await?;
    let mut put = tagged.value.to_put();
    put.config.remove("user.a");
    put.config.insert("user.b".into(), "2".into());
    put.description = "replaced".into();
    done(ctx.client.update_instance(&name, &put, tagged.etag.as_deref()).await?).await?;
    let now = ctx.client.instance(&name).await?.value;
    ensure!(
        !now.config.contains_key("user.a") && now.config["user.b"] == "2" && now.description == "replaced"
    );
    // Without what LXD itself keeps there it is refused.
    put.config.retain(|key, _| !key.starts_with("volatile."));
    let error = refusal(ctx.client.update_instance(&name, &put, None).await).await?;
    ensure!(error.to_string().to_lowercase().contains("volatile"), "{error}");
    // So is a profile that does not exist.
    let mut put = now.to_put();
    put.profiles = vec!["cf-nobody".into()];
    ensure!(ctx.client.update_instance(&name, &put, None).await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

pub async fn limits_show_in_the_expanded_configuration(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    ctx.client.patch_instance(&name, &config("limits.memory", "64MiB"), None).await?;
    let now = ctx.client.instance(&name).await?.value;
    ensure!(now.config["limits.memory"] == "64MiB" && now.expanded_config["limits.memory"] == "64MiB");
    for (key, value) in [("limits.memory", "much"), ("limits.cpu", "many"), ("nobody.knows", "1")] {
        let error = ctx.client.patch_instance(&name, &config(key, value), None).await.err();
        let error = error.with_context(|| format!("{key}={value} was taken"))?;
        ensure!(matches!(error, Error::Api { .. }), "{error}");
    }
    ensure!(ctx.client.instance(&name).await?.value.config["limits.memory"] == "64MiB");
    Ok(())
}
