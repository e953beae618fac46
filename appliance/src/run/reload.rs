//! The configuration is read again while calls go on.

use super::Appliance;
use crate::config::Config;
use crate::tls;

impl Appliance {
    /// Reads the configuration again. What can change at once does; an error changes nothing.
    pub(super) async fn reload(&self, file: &std::path::Path) {
        let read = Config::read(file).map_err(anyhow::Error::from);
        let read = read.and_then(|new| self.level.set(&new.log.level).map(|()| new));
        let new = match read {
            Ok(new) => new,
            Err(error) => {
                self.reloads.with_label_values(&["refused"]).inc();
                let error = format!("{error:#}");
                return tracing::error!(error, "the configuration was not reloaded, the old one stays");
            }
        };
        self.reloads.with_label_values(&["taken"]).inc();
        match tls::files(&new) {
            Ok(files) => {
                if let Err(error) = self.certificate.reload_from_pem_file(&files.cert, &files.key).await {
                    tracing::error!(%error, "the certificate was not reloaded, the old one stays");
                }
            }
            Err(error) => tracing::error!(
                error = format!("{error:#}"),
                "the certificate was not reloaded, the old one stays"
            ),
        }
        if let Err(error) = self.sounds.reload(new.sounds_dir.as_deref(), new.language, new.tones) {
            tracing::error!(error = format!("{error:#}"), "the sounds were not reloaded, the old ones stay");
        }
        if let Err(error) = self.systems.reload(&new.flows) {
            tracing::error!(
                error = format!("{error:#}"),
                "what flows may ask was not reloaded, the old list stays"
            );
        }
        if let Err(error) = self.desk.reload().await {
            tracing::error!(%error, "users and services were not read again");
        }
        let restart: Vec<&str> = [
            ("http.listen", new.http_listen != self.config.http_listen),
            ("database.url", new.database_url != self.config.database_url),
            ("sip", new.sip != self.config.sip),
            (
                "media",
                new.interfaces != self.config.interfaces
                    || new.ports != self.config.ports
                    || new.driver != self.config.driver,
            ),
            ("recording", new.recordings_dir != self.config.recordings_dir),
        ]
        .into_iter()
        .filter_map(|(name, changed)| changed.then_some(name))
        .collect();
        tracing::info!(needs_restart = restart.join(", "), "configuration reloaded");
    }
}
