//! After-call work and records: dispositions, remarks, who sees what, recordings.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::time::Duration;

use desk::Refusal;
use desk::audit::Actor;
use desk::auth::Identity;
use desk::console::protocol::Command;
use desk::recording::{AudioFormat, Erasure, RecordingError};
use desk::records::{RecordFilter, RecordView};
use desk::testing::{House, Page, Setup, adam, anna, ben, help, solved, tenant};
use model::call::CallFact;
use model::id::{Id, InteractionId, RecordingId};
use model::interaction::{Direction, EndedBy};
use model::journal::Event;
use model::people::Privilege;
use model::recording::ErasedRange;
use model::service::Service;
use model::time::Timestamp;
use store::recordings::RecordingState;

fn coded(interaction: InteractionId, comment: &str) -> Command {
    Command::Code { interaction, disposition: Some(solved()), comment: Some(comment.into()) }
}
async fn records(house: &House, who: &Identity, filter: RecordFilter) -> Vec<RecordView> {
    house.settled().await;
    house.desk.records(who, filter, None, 50).await.unwrap().items
}

/// ACW-01, ACW-02, ERR-16: with a mandatory disposition completing without one is refused and changes nothing.
#[tokio::test]
async fn a_mandatory_disposition_is_asked_for_before_completing() {
    let mut house = House::open_with(Setup { mandatory: true, ..Setup::default() }).await;
    let mut page = house.page("anna").await;
    let service = &page.welcome["snapshot"]["services"][0];
    assert_eq!(service["disposition_mandatory"], true);
    assert_eq!(service["dispositions"][0]["name"], "Solved");
    let call = house.talking(&mut page).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    let refused = page.does(Command::Complete { interaction: call }).await;
    assert_eq!(refused, Err(Refusal::DispositionRequired));
    assert_eq!(house.desk.agents().await.unwrap()[0].state.state, "wrap_up");
    page.does(coded(call, "")).await.unwrap();
    page.does(Command::Complete { interaction: call }).await.unwrap();
    page.state("ready").await;
}

/// ACW-01: where it is optional, nothing is asked.
#[tokio::test]
async fn an_optional_disposition_may_be_left_out() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    page.does(Command::Complete { interaction: call }).await.unwrap();
    assert_eq!(records(&house, &page.who, RecordFilter::default()).await[0].disposition, None);
}

/// ACW-03, ACW-05: disposition and remark are set during the call and changed in after-call work; the last one stands.
#[tokio::test]
async fn coding_works_in_the_call_and_after_it() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    page.does(coded(call, "asks for an invoice")).await.unwrap();
    let work = page.event("work", |e| e["work"]["comment"] == "asks for an invoice").await;
    assert_eq!(work["work"]["disposition"], solved().to_string());
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    let later = Command::Code { interaction: call, disposition: None, comment: Some("invoice sent".into()) };
    page.does(later).await.unwrap();
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let record = &records(&house, &page.who, RecordFilter::default()).await[0];
    // ACW-06: the remark is a column of the records.
    assert_eq!(record.comment, "invoice sent");
    assert_eq!(record.disposition_name.as_deref(), Some("Solved"));
    let too_late = page.does(coded(call, "one more thing")).await;
    assert_eq!(too_late, Err(Refusal::missing("call")), "the work is complete");
}

#[tokio::test]
async fn a_disposition_of_no_list_and_an_endless_remark_are_refused() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    let unknown = Command::Code { interaction: call, disposition: Some(Id::from_number(9)), comment: None };
    assert!(matches!(page.does(unknown).await, Err(Refusal::Invalid { .. })));
    let endless = Command::Code { interaction: call, disposition: None, comment: Some("x".repeat(4_001)) };
    assert!(matches!(page.does(endless).await, Err(Refusal::Invalid { .. })));
    let coded = |e: &&Event| matches!(e, Event::Coded { .. });
    assert_eq!(house.journal().await.iter().filter(coded).count(), 0, "refused means: nothing was written");
}

/// ACW-04: completing closes the work and leads to where the group says.
#[tokio::test]
async fn completing_leads_to_the_state_of_the_group() {
    let mut setup = Setup::default();
    setup.rules.after_interaction = model::people::RestState::NotReady;
    let mut house = House::open_with(setup).await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    house.clock.advance(Duration::from_secs(12));
    page.does(Command::Complete { interaction: call }).await.unwrap();
    let me = page.state("not_ready").await;
    assert_eq!(me["agent"]["state"]["reason"]["kind"], "after_interaction");
    let completed = house.journal().await.into_iter().find_map(|event| match event {
        Event::Completed { wrap_up, .. } => Some(wrap_up),
        _ => None,
    });
    assert_eq!(completed, Some(Duration::from_secs(12)));
}

