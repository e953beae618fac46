//! What each party of a conference hears.

use super::test_tone::{level, sample, steepest};
use super::{Mixer, Role, Seat};
use proptest::prelude::*;

/// Frame `n` of a tone.
fn tone(mixer: &Mixer, hz: f64, level: f64, n: usize) -> Vec<i16> {
    let len = mixer.frame();
    (n * len..(n + 1) * len).map(|i| sample(i as f64, hz, mixer.rate_hz(), level)).collect()
}

/// Each talker's tone for `frames`; what each listener heard.
fn talk(
    mixer: &mut Mixer,
    from: usize,
    frames: usize,
    talkers: &[(Seat, f64, f64)],
    listeners: &[Seat],
) -> Vec<Vec<i16>> {
    let mut heard = vec![Vec::new(); listeners.len()];
    for n in from..from + frames {
        for (seat, hz, level) in talkers {
            let said = tone(mixer, *hz, *level, n);
            mixer.put(*seat, &said);
        }
        mixer.mix();
        let mut out = vec![0; mixer.frame()];
        for (listener, heard) in listeners.iter().zip(&mut heard) {
            assert!(mixer.read(*listener, &mut out));
            heard.extend(&out);
        }
    }
    heard
}

/// MEDIA-10: from 2 to 64 parties, at each rate, everybody hears all the others and not itself.
#[test]
fn everybody_hears_all_others_and_not_itself() {
    for rate in [8_000, 16_000, 48_000] {
        for parties in [2usize, 3, 5, 17, 64] {
            let mut mixer = Mixer::new(rate, parties, parties).unwrap();
            let seats: Vec<Seat> = (0..parties).map(|_| mixer.join(Role::Member).unwrap()).collect();
            assert!(mixer.join(Role::Member).is_err(), "the room is full");
            // Tones 50 Hz apart are told apart within a frame; together they stay below the limiter.
            let loud = 24_000.0 / parties as f64;
            let talkers: Vec<_> =
                seats.iter().enumerate().map(|(i, seat)| (*seat, 100.0 + 50.0 * i as f64, loud)).collect();
            let heard = talk(&mut mixer, 0, 10, &talkers, &seats);
            for (listener, heard) in heard.iter().enumerate() {
                let steady = &heard[heard.len() / 2..];
                for (speaker, (_, hz, _)) in talkers.iter().enumerate() {
                    let level = level(steady, *hz, rate);
                    if speaker == listener {
                        // Its own tone is gone to what the rounding of 64 tones to whole samples leaves.
                        assert!(level < 4.0, "{listener} of {parties} hears itself at {level:.1}");
                    } else {
                        assert!((level / loud - 1.0).abs() < 0.02, "{level:.0} of {loud:.0}");
                    }
                }
            }
        }
    }
}

/// MEDIA-10: a monitor hears all and is heard by nobody, a coach by one; barging in is a change of role.
#[test]
fn a_supervisor_listens_coaches_and_barges_in() {
    let mut mixer = Mixer::new(8_000, 4, 4).unwrap();
    let customer = mixer.join(Role::Member).unwrap();
    let agent = mixer.join(Role::Member).unwrap();
    let boss = mixer.join(Role::Monitor).unwrap();
    let talkers = [(customer, 400.0, 4_000.0), (agent, 600.0, 4_000.0), (boss, 900.0, 4_000.0)];
    let all = [customer, agent, boss];
    let boss_heard_by = |mixer: &mut Mixer, from: usize| {
        let heard = talk(mixer, from, 10, &talkers, &all);
        // The boss always hears both.
        assert!(level(&heard[2][800..], 400.0, 8_000) > 3_900.0);
        assert!(level(&heard[2][800..], 600.0, 8_000) > 3_900.0);
        [0, 1].map(|who| level(&heard[who][800..], 900.0, 8_000) > 100.0)
    };
    assert_eq!(boss_heard_by(&mut mixer, 0), [false, false]);
    mixer.set_role(boss, Role::Coach(agent));
    assert_eq!(boss_heard_by(&mut mixer, 10), [false, true]);
    mixer.set_role(boss, Role::Member);
    assert_eq!(boss_heard_by(&mut mixer, 20), [true, true]);
    mixer.set_audible(customer, boss, false);
    assert_eq!(boss_heard_by(&mut mixer, 30), [false, true]);
}

