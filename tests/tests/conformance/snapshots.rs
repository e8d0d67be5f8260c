//! Snapshots, and going back to them.

use anyhow::{Result, ensure};
use lxd_api::{InstanceAction, InstancePatch, SnapshotPut, SnapshotsPost, StatusCode};

use super::{Ctx, Lifecycles, done, refusal, says_taken};

fn named(name: &str) -> SnapshotsPost {
    SnapshotsPost { name: name.into(), ..SnapshotsPost::default() }
}

async fn names(ctx: &Ctx, instance: &str) -> Result<Vec<String>> {
    Ok(ctx.client.snapshots(instance).await?.iter().map(|s| s.short_name().to_owned()).collect())
}

pub async fn taken_listed_renamed_deleted(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    ensure!(names(ctx, &name).await?.is_empty());
    done(ctx.client.create_snapshot(&name, &named("before-exam")).await?).await?;
    // Without a name LXD makes one up.
    done(ctx.client.create_snapshot(&name, &named("")).await?).await?;
    ensure!(names(ctx, &name).await? == ["before-exam", "snap0"]);
    let snapshot = ctx.client.snapshot(&name, "before-exam").await?.value;
    ensure!(snapshot.created_at.is_some() && snapshot.expires_at.is_none() && !snapshot.stateful);
    ensure!(snapshot.profiles == ["default"] && snapshot.config.contains_key("volatile.base_image"));
    let error = refusal(ctx.client.create_snapshot(&name, &named("before-exam")).await).await?;
    ensure!(says_taken(&error), "{error}");
    ensure!(ctx.client.rename_snapshot(&name, "snap0", "before-exam").await.is_err_and(|e| e.is_conflict()));
    done(ctx.client.rename_snapshot(&name, "before-exam", "after").await?).await?;
    ensure!(ctx.client.snapshot(&name, "before-exam").await.is_err_and(|error| error.is_not_found()));
    let date = "2037-01-01T00:00:00Z".parse()?;
    let update = SnapshotPut { expires_at: Some(date) };
    done(ctx.client.update_snapshot(&name, "after", &update, None).await?).await?;
    ensure!(ctx.client.snapshot(&name, "after").await?.value.expires_at == Some(date));
    done(ctx.client.delete_snapshot(&name, "after").await?).await?;
    ensure!(names(ctx, &name).await? == ["snap0"]);
    ensure!(ctx.client.delete_snapshot(&name, "after").await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

pub async fn names_that_are_refused(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    refusal(ctx.client.create_snapshot(&name, &named("two words")).await).await?;
    ensure!(ctx.client.create_snapshot(&name, &named("a/b")).await.is_err());
    ensure!(ctx.client.create_snapshot(&name, &named("..")).await.is_err());
    ensure!(names(ctx, &name).await?.is_empty());
    let stateful = SnapshotsPost { stateful: true, ..named("running") };
    let error = refusal(ctx.client.create_snapshot(&name, &stateful).await).await?;
    ensure!(!error.to_string().is_empty());
    ensure!(ctx.client.create_snapshot("cf-nobody", &named("x")).await.is_err_and(|e| e.is_not_found()));
    Ok(())
}

pub async fn restore_brings_the_configuration_back(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let patch = |value: &str| InstancePatch {
        config: [("user.state".to_owned(), value.to_owned())].into(),
        ..InstancePatch::default()
    };
    ctx.client.patch_instance(&name, &patch("early"), None).await?;
    done(ctx.client.create_snapshot(&name, &named("s1")).await?).await?;
    ctx.client.patch_instance(&name, &patch("late"), None).await?;
    let mut events = Lifecycles::open(&ctx.client).await?;
    done(ctx.client.restore_snapshot(&name, "s1").await?).await?;
    events.one(&name, "instance-restored").await?;
    let now = ctx.client.instance(&name).await?.value;
    ensure!(now.config["user.state"] == "early", "{:?}", now.config.get("user.state"));
    ensure!(now.status_code == StatusCode::STOPPED);
    ensure!(names(ctx, &name).await? == ["s1"], "the snapshot stays");
    let error = refusal(ctx.client.restore_snapshot(&name, "nobody").await).await?;
    ensure!(error.to_string().contains("not"), "{error}");
    Ok(())
}

pub async fn restore_of_a_running_instance_starts_it_again(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    done(ctx.client.create_snapshot(&name, &named("s1")).await?).await?;
    let before = ctx.client.instance_state(&name).await?.pid;
    let mut events = Lifecycles::open(&ctx.client).await?;
    done(ctx.client.restore_snapshot(&name, "s1").await?).await?;
    events.until(&name, &["instance-started", "instance-restored"]).await?;
    let state = ctx.client.instance_state(&name).await?;
    ensure!(state.status_code == StatusCode::RUNNING && state.pid != before, "{state:?}");
    ctx.address(&name).await?;
    Ok(())
}

pub async fn deleting_the_instance_deletes_them(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    done(ctx.client.create_snapshot(&name, &named("s1")).await?).await?;
    ctx.act(&name, InstanceAction::Stop).await?;
    let mut events = Lifecycles::open(&ctx.client).await?;
    done(ctx.client.delete_instance(&name).await?).await?;
    let seen = events.until(&name, &["instance-snapshot-deleted", "instance-deleted"]).await?;
    ensure!(seen.len() == 2, "{seen:?}");
    ensure!(ctx.client.snapshots(&name).await.is_err_and(|error| error.is_not_found()));
    Ok(())
}
