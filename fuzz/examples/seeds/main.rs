//! Makes the corpora of packets, with the project's own senders: `cargo run -p fuzz --example seeds`. Texts (SIP, SDP, NG) are
//! not made here: SIP and SDP were taken from what baresip, SIPp and Chromium send, NG's requests are written in the proxies' manner.

mod audio;
mod secure;

use fuzz::peer::{NOMINATES, THEIRS, check_of};
use fuzz::piece;
use media::dtmf::Event;
use media::rtp::rtcp::{BUILT_MAX, Report, ReportBlock, SenderInfo, build};
use media::rtp::{Header, RtpTimestamp, SeqNo};

fn main() -> std::io::Result<()> {
    rtp()?;
    rtcp()?;
    legs()?;
    checks()?;
    events()?;
    secure::all()?;
    audio::all()
}

/// Writes an input into a target's corpus.
fn keep(target: &str, name: &str, octets: &[u8]) -> std::io::Result<()> {
    let folder = fuzz::folder(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), octets)
}

fn packet(payload_type: u8, number: u16, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        marker: number == 0,
        payload_type,
        seq: SeqNo(65_530u16.wrapping_add(number)),
        timestamp: RtpTimestamp(4_294_967_000u32.wrapping_add(160 * u32::from(number))),
        ssrc: 0xABCD_0001,
    };
    [&header.octets()[..], payload].concat()
}

fn speech(number: u16) -> Vec<u8> {
    (0..160u16).map(|at| 0xD5 ^ ((at + number) % 64) as u8).collect()
}

fn report(block: bool, sender: bool) -> Vec<u8> {
    let mut out = [0; BUILT_MAX];
    let info =
        SenderInfo { ntp: 0xE000_0000_8000_0000, rtp_timestamp: 4_294_967_000, packets: 50, octets: 8_000 };
    let about = ReportBlock {
        ssrc: 9,
        fraction_lost: 12,
        cumulative_lost: -3,
        highest_seq: 70_000,
        jitter: 40,
        last_sr: 0x1234_5678,
        delay_since_last_sr: 65_536,
    };
    let report = Report {
        ssrc: 0xABCD_0001,
        sender: sender.then_some(info),
        block: block.then_some(about),
        cname: "phone@192.0.2.9",
        bye: !sender,
    };
    let len = build(&mut out, &report);
    out[..len].to_vec()
}

fn rtp() -> std::io::Result<()> {
    keep("rtp", "plain", &packet(8, 1, &speech(1)))?;
    keep("rtp", "empty", &packet(0, 0, &[]))?;
    let mut rich = packet(111, 2, &[1, 2, 3]);
    rich[0] |= 0x12;
    rich.splice(12..12, [[0; 4], [1; 4], [0xBE, 0xDE, 0, 1], [0x10, 0xFF, 0, 0]].concat());
    keep("rtp", "sources-and-extension", &rich)?;
    let mut padded = packet(8, 3, &[7, 7, 0, 0, 3]);
    padded[0] |= 0x20;
    keep("rtp", "padded", &padded)
}

fn rtcp() -> std::io::Result<()> {
    keep("rtcp", "sender", &report(true, true))?;
    keep("rtcp", "receiver-leaves", &report(true, false))?;
    keep("rtcp", "nothing-heard", &report(false, false))?;
    // A picture loss indication (RFC 4585 §6.3.1) and an extended report (RFC 3611 §4.7) behind a report.
    let feedback = [&report(false, false)[..], &[0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]].concat();
    keep("rtcp", "feedback", &feedback)?;
    let voip = [&[0x80, 207, 0, 10, 0, 0, 0, 1, 7, 0, 0, 8][..], &[9; 32]].concat();
    keep("rtcp", "extended", &[&report(true, true)[..], &voip].concat())
}

/// Calls as a leg sees them: in the clear and protected, with reports, events and strangers.
fn legs() -> std::io::Result<()> {
    for (name, first, how) in
        [("plain", 0, 0x10), ("protected", 1, 0x18), ("muxed", 3, 0x18), ("learning", 8, 0x10)]
    {
        let mut input = vec![first];
        for number in 0..8 {
            input.extend(piece(how, &packet(8, number, &speech(number))));
        }
        input.extend(piece(how | 1 | 4, &report(true, true)));
        let event = Event { code: 5, end: true, volume: 10, duration: 800 };
        input.extend(piece(how, &packet(101, 8, &event.octets())));
        input.extend(piece(how | 2, &packet(8, 9, &speech(9))));
        input.extend(piece(how | 1 | 4 | 0x40, &report(true, false)));
        input.extend(piece(how | 3, &report(false, false)));
        input.extend(piece(how, &packet(111, 10, &[0xF8, 0xFF, 0xFE])));
        keep("leg", name, &input)?;
    }
    let mut input = vec![0];
    for number in 0..6 {
        input.extend(piece(0x10, &packet(96, number, &[0x10, number as u8].repeat(30))));
    }
    input.extend(piece(0x12, &packet(96, 9, b"stranger")));
    keep("leg", "passed-on", &input)
}

/// A leg with ports of its own whose far end checks them and then talks, while strangers do the same without knowing the password.
fn checks() -> std::io::Result<()> {
    for (name, first) in [("two-ports", 0), ("one-port", 1)] {
        let mut input = vec![first];
        input.extend(piece(0x10, &packet(8, 0, &speech(0))));
        input.extend(piece(0x1A, &NOMINATES));
        if first == 0 {
            input.extend(piece(0x1F, &NOMINATES));
        }
        for number in 1..5 {
            input.extend(piece(0x12, &packet(8, number, &speech(number))));
        }
        input.extend(piece(0x17, &report(true, true)));
        input.extend(piece(0x12, &check_of("ourufrag", &"q".repeat(24), THEIRS, &NOMINATES)));
        input.extend(piece(0x11, &check_of("ourufrag", &"q".repeat(24), THEIRS, &NOMINATES)));
        input.extend(piece(0x11, &packet(8, 5, &speech(5))));
        keep("checks", name, &input)?;
    }
    Ok(())
}

fn events() -> std::io::Result<()> {
    let said = |how: u8, timestamp: u32, event: Event| {
        piece(how, &[&timestamp.to_be_bytes()[..], &event.octets()].concat())
    };
    for (name, clock) in [("digit", 0), ("digit-48k", 1)] {
        let mut input = vec![clock];
        for tick in 1..=5u16 {
            input.extend(said(
                0,
                1_000,
                Event { code: 11, end: tick > 2, volume: 10, duration: 160 * tick.min(3) },
            ));
        }
        input.extend(said(3, 9_000, Event { code: 1, end: false, volume: 10, duration: 0xFFFF }));
        input.extend(said(1, 9_000 + 0xFFFF, Event { code: 1, end: false, volume: 10, duration: 400 }));
        input.extend(said(9, 99_000, Event { code: 16, end: true, volume: 63, duration: 0 }));
        keep("events", name, &input)?;
    }
    Ok(())
}