/// MEDIA-10: who comes later does not hear a coach either.
#[test]
fn a_newcomer_does_not_hear_the_coach() {
    let mut mixer = Mixer::new(16_000, 4, 4).unwrap();
    let agent = mixer.join(Role::Member).unwrap();
    let coach = mixer.join(Role::Coach(agent)).unwrap();
    let late = mixer.join(Role::Member).unwrap();
    let heard = talk(&mut mixer, 0, 20, &[(coach, 900.0, 8_000.0)], &[agent, late]);
    assert!(level(&heard[0][3_200..], 900.0, 16_000) > 7_900.0);
    assert!(heard[1].iter().all(|s| *s == 0));
    // The coach's seat is given to somebody else: only a member.
    mixer.leave(agent);
    (0..3).for_each(|_| mixer.mix());
    let next = mixer.join(Role::Member).unwrap();
    let heard = talk(&mut mixer, 0, 10, &[(coach, 900.0, 8_000.0)], &[next]);
    assert!(heard[0].iter().all(|s| *s == 0), "the coach of one who left coaches nobody");
}

/// MEDIA-10: joining, leaving, changing roles and lost frames make no step larger than the voices' own, and the fade's.
#[test]
fn nothing_that_happens_in_a_conference_clicks() {
    for rate in [8_000, 16_000, 48_000] {
        let mut mixer = Mixer::new(rate, 4, 4).unwrap();
        let (a, b) = (mixer.join(Role::Member).unwrap(), mixer.join(Role::Member).unwrap());
        // A quarter of a period into the frame: samples stand at their peak where frames meet.
        let say = |mixer: &mut Mixer, seat: Seat, n: usize| {
            let (len, rate) = (mixer.frame(), f64::from(mixer.rate_hz()));
            let said: Vec<i16> = (n * len..(n + 1) * len)
                .map(|i| ((i as f64 * 250.0 / rate * std::f64::consts::TAU).cos() * 12_000.0) as i16)
                .collect();
            mixer.put(seat, &said)
        };
        let (mut heard, mut c) = (Vec::new(), None);
        let mut out = vec![0; mixer.frame()];
        for n in 0..120 {
            match n {
                20 => c = mixer.join(Role::Monitor).ok(),
                30 => assert!(mixer.set_role(c.unwrap(), Role::Member)),
                40 => assert!(mixer.set_audible(a, b, false)),
                50 => assert!(mixer.set_audible(a, b, true)),
                80 => assert!(mixer.leave(c.unwrap())),
                100 => assert!(mixer.leave(b)),
                _ => {}
            }
            // Frames 60 and 61 of one talker are lost.
            if !(60..62).contains(&n) {
                say(&mut mixer, b, n);
            }
            if let Some(c) = c {
                say(&mut mixer, c, n);
            }
            mixer.mix();
            mixer.read(a, &mut out);
            heard.extend(&out);
        }
        // Two voices' steepest slope, and two fades of full level over a frame.
        let own = 2.0 * 12_000.0 * 250.0 / f64::from(rate) * std::f64::consts::TAU;
        let fade = 2.0 * 12_000.0 / mixer.frame() as f64;
        let worst = steepest(&heard);
        assert!(worst <= own + fade + 2.0, "{worst:.0} at {rate} Hz, allowed {:.0}", own + fade);
        assert_eq!(&heard[110 * mixer.frame()..], &vec![0; 10 * mixer.frame()], "all have left");
        assert!(heard.iter().any(|s| *s > 20_000), "both were heard together");
    }
}

/// MEDIA-10: only the loudest have the floor, and a word in between does not take it from them.
#[test]
fn the_loudest_have_the_floor_and_keep_it_against_nearly_as_loud_ones() {
    let mut mixer = Mixer::new(8_000, 8, 2).unwrap();
    let seats: Vec<Seat> = (0..8).map(|_| mixer.join(Role::Member).unwrap()).collect();
    let said = |levels: [f64; 8]| -> Vec<(Seat, f64, f64)> {
        seats.iter().zip(levels).enumerate().map(|(i, (s, l))| (*s, 200.0 + 100.0 * i as f64, l)).collect()
    };
    let floor = |mixer: &Mixer| seats.iter().map(|seat| mixer.has_floor(*seat)).collect::<Vec<_>>();
    let only = |a: usize, b: usize| (0..8).map(|i| i == a || i == b).collect::<Vec<_>>();
    talk(&mut mixer, 0, 30, &said([300.0, 9_000.0, 200.0, 100.0, 6_000.0, 90.0, 80.0, 70.0]), &[]);
    assert_eq!(floor(&mixer), only(1, 4));
    // 5 dB louder than one of them: not enough. 8 dB louder: the floor changes.
    talk(&mut mixer, 30, 50, &said([10_600.0, 9_000.0, 0.0, 0.0, 6_000.0, 0.0, 0.0, 0.0]), &[]);
    assert_eq!(floor(&mixer), only(1, 4));
    let heard =
        talk(&mut mixer, 80, 50, &said([15_000.0, 9_000.0, 0.0, 0.0, 6_000.0, 0.0, 0.0, 0.0]), &[seats[7]]);
    assert_eq!(floor(&mixer), only(0, 1));
    assert!(level(&heard[0][6_400..], 600.0, 8_000) < 50.0, "who has not the floor is not heard");
    // A pause of 200 ms between words leaves the floor where it is.
    talk(&mut mixer, 130, 10, &said([0.0, 9_000.0, 0.0, 0.0, 4_000.0, 0.0, 0.0, 0.0]), &[]);
    assert_eq!(floor(&mixer), only(0, 1));
}