/// REC-01: agents see their own records only, filtered; the privilege widens it.
#[tokio::test]
async fn agents_see_their_own_records_and_supervisors_all() {
    let mut house = House::open().await;
    let mut anna_page = house.page("anna").await;
    let first = house.talking(&mut anna_page).await;
    house.call_ends(first, EndedBy::Customer).await;
    anna_page.does(Command::Offline).await.ok();
    anna_page.state("offline").await;
    house.clock.advance(Duration::from_secs(60));
    let mut ben_page = house.page("ben").await;
    let second = house.talking(&mut ben_page).await;
    house.call_ends(second, EndedBy::Agent).await;
    ben_page.state("wrap_up").await;

    let own = records(&house, &anna_page.who, RecordFilter::default()).await;
    assert_eq!(own.iter().map(|r| r.interaction).collect::<Vec<_>>(), [first]);
    let nosy = RecordFilter { agent: Some(ben()), ..RecordFilter::default() };
    let refused = house.desk.records(&anna_page.who, nosy, None, 50).await;
    assert_eq!(refused.unwrap_err(), Refusal::Forbidden { needs: Privilege::SeeAllRecords });
    let others = house.desk.record(&anna_page.who, second).await;
    assert_eq!(others.unwrap_err(), Refusal::missing("record"));

    let sue = house.sign_in("sue").await;
    assert_eq!(records(&house, &sue, RecordFilter::default()).await.len(), 2);
    let later = Timestamp::from_millis(1_795_255_200_000 + 30_000);
    for (filter, found) in [
        (RecordFilter { from: Some(later), ..RecordFilter::default() }, 1),
        (RecordFilter { to: Some(later), ..RecordFilter::default() }, 1),
        (RecordFilter { service: Some(help()), ..RecordFilter::default() }, 2),
        (RecordFilter { direction: Some(Direction::Outbound), ..RecordFilter::default() }, 0),
        (RecordFilter { caller: Some("30123".into()), ..RecordFilter::default() }, 2),
        (RecordFilter { contact: Some("999".into()), ..RecordFilter::default() }, 0),
        (RecordFilter { agent: Some(anna()), ..RecordFilter::default() }, 1),
    ] {
        assert_eq!(records(&house, &sue, filter.clone()).await.len(), found, "{filter:?}");
    }
}

/// REC-02 to REC-05: the columns of a record, with the time of the conversation and the duration from arrival.
#[tokio::test]
async fn a_record_has_its_columns_times_and_numbers() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    page.does(Command::NotReady { reason: None }).await.unwrap();
    let arrived = house.desk.now();
    let call = house.customer_calls("100").await;
    house.pass(Duration::from_secs(9)).await;
    page.does(Command::Ready).await.unwrap();
    let (_, token) = house.rung(call).await;
    page.does(Command::Accept { offer: token }).await.unwrap();
    house.pass(Duration::from_secs(1)).await;
    house.bridged(call, anna()).await;
    page.event("work", |e| e["work"]["phase"] == "talking").await;
    house.pass(Duration::from_secs(20)).await;
    house.call_ends(call, EndedBy::Customer).await;
    page.state("wrap_up").await;
    let record = &records(&house, &page.who, RecordFilter::default()).await[0];
    assert_eq!(record.time, arrived.millis() + 10_000, "REC-03: when the conversation began");
    assert_eq!(record.duration_ms, Some(30_000), "REC-04: from the arrival to the hang-up");
    assert_eq!(
        (&*record.caller, &*record.contact),
        ("+4930123456", "100"),
        "REC-05: the caller is the customer"
    );
    assert_eq!(record.status, Some("normal"), "REC-06");
    assert_eq!(record.service_name.as_deref(), Some("Help"));
    assert_eq!(record.queued_at, Some(arrived.millis()));
}

