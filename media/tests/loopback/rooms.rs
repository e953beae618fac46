//! MEDIA-10, MEDIA-13: conferences with real packets.

use std::time::Duration;

use media::control::{
    Answer, Channel, Command, Direction, Event, MediaError, RoomOrder, RoomRole, RoomSetup, Source,
};
use media::driver::DriverChoice;
use media::record::{Entry, Reader};
use model::id::{Id, LegId, RecordingId, RoomId};

use crate::both_drivers;
use crate::party::{Party, talk, talk_anew};
use crate::world::{How, OPUS, PCMA, World};

both_drivers! {
    /// MEDIA-10: each hears the other two and never itself: G.711, SRTP and Opus in one room, from two media threads.
    three_parties_hear_the_others_and_never_themselves;
    /// MEDIA-10: per-pair audibility carries monitor, coach and barge-in.
    a_supervisor_listens_coaches_and_barges_in;
    /// MEDIA-10: 64 parties, of whom the loudest are heard.
    sixty_four_parties_hear_the_loudest;
    /// MEDIA-13: a command that fails leaves everything as it was, and says why in a type.
    a_refused_order_leaves_the_room_as_it_was;
    /// MEDIA-13: legs are muted, held, re-negotiated and ended in a room.
    a_party_is_muted_held_changed_and_killed_and_the_others_talk_on;
    a_digit_is_passed_to_each_other_party_once;
    /// MEDIA-13: a bridge becomes a room and a bridge again; no word is lost, and no gap is longer than a packet.
    a_call_becomes_a_conference_and_a_call_again_without_losing_a_word;
    /// RECO-01: a conference is recorded as the customer and everybody else.
    a_recording_has_the_customer_left_and_the_others_mixed_right;
}

const ROOM: u64 = 4_711;

fn room() -> RoomId {
    RoomId::from_number(ROOM)
}

async fn order(world: &World, order: RoomOrder) -> Result<Answer, MediaError> {
    world.media.command(Command::Room { room: room(), order }).await
}

async fn done(world: &World, what: RoomOrder) {
    assert_eq!(order(world, what).await, Ok(Answer::Done));
}

fn members(parties: &[Party]) -> Vec<(LegId, RoomRole)> {
    parties.iter().map(|party| (party.phone.leg, RoomRole::Member)).collect()
}

async fn open(world: &World, parties_max: usize, speakers: usize, parties: Vec<(LegId, RoomRole)>) {
    done(world, RoomOrder::Open(RoomSetup { parties_max, speakers, parties })).await;
}

fn two_threads(driver: DriverChoice) -> World {
    World::with(driver, 2, 40, Duration::from_secs(30))
}

async fn three_parties_hear_the_others_and_never_themselves(driver: DriverChoice) {
    let world = two_threads(driver);
    let suite = Some(media::control::SrtpSuite::AesCm128HmacSha1_80);
    let mut parties = vec![
        Party::join(&world, How::default(), 400.0).await,
        Party::join(&world, How { send: PCMA, suite, ..How::default() }, 650.0).await,
        Party::join(&world, How { send: OPUS, ..How::default() }, 1_000.0).await,
    ];
    open(&world, 3, 3, members(&parties)).await;
    talk_anew(&mut parties, 40).await;
    let tones: Vec<f64> = parties.iter().map(|party| party.hz).collect();
    for (me, party) in parties.iter().enumerate() {
        for (you, hz) in tones.iter().enumerate() {
            let level = party.level(*hz);
            assert_eq!(party.hears(*hz), me != you, "{me} hears {you} at {level:.0}");
            assert!(me != you || level < 200.0, "{me} hears itself at {level:.0}");
        }
        // One stream, without a hole in its numbers.
        for pair in party.packets.windows(2) {
            assert_eq!(pair[1].header.seq.since(pair[0].header.seq), 1);
            assert_eq!(pair[1].header.ssrc, pair[0].header.ssrc);
        }
    }
    let legs: Vec<u64> = world.media.counters().iter().map(|thread| thread.counters.legs).collect();
    assert!(legs.contains(&3), "all live on one thread: {legs:?}");
}