/// MEDIA-10: 64 voices at full level fit into 16 bits.
#[test]
fn everybody_shouting_does_not_wrap_around() {
    let mut mixer = Mixer::new(16_000, 64, 64).unwrap();
    let seats: Vec<Seat> = (0..64).map(|_| mixer.join(Role::Member).unwrap()).collect();
    let talkers: Vec<_> = seats.iter().map(|seat| (*seat, 300.0, 32_000.0)).collect();
    let heard = talk(&mut mixer, 0, 20, &talkers, &seats[..1]);
    // All in phase: the sum is one loud tone, bent but never of the wrong sign.
    let reference: Vec<i16> = (0..20).flat_map(|n| tone(&mixer, 300.0, 32_000.0, n)).collect();
    for (heard, said) in heard[0].iter().zip(&reference).skip(320) {
        assert!(i32::from(*heard) * i32::from(*said) >= 0, "{heard} for {said}");
    }
    assert!(level(&heard[0][640..], 300.0, 16_000) > 25_000.0);
}

#[test]
fn a_seat_that_was_left_is_nobodys() {
    let mut mixer = Mixer::new(8_000, 2, 2).unwrap();
    let (a, b) = (mixer.join(Role::Member).unwrap(), mixer.join(Role::Member).unwrap());
    assert!(mixer.leave(b) && !mixer.leave(b));
    assert!(mixer.join(Role::Member).is_err(), "its last words are still dying away");
    mixer.mix();
    mixer.mix();
    let c = mixer.join(Role::Member).unwrap();
    assert!(!mixer.put(b, &[1; 160]) && !mixer.set_audible(a, b, true) && !mixer.set_role(b, Role::Monitor));
    assert_ne!(b, c);
    assert_eq!(mixer.seated(), 2);
    assert!(!mixer.set_audible(a, a, true), "nobody hears itself");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever parties do: what a listener hears is, once all fades are over, exactly the sum of whom it may hear.
    #[test]
    fn after_any_changes_the_mix_is_the_sum_of_the_audible(
        steps in prop::collection::vec((0u8..6, 0usize..8, 0usize..8), 1..60),
    ) {
        let mut mixer = Mixer::new(8_000, 8, 8).unwrap();
        let mut seats: Vec<Seat> = Vec::new();
        for (what, a, b) in steps {
            let (a, b) = (seats.get(a).copied(), seats.get(b).copied());
            match (what, a, b) {
                (0 | 1, ..) => seats.extend(mixer.join(Role::Member).ok()),
                (2, Some(a), _) => { mixer.leave(a); seats.retain(|seat| *seat != a); }
                (3, Some(a), Some(b)) => _ = mixer.set_audible(a, b, false),
                (4, Some(a), _) => _ = mixer.set_role(a, Role::Monitor),
                (5, Some(a), Some(b)) => _ = mixer.set_role(a, Role::Coach(b)),
                _ => {}
            }
            mixer.mix();
        }
        // Each says a constant of its own: a sum tells who is in it.
        for _ in 0..4 {
            for (i, seat) in seats.iter().enumerate() {
                mixer.put(*seat, &[1 << i; 160]);
            }
            mixer.mix();
        }
        let mut out = [0; 160];
        for (i, seat) in seats.iter().enumerate() {
            mixer.read(*seat, &mut out);
            let hears = mixer.parties[usize::from(seat.index)].hears;
            let sum: i16 =
                seats.iter().enumerate().filter(|(_, s)| hears & (1 << s.index) != 0).map(|(j, _)| 1 << j).sum();
            prop_assert_eq!(out, [sum; 160]);
            prop_assert_eq!(sum & (1 << i), 0);
        }
    }
}
