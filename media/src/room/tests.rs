//! Rooms with far ends that decode what they are sent.

use model::id::{Id, LegId, RoomId};
use model::media::Codec;
use model::time::Timestamp;

use super::{Captured, FRAME, Room, Stage};
use crate::codec::{Decoder, Encoder};
use crate::control::{Event, Format, MediaError, RoomRole, RoomSetup};
use crate::jitter::{Kind, Meta};
use crate::mix::test_tone::{level, sample, steepest};

const PCMU: Format = Format { payload_type: 0, codec: Codec::Pcmu, ptime_ms: 20 };
const PCMA: Format = Format { payload_type: 8, codec: Codec::Pcma, ptime_ms: 20 };
const G722: Format = Format { payload_type: 9, codec: Codec::G722, ptime_ms: 20 };
const OPUS: Format = Format { payload_type: 111, codec: Codec::Opus, ptime_ms: 20 };

/// A far end: says a tone, keeps what it hears at 8 kHz.
struct Far {
    leg: LegId,
    number: u8,
    format: Format,
    hz: f64,
    loud: f64,
    said: u32,
    encoder: Encoder,
    decoder: Decoder,
    heard: Vec<i16>,
    packets: usize,
    ticks: u32,
}

struct Hall {
    room: Room,
    now: Timestamp,
    far: Vec<Far>,
    captured: Vec<i16>,
    events: Vec<Event>,
}

struct OnPaper<'a> {
    far: &'a mut [Far],
    captured: &'a mut Vec<i16>,
}

impl Stage for OnPaper<'_> {
    fn listens(&mut self, index: u32) -> bool {
        self.far.iter().any(|far| u32::from(far.number) == index)
    }
    fn send(&mut self, index: u32, payload: &[u8], ticks: u32) {
        let far = self.far.iter_mut().find(|far| u32::from(far.number) == index).unwrap();
        let mut samples = [0; 960];
        let n = far.decoder.decode(payload, &mut samples).unwrap();
        // G.722 gives twice as many.
        far.heard.extend(samples[..n].iter().step_by(rate_of(far.format) as usize / 8_000));
        far.packets += 1;
        far.ticks += ticks;
    }
    fn record(&mut self, captured: &Captured<'_>) {
        let mut decoder = Decoder::new(captured.codec, 8_000).unwrap();
        let mut samples = [0; 960];
        let n = decoder.decode(captured.payload, &mut samples).unwrap();
        self.captured.extend(&samples[..n]);
    }
}

impl Hall {
    fn open(parties_max: usize, speakers: usize) -> Self {
        let setup = RoomSetup { parties_max, speakers, parties: vec![] };
        let now = Timestamp::from_millis(50_000);
        let room = Room::new(RoomId::from_number(1), &setup, now + FRAME).unwrap();
        Self { room, now, far: vec![], captured: vec![], events: vec![] }
    }

    /// Somebody joins and says a tone from now on.
    fn join(&mut self, format: Format, role: RoomRole, hz: f64, loud: f64) -> LegId {
        let leg = LegId::from_number(self.far.len() as u64 + 100);
        let equipment = self.room.equip(leg, Some((format, format.codec))).unwrap();
        // Places are given from the front, and nobody sits twice in these tests.
        let number = self.room.parties.iter().position(Option::is_none).unwrap() as u8;
        assert_eq!(self.room.join(leg, u32::from(number), role, equipment), Ok(number));
        self.far.push(Far {
            leg,
            number,
            format,
            hz,
            loud,
            said: 0,
            encoder: Encoder::new(format.codec, rate_of(format)).unwrap(),
            decoder: Decoder::new(format.codec, rate_of(format)).unwrap(),
            heard: vec![],
            packets: 0,
            ticks: 0,
        });
        leg
    }

    fn leave(&mut self, leg: LegId) {
        let at = self.far.iter().position(|far| far.leg == leg).unwrap();
        let far = self.far.remove(at);
        self.room.leave(far.number);
    }

