//! Schemas: created, kept, refused.

use model::id::{AgentId, Id};
use model::journal::{Event, Seq};
use sqlx::Connection as _;
use store::testing::Scratch;
use store::{OpenError, Store};

use crate::fixture::{at, tenant};
use crate::on_each_engine;

/// Runs one statement behind the store's back.
async fn meddle(db: &Scratch, sql: &'static str) {
    if db.url.starts_with("sqlite") {
        let mut conn = sqlx::SqliteConnection::connect(&db.url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    } else {
        let mut conn = sqlx::PgConnection::connect(&db.url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    }
}

on_each_engine! {
    /// OPS-03: forward-only migrations; a database that is up to date is opened as it is.
    async fn a_database_is_made_once_and_kept_at_the_next_start(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        store.close().await;
        let again = db.open().await;
        assert_eq!(again.tenants().tenant(tenant(1).id).await.unwrap().unwrap().item, tenant(1));
    }

    /// OPS-03: a database of the first release is brought up to date, with what is in it.
    async fn a_database_of_the_first_release_is_brought_up_to_date(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        store.records().save_record(&crate::records::record(1)).await.unwrap();
        store.close().await;
        // As the first release left it.
        meddle(
            &db,
            "DROP TABLE journal_blocks;
             CREATE TABLE journal (
                 tenant TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, payload TEXT NOT NULL, PRIMARY KEY (tenant, seq)
             );
             ALTER TABLE journal_heads DROP COLUMN folded;
             ALTER TABLE service_records DROP COLUMN folded;
             DROP INDEX service_records_calling_agent;
             ALTER TABLE service_records DROP COLUMN calling_agent;
             ALTER TABLE tenants DROP COLUMN offer_window;
             ALTER TABLE tenants DROP COLUMN system_names;
             ALTER TABLE tenants DROP COLUMN capacity;
             ALTER TABLE tenants DROP COLUMN agent_order;
             ALTER TABLE reasons DROP COLUMN ends_after_minutes;
             ALTER TABLE reasons DROP COLUMN is_break;
             ALTER TABLE reasons DROP COLUMN call_out;
             ALTER TABLE tenants DROP COLUMN dialling;
             ALTER TABLE tenants DROP COLUMN withheld;
             ALTER TABLE tenants DROP COLUMN own_voicemail;
             ALTER TABLE users DROP COLUMN chats_max;
             ALTER TABLE users DROP COLUMN mobile;
             ALTER TABLE services DROP COLUMN recording;
             DROP TABLE lookup_rows;
             DROP TABLE lookup_tables;
             DROP TABLE generations;
             DROP TABLE flows;
             DROP TABLE api_keys;
             DROP TABLE user_preferences;
             DROP TABLE user_diversions;
             DROP TABLE greetings;
             DROP TABLE trunk_passwords;
             ALTER TABLE trunks DROP COLUMN account;
             ALTER TABLE trunks DROP COLUMN registers;
             DROP TABLE messages;
             DROP TABLE record_agents;
             DROP TABLE drafts;
             DROP TABLE traces;
             DROP TABLE reports;
             DROP TABLE voicemails;
             DROP TABLE blocks;
             ALTER TABLE audit DROP COLUMN api_key;
             ALTER TABLE numbers DROP COLUMN flow;
             DELETE FROM schema_migrations WHERE version > 1;",
        )
        .await;
        // Two entries, one row each.
        meddle(
            &db,
            r#"INSERT INTO journal_heads (tenant, seq, epoch) VALUES ('tenant_00000000-0000-0000-0000-000000000001', 2, 1);
               INSERT INTO journal (tenant, seq, at, payload) VALUES
                   ('tenant_00000000-0000-0000-0000-000000000001', 1, 5000000, '{"type":"agent_logged_out","agent":"user_00000000-0000-0000-0000-000000000001"}'),
                   ('tenant_00000000-0000-0000-0000-000000000001', 2, 6000000, '{"type":"agent_logged_out","agent":"user_00000000-0000-0000-0000-000000000002"}');"#,
        )
        .await;
        let store = db.open().await;
        assert_eq!(store.tenants().tenant(tenant(1).id).await.unwrap().unwrap().item, tenant(1));
        let old = crate::records::record(1);
        assert_eq!(store.records().record(old.tenant, old.interaction).await.unwrap(), Some(old));
        let entries = store.read_journal(tenant(1).id, Seq(1), 10).await.unwrap();
        let told = |n| Event::AgentLoggedOut { agent: AgentId::from_number(n) };
        let wanted = [(1, at(5), told(1)), (2, at(6), told(2))];
        assert_eq!(entries.into_iter().map(|e| (e.seq.0, e.at, e.event)).collect::<Vec<_>>(), wanted);
    }

    /// OPS-03: refused on a newer schema, with both numbers in the error.
    async fn a_database_of_a_newer_program_is_refused(db: Scratch) {
        db.open().await.close().await;
        meddle(&db, "INSERT INTO schema_migrations (version, name, checksum) VALUES (9000, 'future', 'x')").await;
        let refused = Store::open(&db.url).await.err();
        assert!(matches!(refused, Some(OpenError::NewerSchema { found: 9000, known }) if known < 9000), "{refused:?}");
    }

    /// OPS-03: a migration that is not the one that ran here is noticed.
    async fn a_database_whose_migration_was_edited_is_refused(db: Scratch) {
        db.open().await.close().await;
        meddle(&db, "UPDATE schema_migrations SET checksum = 'x' WHERE version = 1").await;
        let refused = Store::open(&db.url).await.err();
        assert!(matches!(refused, Some(OpenError::ChangedMigration { version: 1 })), "{refused:?}");
    }

    /// OPS-03: migrations run under a lock, so that programs started together find one whole schema.
    async fn programs_that_start_together_migrate_once(db: Scratch) {
        let starts: Vec<_> = (0..6)
            .map(|_| {
                let url = db.url.clone();
                tokio::spawn(async move { Store::open(&url).await.map(drop).map_err(|error| format!("{error:?}")) })
            })
            .collect();
        for start in starts {
            assert_eq!(start.await.unwrap(), Ok(()));
        }
    }
}

/// OPS-03: SQLite by default, PostgreSQL by URL, nothing else; a password in a bad URL is not shown.
#[tokio::test]
async fn a_url_of_another_kind_is_refused_without_showing_it() {
    assert!(matches!(Store::open("mysql://root:hunter2@db/x").await.err(), Some(OpenError::UnknownScheme)));
    let error = Store::open("postgres://u:hunter2@[/x").await.err().unwrap();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert!(matches!(Store::open("sqlite::memory:").await.err(), Some(OpenError::BadUrl(_))));
}

/// The file holds password hashes, so only its owner can read it and what SQLite keeps beside it.
#[tokio::test]
async fn a_new_sqlite_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let db = Scratch::sqlite();
    let store = db.open().await;
    store.tenants().insert_tenant(&tenant(1)).await.unwrap();
    let files: Vec<_> = std::fs::read_dir(db.folder()).unwrap().map(|file| file.unwrap()).collect();
    assert!(files.len() >= 2, "the WAL is there too");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}
