//! What is remembered: configuration, people, sessions, service records, recordings, and the journal.
//!
//! [`Store::open`] takes a URL and gives repositories, one trait a concern. SQLite (`sqlite://path`) is the default
//! engine, PostgreSQL (`postgres://…`) the other; callers cannot tell which one they use, and one test suite runs on
//! both. A repository says what is stored and nothing about why: who may do what is decided elsewhere.
//!
//! [`Journal`] writes everything that happened, many appends to one disk flush, and folds the same events into
//! [service records](records), which are never behind the journal for whoever reads them through the same store.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use model::{id::{Id, TenantId}, people::Tenant, time::Timestamp};
//! use store::{Journal, JournalConfig, Store};
//!
//! let store = Store::open("sqlite:///var/lib/patchbay/patchbay.db").await?;
//! let tenant = Tenant::new(TenantId::from_number(1), "Example");
//! store.tenants().insert_tenant(&tenant).await?;
//! let journal = Journal::open(&store, JournalConfig::at("/var/lib/patchbay/journal.spool")).await?;
//! let receipt = journal.append(tenant.id, vec![], Timestamp::from_millis(0))?;
//! let places = receipt.await?; // durable from here on
//! # Ok(()) }
//! ```
//!
//! How the SQL is kept: `sql/` holds one file a concern, written in what both engines understand; the modules
//! `sqlite` and `postgres` each include those files and say in `dialect` where the engines differ. So every
//! statement is compiled and typed against each engine, and there is one text of it.
#![forbid(unsafe_code)]
#![allow(clippy::duplicate_mod, reason = "the files of sql/ are compiled once for each engine, on purpose")]

pub mod api_keys;
pub mod audit;
pub mod catalogue;
pub mod diversions;
mod error;
pub mod generations;
pub mod greetings;
pub mod idempotency;
pub mod item;
pub mod journal;
pub mod lookups;
pub mod messages;
pub mod page;
mod postgres;
pub mod preferences;
pub mod recordings;
pub mod records;
pub mod reports;
mod schema;
pub mod secrets;
pub mod sessions;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;
pub mod traces;
pub mod voicemails;

use std::sync::Arc;

use model::block::Block;
use model::flow::Flow;
use model::id::TenantId;
use model::journal::{Entry, Seq};
use model::people::Group;
use model::service::{Disposition, Service, Skill, Trunk};

pub use crate::api_keys::ApiKeys;
pub use crate::audit::AuditLog;
pub use crate::catalogue::{Catalogue, Numbers, Tenants, Users};
pub use crate::error::{DeleteError, OpenError, Referrer, StoreError, WriteError};
pub use crate::generations::{Generation, Generations};
pub use crate::idempotency::IdempotencyKeys;
pub use crate::item::{Item, Kind};
pub use crate::journal::{
    AppendError, Appended, Fact, Health, HealthState, Journal, JournalConfig, JournalOpenError, Receipt,
};
pub use crate::lookups::Lookups;
pub use crate::messages::Messages;
pub use crate::page::{Cursor, Page, Version, Versioned};
pub use crate::recordings::Recordings;
pub use crate::records::Records;
pub use crate::secrets::Secrets;
pub use crate::sessions::Sessions;
pub use crate::traces::Traces;
pub use crate::voicemails::Voicemails;

/// An open database. Cheap to clone; all clones share the connections.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
}

/// What a database engine can do for us: every concern.
trait Engine:
    Tenants
    + Users
    + Numbers
    + Catalogue<Group>
    + Catalogue<Skill>
    + Catalogue<model::agent::Reason>
    + Catalogue<Service>
    + Catalogue<Disposition>
    + Catalogue<Trunk>
    + Catalogue<Flow>
    + Catalogue<Block>
    + Secrets
    + preferences::Preferences
    + diversions::Diversions
    + greetings::Greetings
    + reports::Reports
    + Sessions
    + ApiKeys
    + AuditLog
    + Records
    + Recordings
    + IdempotencyKeys
    + Generations
    + Lookups
    + Messages
    + Traces
    + Voicemails
    + journal::ledger::Ledger
{
}

