//! Reading the text of `/1.0/metrics`: one sample a line, as Prometheus and OpenMetrics write it.
//!
//! ```text
//! lxd_memory_RSS_bytes{name="vmbrunomaquinaa",project="default",type="container"} 1.2e+07
//! ```
//!
//! LXD calls its families `lxd_…`, Incus `incus_…`, and each version has some that others lack. So a line is taken or
//! left by itself: what cannot be read is skipped, and what is missing is missing.

use std::collections::BTreeMap;

/// What one instance has used or uses, as it stood when LXD was asked.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Reading {
    /// CPU time since it was started, in seconds.
    pub cpu_seconds: f64,
    /// Memory without what the kernel would give back at once.
    pub memory_bytes: f64,
    /// Size of its root file system, and what of it is free.
    pub disk: Option<(f64, f64)>,
    /// Received since its interfaces are there, all but `lo` together.
    pub received_bytes: f64,
    /// Sent since then.
    pub sent_bytes: f64,
}

/// What is gathered line by line until a [`Reading`] can be made of it.
#[derive(Debug, Default)]
struct Gathered {
    cpu_seconds: f64,
    resident: Option<f64>,
    total: Option<f64>,
    available: Option<f64>,
    size: Option<f64>,
    free: Option<f64>,
    received: f64,
    sent: f64,
}

/// The readings of all instances of a project, by name.
pub(crate) fn readings(text: &str, project: &str) -> BTreeMap<String, Reading> {
    let mut all: BTreeMap<&str, Gathered> = BTreeMap::new();
    for sample in text.lines().filter_map(Sample::parse) {
        let Some(family) = sample.name.strip_prefix("lxd_").or_else(|| sample.name.strip_prefix("incus_"))
        else {
            continue;
        };
        // What is about the daemon itself names no instance.
        let Some(instance) = sample.label("name") else { continue };
        if sample.label("project").is_some_and(|of| of != project) {
            continue;
        }
        all.entry(instance).or_default().add(family, &sample);
    }
    all.into_iter().map(|(name, gathered)| (name.to_owned(), gathered.reading())).collect()
}

impl Gathered {
    fn add(&mut self, family: &str, sample: &Sample<'_>) {
        let value = sample.value;
        let is = |label: &str, wanted: &str| sample.label(label) == Some(wanted);
        match family {
            "cpu_seconds_total" if !(is("mode", "idle") || is("mode", "iowait")) => self.cpu_seconds += value,
            "memory_RSS_bytes" => self.resident = Some(value),
            "memory_MemTotal_bytes" => self.total = Some(value),
            "memory_MemAvailable_bytes" => self.available = Some(value),
            "filesystem_size_bytes" if is("mountpoint", "/") => self.size = Some(value),
            "filesystem_avail_bytes" if is("mountpoint", "/") => self.free = Some(value),
            "network_receive_bytes_total" if !is("device", "lo") => self.received += value,
            "network_transmit_bytes_total" if !is("device", "lo") => self.sent += value,
            _ => {}
        }
    }

    fn reading(self) -> Reading {
        let taken = self.total.zip(self.available).map(|(total, available)| total - available);
        Reading {
            cpu_seconds: self.cpu_seconds,
            memory_bytes: taken.filter(|bytes| *bytes >= 0.0).or(self.resident).unwrap_or_default(),
            disk: self.size.zip(self.free),
            received_bytes: self.received,
            sent_bytes: self.sent,
        }
    }
}

/// One line. The labels stay text until somebody asks for one.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

impl<'a> Sample<'a> {
    /// `None` for comments, blank lines, and what is no sample of a finite number.
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        if line.starts_with('#') {
            return None;
        }
        let (name, labels, rest) = match line.split_once('{') {
            Some((name, rest)) => {
                let end = end_of_labels(rest)?;
                (name, rest.get(..end)?, rest.get(end..)?.strip_prefix('}')?)
            }
            None => {
                let (name, rest) = line.split_once(' ')?;
                (name, "", rest)
            }
        };
        // A time may follow the value.
        let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
        value.is_finite().then_some(Self { name, labels, value })
    }

    /// A label's value. Those that matter here (names, devices, modes) have nothing escaped in them; one that has is
    /// given as it stands.
    fn label(&self, wanted: &str) -> Option<&'a str> {
        let mut rest = self.labels;
        loop {
            let (name, after) = rest.split_once("=\"")?;
            let end = end_of_value(after)?;
            if name.trim_start_matches(',').trim() == wanted {
                return after.get(..end);
            }
            rest = after.get(end..)?.strip_prefix('"')?;
        }
    }
}

