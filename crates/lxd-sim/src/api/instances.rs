//! `/1.0/instances`: list, read, create, change, rename, move, rebuild, delete.

use std::sync::Arc;

use chrono::Utc;
use lxd_api::{
    Config, Devices, Instance, InstancePatch, InstancePost, InstancePut, InstanceRebuildPost,
    InstanceRestore, InstancesPost, StatusCode,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    api::{snapshots, states},
    engine::{Core, Plan, Task, object},
    names,
    reply::{ApiRequest, Failure, Reply, etag, to_value},
    state::{InstanceRecord, State, instance_path, snapshot_path},
};

const IDMAP: &str = r#"[{"Isuid":true,"Isgid":false,"Hostid":100000,"Nsid":0,"Maprange":10000001},{"Isuid":false,"Isgid":true,"Hostid":100000,"Nsid":0,"Maprange":10000001}]"#;

pub(crate) fn not_found() -> Failure {
    Failure::not_found("Instance not found")
}

/// An instance as LXD shows it, without state and snapshots.
pub(crate) fn render(state: &State, record: &InstanceRecord) -> Instance {
    let (expanded_config, expanded_devices) = state.expand(&record.profiles, &record.config, &record.devices);
    Instance {
        name: record.name.clone(),
        kind: "container".into(),
        description: record.description.clone(),
        architecture: "x86_64".into(),
        config: record.config.clone(),
        devices: record.devices.clone(),
        expanded_config,
        expanded_devices,
        profiles: record.profiles.clone(),
        ephemeral: record.ephemeral,
        status: record.status.to_string(),
        status_code: record.status,
        created_at: record.created_at,
        last_used_at: record.last_used_at,
        location: record.location.clone(),
        project: "default".into(),
        ..Instance::default()
    }
}

/// The same with all that `recursion=2` (or `recursion=1` on a single one) adds.
fn render_full(state: &State, record: &InstanceRecord) -> Result<Value, Failure> {
    let mut value = to_value(&Instance {
        state: Some(states::render(state, record)),
        snapshots: (!record.snapshots.is_empty()).then(|| record.snapshots.clone()),
        ..render(state, record)
    })?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("backups".into(), Value::Null);
        fields.entry("snapshots").or_insert(Value::Null);
    }
    Ok(value)
}

pub(crate) fn list(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let mut state = core.lock();
    state.settle();
    if request.recursion() < 2 {
        let items =
            state.instances.values().map(|record| (instance_path(&record.name), render(&state, record)));
        return Reply::list(request, items);
    }
    let full: Vec<Value> =
        state.instances.values().map(|record| render_full(&state, record)).collect::<Result<_, _>>()?;
    Reply::sync(&full)
}

pub(crate) fn get(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let mut state = core.lock();
    state.settle();
    let record = state.instances.get(name).ok_or_else(not_found)?;
    let tag = etag(&record.editable())?;
    if request.recursion() > 0 {
        return Reply::tagged(&render_full(&state, record)?, tag);
    }
    Reply::tagged(&render(&state, record), tag)
}

/// Takes the instance for an operation; released when that ends.
pub(crate) fn acquire(
    state: &mut State,
    name: &str,
    action: &'static str,
    task: &Task,
) -> Result<(), String> {
    let record = state.instances.get_mut(name).ok_or("Instance not found")?;
    if let Some((other, _)) = &record.busy {
        return Err(format!(
            "Failed to create instance {action} operation: Instance is busy running a \"{other}\" operation"
        ));
    }
    record.busy = Some((action, task.id.clone()));
    Ok(())
}

