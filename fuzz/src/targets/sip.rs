//! SIP messages and the descriptions in them.

use media::control::{Direction, LegCreated, LocalIce};
use model::service::SrtpPolicy;
use signaling::check::{Carrier, Checked, DIALECT, check};
use signaling::sdp::{Ability, KeySeed, LocalSession, Sdp, answer, apply_answer, offer};

/// What is read is written so that it reads the same, and whatever we answer, we can read ourselves.
pub(super) fn sdp(input: &[u8]) {
    let Ok(description) = Sdp::parse(input) else { return };
    let written = description.to_string();
    let again = Sdp::parse(written.as_bytes()).expect("what we write can be read");
    assert_eq!(again, description, "{written}");
    let seed = KeySeed::new([7; 32]);
    let browser = Ability::webrtc();
    let abilities = [
        Ability::sip(SrtpPolicy::Accept),
        Ability::sip(SrtpPolicy::Require),
        Ability { direction: Direction::SendOnly, ..Ability::sip(SrtpPolicy::Never) },
        browser,
    ];
    for ability in &abilities {
        if let Ok(agreed) = answer(&description, ability, &seed) {
            let ours =
                agreed.sdp(&here(), &mut LocalSession::new(4)).expect("the leg has all that was agreed on");
            let ours = ours.to_string();
            let read = Sdp::parse(ours.as_bytes()).expect("our answer can be read");
            assert_eq!(read.media.len(), description.media.len(), "{ours}");
        }
        let Ok(ours) = offer(ability, &here(), &seed, &mut LocalSession::new(4)) else { continue };
        let _ = apply_answer(&ours, &description, ability, &seed);
    }
}

fn here() -> LegCreated {
    let at = "192.0.2.1:30000".parse().expect("an address");
    let ice = LocalIce {
        ufrag: "ourufrag".into(),
        pwd: "ourpasswordthatislongenough".into(),
        fingerprint: format!("sha-256 {}", vec!["AB"; 32].join(":")),
        candidates: vec![at],
    };
    LegCreated { rtp: at, rtcp: at, ice: Some(ice) }
}

/// A message is judged without panic; its plain form is judged the same again. The first octet chooses the carrier.
pub(super) fn message(input: &[u8]) {
    let Some((first, raw)) = input.split_first() else { return };
    let carrier = if first & 1 == 0 { Carrier::Datagram } else { Carrier::Stream };
    if let Checked::Fine(plain) = check(raw, carrier, &DIALECT) {
        match check(&plain, carrier, &DIALECT) {
            Checked::Fine(again) => assert_eq!(again, plain),
            other => panic!("the plain form is judged differently: {other:?}"),
        }
    }
}
