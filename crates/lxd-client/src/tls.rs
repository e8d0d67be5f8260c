//! TLS as LXD means it: both sides know each other's certificate beforehand. No authorities, no host names.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use crate::{config::TlsIdentity, error::Error};

/// A rustls configuration that presents our certificate and accepts exactly the pinned one.
///
/// # Errors
/// [`Error::InvalidConfig`] if one of the three PEM texts does not hold what it should.
pub(crate) fn client_config(identity: &TlsIdentity) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let pinned = CertificateDer::from_pem_slice(identity.server_cert_pem.as_bytes()).map_err(|error| {
        Error::InvalidConfig(format!("the server certificate is not a PEM certificate: {error}"))
    })?;
    let chain = CertificateDer::pem_slice_iter(identity.client_cert_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::InvalidConfig(format!("the client certificate is not valid PEM: {error}")))?;
    if chain.is_empty() {
        return Err(Error::InvalidConfig("the client certificate file holds no certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(identity.client_key_pem.as_bytes())
        .map_err(|error| Error::InvalidConfig(format!("the client key is not a PEM private key: {error}")))?;
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::InvalidConfig(format!("TLS: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PinnedVerifier { pinned, provider }))
        .with_client_auth_cert(chain, key)
        .map_err(|error| {
            Error::InvalidConfig(format!("client certificate and key do not belong together: {error}"))
        })
}

/// Accepts one certificate, byte for byte. The handshake's signature is still verified: whoever shows the
/// certificate must also hold its key.
#[derive(Debug)]
struct PinnedVerifier {
    pinned: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinnedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if *end_entity == self.pinned {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(TlsError::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
