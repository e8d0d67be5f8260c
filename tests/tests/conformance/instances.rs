//! Instances from creation to deletion.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt;
use lxd_api::{
    EventPayload, EventType, InstanceAction, InstanceStatePut, InstancesPost, SnapshotsPost, StatusCode,
};
use lxd_client::Error;

use super::{Ctx, Lifecycles, PATIENCE, done, listen};

pub async fn a_new_instance_is_off_and_complete(ctx: &Ctx) -> Result<()> {
    let name = ctx.name();
    let post = InstancesPost {
        description: "conformance".into(),
        config: [("user.vms.owner".to_owned(), "bruno".to_owned())].into(),
        ..ctx.post(&name)
    };
    let handle = ctx.client.create_instance(&post, None).await?;
    ensure!(handle.operation().instances().eq([name.clone()]), "{:?}", handle.operation().resources);
    done(handle).await?;
    let instance = ctx.client.instance(&name).await?;
    ensure!(instance.etag.is_some());
    let instance = instance.value;
    ensure!(instance.status_code == StatusCode::STOPPED && instance.status == "Stopped");
    ensure!(instance.kind == "container" && instance.name == name && instance.description == "conformance");
    ensure!(instance.profiles == ["default"] && instance.location == "none" && !instance.ephemeral);
    ensure!(instance.config["user.vms.owner"] == "bruno");
    let image = ctx.client.image_by_alias(&ctx.image).await?.value;
    ensure!(instance.config["volatile.base_image"] == image.fingerprint);
    ensure!(instance.config["image.description"] == image.properties["description"]);
    ensure!(
        instance.config["volatile.eth0.hwaddr"].len() == 17 && instance.config.contains_key("volatile.uuid")
    );
    ensure!(instance.devices.is_empty() && instance.expanded_devices["root"]["path"] == "/");
    ensure!(instance.expanded_devices["eth0"]["network"] == ctx.bridge);
    ensure!(instance.created_at.is_some() && instance.last_used_at.is_none());
    let state = ctx.client.instance_state(&name).await?;
    ensure!(
        state.status_code == StatusCode::STOPPED
            && state.network.is_none()
            && state.global_addresses().is_empty()
    );
    Ok(())
}

pub async fn lists_of_three_depths(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    let post = SnapshotsPost { name: "s1".into(), ..SnapshotsPost::default() };
    done(ctx.client.create_snapshot(&name, &post).await?).await?;
    ensure!(ctx.client.instance_names().await?.contains(&name));
    let flat =
        ctx.client.instances().await?.into_iter().find(|i| i.name == name).context("not in recursion=1")?;
    ensure!(flat.state.is_none() && flat.snapshots.is_none() && flat.status_code == StatusCode::RUNNING);
    let full = ctx
        .client
        .instances_full()
        .await?
        .into_iter()
        .find(|i| i.name == name)
        .context("not in recursion=2")?;
    ensure!(full.state.as_ref().is_some_and(|state| state.pid > 0), "{:?}", full.state);
    ensure!(full.snapshots.as_ref().is_some_and(|list| list.len() == 1 && list[0].short_name() == "s1"));
    let one = ctx.client.instance_full(&name).await?.value;
    ensure!(one.snapshots.is_some_and(|list| list.len() == 1) && one.state.is_some());
    Ok(())
}

pub async fn a_running_instance_gets_an_address_and_a_lease(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    let state = ctx.client.instance_state(&name).await?;
    ensure!(state.status_code == StatusCode::RUNNING && state.pid > 0 && state.processes > 0);
    let address = ctx.address(&name).await?;
    let network = ctx.client.network(&ctx.bridge).await?.value;
    let gateway = network.config["ipv4.address"].split('/').next().unwrap_or_default().to_owned();
    let prefix = |text: &str| text.split('.').take(2).collect::<Vec<_>>().join(".");
    ensure!(
        prefix(&address) == prefix(&gateway) && address != gateway,
        "{address} is not of {gateway}'s range"
    );
    let state = ctx.client.instance_state(&name).await?;
    let interfaces = state.network.as_ref().context("no interfaces")?;
    ensure!(interfaces["eth0"].state == "up" && interfaces["lo"].kind == "loopback");
    ensure!(state.memory.usage > 0 && state.cpu.usage > 0);
    let mac = ctx.client.instance(&name).await?.value.config["volatile.eth0.hwaddr"].clone();
    ensure!(interfaces["eth0"].hwaddr == mac);
    let lease = |leases: Vec<lxd_api::Lease>| leases.into_iter().find(|lease| lease.hwaddr == mac);
    let leases = ctx.client.leases(&ctx.bridge).await?;
    ensure!(leases.iter().any(|lease| lease.kind == "gateway" && lease.address == gateway), "{leases:?}");
    let mine = lease(leases).context("no lease")?;
    ensure!(mine.address == address && mine.kind == "dynamic" && mine.hostname == name, "{mine:?}");
    // Off: no address in the state, although the lease lasts. Gone: no lease either.
    ctx.act(&name, InstanceAction::Stop).await?;
    ensure!(ctx.client.instance_state(&name).await?.global_addresses().is_empty());
    ensure!(lease(ctx.client.leases(&ctx.bridge).await?).is_some_and(|lease| lease.address == address));
    ctx.act(&name, InstanceAction::Start).await?;
    ensure!(ctx.address(&name).await? == address, "another address after a restart");
    ctx.act(&name, InstanceAction::Stop).await?;
    done(ctx.client.delete_instance(&name).await?).await?;
    ensure!(lease(ctx.client.leases(&ctx.bridge).await?).is_none());
    Ok(())
}