/// REC-07: a call is recorded as it happens, finished, linked to its record, and played; playing is audited.
#[tokio::test]
async fn a_recorded_call_can_be_played_and_playing_is_audited() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let (call, recording) = house.recorded_call(&mut page).await;
    page.state("wrap_up").await;
    let row = house.store.recordings().recording(tenant(), recording).await.unwrap().unwrap();
    assert_eq!(row.length, Duration::from_secs(7));
    let finished = |e: &&Event| matches!(e, Event::RecordingFinished { complete: true, .. });
    assert_eq!(house.journal().await.iter().filter(finished).count(), 1);
    let path = house.folder().join("take.mp3");
    std::fs::write(&path, b"a take").unwrap();
    *house.finisher.file.lock().unwrap() = Some(path.clone());
    let actor = Actor { user: Some(anna()), address: None, key: None };
    let file = house.desk.recording(&page.who, call, AudioFormat::Mp3, actor).await.unwrap();
    assert_eq!(file.read_at(0, 100).unwrap(), b"a take");
    let log = house.desk.audit().list(&Default::default(), None, 50).await.unwrap();
    let played = log.items.iter().find(|entry| entry.action == "recording.play").unwrap();
    assert_eq!((played.actor, &played.target), (Some(anna()), &call.to_string()));
    let sue_id = house.sign_in("sue").await;
    let accesses = house.desk.recording_accesses(&sue_id, call, None, 50).await.unwrap().items;
    let [access] = &accesses[..] else { panic!("one who played it: {accesses:?}") };
    assert_eq!((access.by, access.by_name.as_deref()), (Some(anna()), Some("ANNA")));
    assert!(access.format.is_some() && access.at > 0, "{access:?}");
}

/// RECO-05: only who may erases a recording, whole or a stretch; it is audited, and the record knows who did it. RECO-06: what
/// is erased cannot be played.
#[tokio::test]
async fn an_erased_recording_is_known_as_such_and_plays_no_more() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    let recording = house.desk.recording_id(call).await;
    let adam_id = house.sign_in("adam").await;
    let actor = Actor { user: Some(adam()), address: None, key: None };
    let early = house.desk.erase_recording(&adam_id, call, None, actor).await;
    assert!(matches!(early, Err(Refusal::NotNow { .. })), "{early:?}");
    house.captured(call, recording).await;
    let refused = house.desk.erase_recording(&page.who, call, None, actor).await;
    assert!(matches!(refused, Err(Refusal::Forbidden { .. })), "{refused:?}");

    let stretch = ErasedRange { from_ms: 1_000, to_ms: 2_000 };
    let beyond = ErasedRange { from_ms: 7_000, to_ms: 8_000 };
    assert!(house.desk.erase_recording(&adam_id, call, Some(beyond), actor).await.is_err());
    house.desk.erase_recording(&adam_id, call, Some(stretch), actor).await.unwrap();
    house.desk.peaks(&adam_id, call).await.expect("what is left can be played");
    house.desk.erase_recording(&adam_id, call, None, actor).await.unwrap();
    assert_eq!(*house.finisher.erased.lock().unwrap(), [(recording, Some(stretch)), (recording, None)]);
    let record = house.desk.record(&adam_id, call).await.unwrap();
    let told: Vec<_> = record.recording_erased.iter().map(|e| (e.by, e.range)).collect();
    assert_eq!(told, [(Some(adam()), Some(stretch)), (Some(adam()), None)]);
    assert!(house.desk.peaks(&adam_id, call).await.is_err());
    assert!(house.desk.recording(&adam_id, call, AudioFormat::Opus, actor).await.is_err());
    assert_eq!(house.state_of(recording).await, Some(RecordingState::Erased));
    let log = house.desk.audit().list(&Default::default(), None, 50).await.unwrap();
    assert_eq!(log.items.iter().filter(|entry| entry.action == "recording.erase").count(), 2);
}

/// RECO-05: an erasure that a crash interrupted is finished by the next start, and journal and record tell of it once, however
/// often that is interrupted.
#[tokio::test]
async fn an_interrupted_erasure_is_finished_by_the_next_start_and_told_once() {
    let mut house = House::open().await;
    let mut page = house.page("anna").await;
    let (call, recording) = house.recorded_call(&mut page).await;
    let stretch = Some(ErasedRange { from_ms: 1_000, to_ms: 2_000 });
    let begun = |range| Erasure { recording, range, by: Some(adam()), at: house.desk.now() };
    let (part, whole) = (begun(stretch), begun(None));
    for (interrupted, told) in [(part, vec![stretch]), (part, vec![stretch]), (whole, vec![stretch, None])] {
        // The crash came before anybody was told, or the note was not taken away.
        *house.finisher.begun.lock().unwrap() = vec![interrupted];
        house = house.crash().await;
        house.eventually(async |house| house.finisher.begun.lock().unwrap().is_empty()).await;
        let adam_id = house.sign_in("adam").await;
        let record = house.desk.record(&adam_id, call).await.unwrap();
        let erased: Vec<_> = record.recording_erased.iter().map(|e| e.range).collect();
        assert_eq!(erased, told);
        assert!(record.recording_erased.iter().all(|e| e.by == Some(adam())));
    }
    assert!(house.state_of(recording).await == Some(RecordingState::Erased));
    assert_eq!(
        *house.finisher.erased.lock().unwrap(),
        [(recording, stretch), (recording, stretch), (recording, None)]
    );
}