    fn pass(&mut self, frames: usize) {
        for _ in 0..frames {
            for far in &mut self.far {
                let times = rate_of(far.format) as usize / 8_000;
                let mut samples = vec![0i16; 160 * times];
                for (i, said) in samples.iter_mut().enumerate() {
                    let t = f64::from(far.said * 160) + i as f64 / times as f64;
                    *said = sample(t, far.hz, 8_000, far.loud);
                }
                let mut payload = [0; 400];
                let len = far.encoder.encode(&samples, &mut payload).unwrap();
                let ticks = far.format.codec.clock_hz() / 50;
                let meta = Meta {
                    held_us: 0,
                    ssrc: u32::from(far.number) + 1,
                    seq: far.said as u16,
                    timestamp: far.said * ticks,
                    kind: Kind::Audio,
                };
                far.said += 1;
                if far.loud > 0.0 {
                    self.room.put(far.number, far.format.codec, meta, &payload[..len], self.now.micros());
                }
            }
            self.now = self.now + FRAME;
            let mut stage = OnPaper { far: &mut self.far, captured: &mut self.captured };
            self.room.tick(self.now, &mut stage, &mut self.events);
        }
    }

    fn far(&self, leg: LegId) -> &Far {
        self.far.iter().find(|far| far.leg == leg).unwrap()
    }

    /// How loud this leg hears a tone in the last fifth of a second.
    fn hears(&self, leg: LegId, hz: f64) -> f64 {
        let heard = &self.far(leg).heard;
        level(&heard[heard.len() - 1_600..], hz, 8_000)
    }
}

fn rate_of(format: Format) -> u32 {
    format.codec.rate_hz().unwrap_or(8_000)
}

/// The steepest step of tones that sound together.
fn steps_of(tones: &[(f64, f64)]) -> f64 {
    tones.iter().map(|(hz, loud)| loud * hz / 8_000.0 * std::f64::consts::TAU).sum()
}

/// MEDIA-10: each party hears the others and not itself, whatever their codecs and packet times are.
#[test]
fn parties_of_different_codecs_hear_the_others_and_not_themselves() {
    let mut hall = Hall::open(6, 6);
    let slow = Format { ptime_ms: 30, ..PCMA };
    let quick = Format { ptime_ms: 10, ..PCMU };
    let tones = [400.0, 600.0, 900.0, 1_300.0, 1_700.0];
    let legs: Vec<LegId> = [PCMU, slow, OPUS, quick, OPUS]
        .into_iter()
        .zip(tones)
        .map(|(format, hz)| hall.join(format, RoomRole::Member, hz, 3_000.0))
        .collect();
    hall.pass(100);
    for (me, leg) in legs.iter().enumerate() {
        for (you, hz) in tones.iter().enumerate() {
            let heard = hall.hears(*leg, *hz);
            if me == you {
                assert!(heard < 120.0, "{me} hears itself at {heard:.0}");
            } else {
                assert!((1_800.0..4_200.0).contains(&heard), "{me} hears {you} at {heard:.0}");
            }
        }
        // Two seconds of packets, less what waits for a packet of 30 ms to be full.
        let far = hall.far(*leg);
        let seconds = f64::from(far.ticks) / f64::from(far.format.codec.clock_hz());
        assert!((1.97..=2.0).contains(&seconds), "{me} was sent {seconds} s");
    }
    assert_eq!(hall.room.mixer.rate_hz(), 48_000, "two of them can have it");
}

/// MEDIA-05, MEDIA-10: a party with G.729 is heard and hears.
#[test]
fn a_party_with_g729_is_mixed_like_any_other() {
    let mut hall = Hall::open(4, 4);
    let phone = hall.join(PCMU, RoomRole::Member, 400.0, 3_000.0);
    let trunk = hall.join(
        Format { payload_type: 18, codec: Codec::G729, ptime_ms: 20 },
        RoomRole::Member,
        700.0,
        3_000.0,
    );
    hall.pass(100);
    for (leg, own, others) in [(phone, 400.0, 700.0), (trunk, 700.0, 400.0)] {
        let (heard, echo) = (hall.hears(leg, others), hall.hears(leg, own));
        assert!(
            (2_000.0..4_000.0).contains(&heard) && echo < 200.0,
            "{others} Hz: {heard:.0}; itself: {echo:.0}"
        );
    }
}

