//! STUN, DTLS and SRTP.

use std::time::Duration;

use fuzz::peer::{NOMINATES, Peer, THEIRS, address, check, fingerprint, leg, start};
use fuzz::piece;
use media::ice::{IceOutput, Kind, classify};

use super::{keep, packet, report, speech};

pub fn all() -> std::io::Result<()> {
    stun()?;
    handshakes()?;
    for suite in 0..5 {
        let mut input = vec![suite];
        for number in 0..10 {
            input.extend(piece(1 | (number as u8 & 4) << 1, &packet(8, number, &speech(number))));
        }
        input.extend(piece(1, &packet(8, 4, &speech(4))));
        input.extend(piece(1 | 2, &report(true, true)));
        input.extend(piece(1 | 4, &packet(8, 20, &[1, 2, 14, 1])));
        input.extend(piece(0, &packet(8, 21, &[0; 40])));
        input.extend(piece(2, &report(true, true)));
        keep("srtp", &format!("suite-{suite}"), &input)?;
    }
    Ok(())
}

fn stun() -> std::io::Result<()> {
    let priority = [0, 0x24, 0, 4, 0x6E, 0, 0x1E, 0xFF];
    let controlling = [&[0x80, 0x2A, 0, 8][..], &[7; 8]].concat();
    let usual = [&priority[..], &controlling, &NOMINATES].concat();
    let mut calls = vec![
        ("nominates", vec![piece(4, &usual), piece(4 | 16, &usual)]),
        ("moves", vec![piece(4, &usual), piece(5 | 128, &usual), piece(4 | 64, &priority)]),
        ("controlled", vec![piece(4, &[&[0x80, 0x29, 0, 8][..], &[7; 8]].concat())]),
        ("unknown-attribute", vec![piece(4, &[0x7F, 0xF0, 0, 0]), piece(4, &usual)]),
        ("expires", vec![piece(4, &usual), piece(2 | 0xF8, b""), piece(2, b"")]),
    ];
    let leg = leg(2, fingerprint(), false, start());
    calls.push((
        "as-it-is",
        vec![piece(0, &check(&leg, THEIRS, &usual)), piece(1, &check(&leg, "else", &usual))],
    ));
    for (name, pieces) in calls {
        keep("stun", name, &pieces.concat())?;
    }
    Ok(())
}

/// What a far end sends in a handshake; and handshakes with a change on the way.
fn handshakes() -> std::io::Result<()> {
    for active in [false, true] {
        let mut now = start();
        let mut leg = leg(2, fingerprint(), active, now);
        let mut peer = Peer::new(!active, now);
        let mut out = Vec::new();
        leg.handle(&check(&leg, THEIRS, &NOMINATES), address(0), now, &mut out);
        let mut input = vec![u8::from(active)];
        for _ in 0..8 {
            for output in std::mem::take(&mut out) {
                match output {
                    IceOutput::Send { bytes, .. } if classify(bytes[0]) == Kind::Dtls => {
                        peer.handle(&bytes, now)
                    }
                    _ => {}
                }
            }
            for bytes in std::mem::take(&mut peer.sent) {
                input.extend(piece(0, &bytes));
                leg.handle(&bytes, address(0), now, &mut out);
            }
            now += Duration::from_millis(10);
        }
        assert!(peer.keys.is_some(), "the handshake succeeds");
        let name = if active { "we-open" } else { "they-open" };
        keep("dtls", name, &input)?;
        keep("dtls_handshake", name, &[u8::from(active)])?;
        let changed =
            [piece(1, &[0, 70, 1]), piece(3, &[1]), piece(4, &[2]), piece(5, &[0, 20, 0x80, 200, 3])]
                .concat();
        keep("dtls_handshake", &format!("{name}-changed"), &[&[u8::from(active)], &changed[..]].concat())?;
    }
    Ok(())
}
