//! The lite agent's rules, check by check.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::agent::CONSENT_EXPIRY;
use super::peer::*;
use super::stun::{Answer, BINDING_REQUEST, Message, USERNAME};
use super::{BadRemote, BrowserTransport, Certificate, Credentials, Fingerprint, IceOutput};

const SUCCESS: u16 = 0x0101;
const REFUSAL: u16 = 0x0111;

/// A leg that knows its browser, whose user fragment is `them`.
struct Leg {
    transport: BrowserTransport,
    now: Instant,
}

impl Leg {
    fn new() -> Self {
        let (certificate, now) = (Certificate::generate().unwrap(), start());
        let mut transport = leg(&certificate);
        let fingerprint = Fingerprint::of(b"some certificate").to_string();
        let mut out = Vec::new();
        transport.set_remote("them", &"p".repeat(22), &fingerprint, false, now, &mut out).unwrap();
        assert_eq!(out, []);
        Self { transport, now }
    }

    fn pass(&mut self, time: Duration) -> Vec<IceOutput> {
        self.now += time;
        let mut out = Vec::new();
        self.transport.handle_timeout(self.now, &mut out);
        out
    }

    fn receives(&mut self, datagram: &[u8], from: SocketAddr) -> Vec<IceOutput> {
        let mut out = Vec::new();
        self.transport.handle(datagram, from, self.now, &mut out);
        out
    }

    /// Is checked; gives where media goes from then on.
    fn checked(&mut self, from: &str, nominates: bool, priority: u32) -> Option<SocketAddr> {
        let request = check(&self.transport, "them", Check { nominates, priority, controlled: false });
        let out = self.receives(&request, address(from));
        assert_eq!(answer(&out, address(from)), (SUCCESS, None));
        self.transport.selected()
    }
}

/// Type of the one answer, which goes to `to`, and its error code.
fn answer(out: &[IceOutput], to: SocketAddr) -> (u16, Option<u16>) {
    let sent = out.iter().find_map(|output| match output {
        IceOutput::Send { to: at, bytes } => Some((*at, bytes)),
        _ => None,
    });
    let (at, bytes) = sent.expect("an answer");
    assert_eq!(at, to);
    assert!(Message::read(bytes).unwrap().fingerprint_ok());
    let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
    // ERROR-CODE is the first attribute of a refusal.
    let code = (kind == REFUSAL).then(|| u16::from(bytes[26]) * 100 + u16::from(bytes[27]));
    (kind, code)
}

const A: &str = "198.51.100.7:50000";
const B: &str = "203.0.113.9:50001";

#[test]
fn a_check_is_answered_with_where_it_came_from_and_verifies_the_address() {
    let mut leg = Leg::new();
    assert!(!leg.transport.is_verified(address(A)));
    let request = check(&leg.transport, "them", Check::default());
    let out = leg.receives(&request, address(A));
    let expected = Message::read(&request).unwrap().success(address(A), &leg.transport.local(vec![]).pwd);
    assert_eq!(out, [IceOutput::Send { to: address(A), bytes: expected }, IceOutput::Selected(address(A))]);
    assert!(leg.transport.is_verified(address(A)) && leg.transport.is_selected(address(A)));
    assert!(!leg.transport.is_verified(address(B)));
}

#[test]
fn wrong_integrity_is_refused_and_verifies_nothing() {
    let mut leg = Leg::new();
    let ours = leg.transport.local(vec![]);
    let request = |username: &str, password: Option<&str>| {
        let mut request = Answer::new(BINDING_REQUEST, b"transaction!");
        if !username.is_empty() {
            request.attribute(USERNAME, username.as_bytes());
        }
        if let Some(password) = password {
            request.integrity(password);
        }
        request.finish()
    };
    let right = format!("{}:them", ours.ufrag);
    let cases = [
        (request(&right, Some("wrong password of 22 c")), 401),
        (request("other:them", Some(&ours.pwd)), 401),
        (request(&format!("{}:stranger", ours.ufrag), Some(&ours.pwd)), 401),
        (request(&ours.ufrag, Some(&ours.pwd)), 401),
        (request(&right, None), 400),
        (request("", Some(&ours.pwd)), 400),
    ];
    for (datagram, code) in cases {
        let out = leg.receives(&datagram, address(A));
        assert_eq!(answer(&out, address(A)), (REFUSAL, Some(code)));
        assert_eq!(out.len(), 1);
        assert!(!leg.transport.is_verified(address(A)));
        let IceOutput::Send { bytes, .. } = &out[0] else { panic!() };
        assert!(
            bytes.len() <= datagram.len() + 12,
            "no use as an amplifier: {} for {}",
            bytes.len(),
            datagram.len()
        );
    }
}

