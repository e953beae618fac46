use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + seconds * 1_000)
}

fn contact(uri: &str, expires: Option<u32>) -> Contact {
    Contact { uri: uri.into(), expires, q: 1_000 }
}

/// A REGISTER of Bob's desk phone, which sits behind NAT.
fn bob(cseq: u32, contacts: Vec<Contact>) -> Register {
    Register {
        user: "bob".into(),
        call_id: "desk".into(),
        cseq,
        contacts: Contacts::Named(contacts),
        expires: None,
        received: "198.51.100.7:31000".parse().unwrap(),
        transport: "udp",
        path: vec![],
    }
}

const DESK: &str = "sip:bob@10.0.0.5:5060";
const MOBILE: &str = "sip:bob@10.0.0.6:5060;transport=tcp";

/// Contacts come, are refreshed, are taken back, and the rest of the user's phones stay.
#[test]
fn a_user_has_several_phones_and_each_takes_back_only_its_own() {
    let mut registrar = Registrar::default();
    let first = registrar.register(bob(1, vec![contact(DESK, None)]), at(0)).unwrap();
    assert!(matches!(first.changes.as_slice(), [Change::Added(b)] if b.expires_at == at(3_600)));
    let mut mobile = bob(1, vec![contact(MOBILE, Some(120))]);
    mobile.call_id = "mobile".into();
    assert_eq!(registrar.register(mobile, at(1)).unwrap().bindings.len(), 2);
    let again = registrar.register(bob(2, vec![contact("SIP:bob@10.0.0.5:5060;ob", None)]), at(10)).unwrap();
    assert!(matches!(again.changes.as_slice(), [Change::Refreshed(b)] if b.since == at(0)));
    let gone = registrar.register(bob(3, vec![contact(DESK, Some(0))]), at(20)).unwrap();
    assert!(matches!(gone.changes.as_slice(), [Change::Removed(_)]));
    assert_eq!(registrar.contacts("bob", at(20)).len(), 1);
    assert_eq!(registrar.contacts("bob", at(20))[0].uri, MOBILE);
}

#[test]
fn expiry_is_a_minute_to_an_hour_and_a_shorter_wish_is_told_so() {
    let mut registrar = Registrar::default();
    for (wish, granted) in [(60, 60), (1_800, 1_800), (7_200, 3_600), (u32::MAX, 3_600)] {
        let done = registrar.register(bob(wish, vec![contact(DESK, Some(wish))]), at(0));
        let granted_s = done.map(|d| d.bindings[0].expires_in(at(0)).as_secs());
        // The last two come with CSeq above the ones before.
        assert_eq!(granted_s, Ok(granted), "{wish}");
    }
    let brief = registrar
        .register(Register { call_id: "new".into(), ..bob(9, vec![contact(DESK, Some(59))]) }, at(0));
    assert_eq!(brief.as_ref().map_err(RegisterError::status), Err(423));
    let header = Register { expires: Some(90), call_id: "h".into(), ..bob(1, vec![contact(DESK, None)]) };
    assert_eq!(registrar.register(header, at(0)).unwrap().bindings[0].expires_at, at(90));
}

/// RFC 3261 §10.3 step 7: with the same Call-ID only a higher CSeq counts; another Call-ID is another life of the phone.
#[test]
fn an_overtaken_register_changes_nothing() {
    let mut registrar = Registrar::default();
    registrar.register(bob(5, vec![contact(DESK, None)]), at(0)).unwrap();
    for late in [4, 5] {
        let both = bob(late, vec![contact(MOBILE, None), contact(DESK, Some(0))]);
        assert_eq!(registrar.register(both, at(1)), Err(RegisterError::OutOfOrder));
        assert_eq!(registrar.contacts("bob", at(1)).len(), 1, "not even the part that could have been done");
    }
    let reboot = Register { call_id: "after reboot".into(), ..bob(1, vec![contact(DESK, None)]) };
    assert!(registrar.register(reboot, at(2)).is_ok());
}

#[test]
fn a_star_clears_all_contacts_but_only_with_expires_zero_and_in_order() {
    let mut registrar = Registrar::default();
    registrar.register(bob(5, vec![contact(DESK, None), contact(MOBILE, None)]), at(0)).unwrap();
    let star = |cseq, expires| Register { contacts: Contacts::All, expires, ..bob(cseq, vec![]) };
    for expires in [None, Some(60)] {
        let done = registrar.register(star(6, expires), at(1));
        assert_eq!(done, Err(RegisterError::StarNeedsExpiresZero));
    }
    assert_eq!(registrar.register(star(5, Some(0)), at(1)), Err(RegisterError::OutOfOrder));
    let cleared = registrar.register(star(6, Some(0)), at(1)).unwrap();
    assert_eq!((cleared.bindings.len(), cleared.changes.len()), (0, 2));
    assert_eq!((registrar.users(), registrar.next_deadline()), (0, None));
}

#[test]
fn a_register_without_contacts_only_asks() {
    let mut registrar = Registrar::default();
    registrar.register(bob(1, vec![contact(DESK, None)]), at(0)).unwrap();
    let asked = registrar.register(bob(1, vec![]), at(30)).unwrap();
    assert_eq!(asked.changes, []);
    assert_eq!(asked.bindings[0].contact_header(at(30)), format!("<{DESK}>;expires=3570"));
}

