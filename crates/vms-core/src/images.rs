//! Images as administrators manage them: by content, with all their aliases, on all servers.
//!
//! What takes long (an upload, a fetch, packing a machine, a refresh, a deletion) is an operation, one for each server, so
//! that each has its own progress and its own end. What an image is called is changed at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;
use vms_authz::{
    Allowed, Catalog, MachineTarget,
    action::{ManageImages, PublishMachine, ViewImages},
};
use vms_db::{BeginError, NewImageOperation};
use vms_fleet::{Server, StoredImage};
use vms_types::image::check_alias;
use vms_types::rules::Command;
use vms_types::{
    FieldError, ImageCopy, ImageDetail, ImageOrigin, ImportImage, Operation, OperationKind, PatchImage,
    PublishImage,
};

use crate::commands::fingerprint;
use crate::error::CoreError;
use crate::machines::check_description;
use crate::profiles::{failed, instances_that, named};
use crate::uploads::{NewUpload, Upload};
use crate::vms::Vms;

/// Shortest beginning of a fingerprint that names an image, as LXD shows it.
const SHORT: usize = 12;

type MayManage = Allowed<Catalog, ManageImages>;

impl Vms {
    /// Every image of every server, in the order of their aliases; from memory.
    ///
    /// # Errors
    /// None so far; as for [`Vms::images`].
    pub async fn all_images(
        &self,
        _proof: &Allowed<Catalog, ViewImages>,
    ) -> Result<Vec<ImageDetail>, CoreError> {
        Ok(self.image_details())
    }

    /// One image, by alias or fingerprint; from memory.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; [`CoreError::Invalid`] for what names several.
    pub async fn image(
        &self,
        _proof: &Allowed<Catalog, ViewImages>,
        key: &str,
    ) -> Result<ImageDetail, CoreError> {
        self.image_detail(key)
    }

    /// Begins an upload to each of the servers. Its bytes go into what comes with the operations.
    ///
    /// # Errors
    /// Fields that are not valid, an alias that is taken, a server that does not answer.
    pub async fn upload_image(
        &self,
        proof: &MayManage,
        new: NewUpload,
        key: Option<String>,
    ) -> Result<(Vec<Operation>, Upload), CoreError> {
        let servers =
            self.places_for(&new.alias, new.description.as_deref(), &new.servers, new.replace, Vec::new())?;
        let mut upload = Upload::new(self.clone(), new.length);
        let params = json!({
            "image": new.alias, "description": new.description, "replace": new.replace, "filename": new.filename,
            "content_type": new.content_type,
        });
        let mut begun = Vec::new();
        for server in servers {
            let lane = Some(&mut upload);
            begun.push(
                self.begin_one(proof, OperationKind::ImageImport, &server, params.clone(), &key, lane)
                    .await?,
            );
        }
        Ok((begun, upload))
    }

    /// Has each of the servers fetch an image from another image server.
    ///
    /// # Errors
    /// As [`Vms::upload_image`].
    pub async fn import_image(
        &self,
        proof: &MayManage,
        request: ImportImage,
        key: Option<String>,
    ) -> Result<Vec<Operation>, CoreError> {
        let mut errors = Vec::new();
        let url = request.url.trim_end_matches('/');
        let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or_default();
        if host.is_empty() || !url.bytes().all(|b| b.is_ascii_graphic()) {
            errors.push(FieldError::new(
                "url",
                "url",
                "must begin with https:// (or http://) and name a server",
            ));
        }
        let source = request.source_alias.trim();
        if source.is_empty() || source.len() > 255 || source.chars().any(char::is_control) {
            errors.push(FieldError::new(
                "source_alias",
                "required",
                "must be the image's alias on that server",
            ));
        }
        let description = request.description.as_deref();
        let servers =
            self.places_for(&request.alias, description, &request.servers, request.replace, errors)?;
        let params = json!({
            "image": request.alias, "url": url, "source_alias": source, "description": description,
            "auto_update": request.auto_update, "replace": request.replace,
        });
        self.begin_all(proof, OperationKind::ImageImport, &servers, &params, key).await
    }

