//! What is remembered: SQLite and PostgreSQL repositories and the group-commit journal.
