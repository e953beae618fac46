//! Tables that flows look values up in.

use store::lookups::{LookupRow, LookupTable};

use crate::fixture::*;
use crate::on_each_engine;

fn table(name: &str, columns: &[&str], rows: &[LookupRow]) -> LookupTable {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    let (name, rows, changed_at) = (name.to_owned(), rows.len() as u64, at(rows.len() as u64));
    LookupTable { name, columns, phone_keys: rows > 1, rows, changed_at }
}

fn row(key: impl ToString, cells: &[&str]) -> LookupRow {
    (key.to_string(), cells.iter().map(|cell| (*cell).to_owned()).collect())
}

on_each_engine! {
    /// ROUTE-08: a table is replaced as a whole, found by its keys, and gone when it is deleted; other tenants have their own.
    async fn a_table_is_replaced_as_a_whole(db: Scratch) {
        let store = db.open().await;
        let tables = store.lookups();
        for of in [1, 2] {
            store.tenants().insert_tenant(&tenant(of)).await.unwrap();
        }
        let (us, them) = (tenant(1).id, tenant(2).id);
        let found = async |of, name: &str, key: &str| tables.look_up(of, name, key).await.unwrap();
        assert_eq!(tables.lookup_tables(us).await.unwrap(), []);
        assert_eq!(found(us, "codes", "1").await, None);

        let old = [row(1, &["a", "\"b\""]), row("ü; x", &["", "c"])];
        let before = table("codes", &["team", "city"], &old);
        tables.replace_lookup_table(us, &before, &old).await.unwrap();
        assert_eq!(tables.lookup_tables(us).await.unwrap(), [before]);
        assert_eq!(found(us, "codes", "1").await, Some(vec!["a".into(), "\"b\"".into()]));
        assert_eq!(found(us, "codes", "ü; x").await, Some(vec![String::new(), "c".into()]));
        assert_eq!(found(them, "codes", "1").await, None);

        // More than a statement and more than a transaction takes.
        let new: Vec<_> = (2..2_345).map(|n| row(n, &["new"])).collect();
        let after = table("codes", &["team"], &new);
        tables.replace_lookup_table(us, &after, &new).await.unwrap();
        assert_eq!(tables.lookup_tables(us).await.unwrap(), [after]);
        assert_eq!(found(us, "codes", "1").await, None, "nothing of the old one is left");
        for key in ["2", "1001", "1002", "2344"] {
            assert_eq!(found(us, "codes", key).await, Some(vec!["new".into()]), "{key}");
        }

        assert!(tables.delete_lookup_table(us, "codes").await.unwrap());
        assert!(!tables.delete_lookup_table(us, "codes").await.unwrap());
        assert_eq!((found(us, "codes", "2").await, tables.lookup_tables(us).await.unwrap()), (None, vec![]));
        tables.replace_lookup_table(us, &table("codes", &["team"], &new[..1]), &new[..1]).await.unwrap();
        assert_eq!(found(us, "codes", "1001").await, None, "what comes back has only its own rows");
    }
}