pub(crate) fn create(core: &Arc<Core>, request: &ApiRequest) -> Result<Reply, Failure> {
    let mut post: InstancesPost = request.json()?;
    let state = core.lock();
    if post.name.is_empty() {
        post.name = format!("sim-{}", Uuid::new_v4().simple());
    }
    names::check_instance(&post.name).map_err(Failure::bad)?;
    let location = place(&state, request)?;
    let image = match post.source.kind.as_str() {
        "none" => Config::new(),
        "image" => image_config(&state, &post)?,
        "copy" => copied_config(&state, &mut post)?,
        other => return Err(Failure::bad(format!("Unknown source type {other}"))),
    };
    let copy = post.source.kind == "copy";
    let profiles =
        post.profiles.take().unwrap_or_else(|| if copy { Vec::new() } else { vec!["default".into()] });
    if let Some(missing) = profiles.iter().find(|profile| !state.profiles.contains_key(*profile)) {
        return Err(Failure::internal(format!("Requested profile \"{missing}\" doesn't exist")));
    }
    let start = post.start && state.has_extension("instance_create_start");
    drop(state);

    let mut config = image;
    config.extend(post.config);
    let record = InstanceRecord {
        name: post.name.clone(),
        description: post.description,
        config,
        devices: post.devices,
        profiles,
        ephemeral: post.ephemeral,
        status: StatusCode::STOPPED,
        location,
        ..InstanceRecord::default()
    };
    // An instance without image has nothing to unpack; an unknown fingerprint is only found out later.
    let unpack = !matches!(post.source.kind.as_str(), "none");
    let missing_image = post.source.kind == "image" && !record.config.contains_key("volatile.base_image");
    let names: Vec<&str> = match post.source.source.split('/').next() {
        Some(source) if copy => vec![&post.name, source],
        _ => vec![&post.name],
    };
    Ok(core.run(request, Plan::instances("Creating instance", &names), |task| async move {
        if missing_image {
            return Err("Image not provided for instance creation".into());
        }
        let name = insert(&task, record)?;
        let unpacked = if unpack { unpack_image(&task).await } else { task.halfway() };
        if let Err(message) = unpacked {
            remove(&task.core, &name);
            return Err(format!("Failed creating instance from image: {message}"));
        }
        if start { states::start(&task, &name).await } else { Ok(()) }
    }))
}

/// Where it goes: `?target=`, or the idlest member.
fn place(state: &State, request: &ApiRequest) -> Result<String, Failure> {
    match request.target() {
        None => Ok(state.idlest_member()),
        Some(_) if state.members.is_empty() => Err(Failure::bad("Target only allowed when clustered")),
        Some(member) if state.members.iter().any(|name| name == member) => Ok(member.to_owned()),
        Some(_) => Err(Failure::not_found("Cluster member not found")),
    }
}

/// What an instance gets from its image. Without `volatile.base_image` the image does not exist.
fn image_config(state: &State, post: &InstancesPost) -> Result<Config, Failure> {
    let source = &post.source;
    let fingerprint = if !source.alias.is_empty() {
        let alias = state.aliases.get(&source.alias);
        alias.map(|alias| &alias.target).ok_or_else(|| Failure::not_found("Image alias not found"))?
    } else if source.fingerprint.is_empty() {
        return Err(Failure::internal(
            "Must specify one of alias, fingerprint or properties for init from image",
        ));
    } else {
        &source.fingerprint
    };
    let Some(image) = state.image_by_prefix(fingerprint) else { return Ok(Config::new()) };
    let mut config: Config =
        image.properties.iter().map(|(key, value)| (format!("image.{key}"), value.clone())).collect();
    config.insert("volatile.base_image".into(), image.fingerprint.clone());
    Ok(config)
}

