//! Junk on the media ports while two people talk.

use std::net::UdpSocket;
use std::time::Duration;

use scenarios::appliance::text;
use scenarios::place::Place;
use scenarios::{eventually_ok, tone};

use super::signalling::Noise;
use super::{ANNA_HZ, CUSTOMER_HZ, NUMBER, call, ends_well, nothing_broke, open};

/// What an intruder says: a tone of its own, so that one packet of it that gets through is heard.
const INTRUDER_HZ: f64 = 2_300.0;

/// MEDIA-12: a call goes on undisturbed while its ports, and those of the browsers, are sent RTP from strangers, broken
/// RTP and RTCP, STUN without credentials, DTLS from nowhere and plain noise. None of it is heard, all of it is counted.
#[tokio::test(flavor = "multi_thread")]
async fn junk_on_the_media_ports_disturbs_nobody_and_is_counted() {
    let (mut appliance, _, admin) = open().await;
    let mut anna = Place::take(&appliance, "anna", ANNA_HZ).await;
    let mut customer = call(&appliance, "customer", NUMBER, None);
    let interaction = anna.answer().await;
    anna.comes_to_hear(CUSTOMER_HZ, 1.0).await;

    let (legs, browsers) = appliance.media_ports();
    assert_eq!(legs.len(), 2, "RTP and RTCP of the one customer: {legs:?}");
    let before = admin.metrics().await;
    let heard_before = anna.phone.heard().len();
    let sent = tokio::task::spawn_blocking(move || harass(&[legs, vec![browsers]].concat()))
        .await
        .expect("no panic");
    anna.hears_on(1.0).await;
    let heard = &anna.phone.heard()[heard_before..];
    let good = tone::windows_with(heard, 8_000, CUSTOMER_HZ);
    // Nothing may be missing but the one window that the end cuts.
    assert!(good > 0.95, "the customer was heard {good:.2} of {} samples", heard.len());
    assert_eq!(tone::windows_with(heard, 8_000, INTRUDER_HZ), 0.0, "nobody else was");

    let more = async |name: &str, labels: &[&str]| {
        admin.metrics().await.sum_or_zero(name, labels) - before.sum_or_zero(name, labels)
    };
    // The kernel may drop a few, where the machine has no time for us: it does not tell which.
    scenarios::until("what was sent is counted", async || {
        more("patchbay_rtp_dropped_total", &[]).await
            + more("patchbay_media_io_errors_total", &["kind=\"too_large\""]).await
            >= f64::from(sent) * 0.9
    })
    .await;
    // Each kind of junk under its reason: RTP and RTCP of strangers, what is no packet, what is larger than any packet.
    for (name, label) in [
        ("patchbay_rtp_dropped_total", "reason=\"wrong_source\""),
        ("patchbay_rtp_dropped_total", "reason=\"malformed\""),
        ("patchbay_rtp_dropped_total", "reason=\"no_leg\""),
        ("patchbay_media_io_errors_total", "kind=\"too_large\""),
    ] {
        let count = more(name, &[label]).await;
        println!("{label}: {count} of {sent}");
        assert!(count > 0.0, "nothing is counted as {label}");
    }

    anna.finish(&interaction).await;
    ends_well(&mut customer);
    let record = super::record_is(&admin, |r| r["interaction"] == interaction, "normal").await;
    for side in ["customer_stats", "agent_stats"] {
        assert_eq!(record[side]["lost"], 0, "{side}: {record}");
    }
    let path = format!("/records/{}/recording.wav", text(&record["interaction"]));
    let (rate, channels) = tone::read_wav(&eventually_ok(async || admin.bytes(&path).await).await);
    for (channel, own) in channels.iter().zip([CUSTOMER_HZ, ANNA_HZ]) {
        assert!(tone::seconds_with(channel, rate, own) > 3.0, "its own party");
        assert!(tone::unbroken(channel, rate, own) > 0.95, "undisturbed");
        assert_eq!(
            tone::windows_with(channel, rate, INTRUDER_HZ),
            0.0,
            "nothing of the intruder is recorded"
        );
    }
    super::a_call_works(&appliance, &mut anna, &admin).await;
    nothing_broke(&mut appliance);
}

/// Sends everything to every port for about three seconds; returns how many datagrams.
fn harass(ports: &[u16]) -> u32 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let speech: Vec<u8> = tone::sine(INTRUDER_HZ, 8_000, 0.02).into_iter().map(tone::to_mulaw).collect();
    let (mut noise, mut sent) = (Noise(3), 0);
    for round in 0..150_u16 {
        let rtp = |first: u8, second: u8, rest: &[u8]| {
            let mut packet = vec![first, second];
            packet.extend_from_slice(&round.to_be_bytes());
            packet.extend_from_slice(&(u32::from(round) * 160).to_be_bytes());
            packet.extend_from_slice(&0xdead_beef_u32.to_be_bytes());
            packet.extend_from_slice(rest);
            packet
        };
        let mut datagrams = vec![rtp(0x80, 0, &speech)];
        let kinds = [
            vec![],
            vec![0x80],
            rtp(0x80, 0, &[])[..11].to_vec(),
            // Fifteen contributing sources, an extension longer than the packet, padding longer than the packet.
            rtp(0x8f, 0, &[]),
            rtp(0x90, 0, &[0xbe, 0xde, 0xff, 0xff]),
            rtp(0xa0, 0, &[255; 20]),
            // Versions 0, 1 and 3, and a payload type nobody negotiated.
            rtp(0x10, 0, &speech),
            rtp(0x40, 0, &speech),
            rtp(0xc0, 0, &speech),
            rtp(0x80, 77, &speech),
            rtp(0x80, 0, &noise.bytes(1_460)),
            rtp(0x80, 0, &noise.bytes(9_000)),
            rtp(0x80, 0, &noise.bytes(65_000)),
            // RTCP: a good-bye in a stranger's name, a length beyond the packet, a length of nothing.
            vec![0x81, 203, 0, 1, 0, 0, 0, 1],
            vec![0x81, 200, 0xff, 0xff, 0, 0, 0, 1],
            vec![0x9f, 201, 0, 0],
            stun(&[]),
            stun(&[0, 6, 0xff, 0xff, b'x']),
            stun(&[[0, 6, 0, 4].as_slice(), b"a:b\0", &[0, 8, 0, 20], &[0; 20]].concat()),
            // DTLS: a greeting, an alert that ends the session, a record longer than the packet.
            [[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200].as_slice(), &noise.bytes(200)].concat(),
            vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0],
            vec![22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1],
            noise.bytes(usize::from(round) * 5 + 1),
        ];
        datagrams.push(kinds[usize::from(round) % kinds.len()].clone());
        for datagram in &datagrams {
            for port in ports {
                // A port may answer that nobody is there; that is told at the next send, and means nothing here.
                if socket.send_to(datagram, ("127.0.0.1", *port)).is_ok() {
                    sent += 1;
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    sent
}

/// A binding request with these attributes, as an ICE agent without our credentials would send it.
fn stun(attributes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(attributes.len()).expect("short").to_be_bytes();
    [[0, 1].as_slice(), &length, &[0x21, 0x12, 0xa4, 0x42], &[7; 12], attributes].concat()
}
