//! `/1.0/operations`: what goes on in the background.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::{
    engine::{Core, operation_value},
    reply::{ApiRequest, Failure, Reply},
};

fn missing() -> Failure {
    Failure::not_found("Operation not found")
}

/// LXD sorts them by status, in small letters.
pub(crate) fn list(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let mut sorted: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in core.lock().operations.values() {
        let operation = &record.operation;
        let item = match request.recursion() {
            0 => Value::String(format!("/1.0/operations/{}", operation.id)),
            _ => operation_value(operation),
        };
        sorted.entry(operation.status.to_lowercase()).or_default().push(item);
    }
    Reply::sync(&sorted)
}

pub(crate) fn get(core: &Core, id: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let record = state.operations.get(id).ok_or_else(missing)?;
    Reply::sync(&operation_value(&record.operation))
}

/// None of the operations here can be cancelled, as in LXD for instances on local storage.
pub(crate) fn cancel(core: &Core, id: &str) -> Result<Reply, Failure> {
    core.lock().operations.get(id).ok_or_else(missing)?;
    Err(Failure::bad("This operation can't be cancelled"))
}

/// Answers when it ended, or after `?timeout=` seconds (-1 or absent: no limit) with what it is then.
pub(crate) async fn wait(core: &Core, request: &ApiRequest, id: &str) -> Result<Reply, Failure> {
    let (first, mut done) = {
        let state = core.lock();
        let record = state.operations.get(id).ok_or_else(missing)?;
        (record.operation.clone(), record.done.clone())
    };
    let timeout = request.query.get("timeout").and_then(|text| text.parse::<i64>().ok());
    // An error means that the operation was aborted: then what is known now is all there will be.
    match timeout.and_then(|seconds| u64::try_from(seconds).ok()) {
        Some(seconds) => {
            drop(tokio::time::timeout(Duration::from_secs(seconds), done.wait_for(|done| *done)).await);
        }
        None => drop(done.wait_for(|done| *done).await),
    }
    let state = core.lock();
    let operation = state.operations.get(id).map_or(&first, |record| &record.operation);
    Reply::sync(&operation_value(operation))
}
