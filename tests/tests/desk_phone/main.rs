//! Agents with a phone on the desk: baresip, registered, in a network of its own; the customer is SIPp over the trunk.

mod colleague;
mod office;

use std::time::Duration;

use office::{AGENT_HZ, CUSTOMER_HZ, Office, now_us, seconds};
use scenarios::tone;
use serde_json::json;

/// RTP payload types (RFC 3551 §6), and the one our offers give Opus.
const PCMU: u8 = 0;
const PCMA: u8 = 8;
const OPUS: u8 = 111;

/// CONN-04, SIP-03 (the registrar with MD5 digests and a secret of each user's own), VOICE-02, VOICE-06, REC-07, RECO-01: a
/// registered phone rings, picking it up takes the call, both hear each other in mu-law, and the phone's own hook ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_phone_rings_is_picked_up_and_hangs_up_in_mu_law() {
    let mut office = Office::open("PCMU").await;
    let talk = office.talk(None).await;
    office.phone.press("hangup");
    let over = office.over(talk, "agent").await;
    assert!(seconds(&over.heard_by_customer(), 8_000, AGENT_HZ) > 2.0, "the customer did not hear the agent");
    for packets in [over.sent_by_phone(PCMU), over.sent_to_phone(PCMU)] {
        assert!(packets.len() > 100, "{} packets of mu-law", packets.len());
    }
    over.assert_phone_heard_the_customer(&office);
    office.assert_record(&over, "agent").await;
}

/// CONN-04, VOICE-02, VOICE-06, REC-07, RECO-01: A-law at the desk and mu-law on the trunk; the customer ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_phone_in_a_law_talks_to_a_trunk_in_mu_law_until_the_customer_hangs_up() {
    let mut office = Office::open("PCMA").await;
    let talk = office.talk(Some(5_000)).await;
    office.phone.wait_for("CALL_CLOSED");
    let over = office.over(talk, "customer").await;
    assert!(seconds(&over.heard_by_customer(), 8_000, AGENT_HZ) > 2.0, "the customer did not hear the agent");
    let spoken: Vec<i16> = over.sent_by_phone(PCMA).concat().into_iter().map(tone::from_alaw).collect();
    assert!(seconds(&spoken, 8_000, AGENT_HZ) > 2.0, "the phone spoke no A-law");
    assert!(over.sent_by_phone(PCMU).is_empty(), "the phone was made to speak mu-law");
    over.assert_phone_heard_the_customer(&office);
    office.assert_record(&over, "customer").await;
}

/// CONN-04, MEDIA-01 (RTP/SAVP with SDES, bridged to RTP/AVP), VOICE-02, VOICE-06, REC-07, RECO-01: the phone speaks SRTP and
/// the trunk plain RTP; nobody on the phone's network can listen; the console ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_phone_that_insists_on_srtp_is_not_overheard_on_its_network() {
    let mut office = Office::open_with("PCMU", ";mediaenc=srtp-mand", r#"phone_srtp = "require""#).await;
    let talk = office.talk(None).await;
    office.agent.send("hang_up", json!({ "interaction": talk.interaction })).await.expect("hung up");
    let over = office.over(talk, "agent").await;
    assert!(seconds(&over.heard_by_customer(), 8_000, AGENT_HZ) > 2.0, "the customer did not hear the agent");
    for packets in [over.sent_by_phone(PCMU), over.sent_to_phone(PCMU)] {
        assert!(packets.len() > 100, "{} packets", packets.len());
        // 20 ms of mu-law and an authentication tag of at least four octets (RFC 3711 §5.2, RFC 4568 §6.2).
        assert!(packets.iter().all(|p| p.len() >= 164), "packets without a tag");
        let overheard: Vec<i16> =
            packets.iter().flat_map(|p| &p[..160]).map(|code| tone::from_mulaw(*code)).collect();
        for hz in [AGENT_HZ, CUSTOMER_HZ] {
            assert!(tone::share_at(&overheard, 8_000, hz) < 0.05, "{hz} Hz can be heard on the wire");
        }
    }
    over.assert_phone_heard_the_customer(&office);
    office.assert_record(&over, "agent").await;
}

/// CONN-04, VOICE-02, VOICE-06, REC-07, RECO-01: Opus at the desk, mu-law on the trunk, transcoded both ways.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_phone_in_opus_talks_to_a_trunk_in_mu_law() {
    let mut office = Office::open("opus").await;
    let talk = office.talk(None).await;
    office.phone.press("hangup");
    let over = office.over(talk, "agent").await;
    assert!(seconds(&over.heard_by_customer(), 8_000, AGENT_HZ) > 2.0, "the customer did not hear the agent");
    for packets in [over.sent_by_phone(OPUS), over.sent_to_phone(OPUS)] {
        assert!(packets.len() > 100, "{} packets of Opus", packets.len());
    }
    assert!(over.sent_by_phone(PCMU).is_empty() && over.sent_to_phone(PCMU).is_empty(), "mu-law at the desk");
    over.assert_phone_heard_the_customer(&office);
    office.assert_record(&over, "agent").await;
}

/// CONN-04, RECO-01: the phone's hold key sends a re-INVITE: the customer hears music, not the desk, until
/// the phone takes them back; the recording goes on through it.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_held_by_the_phones_own_key_hears_music_until_taken_back() {
    let mut office = Office::open("PCMU").await;
    let talk = office.talk(None).await;
    office.phone.press("hold");
    office.phase("held").await;
    let held = now_us();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let back = now_us();
    office.phone.press("resume");
    office.phase("talking").await;
    let talking = now_us();
    tokio::time::sleep(Duration::from_secs(3)).await;
    office.phone.press("hangup");
    let mut over = office.over(talk, "agent").await;
    over.held_s = (talking - held) as f64 / 1e6;

    // What was on its way when the key was pressed still arrives.
    let settle = 300_000;
    let music = over.heard_by_customer_between(held + settle, back);
    assert!(music.len() > 16_000, "silence of {} samples instead of music", music.len());
    let loudness = (music.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / music.len() as f64).sqrt();
    assert!(loudness > 100.0, "held in silence (rms {loudness:.0})");
    assert!(tone::windows_with(&music, 8_000, AGENT_HZ) < 0.05, "the customer hears the desk while held");
    assert!(tone::windows_with(&music, 8_000, CUSTOMER_HZ) < 0.5, "the customer hears an echo");
    for (what, samples) in [
        ("before hold", over.heard_by_customer_between(over.talk.since_us + settle, held - 2 * settle)),
        ("after hold", over.heard_by_customer_between(talking + settle, talking + 2_500_000)),
    ] {
        let share = tone::windows_with(&samples, 8_000, AGENT_HZ);
        assert!(share > 0.9, "{what} the customer heard the desk {share:.2} of {} samples", samples.len());
    }
    let record = office.assert_record(&over, "agent").await;
    assert_eq!(record["holds"], 1, "{record}");
}
