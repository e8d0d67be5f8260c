//! `/1.0/instances/<name>/snapshots`, and going back to one.

use std::sync::Arc;

use chrono::Utc;
use lxd_api::{Snapshot, SnapshotPut, SnapshotRename, SnapshotsPost};
use serde_json::{Map, json};

use crate::{
    api::{
        instances::{acquire, not_found},
        states::{switch_off, switch_on},
    },
    engine::{Core, Plan, object},
    names,
    reply::{ApiRequest, Failure, Reply, etag},
    state::{InstanceRecord, State, instance_path, snapshot_path},
};

fn missing(instance: &str, name: &str) -> Failure {
    Failure::not_found(format!(
        "Failed to fetch snapshot \"{name}\" of instance \"{instance}\" in project \"default\": InstanceSnapshot not found"
    ))
}

fn find<'a>(state: &'a State, instance: &str, name: &str) -> Result<&'a Snapshot, Failure> {
    let record = state.instances.get(instance).ok_or_else(|| missing(instance, name))?;
    record.snapshots.iter().find(|snapshot| snapshot.name == name).ok_or_else(|| missing(instance, name))
}

fn find_mut<'a>(state: &'a mut State, instance: &str, name: &str) -> Result<&'a mut Snapshot, String> {
    let record = state.instances.get_mut(instance).ok_or("Instance not found")?;
    record
        .snapshots
        .iter_mut()
        .find(|snapshot| snapshot.name == name)
        .ok_or_else(|| "Snapshot not found".into())
}

pub(crate) fn list(core: &Core, request: &ApiRequest, instance: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let record = state.instances.get(instance).ok_or_else(not_found)?;
    Reply::list(
        request,
        record.snapshots.iter().map(|snapshot| (snapshot_path(instance, &snapshot.name), snapshot)),
    )
}

pub(crate) fn get(core: &Core, instance: &str, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let snapshot = find(&state, instance, name)?;
    Reply::tagged(snapshot, etag(&snapshot.expires_at)?)
}

/// A snapshot of an instance as it stands.
pub(crate) fn take(state: &State, record: &InstanceRecord, post: &SnapshotsPost) -> Snapshot {
    let (expanded_config, expanded_devices) = state.expand(&record.profiles, &record.config, &record.devices);
    Snapshot {
        name: post.name.clone(),
        created_at: Some(Utc::now()),
        expires_at: post.expires_at,
        size: -1,
        architecture: "x86_64".into(),
        config: record.config.clone(),
        devices: record.devices.clone(),
        profiles: record.profiles.clone(),
        ephemeral: record.ephemeral,
        expanded_config,
        expanded_devices,
        ..Snapshot::default()
    }
}

/// The first free name of LXD's default pattern, `snap%d`.
fn next_name(record: &InstanceRecord) -> String {
    let taken = |name: &String| record.snapshots.iter().any(|snapshot| snapshot.name == *name);
    (0_u32..).map(|number| format!("snap{number}")).find(|name| !taken(name)).unwrap_or_default()
}

pub(crate) fn create(core: &Arc<Core>, request: &ApiRequest, instance: &str) -> Result<Reply, Failure> {
    let mut post: SnapshotsPost = request.json()?;
    let state = core.lock();
    let record = state.instances.get(instance).ok_or_else(not_found)?;
    if post.name.contains('/') {
        return Err(Failure::bad("Invalid snapshot name: Cannot contain \"/\""));
    }
    if post.name.is_empty() {
        post.name = next_name(record);
    }
    drop(state);
    let instance = instance.to_owned();
    Ok(core.run(request, Plan::instances("Snapshotting instance", &[&instance.clone()]), |task| async move {
        if post.stateful {
            return Err("Unable to create a stateful snapshot. CRIU isn't installed".into());
        }
        let failed = |why: &str| format!("Failed creating instance snapshot record \"{}\": {why}", post.name);
        names::check_snapshot(&post.name).map_err(|why| failed(&why))?;
        let exists = || find(&task.core.lock(), &instance, &post.name).is_ok();
        let taken = "Add snapshot info to the database: This \"instances_snapshots\" entry already exists";
        if exists() {
            return Err(failed(taken));
        }
        task.pause(task.core.timing.snapshot).await?;
        if exists() {
            return Err(failed(taken));
        }
        let mut state = task.core.lock();
        let record = state.instances.get(&instance).cloned().ok_or("Instance not found")?;
        let snapshot = take(&state, &record, &post);
        if let Some(record) = state.instances.get_mut(&instance) {
            record.snapshots.push(snapshot);
        }
        let source = snapshot_path(&instance, &post.name);
        task.core.lifecycle("instance-snapshot-created", source, Map::new(), None, &record.location);
        // The pool's driver copies: a running instance is held still meanwhile.
        if record.is_on() {
            task.instance_event("instance-paused", &record);
            task.instance_event("instance-resumed", &record);
        }
        Ok(())
    }))
}

