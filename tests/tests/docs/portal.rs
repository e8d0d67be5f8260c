//! A portal as the demo has it: simulated LXD with bruno's three machines, the school's directory, a fresh database.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use xtask::directory::{Directory, DirectoryServer};

use crate::examples;

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_api_guide_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("lxd.socket");
    let lxd = lxd_sim::scenario::demo().socket(&socket).start().await.unwrap();
    let people = DirectoryServer::start(Directory::school(), SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .await
        .unwrap();
    let text = format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[database]\nurl = \"sqlite://{}\"\n[[lxd]]\nname = \"local\"\n\
         endpoint = \"unix://{}\"\n{}",
        dir.path().join("vms.db").display(),
        socket.display(),
        people.vms_config()
    );
    let server = vms_server::Server::start(&vms_server::Config::parse(&text).unwrap()).await.unwrap();
    let mut listed = server.fleet().server("local").unwrap().watch_connected();
    tokio::time::timeout(Duration::from_secs(20), listed.wait_for(|connected| *connected))
        .await
        .expect("the simulated LXD was not listed within 20 seconds")
        .unwrap();

    let base = format!("http://{}", server.address());
    let ran = tokio::task::spawn_blocking(move || examples::run(&base)).await;

    server.stop().await.unwrap();
    people.stop().await;
    drop(lxd);
    if let Err(failed) = ran {
        std::panic::resume_unwind(failed.into_panic());
    }
}
