//! The middle: state, timing, the event channel, and how background operations run.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::Utc;
use lxd_api::{Event, EventType, Lifecycle, Operation, Requestor, StatusCode};
use serde_json::{Map, Value, json};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use crate::{
    reply::{ApiRequest, Reply, sha256_hex},
    state::{InstanceRecord, OperationRecord, State, instance_path},
    timing::Timing,
};

/// How many events a slow websocket may lag behind before it is cut off.
const EVENT_BACKLOG: usize = 4096;

/// What all connections and operations share.
#[derive(Debug)]
pub(crate) struct Core {
    state: Mutex<State>,
    pub(crate) timing: Timing,
    events: broadcast::Sender<Arc<Event>>,
    /// Changes when all event sockets shall close.
    sockets: watch::Sender<u64>,
    /// The server's certificate, PEM.
    pub(crate) certificate: String,
    /// Where HTTPS listens, once it does.
    pub(crate) https: Mutex<Option<std::net::SocketAddr>>,
}

/// What an operation is, before it begins.
pub(crate) struct Plan {
    pub(crate) description: &'static str,
    pub(crate) resources: BTreeMap<String, Vec<String>>,
}

impl Plan {
    /// Works on these instances; `containers` is the older word for the same.
    pub(crate) fn instances(description: &'static str, names: &[&str]) -> Self {
        let paths = |kind: &str| names.iter().map(|name| format!("/1.0/{kind}/{name}")).collect();
        Self {
            description,
            resources: [
                ("containers".to_owned(), paths("containers")),
                ("instances".to_owned(), paths("instances")),
            ]
            .into(),
        }
    }

    /// Works on things of this kind only.
    pub(crate) fn of(description: &'static str, kind: &str, paths: Vec<String>) -> Self {
        Self { description, resources: [(kind.to_owned(), paths)].into() }
    }

    /// Works on nothing that has a path yet.
    pub(crate) fn bare(description: &'static str) -> Self {
        Self { description, resources: BTreeMap::new() }
    }
}

/// What the work of an operation has at hand.
pub(crate) struct Task {
    pub(crate) core: Arc<Core>,
    pub(crate) id: String,
    pub(crate) requestor: Requestor,
    midway: Option<String>,
}

impl Task {
    /// The work takes so long; fails halfway if a fault says so.
    pub(crate) async fn pause(&self, duration: Duration) -> Result<(), String> {
        tokio::time::sleep(duration / 2).await;
        self.halfway()?;
        tokio::time::sleep(duration / 2).await;
        Ok(())
    }

    /// Fails if a fault says so.
    pub(crate) fn halfway(&self) -> Result<(), String> {
        self.midway.clone().map_or(Ok(()), Err)
    }

    /// Publishes metadata of the operation (progress, results).
    pub(crate) fn metadata(&self, metadata: Map<String, Value>) {
        let mut state = self.core.lock();
        if let Some(record) = state.operations.get_mut(&self.id) {
            record.operation.metadata.extend(metadata);
            record.operation.updated_at = Some(Utc::now());
            self.core.publish_operation(&record.operation);
        }
    }

    /// A lifecycle event of an instance, caused by whoever began the operation.
    pub(crate) fn instance_event(&self, action: &str, record: &InstanceRecord) {
        self.core.lifecycle(
            action,
            instance_path(&record.name),
            Map::new(),
            Some(self.requestor.clone()),
            &record.location,
        );
    }
}

