//! Which paths exist, with which methods: read from the document, for 405 answers and for the audit log.

use serde_json::Value;

/// Every operation by its path.
#[derive(Debug)]
pub(crate) struct RouteTable {
    routes: Vec<Route>,
    text: String,
}

#[derive(Debug)]
struct Route {
    path: String,
    segments: Vec<String>,
    method: String,
    operation_id: String,
}

impl RouteTable {
    /// Builds the document once.
    pub(crate) fn new() -> Self {
        let document = super::document();
        let mut routes = Vec::new();
        for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
                routes.push(Route {
                    path: path.clone(),
                    segments: path.split('/').map(str::to_owned).collect(),
                    method: method.to_ascii_uppercase(),
                    operation_id: id.to_owned(),
                });
            }
        }
        Self { routes, text: document.to_string() }
    }

    /// The document, compact.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The methods that this path takes; none if it does not exist.
    pub(crate) fn methods(&self, path: &str) -> Vec<&str> {
        self.matching(path).map(|route| route.method.as_str()).collect()
    }

    /// The path as the document writes it: `/api/v1/machines/{machine}`.
    pub(crate) fn template(&self, path: &str) -> Option<&str> {
        self.matching(path).next().map(|route| route.path.as_str())
    }

    /// What a request does, as a stable word: `machine.delete`.
    pub(crate) fn action(&self, method: &str, path: &str) -> Option<String> {
        let route = self.matching(path).find(|route| route.method == method)?;
        Some(route.operation_id.replacen('_', ".", 1))
    }

    fn matching(&self, path: &str) -> impl Iterator<Item = &Route> {
        let asked: Vec<&str> = path.split('/').collect();
        self.routes.iter().filter(move |route| {
            route.segments.len() == asked.len()
                && route
                    .segments
                    .iter()
                    .zip(&asked)
                    .all(|(known, part)| known == part || (known.starts_with('{') && !part.is_empty()))
        })
    }
}
