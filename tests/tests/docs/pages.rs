//! The pages themselves: no dead link, no page that the table of contents forgot, no list that fell behind the code.

use std::collections::BTreeSet;

use vms_types::ProblemCode;

use crate::book::{anchors, blocks, local_links, pages, read, root};

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for page in pages() {
        let text = read(&page);
        for link in local_links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let anchor_is_there = || anchor.is_empty() || anchors(&read(&target)).contains(anchor);
            if !target.exists() || !anchor_is_there() {
                dead.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn the_table_of_contents_names_every_page_once() {
    let src = root().join("docs/src");
    let listed: Vec<_> = local_links(&read(&src.join("SUMMARY.md")))
        .iter()
        .map(|link| src.join(link).canonicalize().unwrap_or_else(|error| panic!("{link}: {error}")))
        .collect();
    let unique: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(unique.len(), listed.len(), "a page is listed twice");
    let docs = root().join("docs");
    for page in pages().iter().filter(|page| page.starts_with(&docs) && !page.ends_with("SUMMARY.md")) {
        assert!(unique.contains(&page.canonicalize().unwrap()), "SUMMARY.md forgot {}", page.display());
    }
}

#[test]
fn every_problem_code_is_explained_with_its_status() {
    let text = read(&root().join("docs/src/problems.md"));
    let explained: Vec<(&str, &str)> = text
        .split("\n## ")
        .skip(1)
        .filter_map(|section| {
            let (word, rest) = section.split_once('\n')?;
            Some((word.trim(), rest.trim_start().strip_prefix("**")?.split("**").next()?))
        })
        .collect();
    let known: Vec<(&str, String)> =
        ProblemCode::ALL.iter().map(|code| (code.as_str(), code.status().to_string())).collect();
    assert_eq!(explained, known.iter().map(|(word, status)| (*word, status.as_str())).collect::<Vec<_>>());
}

/// The keys that a section of the configuration page explains: the first cell of each row, one or several in backticks.
fn explained_keys(page: &str, section: &str) -> BTreeSet<String> {
    let body = page
        .split("\n## ")
        .flat_map(|part| part.split("\n### "))
        .find_map(|part| part.strip_prefix(section))
        .unwrap_or_else(|| panic!("the page has no section {section}"));
    body.lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_key_of_the_example_configuration_is_explained() {
    let page = read(&root().join("docs/src/admin/configuration.md"));
    for file in ["docs/vms.example.toml", "deploy/vms.toml"] {
        let example: toml::Table = read(&root().join(file)).parse().unwrap();
        let mut sections: Vec<(String, toml::Table)> = Vec::new();
        for (name, value) in example {
            match value {
                toml::Value::Table(table) => sections.push((format!("`[{name}]`"), table)),
                toml::Value::Array(many) => {
                    sections.extend(many.into_iter().filter_map(|one| match one {
                        toml::Value::Table(table) => Some((format!("`[[{name}]]`"), table)),
                        _ => None,
                    }));
                }
                other => panic!("{file}: {name} = {other} stands in no section"),
            }
        }
        for (section, table) in sections {
            let explained = explained_keys(&page, &section);
            for (key, value) in table {
                if let toml::Value::Table(inner) = value {
                    let below = explained_keys(&page, &format!("`[directory.{key}]`"));
                    assert!(inner.keys().all(|key| below.contains(key)), "{file}: {section} {key}");
                } else {
                    assert!(explained.contains(&key), "{file}: {section} {key} is not explained");
                }
            }
        }
    }
}

#[test]
fn every_piece_of_configuration_is_one_that_vms_reads() {
    let needed = [
        ("[directory]", "\n[directory]\nurl = \"ldaps://ldap.school.example\"\nbase_dn = \"dc=school\"\n"),
        ("[[lxd]]", "\n[[lxd]]\nname = \"lxd1\"\nendpoint = \"unix:///var/lib/lxd/unix.socket\"\n"),
    ];
    let mut count = 0;
    for page in pages() {
        for block in blocks(&read(&page), "toml") {
            let mut text = block.clone();
            for (section, least) in needed {
                if !block.contains(section) {
                    text.push_str(least);
                }
            }
            if let Err(error) = vms_server::Config::parse(&text) {
                panic!("{}:\n{block}\n\n{error:#}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 5, "only {count} pieces were found");
}
