use super::*;
use control_api::wire::legs::{Dropped, LegReceived, LegSent, LegWho, MediaThread, MediaTotals};

fn leg() -> Leg {
    Leg {
        leg: "leg_019abc".into(),
        call: Some("interaction_0198f1c2-0000-7000-8000-00000000c0de".into()),
        who: LegWho { kind: "trunk".into(), name: Some("carrier".into()) },
        medium: "audio".into(),
        codec_in: Some("PCMU".into()),
        codec_out: Some("opus".into()),
        security: "sdes AEAD_AES_128_GCM".into(),
        carried: "kernel".into(),
        recorded: true,
        age_ms: Some(125_000),
        received: LegReceived {
            packets_per_s: Some(50.2),
            kbits_per_s: Some(68.8),
            loss_percent: 2.5,
            jitter_ms: 61.04,
            ..LegReceived::default()
        },
        sent: LegSent { packets_per_s: Some(49.9), kbits_per_s: Some(24.0), ..LegSent::default() },
        rtt_ms: Some(38.4),
        buffer_ms: Some(40),
        mos: Some(2.9),
        ..Leg::default()
    }
}

fn seen(items: Vec<Leg>) -> MediaLegs {
    let dropped = |reason: &str, per_s| Dropped { reason: reason.into(), total: 12, per_s: Some(per_s) };
    let threads = vec![MediaThread { thread: 0, driver: "io_uring".into(), busy_percent: 3.06 }];
    let totals = MediaTotals {
        legs: 7,
        rooms: 1,
        packets_in_per_s: Some(349.6),
        packets_out_per_s: None,
        dropped: vec![dropped("bad_tag", 0.0), dropped("repeated", 3.0)],
        threads,
    };
    MediaLegs { at: 1_795_255_199_999, totals, items, next_cursor: None }
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(Line::plain).collect()
}

#[test]
fn the_whole_stands_above_the_legs() {
    assert_eq!(
        texts(&lines(&seen(vec![]))),
        [
            "2026-11-21T09:59:59.999Z  7 legs (0 shown), 1 rooms, 350 packets/s in, - out",
            "media threads busy: 0 io_uring 3.1 %",
            "dropped: bad_tag 12 (0/s) repeated 12 (3/s)",
            "",
            "CALL         WHO                    CODEC           PKT/S      KBIT/S  LOSS%  JITTER    RTT BUFFER   MOS SECURITY        CARRIED        AGE",
        ]
    );
}

#[test]
fn a_leg_is_one_line_with_both_directions() {
    let shown = texts(&lines(&seen(vec![leg()])));
    assert_eq!(
        shown[5],
        "00000000c0de trunk carrier          PCMU/opus       50/50       69/24    2.5    61.0     38     40  2.90 sdes AES128-GCM kernel    2m05 R··"
    );
}

#[test]
fn what_is_bad_is_marked_and_what_is_not_known_is_a_dash() {
    let line = lines(&seen(vec![leg()])).remove(5);
    let mark = |column: &str| {
        let at = COLUMNS.iter().position(|(name, ..)| *name == column).unwrap();
        line.0[at].1
    };
    assert_eq!(
        ["LOSS%", "JITTER", "RTT", "MOS", "CALL"].map(mark),
        [Mark::Doubtful, Mark::Bad, Mark::Plain, Mark::Bad, Mark::Plain]
    );
    let nothing = Leg { who: LegWho { kind: "unknown".into(), name: None }, ..Leg::default() };
    let shown = texts(&lines(&seen(vec![nothing])));
    assert_eq!(
        shown[5].split_whitespace().collect::<Vec<_>>(),
        ["-", "unknown", "-/-", "-/-", "-/-", "0.0", "0.0", "-", "-", "-", "-", "···"]
    );
}

#[test]
fn a_name_cannot_move_the_cursor_nor_the_columns() {
    let mut odd = leg();
    odd.who.name = Some("evil\u{1b}[2J trunk with a name that is far too long".into());
    let shown = texts(&lines(&seen(vec![odd])));
    assert!(shown[5].contains("trunk evil[2J trunk w… PCMU/opus"), "{}", shown[5]);
}

#[test]
fn ages_are_short() {
    assert_eq!([0, 59_999, 60_000, 3_599_000, 7_380_000].map(age), ["0s", "59s", "1m00", "59m59", "2h03"]);
}
