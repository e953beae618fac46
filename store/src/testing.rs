//! Scratch databases for tests: SQLite in a folder of its own, PostgreSQL started by the test itself.
//!
//! A test binary starts one PostgreSQL server when the first test asks for it, on a unix socket only, and every test
//! gets a database of its own in it. A watchdog process stops the server and removes its files when the test binary
//! is gone, also after a panic or a kill: it waits for the end of a pipe that only the test binary holds open.
//!
//! PostgreSQL must be installed (package `postgresql`); without it these tests fail, they are not skipped.

mod server;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

pub use self::server::PostgresServer;
use crate::Store;

/// A database that vanishes with the test.
pub struct Scratch {
    /// What to give to [`Store::open`].
    pub url: String,
    folder: tempfile::TempDir,
}

impl Scratch {
    /// A new SQLite file.
    pub fn sqlite() -> Self {
        let folder = folder();
        let url = format!("sqlite://{}", folder.path().join("patchbay.db").display());
        Self { url, folder }
    }

    /// A new database in the PostgreSQL server of this test binary.
    pub fn postgres() -> Self {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = SERVER.get_or_init(PostgresServer::start);
        let url = server.create_database(&format!("scratch_{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        Self { url, folder: folder() }
    }

    /// A folder for files of the test, such as a spool file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path for the journal's spool file.
    pub fn spool(&self) -> PathBuf {
        self.folder.path().join("journal.spool")
    }

    /// Opens the database.
    pub async fn open(&self) -> Store {
        match Store::open(&self.url).await {
            Ok(store) => store,
            Err(error) => panic!("the scratch database does not open: {error:?}"),
        }
    }
}

fn folder() -> tempfile::TempDir {
    match tempfile::Builder::new().prefix("patchbay-store-").tempdir() {
        Ok(folder) => folder,
        Err(error) => panic!("no temporary folder: {error}"),
    }
}