/// What a copy takes over; its devices and profiles come with the request.
fn copied_config(state: &State, post: &mut InstancesPost) -> Result<Config, Failure> {
    let source = post.source.source.clone();
    let (instance, snapshot) = source.split_once('/').map_or((source.as_str(), None), |(i, s)| (i, Some(s)));
    let missing = || {
        Failure::not_found(format!(
            "Failed to fetch instance \"{source}\" in project \"default\": Instance not found"
        ))
    };
    let record = state.instances.get(instance).ok_or_else(missing)?;
    let config = match snapshot {
        None => &record.config,
        Some(name) => &record.snapshots.iter().find(|s| s.name == name).ok_or_else(missing)?.config,
    };
    let taken = |key: &str| !key.starts_with("volatile.") || key == "volatile.base_image";
    Ok(config.iter().filter(|(key, _)| taken(key)).map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// The database record: from here on the instance can be seen.
fn insert(task: &Task, mut record: InstanceRecord) -> Result<String, String> {
    let mut state = task.core.lock();
    let failed = |why: String| format!("Failed creating instance record: {why}");
    names::check_config(&record.config).map_err(failed)?;
    if let Some((_, kind)) = names::unknown_device(&record.devices) {
        return Err(failed(format!("Invalid device type {kind}")));
    }
    if state.instances.contains_key(&record.name) {
        return Err(failed(
            "Add instance info to the database: This \"instances\" entry already exists".into(),
        ));
    }
    let (_, devices) = state.expand(&record.profiles, &record.config, &record.devices);
    if root_pool(&devices).is_none() {
        return Err(failed(
            "Failed initialising instance: Failed getting root disk: No root device could be found".into(),
        ));
    }
    complete(&state, &mut record);
    if let Some(image) =
        record.config.get("volatile.base_image").cloned().and_then(|id| state.images.get_mut(&id))
    {
        image.last_used_at = Some(Utc::now());
    }
    record.busy = Some(("create", task.id.clone()));
    let context = object(json!({"storage-pool": root_pool(&devices), "type": "container"}));
    task.core.lifecycle("instance-created", instance_path(&record.name), context, None, &record.location);
    let name = record.name.clone();
    state.instances.insert(name.clone(), record);
    Ok(name)
}

/// The storage pool of the root disk.
pub(crate) fn root_pool(devices: &Devices) -> Option<&str> {
    let root = devices.values().find(|device| {
        device.get("type").is_some_and(|kind| kind == "disk")
            && device.get("path").is_some_and(|path| path == "/")
    })?;
    root.get("pool").map(String::as_str)
}

/// What LXD adds to every new instance: identifiers, maps, a MAC for each NIC.
pub(crate) fn complete(state: &State, record: &mut InstanceRecord) {
    record.created_at.get_or_insert_with(Utc::now);
    let (_, devices) = state.expand(&record.profiles, &record.config, &record.devices);
    let mut set = |key: String, value: String| {
        record.config.entry(key).or_insert(value);
    };
    set("volatile.uuid".into(), Uuid::new_v4().to_string());
    set("volatile.cloud-init.instance-id".into(), Uuid::new_v4().to_string());
    set("volatile.apply_template".into(), "create".into());
    set("volatile.idmap.base".into(), "0".into());
    set("volatile.idmap.next".into(), IDMAP.into());
    set("volatile.last_state.idmap".into(), "[]".into());
    for (device, nic) in &devices {
        if nic.get("type").is_some_and(|kind| kind == "nic") && !nic.contains_key("hwaddr") {
            let id = Uuid::new_v4().simple().to_string();
            let pair = |at: usize| id.get(at..at.saturating_add(2)).unwrap_or("00");
            let mac = format!("00:16:3e:{}:{}:{}", pair(0), pair(2), pair(4));
            set(format!("volatile.{device}.hwaddr"), mac);
        }
    }
}

/// Unpacks with progress, in ten steps.
async fn unpack_image(task: &Task) -> Result<(), String> {
    for step in 1..=10_u32 {
        tokio::time::sleep(task.core.timing.create / 10).await;
        if step == 5 {
            task.halfway()?;
        }
        let percent = step.saturating_mul(10);
        task.metadata(object(json!({
            "create_instance_from_image_unpack_progress": format!("Unpack: {percent}% (18.20MB/s)"),
            "progress": {
                "percent": percent.to_string(), "speed": "18200000", "stage": "create_instance_from_image_unpack",
            },
        })));
    }
    Ok(())
}

/// Takes an instance away with all that belongs to it, and says so.
pub(crate) fn remove(core: &Core, name: &str) {
    let mut state = core.lock();
    let Some(record) = state.instances.remove(name) else { return };
    for mac in State::macs(&record) {
        state.leases.remove(&mac);
    }
    for snapshot in &record.snapshots {
        let source = snapshot_path(name, &snapshot.name);
        core.lifecycle("instance-snapshot-deleted", source, Map::new(), None, &record.location);
    }
    core.lifecycle("instance-deleted", instance_path(name), Map::new(), None, &record.location);
}

pub(crate) fn delete(core: &Arc<Core>, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    if state.instances.get(name).ok_or_else(not_found)?.is_on() {
        return Err(Failure::bad("Instance is running"));
    }
    drop(state);
    let name = name.to_owned();
    Ok(core.run(request, Plan::instances("Deleting instance", &[&name.clone()]), |task| async move {
        acquire(&mut task.core.lock(), &name, "delete", &task)?;
        task.pause(task.core.timing.delete).await?;
        remove(&task.core, &name);
        Ok(())
    }))
}

/// Checks a change and applies it. The error is LXD's text.
fn apply(state: &mut State, name: &str, put: InstancePut) -> Result<(), String> {
    names::check_config(&put.config).map_err(|why| format!("Invalid config: {why}"))?;
    if let Some((device, _)) = names::unknown_device(&put.devices) {
        return Err(format!(
            "Invalid devices: Device validation failed for \"{device}\": Unsupported device type"
        ));
    }
    let record = state.instances.get_mut(name).ok_or("Instance not found")?;
    let lost = |key: &String| key.starts_with("volatile.idmap.") && !put.config.contains_key(key);
    if record.config.keys().any(lost) {
        return Err("Volatile idmap keys can't be deleted by the user".into());
    }
    record.config = put.config;
    record.config.retain(|_, value| !value.is_empty());
    record.devices = put.devices;
    record.profiles = put.profiles;
    record.ephemeral = put.ephemeral;
    record.description = put.description;
    let mut changed = record.clone();
    complete(state, &mut changed);
    state.instances.insert(name.to_owned(), changed);
    Ok(())
}

fn updated(core: &Core, name: &str, location: &str) {
    core.lifecycle("instance-updated", instance_path(name), Map::new(), None, location);
}

fn check_profiles(state: &State, profiles: &[String]) -> Result<(), Failure> {
    match profiles.iter().all(|profile| state.profiles.contains_key(profile)) {
        true => Ok(()),
        false => Err(Failure::not_found("Profile not found")),
    }
}

pub(crate) fn put(core: &Arc<Core>, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let restore: InstanceRestore = request.json()?;
    let state = core.lock();
    let record = state.instances.get(name).ok_or_else(not_found)?;
    request.check_etag(&etag(&record.editable())?)?;
    if !restore.restore.is_empty() {
        drop(state);
        return Ok(snapshots::restore(core, request, name, restore.restore));
    }
    let body: InstancePut = request.json()?;
    check_profiles(&state, &body.profiles)?;
    let location = record.location.clone();
    drop(state);
    let name = name.to_owned();
    Ok(core.run(request, Plan::instances("Updating instance", &[&name.clone()]), |task| async move {
        acquire(&mut task.core.lock(), &name, "update", &task)?;
        task.pause(task.core.timing.update).await?;
        apply(&mut task.core.lock(), &name, body)?;
        updated(&task.core, &name, &location);
        Ok(())
    }))
}

pub(crate) fn patch(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let body: InstancePatch = request.json()?;
    let mut state = core.lock();
    let record = state.instances.get(name).ok_or_else(not_found)?;
    request.check_etag(&etag(&record.editable())?)?;
    let location = record.location.clone();
    let mut put = render(&state, record).to_put();
    put.config.extend(body.config);
    put.devices.extend(body.devices);
    put.profiles = body.profiles.unwrap_or(put.profiles);
    put.ephemeral = body.ephemeral.unwrap_or(put.ephemeral);
    // LXD 5.0 clears a description that is absent.
    put.description = body.description.unwrap_or_default();
    check_profiles(&state, &put.profiles)?;
    apply(&mut state, name, put).map_err(Failure::internal)?;
    updated(core, name, &location);
    Ok(Reply::done())
}

/// Rename; with `migration` and `?target=`, a move to another member.
pub(crate) fn rename(core: &Arc<Core>, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let post: InstancePost = request.json()?;
    let state = core.lock();
    let record = state.instances.get(name).ok_or_else(not_found)?;
    let running = record.is_on();
    if post.migration || request.target().is_some() {
        let target = request.target().filter(|target| state.members.iter().any(|member| member == target));
        let Some(target) = target.map(str::to_owned) else {
            return Err(Failure::not_found("Failed to get target node: Cluster member not found"));
        };
        if running && !post.live {
            return Err(Failure::bad("Instance must be stopped to be moved statelessly"));
        }
        drop(state);
        return Ok(move_to(core, request, name, target));
    }
    if post.name.is_empty() || state.instances.contains_key(&post.name) {
        let taken = if post.name.is_empty() { name } else { &post.name };
        return Err(Failure::new(409, format!("Name \"{taken}\" already in use")));
    }
    names::check_instance(&post.name).map_err(Failure::bad)?;
    drop(state);
    let (old, new) = (name.to_owned(), post.name);
    Ok(core.run(request, Plan::instances("Renaming instance", &[name]), |task| async move {
        acquire(&mut task.core.lock(), &old, "rename", &task)?;
        task.pause(task.core.timing.update).await?;
        let mut state = task.core.lock();
        if state.instances.contains_key(&new) {
            return Err(format!("Name \"{new}\" already in use"));
        }
        if state.instances.get(&old).is_some_and(InstanceRecord::is_on) {
            return Err("Renaming of running container not allowed".into());
        }
        let Some(mut record) = state.instances.remove(&old) else { return Err("Instance not found".into()) };
        record.name.clone_from(&new);
        let context = object(json!({ "old_name": old }));
        task.core.lifecycle("instance-renamed", instance_path(&new), context, None, &record.location);
        state.instances.insert(new, record);
        Ok(())
    }))
}

fn move_to(core: &Arc<Core>, request: &ApiRequest, name: &str, target: String) -> Reply {
    let name = name.to_owned();
    core.run(request, Plan::instances("Migrating instance", &[&name.clone()]), |task| async move {
        acquire(&mut task.core.lock(), &name, "migrate", &task)?;
        task.pause(task.core.timing.migrate).await?;
        let mut state = task.core.lock();
        let record = state.instances.get_mut(&name).ok_or("Instance not found")?;
        if record.is_on() {
            return Err("Unable to perform container live migration. CRIU isn't installed".into());
        }
        record.location = target;
        updated(&task.core, &name, &record.location);
        Ok(())
    })
}

/// Begins again from an image; newer daemons only.
pub(crate) fn rebuild(core: &Arc<Core>, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    if !state.has_extension("instances_rebuild") {
        return Err(Failure::not_found("not found"));
    }
    let body: InstanceRebuildPost = request.json()?;
    if state.instances.get(name).ok_or_else(not_found)?.is_on() {
        return Err(Failure::bad("Instance must be stopped to be rebuilt"));
    }
    let post = InstancesPost { source: body.source, ..InstancesPost::default() };
    let image = if post.source.kind == "none" { Config::new() } else { image_config(&state, &post)? };
    if post.source.kind != "none" && !image.contains_key("volatile.base_image") {
        return Err(Failure::not_found("Image not found"));
    }
    drop(state);
    let name = name.to_owned();
    Ok(core.run(request, Plan::instances("Rebuilding instance", &[&name.clone()]), |task| async move {
        acquire(&mut task.core.lock(), &name, "rebuild", &task)?;
        unpack_image(&task).await?;
        let mut state = task.core.lock();
        let record = state.instances.get_mut(&name).ok_or("Instance not found")?;
        record.config.retain(|key, _| !key.starts_with("image.") && key != "volatile.base_image");
        record.config.extend(image);
        let record = record.clone();
        task.instance_event("instance-rebuilt", &record);
        Ok(())
    }))
}
