//! `/1.0/profiles`.

use lxd_api::{Profile, ProfilePut};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    engine::{Core, object},
    names,
    reply::{ApiRequest, Failure, Reply, etag},
    state::{State, encode},
};

fn path(name: &str) -> String {
    format!("/1.0/profiles/{}", encode(name))
}

fn shown(state: &State, profile: &Profile) -> Profile {
    Profile { used_by: state.profile_users(&profile.name), ..profile.clone() }
}

fn tag(profile: &Profile) -> Result<String, Failure> {
    etag(&(&profile.config, &profile.description, &profile.devices))
}

fn event(
    core: &Core,
    state: &State,
    request: &ApiRequest,
    action: &str,
    name: &str,
    context: Map<String, Value>,
) {
    core.lifecycle(action, path(name), context, Some(request.requestor.clone()), &state.own_member());
}

pub(crate) fn list(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    Reply::list(request, state.profiles.values().map(|profile| (path(&profile.name), shown(&state, profile))))
}

pub(crate) fn get(core: &Core, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let profile =
        state.profiles.get(name).ok_or_else(|| Failure::not_found("Fetch profile: Profile not found"))?;
    Reply::tagged(&shown(&state, profile), tag(profile)?)
}

fn check_devices(profile: &ProfilePut) -> Result<(), String> {
    match names::unknown_device(&profile.devices) {
        None => Ok(()),
        Some((name, _)) => Err(format!(
            "Device validation failed for \"{name}\": Failed loading device \"{name}\": Unsupported device type"
        )),
    }
}

pub(crate) fn create(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let mut profile: Profile = request.json()?;
    if profile.name.is_empty() {
        return Err(Failure::bad("No name provided"));
    }
    if profile.name.contains('/') {
        return Err(Failure::bad("Profile names may not contain slashes"));
    }
    names::check_config(&profile.config).map_err(Failure::bad)?;
    check_devices(&profile.to_put()).map_err(Failure::bad)?;
    let mut state = core.lock();
    if state.profiles.contains_key(&profile.name) {
        return Err(Failure::internal(format!(
            "Error inserting \"{}\" into database: The profile already exists",
            profile.name
        )));
    }
    profile.used_by.clear();
    event(core, &state, request, "profile-created", &profile.name, Map::new());
    let location = Some(path(&profile.name));
    state.profiles.insert(profile.name.clone(), profile);
    Ok(Reply::Created { location })
}

fn missing(name: &str) -> Failure {
    Failure::not_found(format!("Failed to retrieve profile \"{name}\": Profile not found"))
}

fn change(core: &Core, request: &ApiRequest, name: &str, merge: bool) -> Result<Reply, Failure> {
    let mut put: ProfilePut = request.json()?;
    let mut state = core.lock();
    let old = state.profiles.get(name).ok_or_else(|| missing(name))?;
    request.check_etag(&tag(old)?)?;
    if merge {
        let mut merged = old.to_put();
        merged.config.extend(put.config);
        merged.devices.extend(put.devices);
        merged.description = put.description;
        put = merged;
    }
    put.config.retain(|_, value| !value.is_empty());
    names::check_config(&put.config).map_err(Failure::internal)?;
    check_devices(&put).map_err(Failure::internal)?;
    let profile = state.profiles.get_mut(name).ok_or_else(|| missing(name))?;
    profile.config = put.config;
    profile.devices = put.devices;
    profile.description = put.description;
    event(core, &state, request, "profile-updated", name, Map::new());
    Ok(Reply::done())
}

pub(crate) fn put(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    change(core, request, name, false)
}

pub(crate) fn patch(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    change(core, request, name, true)
}

/// Body of the rename.
#[derive(Debug, Deserialize)]
struct Rename {
    name: String,
}

pub(crate) fn rename(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    if name == "default" {
        return Err(Failure::new(403, "The \"default\" profile cannot be renamed"));
    }
    let Rename { name: new } = request.json()?;
    let mut state = core.lock();
    if state.profiles.contains_key(&new) {
        return Err(Failure::new(409, format!("Name \"{new}\" already in use")));
    }
    let mut profile = state.profiles.remove(name).ok_or_else(|| Failure::not_found("Profile not found"))?;
    profile.name.clone_from(&new);
    state.profiles.insert(new.clone(), profile);
    for record in state.instances.values_mut() {
        for used in record.profiles.iter_mut().filter(|used| *used == name) {
            used.clone_from(&new);
        }
    }
    event(core, &state, request, "profile-renamed", &new, object(json!({ "old_name": name })));
    Ok(Reply::Created { location: Some(path(&new)) })
}

pub(crate) fn delete(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    if name == "default" {
        return Err(Failure::new(403, "The \"default\" profile cannot be deleted"));
    }
    let mut state = core.lock();
    if !state.profiles.contains_key(name) {
        return Err(Failure::not_found("Profile not found"));
    }
    if !state.profile_users(name).is_empty() {
        return Err(Failure::internal("Profile is currently in use"));
    }
    state.profiles.remove(name);
    event(core, &state, request, "profile-deleted", name, Map::new());
    Ok(Reply::done())
}
