//! Profiles as administrators manage them: seen whole, and written to every server alike.

use std::sync::Arc;

use vms_authz::{
    Allowed, Catalog,
    action::{ManageProfiles, ViewProfile},
};
use vms_fleet::{CatalogProfile, InstanceView, Server, keys};
use vms_types::profile::{Config, Devices, dangers, spell_sizes};
use vms_types::{FieldError, NewProfile, ProfileDetail, ProfileUpdate, ProfileUser};

use crate::error::CoreError;
use crate::vms::Vms;

/// Longest name of a profile, in characters.
const MAX_NAME: usize = 63;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 500;
/// How many machines a refusal names.
const NAMED: usize = 20;

impl Vms {
    /// Everything of one profile; from memory.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] if no server has it.
    pub async fn profile(
        &self,
        _proof: &Allowed<Catalog, ViewProfile>,
        name: &str,
    ) -> Result<ProfileDetail, CoreError> {
        self.profile_detail(name)
    }

    /// Makes a profile on every server.
    ///
    /// # Errors
    /// [`CoreError::NameTaken`]; [`CoreError::Invalid`] for what LXD would not take or could harm the host;
    /// [`CoreError::ServerUnavailable`] if a server is away, and nothing was done then; [`CoreError::OnOneOf`].
    pub async fn create_profile(
        &self,
        proof: &Allowed<Catalog, ManageProfiles>,
        new: NewProfile,
    ) -> Result<ProfileDetail, CoreError> {
        check_name(&new.name)?;
        if !self.copies(&new.name).is_empty() {
            return Err(CoreError::NameTaken(new.name));
        }
        let NewProfile { name, description, config, devices } = new;
        self.write_profile(proof, &name, ProfileUpdate { description, config, devices }).await
    }

    /// Replaces a profile on every server; where it is missing it is made. What runs feels it at once.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] if no server has it; else as for [`Vms::create_profile`].
    pub async fn update_profile(
        &self,
        proof: &Allowed<Catalog, ManageProfiles>,
        name: &str,
        update: ProfileUpdate,
    ) -> Result<ProfileDetail, CoreError> {
        self.profile_detail(name)?;
        self.write_profile(proof, name, update).await
    }

    /// Removes a profile from every server.
    ///
    /// # Errors
    /// [`CoreError::NotFound`]; [`CoreError::InUse`] while something carries it, and always for LXD's own `default` and
    /// for the one that new machines get; else as for [`Vms::create_profile`].
    pub async fn delete_profile(
        &self,
        proof: &Allowed<Catalog, ManageProfiles>,
        name: &str,
    ) -> Result<(), CoreError> {
        let detail = self.profile_detail(name)?;
        if name == "default" || detail.default {
            let why = "new machines are made with it, or LXD needs it, so it stays";
            return Err(CoreError::InUse(format!("The profile \"{name}\" cannot be deleted: {why}.")));
        }
        if !detail.used_by.is_empty() {
            return Err(in_use(&detail));
        }
        let mut done = Vec::new();
        for server in self.answering()? {
            match server.client().delete_profile(name).await {
                Ok(()) => done.push(server.name().to_owned()),
                // It was not on this server, or somebody was faster.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(failed(done, &server, error)),
            }
            reread(&server).await;
        }
        Ok(self.parts.db.forget_profile_audience(proof, name).await?)
    }

    async fn write_profile(
        &self,
        _proof: &Allowed<Catalog, ManageProfiles>,
        name: &str,
        update: ProfileUpdate,
    ) -> Result<ProfileDetail, CoreError> {
        self.check_profile(&update)?;
        let mut put = lxd_api::ProfilePut {
            description: update.description,
            config: update.config,
            devices: update.devices,
        };
        spell_sizes(&mut put.config, &mut put.devices);
        let mut done = Vec::new();
        for server in self.answering()? {
            match write_to(&server, name, &put).await {
                Ok(()) => done.push(server.name().to_owned()),
                Err(error) => return Err(failed(done, &server, error)),
            }
            reread(&server).await;
        }
        self.profile_detail(name)
    }

    fn check_profile(&self, update: &ProfileUpdate) -> Result<(), CoreError> {
        let mut errors = Vec::new();
        if update.description.chars().count() > MAX_DESCRIPTION {
            let message = format!("is longer than {MAX_DESCRIPTION} characters");
            errors.push(FieldError::new("description", "too-long", message));
        }
        if !self.parts.settings.allow_dangerous_profiles {
            errors.extend(dangers(&update.config, &update.devices));
        }
        if errors.is_empty() { Ok(()) } else { Err(CoreError::Invalid(errors)) }
    }