pub(crate) fn rename(
    core: &Arc<Core>,
    request: &ApiRequest,
    instance: &str,
    name: &str,
) -> Result<Reply, Failure> {
    let post: SnapshotRename = request.json()?;
    let state = core.lock();
    find(&state, instance, name)?;
    if post.name.contains('/') || post.name.is_empty() {
        return Err(Failure::bad("Invalid snapshot name: Cannot contain \"/\""));
    }
    if find(&state, instance, &post.name).is_ok() {
        return Err(Failure::new(409, format!("Name '{instance}/{}' already in use", post.name)));
    }
    drop(state);
    let (instance, old, new) = (instance.to_owned(), name.to_owned(), post.name);
    Ok(core.run(request, Plan::instances("Renaming snapshot", &[&instance.clone()]), |task| async move {
        names::check_snapshot(&new)?;
        task.pause(task.core.timing.update).await?;
        let mut state = task.core.lock();
        find_mut(&mut state, &instance, &old)?.name.clone_from(&new);
        let location =
            state.instances.get(&instance).map(|record| record.location.clone()).unwrap_or_default();
        let context = object(json!({ "old_name": format!("{instance}/{old}") }));
        task.core.lifecycle(
            "instance-snapshot-renamed",
            snapshot_path(&instance, &new),
            context,
            None,
            &location,
        );
        Ok(())
    }))
}

pub(crate) fn update(
    core: &Arc<Core>,
    request: &ApiRequest,
    instance: &str,
    name: &str,
) -> Result<Reply, Failure> {
    let put: SnapshotPut = request.json()?;
    let tag = etag(&find(&core.lock(), instance, name)?.expires_at)?;
    request.check_etag(&tag)?;
    let (instance, name) = (instance.to_owned(), name.to_owned());
    // LXD names the snapshot here as if it were the instance.
    Ok(core.run(request, Plan::instances("Updating snapshot", &[&name.clone()]), |task| async move {
        task.pause(task.core.timing.update).await?;
        find_mut(&mut task.core.lock(), &instance, &name)?.expires_at = put.expires_at;
        let source = snapshot_path(&instance, &name);
        task.core.lifecycle("instance-snapshot-updated", source, Map::new(), None, "none");
        Ok(())
    }))
}

pub(crate) fn delete(
    core: &Arc<Core>,
    request: &ApiRequest,
    instance: &str,
    name: &str,
) -> Result<Reply, Failure> {
    find(&core.lock(), instance, name)?;
    let both = format!("{instance}/{name}");
    let (instance, name) = (instance.to_owned(), name.to_owned());
    Ok(core.run(request, Plan::instances("Deleting snapshot", &[&both]), |task| async move {
        task.pause(task.core.timing.delete).await?;
        let mut state = task.core.lock();
        find_mut(&mut state, &instance, &name)?;
        let record = state.instances.get_mut(&instance).ok_or("Instance not found")?;
        record.snapshots.retain(|snapshot| snapshot.name != name);
        let source = snapshot_path(&instance, &name);
        task.core.lifecycle("instance-snapshot-deleted", source, Map::new(), None, &record.location);
        Ok(())
    }))
}

/// Goes back: a running instance is stopped, changed back, and started again.
pub(crate) fn restore(core: &Arc<Core>, request: &ApiRequest, instance: &str, name: String) -> Reply {
    let instance = instance.to_owned();
    core.run(request, Plan::instances("Restoring snapshot", &[&instance.clone()]), |task| async move {
        let full = format!("{instance}/{name}");
        let snapshot = find(&task.core.lock(), &instance, &name)
            .cloned()
            .map_err(|_| format!("Snapshot {full} does not exist"))?;
        let was_on = {
            let mut state = task.core.lock();
            acquire(&mut state, &instance, "restore", &task)?;
            let on = state.instances.get(&instance).is_some_and(InstanceRecord::is_on);
            if on {
                switch_off(&mut state, &instance);
            }
            on
        };
        task.pause(task.core.timing.restore).await?;
        let mut state = task.core.lock();
        let record = state.instances.get_mut(&instance).ok_or("Instance not found")?;
        // The snapshot's own configuration comes back; what is of this run stays as it is.
        let of_this_run: Vec<(String, String)> = record
            .config
            .iter()
            .filter(|(key, _)| key.starts_with("volatile."))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        record.config =
            snapshot.config.into_iter().filter(|(key, _)| !key.starts_with("volatile.")).collect();
        record.config.extend(of_this_run);
        record.devices = snapshot.devices;
        record.profiles = snapshot.profiles;
        record.ephemeral = snapshot.ephemeral;
        // LXD 5.0 forgets it.
        record.description.clear();
        let location = record.location.clone();
        if was_on {
            switch_on(&task.core, &mut state, &instance);
            task.core.lifecycle("instance-started", instance_path(&instance), Map::new(), None, &location);
        }
        let context = object(json!({ "snapshot": full }));
        task.core.lifecycle("instance-restored", instance_path(&instance), context, None, &location);
        Ok(())
    })
}
