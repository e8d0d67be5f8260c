//! `/1.0/images` and `/1.0/images/aliases`.

use std::sync::Arc;

use chrono::Utc;
use lxd_api::{
    Config, Image, ImageAlias, ImageAliasEntry, ImageAliasPut, ImagePut, ImageSource, ImageUpdateSource,
    ImagesPost,
};
use serde::Deserialize;
use serde_json::{Map, json};

use crate::{
    api::uploads,
    engine::{Core, Plan, Task, object},
    reply::{ApiRequest, Failure, Reply, etag, sha256_hex},
    state::{State, encode},
};

fn not_found() -> Failure {
    Failure::not_found("Image not found")
}

fn image_path(fingerprint: &str) -> String {
    format!("/1.0/images/{fingerprint}")
}

fn alias_path(name: &str) -> String {
    format!("/1.0/images/aliases/{}", encode(name))
}

pub(crate) fn list(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    // Who is not trusted sees what is public.
    let shown = state.images.values().filter(|image| request.trusted || image.public);
    Reply::list(request, shown.map(|image| (image_path(&image.fingerprint), state.image_with_aliases(image))))
}

fn tag(image: &Image) -> Result<String, Failure> {
    etag(&(image.public, image.auto_update, &image.properties, &image.profiles, image.expires_at))
}

pub(crate) fn get(core: &Core, fingerprint: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let image = state.image_by_prefix(fingerprint).ok_or_else(not_found)?;
    Reply::tagged(&state.image_with_aliases(image), tag(image)?)
}

/// PATCH of an image: what is absent stays.
#[derive(Debug, Deserialize)]
struct ImagePatch {
    auto_update: Option<bool>,
    public: Option<bool>,
    properties: Option<Config>,
    profiles: Option<Vec<String>>,
}

pub(crate) fn update(core: &Core, request: &ApiRequest, fingerprint: &str) -> Result<Reply, Failure> {
    let mut state = core.lock();
    let full =
        state.image_by_prefix(fingerprint).map(|image| image.fingerprint.clone()).ok_or_else(not_found)?;
    let image = state.images.get_mut(&full).ok_or_else(not_found)?;
    request.check_etag(&tag(image)?)?;
    if request.method == http::Method::PUT {
        let put: ImagePut = request.json()?;
        image.auto_update = put.auto_update;
        image.public = put.public;
        image.properties = put.properties;
        image.expires_at = put.expires_at;
        if !put.profiles.is_empty() {
            image.profiles = put.profiles;
        }
    } else {
        let patch: ImagePatch = request.json()?;
        image.auto_update = patch.auto_update.unwrap_or(image.auto_update);
        image.public = patch.public.unwrap_or(image.public);
        image.profiles = patch.profiles.unwrap_or_else(|| image.profiles.clone());
        image.properties.extend(patch.properties.unwrap_or_default());
    }
    let location = state.own_member();
    let by = Some(request.requestor.clone());
    core.lifecycle("image-updated", image_path(&full), Map::new(), by, &location);
    Ok(Reply::done())
}

pub(crate) fn delete(core: &Arc<Core>, request: &ApiRequest, fingerprint: &str) -> Result<Reply, Failure> {
    let full = core
        .lock()
        .image_by_prefix(fingerprint)
        .map(|image| image.fingerprint.clone())
        .ok_or_else(not_found)?;
    let plan = Plan::of("Deleting image", "images", vec![image_path(&full)]);
    Ok(core.run(request, plan, |task| async move {
        task.pause(task.core.timing.image).await?;
        let mut state = task.core.lock();
        state.images.remove(&full).ok_or("Image not found")?;
        state.aliases.retain(|_, alias| alias.target != full);
        let location = state.own_member();
        let by = Some(task.requestor.clone());
        task.core.lifecycle("image-deleted", image_path(&full), Map::new(), by, &location);
        Ok(())
    }))
}

/// An upload (any body that is not JSON), or a description of where to take the image from.
pub(crate) fn create(core: &Arc<Core>, request: &ApiRequest) -> Result<Reply, Failure> {
    match content_type(request) {
        kind if kind.starts_with("application/json") => from_description(core, request),
        kind => Ok(uploads::receive(core, request, kind)),
    }
}

