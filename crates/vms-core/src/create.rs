//! Creating a machine: all checks, then the place in the quota and the operation in one transaction.

use serde_json::json;
use uuid::Uuid;
use vms_authz::{Allowed, PersonTarget, action::CreateMachine as MayCreate};
use vms_db::{NewMachine, NewOperation, ReserveError, User};
use vms_types::{
    CatalogKind, Chooser, CreateMachine, FieldError, InstanceName, Limits, MachineName, Operation,
    OperationKind, Role,
};

use crate::audience::chooser;
use crate::commands::fingerprint;
use crate::error::CoreError;
use crate::machines::check_description;
use crate::quota::Amount;
use crate::vms::Vms;

/// How many numbers are tried behind an instance name that is someone else's.
const DISAMBIGUATIONS: u32 = 20;

/// What the machine will be made of.
struct Plan {
    name: MachineName,
    instance: InstanceName,
    image: String,
    profile: String,
    description: String,
    server: String,
    limits: Limits,
}

/// `None` where there is no such thing, or not for this person.
struct Chosen {
    image: Option<String>,
    profile: Option<String>,
}

impl Vms {
    /// Reserves a place in the quota and begins to make a machine for the person the proof is about.
    ///
    /// # Errors
    /// Fields that are not valid, a taken name, a used-up quota, no server that answers.
    pub async fn create_machine(
        &self,
        proof: &Allowed<PersonTarget, MayCreate>,
        request: CreateMachine,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        let owner = proof.resource().username.clone();
        let actor = proof.actor();
        let key = key.map(|key| {
            fingerprint(key, OperationKind::MachineCreate, &json!({ "owner": owner, "request": request }))
        });
        if let Some(first) = self.replayed(actor.username(), key.as_ref()).await? {
            return Ok(first);
        }
        let held = self.parts.db.holdings(proof).await?;
        let Some(user) = &held.user else {
            return Err(CoreError::invalid("owner", "unknown", "has never logged in"));
        };
        let chosen = self.chosen(proof, user, &request).await?;
        let plan = self.plan(&owner, actor.role(), &request, chosen)?;
        self.refuse_unlimited(&held, &plan.limits)?;
        let asked = Amount::of_machine(&plan.limits, request.start);
        let slot = self.enter_line(actor.username())?;
        let mut instance = plan.instance.clone();
        for number in 2..=DISAMBIGUATIONS {
            let id = Uuid::new_v4();
            let machine = NewMachine {
                id,
                name: plan.name.to_string(),
                instance: instance.to_string(),
                server: plan.server.clone(),
                image_alias: plan.image.clone(),
                profile: plan.profile.clone(),
                description: plan.description.clone(),
                limits: plan.limits,
            };
            let operation = NewOperation {
                id: Uuid::new_v4(),
                kind: OperationKind::MachineCreate,
                machine_id: Some(id),
                machine_name: plan.name.to_string(),
                instance: instance.to_string(),
                owner: owner.clone(),
                requested_by: actor.username().to_owned(),
                server: plan.server.clone(),
                params: json!({ "start": request.start, "image": plan.image, "profile": plan.profile }),
            };
            let admit = self.room_for(asked);
            match self.parts.db.reserve_machine(proof, machine, admit, operation, key.clone()).await {
                Ok(reserved) => return Ok(self.hand_over(reserved.operation, slot)),
                // Another person's machine has that instance name (`bruno`+`maquinaa`, `brunom`+`aquinaa`).
                Err(ReserveError::InstanceTaken) => {
                    instance =
                        plan.instance.disambiguated(number).map_err(|e| CoreError::bad_name("name", e))?;
                }
                Err(ReserveError::QuotaExceeded(shortage)) => return Err(CoreError::QuotaExceeded(shortage)),
                Err(ReserveError::NameTaken) => return Err(CoreError::NameTaken(plan.name.to_string())),
                Err(ReserveError::Replay(id)) => return self.operation_by_id(id).await,
                Err(ReserveError::KeyReused) => return Err(CoreError::IdempotencyKeyReused),
                Err(ReserveError::Db(error)) => return Err(error.into()),
            }
        }
        Err(CoreError::NameTaken(plan.name.to_string()))
    }

    /// What the machine will be made from: what the person who asks may choose, and else the owner's defaults.
    async fn chosen(
        &self,
        proof: &Allowed<PersonTarget, MayCreate>,
        owner: &User,
        request: &CreateMachine,
    ) -> Result<Chosen, CoreError> {
        let actor = chooser(proof.actor());
        let owner = Chooser { username: &owner.username, role: owner.role(), groups: &owner.groups };
        let (image, profile) = (request.image.as_deref(), request.profile.as_deref());
        Ok(Chosen {
            image: self.choose(CatalogKind::Image, image, actor, owner).await?,
            profile: self.choose(CatalogKind::Profile, profile, actor, owner).await?,
        })
    }

    /// Checks every field and says everything that is wrong at once.
    fn plan(
        &self,
        owner: &str,
        role: Role,
        request: &CreateMachine,
        chosen: Chosen,
    ) -> Result<Plan, CoreError> {
        let mut errors = Vec::new();
        let mut note =
            |field: &str, code: &str, message: String| errors.push(FieldError::new(field, code, message));
        let name = MachineName::parse(&request.name).map_err(|e| note("name", e.code(), e.to_string())).ok();
        let instance = name.as_ref().and_then(|name| {
            InstanceName::from_template(&self.parts.settings.name_template, owner, name)
                .map_err(|e| note("name", e.code(), format!("{e}, together with the owner's name")))
                .ok()
        });
        let description = check_description(request.description.as_deref().unwrap_or_default())
            .map_err(|error| note(&error.field, &error.code, error.message))
            .unwrap_or_default();
        // One answer for what does not exist and for what is not for this person. Of servers that are away nothing is known.
        let answering = self.parts.fleet.servers().any(|server| server.is_connected());
        if chosen.image.is_none() && answering {
            note("image", "unknown", "is not one of the images you may use".into());
        }
        if chosen.profile.is_none() && answering {
            note("profile", "unknown", "is not one of the profiles you may use".into());
        }
        if request.server.is_some() && role != Role::Admin {
            note("server", "forbidden", "may be chosen only by administrators".into());
        } else if let Some(server) = request.server.as_ref().filter(|s| self.parts.fleet.server(s).is_none())
        {
            note("server", "unknown", format!("{server} is not a server of this system"));
        }
        let (Some(name), Some(instance), true) = (name, instance, errors.is_empty()) else {
            return Err(CoreError::Invalid(errors));
        };
        let (image, profile) = (chosen.image.unwrap_or_default(), chosen.profile.unwrap_or_default());
        let server = match &request.server {
            Some(server) => self.answering_server(server)?.name().to_owned(),
            None => match self.parts.fleet.place(&image, &profile) {
                Some(server) => server.name().to_owned(),
                None => return Err(self.no_server()),
            },
        };
        let carried = std::slice::from_ref(&profile);
        let limits =
            self.parts.fleet.server(&server).and_then(|s| s.limits_with(carried)).unwrap_or_default();
        Ok(Plan { name, instance, image, profile, description, server, limits })
    }

    /// Why no server can take a machine now.
    fn no_server(&self) -> CoreError {
        let all: Vec<_> = self.parts.fleet.servers().map(|s| s.summary()).collect();
        match all.iter().find(|s| s.refused) {
            Some(refused) if all.iter().all(|s| s.refused) => CoreError::ServerRefused(refused.name.clone()),
            _ => CoreError::ServerUnavailable(
                all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", "),
            ),
        }
    }
}
