//! Messages of written contacts.

use model::id::{AgentId, Id, InteractionId, TenantId};
use model::journal::Event;
use model::written::Author;
use store::{Fact, Journal, JournalConfig};

use crate::fixture::*;
use crate::on_each_engine;

fn wrote(number: u32, by: Author, text: &str) -> Fact {
    let event = Event::Written { interaction: InteractionId::from_number(1), number, by };
    Fact { event, text: Some(text.into()) }
}

on_each_engine! {
    /// A message is stored with the entry that tells of it, and only there; what a database cannot hold does not stop
    /// the journal.
    async fn messages_are_stored_with_their_entries(db: Scratch) {
        let store = db.open().await;
        let journal = Journal::open(&store, JournalConfig::at(db.spool())).await.unwrap();
        let agent = AgentId::from_number(7);
        let facts = vec![
            wrote(1, Author::Customer, "Grüße, \u{0}жизнь 🙂"),
            wrote(2, Author::Agent { agent }, "it's \"fine\"; -- really"),
            wrote(3, Author::System, "over"),
        ];
        journal.append_facts(tenant_id(), facts, at(5)).unwrap().await.unwrap();
        // Twice under one number: the first stands, and the journal goes on.
        journal.append_facts(tenant_id(), vec![wrote(3, Author::Customer, "again")], at(6)).unwrap().await.unwrap();
        let contact = InteractionId::from_number(1);
        let found = store.messages().messages(tenant_id(), contact, 0, 100).await.unwrap();
        let seen: Vec<_> = found.iter().map(|m| (m.number, m.by, m.text.as_str(), m.at)).collect();
        assert_eq!(
            seen,
            [
                (1, Author::Customer, "Grüße, жизнь 🙂", at(5)),
                (2, Author::Agent { agent }, "it's \"fine\"; -- really", at(5)),
                (3, Author::System, "over", at(5)),
            ]
        );
        let page = store.messages().messages(tenant_id(), contact, 1, 1).await.unwrap();
        assert_eq!(page.iter().map(|m| m.number).collect::<Vec<_>>(), [2]);
        assert_eq!(store.messages().messages(TenantId::from_number(2), contact, 0, 100).await.unwrap(), []);
        assert_eq!(store.messages().messages(tenant_id(), InteractionId::from_number(2), 0, 100).await.unwrap(), []);
    }
}
