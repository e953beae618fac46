//! Handshakes with far ends that are not ours, from the first check to packets that open.

use std::time::Duration;

use super::peer::*;
use super::{Certificate, Fingerprint, IceOutput};
use crate::control::SrtpSuite;
use crate::srtp;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn browser_at(text: &str, browser_active: bool) -> World<Browser> {
    let (certificate, now) = (Certificate::generate().unwrap(), start());
    let leg = leg(&certificate);
    let browser = Browser::new(&leg, address(text), browser_active, now);
    World::new(leg, browser, now)
}

fn phone(leg_active: bool, version: Version, mtu: usize) -> World<Phone> {
    let (certificate, now) = (Certificate::generate().unwrap(), start());
    let leg = leg(&certificate);
    let phone = Phone::with(&leg, "198.51.100.7:50000", "phon", !leg_active, version, mtu, now);
    World::new(leg, phone, now)
}

/// Words go both ways under the keys the leg told.
fn they_understand_each_other(world: &mut World<Browser>) {
    let (send, receive) = world.keys().expect("keys were told");
    let mut sender = srtp::Sender::new(send).unwrap();
    let mut receiver = srtp::Receiver::new(receive).unwrap();
    assert!(world.peer.connected, "the browser is content too: {:?}", world.loss);
    for sequence in 1..=5u16 {
        world.peer.say(sequence.into(), b"from the browser", world.now);
        world.pass(Duration::from_millis(20));
        let bytes = protect(&mut sender, &rtp(OUR_SSRC, sequence, b"from us"));
        let to = world.leg.selected().unwrap();
        world.peer.receive(&Datagram { from: here(), to, bytes }, world.now);
    }
    let from_browser = world.media.iter().filter(|datagram| {
        assert!(world.leg.is_verified(datagram.from));
        open(&mut receiver, &datagram.bytes).is_some_and(|packet| packet.ends_with(b"from the browser"))
    });
    assert_eq!(from_browser.count(), 5);
    assert_eq!(world.peer.heard, vec![b"from us".to_vec(); 5]);
}

#[test]
fn a_browser_connects_and_both_sides_understand_each_other_whoever_opens_the_handshake() {
    for browser_active in [true, false] {
        let mut world = browser_at("198.51.100.7:50000", browser_active);
        let remote = world.peer.remote.clone();
        world.set_remote(&remote, !browser_active);
        world.pass(seconds(3));
        assert_eq!(world.leg.selected(), Some(address("198.51.100.7:50000")));
        assert_eq!(
            world.keys().map(|(send, _)| send.suite),
            Some(SrtpSuite::AeadAes256Gcm),
            "GCM is preferred"
        );
        they_understand_each_other(&mut world);
    }
}

#[test]
fn checks_that_come_before_the_browsers_answer_count_when_it_comes() {
    let mut world = browser_at("198.51.100.7:50000", true);
    world.pass(seconds(1));
    assert_eq!(world.told, [], "nothing is sent before we know whose certificate to expect");
    assert_eq!(world.leg.selected(), None);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    assert_eq!(world.told, [IceOutput::Selected(address("198.51.100.7:50000"))]);
    world.pass(seconds(5));
    they_understand_each_other(&mut world);
}

#[test]
fn a_handshake_over_a_lossy_way_completes_through_retransmission() {
    for browser_active in [true, false] {
        let every = [5, 7, 11].map(Loss::Every);
        let random = (1..=12).map(|seed| Loss::Percent(10, seed));
        for loss in every.into_iter().chain(random) {
            let mut world = browser_at("198.51.100.7:50000", browser_active);
            world.loss = loss;
            let remote = world.peer.remote.clone();
            world.set_remote(&remote, !browser_active);
            world.pass(seconds(20));
            assert_eq!(world.failure(), None, "{loss:?}, browser active: {browser_active}");
            assert!(world.keys().is_some(), "{loss:?}, browser active: {browser_active}");
            world.loss = Loss::Never;
            world.pass(seconds(5));
            they_understand_each_other(&mut world);
        }
    }
}

#[test]
fn a_certificate_other_than_the_announced_one_yields_no_keys() {
    for browser_active in [true, false] {
        let mut world = browser_at("198.51.100.7:50000", browser_active);
        let stranger = Certificate::generate().unwrap();
        let announced =
            Remote { fingerprint: stranger.fingerprint().to_string(), ..world.peer.remote.clone() };
        world.set_remote(&announced, !browser_active);
        world.pass(seconds(40));
        assert!(world.failure().is_some_and(|why| why.contains("announced was")), "{:?}", world.told);
        assert!(world.keys().is_none());
        let failures = world.told.iter().filter(|told| matches!(told, IceOutput::Failed(_)));
        assert_eq!(failures.count(), 1, "said once");
    }
}

