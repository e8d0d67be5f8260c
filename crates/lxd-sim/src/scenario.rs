//! Ready-made servers for the demo and for trying by hand.

use std::net::Ipv4Addr;

use lxd_api::{Devices, Profile};

use crate::{
    handle::SimBuilder,
    spec::{InstanceSpec, nic, root_disk},
};

/// A school's small server: three images, the profile `alunos`, and the three machines of the student bruno,
/// two of them running.
#[must_use]
pub fn demo() -> SimBuilder {
    // Snapshots of the first machine, as a student would name them.
    let first = machine("a", "6f1c1f0e-6a54-4a3b-9d0e-0d5a4c1be7a1")
        .running()
        .address(Ipv4Addr::new(10, 99, 13, 228))
        .snapshot("apache-instalado")
        .snapshot("antes-da-prova");
    let second =
        machine("b", "b0a7a3d2-91f5-4b0c-8a6e-5c2f6f0d9be2").running().address(Ipv4Addr::new(10, 99, 9, 113));
    images(SimBuilder::default())
        .profile(students())
        .instance(first)
        .instance(second)
        .instance(machine("c", "2d9c7b44-3c1e-4f7a-b7b8-1e0f3a6d5c93"))
}

/// The same images and profiles, without machines.
#[must_use]
pub fn empty() -> SimBuilder {
    images(SimBuilder::default()).profile(students())
}

fn images(builder: SimBuilder) -> SimBuilder {
    builder
        .image("debian-12", "Debian 12 (bookworm)")
        .image("ubuntu-24.04", "Ubuntu 24.04 LTS (noble)")
        .image("alpine-3.20", "Alpine Linux 3.20")
}

/// One processor, 256 MiB, five network cards.
fn students() -> Profile {
    let mut devices: Devices =
        (0..5).map(|number| format!("eth{number}")).map(|name| (name.clone(), nic(&name))).collect();
    devices.insert("root".into(), root_disk());
    let config = [("limits.cpu", "1"), ("limits.memory", "256MiB")];
    Profile {
        name: "alunos".into(),
        description: "Máquinas de alunos: 1 CPU, 256 MiB, cinco placas de rede".into(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        devices,
        used_by: Vec::new(),
    }
}

/// A machine of bruno's, as VMS itself would have made it.
fn machine(letter: &str, id: &str) -> InstanceSpec {
    InstanceSpec::new(format!("vmbrunomaquina{letter}"))
        .image("debian-12")
        .profiles(["alunos"])
        .config("user.vms.id", id)
        .config("user.vms.owner", "bruno")
        .config("user.vms.image", "debian-12")
        .config("user.vms.profile", "alunos")
        .config("user.vms.name", format!("maquina{letter}"))
        .days_old(20)
}
