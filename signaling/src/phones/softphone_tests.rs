//! The rules of a softphone.

use std::net::SocketAddr;

use media::control::{LegCreated, LocalIce};
use model::id::Id;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const PAGE: &str = "AA:BB";

/// What a browser offers; `page` stands for its DTLS identity, `ufrag` for its ICE.
fn offer(page: &str, ufrag: &str) -> String {
    let fingerprint = vec![page; 16].join(":");
    format!(
        "v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:{ufrag}\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\na=rtcp-mux\r\n\
         a=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n"
    )
}

struct Desk {
    phone: Softphone,
    said: Vec<Output>,
    refuses: bool,
}

impl Desk {
    fn new() -> Self {
        let phone = Softphone::new(UserId::from_number(1), LegId::from_number(2), KeySeed::new([0; 32]), 1);
        Self { phone, said: vec![], refuses: false }
    }
    fn attach(&mut self, session: u64, sdp: &str) {
        self.does(Input::Attach { session: SessionId::from_number(session), sdp: sdp.into() }, NOW);
    }
    fn does(&mut self, input: Input, now: Timestamp) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            for output in self.phone.handle(input, now) {
                match output {
                    Output::Create if self.refuses => {
                        next = Some(Input::Created(Err(MediaError::Unavailable)))
                    }
                    Output::Create => next = Some(Input::Created(Ok(Answer::Created(leg())))),
                    Output::Configure(_) => next = Some(Input::Configured(Ok(Answer::Done))),
                    _ => {}
                }
                self.said.push(output);
            }
        }
    }
    fn media(&mut self, event: Event) {
        self.does(Input::Media(event), NOW);
    }
    /// What was said since the last look.
    fn words(&mut self) -> Vec<&'static str> {
        self.said
            .drain(..)
            .map(|o| match o {
                Output::Create => "create",
                Output::Configure(_) => "configure",
                Output::Delete => "delete",
                Output::Moved { up: true, .. } => "up",
                Output::Moved { up: false, .. } => "away",
                Output::Fact(CallFact::PhoneAnswer { .. }) => "answer",
                Output::Fact(CallFact::PhoneRefused { .. }) => "refused",
                Output::Fact(CallFact::PhoneUp { .. }) => "PhoneUp",
                Output::Fact(CallFact::PhoneDown { .. }) => "PhoneDown",
                Output::Fact(_) => "?",
            })
            .collect()
    }
}

fn leg() -> LegCreated {
    let at: SocketAddr = "192.0.2.1:40000".parse().unwrap();
    let ice = LocalIce {
        ufrag: "ours".into(),
        pwd: "abcdefghijklmnopqrstuvwx".into(),
        fingerprint: format!("sha-256 {}", vec!["11"; 32].join(":")),
        candidates: vec![at],
    };
    LegCreated { rtp: at, rtcp: at, ice: Some(ice) }
}

fn secured() -> Event {
    Event::Secured { leg: LegId::from_number(2) }
}
fn silent() -> Event {
    Event::Silent { leg: LegId::from_number(2), lasting: Duration::from_secs(5) }
}

#[test]
fn a_page_is_answered_at_once_and_the_phone_is_up_when_its_media_is() {
    let mut desk = Desk::new();
    desk.attach(1, &offer(PAGE, "first"));
    assert_eq!(desk.words(), ["create", "configure", "answer"]);
    desk.media(secured());
    assert_eq!(desk.words(), ["up", "PhoneUp"]);
    desk.media(secured());
    assert_eq!(desk.words(), Vec::<&str>::new());
}

/// WRTC-02: the same leg serves the page that was loaded anew; the desk does not see the phone go down.
#[test]
fn a_page_loaded_anew_takes_over_the_leg() {
    let mut desk = Desk::new();
    desk.attach(1, &offer(PAGE, "first"));
    desk.media(secured());
    desk.words();
    desk.attach(1, &offer("CC:DD", "second"));
    assert_eq!(desk.words(), ["away", "configure", "answer"], "no new leg");
    desk.media(silent());
    assert_eq!(desk.words(), Vec::<&str>::new(), "that was the old page");
    desk.media(secured());
    assert_eq!(desk.words(), ["up", "PhoneUp"]);
}

#[test]
fn the_same_page_on_another_network_keeps_its_media() {
    let mut desk = Desk::new();
    desk.attach(1, &offer(PAGE, "first"));
    desk.media(secured());
    desk.words();
    desk.attach(1, &offer(PAGE, "restarted"));
    assert_eq!(desk.words(), ["configure", "answer", "PhoneUp"]);
}

#[test]
fn a_page_that_falls_silent_is_down_until_it_is_heard_again() {
    let mut desk = Desk::new();
    desk.attach(1, &offer(PAGE, "first"));
    desk.media(Event::Started { leg: LegId::from_number(2) });
    desk.words();
    desk.media(secured());
    desk.media(silent());
    assert_eq!(desk.words(), ["up", "PhoneUp", "away", "PhoneDown"]);
    desk.media(Event::Started { leg: LegId::from_number(2) });
    assert_eq!(desk.words(), ["up", "PhoneUp"]);
}

#[test]
fn a_page_whose_media_never_comes_up_is_told_of() {
    let mut desk = Desk::new();
    desk.attach(1, &offer(PAGE, "first"));
    desk.words();
    assert_eq!(desk.phone.next_deadline(), NOW + SETUP_MAX);
    desk.does(Input::Tick, NOW + SETUP_MAX);
    assert_eq!(desk.words(), ["PhoneDown"]);
    assert_eq!(desk.phone.next_deadline(), Timestamp::NEVER);
}

#[test]
fn an_offer_without_encryption_and_a_full_plane_are_refused_and_the_next_page_may_try() {
    let mut desk = Desk::new();
    desk.attach(
        1,
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n",
    );
    assert_eq!(desk.words(), ["refused"]);
    desk.refuses = true;
    desk.attach(1, &offer(PAGE, "first"));
    assert_eq!(desk.words(), ["create", "refused"]);
    desk.refuses = false;
    desk.attach(1, &offer(PAGE, "first"));
    assert_eq!(desk.words(), ["create", "configure", "answer"]);
    desk.attach(2, "nonsense");
    assert_eq!(desk.words(), ["refused"], "what there is stays");
    desk.media(secured());
    assert_eq!(desk.words(), ["up", "PhoneUp"]);
}

#[test]
fn signing_out_takes_the_phone_down() {
    let mut desk = Desk::new();
    desk.attach(1, &offer(PAGE, "first"));
    desk.media(secured());
    desk.words();
    desk.does(Input::Detach, NOW);
    assert_eq!(desk.words(), ["away", "PhoneDown", "delete"]);
    assert!(desk.phone.is_gone());
}