#[test]
fn what_runs_out_goes_at_its_deadline_and_is_said_once() {
    let mut registrar = Registrar::default();
    registrar.register(bob(1, vec![contact(DESK, Some(100)), contact(MOBILE, Some(60))]), at(0)).unwrap();
    assert_eq!(registrar.next_deadline(), Some(at(60)));
    assert_eq!(registrar.tick(at(59)), []);
    assert_eq!(registrar.contacts("bob", at(60)).len(), 1, "gone at its second, ticked or not");
    assert!(matches!(registrar.tick(at(60)).as_slice(), [Change::Expired(b)] if b.uri == MOBILE));
    assert_eq!(registrar.next_deadline(), Some(at(100)));
    // A register that comes after the deadline and before the tick tells of it; one that fails leaves that to the tick.
    assert!(registrar.register(bob(2, vec![contact(MOBILE, Some(1))]), at(101)).is_err());
    let asked = registrar.register(bob(2, vec![]), at(101)).unwrap();
    assert!(matches!(asked.changes.as_slice(), [Change::Expired(b)] if b.uri == DESK));
    assert_eq!((registrar.tick(at(500)), registrar.users()), (vec![], 0));
}

#[test]
fn the_eleventh_contact_and_the_user_beyond_the_limit_are_refused() {
    let mut registrar = Registrar::new(1);
    let phones = |n: usize| (0..n).map(|n| contact(&format!("sip:bob@10.0.0.{n}"), None)).collect::<Vec<_>>();
    assert_eq!(registrar.register(bob(1, phones(11)), at(0)), Err(RegisterError::TooManyContacts));
    assert_eq!(registrar.register(bob(1, phones(10)), at(0)).unwrap().bindings.len(), 10);
    let ann = Register { user: "ann".into(), ..bob(1, phones(1)) };
    assert_eq!(registrar.register(ann, at(0)), Err(RegisterError::Full));
    let long = format!("sip:{}@x", "b".repeat(TEXT_MAX));
    assert_eq!(
        registrar.register(bob(2, vec![contact(&long, None)]), at(0)),
        Err(RegisterError::TooLong("Contact"))
    );
}

#[test]
fn a_phone_behind_nat_is_reached_where_its_register_came_from() {
    let mut registrar = Registrar::default();
    registrar.register(bob(1, vec![contact(DESK, None)]), at(0)).unwrap();
    assert_eq!(registrar.contacts("bob", at(0))[0].nat_target(), Some("198.51.100.7:31000".parse().unwrap()));
    let public = bob(2, vec![contact("sip:bob@198.51.100.7:31000", None)]);
    let open = registrar.register(public, at(0)).unwrap();
    assert_eq!(open.bindings.iter().find(|b| b.uri != DESK).unwrap().nat_target(), None);
    let through =
        Register { path: vec!["<sip:edge.example;lr>".into()], ..bob(3, vec![contact(DESK, None)]) };
    let bindings = registrar.register(through, at(0)).unwrap().bindings;
    let desk = bindings.iter().find(|b| b.uri == DESK).unwrap();
    assert_eq!((desk.nat_target(), desk.path.len()), (None, 1));
}

#[test]
fn preferred_contacts_come_first_then_the_newest() {
    let mut registrar = Registrar::default();
    let q = |uri: &str, q| Contact { q, ..contact(uri, None) };
    registrar.register(bob(1, vec![q("sip:a@10.0.0.1", 500), q("sip:b@10.0.0.2", 1_000)]), at(0)).unwrap();
    registrar.register(bob(2, vec![q("sip:c@10.0.0.3", 1_000)]), at(9)).unwrap();
    let order: Vec<_> = registrar.contacts("bob", at(9)).iter().map(|b| b.uri.as_str()).collect();
    assert_eq!(order, ["sip:c@10.0.0.3", "sip:b@10.0.0.2", "sip:a@10.0.0.1"]);
    let half = &registrar.contacts("bob", at(9))[2].contact_header(at(9));
    assert_eq!(half, "<sip:a@10.0.0.1>;q=0.500;expires=3591");
}

#[test]
fn after_a_restart_the_stored_contacts_are_there_again() {
    let mut registrar = Registrar::default();
    let done =
        registrar.register(bob(7, vec![contact(DESK, Some(60)), contact(MOBILE, None)]), at(0)).unwrap();
    let mut restarted = Registrar::default();
    restarted.restore(done.bindings.clone(), at(100));
    assert_eq!(restarted.contacts("bob", at(100)).len(), 1, "the desk phone ran out meanwhile");
    assert_eq!(restarted.next_deadline(), Some(at(3_600)));
    let late = restarted.register(bob(7, vec![contact(MOBILE, Some(0))]), at(101));
    assert_eq!(late, Err(RegisterError::OutOfOrder), "the order of requests is remembered too");
}

#[test]
fn contacts_are_the_same_by_what_says_where_to_go() {
    assert_eq!(contact_key("sip:bob@Host.Example;ob"), contact_key("SIP:bob@host.example"));
    for (a, b) in [
        ("sip:bob@h", "sip:Bob@h"),
        ("sip:bob@h", "sips:bob@h"),
        ("sip:bob@h", "sip:bob@h:5060"),
        ("sip:bob@h", "sip:bob@h;transport=tcp"),
        ("sip:[::1]:5060", "sip:[::1]:5061"),
    ] {
        assert_ne!(contact_key(a), contact_key(b));
    }
}
