//! `/1.0/certificates`: whom the server trusts over HTTPS.

use std::sync::Arc;

use base64::Engine as _;
use lxd_api::{Certificate, CertificatesPost};
use serde_json::Map;

use crate::{
    engine::Core,
    reply::{ApiRequest, Failure, Reply, etag, sha256_hex},
    state::State,
};

fn path(fingerprint: &str) -> String {
    format!("/1.0/certificates/{fingerprint}")
}

fn find<'a>(state: &'a State, prefix: &str) -> Result<&'a Certificate, Failure> {
    let mut found =
        state.certificates.values().filter(|certificate| certificate.fingerprint.starts_with(prefix));
    match (found.next(), found.next()) {
        (Some(certificate), None) => Ok(certificate),
        _ => Err(Failure::not_found("Certificate not found")),
    }
}

pub(crate) fn list(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    Reply::list(request, state.certificates.values().map(|entry| (path(&entry.fingerprint), entry)))
}

pub(crate) fn get(core: &Core, fingerprint: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let certificate = find(&state, fingerprint)?;
    Reply::tagged(certificate, etag(certificate)?)
}

/// A trust store entry for a certificate in DER form.
pub(crate) fn entry(name: &str, der: &[u8]) -> Certificate {
    Certificate {
        fingerprint: sha256_hex(der),
        certificate: pem::encode_config(
            &pem::Pem::new("CERTIFICATE", der),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        ),
        name: name.to_owned(),
        kind: "client".into(),
        ..Certificate::default()
    }
}

pub(crate) fn create(core: &Arc<Core>, request: &ApiRequest) -> Result<Reply, Failure> {
    let post: CertificatesPost = request.json()?;
    if !matches!(post.kind.as_str(), "client" | "metrics") {
        return Err(Failure::bad("Invalid certificate type"));
    }
    if post.token {
        return Ok(core.issue_token(&post.name));
    }
    if post.certificate.is_empty() {
        return Err(Failure::bad("Client is already trusted"));
    }
    let der = base64::engine::general_purpose::STANDARD
        .decode(&post.certificate)
        .map_err(|error| Failure::bad(format!("illegal base64 data: {error}")))?;
    if !looks_like_a_certificate(&der) {
        return Err(Failure::bad("Invalid certificate material: x509: malformed certificate"));
    }
    let mut entry = entry(&post.name, &der);
    entry.kind = post.kind;
    entry.restricted = post.restricted;
    entry.projects = post.projects;
    let mut state = core.lock();
    if state.certificates.contains_key(&entry.fingerprint) {
        return Err(Failure::new(409, "Certificate already in trust store"));
    }
    let location = path(&entry.fingerprint);
    let by = Some(request.requestor.clone());
    core.lifecycle("certificate-created", location.clone(), Map::new(), by, &state.own_member());
    state.certificates.insert(entry.fingerprint.clone(), entry);
    Ok(Reply::Created { location: Some(location) })
}

/// A DER sequence whose length fits: enough to tell a certificate from a typing error.
fn looks_like_a_certificate(der: &[u8]) -> bool {
    match der {
        [0x30, 0x82, high, low, rest @ ..] => rest.len() == usize::from(*high) * 256 + usize::from(*low),
        [0x30, 0x81, length, rest @ ..] => rest.len() == usize::from(*length),
        _ => false,
    }
}

pub(crate) fn delete(core: &Core, request: &ApiRequest, fingerprint: &str) -> Result<Reply, Failure> {
    let mut state = core.lock();
    let full = find(&state, fingerprint)?.fingerprint.clone();
    state.certificates.remove(&full);
    let by = Some(request.requestor.clone());
    core.lifecycle("certificate-deleted", path(&full), Map::new(), by, &state.own_member());
    Ok(Reply::done())
}
