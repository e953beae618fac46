//! Whom this machine trusts to say who a far end is, for connections that we make by TLS.

use std::sync::Arc;

use tokio_rustls::TlsConnector;

/// Checks certificates by the authorities this machine trusts. `None`: their certificates cannot be read.
pub fn connector() -> Option<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return None;
    }
    // Named, because the library links a second provider and then none is the default.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}