/// MEDIA-10: one wide-band party among narrow ones is understood at their rate; two make the room wide.
#[test]
fn wide_band_parties_are_mixed_at_the_rate_that_two_can_have() {
    let mut hall = Hall::open(4, 4);
    let phone = hall.join(PCMU, RoomRole::Member, 400.0, 3_000.0);
    let wide = hall.join(G722, RoomRole::Member, 700.0, 3_000.0);
    for rate_hz in [8_000, 16_000] {
        hall.pass(40);
        assert_eq!(hall.room.mixer.rate_hz(), rate_hz);
        assert!(hall.hears(phone, 700.0) > 2_400.0, "{:.0}", hall.hears(phone, 700.0));
        assert!(hall.hears(wide, 400.0) > 2_400.0, "{:.0}", hall.hears(wide, 400.0));
        assert!(hall.hears(wide, 700.0) < 100.0, "{:.0}", hall.hears(wide, 700.0));
        if rate_hz == 8_000 {
            hall.join(OPUS, RoomRole::Monitor, 900.0, 0.0);
        }
    }
}

/// MEDIA-10: joining, leaving, and every change of role or audibility, without a step in what anybody hears.
#[test]
fn nobody_hears_a_click_when_others_come_go_and_change() {
    let mut hall = Hall::open(5, 5);
    let anna = hall.join(PCMU, RoomRole::Member, 300.0, 0.0);
    let ben = hall.join(PCMU, RoomRole::Member, 350.0, 5_000.0);
    hall.pass(20);
    let carl = hall.join(PCMU, RoomRole::Monitor, 450.0, 5_000.0);
    hall.pass(10);
    assert!(hall.hears(anna, 450.0) < 50.0, "a monitor is heard by nobody");
    for role in [RoomRole::Member, RoomRole::Coach(ben), RoomRole::Coach(anna), RoomRole::Member] {
        hall.room.set_role(carl, role).unwrap();
        hall.pass(12);
        let loud = hall.hears(anna, 450.0) > 4_000.0;
        assert_eq!(loud, role != RoomRole::Coach(ben), "{role:?}");
    }
    for audible in [false, true] {
        hall.room.set_audible(anna, ben, audible).unwrap();
        hall.pass(12);
        assert_eq!(hall.hears(anna, 350.0) > 4_000.0, audible);
    }
    hall.leave(carl);
    hall.pass(12);
    let steps = steps_of(&[(350.0, 5_000.0), (450.0, 5_000.0)]);
    let heard = steepest(&hall.far(anna).heard);
    // Mu-law is a staircase: at this loudness its steps are up to 512 high.
    assert!(heard < steps * 1.2 + 512.0, "a step of {heard:.0}, where the tones have {steps:.0}");
    assert!(hall.hears(anna, 450.0) < 50.0, "who left is heard no longer");
}

/// MEDIA-10: the rate follows the codecs: a second Opus party makes the room wide, and nobody hears a click.
#[test]
fn a_room_becomes_wide_when_a_second_party_can_hear_it() {
    let mut hall = Hall::open(4, 4);
    let phone = hall.join(PCMU, RoomRole::Member, 300.0, 0.0);
    hall.join(PCMA, RoomRole::Member, 350.0, 5_000.0);
    hall.join(OPUS, RoomRole::Member, 300.0, 0.0);
    hall.pass(30);
    assert_eq!(hall.room.mixer.rate_hz(), 8_000, "nobody could hear more");
    hall.join(OPUS, RoomRole::Member, 300.0, 0.0);
    hall.pass(30);
    assert_eq!(hall.room.mixer.rate_hz(), 48_000);
    let heard = steepest(&hall.far(phone).heard);
    let steps = steps_of(&[(350.0, 5_000.0)]);
    assert!(heard < steps * 1.2 + 512.0, "a step of {heard:.0} where the tone has {steps:.0}");
    assert!(hall.hears(phone, 350.0) > 4_500.0);
}

