//! The audit log: who did what, when, from where, with what result.

use vms_authz::{Allowed, Fleet, action::ViewAudit};
use vms_db::{AuditEntry, AuditFilter};
use vms_types::{AuditLine, AuditOutcome, Page};

use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
    /// Writes one line of the audit log. A line that cannot be written is an error in the log, not of the request.
    pub async fn audit(&self, entry: AuditEntry) {
        if let Err(error) = self.parts.db.append_audit(entry.clone()).await {
            tracing::error!(%error, ?entry, "the audit log could not be written");
        }
    }

    /// Lines of the audit log, newest first, at most 200.
    ///
    /// # Errors
    /// If the database fails or the cursor is none.
    pub async fn audit_log(
        &self,
        proof: &Allowed<Fleet, ViewAudit>,
        filter: &AuditFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<AuditLine>, CoreError> {
        let Page { items, next_cursor } = self.parts.db.audit_page(proof, filter, limit, cursor).await?;
        Ok(Page { items: items.into_iter().map(line).collect(), next_cursor })
    }
}

fn line(entry: AuditEntry) -> AuditLine {
    AuditLine {
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        action: entry.action,
        target: entry.target,
        outcome: AuditOutcome::of_status(entry.outcome),
        status: entry.outcome,
        code: entry.code,
        address: entry.address,
        request_id: entry.request_id,
        detail: entry.detail,
    }
}
