//! `[trace]`, checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use signaling::trace::{HepConfig, TraceConfig};

use super::{ConfigError, TraceFile};
use crate::secret::of_file;

/// What is kept of the messages of calls, and where copies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// How long; zero: nothing is kept.
    pub keep: Duration,
    /// The capture server, and as whom we speak to it.
    pub hep: Option<(SocketAddr, u32)>,
    /// Its password; empty: none.
    pub password_file: PathBuf,
}

impl TryFrom<TraceFile> for Trace {
    type Error = ConfigError;

    fn try_from(file: TraceFile) -> Result<Self, ConfigError> {
        let value = |key, message| Err(ConfigError::Value { key, message });
        if file.keep_days > 365 {
            return value("trace.keep_days", format!("{} is not within 0 to 365", file.keep_days));
        }
        let hep = match file.hep.as_str() {
            "" => None,
            text => match text.parse() {
                Ok(server) => Some((server, file.hep_id)),
                Err(_) => {
                    return value(
                        "trace.hep",
                        format!("`{text}` is not an address with a port, such as 192.0.2.9:9060"),
                    );
                }
            },
        };
        let keep = Duration::from_secs(u64::from(file.keep_days) * 86_400);
        Ok(Self { keep, hep, password_file: file.hep_password_file })
    }
}

impl Trace {
    /// As signalling takes it; the password is read now.
    pub fn for_signaling(&self) -> Result<TraceConfig> {
        let mut config = TraceConfig { keep: !self.keep.is_zero(), hep: None };
        if let Some((server, id)) = self.hep {
            config.hep = Some(HepConfig { server, id, password: self.password()? });
        }
        Ok(config)
    }

    fn password(&self) -> Result<Option<String>> {
        let file = &self.password_file;
        if file.as_os_str().is_empty() {
            Ok(None)
        } else {
            of_file("[trace] hep_password_file", file).map(Some)
        }
    }
}