async fn a_supervisor_listens_coaches_and_barges_in(driver: DriverChoice) {
    let world = two_threads(driver);
    let mut parties = Vec::new();
    for hz in [400.0, 650.0, 1_000.0] {
        parties.push(Party::join(&world, How::default(), hz).await);
    }
    let [customer, agent, boss] = [0, 1, 2].map(|n: usize| parties[n].phone.leg);
    open(&world, 4, 3, members(&parties[..2])).await;
    done(&world, RoomOrder::Join { leg: boss, role: RoomRole::Monitor }).await;
    let set = |role| RoomOrder::SetRole { leg: boss, role };
    let audible = |audible| RoomOrder::SetAudible { listener: customer, speaker: boss, audible };
    for (change, by_customer, by_agent) in [
        (None, false, false),
        (Some(set(RoomRole::Coach(agent))), false, true),
        (Some(set(RoomRole::Member)), true, true),
        (Some(audible(false)), false, true),
        (Some(set(RoomRole::Monitor)), false, false),
    ] {
        let what = format!("{change:?}");
        if let Some(change) = change {
            done(&world, change).await;
        }
        talk_anew(&mut parties, 15).await;
        assert_eq!(parties[0].hears(1_000.0), by_customer, "the customer, {what}");
        assert_eq!(parties[1].hears(1_000.0), by_agent, "the agent, {what}");
        assert!(parties[2].hears(400.0) && parties[2].hears(650.0), "the supervisor hears both, {what}");
        assert!(parties[0].hears(650.0) && parties[1].hears(400.0), "the call goes on, {what}");
    }
    done(&world, RoomOrder::Leave { leg: boss }).await;
    talk_anew(&mut parties, 10).await;
    assert!(parties[2].heard.is_empty(), "who left hears nothing");
}

async fn sixty_four_parties_hear_the_loudest(driver: DriverChoice) {
    let world = World::with(driver, 1, 140, Duration::from_secs(30));
    let mut parties = Vec::new();
    for n in 0..64 {
        let send = if n % 2 == 0 { crate::world::PCMU } else { PCMA };
        let mut party =
            Party::join(&world, How { send, ..How::default() }, 400.0 + 250.0 * f64::from(n)).await;
        // The first three are loud, the others murmur.
        if n >= 3 {
            party.loud = 60.0;
            party.hz = 3_300.0;
        }
        parties.push(party);
    }
    open(&world, 64, 3, members(&parties)).await;
    let before = world.media.counters()[0].counters;
    talk_anew(&mut parties, 25).await;
    for (n, party) in parties.iter().enumerate() {
        for (you, hz) in [400.0, 650.0, 900.0].into_iter().enumerate() {
            assert_eq!(party.hears(hz), you != n, "{n} hears {you} at {:.0}", party.level(hz));
        }
    }
    let after = world.media.counters()[0].counters;
    let (sent, encoded) = (after.mixed - before.mixed, after.mix_encoded - before.mix_encoded);
    assert!(sent > 10 * encoded, "{encoded} encodings for {sent} packets: those who hear the same share one");
    let stranger = Party::join(&world, How::default(), 500.0).await;
    let join = RoomOrder::Join { leg: stranger.phone.leg, role: RoomRole::Member };
    assert_eq!(order(&world, join).await, Err(MediaError::RoomFull { room: room(), parties: 64 }));
}