/// What the body is said to be.
fn content_type(request: &ApiRequest) -> &str {
    let kind = request.headers.get(http::header::CONTENT_TYPE);
    kind.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Adds an image and says so; the fingerprint goes into the operation.
pub(super) fn store(task: &Task, image: Image, aliases: &[ImageAlias]) -> Result<(), String> {
    task.metadata(object(json!({ "fingerprint": image.fingerprint, "size": image.size.to_string() })));
    let mut state = task.core.lock();
    if state.images.contains_key(&image.fingerprint) {
        return Err("Image with same fingerprint already exists".into());
    }
    let location = state.own_member();
    let context = object(json!({ "type": image.kind }));
    let by = Some(task.requestor.clone());
    task.core.lifecycle("image-created", image_path(&image.fingerprint), context, by, &location);
    for alias in aliases {
        let entry = ImageAliasEntry {
            name: alias.name.clone(),
            description: alias.description.clone(),
            target: image.fingerprint.clone(),
            kind: image.kind.clone(),
        };
        state.aliases.insert(alias.name.clone(), entry);
    }
    state.images.insert(image.fingerprint.clone(), image);
    Ok(())
}

/// Publishes an instance, or takes what another server offers.
fn from_description(core: &Arc<Core>, request: &ApiRequest) -> Result<Reply, Failure> {
    let post: ImagesPost = request.json()?;
    match post.source.kind.as_str() {
        "instance" | "container" | "snapshot" => {}
        "image" => {
            return Ok(core.run(request, Plan::bare("Downloading image"), |task| async move {
                task.pause(task.core.timing.image).await?;
                pull(&task, post)
            }));
        }
        _ => return Err(Failure::bad("Invalid images JSON")),
    }
    let (instance, snapshot) = post.source.name.split_once('/').unwrap_or((&post.source.name, ""));
    let (instance, snapshot) = (instance.to_owned(), snapshot.to_owned());
    {
        let state = core.lock();
        let record =
            state.instances.get(&instance).ok_or_else(|| Failure::not_found("Instance not found"))?;
        if !snapshot.is_empty() && record.snapshots.iter().all(|known| known.name != snapshot) {
            return Err(Failure::not_found("Instance snapshot not found"));
        }
        if snapshot.is_empty() && record.is_on() {
            return Err(Failure::bad("Cannot publish a running container as image"));
        }
    }
    Ok(core.run(request, Plan::bare("Downloading image"), |task| async move {
        task.pause(task.core.timing.image).await?;
        let seed = format!("{instance}/{snapshot} {}", task.id);
        let image = Image { properties: post.properties, public: post.public, ..made_of(&seed) };
        store(&task, image, &post.aliases)
    }))
}

/// An image of this content, as far as anything tells of it.
fn made_of(seed: &str) -> Image {
    Image {
        fingerprint: sha256_hex(seed.as_bytes()),
        architecture: "x86_64".into(),
        kind: "container".into(),
        size: 1_036_248,
        created_at: Some(Utc::now()),
        uploaded_at: Some(Utc::now()),
        profiles: vec!["default".into()],
        ..Image::default()
    }
}

/// What another server offers; nothing else can be reached from here.
fn pull(task: &Task, post: ImagesPost) -> Result<(), String> {
    let source = post.source;
    let place = (source.server.clone(), source.alias.clone());
    let offered = task.core.lock().offered.get(&place).cloned();
    let Some(description) = offered else {
        return Err(format!("Failed to connect to LXD server \"{}\": no route to host", source.server));
    };
    let mut image = made_of(&format!("{} {} {description}", place.0, place.1));
    image.properties = [("description".to_owned(), description)].into();
    image.properties.extend(post.properties);
    image.auto_update = post.auto_update;
    let ImageSource { alias, server, protocol, .. } = source;
    image.update_source = Some(ImageUpdateSource { alias, server, protocol });
    // What is here already is simply used.
    let is_known = match task.core.lock().images.get_mut(&image.fingerprint) {
        Some(known) => {
            known.properties.extend(image.properties.clone());
            true
        }
        None => false,
    };
    if is_known {
        task.metadata(object(json!({ "fingerprint": image.fingerprint })));
        return Ok(());
    }
    store(task, image, &post.aliases)
}

/// Asks where the image came from; a newer one takes its place and its aliases.
pub(crate) fn refresh(core: &Arc<Core>, request: &ApiRequest, fingerprint: &str) -> Result<Reply, Failure> {
    let old = core.lock().image_by_prefix(fingerprint).cloned().ok_or_else(not_found)?;
    Ok(core.run(request, Plan::bare("Refreshing image"), |task| async move {
        task.pause(task.core.timing.image).await?;
        let Some(source) = old.update_source.clone() else { return Err("Image source not found".into()) };
        let offered = task.core.lock().offered.get(&(source.server.clone(), source.alias.clone())).cloned();
        let Some(description) = offered else {
            return Err(format!("Failed to connect to LXD server \"{}\": no route to host", source.server));
        };
        let made = made_of(&format!("{} {} {description}", source.server, source.alias));
        let changed = made.fingerprint != old.fingerprint;
        if changed {
            let mut new = Image { auto_update: old.auto_update, update_source: old.update_source, ..made };
            new.properties.insert("description".into(), description);
            let fingerprint = new.fingerprint.clone();
            store(&task, new, &[])?;
            let mut state = task.core.lock();
            state.aliases.values_mut().filter(|alias| alias.target == old.fingerprint).for_each(|alias| {
                alias.target.clone_from(&fingerprint);
            });
            state.images.remove(&old.fingerprint);
        }
        task.metadata(object(json!({ "refreshed": changed })));
        Ok(())
    }))
}

fn alias_missing() -> Failure {
    Failure::not_found("Image alias not found")
}

fn alias_taken(name: &str) -> Failure {
    Failure::new(409, format!("Alias \"{name}\" already exists"))
}

fn find_alias<'a>(state: &'a State, name: &str) -> Result<&'a ImageAliasEntry, Failure> {
    state.aliases.get(name).ok_or_else(alias_missing)
}

