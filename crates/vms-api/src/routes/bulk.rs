//! One command to many machines. Each is authorized, judged and written down as if it had come alone.

use actix_web::{HttpResponse, post};
use serde_json::{Value, json};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::MachineTarget;
use vms_authz::action::{ChangePower, CreateSnapshot as MaySnapshot, DeleteMachine};
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
/// Starts, stops, deletes or takes a snapshot of up to 100 machines. The answer says for each whether it was handed over
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
}

impl Work {
    fn read(request: &BulkRequest) -> Result<Self, CoreError> {
        if !(1..=MAX_BULK).contains(&request.machines.len()) {
            let words = format!("must name 1 to {MAX_BULK} machines");
            return Err(CoreError::invalid("machines", "length", words));
        }
        let power = |action| Self::Power(StateChange { action, force: request.force, timeout_seconds: None });
        match (request.action, &request.snapshot) {
            (BulkAction::Snapshot, Some(name)) => Ok(Self::Snapshot(CreateSnapshot { name: name.clone() })),
            (BulkAction::Snapshot, None) => {
                Err(CoreError::invalid("snapshot", "required", "must name the snapshots"))
            }
            (_, Some(_)) => {
                Err(CoreError::invalid("snapshot", "unexpected", "belongs to the action snapshot only"))
            }
            (BulkAction::Start, None) => Ok(power(PowerAction::Start)),
            (BulkAction::Stop, None) => Ok(power(PowerAction::Stop)),
            (BulkAction::Delete, None) => Ok(Self::Delete),
        }
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
        })
    }

    /// The word for the single command in the audit log.
    const fn action(&self) -> &'static str {
        match self {
            Self::Power(_) => "machine.power",
            Self::Delete => "machine.delete",
            Self::Snapshot(_) => "snapshot.create",
        }
    }

    /// The target of the single command in the audit log: its path.
    fn target(&self, machine: &str) -> String {
        match self {
            Self::Power(_) => format!("machines/{machine}/state"),
            Self::Delete => format!("machines/{machine}"),
            Self::Snapshot(_) => format!("machines/{machine}/snapshots"),
        }
    }

    /// What the single command would have noted.
    fn detail(&self) -> Option<Value> {
        match self {
            Self::Power(change) => Some(json!(change)),
            Self::Delete => None,
            Self::Snapshot(snapshot) => Some(json!(snapshot)),
        }
    }
}