pub async fn a_clean_stop_and_one_without_patience(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    ctx.address(&name).await?;
    let mut events = Lifecycles::open(&ctx.client).await?;
    let hasty = InstanceStatePut { timeout: 1, ..InstanceStatePut::new(InstanceAction::Stop) };
    let error = ctx.client.set_instance_state(&name, &hasty).await?.wait(PATIENCE).await.err();
    ensure!(
        error.as_ref().is_some_and(Error::is_operation_failed),
        "a clean stop within a second: {error:?}"
    );
    ensure!(ctx.client.instance(&name).await?.value.status_code == StatusCode::RUNNING);
    let clean = InstanceStatePut { timeout: 30, ..InstanceStatePut::new(InstanceAction::Stop) };
    // The first attempt may still be heard inside: then the second one finds it already off.
    match ctx.client.set_instance_state(&name, &clean).await?.wait(PATIENCE).await {
        Ok(_) => {}
        Err(Error::OperationFailed { message, .. }) if message.contains("already stopped") => {}
        Err(error) => return Err(error.into()),
    }
    let seen = events.until(&name, &["instance-shutdown"]).await?;
    ensure!(seen.len() == 1, "{seen:?}");
    ensure!(ctx.client.instance(&name).await?.value.status_code == StatusCode::STOPPED);
    Ok(())
}

pub async fn a_restart_keeps_it_running(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    let before = ctx.client.instance_state(&name).await?.pid;
    let mut events = Lifecycles::open(&ctx.client).await?;
    ctx.act(&name, InstanceAction::Restart).await?;
    events.one(&name, "instance-restarted").await?;
    let after = ctx.client.instance_state(&name).await?;
    ensure!(after.status_code == StatusCode::RUNNING && after.pid != before, "{after:?}");
    ctx.address(&name).await?;
    Ok(())
}

pub async fn freezing_and_thawing(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    let address = ctx.address(&name).await?;
    ctx.act(&name, InstanceAction::Freeze).await?;
    let frozen = ctx.client.instance(&name).await?.value;
    ensure!(frozen.status_code == StatusCode::FROZEN && frozen.status == "Frozen");
    ensure!(ctx.address(&name).await? == address, "a frozen instance keeps its address");
    ctx.act(&name, InstanceAction::Unfreeze).await?;
    ensure!(ctx.client.instance(&name).await?.value.status_code == StatusCode::RUNNING);
    // A frozen one can be stopped.
    ctx.act(&name, InstanceAction::Freeze).await?;
    ctx.act(&name, InstanceAction::Stop).await?;
    ensure!(ctx.client.instance(&name).await?.value.status_code == StatusCode::STOPPED);
    Ok(())
}

pub async fn a_deleted_instance_is_gone(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    let error = ctx.client.delete_instance(&name).await.err().context("a running instance was deleted")?;
    ensure!(
        matches!(error, Error::Api { code: 400, .. }) && error.to_string().contains("running"),
        "{error}"
    );
    ctx.act(&name, InstanceAction::Stop).await?;
    done(ctx.client.delete_instance(&name).await?).await?;
    ensure!(ctx.client.instance(&name).await.is_err_and(|error| error.is_not_found()));
    ensure!(!ctx.client.instance_names().await?.contains(&name));
    // The name is free again.
    done(ctx.client.create_instance(&ctx.post(&name), None).await?).await?;
    Ok(())
}

pub async fn two_starts_at_once_both_succeed(ctx: &Ctx) -> Result<()> {
    let name = ctx.create().await?;
    let start = InstanceStatePut::new(InstanceAction::Start);
    let (first, second) = tokio::join!(
        ctx.client.set_instance_state(&name, &start),
        ctx.client.set_instance_state(&name, &start)
    );
    let (first, second) = (first?, second?);
    let ends = tokio::join!(first.wait(PATIENCE), second.wait(PATIENCE));
    // The second joins the first, unless it comes so late that the instance already runs.
    for end in [ends.0, ends.1] {
        match end {
            Ok(_) => {}
            Err(Error::OperationFailed { message, .. }) if message.contains("already running") => {}
            Err(error) => return Err(error.into()),
        }
    }
    ensure!(ctx.client.instance(&name).await?.value.status_code == StatusCode::RUNNING);
    Ok(())
}

