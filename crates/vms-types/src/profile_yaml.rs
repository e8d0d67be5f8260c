//! A profile as `lxc profile show` and `lxc profile edit` write it, for those who know these by heart.
//!
//! Of YAML this is the part that a profile needs: maps within maps, and texts, plain, in quotes or as a block. Whatever
//! else is refused by its line: what is not understood must not be guessed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::profile::{Config, Devices, ProfileUpdate};

/// The line that is not understood, the first being 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is not understood")]
pub struct BadLine(pub usize);

/// Words that YAML takes for something else than text.
const SPECIAL: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"];

/// Writes a profile.
#[must_use]
pub fn write(profile: &ProfileUpdate) -> String {
    let mut out = format!("description: {}\n", scalar(&profile.description, 2));
    map(&mut out, "config", 0, profile.config.iter(), |out, value| out.push_str(&scalar(value, 4)));
    out.push_str(if profile.devices.is_empty() { "devices: {}\n" } else { "devices:\n" });
    for (name, device) in &profile.devices {
        map(&mut out, &key(name), 2, device.iter(), |out, value| out.push_str(&scalar(value, 6)));
    }
    out
}

fn map<'a, T: 'a>(
    out: &mut String,
    name: &str,
    indent: usize,
    entries: impl ExactSizeIterator<Item = (&'a String, &'a T)>,
    value: impl Fn(&mut String, &T),
) {
    let empty = if entries.len() == 0 { " {}" } else { "" };
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{:indent$}{name}:{empty}", "");
    for (name, entry) in entries {
        let _ = write!(out, "{:indent$}  {}: ", "", key(name));
        value(out, entry);
        out.push('\n');
    }
}

