//! A tour of the client against a real LXD or Incus: makes an instance, uses it, deletes it, and says what
//! it sees.
//!
//! ```text
//! cargo run -p lxd-client --example tour -- unix:///var/lib/lxd/unix.socket busybox
//! cargo run -p lxd-client --example tour -- https://127.0.0.1:8443 busybox client.crt client.key server.crt
//! ```
//!
//! The second argument is the alias of an image there.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use futures::StreamExt;
use lxd_api::{
    EventPayload, EventType, InstanceAction, InstancePatch, InstanceSource, InstanceStatePut, InstancesPost,
    SnapshotsPost,
};
use lxd_client::{Client, ClientConfig, Error, TlsIdentity};

const NAME: &str = "vms-tour";
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let endpoint = arguments.next().ok_or("which LXD? unix:///path or https://host:port")?;
    let image = arguments.next().ok_or("which image? an alias there")?;
    let mut config = ClientConfig::new(endpoint.parse()?);
    if let (Some(cert), Some(key), Some(server)) = (arguments.next(), arguments.next(), arguments.next()) {
        config = config.with_tls(TlsIdentity {
            client_cert_pem: std::fs::read_to_string(cert)?,
            client_key_pem: std::fs::read_to_string(key)?,
            server_cert_pem: std::fs::read_to_string(server)?,
        });
    }
    let client = Client::new(config)?;
    look_around(&client).await?;

    let mut events = client.events(&[EventType::Lifecycle]).await?;
    let listener = tokio::spawn(async move {
        while let Some(Ok(event)) = events.next().await {
            if let Ok(EventPayload::Lifecycle(lifecycle)) = event.payload() {
                println!("  event: {} {}", lifecycle.action, lifecycle.source);
            }
        }
    });
    let result = use_an_instance(&client, &image).await;
    listener.abort();
    Ok(result?)
}

async fn look_around(client: &Client) -> Result<(), Error> {
    let info = client.check_trusted().await?;
    println!(
        "{} {} at {}: {} extensions, {} as {}",
        info.environment.server,
        info.environment.server_version,
        client.endpoint(),
        info.api_extensions.len(),
        info.auth,
        info.auth_user_method,
    );
    let resources = client.resources(None).await?;
    println!(
        "{} CPUs, {} of {} bytes used",
        resources.cpu.total, resources.memory.used, resources.memory.total
    );
    for pool in client.storage_pools().await? {
        let space = client.storage_pool_resources(&pool.name, None).await?.space;
        println!("pool {} ({}): {} of {} bytes used", pool.name, pool.driver, space.used, space.total);
    }
    for network in client.networks().await?.iter().filter(|network| network.managed) {
        let leases = client.leases(&network.name).await?;
        println!("network {} ({}): {} leases", network.name, network.kind, leases.len());
    }
    println!("{} profiles", client.profiles().await?.len());
    println!("{} images", client.images().await?.len());
    println!("{} certificates", client.certificates().await?.len());
    println!("{} instances", client.instance_names().await?.len());
    println!("{} operations", client.operations().await?.len());
    println!("clustered: {}", client.cluster().await?.enabled);
    println!("{} bytes of metrics", client.metrics(None).await?.len());
    Ok(())
}

async fn use_an_instance(client: &Client, image: &str) -> Result<(), Error> {
    let request = InstancesPost {
        name: NAME.to_owned(),
        source: InstanceSource::alias(image),
        ..InstancesPost::default()
    };
    step("create", async {
        let operation = client.create_instance(&request, None).await?;
        operation
            .wait_observed(LIMIT, |now| {
                if let Some(percent) = now.progress_percent() {
                    println!("  {percent} %");
                }
            })
            .await
    })
    .await?;
    let patch = InstancePatch { description: Some("a tour".into()), ..InstancePatch::default() };
    client.patch_instance(NAME, &patch, None).await?;
    state(client, InstanceAction::Start).await?;
    let snapshot = SnapshotsPost { name: "first".to_owned(), ..SnapshotsPost::default() };
    step("snapshot", async { client.create_snapshot(NAME, &snapshot).await?.wait(LIMIT).await }).await?;
    step("restore", async { client.restore_snapshot(NAME, "first").await?.wait(LIMIT).await }).await?;
    let full = client.instance_full(NAME).await?.value;
    println!(
        "{} is {} with {} snapshot(s), described as {:?}",
        full.name,
        full.status,
        full.snapshots.map_or(0, |all| all.len()),
        full.description,
    );
    state(client, InstanceAction::Freeze).await?;
    state(client, InstanceAction::Unfreeze).await?;
    state(client, InstanceAction::Stop).await?;
    step("delete", async { client.delete_instance(NAME).await?.wait(LIMIT).await }).await?;
    match client.instance(NAME).await {
        Err(error) if error.is_not_found() => println!("gone: {error}"),
        other => println!("still there? {other:?}"),
    }
    Ok(())
}

async fn state(client: &Client, action: InstanceAction) -> Result<(), Error> {
    let body = InstanceStatePut { force: action == InstanceAction::Stop, ..InstanceStatePut::new(action) };
    step(&format!("{action:?}"), async { client.set_instance_state(NAME, &body).await?.wait(LIMIT).await })
        .await
}

async fn step<T>(what: &str, work: impl Future<Output = Result<T, Error>>) -> Result<(), Error> {
    let begin = Instant::now();
    work.await?;
    println!("{what}: {} ms", begin.elapsed().as_millis());
    Ok(())
}