impl Store {
    /// Opens the database at `url`, creating and migrating it as needed.
    ///
    /// `sqlite://path` is created if it is missing. `postgres://user@host/database` must exist; TLS as the URL's
    /// `sslmode` says. Migrations only go forward, run under a lock, and a database of a newer Patchbay is refused.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(url, &StoreConfig::default()).await
    }

    /// As [`Store::open`], with bounds of one's own.
    pub async fn open_with(url: &str, config: &StoreConfig) -> Result<Self, OpenError> {
        let engine: Arc<dyn Engine> = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Arc::new(sqlite::Engine::open(url, config).await?),
            Some("postgres" | "postgresql") => Arc::new(postgres::Engine::open(url, config).await?),
            _ => return Err(OpenError::UnknownScheme),
        };
        Ok(Self { engine })
    }

    /// Customers of the operator.
    pub fn tenants(&self) -> &dyn Tenants {
        &*self.engine
    }
    /// People who sign in.
    pub fn users(&self) -> &dyn Users {
        &*self.engine
    }
    /// Passwords and SIP digests, apart from what they belong to.
    pub fn secrets(&self) -> &dyn Secrets {
        &*self.engine
    }
    /// Teams and their rules.
    pub fn groups(&self) -> &dyn Catalogue<Group> {
        &*self.engine
    }
    /// What agents can do.
    pub fn skills(&self) -> &dyn Catalogue<Skill> {
        &*self.engine
    }
    /// Reasons for being Not ready.
    pub fn reasons(&self) -> &dyn Catalogue<model::agent::Reason> {
        &*self.engine
    }
    /// Entry points and their queues.
    pub fn services(&self) -> &dyn Catalogue<Service> {
        &*self.engine
    }
    /// How interactions end.
    pub fn dispositions(&self) -> &dyn Catalogue<Disposition> {
        &*self.engine
    }
    /// Dialled numbers.
    pub fn numbers(&self) -> &dyn Numbers {
        &*self.engine
    }
    /// Flows of self-service.
    pub fn flows(&self) -> &dyn Catalogue<Flow> {
        &*self.engine
    }
    /// Carriers and PBXs.
    pub fn trunks(&self) -> &dyn Catalogue<Trunk> {
        &*self.engine
    }
    /// The block list.
    pub fn blocks(&self) -> &dyn Catalogue<Block> {
        &*self.engine
    }
    /// Keys of programs.
    pub fn api_keys(&self) -> &dyn ApiKeys {
        &*self.engine
    }
    /// What people say to callers who are to leave them a message.
    pub fn greetings(&self) -> &dyn greetings::Greetings {
        &*self.engine
    }
    /// What becomes of calls to extensions that are not taken.
    pub fn diversions(&self) -> &dyn diversions::Diversions {
        &*self.engine
    }
    /// What users want to see or not.
    pub fn preferences(&self) -> &dyn preferences::Preferences {
        &*self.engine
    }
    /// Sign-ins.
    pub fn sessions(&self) -> &dyn Sessions {
        &*self.engine
    }
    /// Who changed or heard what.
    pub fn audit(&self) -> &dyn AuditLog {
        &*self.engine
    }
    /// Service records (REC-01).
    pub fn records(&self) -> &dyn Records {
        &*self.engine
    }
    /// Recordings and how far each has come.
    pub fn recordings(&self) -> &dyn Recordings {
        &*self.engine
    }
    /// What went over the wire for calls.
    pub fn traces(&self) -> &dyn Traces {
        &*self.engine
    }
    /// What agents reported as not working.
    pub fn reports(&self) -> &dyn reports::Reports {
        &*self.engine
    }
    /// Messages that callers left.
    pub fn voicemails(&self) -> &dyn Voicemails {
        &*self.engine
    }
    /// What was written in chats and emails.
    pub fn messages(&self) -> &dyn Messages {
        &*self.engine
    }
    /// Answers already given to repeated requests.
    pub fn idempotency(&self) -> &dyn IdempotencyKeys {
        &*self.engine
    }
    /// What floors decided by in the past.
    pub fn generations(&self) -> &dyn Generations {
        &*self.engine
    }
    /// Tables that flows look values up in.
    pub fn lookups(&self) -> &dyn Lookups {
        &*self.engine
    }
    /// Entries of a tenant's journal from a place on, in order; at most `limit` and [`journal::READ_MAX`]. Unlike
    /// [`Journal::open`] it takes nothing over: whoever only reads may do so while an appliance runs.
    pub async fn read_journal(
        &self,
        tenant: TenantId,
        from: Seq,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.engine.read_entries(tenant, from, limit.clamp(1, journal::READ_MAX)).await
    }
    /// The place of a tenant's last entry; 0 before the first.
    pub async fn journal_end(&self, tenant: TenantId) -> Result<Seq, StoreError> {
        self.engine.last_seq(tenant).await
    }
    /// Waits for running statements and closes all connections.
    pub async fn close(&self) {
        self.engine.shut().await;
    }
}

/// Bounds of a store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Connections for everything but the journal, 2 to 100. Default 8: more than two cores keep busy, few enough for
    /// several appliances on one PostgreSQL with its usual limit of 100. SQLite has one more, for writing.
    pub connections_max: u32,
    /// How long a statement waits for a free connection or for SQLite's write lock. Default 5 s.
    pub patience: std::time::Duration,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { connections_max: 8, patience: std::time::Duration::from_secs(5) }
    }
}