async fn a_refused_order_leaves_the_room_as_it_was(driver: DriverChoice) {
    let world = two_threads(driver);
    let mut parties = Vec::new();
    for hz in [400.0, 650.0] {
        parties.push(Party::join(&world, How::default(), hz).await);
    }
    let third = Party::join(&world, How::default(), 1_000.0).await;
    let [anna, ben] = [0, 1].map(|n: usize| parties[n].phone.leg);
    let carl = third.phone.leg;
    let nobody = LegId::from_number(u64::MAX);
    let (unset, _) = world.create("127.0.0.1", None).await.unwrap();
    let join = |leg, role| RoomOrder::Join { leg, role };
    let setup = |parties| RoomOrder::Open(RoomSetup { parties_max: 2, speakers: 2, parties });
    let member = RoomRole::Member;
    assert_eq!(order(&world, join(anna, member)).await, Err(MediaError::NoSuchRoom(room())));
    // A room that cannot have all of its first parties is not opened, and nobody is in it.
    for (first, why) in [
        (vec![(anna, member), (nobody, member)], MediaError::NoSuchLeg(nobody)),
        (vec![(anna, member), (anna, member)], MediaError::InRoom { leg: anna, room: room() }),
        (
            vec![(anna, member), (ben, member), (carl, member)],
            MediaError::RoomFull { room: room(), parties: 2 },
        ),
        (
            vec![(anna, member), (unset, member)],
            MediaError::CannotMix { leg: unset, why: "nothing is negotiated yet".into() },
        ),
        (
            vec![(anna, member), (ben, RoomRole::Coach(carl))],
            MediaError::NotInRoom { leg: carl, room: room() },
        ),
    ] {
        assert_eq!(order(&world, setup(first)).await, Err(why));
        assert_eq!(order(&world, RoomOrder::Close).await, Err(MediaError::NoSuchRoom(room())));
    }
    let too_many = RoomOrder::Open(RoomSetup { parties_max: 65, speakers: 2, parties: vec![] });
    assert!(matches!(order(&world, too_many).await, Err(MediaError::BadSetup(_))));
    done(&world, setup(members(&parties))).await;
    let again = MediaError::InRoom { leg: anna, room: room() };
    for (refused, why) in [
        (setup(vec![]), MediaError::RoomExists(room())),
        (join(anna, member), again),
        (join(carl, member), MediaError::RoomFull { room: room(), parties: 2 }),
        (join(nobody, member), MediaError::NoSuchLeg(nobody)),
        (RoomOrder::Leave { leg: carl }, MediaError::NotInRoom { leg: carl, room: room() }),
        (
            RoomOrder::SetRole { leg: anna, role: RoomRole::Coach(carl) },
            MediaError::NotInRoom { leg: carl, room: room() },
        ),
        (
            RoomOrder::SetAudible { listener: carl, speaker: anna, audible: true },
            MediaError::NotInRoom { leg: carl, room: room() },
        ),
    ] {
        let what = format!("{refused:?}");
        assert_eq!(order(&world, refused).await, Err(why), "{what}");
    }
    talk_anew(&mut parties, 15).await;
    assert!(parties[0].hears(650.0) && parties[1].hears(400.0), "they talk as before");
    done(&world, RoomOrder::Close).await;
    assert_eq!(order(&world, join(anna, member)).await, Err(MediaError::NoSuchRoom(room())));
    talk_anew(&mut parties, 5).await;
    assert!(parties[0].heard.is_empty(), "a closed room is silent");
}

async fn a_party_is_muted_held_changed_and_killed_and_the_others_talk_on(driver: DriverChoice) {
    let mut world = two_threads(driver);
    let mut parties = Vec::new();
    for hz in [400.0, 650.0, 1_000.0] {
        parties.push(Party::join(&world, How::default(), hz).await);
    }
    open(&world, 3, 3, members(&parties)).await;
    let ben = parties[1].phone.leg;
    let mute = |muted| Command::Mute { leg: ben, muted };
    world.media.command(mute(true)).await.unwrap();
    talk_anew(&mut parties, 15).await;
    assert!(!parties[0].hears(650.0), "his words are dropped");
    assert!(parties[1].hears(400.0) && parties[1].hears(1_000.0), "he still hears");
    world.media.command(mute(false)).await.unwrap();
    // Held by the far end: nothing is sent to him, nothing is heard of him.
    parties[1].phone.how.direction = Direction::Inactive;
    world.configure(&parties[1].phone).await.unwrap();
    talk_anew(&mut parties, 15).await;
    assert!(!parties[0].hears(650.0) && parties[1].heard.is_empty());
    assert!(parties[0].hears(1_000.0), "the others talk on");
    // He is back, with another codec.
    parties[1].phone.how.direction = Direction::SendRecv;
    parties[1].phone.how.send = OPUS;
    world.configure(&parties[1].phone).await.unwrap();
    let phone = parties.remove(1).phone;
    parties.insert(1, Party::of(phone, 650.0));
    talk_anew(&mut parties, 20).await;
    assert!(parties[0].hears(650.0) && parties[1].hears(400.0) && parties[1].hears(1_000.0));
    // One falls silent, as a far end does that dies.
    let silent = parties.remove(2);
    talk_anew(&mut parties, 15).await;
    assert!(parties[0].hears(650.0) && !parties[0].hears(1_000.0));
    // One is killed.
    let ended = world.media.command(Command::DeleteLeg { leg: ben }).await;
    assert!(matches!(ended, Ok(Answer::Stats(_))));
    let mut rest = vec![parties.remove(0), silent];
    talk_anew(&mut rest, 20).await;
    assert!(rest[0].hears(1_000.0), "who was silent is heard again: {:.0}", rest[0].level(1_000.0));
    assert!(rest[1].hears(400.0), "and hears: {:.0}", rest[1].level(400.0));
    assert!(!rest[0].hears(650.0), "who is gone is not heard: {:.0}", rest[0].level(650.0));
    let mut spoke = false;
    while let Ok(event) = world.events.try_recv() {
        spoke |=
            matches!(event, Event::Speaking { room: of, legs } if of == room() && legs.contains(&Some(ben)));
    }
    assert!(spoke, "a supervisor's screen was told that he spoke");
}