    /// Makes an image of a machine that is off, or of one of its snapshots, on the machine's own server.
    ///
    /// # Errors
    /// As [`Vms::upload_image`], and those of every command to a machine.
    pub async fn publish_image(
        &self,
        _proof: &MayManage,
        machine: &Allowed<MachineTarget, PublishMachine>,
        request: PublishImage,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        let target = machine.resource();
        let mut errors = Vec::new();
        let has = |name: &str| {
            self.seen(target).is_some_and(|view| view.snapshots.iter().any(|snapshot| snapshot.name == name))
        };
        if request.snapshot.as_deref().is_some_and(|name| !has(name)) {
            errors.push(FieldError::new("snapshot", "unknown", "is none of this machine's snapshots"));
        }
        let (alias, description) = (&request.alias, request.description.as_deref());
        let servers = [target.server.clone()];
        self.places_for(alias, description, &servers, request.replace, errors)?;
        let (command, words) = match request.snapshot {
            Some(_) => (Command::PublishSnapshot, "publish a snapshot"),
            None => (Command::Publish, "publish (stop the machine first, or publish a snapshot)"),
        };
        let params = json!({
            "image": alias, "description": description, "snapshot": request.snapshot.clone().unwrap_or_default(),
            "replace": request.replace,
        });
        self.command(machine, command, words, OperationKind::ImagePublish, params, key).await
    }

    /// Changes aliases, description and whether it is kept up to date, on every server that has the image.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; fields that are not valid; an alias of another image; a server that does not answer,
    /// and nothing was done then; [`CoreError::OnOneOf`].
    pub async fn edit_image(
        &self,
        _proof: &MayManage,
        key: &str,
        patch: PatchImage,
    ) -> Result<ImageDetail, CoreError> {
        let detail = self.image_detail(key)?;
        self.check_patch(&detail, &patch)?;
        let servers = self.holders(&detail)?;
        let mut done = Vec::new();
        for (server, copy) in servers.iter().zip(&detail.copies) {
            let written = write_to(server, &detail.fingerprint, copy, &patch).await;
            if let Err(error) = server.refresh_images().await {
                tracing::warn!(server = server.name(), %error, "the images could not be read again at once");
            }
            match written {
                Ok(()) => done.push(server.name().to_owned()),
                Err(error) => return Err(failed(done, server, error)),
            }
        }
        self.image_detail(&detail.fingerprint)
    }

    /// Asks where the image came from whether there is a newer one, on every server that has it.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; [`CoreError::NotRefreshable`]; a server that does not answer.
    pub async fn refresh_image(
        &self,
        proof: &MayManage,
        key: &str,
        idempotency: Option<String>,
    ) -> Result<Vec<Operation>, CoreError> {
        let detail = self.image_detail(key)?;
        if detail.source.is_none() {
            return Err(CoreError::NotRefreshable);
        }
        self.begin_on_holders(proof, OperationKind::ImageRefresh, &detail, idempotency).await
    }

    /// Removes an image from every server that has it. One that machines were made from is needed to reset them, so it
    /// stays unless `force` says otherwise.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; [`CoreError::InUse`]; a server that does not answer.
    pub async fn delete_image(
        &self,
        proof: &MayManage,
        key: &str,
        force: bool,
        idempotency: Option<String>,
    ) -> Result<Vec<Operation>, CoreError> {
        let detail = self.image_detail(key)?;
        if !force {
            refuse_used(&detail)?;
        }
        self.begin_on_holders(proof, OperationKind::ImageDelete, &detail, idempotency).await
    }

    async fn begin_on_holders(
        &self,
        proof: &MayManage,
        kind: OperationKind,
        detail: &ImageDetail,
        key: Option<String>,
    ) -> Result<Vec<Operation>, CoreError> {
        let servers = self.holders(detail)?;
        let params = json!({ "image": name_of(detail), "fingerprint": detail.fingerprint });
        self.begin_all(proof, kind, &servers, &params, key).await
    }

    async fn begin_all(
        &self,
        proof: &MayManage,
        kind: OperationKind,
        servers: &[Arc<Server>],
        params: &Value,
        key: Option<String>,
    ) -> Result<Vec<Operation>, CoreError> {
        let mut begun = Vec::new();
        for server in servers {
            begun.push(self.begin_one(proof, kind, server, params.clone(), &key, None).await?);
        }
        Ok(begun)
    }

