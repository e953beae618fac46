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
            wrote(4, Author::Note { agent }, "for colleagues"),
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
                (4, Author::Note { agent }, "for colleagues", at(5)),
            ]
        );
        let page = store.messages().messages(tenant_id(), contact, 1, 1).await.unwrap();
        assert_eq!(page.iter().map(|m| m.number).collect::<Vec<_>>(), [2]);
        assert_eq!(store.messages().messages(TenantId::from_number(2), contact, 0, 100).await.unwrap(), []);
        assert_eq!(store.messages().messages(tenant_id(), InteractionId::from_number(2), 0, 100).await.unwrap(), []);
    }

    /// A draft is kept until the answer is stored, or until nothing is left of it.
    async fn a_draft_lasts_until_the_answer(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let journal = Journal::open(&store, JournalConfig::at(db.spool())).await.unwrap();
        let contact = InteractionId::from_number(1);
        let draft = async || store.messages().draft(tenant_id(), contact).await.unwrap();
        let save = async |text: &str| store.messages().save_draft(tenant_id(), contact, text, at(1)).await.unwrap();
        assert_eq!(draft().await, "");
        save("Dear").await;
        save("Dear \u{0}Mrs Lind").await;
        assert_eq!(draft().await, "Dear Mrs Lind");
        journal.append_facts(tenant_id(), vec![wrote(1, Author::Customer, "Hello?")], at(2)).unwrap().await.unwrap();
        assert_eq!(draft().await, "Dear Mrs Lind", "the customer does not end it");
        let agent = AgentId::from_number(7);
        journal.append_facts(tenant_id(), vec![wrote(2, Author::Agent { agent }, "Sent")], at(3)).unwrap().await.unwrap();
        assert_eq!(draft().await, "");
        save("more").await;
        assert_eq!(store.messages().draft(TenantId::from_number(2), contact).await.unwrap(), "");
        save("").await;
        assert_eq!(draft().await, "");
    }
}