fn key(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.contains(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
        && !SPECIAL.contains(&text.to_ascii_lowercase().as_str())
}

/// A text of several lines as a block, if that says the same; else in quotes, where plain is not enough.
fn scalar(text: &str, indent: usize) -> String {
    let lines = text.strip_suffix('\n').unwrap_or(text);
    let block = lines.contains('\n')
        && !lines.starts_with([' ', '\n'])
        && !lines.ends_with('\n')
        && !text.contains(|c: char| c.is_control() && c != '\n');
    if block {
        let mark = if text.ends_with('\n') { "|" } else { "|-" };
        let body = lines.lines().map(|line| format!("{:indent$}{line}", ""));
        return std::iter::once(mark.to_owned()).chain(body).collect::<Vec<_>>().join("\n");
    }
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// What stands behind a key.
enum Node {
    Text(String),
    Map(BTreeMap<String, Node>),
}

/// Reads a profile. `name`, `used_by` and `project`, which `lxc profile show` writes too, are passed over.
///
/// # Errors
/// [`BadLine`] for the first line that is no part of a profile.
pub fn read(text: &str) -> Result<ProfileUpdate, BadLine> {
    let mut reader = Reader { lines: text.lines().collect(), next: 0 };
    let top = reader.map(0)?;
    if reader.peek().is_some() {
        return Err(BadLine(reader.next + 1));
    }
    let mut profile =
        ProfileUpdate { description: String::new(), config: Config::new(), devices: Devices::new() };
    for (name, (line, node)) in top {
        match (name.as_str(), node) {
            ("description", Node::Text(text)) => profile.description = text,
            ("config", node) => profile.config = texts(node).ok_or(BadLine(line))?,
            ("devices", Node::Text(text)) if text.is_empty() => {}
            ("devices", Node::Map(devices)) => {
                for (name, device) in devices {
                    profile.devices.insert(name, texts(device).ok_or(BadLine(line))?);
                }
            }
            ("name" | "used_by" | "project", _) => {}
            _ => return Err(BadLine(line)),
        }
    }
    Ok(profile)
}

/// A map of texts; nothing at all is an empty one.
fn texts(node: Node) -> Option<Config> {
    match node {
        Node::Text(text) => text.is_empty().then(Config::new),
        Node::Map(map) => map
            .into_iter()
            .map(|(name, node)| match node {
                Node::Text(text) => Some((name, text)),
                Node::Map(_) => None,
            })
            .collect(),
    }
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    next: usize,
}

impl<'a> Reader<'a> {
    /// The next line that says something, with its indentation.
    fn peek(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let line = *self.lines.get(self.next)?;
            let said = line.trim_start_matches(' ');
            if said.is_empty() || said.starts_with('#') || line == "---" {
                self.next += 1;
            } else {
                return Some((line.len() - said.len(), said.trim_end()));
            }
        }
    }

    /// The entries at an indentation, each with its line.
    fn map(&mut self, indent: usize) -> Result<BTreeMap<String, (usize, Node)>, BadLine> {
        let mut found = BTreeMap::new();
        while let Some((at, said)) = self.peek() {
            let line = self.next + 1;
            let bad = BadLine(line);
            if at < indent {
                break;
            }
            let (name, value) = entry(said).filter(|_| at == indent).ok_or(bad)?;
            self.next += 1;
            let node = self.value(value, indent).map_err(|problem| problem.unwrap_or(bad))?;
            if found.insert(name, (line, node)).is_some() {
                return Err(bad);
            }
        }
        Ok(found)
    }

    /// What stands behind a key of that indentation. `Err(None)`: the key's own line is bad.
    fn value(&mut self, value: &str, indent: usize) -> Result<Node, Option<BadLine>> {
        match value {
            "" => {
                // A list, such as that of `used_by`, is nothing of a profile's own.
                while self.peek().is_some_and(|(at, said)| at >= indent && said.starts_with("- ")) {
                    self.next += 1;
                }
                match self.peek() {
                    Some((at, _)) if at > indent => {
                        let map = self.map(at)?;
                        Ok(Node::Map(map.into_iter().map(|(name, (_, node))| (name, node)).collect()))
                    }
                    _ => Ok(Node::Text(String::new())),
                }
            }
            "{}" => Ok(Node::Map(BTreeMap::new())),
            "[]" => Ok(Node::Text(String::new())),
            "|" | "|-" => Ok(Node::Text(self.block(indent, value == "|"))),
            _ => text(value).map(Node::Text).ok_or(None),
        }
    }

    /// The lines that are indented more than their key.
    fn block(&mut self, indent: usize, ends: bool) -> String {
        let mut body: Vec<&str> = Vec::new();
        while let Some(line) = self.lines.get(self.next) {
            let depth = line.len() - line.trim_start_matches(' ').len();
            if !line.trim().is_empty() && depth <= indent {
                break;
            }
            body.push(line);
            self.next += 1;
        }
        let depth = body.first().map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
        let mut text: String =
            body.iter().map(|line| line.get(depth..).unwrap_or_default()).collect::<Vec<_>>().join("\n");
        text.truncate(text.trim_end_matches('\n').len());
        if ends {
            text.push('\n');
        }
        text
    }
}

/// `name: value`, the name perhaps in quotes.
fn entry(said: &str) -> Option<(String, &str)> {
    let end = match said.strip_prefix('"') {
        Some(rest) => rest.find('"')? + 2,
        None => said.find(": ").or_else(|| said.strip_suffix(':').map(str::len))?,
    };
    let (name, rest) = said.split_at_checked(end)?;
    let value = rest.strip_prefix(':')?;
    let name = text(name)?;
    (!name.is_empty()).then_some((name, value.trim()))
}

/// A text on one line.
fn text(value: &str) -> Option<String> {
    match value.chars().next()? {
        '"' => serde_json::from_str(value).ok(),
        '\'' => {
            let inner = value.strip_prefix('\'')?.strip_suffix('\'')?;
            Some(inner.replace("''", "'"))
        }
        '{' | '[' | '&' | '*' | '!' | '|' | '>' | '%' | '@' | '`' | '-' | '?' => None,
        _ => Some(value.split(" #").next().unwrap_or(value).trim_end().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(
        description: &str,
        config: &[(&str, &str)],
        devices: &[(&str, &[(&str, &str)])],
    ) -> ProfileUpdate {
        let map = |entries: &[(&str, &str)]| -> Config {
            entries.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
        };
        ProfileUpdate {
            description: description.into(),
            config: map(config),
            devices: devices.iter().map(|(name, keys)| ((*name).into(), map(keys))).collect(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let init = "#cloud-config\npackages:\n  - nginx\n\nruncmd: []\n";
        for one in [
            profile("", &[], &[]),
            profile(
                "Aula: \"redes\" # 2",
                &[("limits.memory", "256MiB"), ("limits.cpu", "2")],
                &[("none", &[])],
            ),
            profile(
                "ç\ttab",
                &[("security.nesting", "true"), ("user.x", "a: b"), ("user.y", "- no list")],
                &[],
            ),
            profile("- a\n- b", &[("cloud-init.user-data", init), ("user.z", " led\nand trailed\n\n")], &[]),
            profile(
                "Alunos",
                &[("limits.processes", "100")],
                &[
                    ("eth0", &[("type", "nic"), ("name", "eth0"), ("network", "lxdbr0")]),
                    ("root", &[("type", "disk"), ("path", "/"), ("pool", "default"), ("size", "4GiB")]),
                ],
            ),
        ] {
            let text = write(&one);
            assert_eq!(read(&text), Ok(one), "{text}");
        }
    }

    #[test]
    fn it_reads_as_lxd_writes() {
        let shown = "config:\n  limits.memory: 256MiB\n  security.nesting: \"true\"\n  user.note: |-\n    one\n      two\n\
                     description: 'it''s a class'\ndevices:\n  eth0:\n    name: eth0  # the first\n    network: lxdbr0\n    \
                     type: nic\nname: alunos\nused_by:\n- /1.0/instances/a\n- /1.0/instances/b\n";
        let note = "one\n  two";
        let expected = profile(
            "it's a class",
            &[("limits.memory", "256MiB"), ("security.nesting", "true"), ("user.note", note)],
            &[("eth0", &[("name", "eth0"), ("network", "lxdbr0"), ("type", "nic")])],
        );
        assert_eq!(read(shown), Ok(expected.clone()));
        assert_eq!(
            write(&expected),
            "description: \"it's a class\"\nconfig:\n  limits.memory: 256MiB\n  security.nesting: \"true\"\n  user.note: \
             |-\n    one\n      two\ndevices:\n  eth0:\n    name: eth0\n    network: lxdbr0\n    type: nic\n"
        );
        assert_eq!(
            read("config: {}\ndescription: \"\"\ndevices: {}\nused_by: []\n"),
            Ok(profile("", &[], &[]))
        );
    }

    #[test]
    fn what_is_not_understood_is_named_by_its_line() {
        for (text, line) in [
            ("nonsense", 1),
            ("config:\n  a: b\n  a: c", 3),
            ("config:\n  a: b\n   c: d", 3),
            ("config:\n  a:\n    b: c", 1),
            ("config:\n  a: [1, 2]", 2),
            ("config:\n  a: \"open", 2),
            ("devices:\n  eth0: x", 1),
            ("colour: red", 1),
            ("config:\n\ta: b", 2),
            ("description: a\n\n# a comment\nconfig:\n  no colon", 5),
        ] {
            assert_eq!(read(text), Err(BadLine(line)), "{text}");
        }
    }
}