    /// Writes one operation down and hands it to a job. The same key sent again is known for each server.
    async fn begin_one(
        &self,
        proof: &MayManage,
        kind: OperationKind,
        server: &Server,
        params: Value,
        key: &Option<String>,
        upload: Option<&mut Upload>,
    ) -> Result<Operation, CoreError> {
        let key = key.as_ref().map(|key| fingerprint(format!("{key} {}", server.name()), kind, &params));
        let slot = self.enter_line(proof.actor().username())?;
        let new = NewImageOperation { id: Uuid::new_v4(), kind, server: server.name().to_owned(), params };
        let id = new.id;
        match self.parts.db.begin_image_operation(proof, new, key).await {
            Ok(row) => {
                if let Some(upload) = upload {
                    self.parts.jobs.expect_upload(id, upload.lane(id));
                }
                Ok(self.hand_over(row, slot))
            }
            Err(BeginError::Replay(id)) => self.operation_by_id(id).await,
            Err(BeginError::KeyReused) => Err(CoreError::IdempotencyKeyReused),
            Err(BeginError::Db(error)) => Err(error.into()),
            Err(other) => Err(CoreError::Internal(format!("an image operation was refused: {other:?}"))),
        }
    }

    /// Checks what every new image needs; gives the servers that shall have it, all of which answer.
    fn places_for(
        &self,
        alias: &str,
        description: Option<&str>,
        names: &[String],
        replace: bool,
        mut errors: Vec<FieldError>,
    ) -> Result<Vec<Arc<Server>>, CoreError> {
        errors.extend(check_alias("alias", alias).err());
        errors.extend(check_description(description.unwrap_or_default()).err());
        let known = |name: &String| self.parts.fleet.server(name).is_some();
        if let Some(unknown) = names.iter().find(|name| !known(name)) {
            errors.push(FieldError::new(
                "servers",
                "unknown",
                format!("{unknown} is not a server of this system"),
            ));
        }
        if !errors.is_empty() {
            return Err(CoreError::Invalid(errors));
        }
        let names: BTreeSet<&str> = if names.is_empty() {
            self.parts.fleet.servers().map(|server| server.name()).collect()
        } else {
            names.iter().map(String::as_str).collect()
        };
        let servers: Vec<Arc<Server>> = names
            .into_iter()
            .map(|name| self.answering_server(name).map(Arc::clone))
            .collect::<Result<_, _>>()?;
        let has = |server: &Arc<Server>| server.images().iter().any(|image| image.alias == alias);
        if !replace && servers.iter().any(has) {
            return Err(CoreError::NameTaken(alias.to_owned()));
        }
        Ok(servers)
    }

    fn check_patch(&self, detail: &ImageDetail, patch: &PatchImage) -> Result<(), CoreError> {
        let mut errors = Vec::new();
        for alias in patch.aliases.iter().flatten() {
            errors.extend(check_alias("aliases", alias).err());
        }
        errors.extend(check_description(patch.description.as_deref().unwrap_or_default()).err());
        if patch.auto_update == Some(true) && detail.source.is_none() {
            errors.push(FieldError::new(
                "auto_update",
                "no-source",
                "needs an image that came from another server",
            ));
        }
        if !errors.is_empty() {
            return Err(CoreError::Invalid(errors));
        }
        let holders = detail.copies.iter().filter_map(|copy| self.parts.fleet.server(&copy.server));
        let others = holders.flat_map(|server| server.images());
        let taken: BTreeSet<String> =
            others.filter(|image| image.fingerprint != detail.fingerprint).map(|image| image.alias).collect();
        match patch.aliases.iter().flatten().find(|alias| taken.contains(*alias)) {
            Some(alias) => Err(CoreError::NameTaken(alias.clone())),
            None => Ok(()),
        }
    }

    /// The servers that have it, in the order of its copies, if all of them answer.
    fn holders(&self, detail: &ImageDetail) -> Result<Vec<Arc<Server>>, CoreError> {
        detail.copies.iter().map(|copy| self.answering_server(&copy.server).map(Arc::clone)).collect()
    }

    /// By alias, or by the fingerprint or its beginning.
    fn image_detail(&self, key: &str) -> Result<ImageDetail, CoreError> {
        let all = self.image_details();
        let by_alias = |image: &&ImageDetail| image.aliases.iter().any(|alias| alias == key);
        let by_content = |image: &&ImageDetail| key.len() >= SHORT && image.fingerprint.starts_with(key);
        let mut found: Vec<&ImageDetail> = all.iter().filter(by_alias).collect();
        if found.is_empty() {
            found = all.iter().filter(by_content).collect();
        }
        match found.as_slice() {
            [] => Err(CoreError::NotFound("image")),
            [one] => Ok((*one).clone()),
            _ => {
                let message = "names different images on the servers; use the fingerprint";
                Err(CoreError::invalid("image", "ambiguous", message))
            }
        }
    }

