//! The certificate of console, API and SIP over TLS: the operator's files, or a self-signed pair made at first start.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::config::Config;

/// Life of a self-signed certificate: browsers refuse what claims more than 825 days.
const LIFE_DAYS: i64 = 820;
/// A self-signed certificate with fewer days left is made anew at start.
const RENEW_DAYS: i64 = 30;

/// PEM files in use.
#[derive(Clone, Debug)]
pub struct Files {
    /// Certificate chain.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
    /// Whether we made them ourselves: browsers will warn once.
    pub self_signed: bool,
}

/// The configured files, or the self-signed pair, made now if it is not there.
pub fn files(config: &Config) -> Result<Files> {
    if let Some((cert, key)) = &config.http_cert {
        for file in [cert, key] {
            fs::metadata(file).with_context(|| {
                format!("cannot read {}: check [http] cert_file and key_file", file.display())
            })?;
        }
        return Ok(Files { cert: cert.clone(), key: key.clone(), self_signed: false });
    }
    let dir = config.data_dir.join("tls");
    let files =
        Files { cert: dir.join("self-signed.pem"), key: dir.join("self-signed.key"), self_signed: true };
    // Renewed before it expires: nobody watches a certificate they never made.
    let good = files.key.exists() && days_left(&files.cert).is_ok_and(|days| days > RENEW_DAYS);
    if !good {
        make(config, &dir, &files)
            .with_context(|| format!("cannot make a certificate in {}", dir.display()))?;
    }
    Ok(files)
}

fn make(config: &Config, dir: &Path, files: &Files) -> Result<()> {
    fs::create_dir_all(dir)?;
    let mut names: Vec<String> = config.http_names.clone();
    names.extend(config.interfaces.iter().map(|i| i.advertise.to_string()));
    names.extend(
        config
            .http_listen
            .iter()
            .map(|a| a.ip())
            .filter(|ip| !ip.is_unspecified())
            .map(|ip: IpAddr| ip.to_string()),
    );
    names.sort();
    names.dedup();
    let mut params = rcgen::CertificateParams::new(names)?;
    let today = i64::try_from(crate::clock::now().millis() / 1_000)?;
    let date = |days: i64| time::OffsetDateTime::from_unix_timestamp(today + days * 86_400);
    (params.not_before, params.not_after) = (date(-1)?, date(LIFE_DAYS)?);
    params.distinguished_name.push(rcgen::DnType::CommonName, "Patchbay");
    let key = rcgen::KeyPair::generate()?;
    write_private(&files.key, key.serialize_pem().as_bytes())?;
    fs::write(&files.cert, params.self_signed(&key)?.pem())?;
    Ok(())
}

/// Writes a file that only its owner can read.
pub fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut out = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    out.write_all(bytes)?;
    out.sync_all()
}

/// Days until a certificate expires; negative when it has.
pub fn days_left(cert: &Path) -> Result<i64> {
    let pem = fs::read(cert).with_context(|| format!("cannot read {}", cert.display()))?;
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).context("no PEM certificate")?;
    let until = pem.parse_x509().context("no X.509 certificate")?.validity().not_after.timestamp();
    let now = i64::try_from(crate::clock::now().millis() / 1_000)?;
    Ok((until - now).div_euclid(86_400))
}

/// Installs the process-wide cryptography of TLS. Two libraries are linked in (a dependency brings the second), so the
/// choice has to be made once, here.
pub fn install_provider() {
    // An error only means that it is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// OPS-05, SAFE-01: TLS from the first run, with a key that nobody else can read; kept over restarts.
    #[test]
    fn the_first_start_makes_a_certificate_and_the_second_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let raw = crate::config::File { data_dir: dir.path().into(), ..Default::default() };
        let config = Config::try_from(raw).unwrap();
        let made = files(&config).unwrap();
        let first = fs::read(&made.cert).unwrap();
        assert!(made.self_signed && first.starts_with(b"-----BEGIN CERTIFICATE"));
        assert_eq!(fs::metadata(&made.key).unwrap().permissions().mode() & 0o777, 0o600);
        assert!((800..825).contains(&days_left(&made.cert).unwrap()));
        files(&config).unwrap();
        assert_eq!(fs::read(&made.cert).unwrap(), first);
    }
}