/// Where the closing quote is; one after a backslash is none.
fn end_of_value(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(place, c)| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(place)
    })
}

/// Where the closing brace is; one within quotes is none.
fn end_of_labels(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().find_map(|(place, c)| {
        let ends = c == '}' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LXD: &str = r#"
# HELP lxd_cpu_seconds_total The total number of CPU time used in seconds.
# TYPE lxd_cpu_seconds_total counter
lxd_cpu_seconds_total{cpu="0",mode="system",name="a",project="default",type="container"} 1.5
lxd_cpu_seconds_total{cpu="0",mode="user",name="a",project="default",type="container"} 2
lxd_cpu_seconds_total{cpu="1",mode="user",name="a",project="default",type="container"} 0.5
lxd_cpu_seconds_total{cpu="0",mode="idle",name="v",project="default",type="virtual-machine"} 900
lxd_cpu_seconds_total{cpu="0",mode="user",name="v",project="default",type="virtual-machine"} 7
lxd_cpu_seconds_total{cpu="0",mode="user",name="a",project="other",type="container"} 99
lxd_memory_RSS_bytes{name="a",project="default",type="container"} 5e+06
lxd_memory_MemTotal_bytes{name="a",project="default",type="container"} 2.68435456e+08
lxd_memory_MemAvailable_bytes{name="a",project="default",type="container"} 2.58435456e+08
lxd_filesystem_size_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/",name="a",project="default",type="container"} 1e+09
lxd_filesystem_avail_bytes{device="/dev/sda1",fstype="ext4",mountpoint="/",name="a",project="default",type="container"} 4e+08
lxd_filesystem_size_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/run",name="a",project="default",type="container"} 5
lxd_network_receive_bytes_total{device="eth0",name="a",project="default",type="container"} 686
lxd_network_receive_bytes_total{device="eth1",name="a",project="default",type="container"} 14
lxd_network_receive_bytes_total{device="lo",name="a",project="default",type="container"} 1000
lxd_network_transmit_bytes_total{device="eth0",name="a",project="default",type="container"} 954
lxd_operations_total 3
lxd_uptime_seconds 12.5
# EOF
"#;

    #[test]
    fn what_lxd_writes_is_read_for_one_project() {
        let all = readings(LXD, "default");
        assert_eq!(all.keys().collect::<Vec<_>>(), ["a", "v"]);
        let expected = Reading {
            cpu_seconds: 4.0,
            memory_bytes: 1e7,
            disk: Some((1e9, 4e8)),
            received_bytes: 700.0,
            sent_bytes: 954.0,
        };
        assert_eq!(all.get("a"), Some(&expected));
        assert_eq!(all.get("v").map(|reading| reading.cpu_seconds), Some(7.0), "idle is not used");
        assert_eq!(readings(LXD, "other").len(), 1);
    }

    #[test]
    fn incus_has_other_names_and_some_versions_fewer_families() {
        let text = "incus_memory_RSS_bytes{name=\"a\",project=\"default\",type=\"container\"} 42";
        let only = readings(text, "default");
        assert_eq!(
            only.get("a").map(|reading| (reading.memory_bytes, reading.disk)),
            Some((42.0, None)),
            "without total and available"
        );
    }

    #[test]
    fn what_cannot_be_read_is_skipped_and_the_rest_is_not() {
        let text = "lxd_memory_RSS_bytes{name=\"a\"\nlxd_memory_RSS_bytes{name=\"a\"} NaN\n}{\n\u{e7}{=\" 1\n\
                    lxd_memory_RSS_bytes{name=\"a\"} many\nlxd_memory_RSS_bytes{name=\"a\"}\n\
                    lxd_memory_RSS_bytes{x=\"}\\\"{\", name=\"b\"} 7 1700000000\nlxd_memory_RSS_bytes";
        let all = readings(text, "default");
        assert_eq!(all.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(all.get("b").map(|reading| reading.memory_bytes), Some(7.0));
        assert!(readings("", "default").is_empty());
    }
}