#[test]
fn a_damaged_checksum_gets_no_answer() {
    let mut leg = Leg::new();
    let mut request = check(&leg.transport, "them", Check::default());
    *request.last_mut().unwrap() ^= 1;
    assert_eq!(leg.receives(&request, address(A)), []);
}

#[test]
fn who_thinks_to_be_controlled_is_told_of_the_conflict() {
    let mut leg = Leg::new();
    let request = check(&leg.transport, "them", Check { controlled: true, ..Check::default() });
    let out = leg.receives(&request, address(A));
    assert_eq!(answer(&out, address(A)), (REFUSAL, Some(487)));
    let IceOutput::Send { bytes, .. } = &out[0] else { panic!() };
    assert!(
        Message::read(bytes).unwrap().integrity_ok(&leg.transport.local(vec![]).pwd),
        "it must be believed"
    );
    assert!(!leg.transport.is_verified(address(A)));
}

#[test]
fn an_attribute_that_must_be_understood_and_is_not_is_named() {
    let mut leg = Leg::new();
    let ours = leg.transport.local(vec![]);
    let mut request = Answer::new(BINDING_REQUEST, b"transaction!");
    request.attribute(USERNAME, format!("{}:them", ours.ufrag).as_bytes());
    request.attribute(0x7abc, &[1, 2, 3]);
    request.attribute(0xc057, &[0, 0, 0, 1]);
    request.integrity(&ours.pwd);
    let out = leg.receives(&request.finish(), address(A));
    assert_eq!(answer(&out, address(A)), (REFUSAL, Some(420)));
    let IceOutput::Send { bytes, .. } = &out[0] else { panic!() };
    assert!(bytes.windows(6).any(|octets| octets == [0, 0x0a, 0, 2, 0x7a, 0xbc]), "only the mandatory one");
}

#[test]
fn answers_and_indications_get_no_answer() {
    let mut leg = Leg::new();
    for kind in [0x0011, SUCCESS, REFUSAL, 0x0003] {
        let mut message = Answer::new(kind, b"transaction!");
        message.integrity(&leg.transport.local(vec![]).pwd);
        assert_eq!(leg.receives(&message.finish(), address(A)), [], "{kind:04x}");
    }
}

#[test]
fn the_address_nominated_last_is_the_one() {
    let mut leg = Leg::new();
    assert_eq!(leg.checked(A, false, 1), Some(address(A)), "better than none");
    assert_eq!(leg.checked(B, false, 9), Some(address(A)), "not nominated");
    assert_eq!(leg.checked(B, true, 9), Some(address(B)));
    assert_eq!(leg.checked(A, false, 1), Some(address(B)));
    leg.pass(Duration::from_secs(10));
    assert_eq!(leg.checked(B, true, 9), Some(address(B)));
    assert_eq!(leg.checked(A, true, 1), Some(address(A)), "a move, whatever its priority");
    assert_eq!(leg.checked(B, false, 9), Some(address(A)));
    assert_eq!(leg.checked(B, true, 9), Some(address(B)), "and back");
}

#[test]
fn a_browser_that_nominates_all_its_addresses_means_the_best_and_we_do_not_flutter() {
    let mut leg = Leg::new();
    assert_eq!(leg.checked(B, true, 9), Some(address(B)));
    assert_eq!(leg.checked(A, true, 1), Some(address(B)));
    for _ in 0..20 {
        leg.pass(Duration::from_secs(2));
        assert_eq!(leg.checked(A, true, 1), Some(address(B)));
        assert_eq!(leg.checked(B, true, 9), Some(address(B)));
    }
    leg.pass(Duration::from_secs(7));
    assert_eq!(leg.checked(A, true, 1), Some(address(A)), "the other's checks stopped");
}