/// One event about an alias.
fn alias_event(
    core: &Core,
    state: &State,
    request: &ApiRequest,
    action: &str,
    name: &str,
    context: Map<String, serde_json::Value>,
) {
    let by = Some(request.requestor.clone());
    core.lifecycle(action, alias_path(name), context, by, &state.own_member());
}

pub(crate) fn aliases(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    Reply::list(request, state.aliases.values().map(|alias| (alias_path(&alias.name), alias)))
}

pub(crate) fn alias(core: &Core, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let alias = find_alias(&state, name)?;
    Reply::tagged(alias, etag(&(&alias.description, &alias.target))?)
}

pub(crate) fn create_alias(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let mut entry: ImageAliasEntry = request.json()?;
    if entry.name.is_empty() || entry.target.is_empty() {
        return Err(Failure::bad("name and target are required"));
    }
    let mut state = core.lock();
    if state.aliases.contains_key(&entry.name) {
        return Err(alias_taken(&entry.name));
    }
    let image = state.images.get(&entry.target).ok_or_else(not_found)?;
    entry.kind.clone_from(&image.kind);
    let location = alias_path(&entry.name);
    alias_event(
        core,
        &state,
        request,
        "image-alias-created",
        &entry.name,
        object(json!({"target": entry.target})),
    );
    state.aliases.insert(entry.name.clone(), entry);
    Ok(Reply::Created { location: Some(location) })
}

pub(crate) fn update_alias(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let put: ImageAliasPut = request.json()?;
    let mut state = core.lock();
    let alias = find_alias(&state, name)?;
    request.check_etag(&etag(&(&alias.description, &alias.target))?)?;
    if !state.images.contains_key(&put.target) {
        return Err(not_found());
    }
    let alias = state.aliases.get_mut(name).ok_or_else(alias_missing)?;
    alias.description = put.description;
    alias.target = put.target;
    let context = object(json!({ "target": alias.target }));
    alias_event(core, &state, request, "image-alias-updated", name, context);
    Ok(Reply::done())
}

/// Body of the rename of an alias.
#[derive(Debug, Deserialize)]
struct AliasRename {
    name: String,
}

pub(crate) fn rename_alias(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let post: AliasRename = request.json()?;
    let mut state = core.lock();
    find_alias(&state, name)?;
    if state.aliases.contains_key(&post.name) {
        return Err(alias_taken(&post.name));
    }
    let mut entry = state.aliases.remove(name).ok_or_else(alias_missing)?;
    entry.name.clone_from(&post.name);
    state.aliases.insert(post.name.clone(), entry);
    alias_event(
        core,
        &state,
        request,
        "image-alias-renamed",
        &post.name,
        object(json!({ "old_name": name })),
    );
    Ok(Reply::Created { location: Some(alias_path(&post.name)) })
}

pub(crate) fn delete_alias(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let mut state = core.lock();
    state.aliases.remove(name).ok_or_else(alias_missing)?;
    alias_event(core, &state, request, "image-alias-deleted", name, Map::new());
    Ok(Reply::done())
}
