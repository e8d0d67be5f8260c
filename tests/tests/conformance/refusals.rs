//! What LXD refuses, and how the client sorts it.

use anyhow::{Context as _, Result, ensure};
use lxd_api::{InstanceAction, InstanceSource, InstanceStatePut, InstancesPost};
use lxd_client::Error;

use super::{Ctx, PATIENCE, refusal, says_taken};

pub async fn what_does_not_exist(ctx: &Ctx) -> Result<()> {
    let (client, nobody) = (&ctx.client, "cf-nobody");
    let start = InstanceStatePut::new(InstanceAction::Start);
    for (what, error) in [
        ("instance", client.instance(nobody).await.err()),
        ("its state", client.instance_state(nobody).await.err()),
        ("a change of its state", client.set_instance_state(nobody, &start).await.err()),
        ("its deletion", client.delete_instance(nobody).await.err()),
        ("its renaming", client.rename_instance(nobody, "cf-other").await.err()),
        ("its snapshots", client.snapshots(nobody).await.err()),
        ("a snapshot of it", client.snapshot(nobody, "s1").await.err()),
        ("a change of it", client.patch_instance(nobody, &Default::default(), None).await.err()),
        ("going back", client.restore_snapshot(nobody, "s1").await.err()),
        ("image", client.image("0123456789abcdef").await.err()),
        ("alias", client.image_alias(nobody).await.err()),
        ("profile", client.profile(nobody).await.err()),
        ("network", client.network(nobody).await.err()),
        ("its leases", client.leases(nobody).await.err()),
        ("pool", client.storage_pool(nobody).await.err()),
        ("operation", client.operation("11111111-1111-4111-8111-111111111111").await.err()),
    ] {
        let error = error.with_context(|| format!("{what}: found"))?;
        ensure!(error.is_not_found(), "{what}: {error}");
    }
    Ok(())
}

pub async fn a_name_that_is_taken(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let error = refusal(ctx.client.create_instance(&ctx.post(&name), None).await).await?;
    ensure!(says_taken(&error), "{error}");
    ensure!(ctx.client.instance(&name).await.is_ok(), "the first one stays");
    Ok(())
}

pub async fn names_that_no_host_can_have(ctx: &Ctx) -> Result<()> {
    let long = "a".repeat(64);
    for name in ["bad_name", "-bad", "bad-", "a.b", "não", "a b", &long] {
        let error = ctx.client.create_instance(&ctx.post(name), None).await.err();
        let error = error.with_context(|| format!("{name:?} was taken"))?;
        ensure!(
            matches!(error, Error::Api { code: 400, .. } | Error::InvalidName { .. }),
            "{name:?}: {error}"
        );
    }
    // These never leave the client: they would be another path.
    for name in ["a/b", "..", "a\nb"] {
        let error = ctx.client.create_instance(&ctx.post(name), None).await.err();
        ensure!(matches!(error, Some(Error::InvalidName { .. })), "{name:?}: {error:?}");
    }
    Ok(())
}

pub async fn an_image_or_profile_that_does_not_exist(ctx: &Ctx) -> Result<()> {
    let name = ctx.name();
    let alias = InstancesPost { source: InstanceSource::alias("cf-nobody"), ..ctx.post(&name) };
    let error = refusal(ctx.client.create_instance(&alias, None).await).await?;
    // LXD looks before it begins, Incus within the operation.
    ensure!(error.is_not_found() || error.to_string().contains("Image not provided"), "{error}");
    let print = InstancesPost { source: InstanceSource::fingerprint("0123456789ab"), ..ctx.post(&name) };
    refusal(ctx.client.create_instance(&print, None).await).await?;
    let profile = InstancesPost { profiles: Some(vec!["cf-nobody".into()]), ..ctx.post(&name) };
    refusal(ctx.client.create_instance(&profile, None).await).await?;
    let none = InstancesPost { profiles: Some(Vec::new()), ..ctx.post(&name) };
    let error = refusal(ctx.client.create_instance(&none, None).await).await?;
    ensure!(error.to_string().contains("root"), "an instance without a root disk: {error}");
    ensure!(!ctx.client.instance_names().await?.contains(&name), "nothing is left of it");
    Ok(())
}

pub async fn configuration_that_nobody_knows(ctx: &Ctx) -> Result<()> {
    let name = ctx.name();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    for config in [pair("nobody.knows", "1"), pair("limits.memory", "much")] {
        let post = InstancesPost { config: [config.clone()].into(), ..ctx.post(&name) };
        refusal(ctx.client.create_instance(&post, None).await)
            .await
            .with_context(|| format!("{config:?}"))?;
    }
    let device = [("type", "nobody")].map(|(k, v)| pair(k, v)).into();
    let post = InstancesPost { devices: [("x".to_owned(), device)].into(), ..ctx.post(&name) };
    refusal(ctx.client.create_instance(&post, None).await).await?;
    ensure!(!ctx.client.instance_names().await?.contains(&name));
    Ok(())
}

pub async fn actions_that_do_not_fit_the_state(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let refused = async |action: InstanceAction, words: &[&str]| {
        let error = ctx.act(&name, action).await.err().with_context(|| format!("{action:?} was done"))?;
        let fits = words.iter().any(|word| error.to_string().contains(word));
        ensure!(error.is_operation_failed() && fits, "{action:?}: {error}");
        anyhow::Ok(())
    };
    refused(InstanceAction::Stop, &["already stopped"]).await?;
    refused(InstanceAction::Restart, &["already stopped", "not running"]).await?;
    refused(InstanceAction::Freeze, &["isn't running", "not running"]).await?;
    refused(InstanceAction::Unfreeze, &["isn't running", "not running"]).await?;
    ctx.act(&name, InstanceAction::Start).await?;
    refused(InstanceAction::Start, &["already running"]).await?;
    refused(InstanceAction::Unfreeze, &["already running", "not frozen"]).await?;
    ctx.act(&name, InstanceAction::Freeze).await?;
    refused(InstanceAction::Freeze, &["already frozen"]).await?;
    Ok(())
}

pub async fn an_operation_that_cannot_be_cancelled(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    ctx.address(&name).await?;
    let stop = InstanceStatePut { timeout: 30, ..InstanceStatePut::new(InstanceAction::Stop) };
    let handle = ctx.client.set_instance_state(&name, &stop).await?;
    ensure!(!handle.operation().may_cancel);
    let error = handle.cancel().await.err().context("a stop was cancelled")?;
    ensure!(matches!(error, Error::Api { code: 400, .. }), "{error}");
    handle.wait(PATIENCE).await?;
    let unknown = ctx.client.cancel_operation("11111111-1111-4111-8111-111111111111").await;
    ensure!(unknown.is_err_and(|error| error.is_not_found()));
    Ok(())
}
