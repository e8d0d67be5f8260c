//! The audit log, for administrators.

use chrono::{DateTime, SecondsFormat, Utc};
use vms_types::{AuditFormat, AuditLine, AuditOutcome, Page};

use crate::client::{ApiClient, Call, Conditional, query};
use crate::error::ClientError;
use crate::transport::{Method, Transport};

/// Which lines to read (`GET /audit`). Empty: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Only by this person.
    pub actor: Option<String>,
    /// Only this action (`machine.delete`).
    pub action: Option<String>,
    /// Only where the target contains this.
    pub target: Option<String>,
    /// Only at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Only before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only what was taken, or only what was refused.
    pub outcome: Option<AuditOutcome>,
    /// At most so many. Not for an export.
    pub limit: Option<u32>,
    /// Where the page starts (`next_cursor` of the page before). Not for an export.
    pub cursor: Option<String>,
}

impl AuditQuery {
    fn path(&self, path: &str, format: Option<AuditFormat>) -> String {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let parameters = [
            ("actor", self.actor.clone()),
            ("action", self.action.clone()),
            ("target", self.target.clone()),
            ("from", self.from.map(time)),
            ("until", self.until.map(time)),
            ("outcome", self.outcome.map(|outcome| outcome.as_str().to_owned())),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
            ("format", format.map(|format| format.as_str().to_owned())),
        ];
        query(path, parameters)
    }
}

impl<T: Transport> ApiClient<T> {
    /// `GET /audit`, newest first, with `If-None-Match` where an `etag` of an earlier answer is given.
    ///
    /// # Errors
    /// `forbidden`, `malformed-parameter`.
    pub async fn audit(
        &self,
        query: &AuditQuery,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<AuditLine>>, ClientError> {
        self.conditional(Call::new(Method::Get, query.path("/audit", None)), etag).await
    }

    /// `GET /audit/export`: the file's text, all of it.
    ///
    /// # Errors
    /// `forbidden`, `malformed-parameter`.
    pub async fn audit_export(&self, query: &AuditQuery, format: AuditFormat) -> Result<String, ClientError> {
        let all = AuditQuery { limit: None, cursor: None, ..query.clone() };
        let call = Call::new(Method::Get, all.path("/audit/export", Some(format)));
        self.send_authorized(&call).await.map(|answer| answer.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_only_what_is_wanted() {
        assert_eq!(AuditQuery::default().path("/audit", None), "/audit");
        let query = AuditQuery {
            actor: Some("a&b".into()),
            from: Some(DateTime::UNIX_EPOCH),
            outcome: Some(AuditOutcome::Refused),
            ..AuditQuery::default()
        };
        assert_eq!(
            query.path("/audit/export", Some(AuditFormat::Csv)),
            "/audit/export?actor=a%26b&from=1970-01-01T00%3A00%3A00Z&outcome=refused&format=csv"
        );
    }
}