/// RECO-05: retention per service: what is older is erased without anybody's doing, what is younger stays.
#[tokio::test]
async fn a_service_keeps_recordings_as_long_as_it_says() {
    let mut house = House::open().await;
    let adam_id = house.sign_in("adam").await;
    let actor = Actor { user: Some(adam()), address: None, key: None };
    let mut service = house.desk.get::<Service>(help()).await.unwrap();
    service.item.recording.keep_days = Some(2);
    house.desk.update(service.item, service.version, actor).await.unwrap();
    let mut page = house.page("anna").await;
    let (call, recording) = house.recorded_call(&mut page).await;
    house.pass(Duration::from_secs(47 * 3_600)).await;
    assert_eq!(house.state_of(recording).await, Some(RecordingState::Ready));
    // It is looked after once an hour; the hour begins when the one before is done.
    house
        .eventually(async |house| {
            house.pass(Duration::from_secs(3_601)).await;
            house.state_of(recording).await == Some(RecordingState::Erased)
        })
        .await;
    // The audio goes first, then it is told.
    house
        .eventually(async |house| {
            let record = house.desk.record(&adam_id, call).await.unwrap();
            let told: Vec<_> = record.recording_erased.iter().map(|e| (e.by, e.range)).collect();
            assert!(told.len() <= 1, "told once: {told:?}");
            told == [(None, None)]
        })
        .await;
}

/// The finisher gives up: everybody concerned is told, and the record says nothing that is not so.
#[tokio::test]
async fn a_recording_that_cannot_be_finished_is_told_and_counted() {
    let mut house = House::open().await;
    *house.finisher.broken.lock().unwrap() = Some(RecordingError::Missing(RecordingId::from_number(1)));
    let mut page = house.page("anna").await;
    let call = house.talking(&mut page).await;
    let recording = house.desk.recording_id(call).await;
    house.fact(CallFact::RecordingCaptured { interaction: call, recording }).await;
    page.banner("recording_failed").await;
    let failed = |e: &&Event| matches!(e, Event::RecordingFailed { .. });
    assert_eq!(house.journal().await.iter().filter(failed).count(), 1);
    house.eventually(async |house| house.state_of(recording).await == Some(RecordingState::Failed)).await;
    assert_eq!(house.desk.call(call).await.unwrap().phase, "talking", "the call goes on");
}

/// Recorded calls, in a few words.
trait Recorded {
    async fn state_of(&self, recording: RecordingId) -> Option<RecordingState>;
    async fn captured(&self, call: InteractionId, recording: RecordingId);
    async fn recorded_call(&mut self, page: &mut Page) -> (InteractionId, RecordingId);
}
impl Recorded for House {
    async fn state_of(&self, recording: RecordingId) -> Option<RecordingState> {
        self.store.recordings().recording(tenant(), recording).await.unwrap().map(|row| row.state)
    }
    /// A call's recording is captured, the call ends, and the recording can be played.
    async fn captured(&self, call: InteractionId, recording: RecordingId) {
        self.fact(CallFact::RecordingCaptured { interaction: call, recording }).await;
        self.call_ends(call, EndedBy::Customer).await;
        self.eventually(async |house| house.state_of(recording).await == Some(RecordingState::Ready)).await;
    }
    /// A call of this page's agent that was recorded and is over.
    async fn recorded_call(&mut self, page: &mut Page) -> (InteractionId, RecordingId) {
        let call = self.talking(page).await;
        let recording = self.desk.recording_id(call).await;
        self.captured(call, recording).await;
        (call, recording)
    }
}

trait Ask {
    async fn recording_id(&self, call: InteractionId) -> RecordingId;
}
impl Ask for desk::DeskHandle {
    /// Under which id a call is being recorded, by the journal.
    async fn recording_id(&self, call: InteractionId) -> RecordingId {
        let entries = self.journal().read(tenant(), model::journal::Seq(1), 10_000).await.unwrap();
        let started = entries.into_iter().find_map(|entry| match entry.event {
            Event::RecordingStarted { interaction, recording } if interaction == call => Some(recording),
            _ => None,
        });
        started.expect("the call is recorded")
    }
}