#[test]
fn when_the_selected_address_falls_silent_another_verified_one_takes_over() {
    let mut leg = Leg::new();
    leg.checked(A, true, 1);
    leg.pass(Duration::from_secs(20));
    leg.checked(B, false, 9);
    assert_eq!(leg.pass(Duration::from_secs(9)), []);
    assert_eq!(leg.pass(Duration::from_secs(1)), [IceOutput::Selected(address(B))]);
    assert!(!leg.transport.is_verified(address(A)));
    let due = leg.transport.next_timeout().unwrap();
    assert_eq!(due, leg.now - Duration::from_secs(10) + CONSENT_EXPIRY);
    assert_eq!(leg.pass(Duration::from_secs(20)), [IceOutput::ConsentLost]);
    assert_eq!(leg.pass(Duration::from_secs(100)), [], "said once");
}

#[test]
fn the_addresses_of_a_leg_are_bounded_and_the_selected_one_is_kept() {
    let mut leg = Leg::new();
    leg.checked(A, true, 1);
    for port in 1..500u16 {
        leg.pass(Duration::from_millis(1));
        leg.checked(&format!("203.0.113.1:{port}"), false, 1);
    }
    assert!(leg.transport.is_selected(address(A)));
    let kept =
        (1..500u16).filter(|port| leg.transport.is_verified(address(&format!("203.0.113.1:{port}")))).count();
    assert_eq!(kept, 7);
}

#[test]
fn parameters_that_are_none_are_refused_and_leave_the_leg_as_it_was() {
    let mut leg = Leg::new();
    leg.checked(A, true, 1);
    let good = Fingerprint::of(b"another certificate").to_string();
    let pwd = "p".repeat(22);
    let mut set = |ufrag: &str, pwd: &str, fingerprint: &str| {
        let mut out = Vec::new();
        let result = leg.transport.set_remote(ufrag, pwd, fingerprint, false, leg.now, &mut out);
        assert_eq!(out, []);
        result
    };
    assert_eq!(set("abc", &pwd, &good), Err(BadRemote::Credentials));
    assert_eq!(set("ab:d", &pwd, &good), Err(BadRemote::Credentials));
    assert_eq!(set(&"a".repeat(257), &pwd, &good), Err(BadRemote::Credentials));
    assert_eq!(set("next", "short", &good), Err(BadRemote::Credentials));
    assert_eq!(set("next", &pwd, "sha-1 00:11"), Err(BadRemote::Fingerprint));
    assert!(leg.transport.is_selected(address(A)));
    assert_eq!(leg.checked(A, true, 1), Some(address(A)));
}

#[test]
fn credentials_have_the_length_and_the_characters_of_the_rfc() {
    let one = Credentials::from_random(&std::array::from_fn(|at| at as u8 * 7));
    assert_eq!((one.ufrag.len(), one.pwd.len()), (8, 24));
    assert!(
        one.ufrag.chars().chain(one.pwd.chars()).all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/')
    );
    assert_ne!(one, Credentials::from_random(&[1; 32]));
    assert!(!format!("{one:?}").contains(&one.pwd), "a log does not see it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Neither junk nor half-right datagrams bring a leg down, and only its own address may be told anything.
    #[test]
    fn no_datagrams_bring_a_leg_down(
        datagrams in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), 0..4u8), 0..20),
        verified in any::<bool>(),
    ) {
        let mut leg = Leg::new();
        if verified {
            leg.checked(A, true, 1);
        }
        for (mut datagram, kind) in datagrams {
            // DTLS records, so that some get past the first look: handshake, 1.2, epoch 0.
            let head: &[u8] = match kind {
                0 => &[],
                1 => &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0],
                2 => &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 48, 254, 253],
                _ => &[21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
            };
            datagram.splice(0..0, head.iter().copied());
            for output in leg.receives(&datagram, address(A)) {
                let told = matches!(output, IceOutput::Keys { .. } | IceOutput::Selected(_));
                prop_assert!(!told, "junk is neither a check nor a handshake");
            }
            leg.pass(Duration::from_millis(100));
        }
    }
}
