//! One command to many machines. Each is authorized, judged and written down as if it had come alone.

use actix_web::{HttpResponse, post};
use serde_json::{Value, json};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::MachineTarget;
use vms_authz::action::{ChangePower, ChangeProfiles, CreateSnapshot as MaySnapshot, DeleteMachine};
use vms_core::CoreError;
use vms_types::{
    BulkAction, BulkAnswer, BulkItem, BulkRequest, CreateSnapshot, MAX_BULK, Operation, PowerAction,
    StateChange,
};

use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiError;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(bulk);
}

/// Command many machines
///
/// Starts, stops, deletes, takes a snapshot of or gives another profile to up to 100 machines. The answer says for each whether it was handed over
/// or why not: one that is refused does not keep the others from being done.
#[utoipa::path(
    operation_id = "machine_bulk", tag = "machines", security(("token" = [])),
    request_body = BulkRequest,
    responses((status = 200, description = "What became of each", body = BulkAnswer)),
    extensions(("x-problem-codes" = json!(["validation-failed"])))
)]
#[post("/machines/bulk")]
async fn bulk(ctx: Ctx, body: JsonBody<BulkRequest>) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let work = Work::read(&body.0)?;
    let mut items = Vec::with_capacity(body.0.machines.len());
    for machine in body.0.machines {
        let (name, result) = work.give(&ctx, &machine).await;
        let result = result.map_err(|error| ctx.identify(error));
        ctx.audit_part(work.action(), work.target(&name), result.as_ref().err(), work.detail()).await;
        let (operation, problem) = match result {
            Ok(operation) => (Some(operation), None),
            Err(error) => (None, Some(error.into_problem())),
        };
        items.push(BulkItem { machine, operation, problem });
    }
    Ok(HttpResponse::Ok().json(BulkAnswer { items }))
}

/// What is done to each.
enum Work {
    Power(StateChange),
    Delete,
    Snapshot(CreateSnapshot),
    Profile(String),
}

/// What a field says, which must be there for its own action and for no other.
fn named(field: &str, wanted: bool, value: Option<&String>) -> Result<String, CoreError> {
    match (wanted, value) {
        (true, None) => Err(CoreError::invalid(field, "required", "must be named")),
        (false, Some(_)) => {
            let message = format!("belongs to the action {field} only");
            Err(CoreError::invalid(field, "unexpected", message))
        }
        (_, value) => Ok(value.cloned().unwrap_or_default()),
    }
}

impl Work {
    fn read(request: &BulkRequest) -> Result<Self, CoreError> {
        if !(1..=MAX_BULK).contains(&request.machines.len()) {
            let words = format!("must name 1 to {MAX_BULK} machines");
            return Err(CoreError::invalid("machines", "length", words));
        }
        let power = |action| Self::Power(StateChange { action, force: request.force, timeout_seconds: None });
        let snapshot = named("snapshot", request.action == BulkAction::Snapshot, request.snapshot.as_ref())?;
        let profile = named("profile", request.action == BulkAction::Profile, request.profile.as_ref())?;
        Ok(match request.action {
            BulkAction::Start => power(PowerAction::Start),
            BulkAction::Stop => power(PowerAction::Stop),
            BulkAction::Delete => Self::Delete,
            BulkAction::Snapshot => Self::Snapshot(CreateSnapshot { name: snapshot }),
            BulkAction::Profile => Self::Profile(profile),
        })
    }

    /// Gives the command to one machine. Also the instance's name, or the machine as it was named where there is none:
    /// what people look for in the audit log.
    async fn give(&self, ctx: &Ctx, machine: &str) -> (String, Result<Operation, ApiError>) {
        match ctx.vms().find_machine(machine).await {
            Ok(target) => (target.instance.clone(), self.give_to(ctx, target).await),
            Err(error) => (machine.to_owned(), Err(error.into())),
        }
    }

    async fn give_to(&self, ctx: &Ctx, target: MachineTarget) -> Result<Operation, ApiError> {
        Ok(match self {
            Self::Power(change) => {
                let proof = ctx.authorize(target, ChangePower)?;
                ctx.vms().change_power(&proof, change.clone(), None).await?
            }
            Self::Delete => {
                let proof = ctx.authorize(target, DeleteMachine)?;
                ctx.vms().delete_machine(&proof, None).await?
            }
            Self::Snapshot(snapshot) => {
                let proof = ctx.authorize(target, MaySnapshot)?;
                ctx.vms().create_snapshot(&proof, snapshot.clone(), None).await?
            }
            Self::Profile(profile) => {
                let proof = ctx.authorize(target, ChangeProfiles)?;
                ctx.vms().change_profiles(&proof, vec![profile.clone()]).await?
            }
        })
    }

    /// The word for the single command in the audit log.
    const fn action(&self) -> &'static str {
        match self {
            Self::Power(_) => "machine.power",
            Self::Delete => "machine.delete",
            Self::Snapshot(_) => "snapshot.create",
            Self::Profile(_) => "machine.edit",
        }
    }

    /// The target of the single command in the audit log: its path.
    fn target(&self, machine: &str) -> String {
        match self {
            Self::Power(_) => format!("machines/{machine}/state"),
            Self::Delete | Self::Profile(_) => format!("machines/{machine}"),
            Self::Snapshot(_) => format!("machines/{machine}/snapshots"),
        }
    }

    /// What the single command would have noted.
    fn detail(&self) -> Option<Value> {
        match self {
            Self::Power(change) => Some(json!(change)),
            Self::Delete => None,
            Self::Snapshot(snapshot) => Some(json!(snapshot)),
            Self::Profile(profile) => Some(json!({ "profiles": [profile] })),
        }
    }
}