/// Keys of both ends agree for each version and role the far end may have; a packet of one opens at the other.
#[test]
fn far_ends_with_other_handshakes_get_the_same_keys() {
    for leg_active in [false, true] {
        for (version, mtu) in
            [(Version::V12, 1_200), (Version::Both, 1_200), (Version::Both, 256), (Version::V12, 256)]
        {
            let mut world = phone(leg_active, version, mtu);
            let remote = world.peer.remote.clone();
            world.set_remote(&remote, leg_active);
            world.pass(seconds(5));
            let case = format!("leg active: {leg_active}, {version:?}, datagrams of {mtu}: {:?}", world.told);
            let (send, receive) = world.keys().unwrap_or_else(|| panic!("{case}"));
            let (their_send, their_receive) = world.peer.keys(!leg_active);
            assert_eq!((send, receive), (&their_receive, &their_send), "{case}");
            assert_eq!(send.suite, SrtpSuite::AeadAes256Gcm, "{case}");
            let packet = protect(&mut srtp::Sender::new(&their_send).unwrap(), &rtp(1, 1, b"word"));
            assert_eq!(open(&mut srtp::Receiver::new(receive).unwrap(), &packet), Some(rtp(1, 1, b"word")));
        }
    }
}

#[test]
fn a_far_end_that_speaks_only_dtls_1_3_fails_in_words() {
    let mut world = phone(false, Version::V13, 1_200);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(60));
    assert!(world.failure().is_some(), "{:?}", world.told);
    assert!(world.keys().is_none());
}

#[test]
fn a_client_hello_from_an_unverified_address_changes_nothing() {
    let mut world = phone(false, Version::V12, 1_200);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    // An attacker who read the signalling knows everything but the password of the checks.
    let mut attacker = Phone::new(&world.leg, "203.0.113.66:6666", "phon", true, world.now);
    attacker.stop_checking();
    attacker.receive(&Datagram { from: here(), to: attacker.at, bytes: vec![1, 1] }, world.now);
    let hello = attacker.sent();
    assert!(!hello.is_empty());
    for datagram in hello {
        let mut out = Vec::new();
        world.leg.handle(&datagram.bytes, datagram.from, world.now, &mut out);
        assert_eq!(out, []);
    }
    world.pass(seconds(3));
    assert!(world.keys().is_some(), "the true one is served as if nothing had been");
    assert!(!world.leg.is_verified(attacker.at));
}

/// WRTC-02: the page is loaded again: other ICE credentials, another certificate, another port. The leg lives on.
#[test]
fn a_reloaded_page_attaches_to_the_same_leg_within_a_second() {
    let mut world = browser_at("198.51.100.7:50000", true);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(2));
    let before = world.keys().map(|(send, _)| send.clone()).unwrap();
    let local = world.leg.local(vec![]);

    world.peer = Browser::new(&world.leg, address("198.51.100.7:51111"), true, world.now);
    let remote = world.peer.remote.clone();
    world.told.clear();
    world.set_remote(&remote, false);
    assert!(!world.leg.is_verified(address("198.51.100.7:50000")), "the old page is gone");
    world.pass(seconds(1));
    assert_eq!(world.leg.selected(), Some(address("198.51.100.7:51111")));
    assert_ne!(world.keys().map(|(send, _)| send.clone()).unwrap(), before);
    assert_eq!(world.leg.local(vec![]), local, "nothing of ours changed");
    world.media.clear();
    they_understand_each_other(&mut world);
}

/// WRTC-02: another network, the same page: its keys go on.
#[test]
fn a_phone_that_changes_its_network_is_followed_at_its_first_nominating_check() {
    let mut world = phone(false, Version::V12, 1_200);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(10));
    let before = world.told.len();
    let now = world.now;
    world.peer.move_to("203.0.113.9:1234", now);
    world.pass(Duration::from_millis(100));
    assert_eq!(world.told[before..], [IceOutput::Selected(address("203.0.113.9:1234"))], "and no new keys");
}

