//! The audit log as a file, page by page: however long it is, only one page of it is in memory.

use std::io;

use actix_web::web::Bytes;
use futures::stream::{self, Stream, StreamExt as _};
use vms_authz::{Allowed, Fleet, action::ViewAudit};
use vms_core::{AuditFilter, CoreError, Vms};
use vms_types::{AuditFormat, AuditLine, Page};

use crate::error::ApiError;

/// Lines read from the database at once, and most lines on a page.
pub(crate) const LINES_AT_ONCE: u32 = 200;

/// The columns of the CSV, as the fields of a line in JSON.
const COLUMNS: &str = "id,at,actor,action,target,outcome,status,code,address,request_id,detail\r\n";

/// Lines as a piece of the file.
fn write(format: AuditFormat, lines: &[AuditLine]) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for line in lines {
        match format {
            AuditFormat::Csv => text.push_str(&csv(line)),
            AuditFormat::Jsonl => {
                text.push_str(&serde_json::to_string(line)?);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

/// What is still to be sent: what was read already, and where to go on.
struct Rest {
    vms: Vms,
    proof: Allowed<Fleet, ViewAudit>,
    filter: AuditFilter,
    format: AuditFormat,
    page: Option<Page<AuditLine>>,
}

impl Rest {
    async fn read(&self, cursor: Option<&str>) -> Result<Page<AuditLine>, CoreError> {
        self.vms.audit_log(&self.proof, &self.filter, LINES_AT_ONCE, cursor).await
    }

    /// The next piece. An error ends the answer before its end, which the client notices.
    async fn piece(mut self) -> io::Result<Option<(Bytes, Self)>> {
        let Some(page) = self.page.take() else { return Ok(None) };
        let text = write(self.format, &page.items)?;
        if let Some(cursor) = page.next_cursor {
            self.page = Some(self.read(Some(&cursor)).await.map_err(|error| {
                tracing::error!(%error, "an export of the audit log ends before its end");
                io::Error::other(error.to_string())
            })?);
        }
        Ok(Some((Bytes::from(text), self)))
    }
}

/// The lines as pieces of a file. The first page is read before the answer begins, so that what is wrong with the
/// question is still answered as a problem.
pub(crate) async fn audit(
    vms: Vms,
    proof: Allowed<Fleet, ViewAudit>,
    filter: AuditFilter,
    format: AuditFormat,
) -> Result<impl Stream<Item = io::Result<Bytes>>, ApiError> {
    let mut rest = Rest { vms, proof, filter, format, page: None };
    rest.page = Some(rest.read(None).await?);
    let head = match format {
        AuditFormat::Csv => Bytes::from_static(COLUMNS.as_bytes()),
        AuditFormat::Jsonl => Bytes::new(),
    };
    let pieces = stream::try_unfold(rest, Rest::piece);
    Ok(stream::iter((!head.is_empty()).then_some(Ok(head))).chain(pieces))
}

fn csv(line: &AuditLine) -> String {
    let AuditLine { id, at, actor, action, target, outcome, status, code, address, request_id, detail } =
        line;
    let cells = [
        id.to_string(),
        at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        actor.clone(),
        action.clone(),
        target.clone(),
        outcome.as_str().to_owned(),
        status.to_string(),
        code.clone().unwrap_or_default(),
        address.clone(),
        request_id.clone(),
        detail.as_ref().map(ToString::to_string).unwrap_or_default(),
    ];
    let mut text = cells.map(|text| cell(&text)).join(",");
    text.push_str("\r\n");
    text
}

/// A cell in quotes where it needs them. What a spreadsheet would take for a formula gets an apostrophe before it: names
/// and targets come from whoever asks, and may mean to run on the reader's computer.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let safe = if formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn cells_are_quoted_where_needed_and_never_formulas() {
        for (text, written) in [
            ("", ""),
            ("bruno", "bruno"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+55", "'+55"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("=HYPERLINK(\"http://x\",1)", "\"'=HYPERLINK(\"\"http://x\"\",1)\""),
            ("a=1", "a=1"),
        ] {
            assert_eq!(cell(text), written, "{text:?}");
        }
    }
}
