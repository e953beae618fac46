//! Tables that flows look values up in (ROUTE-08): imported as CSV, each as a whole.

use std::collections::HashSet;

use flow::Reply;
use model::id::TenantId;
use serde_json::json;
use store::Store;
pub use store::lookups::{LookupRow, LookupTable};

use crate::audit::Actor;
use crate::refusal::Refusal;
use crate::start::DeskHandle;
use crate::trouble::read;

/// Tables of one tenant.
pub const TABLES_MAX: usize = 32;
/// Rows of one table.
pub const ROWS_MAX: usize = 100_000;
/// Columns of one table, the key not counted.
pub const COLUMNS_MAX: usize = 16;
/// Longest key or value, in characters: what flows note is no longer.
pub const CELL_MAX: usize = 256;

impl DeskHandle {
    /// All tables, by name.
    pub fn lookup_tables(&self) -> Vec<LookupTable> {
        self.configuration().tables.clone()
    }

    /// Puts a table in the place of the one of its name, or makes it. The first line of the CSV names the columns; the first column
    /// has the keys, which are different from each other. `phone_keys`: keys are telephone numbers, however they are written.
    pub async fn import_lookup_table(
        &self,
        name: &str,
        csv: &[u8],
        phone_keys: bool,
        actor: Actor,
    ) -> Result<LookupTable, Refusal> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if !(1..=64).contains(&name.len()) || !name.chars().all(fits) {
            return Err(Refusal::field("/name", "letters a to z, digits, `-` and `_`, 64 at most"));
        }
        let (columns, rows) = parse(csv, phone_keys)?;
        let _turn = self.0.importing.lock().await;
        let known = self.lookup_tables();
        if known.len() >= TABLES_MAX && known.iter().all(|table| table.name != name) {
            return Err(Refusal::Conflict { why: format!("There are at most {TABLES_MAX} tables.") });
        }
        let (count, changed_at) = (rows.len() as u64, self.now());
        let table = LookupTable { name: name.to_owned(), columns, phone_keys, rows: count, changed_at };
        let lookups = self.store().lookups();
        lookups.replace_lookup_table(self.tenant(), &table, &rows).await.map_err(read)?;
        let detail = json!({ "rows": count, "columns": table.columns });
        self.audit().record(actor, "table.import", name, detail).await?;
        self.reload().await?;
        Ok(table)
    }

    /// Removes a table. Flows that name it are in trouble until it is back.
    pub async fn delete_lookup_table(&self, name: &str, actor: Actor) -> Result<(), Refusal> {
        let _turn = self.0.importing.lock().await;
        if !self.store().lookups().delete_lookup_table(self.tenant(), name).await.map_err(read)? {
            return Err(Refusal::missing("table"));
        }
        self.audit().record(actor, "table.delete", name, json!({})).await?;
        self.reload().await
    }
}

/// Looks a key up for a flow: 200 with the values by the names of the columns, or 404.
pub(crate) async fn look_up(store: &Store, tenant: TenantId, table: &LookupTable, key: &str) -> Reply {
    let number = table.phone_keys.then(|| phone_key(key));
    let key = match &number {
        Some(Some(number)) => number,
        Some(None) => return Reply::missing(),
        None => key,
    };
    match store.lookups().look_up(tenant, &table.name, key).await {
        Ok(Some(cells)) => Reply::found(table.columns.iter().cloned().zip(cells).collect()),
        Ok(None) => Reply::missing(),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(table = table.name, error, "nothing can be looked up for a flow");
            Reply::Failed
        }
    }
}

/// A telephone number as keys have it: digits, with a `+` where it is written internationally.
pub(crate) fn phone_key(text: &str) -> Option<String> {
    let number = model::dialling::Dialled::parse(text).filter(|dialled| dialled.after.is_empty())?.number;
    Some(number.strip_prefix("00").map_or(number.clone(), |rest| format!("+{rest}")))
}

/// Columns and rows of a CSV (RFC 4180; `;` and tabs separate as well, as spreadsheets of some countries write it).
fn parse(csv: &[u8], phone_keys: bool) -> Result<(Vec<String>, Vec<LookupRow>), Refusal> {
    let wrong = |line: u64, what: &str| Refusal::field("", format!("line {line}: {what}"));
    let text = std::str::from_utf8(csv).map_err(|error| {
        let line = csv.iter().take(error.valid_up_to()).filter(|octet| **octet == b'\n').count() as u64;
        wrong(line + 1, "this is no UTF-8; save the table as UTF-8")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let head = text.lines().next().unwrap_or_default();
    let most = [b',', b';', b'\t'].into_iter().max_by_key(|mark| head.bytes().filter(|o| o == mark).count());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(most.unwrap_or(b','))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let refused = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        wrong(line, "it has more or fewer columns than the first line")
    };
    let columns: Vec<String> = reader.headers().map_err(refused)?.iter().skip(1).map(str::to_owned).collect();
    if columns.is_empty() || columns.len() > COLUMNS_MAX {
        return Err(wrong(1, &format!("a table has a column of keys and 1 to {COLUMNS_MAX} others")));
    }
    let mut names = HashSet::new();
    if columns.iter().any(|name| name.is_empty() || !fits(name) || !names.insert(name)) {
        return Err(wrong(1, &format!("columns have different names of at most {CELL_MAX} characters")));
    }
    let (mut rows, mut keys) = (Vec::new(), HashSet::new());
    for record in reader.records() {
        let record = record.map_err(refused)?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut cells = record.iter().map(str::to_owned);
        let key = cells.next().unwrap_or_default();
        let key = if phone_keys { phone_key(&key) } else { Some(key).filter(|key| !key.is_empty()) };
        let key = key.ok_or_else(|| wrong(line, "the key is empty, or no telephone number"))?;
        let cells: Vec<String> = cells.collect();
        if !fits(&key) || !cells.iter().all(|cell| fits(cell)) {
            return Err(wrong(
                line,
                &format!("a cell has at most {CELL_MAX} characters, none of them a control character"),
            ));
        }
        if rows.len() == ROWS_MAX {
            return Err(wrong(line, &format!("a table has at most {ROWS_MAX} rows")));
        }
        if !keys.insert(key.clone()) {
            return Err(wrong(line, &format!("the key `{key}` is there twice")));
        }
        rows.push((key, cells));
    }
    Ok((columns, rows))
}

fn fits(cell: &str) -> bool {
    cell.chars().count() <= CELL_MAX && !cell.chars().any(char::is_control)
}
