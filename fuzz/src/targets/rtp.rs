//! RTP and RTCP as octets.

use media::rtp::feedback::Meaning;
use media::rtp::rtcp::{BUILT_MAX, Packet, Report, build, parse};
use media::rtp::{HEADER_LEN, View, is_rtcp};

/// What is read lies within the packet, and reads the same when it is written anew.
pub(super) fn rtp(input: &[u8]) {
    let _ = is_rtcp(input);
    let Ok(view) = View::parse(input) else { return };
    assert!(view.payload_at >= HEADER_LEN && view.payload_at + view.payload_len <= input.len());
    let payload = &input[view.payload_at..][..view.payload_len];
    let again = [&view.header.octets()[..], payload].concat();
    let plain = View::parse(&again).expect("what we write can be read");
    assert_eq!(plain.header, view.header);
    assert_eq!((plain.payload_at, plain.payload_len), (HEADER_LEN, payload.len()));
}

/// Every report has the blocks it announces, and each of them survives being sent by us.
pub(super) fn rtcp(input: &[u8]) {
    let Ok(compound) = parse(input) else { return };
    let mut packets = 0;
    for packet in compound {
        packets += 1;
        if let Packet::Feedback(feedback) = packet {
            // About nobody, the first, and whoever the packet itself names.
            for ssrc in [0, 1, u32::MAX] {
                if let Meaning::Nack(missing) = feedback.about(ssrc) {
                    assert!(missing.count() <= input.len() / 4, "no number is told twice");
                }
            }
        }
        let Packet::Report { ssrc, sender, blocks } = packet else { continue };
        for block in blocks {
            assert!((-(1 << 23)..1 << 23).contains(&block.cumulative_lost), "24 bits with a sign");
            let mut out = [0; BUILT_MAX];
            let report = Report { ssrc, sender, block: Some(block), cname: "someone@somewhere", bye: true };
            let len = build(&mut out, &report);
            let first = parse(&out[..len]).expect("what we write can be read").next();
            let Some(Packet::Report { ssrc: told, sender: same, mut blocks }) = first else {
                panic!("a report comes first");
            };
            assert_eq!((told, same, blocks.next()), (ssrc, sender, Some(block)));
        }
    }
    assert!(packets > 0 && packets <= input.len() / 4, "a compound packet has a packet");
}
