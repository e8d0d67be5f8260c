//! The audit log: pages of it, and all of it as a file.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::http::header::ContentDisposition;
use actix_web::{HttpResponse, get};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Fleet;
use vms_authz::action::ViewAudit;
use vms_core::AuditFilter;
use vms_types::{AuditFormat, AuditLine, AuditOutcome, Page};

use crate::context::Ctx;
use crate::error::ApiError;
use crate::export;
use crate::params::Params;
use crate::{conditional, paging};

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(export_lines);
}

/// A query with the parameters of the filter and some of its own. (serde flattens no structs into one that refuses unknown
/// parameters.)
macro_rules! filtered {
    ($(#[$doc:meta])* struct $query:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        struct $query {
            /// Only by this person.
            #[param(example = "ana")]
            actor: Option<String>,
            /// Only this action.
            #[param(example = "machine.delete")]
            action: Option<String>,
            /// Only where the target contains this.
            target: Option<String>,
            /// Only at this time or later.
            from: Option<DateTime<Utc>>,
            /// Only before this time.
            until: Option<DateTime<Utc>>,
            /// Only what was taken, or only what was refused.
            #[param(inline)]
            outcome: Option<AuditOutcome>,
            $($own)*
        }

        impl $query {
            fn filter(&self) -> AuditFilter {
                AuditFilter {
                    actor: self.actor.clone(),
                    action: self.action.clone(),
                    target: self.target.clone(),
                    from: self.from,
                    until: self.until,
                    outcome: self.outcome,
                }
            }
        }
    };
}

filtered! {
    /// Which lines, and how many at once.
    struct AuditQuery {
        /// Lines on one page, 1 to 200; 100 if absent.
        #[param(minimum = 1, maximum = 200)]
        limit: Option<u32>,
        /// `next_cursor` of the page before.
        cursor: Option<String>,
    }
}

filtered! {
    /// Which lines, and as what.
    struct ExportQuery {
        /// `csv` (RFC 4180, with a line of names first) if absent, or `jsonl`: one JSON object a line.
        #[param(inline)]
        format: Option<AuditFormat>,
    }
}

/// Read the audit log
///
/// Newest first: every login, and every request that meant to change something, with how it ended.
#[utoipa::path(
    operation_id = "audit_list", tag = "audit", security(("token" = [])),
    params(AuditQuery),
    responses((status = 200, description = "The lines", body = Page<AuditLine>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/audit")]
async fn list(ctx: Ctx, query: Params<AuditQuery>) -> Result<HttpResponse, ApiError> {
    let limit = paging::limit_up_to(query.0.limit, export::LINES_AT_ONCE)?;
    let proof = ctx.authorize(Fleet, ViewAudit)?;
    let page = ctx.vms().audit_log(&proof, &query.0.filter(), limit, query.0.cursor.as_deref()).await?;
    conditional::answer(ctx.request(), &page)
}

/// Export the audit log
///
/// All lines that the filter lets through, newest first, sent as they are read. In CSV, cells that a spreadsheet would take for
/// a formula begin with an apostrophe.
#[utoipa::path(
    operation_id = "audit_export", tag = "audit", security(("token" = [])),
    params(ExportQuery),
    responses((status = 200, description = "The lines",
               content((String = "text/csv"), (String = "application/jsonl")))),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/audit/export")]
async fn export_lines(ctx: Ctx, query: Params<ExportQuery>) -> Result<HttpResponse, ApiError> {
    let format = query.0.format.unwrap_or_default();
    let proof = ctx.authorize(Fleet, ViewAudit)?;
    let lines = export::audit(ctx.vms().clone(), proof, query.0.filter(), format).await?;
    let name = format!("audit-{}.{}", Utc::now().format("%Y%m%d-%H%M%S"), format.as_str());
    Ok(HttpResponse::Ok()
        .content_type(format.media_type())
        .insert_header(ContentDisposition::attachment(name))
        .streaming(lines))
}