/// MEDIA-10: a recording's channel captures everybody but the customer, as one stream, whatever the roles are set to later.
#[test]
fn our_side_of_a_conference_is_one_stream_without_the_customer() {
    let mut hall = Hall::open(2, 2);
    let customer = hall.join(PCMU, RoomRole::Member, 400.0, 4_000.0);
    let agent = hall.join(PCMA, RoomRole::Member, 700.0, 4_000.0);
    let to = super::Capture {
        handle: crate::record::Handle::for_tests(),
        channel: crate::control::Channel::Right,
        epoch: 64,
    };
    hall.room.tap(to, Some(customer)).unwrap();
    hall.pass(20);
    for leg in [customer, agent] {
        hall.room.set_role(leg, RoomRole::Member).unwrap();
    }
    hall.pass(20);
    assert_eq!(hall.captured.len(), 40 * 160);
    let end = &hall.captured[20 * 160..];
    assert!(level(end, 700.0, 8_000) > 3_800.0);
    assert!(level(end, 400.0, 8_000) < 20.0);
    assert!(hall.room.untap(to.handle, to.channel));
    hall.pass(5);
    assert_eq!(hall.captured.len(), 40 * 160);
}

/// HELP-04: what a coach says to the agent is in the recording, and the customer does not hear it.
#[test]
fn what_a_coach_says_is_recorded_and_kept_from_the_customer() {
    let mut hall = Hall::open(4, 3);
    let customer = hall.join(PCMU, RoomRole::Member, 400.0, 0.0);
    let agent = hall.join(PCMU, RoomRole::Member, 600.0, 0.0);
    let coach = hall.join(PCMU, RoomRole::Coach(agent), 700.0, 4_000.0);
    let (handle, channel) = (crate::record::Handle::for_tests(), crate::control::Channel::Right);
    let to = super::Capture { handle, channel, epoch: 64 };
    hall.room.tap(to, Some(customer)).unwrap();
    hall.pass(20);
    assert!(level(&hall.captured, 700.0, 8_000) > 3_500.0);
    assert!(hall.hears(agent, 700.0) > 3_500.0 && hall.hears(customer, 700.0) < 20.0);
    let before = hall.captured.len();
    hall.room.set_role(coach, RoomRole::Monitor).unwrap();
    hall.pass(20);
    assert!(level(&hall.captured[before + 2 * 160..], 700.0, 8_000) < 20.0, "who only listens is not");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut hall = Hall::open(2, 2);
    let anna = hall.join(PCMU, RoomRole::Member, 400.0, 4_000.0);
    let stranger = LegId::from_number(9_999);
    let room = RoomId::from_number(1);
    let not_here = MediaError::NotInRoom { leg: stranger, room };
    assert_eq!(hall.room.set_role(anna, RoomRole::Coach(stranger)), Err(not_here.clone()));
    assert_eq!(hall.room.set_audible(anna, stranger, true), Err(not_here));
    assert!(matches!(hall.room.equip(stranger, None), Err(MediaError::CannotMix { .. })));
    let bad = Format { ptime_ms: 5, ..PCMU };
    assert!(matches!(hall.room.equip(stranger, Some((bad, bad.codec))), Err(MediaError::CannotMix { .. })));
    hall.join(PCMU, RoomRole::Member, 600.0, 4_000.0);
    let equipment = hall.room.equip(stranger, Some((PCMU, PCMU.codec))).unwrap();
    let full = Err(MediaError::RoomFull { room, parties: 2 });
    assert_eq!(hall.room.join(stranger, 7, RoomRole::Member, equipment), full);
    hall.pass(20);
    assert!(hall.hears(anna, 600.0) > 3_800.0);
}

