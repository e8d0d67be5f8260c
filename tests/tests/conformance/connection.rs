//! The daemon itself: who it is, whom it trusts, what happens when it goes away.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt;
use lxd_api::{CertificatesPost, EventType, StatusCode};
use lxd_client::{Client, ClientConfig, Error, TlsIdentity};

use super::Ctx;

pub async fn the_server_says_who_it_is(ctx: &Ctx) -> Result<()> {
    let info = ctx.client.server_info().await?;
    ensure!(info.is_trusted() && info.api_version == "1.0", "{info:?}");
    ensure!(matches!(info.environment.server.as_str(), "lxd" | "incus"));
    ensure!(!info.environment.server_version.is_empty() && !info.environment.server_clustered);
    ensure!(info.environment.certificate.trim() == ctx.host.server_cert_pem()?.trim());
    for extension in [
        "etag",
        "patch",
        "network_leases",
        "instances",
        "snapshot_expiry",
        "event_lifecycle_requestor_address",
    ] {
        ensure!(ctx.client.has_extension(extension).await?, "{extension} is missing");
    }
    ensure!(!ctx.client.has_extension("nobody_has_this").await?);
    Ok(())
}

pub async fn resources_show_processors_and_memory(ctx: &Ctx) -> Result<()> {
    let resources = ctx.client.resources(None).await?;
    ensure!(resources.cpu.total > 0 && !resources.cpu.sockets.is_empty());
    ensure!(resources.memory.total > resources.memory.used && resources.memory.used > 0);
    let error = ctx.client.resources(Some("nobody")).await.err().context("a member of no cluster")?;
    ensure!(matches!(error, Error::NotFound { .. } | Error::Api { .. }), "{error}");
    Ok(())
}

pub async fn metrics_name_running_instances(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    let line = ctx
        .until("the metrics of an instance", || async {
            let text = ctx.client.metrics(None).await?;
            let mine = format!("name=\"{name}\"");
            let of = |family: &str| {
                let line = text.lines().find(|l| l.contains(family) && l.contains(&mine));
                line.map(str::to_owned)
            };
            let all = [
                of("_cpu_seconds_total{"),
                of("_memory_MemTotal_bytes{"),
                of("_memory_MemAvailable_bytes{"),
                of("_network_receive_bytes_total{device=\"eth0\""),
                of("_network_transmit_bytes_total{device=\"eth0\""),
            ];
            Ok(all.iter().all(Option::is_some).then(|| of("_memory_RSS_bytes{")).flatten())
        })
        .await?;
    let value: f64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
    ensure!(value > 0.0 && line.contains("project=\"default\""), "{line}");
    Ok(())
}

pub async fn a_lone_server_is_no_cluster(ctx: &Ctx) -> Result<()> {
    let cluster = ctx.client.cluster().await?;
    ensure!(!cluster.enabled && cluster.server_name.is_empty());
    ensure!(ctx.client.cluster_members().await.is_err());
    Ok(())
}

