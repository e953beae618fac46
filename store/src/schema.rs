//! What a migration is, and which there are. They only go forward; the engines run them (`sql/migrate.rs`).

use sha2::{Digest, Sha256};

/// One step of a schema.
pub(crate) struct Migration {
    /// Its place, from 1 without gaps.
    pub version: i64,
    /// What it is about.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

impl Migration {
    /// Tells whether the migration in the database is this one.
    pub fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.sql.as_bytes()))
    }
}

/// All migrations of an engine, by its folder: the same steps for each.
macro_rules! migrations {
    ($engine:literal) => {
        $crate::schema::migrations! { $engine:
            1 "first" "0001_first",
            2 "internal calls" "0002_internal_calls",
            3 "recordings" "0003_recordings",
            4 "generations" "0004_generations",
            5 "capacity" "0005_capacity",
            6 "flows" "0006_flows",
            7 "breaks" "0007_breaks",
            8 "dialling" "0008_dialling",
            9 "lookups" "0009_lookups",
            10 "api keys" "0010_api_keys",
            11 "blocks" "0011_blocks",
            12 "preferences" "0012_preferences",
            13 "messages" "0013_messages",
            14 "who may have chats" "0014_who_may_have_chats",
            15 "blocks of entries" "0015_blocks_of_entries",
            16 "drafts" "0016_drafts",
            17 "voicemails" "0017_voicemails",
            18 "record agents" "0018_record_agents",
            19 "traces" "0019_traces",
            20 "diversions" "0020_diversions",
            21 "own voicemail" "0021_own_voicemail",
            22 "reports" "0022_reports",
            23 "trunk accounts" "0023_trunk_accounts",
            24 "greetings" "0024_greetings",
            25 "mobiles" "0025_mobiles",
            26 "trunk registrations" "0026_trunk_registrations",
        }
    };
    ($engine:literal: $($version:literal $name:literal $file:literal,)*) => {
        &[$($crate::schema::Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $engine, "/", $file, ".sql")),
        }),*]
    };
}
pub(crate) use migrations;