/// A seat is free again as soon as the last words have died away.
#[test]
fn a_full_room_takes_the_next_one_when_somebody_left() {
    let mut hall = Hall::open(2, 2);
    let anna = hall.join(PCMU, RoomRole::Member, 400.0, 0.0);
    let ben = hall.join(PCMU, RoomRole::Member, 600.0, 4_000.0);
    hall.pass(10);
    hall.leave(ben);
    hall.pass(1);
    hall.join(PCMU, RoomRole::Member, 900.0, 4_000.0);
    hall.pass(20);
    assert!(hall.hears(anna, 900.0) > 3_800.0);
    assert!(hall.hears(anna, 600.0) < 20.0);
}

/// Who speaks is told by name, and when all are silent.
#[test]
fn who_speaks_is_told() {
    let mut hall = Hall::open(3, 3);
    let anna = hall.join(PCMU, RoomRole::Member, 400.0, 4_000.0);
    let ben = hall.join(PCMU, RoomRole::Member, 600.0, 0.0);
    hall.pass(50);
    hall.far[0].loud = 0.0;
    hall.far[1].loud = 4_000.0;
    hall.pass(150);
    hall.far[1].loud = 0.0;
    hall.pass(150);
    let told: Vec<Vec<LegId>> = hall
        .events
        .iter()
        .map(|event| match event {
            Event::Speaking { legs, .. } => legs.iter().flatten().copied().collect(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told.first(), Some(&vec![anna]));
    assert!(told.contains(&vec![ben]), "{told:?}");
    assert_eq!(told.last(), Some(&vec![]));
    assert!(told.len() <= 5, "{told:?}");
}

/// MEDIA-10: 64 parties of which three speak: all who hear the same share one encoder.
#[test]
fn sharing_is_worth_it() {
    let mut hall = Hall::open(64, 3);
    for n in 0..64 {
        let loud = if n < 3 { 6_000.0 } else { 0.0 };
        hall.join(OPUS, RoomRole::Member, 400.0 + 200.0 * f64::from(n.min(4)), loud);
    }
    hall.pass(25);
    let before = hall.room.counts();
    hall.pass(50);
    let after = hall.room.counts();
    assert_eq!(after.shared - before.shared, 50, "one for the 61 who listen");
    assert_eq!(after.encoded - before.encoded, 150, "one for each who speaks");
    let listener = hall.far[40].leg;
    for hz in [400.0, 600.0, 800.0] {
        assert!(hall.hears(listener, hz) > 3_000.0, "{:.0}", hall.hears(listener, hz));
    }
    let speaker = hall.far[0].leg;
    assert!(hall.hears(speaker, 400.0) < 200.0);
}

/// What waits to be said when two of a room go on by themselves is said to its last sample.
#[test]
fn two_who_leave_together_take_their_last_words_along() {
    let mut hall = Hall::open(2, 2);
    let anna = hall.join(PCMU, RoomRole::Member, 400.0, 0.0);
    hall.join(PCMU, RoomRole::Member, 500.0, 8_000.0);
    hall.pass(25);
    let before = hall.far(anna).heard.len();
    let mut stage = OnPaper { far: &mut hall.far, captured: &mut hall.captured };
    hall.room.drain(1, 0, hall.now, &mut stage);
    let heard = &hall.far(anna).heard;
    assert!(heard.len() > before, "playout holds at least a packet back");
    let said = hall.far[1].said as usize * 160;
    // Everything that was said is in it: heard are the silence of the wait at the beginning, and 25 packets.
    let begins = heard.iter().position(|s| s.unsigned_abs() > 200).unwrap() - 1;
    let voiced = heard.len() - begins;
    assert!(voiced.abs_diff(said) < 160, "{voiced} of {said} samples");
    assert!(steepest(&heard[begins + 160..]) < steps_of(&[(500.0, 8_000.0)]) * 1.2 + 512.0);
    assert!(hall.room.parties[1].as_ref().unwrap().voice.is_empty());
}
