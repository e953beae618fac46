//! Recording what legs say.

use std::collections::BTreeMap;
use std::time::Duration;

use media::control::{Answer, Channel, Command, MediaError, PauseReason};
use media::driver::DriverChoice;
use media::record::{Entry, Reader};
use model::id::{Id, RecordingId};

use crate::both_drivers;
use crate::world::{How, World, g711};

both_drivers! {
    /// RECO-01: customer left, our side right, continuous through a transfer to another agent.
    a_recording_follows_the_call_through_a_transfer;
    a_recording_that_cannot_begin_says_why;
    /// RECO-04: what is said between pause and resume is nowhere in the container; all the rest is there.
    a_pause_holds_nothing_of_what_legs_say;
}

async fn a_pause_holds_nothing_of_what_legs_say(driver: DriverChoice) {
    let world = World::with(driver, 2, 40, Duration::from_secs(30));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("call.pbr");
    let recording = RecordingId::from_number(9);
    let (mut customer, mut agent) = (world.phone(How::default()).await, world.phone(How::default()).await);
    let run = |command| world.media.command(command);
    let pause = || run(Command::PauseRecording { recording, why: PauseReason::CardData });
    assert_eq!(pause().await, Err(MediaError::NoSuchRecording(recording)));
    run(Command::StartRecording { recording, file: file.clone() }).await.unwrap();
    for (channel, leg) in [(Channel::Left, customer.leg), (Channel::Right, agent.leg)] {
        run(Command::Tap { recording, channel, leg: Some(leg) }).await.unwrap();
    }
    world.bridge(&customer, &agent).await;
    let ten = |from: u8| (from..from + 10).map(g711).collect::<Vec<_>>();
    tokio::join!(customer.talks(ten(0)), agent.talks(ten(50)));
    assert_eq!(pause().await, Ok(Answer::Done));
    assert_eq!(pause().await, Ok(Answer::Done), "it is paused already");
    tokio::join!(customer.talks(ten(10)), agent.talks(ten(60)));
    assert_eq!(run(Command::ResumeRecording { recording }).await, Ok(Answer::Done));
    tokio::join!(customer.talks(ten(20)), agent.talks(ten(70)));
    let done = run(Command::StopRecording { recording }).await;
    assert_eq!(done, Ok(Answer::Recorded { frames: 40, missing: 0 }));
    let mut reader = Reader::new(std::fs::File::open(&file).unwrap()).unwrap();
    let (mut said, mut marks): (BTreeMap<u8, Vec<Vec<u8>>>, _) = (BTreeMap::new(), Vec::new());
    while let Some(entry) = reader.next_entry().unwrap() {
        match entry {
            Entry::Payload(payload) => {
                let channel = u8::from(payload.channel == Channel::Right);
                said.entry(channel).or_default().push(payload.octets.to_vec());
            }
            Entry::Pause { why, .. } => marks.push(Some(why)),
            Entry::Resume { .. } => marks.push(None),
            _ => {}
        }
    }
    assert_eq!(said[&0], [ten(0), ten(20)].concat());
    assert_eq!(said[&1], [ten(50), ten(70)].concat());
    assert_eq!(marks, [Some(PauseReason::CardData), None]);
}

async fn a_recording_follows_the_call_through_a_transfer(driver: DriverChoice) {
    let world = World::with(driver, 2, 40, Duration::from_secs(30));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("call.pbr");
    let recording = RecordingId::from_number(7);
    let (mut customer, mut first) = (world.phone(How::default()).await, world.phone(How::default()).await);
    let mut second = world.phone(How::default()).await;
    let run = |command| world.media.command(command);
    assert_eq!(run(Command::StartRecording { recording, file: file.clone() }).await, Ok(Answer::Done));
    let tap = |channel, leg| Command::Tap { recording, channel, leg };
    assert_eq!(run(tap(Channel::Left, Some(customer.leg))).await, Ok(Answer::Done));
    assert_eq!(run(tap(Channel::Right, Some(first.leg))).await, Ok(Answer::Done));
    world.bridge(&customer, &first).await;
    let ten = |from: u8| (from..from + 10).map(g711).collect::<Vec<_>>();
    tokio::join!(customer.talks(ten(0)), first.talks(ten(50)));
    run(Command::Mute { leg: first.leg, muted: true }).await.unwrap();
    first.talks([g711(66)]).await;
    // Transfer: the second agent takes over.
    world.bridge(&customer, &second).await;
    assert_eq!(run(tap(Channel::Right, Some(second.leg))).await, Ok(Answer::Done));
    tokio::join!(customer.talks(ten(10)), second.talks(ten(100)), first.talks(ten(200)));
    let done = run(Command::StopRecording { recording }).await;
    assert_eq!(done, Ok(Answer::Recorded { frames: 41, missing: 0 }));
    assert_eq!(
        run(Command::StopRecording { recording }).await,
        Err(MediaError::NoSuchRecording(recording)),
        "it is over"
    );
    let mut reader = Reader::new(std::fs::File::open(&file).unwrap()).unwrap();
    let mut said: BTreeMap<u8, Vec<Vec<u8>>> = BTreeMap::new();
    let mut epochs: Vec<(u8, u16)> = Vec::new();
    while let Some(entry) = reader.next_entry().unwrap() {
        if let Entry::Payload(payload) = entry {
            let channel = u8::from(payload.channel == Channel::Right);
            said.entry(channel).or_default().push(payload.octets.to_vec());
            if !epochs.contains(&(channel, payload.epoch)) {
                epochs.push((channel, payload.epoch));
            }
        }
    }
    assert_eq!(said[&0], (0..20).map(g711).collect::<Vec<_>>(), "the customer, without a hole");
    let ours = [ten(50), vec![vec![0xFF; 160]], ten(100)].concat();
    assert_eq!(said[&1], ours, "the agents one after the other; muted words are silence");
    assert_eq!(epochs.iter().filter(|(channel, _)| *channel == 1).count(), 2, "two streams of numbers");
    assert_eq!(reader.tail().broken_seals, 0);
}

async fn a_recording_that_cannot_begin_says_why(driver: DriverChoice) {
    let world = World::new(driver);
    let recording = RecordingId::from_number(8);
    let no_folder = tempfile::NamedTempFile::new().unwrap();
    let file = no_folder.path().join("call.pbr");
    let refused = world.media.command(Command::StartRecording { recording, file: file.clone() }).await;
    assert!(matches!(refused, Err(MediaError::Recording { file: f, .. }) if f == file));
    let phone = world.phone(How::default()).await;
    let tap = Command::Tap { recording, channel: Channel::Left, leg: Some(phone.leg) };
    assert_eq!(world.media.command(tap).await, Err(MediaError::NoSuchRecording(recording)));
}