pub async fn events_tell_what_was_done(ctx: &Ctx) -> Result<()> {
    let mut events = Lifecycles::open(&ctx.client).await?;
    let name = ctx.create().await?;
    let created = events.one(&name, "instance-created").await?;
    ensure!(created.instance().as_deref() == Some(&name), "{created:?}");
    ctx.act(&name, InstanceAction::Start).await?;
    let started = events.one(&name, "instance-started").await?;
    ensure!(started.requestor.as_ref().is_some_and(|who| who.protocol == "unix"), "{started:?}");
    let post = SnapshotsPost { name: "s1".into(), ..SnapshotsPost::default() };
    done(ctx.client.create_snapshot(&name, &post).await?).await?;
    // A copying storage driver holds a running instance still meanwhile: two events more.
    let taken = events.one(&name, "instance-snapshot-created").await?;
    ensure!(taken.snapshot() == Some((name.clone(), "s1".into())), "{taken:?}");
    ctx.act(&name, InstanceAction::Stop).await?;
    events.one(&name, "instance-stopped").await?;
    done(ctx.client.rename_snapshot(&name, "s1", "s2").await?).await?;
    let renamed = events.one(&name, "instance-snapshot-renamed").await?;
    ensure!(renamed.snapshot() == Some((name.clone(), "s2".into())), "{renamed:?}");
    done(ctx.client.delete_snapshot(&name, "s2").await?).await?;
    events.one(&name, "instance-snapshot-deleted").await?;
    let new = ctx.name();
    done(ctx.client.rename_instance(&name, &new).await?).await?;
    let renamed = events.one(&new, "instance-renamed").await?;
    ensure!(renamed.old_name() == Some(&name), "{renamed:?}");
    done(ctx.client.delete_instance(&new).await?).await?;
    events.one(&new, "instance-deleted").await?;
    Ok(())
}

pub async fn an_operation_tells_its_course(ctx: &Ctx) -> Result<()> {
    let mut events = listen(&ctx.client, &[EventType::Operation, EventType::Lifecycle]).await?;
    let name = ctx.name();
    let handle = ctx.client.create_instance(&ctx.post(&name), None).await?;
    ensure!(handle.operation().class == "task" && !handle.operation().may_cancel);
    let id = handle.id().to_owned();
    let course = async {
        let mut seen = Vec::new();
        let mut progress = 0;
        while let Some(event) = events.next().await {
            let EventPayload::Operation(operation) = event?.payload()? else { continue };
            if operation.id == id {
                progress = progress.max(operation.progress_percent().unwrap_or(0));
                seen.push(operation.status_code);
                if operation.is_final() {
                    break;
                }
            }
        }
        anyhow::Ok((seen, progress))
    };
    let (seen, progress) =
        tokio::time::timeout(PATIENCE, course).await.context("the operation does not end")??;
    // Both daemons send each event from a thread of its own, so the first ones may overtake each other.
    ensure!(seen.contains(&StatusCode::PENDING) && seen.contains(&StatusCode::RUNNING), "{seen:?}");
    ensure!(seen.last() == Some(&StatusCode::SUCCESS), "{seen:?}");
    ensure!(progress > 50, "unpacking shows how far it is: {progress}");
    // For a few seconds it can still be read, and waited for.
    ensure!(ctx.client.operation(&id).await?.status_code == StatusCode::SUCCESS);
    ensure!(ctx.client.operations().await?.iter().any(|operation| operation.id == id));
    ensure!(ctx.client.wait_operation(&id, Duration::from_secs(5)).await?.is_final());
    ensure!(handle.wait(PATIENCE).await?.status_code == StatusCode::SUCCESS);
    // A wait that is over before the operation shows it still running.
    ctx.act(&name, InstanceAction::Start).await?;
    ctx.address(&name).await?;
    let stop = InstanceStatePut { timeout: 30, ..InstanceStatePut::new(InstanceAction::Stop) };
    let handle = ctx.client.set_instance_state(&name, &stop).await?;
    // LXD shows it still running; Incus answers with an error.
    match ctx.client.wait_operation(handle.id(), Duration::ZERO).await {
        Ok(early) => ensure!(early.status_code == StatusCode::RUNNING, "{early:?}"),
        Err(error) => ensure!(error.to_string().contains("deadline"), "{error}"),
    }
    ensure!(handle.wait(Duration::from_millis(50)).await.is_err_and(|error| error.is_timeout()));
    done(handle).await?;
    Ok(())
}
