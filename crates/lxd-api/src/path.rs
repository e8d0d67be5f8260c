//! Paths that LXD puts into events and operations (`/1.0/instances/foo/snapshots/bar?project=p`), taken apart.

/// A path below `/1.0`, split, percent-decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePath {
    segments: Vec<String>,
    project: Option<String>,
}

impl ResourcePath {
    /// Splits `/1.0/<kind>/<name>…?project=…`; `None` if it is not a path of this API version.
    #[must_use]
    pub fn parse(source: &str) -> Option<Self> {
        let (path, query) = source.split_once('?').unwrap_or((source, ""));
        let rest = path.strip_prefix("/1.0/")?;
        let segments = rest.split('/').filter(|s| !s.is_empty()).map(decode).collect::<Option<_>>()?;
        let project = query.split('&').find_map(|pair| pair.strip_prefix("project=")).and_then(decode);
        Some(Self { segments, project })
    }

    /// The collection: `instances`, `operations`, `images`, `profiles`, …
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.segments.first().map(String::as_str)
    }

    /// The name within the collection.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.segments.get(1).map(String::as_str)
    }

    /// The project; `None` is LXD's `default`.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// The instance's name, if the path lies in an instance (also of the older kinds `containers` and
    /// `virtual-machines`).
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        matches!(self.kind()?, "instances" | "containers" | "virtual-machines").then(|| self.name())?
    }

    /// The snapshot's name, if the path lies in a snapshot of an instance.
    #[must_use]
    pub fn snapshot(&self) -> Option<&str> {
        self.instance()?;
        match self.segments.get(2..4)? {
            [kind, name] if kind == "snapshots" => Some(name),
            _ => None,
        }
    }
}

/// Name of the instance in an event's `source`.
#[must_use]
pub fn instance_of(source: &str) -> Option<String> {
    ResourcePath::parse(source)?.instance().map(str::to_owned)
}

/// Names of instance and snapshot in an event's `source`.
#[must_use]
pub fn snapshot_of(source: &str) -> Option<(String, String)> {
    let path = ResourcePath::parse(source)?;
    Some((path.instance()?.to_owned(), path.snapshot()?.to_owned()))
}

/// The UUID in `/1.0/operations/<uuid>`, as async answers carry it.
#[must_use]
pub fn operation_id_of(path: &str) -> Option<String> {
    let path = ResourcePath::parse(path)?;
    (path.kind()? == "operations").then(|| path.name().map(str::to_owned))?
}

fn decode(text: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::{ResourcePath, instance_of, operation_id_of, snapshot_of};

    #[test]
    fn an_instance_with_a_project() {
        assert_eq!(instance_of("/1.0/instances/foo?project=lab").as_deref(), Some("foo"));
        let project = ResourcePath::parse("/1.0/instances/foo?project=a%2Fb").and_then(|p| p.project);
        assert_eq!(project.as_deref(), Some("a/b"));
        assert_eq!(instance_of("/1.0/containers/old").as_deref(), Some("old"));
        assert_eq!(instance_of("/1.0/images/abc"), None);
        assert_eq!(instance_of("/1.0/instances"), None);
        assert_eq!(instance_of("nonsense"), None);
    }

    #[test]
    fn a_snapshot_and_its_instance() {
        let both = snapshot_of("/1.0/instances/foo/snapshots/before%20exam");
        assert_eq!(both, Some(("foo".into(), "before exam".into())));
        assert_eq!(snapshot_of("/1.0/instances/foo/backups/b"), None);
        assert_eq!(snapshot_of("/1.0/instances/foo"), None);
    }

    #[test]
    fn an_operation() {
        assert_eq!(operation_id_of("/1.0/operations/abc?project=x").as_deref(), Some("abc"));
        assert_eq!(operation_id_of("/1.0/instances/abc"), None);
    }
}
