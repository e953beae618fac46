//! What people say to callers who are to leave them a message.

use std::time::Duration;

use model::greeting::Greeting;
use model::id::{GreetingId, Id, TenantId, UserId};

use crate::fixture::*;
use crate::on_each_engine;

fn greeting(number: u64, owner: u64) -> Greeting {
    Greeting {
        id: GreetingId::from_number(number),
        owner: UserId::from_number(owner),
        name: format!("Greeting {number}"),
        chosen: false,
        length: Duration::from_millis(2_500),
        made_at: at(number),
    }
}

on_each_engine! {
    /// VM-03: greetings are kept with their sounds; one of a person's is chosen, named and recorded again without losing either.
    async fn greetings_are_kept(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let (all, id) = (store.greetings(), GreetingId::from_number);
        for (number, owner) in [(1, 1), (2, 1), (3, 2)] {
            all.save_greeting(tenant_id(), &greeting(number, owner), &[number as u8, 0, 255]).await.unwrap();
        }
        all.choose_greeting(tenant_id(), UserId::from_number(2), Some(id(3))).await.unwrap();
        all.choose_greeting(tenant_id(), UserId::from_number(1), Some(id(1))).await.unwrap();
        all.choose_greeting(tenant_id(), UserId::from_number(1), Some(id(2))).await.unwrap();
        all.rename_greeting(tenant_id(), id(2), "On holiday").await.unwrap();
        let again = Greeting { length: Duration::from_secs(1), made_at: at(9), ..greeting(2, 1) };
        all.save_greeting(tenant_id(), &again, &[7]).await.unwrap();
        let wanted = vec![
            greeting(1, 1),
            Greeting { name: "On holiday".into(), chosen: true, ..again },
            Greeting { chosen: true, ..greeting(3, 2) },
        ];
        assert_eq!(all.greetings(tenant_id()).await.unwrap(), wanted);
        assert_eq!(all.greeting_audio(tenant_id(), id(1)).await.unwrap(), Some(vec![1, 0, 255]));
        assert_eq!(all.greeting_audio(tenant_id(), id(2)).await.unwrap(), Some(vec![7]));

        let other = TenantId::from_number(9);
        assert_eq!(all.greetings(other).await.unwrap(), []);
        assert_eq!(all.greeting_audio(other, id(1)).await.unwrap(), None);
        all.delete_greeting(other, id(1)).await.unwrap();
        all.choose_greeting(tenant_id(), UserId::from_number(1), None).await.unwrap();
        all.delete_greeting(tenant_id(), id(1)).await.unwrap();
        let left: Vec<_> = all.greetings(tenant_id()).await.unwrap().into_iter().map(|g| (g.id, g.chosen)).collect();
        assert_eq!(left, [(id(2), false), (id(3), true)]);
    }
}
