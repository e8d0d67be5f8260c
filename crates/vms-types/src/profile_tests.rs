//! A profile as form and as maps: what one view changes, the other shows, and what it does not know it keeps.

use super::*;

fn map(pairs: &[(&str, &str)]) -> Config {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn devices(devices: &[(&str, &[(&str, &str)])]) -> Devices {
    devices.iter().map(|(name, keys)| ((*name).to_owned(), map(keys))).collect()
}

fn interface(name: &str) -> ProfileInterface {
    ProfileInterface {
        name: name.into(),
        network: "lxdbr0".into(),
        mac_filtering: false,
        ipv4_filtering: false,
    }
}

/// Maps of many kinds, with much that the form does not understand.
fn samples() -> Vec<(Config, Devices)> {
    let configs = [
        map(&[]),
        map(&[("limits.memory", "256MB"), ("limits.cpu", "0-3"), ("user.note", "x")]),
        map(&[("limits.memory", "50%"), ("security.nesting", "yes"), ("limits.processes", "500")]),
    ];
    let device_sets = [
        devices(&[]),
        devices(&[
            ("disk", &[("type", "disk"), ("path", "/"), ("pool", "default"), ("size", "10GB")]),
            ("eth0", &[("type", "nic"), ("nictype", "bridged"), ("parent", "br0"), ("mtu", "1400")]),
        ]),
        devices(&[
            ("root", &[("type", "disk"), ("path", "/srv"), ("source", "/srv")]),
            ("wan", &[("type", "nic"), ("nictype", "macvlan"), ("parent", "eth0")]),
            ("eth1", &[("type", "nic"), ("network", "lxdbr0"), ("security.mac_filtering", "1")]),
        ]),
    ];
    let pairs = configs.iter().flat_map(|c| device_sets.iter().map(move |d| (c.clone(), d.clone())));
    pairs.collect()
}

#[test]
fn a_form_applied_to_what_it_was_read_from_changes_nothing() {
    for (config, devices) in samples() {
        let (mut c, mut d) = (config.clone(), devices.clone());
        ProfileForm::from_lxd(&config, &devices).apply(&mut c, &mut d).unwrap();
        assert_eq!((c, d), (config, devices));
    }
}

#[test]
fn every_form_is_read_again_from_whatever_it_was_applied_to() {
    let full = ProfileForm {
        memory_bytes: Some(256 << 20),
        cpus: Some(2),
        processes: Some(100),
        root: Some(RootDisk { pool: "fast".into(), size_bytes: Some(5 << 30) }),
        interfaces: vec![
            ProfileInterface { mac_filtering: true, ipv4_filtering: true, ..interface("eth0") },
            interface("eth1"),
        ],
        nesting: true,
    };
    let bare = ProfileForm { root: Some(RootDisk { pool: "p".into(), size_bytes: None }), ..full.clone() };
    for form in [full, bare, ProfileForm::default()] {
        for (mut config, mut devices) in samples() {
            form.apply(&mut config, &mut devices).unwrap();
            assert_eq!(ProfileForm::from_lxd(&config, &devices), form, "{config:?} {devices:?}");
        }
    }
}

#[test]
fn what_the_form_does_not_understand_stays() {
    for (before, devices_before) in samples() {
        let (mut config, mut devices) = (before.clone(), devices_before.clone());
        ProfileForm { cpus: Some(7), ..ProfileForm::default() }.apply(&mut config, &mut devices).unwrap();
        assert_eq!(config.get("user.note"), before.get("user.note"));
        for foreign in ["wan", "root"] {
            assert_eq!(devices.get(foreign), devices_before.get(foreign));
        }
        let percent = before.get("limits.memory").filter(|text| *text == "50%");
        assert_eq!(config.get("limits.memory"), percent);
    }
}

#[test]
fn a_name_is_given_once_and_never_taken_from_another_device() {
    let before = devices(&[("wan", &[("type", "nic"), ("nictype", "macvlan")])]);
    for (interfaces, field, code) in [
        (vec![interface("eth0"), interface("eth0")], "devices.eth0", "taken"),
        (vec![interface("wan")], "devices.wan", "taken"),
        (vec![interface("")], "devices.", "required"),
    ] {
        let (mut config, mut now) = (Config::new(), before.clone());
        let form = ProfileForm { cpus: Some(1), interfaces, ..ProfileForm::default() };
        let error = form.apply(&mut config, &mut now).unwrap_err();
        assert_eq!((error.field.as_str(), error.code.as_str()), (field, code));
        assert_eq!((config, &now), (Config::new(), &before));
    }
}

#[test]
fn dangerous_keys_are_found_each_by_its_name() {
    let config = map(&[
        ("limits.memory", "1GiB"),
        ("user.any", "x"),
        ("cloud-init.user-data", "x"),
        ("security.nesting", "true"),
        ("raw.lxc", "x"),
        ("security.privileged", "true"),
        ("security.syscalls.allow", "x"),
        ("linux.kernel_modules", "x"),
        ("security.nestingx", "x"),
    ]);
    let devices = devices(&[
        ("root", &[("type", "disk"), ("path", "/"), ("pool", "default")]),
        ("eth0", &[("type", "nic"), ("nictype", "bridged"), ("parent", "lxdbr0")]),
        ("home", &[("type", "disk"), ("path", "/h"), ("source", "/home")]),
        ("trick", &[("type", "disk"), ("path", "/h"), ("source", "/home"), ("pool", "default")]),
        ("opts", &[("type", "disk"), ("path", "/"), ("pool", "p"), ("raw.mount.options", "x")]),
        ("wan", &[("type", "nic"), ("nictype", "physical"), ("parent", "eth0")]),
        ("mem", &[("type", "unix-char"), ("source", "/dev/mem")]),
        ("p", &[("type", "proxy")]),
        ("empty", &[]),
    ]);
    let fields: Vec<String> = dangers(&config, &devices).into_iter().map(|error| error.field).collect();
    assert_eq!(
        fields,
        [
            "config.linux.kernel_modules",
            "config.raw.lxc",
            "config.security.nestingx",
            "config.security.privileged",
            "config.security.syscalls.allow",
            "devices.empty.type",
            "devices.home.source",
            "devices.mem.type",
            "devices.opts.raw.mount.options",
            "devices.p.type",
            "devices.trick.source",
            "devices.wan.nictype",
        ]
    );
}