/// A client certificate and its key, both PEM.
fn client_certificate() -> Result<(String, String)> {
    let made = rcgen::generate_simple_self_signed(vec!["conformance".to_owned()])?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

fn body_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

async fn trust(ctx: &Ctx, pem: &str) -> Result<String> {
    let post = CertificatesPost {
        name: "conformance".into(),
        kind: "client".into(),
        certificate: body_of(pem),
        ..CertificatesPost::default()
    };
    ctx.client.add_certificate(&post).await?;
    let all = ctx.client.certificates().await?;
    let mine = all.into_iter().find(|entry| body_of(&entry.certificate) == body_of(pem));
    Ok(mine.context("the certificate is not listed")?.fingerprint)
}

fn https(ctx: &Ctx, certificate: &(String, String), server_cert_pem: String) -> Result<Client> {
    let tls = TlsIdentity {
        client_cert_pem: certificate.0.clone(),
        client_key_pem: certificate.1.clone(),
        server_cert_pem,
    };
    Ok(Client::new(ClientConfig::new(ctx.host.https_url()?.parse()?).with_tls(tls))?)
}

pub async fn certificates_are_added_and_removed(ctx: &Ctx) -> Result<()> {
    let (pem, _) = client_certificate()?;
    let fingerprint = trust(ctx, &pem).await?;
    let entry = ctx.client.certificate(&fingerprint).await?.value;
    ensure!(entry.name == "conformance" && entry.kind == "client" && entry.fingerprint.len() == 64);
    let again = CertificatesPost {
        name: "conformance".into(),
        kind: "client".into(),
        certificate: body_of(&pem),
        ..CertificatesPost::default()
    };
    let error = ctx.client.add_certificate(&again).await.err().context("the same certificate twice")?;
    ensure!(matches!(error, Error::Conflict { .. } | Error::Api { code: 400, .. }), "{error}");
    let nonsense = CertificatesPost { certificate: "AAAA".into(), ..again };
    ensure!(matches!(ctx.client.add_certificate(&nonsense).await, Err(Error::Api { code: 400, .. })));
    ctx.client.delete_certificate(&fingerprint).await?;
    ensure!(ctx.client.certificate(&fingerprint).await.is_err_and(|error| error.is_not_found()));
    ensure!(ctx.client.delete_certificate(&fingerprint).await.is_err_and(|error| error.is_not_found()));
    Ok(())
}

pub async fn a_token_is_made_for_a_certificate(ctx: &Ctx) -> Result<()> {
    let token = ctx.client.issue_token("conformance-token").await?;
    ensure!(token.len() > 100, "{token}");
    ensure!(ctx.client.certificates().await?.iter().all(|one| one.name != "conformance-token"));
    Ok(())
}

pub async fn https_with_a_trusted_certificate(ctx: &Ctx) -> Result<()> {
    let certificate = client_certificate()?;
    let fingerprint = trust(ctx, &certificate.0).await?;
    let client = https(ctx, &certificate, ctx.host.server_cert_pem()?)?;
    ensure!(client.check_trusted().await?.environment.server_version.len() > 2);
    // A whole course over HTTPS, events included.
    let mut events = super::Lifecycles::open(&client).await?;
    let name = ctx.name();
    super::done(client.create_instance(&ctx.post(&name), None).await?).await?;
    events.one(&name, "instance-created").await?;
    super::done(client.delete_instance(&name).await?).await?;
    events.one(&name, "instance-deleted").await?;
    // Trust that is taken away is gone for open connections too.
    ctx.client.delete_certificate(&fingerprint).await?;
    ensure!(client.instances().await.is_err_and(|error| error.is_untrusted()));
    Ok(())
}

pub async fn an_untrusted_certificate_is_told_apart(ctx: &Ctx) -> Result<()> {
    let client = https(ctx, &client_certificate()?, ctx.host.server_cert_pem()?)?;
    let info = client.server_info().await?;
    ensure!(
        !info.is_trusted() && !info.api_extensions.is_empty() && info.environment.server_version.is_empty()
    );
    for (what, error) in [
        ("server", client.check_trusted().await.err()),
        ("instances", client.instances().await.err()),
        ("events", client.events(&[EventType::Lifecycle]).await.err()),
        ("creation", client.create_instance(&ctx.post("cf-never"), None).await.err()),
    ] {
        let error = error.with_context(|| format!("{what}: not refused"))?;
        ensure!(error.is_untrusted(), "{what}: {error}");
    }
    ensure!(client.images().await?.iter().all(|image| image.public));
    Ok(())
}

pub async fn another_server_certificate_is_refused(ctx: &Ctx) -> Result<()> {
    let certificate = client_certificate()?;
    let client = https(ctx, &certificate, client_certificate()?.0)?;
    let error = client.server_info().await.err().context("it talked to a stranger")?;
    ensure!(error.is_untrusted(), "{error}");
    let error = client.events(&[EventType::Lifecycle]).await.err().context("events of a stranger")?;
    ensure!(error.is_untrusted(), "{error}");
    Ok(())
}

pub async fn a_daemon_that_goes_away_and_comes_back(ctx: &Ctx) -> Result<()> {
    let name = ctx.launch().await?;
    let mut events = ctx.client.events(&[EventType::Lifecycle]).await?;
    ctx.host.stop().await?;
    let ended = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            match events.next().await {
                Some(Err(error)) => return Ok(error),
                Some(Ok(_)) => {}
                None => bail!("the events ended without an error"),
            }
        }
    });
    let error = ended.await.context("the events go on without a daemon")??;
    ensure!(error.is_unreachable(), "{error}");
    let refused = async {
        let error = ctx.client.instances().await.err().context("an answer without a daemon")?;
        ensure!(error.is_unreachable() && !error.may_have_been_executed(), "{error}");
        ensure!(ctx.client.events(&[EventType::Lifecycle]).await.is_err_and(|error| error.is_unreachable()));
        let creation = ctx.client.create_instance(&ctx.post("cf-never"), None).await;
        ensure!(creation.is_err_and(|error| error.is_unreachable()));
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(30), refused)
        .await
        .context("a daemon that is away is waited for")??;
    ctx.host.start().await?;
    // The same client works again, and what ran kept running.
    let instance = ctx.client.instance(&name).await?.value;
    ensure!(instance.status_code == StatusCode::RUNNING, "{}", instance.status);
    let mut events = super::Lifecycles::open(&ctx.client).await?;
    ctx.act(&name, lxd_api::InstanceAction::Stop).await?;
    events.one(&name, "instance-stopped").await?;
    Ok(())
}
