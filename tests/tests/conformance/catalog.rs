//! Profiles, networks, storage pools.

use anyhow::{Context as _, Result, ensure};
use lxd_api::{InstancesPost, Profile};
use lxd_client::Error;

use super::{Ctx, done};

fn profile(name: &str) -> Profile {
    Profile {
        name: name.into(),
        description: "conformance".into(),
        config: [("limits.memory".to_owned(), "96MiB".to_owned())].into(),
        ..Profile::default()
    }
}

pub async fn profiles_from_birth_to_death(ctx: &Ctx) -> Result<()> {
    let name = ctx.name();
    ctx.client.create_profile(&profile(&name)).await?;
    ensure!(ctx.client.create_profile(&profile(&name)).await.is_err_and(|error| error.is_conflict()));
    let read = ctx.client.profile(&name).await?;
    ensure!(read.value == profile(&name), "{:?}", read.value);
    let old = read.etag.context("no ETag")?;
    let mut put = read.value.to_put();
    put.config.insert("limits.cpu".into(), "1".into());
    ctx.client.update_profile(&name, &put, Some(&old)).await?;
    let error = ctx.client.update_profile(&name, &put, Some(&old)).await.err();
    ensure!(error.as_ref().is_some_and(Error::is_precondition_failed), "{error:?}");
    let mut patch = put.clone();
    patch.config = [("user.x".to_owned(), "y".to_owned())].into();
    ctx.client.patch_profile(&name, &patch, None).await?;
    let now = ctx.client.profile(&name).await?.value;
    ensure!(now.config.len() == 3 && now.config["user.x"] == "y" && now.config["limits.cpu"] == "1");
    let mut bad = put.clone();
    bad.config.insert("nobody.knows".into(), "1".into());
    ensure!(matches!(ctx.client.update_profile(&name, &bad, None).await, Err(Error::Api { .. })));
    let new = ctx.name();
    ctx.client.rename_profile(&name, &new).await?;
    ensure!(ctx.client.profile(&name).await.is_err_and(|error| error.is_not_found()));
    ensure!(ctx.client.profiles().await?.iter().any(|p| p.name == new));
    ctx.client.delete_profile(&new).await?;
    ensure!(ctx.client.delete_profile(&new).await.is_err_and(|error| error.is_not_found()));
    ensure!(ctx.client.delete_profile("default").await.is_err());
    Ok(())
}

pub async fn a_profile_in_use_stays(ctx: &Ctx) -> Result<()> {
    let (name, instance) = (ctx.name(), ctx.name());
    ctx.client.create_profile(&profile(&name)).await?;
    let profiles = Some(vec!["default".to_owned(), name.clone()]);
    let post = InstancesPost { profiles, ..ctx.post(&instance) };
    done(ctx.client.create_instance(&post, None).await?).await?;
    let made = ctx.client.instance(&instance).await?.value;
    ensure!(made.profiles == ["default", &name] && made.expanded_config["limits.memory"] == "96MiB");
    ensure!(!made.config.contains_key("limits.memory"));
    let used_by = ctx.client.profile(&name).await?.value.used_by;
    ensure!(used_by == [format!("/1.0/instances/{instance}")], "{used_by:?}");
    let error = ctx.client.delete_profile(&name).await.err().context("a used profile was deleted")?;
    ensure!(error.to_string().contains("in use"), "{error}");
    done(ctx.client.delete_instance(&instance).await?).await?;
    ensure!(ctx.client.profile(&name).await?.value.used_by.is_empty());
    ctx.client.delete_profile(&name).await?;
    Ok(())
}

pub async fn the_bridge_knows_its_range_and_its_users(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let network = ctx.client.network(&ctx.bridge).await?.value;
    ensure!(network.managed && network.kind == "bridge" && network.status == "Created");
    ensure!(network.config["ipv4.address"].contains('/'));
    ensure!(network.used_by.contains(&format!("/1.0/instances/{name}")), "{:?}", network.used_by);
    ensure!(network.used_by.contains(&"/1.0/profiles/default".to_owned()));
    let all = ctx.client.networks().await?;
    ensure!(all.iter().any(|n| n.name == ctx.bridge) && all.iter().any(|n| !n.managed), "lo, at least");
    Ok(())
}

pub async fn a_bridge_is_changed_by_who_knows_it(ctx: &Ctx) -> Result<()> {
    let read = ctx.client.network(&ctx.bridge).await?;
    let (old, before) = (read.etag.context("no ETag")?, read.value.to_put());
    let mut put = before.clone();
    put.config.insert("user.conformance".into(), "1".into());
    ctx.client.update_network(&ctx.bridge, &put, Some(&old)).await?;
    let error = ctx.client.update_network(&ctx.bridge, &put, Some(&old)).await.err();
    ensure!(error.as_ref().is_some_and(Error::is_precondition_failed), "{error:?}");
    let mut bad = put.clone();
    bad.config.insert("ipv4.dhcp.ranges".into(), "10.0.0.9-many".into());
    let error = ctx.client.update_network(&ctx.bridge, &bad, None).await.err();
    ensure!(matches!(error, Some(Error::Api { .. })), "{error:?}");
    ensure!(ctx.client.network(&ctx.bridge).await?.value.config == put.config);
    ctx.client.update_network(&ctx.bridge, &before, None).await?;
    ensure!(ctx.client.network(&ctx.bridge).await?.value.config == before.config);
    Ok(())
}

pub async fn pools_and_their_space(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let pools = ctx.client.storage_pools().await?;
    let pool = pools.iter().find(|pool| pool.name == "default").context("no pool called default")?;
    ensure!(!pool.driver.is_empty() && pool.status == "Created");
    ensure!(pool.used_by.contains(&format!("/1.0/instances/{name}")), "{:?}", pool.used_by);
    let space = ctx.client.storage_pool_resources("default", None).await?.space;
    ensure!(space.total > space.used && space.used > 0);
    ensure!(ctx.client.storage_pool_resources("cf-nobody", None).await.is_err());
    Ok(())
}