async fn a_digit_is_passed_to_each_other_party_once(driver: DriverChoice) {
    let mut world = World::new(driver);
    let mut parties = Vec::new();
    for hz in [400.0, 650.0, 1_000.0] {
        parties.push(Party::join(&world, How::default(), hz).await);
    }
    open(&world, 3, 3, members(&parties)).await;
    talk_anew(&mut parties, 5).await;
    let event = |end: bool, duration: u16| {
        let [high, low] = duration.to_be_bytes();
        vec![5, if end { 0x8A } else { 10 }, high, low]
    };
    let time = parties[0].phone.time;
    for (payload, marker) in
        [(event(false, 160), true), (event(false, 320), false), (event(true, 480), false)]
    {
        parties[0].phone.time = time;
        let packet = parties[0].phone.packet(101, marker, &payload);
        parties[0].phone.rtp.send_to(&packet, parties[0].phone.their_rtp).unwrap();
        parties[0].phone.seq = parties[0].phone.seq.wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    parties[0].phone.time = time.wrapping_add(480);
    talk(&mut parties, 10).await;
    for (n, party) in parties.iter().enumerate() {
        let events: Vec<_> =
            party.packets.iter().filter(|packet| packet.header.payload_type == 101).collect();
        if n == 0 {
            assert!(events.is_empty(), "nobody is sent his own digit");
            continue;
        }
        assert_eq!(events.len(), 3, "each packet of it, once");
        assert!(events.iter().all(|event| event.header.timestamp == events[0].header.timestamp));
        assert_eq!(events[2].payload, event(true, 480));
        for pair in party.packets.windows(2) {
            assert_eq!(pair[1].header.seq.since(pair[0].header.seq), 1, "digits and voices in one stream");
        }
    }
    let mut digits = 0;
    while let Ok(event) = world.events.try_recv() {
        digits += usize::from(matches!(event, Event::Dtmf { digit: '5', .. }));
    }
    assert_eq!(digits, 1);
}

/// Twenty milliseconds of one loudness: a word that is told from all others.
fn word(n: usize) -> i16 {
    (400.0 * 1.07f64.powi(n as i32)) as i16
}

async fn a_call_becomes_a_conference_and_a_call_again_without_losing_a_word(driver: DriverChoice) {
    let world = World::new(driver);
    let mut anna = Party::join(&world, How::default(), 0.0).await;
    let mut ben = Party::join(&world, How::default(), 0.0).await;
    world.bridge(&anna.phone, &ben.phone).await;
    let parties = vec![(anna.phone.leg, RoomRole::Member), (ben.phone.leg, RoomRole::Member)];
    let said = 50;
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    #[expect(clippy::disallowed_methods, reason = "how evenly this test talks is measured with a real clock")]
    let clock = std::time::Instant::now();
    let (mut last, mut stall) = (clock.elapsed(), Duration::ZERO);
    for n in 0..said {
        pace.tick().await;
        if n == 15 {
            open(&world, 3, 3, parties.clone()).await;
        }
        if n == 35 {
            world.bridge(&anna.phone, &ben.phone).await;
        }
        stall = stall.max(clock.elapsed() - last);
        last = clock.elapsed();
        let payload = [media::codec::g711::encode_mu(word(n)); 160];
        anna.phone.says(&payload);
        ben.phone.says(&payload);
        anna.listens().await;
        ben.listens().await;
    }
    tokio::time::sleep(Duration::from_millis(80)).await;
    for party in [&mut anna, &mut ben] {
        party.listens().await;
        for n in 0..said {
            let is_it = |sample: &&i16| (f64::from(**sample) / f64::from(word(n)) - 1.0).abs() < 0.034;
            let samples = party.heard.iter().filter(is_it).count();
            // The first word of the mix rises from silence, so that only its end has its loudness.
            assert!(samples >= 4, "word {n} was lost; the test stalled for {stall:?}");
        }
        let gap_max = 320 + (stall.as_millis() as i32 - 20).max(0) * 8;
        for pair in party.packets.windows(2) {
            assert_eq!(pair[1].header.seq.since(pair[0].header.seq), 1);
            let step = pair[1].header.timestamp.since(pair[0].header.timestamp);
            assert!((160..=gap_max).contains(&step), "a step of {step}; the test stalled for {stall:?}");
        }
    }
    done(&world, RoomOrder::Close).await;
    talk_anew(&mut [anna, ben], 2).await;
}

async fn a_recording_has_the_customer_left_and_the_others_mixed_right(driver: DriverChoice) {
    let world = two_threads(driver);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("call.pbr");
    let recording = RecordingId::from_number(9);
    let mut parties = Vec::new();
    for hz in [400.0, 650.0, 1_000.0] {
        parties.push(Party::join(&world, How::default(), hz).await);
    }
    let customer = parties[0].phone.leg;
    let run = |command| world.media.command(command);
    assert_eq!(run(Command::StartRecording { recording, file: file.clone() }).await, Ok(Answer::Done));
    let no_room = RoomId::from_number(1);
    let (channel, without) = (Channel::Right, Some(customer));
    let tap = |room| Command::TapRoom { recording, channel, room, without };
    assert_eq!(run(tap(no_room)).await, Err(MediaError::NoSuchRoom(no_room)));
    open(&world, 3, 3, members(&parties)).await;
    let left = Command::Tap { recording, channel: Channel::Left, leg: Some(customer) };
    assert_eq!(run(left).await, Ok(Answer::Done));
    assert_eq!(run(tap(room())).await, Ok(Answer::Done));
    talk(&mut parties, 40).await;
    // Our side is one agent again: the channel follows.
    let agent = parties[1].phone.leg;
    world.bridge(&parties[0].phone, &parties[1].phone).await;
    assert_eq!(run(Command::Tap { recording, channel, leg: Some(agent) }).await, Ok(Answer::Done));
    world.hear(parties[2].phone.leg, Source::Nothing).await;
    talk(&mut parties, 10).await;
    let Ok(Answer::Recorded { missing: 0, .. }) = run(Command::StopRecording { recording }).await else {
        panic!("it is recorded")
    };
    let mut reader = Reader::new(std::fs::File::open(&file).unwrap()).unwrap();
    let (mut mixed, mut agents, mut customers, mut epochs) = (Vec::new(), 0, 0, Vec::new());
    while let Some(entry) = reader.next_entry().unwrap() {
        let Entry::Payload(payload) = entry else { continue };
        if payload.channel == Channel::Left {
            customers += 1;
            continue;
        }
        if !epochs.contains(&payload.epoch) {
            epochs.push(payload.epoch);
        }
        if epochs.len() == 1 {
            mixed.extend(payload.octets.iter().map(|code| media::codec::g711::decode_mu(*code)));
        } else {
            agents += 1;
        }
    }
    assert_eq!((customers, epochs.len()), (50, 2), "every word of the customer; a mix, then a leg");
    assert!(agents >= 10, "{agents}");
    let mut ear = parties.remove(2);
    ear.heard = mixed;
    assert!(ear.hears(650.0) && ear.hears(1_000.0), "everybody but the customer");
    assert!(ear.level(400.0) < 200.0, "and not the customer: {:.0}", ear.level(400.0));
}
