//! Our certificate, and fingerprints of anybody's (RFC 8122).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair,
};
use dimpl::DtlsCertificate;

/// First retransmission of a handshake flight. The round trip to a browser is far below the second that RFC 6347
/// §4.2.4.1 proposes for strangers, and a caller waits meanwhile.
const FIRST_RETRY: Duration = Duration::from_millis(200);

/// Retransmissions of a flight, each after twice the time of the one before: the last 12.6 s after the first sending.
const RETRIES: usize = 6;

/// A handshake that takes longer has failed; before consent expires, so that the failure has a name.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// There is no certificate to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// None could be made.
    #[error("cannot make a certificate for DTLS")]
    Make,
    /// The key that was given cannot sign.
    #[error("the key is not one for ECDSA on P-256 or P-384 in PKCS #8")]
    Key,
    /// The key that was given is another certificate's.
    #[error("the key does not belong to the certificate")]
    Mismatch,
}

/// The self-signed certificate all browser legs of a process share: ECDSA on P-256, as WebRTC asks for (RFC 8827 §6.5).
/// Cheap to clone.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    certificate: DtlsCertificate,
    config: Arc<dimpl::Config>,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Makes a new key and certificate.
    pub fn generate() -> Result<Self, CertificateError> {
        let certificate =
            dimpl::certificate::generate_self_signed_certificate().map_err(|_| CertificateError::Make)?;
        Self::new(certificate)
    }

    /// Takes a certificate of the operator's, so that its fingerprint outlives the process.
    ///
    /// Both in DER; the key in PKCS #8.
    pub fn from_der(certificate: Vec<u8>, private_key: Vec<u8>) -> Result<Self, CertificateError> {
        let curves = [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING];
        let key = curves
            .into_iter()
            .find_map(|curve| EcdsaKeyPair::from_pkcs8(curve, &private_key).ok())
            .ok_or(CertificateError::Key)?;
        // The certificate holds its public key as the point itself (RFC 5480 §2.2).
        let point = key.public_key().as_ref();
        if !certificate.windows(point.len()).any(|octets| octets == point) {
            return Err(CertificateError::Mismatch);
        }
        Self::new(DtlsCertificate { certificate, private_key })
    }

    fn new(certificate: DtlsCertificate) -> Result<Self, CertificateError> {
        let config = dimpl::Config::builder()
            // The connectivity check has shown already that the address is the browser's.
            .use_server_cookie(false)
            .require_client_certificate(true)
            .flight_start_rto(FIRST_RETRY)
            .flight_retries(RETRIES)
            .handshake_timeout(HANDSHAKE_TIMEOUT)
            .build()
            .map_err(|_| CertificateError::Make)?;
        let fingerprint = Fingerprint::of(&certificate.certificate);
        Ok(Self { inner: Arc::new(Inner { certificate, config: Arc::new(config), fingerprint }) })
    }

    /// The fingerprint, for `a=fingerprint`.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.inner.fingerprint
    }

    pub(super) fn config(&self) -> Arc<dimpl::Config> {
        Arc::clone(&self.inner.config)
    }

    pub(super) fn for_dtls(&self) -> DtlsCertificate {
        self.inner.certificate.clone()
    }
}

/// The private key stays out of logs.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.inner.fingerprint)
    }
}

/// Hash functions accepted in `a=fingerprint`. SHA-1 and MD5 are not: RFC 8122 §5 forbids the latter, and a collision of
/// the former is affordable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }
}

/// What `a=fingerprint` says: a hash function and the hash of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    hash: Hash,
    value: Vec<u8>,
}

impl Fingerprint {
    /// The SHA-256 fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        let hash = Hash::Sha256;
        Self { hash, value: digest::digest(hash.algorithm(), der).as_ref().to_vec() }
    }

    /// Reads `sha-256 AB:CD:…`; both parts in any case (RFC 8122 §5). `None` when it is none, or of a weak hash.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, octets) = text.trim().split_once(' ')?;
        let hash = [Hash::Sha256, Hash::Sha384, Hash::Sha512]
            .into_iter()
            .find(|hash| name.eq_ignore_ascii_case(hash.name()))?;
        let octet = |pair: &str| match pair.as_bytes() {
            [a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        };
        let value = octets.trim().split(':').map(octet).collect::<Option<Vec<u8>>>()?;
        (value.len() == hash.algorithm().output_len()).then_some(Self { hash, value })
    }

    /// Whether it is this certificate's.
    pub fn matches(&self, der: &[u8]) -> bool {
        digest::digest(self.hash.algorithm(), der).as_ref() == self.value
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.hash.name())?;
        for (at, octet) in self.value.iter().enumerate() {
            write!(f, "{}{octet:02X}", if at == 0 { ' ' } else { ':' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_fingerprint_is_read_back_and_matches_our_certificate_alone() {
        let (ours, other) = (Certificate::generate().unwrap(), Certificate::generate().unwrap());
        let text = ours.fingerprint().to_string();
        assert!(text.starts_with("sha-256 ") && text.len() == 8 + 32 * 3 - 1, "{text}");
        let read = Fingerprint::parse(&text.to_lowercase()).unwrap();
        assert_eq!(&read, ours.fingerprint());
        assert!(read.matches(&ours.for_dtls().certificate));
        assert!(!read.matches(&other.for_dtls().certificate), "every certificate has a key of its own");
    }

    #[test]
    fn a_certificate_of_the_operators_is_taken_with_its_own_key_alone() {
        let (ours, other) = (Certificate::generate().unwrap().for_dtls(), Certificate::generate().unwrap());
        let taken = Certificate::from_der(ours.certificate.clone(), ours.private_key.clone()).unwrap();
        assert!(taken.fingerprint().matches(&ours.certificate));
        let strange = Certificate::from_der(ours.certificate.clone(), other.for_dtls().private_key);
        assert_eq!(strange.err(), Some(CertificateError::Mismatch));
        let broken = Certificate::from_der(ours.certificate.clone(), ours.certificate);
        assert_eq!(broken.err(), Some(CertificateError::Key));
    }

    #[test]
    fn longer_hashes_are_compared_and_weak_or_broken_ones_refused() {
        let der = Certificate::generate().unwrap().for_dtls().certificate;
        let long = digest::digest(&digest::SHA512, &der);
        let text = long.as_ref().iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":");
        assert!(Fingerprint::parse(&format!("SHA-512 {text}")).unwrap().matches(&der));
        let sha1 = "sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB";
        for bad in
            [sha1, "", "sha-256", "sha-256 ", "sha-256 AB:CD", "sha-256 +1:0", &format!("sha-256 {text}")]
        {
            assert_eq!(Fingerprint::parse(bad), None, "{bad}");
        }
    }
}