    /// Every server, if all of them answer: a profile that only some have is worse than one that is a little late.
    fn answering(&self) -> Result<Vec<Arc<Server>>, CoreError> {
        let servers: Vec<Arc<Server>> = self.parts.fleet.servers().map(Arc::clone).collect();
        match servers.iter().find(|server| !server.is_connected()) {
            Some(away) => Err(CoreError::ServerUnavailable(away.name().to_owned())),
            None => Ok(servers),
        }
    }

    /// The profile on each server that has it.
    fn copies(&self, name: &str) -> Vec<(String, CatalogProfile)> {
        let named = |server: &Arc<Server>| server.profiles().into_iter().find(|profile| profile.name == name);
        let servers = self.parts.fleet.servers();
        servers.filter_map(|server| Some((server.name().to_owned(), named(server)?))).collect()
    }

    fn profile_detail(&self, name: &str) -> Result<ProfileDetail, CoreError> {
        let copies = self.copies(name);
        let Some((_, first)) = copies.first() else { return Err(CoreError::NotFound("profile")) };
        let first = first.clone();
        let differs = copies.len() < self.parts.fleet.servers().count()
            || copies.iter().any(|(_, copy)| copy != &first);
        let (config, devices): (Config, Devices) = (first.config, first.devices);
        Ok(ProfileDetail {
            dangerous_keys: dangers(&config, &devices).into_iter().map(|error| error.field).collect(),
            default: name == self.parts.settings.default_profile,
            name: first.name,
            description: first.description,
            limits: first.limits,
            interfaces: first.interfaces,
            used_by: self.profile_users(name),
            servers: copies.into_iter().map(|(server, _)| server).collect(),
            differs,
            config,
            devices,
        })
    }

    fn profile_users(&self, name: &str) -> Vec<ProfileUser> {
        let carries = |view: &InstanceView| view.profiles.iter().any(|profile| profile == name);
        self.parts.fleet.servers().flat_map(|server| instances_that(server, carries)).collect()
    }
}

/// The instances of a server for which something is true.
pub(crate) fn instances_that(server: &Server, is_so: impl Fn(&InstanceView) -> bool) -> Vec<ProfileUser> {
    let views = server.instances().into_iter().filter(|view| is_so(view));
    let users = views.map(|view| ProfileUser {
        id: view.machine_id(),
        name: view.config.get(keys::NAME).cloned(),
        instance: view.name.clone(),
        owner: view.config.get(keys::OWNER).cloned(),
        server: server.name().to_owned(),
    });
    users.collect()
}

/// Makes it as it shall be, whether it is there or not.
async fn write_to(server: &Server, name: &str, put: &lxd_api::ProfilePut) -> Result<(), lxd_client::Error> {
    match server.client().update_profile(name, put, None).await {
        Err(error) if error.is_not_found() => {
            let lxd_api::ProfilePut { description, config, devices } = put.clone();
            let profile =
                lxd_api::Profile { name: name.to_owned(), description, config, devices, used_by: Vec::new() };
            server.client().create_profile(&profile).await
        }
        other => other,
    }
}

/// The change is done; if the mirror cannot be renewed now, LXD's event does it a moment later.
async fn reread(server: &Server) {
    if let Err(error) = server.refresh_profiles().await {
        tracing::warn!(server = server.name(), %error, "the profiles could not be read again at once");
    }
}

pub(crate) fn failed(done: Vec<String>, server: &Server, error: lxd_client::Error) -> CoreError {
    CoreError::OnOneOf { done, server: server.name().to_owned(), error }
}

/// Some instances by name, and how many more there are.
pub(crate) fn named(users: &[ProfileUser]) -> String {
    let mut named: Vec<String> = users
        .iter()
        .take(NAMED)
        .map(|user| match &user.owner {
            Some(owner) => format!("{} ({owner})", user.instance),
            None => user.instance.clone(),
        })
        .collect();
    if let Some(more) = users.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}

fn in_use(detail: &ProfileDetail) -> CoreError {
    CoreError::InUse(format!(
        "The profile \"{}\" is carried by {}. Give them another profile or delete them first.",
        detail.name,
        named(&detail.used_by)
    ))
}

/// Stricter than LXD, which takes nearly anything: a name that needs no quoting anywhere.
fn check_name(name: &str) -> Result<(), CoreError> {
    let wrong = |code, message: &str| Err(CoreError::invalid("name", code, message));
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return wrong("length", "must have 1 to 63 characters");
    }
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return wrong("first-character", "must begin with a letter or a digit");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return wrong("character", "may only have letters, digits, -, _ and .");
    }
    Ok(())
}