    /// What a machine is made from for which no image is named and nobody stated a default.
    fn school_default(&self) -> Option<String> {
        let settings = &self.parts.settings;
        let offered = self.parts.fleet.servers().flat_map(|server| server.images()).map(|image| image.alias);
        let first = || offered.filter(|alias| settings.allows_image(alias)).min();
        settings.default_image.clone().or_else(first)
    }

    fn image_details(&self) -> Vec<ImageDetail> {
        let default = self.school_default();
        let mut found: Vec<ImageDetail> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for server in self.parts.fleet.servers() {
            for image in server.stored_images() {
                let place = *places.entry(image.fingerprint.clone()).or_insert(found.len());
                if place == found.len() {
                    found.push(detail_of(&image));
                }
                if let Some(detail) = found.get_mut(place) {
                    add_copy(detail, server, image);
                }
            }
        }
        for detail in &mut found {
            detail.default = default.as_ref().is_some_and(|default| detail.aliases.contains(default));
        }
        found
    }
}

fn detail_of(image: &StoredImage) -> ImageDetail {
    ImageDetail {
        fingerprint: image.fingerprint.clone(),
        aliases: Vec::new(),
        description: image.description.clone(),
        architecture: image.architecture.clone(),
        size_bytes: image.size_bytes,
        created_at: image.created_at,
        uploaded_at: None,
        source: image.source.clone().map(|(url, alias)| ImageOrigin { url, alias }),
        auto_update: false,
        machines: 0,
        default: false,
        copies: Vec::new(),
    }
}

fn add_copy(detail: &mut ImageDetail, server: &Server, image: StoredImage) {
    let used_by = instances_that(server, |view| view.image_fingerprint == image.fingerprint);
    detail.machines = detail.machines.saturating_add(u32::try_from(used_by.len()).unwrap_or(u32::MAX));
    detail.auto_update |= image.auto_update;
    detail.uploaded_at = detail.uploaded_at.into_iter().chain(image.uploaded_at).min();
    for alias in &image.aliases {
        if !detail.aliases.contains(alias) {
            detail.aliases.push(alias.clone());
        }
    }
    detail.aliases.sort();
    detail.copies.push(ImageCopy {
        server: server.name().to_owned(),
        aliases: image.aliases,
        uploaded_at: image.uploaded_at,
        used_by,
    });
}

/// What an operation calls it.
fn name_of(detail: &ImageDetail) -> &str {
    let short = || detail.fingerprint.get(..SHORT).unwrap_or(&detail.fingerprint);
    detail.aliases.first().map_or_else(short, String::as_str)
}

fn refuse_used(detail: &ImageDetail) -> Result<(), CoreError> {
    let users: Vec<_> = detail.copies.iter().flat_map(|copy| copy.used_by.clone()).collect();
    let name = name_of(detail);
    if !users.is_empty() {
        return Err(CoreError::InUse(format!(
            "{} machines were made from the image \"{name}\" and could not be reset to it any more: {}. Delete it with \
             force=true if that is meant.",
            users.len(),
            named(&users)
        )));
    }
    if detail.default {
        return Err(CoreError::InUse(format!(
            "Machines for which no image is named are made from \"{name}\". Choose another default first, or delete it \
             with force=true."
        )));
    }
    Ok(())
}

/// Makes one server's copy what the patch says.
async fn write_to(
    server: &Server,
    fingerprint: &str,
    copy: &ImageCopy,
    patch: &PatchImage,
) -> Result<(), lxd_client::Error> {
    let client = server.client();
    if patch.description.is_some() || patch.auto_update.is_some() {
        let now = client.image(fingerprint).await?;
        let mut put = now.value.to_put();
        if let Some(description) = &patch.description {
            put.properties.insert("description".into(), description.trim().to_owned());
        }
        put.auto_update = patch.auto_update.unwrap_or(put.auto_update);
        client.update_image(fingerprint, &put, now.etag.as_deref()).await?;
    }
    let Some(wanted) = &patch.aliases else { return Ok(()) };
    let wanted: BTreeSet<&String> = wanted.iter().collect();
    let present: BTreeSet<&String> = copy.aliases.iter().collect();
    for alias in wanted.difference(&present) {
        let entry = lxd_api::ImageAliasEntry {
            name: (*alias).clone(),
            target: fingerprint.to_owned(),
            ..lxd_api::ImageAliasEntry::default()
        };
        client.create_image_alias(&entry).await?;
    }
    for alias in present.difference(&wanted) {
        match client.delete_image_alias(alias).await {
            // Somebody was faster.
            Err(error) if error.is_not_found() => {}
            other => other?,
        }
    }
    Ok(())
}
