//! `cargo xtask check-deps`: the arrows between the crates, as data. An edge that is not listed is refused, so
//! that a wrong arrow is a decision (a line in this file), never an accident.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{proc, repo};

/// Crate, and which crates of this workspace it may use. Dev-dependencies are free: tests may reach further.
const ALLOWED: &[(&str, &[&str])] = &[
    ("vms-types", &[]),
    ("lxd-api", &[]),
    ("lxd-client", &["lxd-api"]),
    ("lxd-sim", &["lxd-api"]),
    ("vms-auth", &["vms-types"]),
    ("vms-authz", &["vms-types"]),
    ("vms-db", &["vms-types", "vms-authz"]),
    ("vms-fleet", &["vms-types", "vms-authz", "lxd-api", "lxd-client"]),
    ("vms-core", &["vms-types", "vms-auth", "vms-authz", "vms-db", "vms-fleet", "lxd-api", "lxd-client"]),
    ("vms-api", &["vms-types", "vms-auth", "vms-authz", "vms-core"]),
    (
        "vms-server",
        &["vms-types", "vms-api", "vms-auth", "vms-authz", "vms-core", "vms-db", "vms-fleet", "lxd-client"],
    ),
    ("vms-client", &["vms-types"]),
    ("vms-frontend", &["vms-types", "vms-client"]),
    ("xtask", &[]),
    ("vms-bench", &["lxd-api", "lxd-client", "lxd-sim", "vms-types", "vms-client", "xtask"]),
    (
        "vms-tests",
        &[
            "lxd-api",
            "lxd-client",
            "lxd-sim",
            "vms-types",
            "vms-client",
            "vms-server",
            "vms-api",
            "vms-core",
            "vms-db",
            "vms-fleet",
            "vms-auth",
            "vms-authz",
            "xtask",
        ],
    ),
];

/// Crate, and what must never be below it, however deep: it has to stay fit for the browser, or free of HTTP.
const NEVER: &[(&str, &[&str])] = &[
    ("vms-types", &["diesel", "actix-web", "tokio", "reqwest", "hyper"]),
    ("vms-core", &["actix-web", "actix-http"]),
    ("vms-db", &["actix-web", "actix-http"]),
];

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    /// `null` for a normal dependency, `dev`, `build`.
    kind: Option<String>,
}

/// Checks the whole workspace.
///
/// # Errors
/// With every edge that is not allowed.
pub fn check() -> Result<()> {
    let json =
        proc::output(repo::cargo().args(["metadata", "--format-version", "1", "--locked", "--offline"]))
            .or_else(|_| proc::output(repo::cargo().args(["metadata", "--format-version", "1"])))?;
    let metadata: Metadata = serde_json::from_str(&json).context("cargo metadata is not as expected")?;
    let wrong = judge(&metadata, ALLOWED, NEVER);
    if !wrong.is_empty() {
        bail!("{}\nThe allowed arrows stand in crates/xtask/src/checks/deps.rs.", wrong.join("\n"));
    }
    crate::ui::say(format!(
        "check-deps: {} crates, every arrow is allowed",
        metadata.workspace_members.len()
    ));
    Ok(())
}

fn judge(metadata: &Metadata, allowed: &[(&str, &[&str])], never: &[(&str, &[&str])]) -> Vec<String> {
    let names: BTreeMap<&str, &str> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
    let members: BTreeSet<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
    let mut arrows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in &metadata.resolve.nodes {
        let normal = node.deps.iter().filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()));
        arrows.insert(&node.id, normal.map(|edge| edge.pkg.as_str()).collect());
    }
    let name = |id: &str| names.get(id).copied().unwrap_or_default();
    let mut wrong = Vec::new();
    for member in &members {
        let from = name(member);
        let Some((_, may)) = allowed.iter().find(|(crate_name, _)| *crate_name == from) else {
            wrong.push(format!("{from}: a new crate; say which crates of the workspace it may use"));
            continue;
        };
        for to in arrows.get(member).into_iter().flatten().filter(|to| members.contains(*to)) {
            if !may.contains(&name(to)) {
                wrong.push(format!("{from} uses {}, which it must not", name(to)));
            }
        }
        let Some((_, forbidden)) = never.iter().find(|(crate_name, _)| *crate_name == from) else { continue };
        for below in everything_below(member, &arrows) {
            if forbidden.contains(&name(below)) {
                wrong.push(format!("{from} has {} below it, which it must never have", name(below)));
            }
        }
    }
    wrong
}

fn everything_below<'a>(from: &'a str, arrows: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        for to in arrows.get(id).into_iter().flatten() {
            if seen.insert(*to) {
                open.push(to);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(edges: &[(&str, &str, Option<&str>)]) -> Metadata {
        let ids: BTreeSet<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        let nodes = ids.iter().map(|id| {
            let deps: Vec<_> = edges
                .iter()
                .filter(|(from, _, _)| from == id)
                .map(|(_, to, kind)| serde_json::json!({"pkg": to, "dep_kinds": [{"kind": kind}]}))
                .collect();
            serde_json::json!({"id": id, "deps": deps})
        });
        serde_json::from_value(serde_json::json!({
            "packages": ids.iter().map(|id| serde_json::json!({"id": id, "name": id})).collect::<Vec<_>>(),
            "workspace_members": ["a", "b"],
            "resolve": {"nodes": nodes.collect::<Vec<_>>()},
        }))
        .unwrap()
    }

    #[test]
    fn an_arrow_that_is_not_listed_is_refused() {
        let graph = metadata(&[("a", "b", None)]);
        assert_eq!(judge(&graph, &[("a", &["b"]), ("b", &[])], &[]), Vec::<String>::new());
        assert_eq!(judge(&graph, &[("a", &[]), ("b", &[])], &[]), ["a uses b, which it must not"]);
        assert_eq!(judge(&graph, &[("a", &["b"])], &[]).len(), 1, "a crate without a line passed");
    }

    #[test]
    fn dev_dependencies_are_free() {
        let graph = metadata(&[("a", "b", Some("dev"))]);
        assert_eq!(judge(&graph, &[("a", &[]), ("b", &[])], &[]), Vec::<String>::new());
    }

    #[test]
    fn what_must_never_be_below_is_found_at_any_depth() {
        let graph = metadata(&[("a", "b", None), ("b", "x", None), ("x", "tokio", None)]);
        let wrong = judge(&graph, &[("a", &["b"]), ("b", &[])], &[("a", &["tokio"])]);
        assert_eq!(wrong, ["a has tokio below it, which it must never have"]);
    }
}
