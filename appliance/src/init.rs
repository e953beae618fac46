//! `patchbay init`: from nothing to an appliance that can be run.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use model::people::{PhoneKind, Role};
use store::Store;

use crate::config::{Config, DEFAULT_FILE};
use crate::{seed, tls};

/// Writes what is missing: file, folders, database, certificate, tenant and administrator.
pub async fn init(file: &Path, data_dir: Option<&Path>, tenant: &str, admin: &str) -> Result<()> {
    if file.exists() {
        println!("configuration: {} (kept as it is)", file.display());
    } else {
        if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let text = match data_dir {
            // TOML strings are JSON strings as far as paths go.
            Some(dir) => DEFAULT_FILE.replace(
                "#data_dir = \"/var/lib/patchbay\"",
                &format!("data_dir = {}", serde_json::to_string(&std::path::absolute(dir)?)?),
            ),
            None => DEFAULT_FILE.to_owned(),
        };
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        println!("configuration: {} (new; every key is explained in it)", file.display());
    }
    let config = Config::read(file)?;
    folders(&config)?;
    let cert = tls::files(&config)?;
    println!(
        "certificate:   {}{}",
        cert.cert.display(),
        if cert.self_signed { " (self-signed)" } else { "" }
    );
    crate::recordings::vault(&crate::recordings::Place::of(&config))?;
    let store = Store::open(&config.database_url).await.context("cannot open the database")?;
    let (id, group) = seed::tenant(&store, tenant).await?;
    let new = seed::NewUser {
        login: admin,
        name: "Administrator",
        role: Role::Administrator,
        extension: None,
        phone: PhoneKind::Browser,
        skills: &[],
    };
    let (_, password) = seed::user(&store, id, Some(group), new).await?;
    store.close().await;
    println!("tenant:        {tenant}");
    println!("administrator: {admin}");
    println!("password:      {password}");
    println!("\nThe password is shown this once. Next: `patchbay doctor`, then `patchbay run`.");
    Ok(())
}

/// Makes the folders of the appliance; nobody else may look into them.
pub fn folders(config: &Config) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    for folder in [&config.data_dir, &config.recordings_dir] {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| {
            format!("cannot make {}; see data_dir in the configuration", folder.display())
        })?;
    }
    Ok(())
}