#[test]
fn an_ice_restart_keeps_the_keys_and_the_old_way_until_the_new_one_is_checked() {
    let mut world = phone(false, Version::V12, 1_200);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(10));
    let (before, old) = (world.told.len(), world.peer.at);
    world.set_remote(&Remote { ufrag: "next".into(), ..remote.clone() }, false);
    assert_eq!(world.told.len(), before);
    assert!(world.leg.is_selected(old), "it still hears us there");
    let mut out = Vec::new();
    let request = check(&world.leg, "next", Check { nominates: true, ..Check::default() });
    world.leg.handle(&request, address("203.0.113.9:1234"), world.now, &mut out);
    assert!(out.contains(&IceOutput::Selected(address("203.0.113.9:1234"))));
    assert!(!world.leg.is_verified(old), "its check was of the time before");
    world.carry(out);
    world.pass(seconds(5));
    assert!(
        world.told[before..].iter().all(|told| matches!(told, IceOutput::Selected(_))),
        "{:?}",
        world.told
    );
}

#[test]
fn repeating_what_is_known_changes_nothing() {
    let mut world = phone(false, Version::V12, 1_200);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(3));
    let (told, datagrams) = (world.told.clone(), world.datagrams);
    world.set_remote(&remote, false);
    assert_eq!((world.told.clone(), world.datagrams), (told, datagrams));
    assert!(world.leg.is_verified(world.peer.at));
}

#[test]
fn lost_consent_is_said_once_after_thirty_seconds_and_returns_with_the_next_check() {
    let mut world = phone(false, Version::V12, 1_200);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(120));
    assert!(!world.told.contains(&IceOutput::ConsentLost), "checks every 2.5 s are consent");
    world.peer.stop_checking();
    world.told.clear();
    world.pass(seconds(27));
    assert_eq!(world.told, []);
    world.pass(seconds(60));
    assert_eq!(world.told, [IceOutput::ConsentLost]);
    assert_eq!(world.leg.selected(), None);
    let now = world.now;
    world.peer.check_again(now);
    world.pass(seconds(1));
    assert_eq!(world.told[1..], [IceOutput::Selected(world.peer.at)], "with the keys of before");
}

#[test]
fn a_page_that_says_goodbye_is_told_and_may_come_back_with_the_same_certificate() {
    let mut world = phone(false, Version::V12, 1_200);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(3));
    world.told.clear();
    world.peer.close();
    world.pass(seconds(1));
    assert_eq!(world.told, [IceOutput::Closed]);
    world.peer = Phone::new(&world.leg, "198.51.100.7:50001", "back", true, world.now);
    let remote = Remote { ufrag: "back".into(), ..world.peer.remote.clone() };
    world.set_remote(&remote, false);
    world.pass(seconds(2));
    assert!(world.keys().is_some(), "{:?}", world.told);
}

#[test]
fn we_say_goodbye_when_the_leg_ends() {
    let mut world = browser_at("198.51.100.7:50000", true);
    let remote = world.peer.remote.clone();
    world.set_remote(&remote, false);
    world.pass(seconds(2));
    let mut out = Vec::new();
    world.leg.close(&mut out);
    assert!(
        matches!(&out[..], [IceOutput::Send { to, .. }] if *to == address("198.51.100.7:50000")),
        "{out:?}"
    );
}

#[test]
fn a_handshake_nobody_answers_fails_in_bounded_time() {
    let mut world = phone(true, Version::V12, 1_200);
    world.peer.failed = true;
    let remote = Remote { fingerprint: Fingerprint::of(b"nobody").to_string(), ..world.peer.remote.clone() };
    // It checks, but is deaf for DTLS: its own side is dead, so ours retries alone.
    world.set_remote(&remote, true);
    let mut out = Vec::new();
    let request = check(&world.leg, "phon", Check { nominates: true, ..Check::default() });
    world.leg.handle(&request, address("203.0.113.1:1"), world.now, &mut out);
    world.peer.stop_checking();
    let mut flights = 0;
    while world.failure().is_none() {
        let Some(next) = world.leg.next_timeout() else { panic!("no timer and no failure") };
        assert!(next < world.now + seconds(60));
        let mut out = Vec::new();
        world.leg.handle_timeout(next, &mut out);
        flights += out.iter().filter(|output| matches!(output, IceOutput::Send { .. })).count();
        world.told.extend(out.into_iter().filter(|output| !matches!(output, IceOutput::Send { .. })));
    }
    assert!((4..=8).contains(&flights), "{flights} retransmissions");
}
