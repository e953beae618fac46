//! Messages that callers left.

use std::collections::BTreeMap;
use std::time::Duration;

use model::diversion::{Diversion, MessageBox};
use model::id::{Id, InteractionId, RecordingId, ServiceId, TenantId, UserId};
use store::recordings::{Recording, RecordingState};
use store::voicemails::{NewVoicemail, VoicemailFilter};

use crate::fixture::*;
use crate::on_each_engine;

fn new(number: u64, service: u64) -> NewVoicemail {
    NewVoicemail {
        recording: RecordingId::from_number(number),
        tenant: tenant_id(),
        interaction: InteractionId::from_number(number),
        to: MessageBox::Service { service: ServiceId::from_number(service) },
        caller: "+4930".into(),
        caller_name: Some("Erika".into()),
        left_at: at(number),
    }
}

fn recording(number: u64, state: RecordingState) -> Recording {
    Recording {
        id: RecordingId::from_number(number),
        tenant: tenant_id(),
        interaction: InteractionId::from_number(number),
        state,
        files: vec![],
        length: Duration::from_millis(1_500 * number),
        complete: true,
        peaks: None,
        bytes: 1,
        created_at: at(number),
    }
}

on_each_engine! {
    /// ROUTE-07: messages are listed when they are over, for the services that somebody may hear; who heard one first stays; those
    /// that were too short are in no list, and go with the old ones. VM-12.
    async fn messages_are_listed_marked_and_go(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let (all, recordings) = (store.voicemails(), store.recordings());
        use RecordingState::{Capturing, Failed, Finishing, Ready};
        for (number, service, state) in
            [(1, 7, Ready), (2, 8, Ready), (3, 7, Finishing), (4, 7, Capturing), (5, 7, Failed), (6, 7, Ready)]
        {
            all.begin_voicemail(&new(number, service)).await.unwrap();
            recordings.save_recording(&recording(number, state)).await.unwrap();
        }
        all.begin_voicemail(&NewVoicemail { caller: "other".into(), ..new(1, 9) }).await.unwrap();
        all.drop_voicemail(tenant_id(), RecordingId::from_number(6)).await.unwrap();
        let numbers = async |services: Option<&[u64]>, unheard| {
            let services = services.map(|ids| ids.iter().map(|id| ServiceId::from_number(*id)).collect());
            let filter = VoicemailFilter { services, owner: None, unheard };
            let page = all.voicemails(tenant_id(), &filter, None, 50).await.unwrap();
            let count = all.count_voicemails(tenant_id(), &filter).await.unwrap();
            assert_eq!(count, page.items.len() as u64);
            let id = |number| RecordingId::from_number(number);
            (1..=6).rev().filter(|n| page.items.iter().any(|row| row.left.recording == id(*n))).collect::<Vec<u64>>()
        };
        assert_eq!(numbers(None, false).await, [5, 3, 2, 1], "one that is being spoken is not there, nor one that was too short");
        assert_eq!(numbers(Some(&[8, 9]), false).await, [2]);
        assert_eq!(numbers(Some(&[]), false).await, Vec::<u64>::new());
        let first = all.voicemail(tenant_id(), RecordingId::from_number(1)).await.unwrap().unwrap();
        assert_eq!((first.left, first.state, first.length), (new(1, 7), Ready, Duration::from_millis(1_500)));
        assert_eq!(all.voicemail(tenant_id(), RecordingId::from_number(6)).await.unwrap(), None);
        assert_eq!(all.voicemail(TenantId::from_number(2), RecordingId::from_number(1)).await.unwrap(), None);

        // A page at a time, newest first.
        let whole = VoicemailFilter::default();
        let page = all.voicemails(tenant_id(), &whole, None, 3).await.unwrap();
        assert_eq!(page.items.iter().map(|row| row.left.left_at).collect::<Vec<_>>(), [at(5), at(3), at(2)]);
        let rest = all.voicemails(tenant_id(), &whole, page.next.as_ref(), 3).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));

        let (id, anna, ben) = (RecordingId::from_number(1), UserId::from_number(1), UserId::from_number(2));
        let heard = async || all.voicemail(tenant_id(), id).await.unwrap().unwrap().heard;
        assert!(all.mark_voicemail(tenant_id(), id, Some((anna, at(90)))).await.unwrap());
        assert!(all.mark_voicemail(tenant_id(), id, Some((ben, at(91)))).await.unwrap());
        assert_eq!(heard().await, Some((anna, at(90))));
        assert_eq!(numbers(None, true).await, [5, 3, 2]);
        assert!(all.mark_voicemail(tenant_id(), id, None).await.unwrap());
        assert_eq!(heard().await, None);
        assert!(!all.mark_voicemail(tenant_id(), RecordingId::from_number(99), None).await.unwrap());

        let old = async |before| {
            let rows = all.voicemails_before(tenant_id(), Some(ServiceId::from_number(7)), at(before)).await.unwrap();
            rows.into_iter().map(|row| row.created_at).collect::<Vec<_>>()
        };
        assert_eq!(old(1).await, [at(6)], "too short");
        assert_eq!(old(6).await, [at(1), at(5), at(6)], "and what is not finished stays");
        all.delete_voicemail(tenant_id(), id).await.unwrap();
        assert_eq!(all.voicemail(tenant_id(), id).await.unwrap(), None);
    }

    /// VM-11: what is left for somebody is listed for nobody else, whatever services they may hear. VM-12: and goes by a time of its own.
    async fn messages_for_one_person_are_in_no_other_list(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let all = store.voicemails();
        let (anna, ben) = (UserId::from_number(1), UserId::from_number(2));
        let own = |number, owner| NewVoicemail { to: MessageBox::Own { owner }, ..new(number, 7) };
        for (number, message) in [(1, new(1, 7)), (2, own(2, anna)), (3, own(3, ben))] {
            all.begin_voicemail(&message).await.unwrap();
            store.recordings().save_recording(&recording(number, RecordingState::Ready)).await.unwrap();
        }
        let listed = async |services, owner| {
            let filter = VoicemailFilter { services, owner, unheard: true };
            let page = all.voicemails(tenant_id(), &filter, None, 50).await.unwrap();
            page.items.into_iter().map(|row| row.left).collect::<Vec<_>>()
        };
        assert_eq!(listed(None, None).await, [new(1, 7)], "whoever hears all hears those of services");
        assert_eq!(listed(None, Some(anna)).await, [own(2, anna), new(1, 7)]);
        assert_eq!(listed(Some(vec![]), Some(ben)).await, [own(3, ben)]);
        let old = all.voicemails_before(tenant_id(), None, at(3)).await.unwrap();
        assert_eq!(old.into_iter().map(|row| row.id).collect::<Vec<_>>(), [RecordingId::from_number(2)]);
    }

    /// VM-02, VM-13: what somebody set is kept, and the last of it counts.
    async fn diversions_are_kept(db: Scratch) {
        let store = db.open().await;
        store.tenants().insert_tenant(&tenant(1)).await.unwrap();
        let (anna, diversions) = (UserId::from_number(1), store.diversions());
        let mut set = Diversion::default();
        for number in ["+4930", "+4931"] {
            set.forwarding.number = number.into();
            diversions.save_diversion(tenant_id(), anna, &set).await.unwrap();
        }
        assert_eq!(diversions.diversions(tenant_id()).await.unwrap(), BTreeMap::from([(anna, set)]));
        assert_eq!(diversions.diversions(TenantId::from_number(2)).await.unwrap(), BTreeMap::new());
    }
}
