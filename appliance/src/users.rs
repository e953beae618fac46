//! `patchbay user`: works on the database itself, so it helps when nobody can sign in any more.

use anyhow::{Context, Result, bail};
use model::id::TenantId;
use model::people::{PhoneKind, Role};
use store::Store;
use store::catalogue::all;

use crate::cli::UserCommand;
use crate::config::Config;
use crate::seed;

/// Carries a user command out.
pub async fn run(config: &Config, command: UserCommand) -> Result<()> {
    let store = Store::open(&config.database_url).await.context("cannot open the database")?;
    let tenant = only_tenant(&store).await?;
    match command {
        UserCommand::List => {
            println!("{:<20} {:<28} {:<14} {:<9} state", "login", "name", "role", "extension");
            for user in all(store.users(), tenant).await? {
                let user = user.item;
                println!(
                    "{:<20} {:<28} {:<14} {:<9} {}",
                    user.login,
                    user.name,
                    role_name(user.role),
                    user.extension.as_deref().unwrap_or("-"),
                    if user.disabled { "disabled" } else { "active" }
                );
            }
        }
        UserCommand::Add { login, name, role, extension } => {
            let group = all(store.groups(), tenant).await?.first().map(|g| g.item.id);
            let new = seed::NewUser {
                login: &login,
                name: name.as_deref().unwrap_or(&login),
                role: role_of(&role)?,
                extension: extension.as_deref(),
                phone: PhoneKind::Browser,
                skills: &[],
            };
            let (_, password) = seed::user(&store, tenant, group, new).await?;
            println!(
                "user:     {login}\npassword: {password}\n\nA running appliance knows the user after its next reload (SIGHUP)."
            );
        }
        UserCommand::Password { login } => {
            let users = all(store.users(), tenant).await?;
            let Some(user) = users.iter().find(|u| u.item.login == login.to_lowercase()) else {
                bail!("there is no user `{login}`; `patchbay user list` shows who there is");
            };
            println!("user:     {login}\npassword: {}", seed::set_password(&store, user.item.id).await?);
        }
    }
    store.close().await;
    Ok(())
}

/// The tenant of this box.
pub async fn only_tenant(store: &Store) -> Result<TenantId> {
    let page = store.tenants().tenants(None, 2).await?;
    match page.items.as_slice() {
        [one] => Ok(one.item.id),
        [] => bail!("the database has no tenant yet: `patchbay init` makes the first"),
        _ => bail!("the database has several tenants, and this version serves one a box"),
    }
}

fn role_of(name: &str) -> Result<Role> {
    Ok(match name {
        "agent" => Role::Agent,
        "supervisor" => Role::Supervisor,
        "administrator" => Role::Administrator,
        other => bail!("`{other}` is no role: agent, supervisor, administrator"),
    })
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Agent => "agent",
        Role::Supervisor => "supervisor",
        Role::Administrator => "administrator",
    }
}