impl Core {
    pub(crate) fn new(state: State, timing: Timing, certificate: String) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
            timing,
            events: broadcast::channel(EVENT_BACKLOG).0,
            sockets: watch::channel(0).0,
            certificate,
            https: Mutex::new(None),
        })
    }

    /// The state. A panic elsewhere does not make it unusable: each change is complete before the lock is left.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self) -> (broadcast::Receiver<Arc<Event>>, watch::Receiver<u64>) {
        (self.events.subscribe(), self.sockets.subscribe())
    }

    /// How many event websockets are open.
    pub(crate) fn event_sockets(&self) -> usize {
        self.events.receiver_count()
    }

    /// Closes all event websockets.
    pub(crate) fn drop_event_sockets(&self) {
        self.sockets.send_modify(|generation| *generation = generation.wrapping_add(1));
    }

    /// Tells everybody who listens. Without listeners it is nobody's.
    fn publish(&self, kind: EventType, metadata: Value, location: String) {
        let event =
            Event { kind, timestamp: Some(Utc::now()), metadata, location, project: "default".to_owned() };
        // An error only says that nobody listens.
        let _ = self.events.send(Arc::new(event));
    }

    pub(crate) fn publish_operation(&self, operation: &Operation) {
        let metadata = operation_value(operation);
        self.publish(EventType::Operation, metadata, operation.location.clone());
    }

    pub(crate) fn lifecycle(
        &self,
        action: &str,
        source: String,
        context: Map<String, Value>,
        requestor: Option<Requestor>,
        location: &str,
    ) {
        let lifecycle =
            Lifecycle { action: action.to_owned(), source, context, requestor, ..Default::default() };
        let metadata = serde_json::to_value(&lifecycle).unwrap_or_default();
        self.publish(EventType::Lifecycle, metadata, location.to_owned());
    }

    /// Begins an operation and answers at once, as LXD does.
    pub(crate) fn run<F, W>(self: &Arc<Self>, request: &ApiRequest, plan: Plan, work: F) -> Reply
    where
        F: FnOnce(Task) -> W,
        W: Future<Output = Result<(), String>> + Send + 'static,
    {
        let id = Uuid::new_v4().to_string();
        let now = Some(Utc::now());
        let (done_sender, done) = watch::channel(false);
        let mut state = self.lock();
        let mut operation = Operation {
            id: id.clone(),
            class: "task".into(),
            description: plan.description.into(),
            created_at: now,
            updated_at: now,
            status: StatusCode::PENDING.to_string(),
            status_code: StatusCode::PENDING,
            resources: plan.resources,
            location: state.own_member(),
            ..Operation::default()
        };
        self.publish_operation(&operation);
        operation.status_code = StatusCode::RUNNING;
        operation.status = StatusCode::RUNNING.to_string();
        self.publish_operation(&operation);
        let task = Task {
            core: Arc::clone(self),
            id: id.clone(),
            requestor: request.requestor.clone(),
            midway: request.midway.clone(),
        };
        let work = work(task);
        let core = Arc::clone(self);
        let ended = id.clone();
        let handle = tokio::spawn(async move {
            let result = work.await;
            core.end(&ended, result);
            done_sender.send_replace(true);
            tokio::time::sleep(core.timing.operation_kept).await;
            core.lock().operations.remove(&ended);
        });
        let record =
            OperationRecord { operation: operation.clone(), done, task: Some(handle.abort_handle()) };
        state.operations.insert(id, record);
        Reply::Operation(Box::new(operation))
    }

    /// A token for a certificate: an operation that stands until it is used. Nobody adds one with it here, as the
    /// certificates of those who may come in are named beforehand.
    pub(crate) fn issue_token(&self, name: &str) -> Reply {
        let (id, now) = (Uuid::new_v4().to_string(), Some(Utc::now()));
        let der = pem::parse(&self.certificate).map(pem::Pem::into_contents).unwrap_or_default();
        let https = *self.https.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = object(json!({
            "addresses": https.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "fingerprint": sha256_hex(&der),
            "request": { "name": name },
            "secret": Uuid::new_v4().simple().to_string().repeat(2),
        }));
        let mut state = self.lock();
        let operation = Operation {
            id: id.clone(),
            class: "token".into(),
            description: "Executing operation".into(),
            created_at: now,
            updated_at: now,
            status: StatusCode::RUNNING.to_string(),
            status_code: StatusCode::RUNNING,
            metadata,
            may_cancel: true,
            location: state.own_member(),
            ..Operation::default()
        };
        self.publish_operation(&operation);
        // Its end never comes: the sender is gone, which waiting takes for an abort.
        let (_, done) = watch::channel(false);
        state.operations.insert(id, OperationRecord { operation: operation.clone(), done, task: None });
        Reply::Operation(Box::new(operation))
    }

    fn end(&self, id: &str, result: Result<(), String>) {
        let mut state = self.lock();
        for record in state.instances.values_mut() {
            record.busy.take_if(|(_, holder)| holder == id);
        }
        let Some(record) = state.operations.get_mut(id) else { return };
        let operation = &mut record.operation;
        operation.status_code = if result.is_ok() { StatusCode::SUCCESS } else { StatusCode::FAILURE };
        operation.status = operation.status_code.to_string();
        operation.err = result.err().unwrap_or_default();
        self.publish_operation(operation);
    }

    /// The daemon dies: what it was doing is lost, what it had done stays.
    pub(crate) fn forget_operations(&self) {
        let mut state = self.lock();
        for (_, record) in state.operations.drain() {
            if let Some(task) = record.task {
                task.abort();
            }
        }
        for record in state.instances.values_mut() {
            record.busy = None;
        }
    }
}

/// An operation as LXD sends it: Go's `null` for what is empty.
pub(crate) fn operation_value(operation: &Operation) -> Value {
    let mut value = serde_json::to_value(operation).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        for key in ["resources", "metadata"] {
            if fields.get(key).and_then(Value::as_object).is_some_and(Map::is_empty) {
                fields.insert(key.to_owned(), Value::Null);
            }
        }
    }
    value
}

/// A JSON object literal as a map.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => object(json!({ "value": other })),
    }
}
