//! Calls told event by event, and the record that must remain of them.

use std::time::Duration;

use model::id::{
    DispositionId, Id, InteractionId, LegId, OfferToken, RecordingId, ServiceId, TenantId, UserId,
};
use model::interaction::{Channel, Direction, EndStatus, EndedBy, NOTED_MAX, ServiceRecord};
use model::journal::{Entry, Event, OfferEnd, Party, Seq};
use model::media::StreamStats;
use model::skill::{Requirement, SkillExpr};
use model::time::Timestamp;
use model::written::Assignment;

use super::{duration, fold_record, time};

const CALL: u64 = 7;
const JONAS: u64 = 1;
const ANA: u64 = 2;
const CUSTOMER: &str = "+491701234567";
const OUR_LINE: &str = "+4930555";

/// A call under way; each method is an event at a second of the day.
struct Call(Option<ServiceRecord>, u64);

fn at(second: u64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

impl Call {
    fn comes_in(second: u64) -> Self {
        Self::begins(second, Direction::Inbound, CUSTOMER, OUR_LINE)
    }
    fn is_dialled(second: u64) -> Self {
        Self::begins(second, Direction::Outbound, OUR_LINE, CUSTOMER)
    }
    fn begins(second: u64, direction: Direction, caller: &str, contact: &str) -> Self {
        let mut call = Self(None, 0);
        call.tell(second, |interaction| Event::Arrived {
            interaction,
            channel: Channel::Voice,
            direction,
            caller: caller.into(),
            caller_name: Some("Ada".into()),
            contact: contact.into(),
            trunk: None,
            service: None,
            calling_agent: None,
        });
        call
    }
    fn tell(&mut self, second: u64, event: impl FnOnce(InteractionId) -> Event) -> bool {
        self.1 += 1;
        let event = event(InteractionId::from_number(CALL));
        fold_record(
            &mut self.0,
            &Entry { seq: Seq(self.1), tenant: TenantId::from_number(1), at: at(second), event },
        )
    }
    fn queues(&mut self, second: u64, service: u64) {
        let (service, requirement) = (ServiceId::from_number(service), Requirement::fixed(SkillExpr::Any));
        self.tell(second, |interaction| Event::Queued {
            interaction,
            channel: Channel::Voice,
            service,
            requirement,
            priority: 0,
            since: None,
            ahead: Duration::ZERO,
        });
    }
    fn rings(&mut self, second: u64, agent: u64) {
        let (agent, token, deadline) =
            (UserId::from_number(agent), OfferToken::from_number(second), at(second + 20));
        self.tell(second, |interaction| Event::Offered { interaction, agent, token, deadline });
    }
    fn stops_ringing(&mut self, second: u64, agent: u64, why: OfferEnd) {
        let (agent, token) = (UserId::from_number(agent), OfferToken::from_number(1));
        self.tell(second, |interaction| Event::OfferEnded { interaction, agent, token, why });
    }
    fn is_accepted(&mut self, second: u64, agent: u64) {
        let (agent, token) = (UserId::from_number(agent), OfferToken::from_number(1));
        self.tell(second, |interaction| Event::Accepted { interaction, agent, token });
    }
    fn talks(&mut self, second: u64, agent: u64) {
        self.tell(second, |interaction| Event::Bridged { interaction, agent: UserId::from_number(agent) });
    }
    fn ends(&mut self, second: u64, status: EndStatus, by: EndedBy) {
        self.tell(second, |interaction| Event::Ended { interaction, status, by });
    }
    fn record(&self) -> &ServiceRecord {
        self.0.as_ref().unwrap()
    }
}

/// ROUTE-07: what flows noted stays in the record; a later value takes the place of an earlier one, and an empty one is gone.
#[test]
fn a_record_has_what_was_noted() {
    let mut call = Call::comes_in(100);
    for (second, name, value) in
        [(101, "account", "4711"), (102, "topic", "2"), (103, "account", "4712"), (104, "topic", "")]
    {
        let values = [(name.to_owned(), value.to_owned())].into();
        assert!(call.tell(second, |interaction| Event::Noted { interaction, values }));
    }
    assert_eq!(call.record().noted, [("account".to_owned(), "4712".to_owned())].into());
    for n in 0..1_000 {
        let values = [(format!("v{n}"), "x".to_owned())].into();
        call.tell(105, |interaction| Event::Noted { interaction, values });
    }
    assert_eq!(call.record().noted.len(), NOTED_MAX);
}

/// REC-03: inbound shows the start of the actual conversation, after the prompt tone, not the arrival or the acceptance.
#[test]
fn an_inbound_call_is_shown_at_the_start_of_its_conversation() {
    let mut call = Call::comes_in(100);
    call.queues(102, 1);
    call.rings(110, JONAS);
    call.is_accepted(114, JONAS);
    call.talks(116, JONAS);
    assert_eq!(time(call.record()), at(116));
    call.talks(300, ANA);
    assert_eq!(time(call.record()), at(116), "being passed on does not begin it again");
}

/// REC-03: an inbound call nobody talked to is shown at its arrival, an outbound one at the start of dialling.
#[test]
fn a_dialled_call_is_shown_at_the_start_of_dialling_and_an_unanswered_one_at_its_arrival() {
    let mut dialled = Call::is_dialled(100);
    dialled.talks(118, JONAS);
    assert_eq!(time(dialled.record()), at(100));
    assert_eq!(time(Call::comes_in(200).record()), at(200));
}

/// REC-04: inbound lasts from the caller's arrival to hang-up, waiting included; outbound from the start of dialling.
#[test]
fn a_call_lasts_from_arrival_or_dialling_to_hang_up() {
    for mut call in [Call::comes_in(100), Call::is_dialled(100)] {
        assert_eq!(duration(call.record()), None, "it goes on");
        call.talks(160, JONAS);
        call.ends(190, EndStatus::Normal, EndedBy::Customer);
        call.tell(240, |interaction| Event::Completed {
            interaction,
            agent: UserId::from_number(JONAS),
            wrap_up: Duration::from_secs(50),
        });
        assert_eq!(duration(call.record()), Some(Duration::from_secs(90)), "after-call work does not count");
        assert_eq!(call.record().completed_at, Some(at(240)));
    }
}

/// REC-05: inbound the customer is the caller; outbound our line is the caller and the customer the contact.
#[test]
fn caller_and_contact_swap_roles_by_direction() {
    let inbound = Call::comes_in(1);
    assert_eq!((inbound.record().caller.as_str(), inbound.record().contact.as_str()), (CUSTOMER, OUR_LINE));
    let outbound = Call::is_dialled(1);
    assert_eq!((outbound.record().caller.as_str(), outbound.record().contact.as_str()), (OUR_LINE, CUSTOMER));
}

/// REC-06: normal end, blocked, transferred, abandoned in ringing and no agent online are told apart.
#[test]
fn each_way_to_end_stands_in_the_record() {
    let ends = [
        EndStatus::Normal,
        EndStatus::Blocked,
        EndStatus::Transferred,
        EndStatus::AbandonedRinging,
        EndStatus::NoAgentOnline,
    ];
    for status in ends {
        let mut call = Call::comes_in(1);
        assert_eq!(call.record().status, None, "it goes on");
        call.ends(9, status, EndedBy::System);
        let record = call.record();
        assert_eq!(
            (record.status, record.ended_by, record.ended_at),
            (Some(status), Some(EndedBy::System), Some(at(9)))
        );
    }
}

/// REC-06, VOICE-15: a caller who leaves while a phone rings is recorded against that agent, not against the one who was
/// rung before, whichever of the two events comes first.
#[test]
fn leaving_in_ringing_counts_against_the_agent_who_was_rung() {
    for offer_ends_first in [true, false] {
        let mut call = Call::comes_in(1);
        call.rings(2, JONAS);
        call.stops_ringing(22, JONAS, OfferEnd::NoAnswer);
        assert_eq!(call.record().agent, None, "a missed offer alone is no handling");
        call.rings(23, ANA);
        if offer_ends_first {
            call.stops_ringing(30, ANA, OfferEnd::CallerLeft);
            call.ends(30, EndStatus::AbandonedRinging, EndedBy::Customer);
        } else {
            call.ends(30, EndStatus::AbandonedRinging, EndedBy::Customer);
            call.stops_ringing(30, ANA, OfferEnd::CallerLeft);
        }
        let record = call.record();
        assert_eq!(
            (record.agent, record.status),
            (Some(UserId::from_number(ANA)), Some(EndStatus::AbandonedRinging))
        );
        assert_eq!((record.offered_at, record.answered_at), (Some(at(2)), None));
    }
}

#[test]
fn a_call_an_agent_dialled_is_that_agents_from_the_start() {
    let mut call = Call::is_dialled(1);
    let agent = UserId::from_number(ANA);
    call.tell(1, |interaction| Event::HandlingStarted {
        interaction,
        agent,
        channel: Channel::Voice,
        internal: false,
    });
    call.ends(20, EndStatus::Refused, EndedBy::Customer);
    assert_eq!((call.record().agent, call.record().answered_at), (Some(agent), None));
}

#[test]
fn a_colleagues_call_names_both_and_what_keeps_the_caller_busy_is_no_record() {
    let mut call = Call(None, 0);
    let (ana, jonas) = (UserId::from_number(ANA), UserId::from_number(JONAS));
    let busy = |interaction| Event::HandlingStarted {
        interaction,
        agent: ana,
        channel: Channel::Voice,
        internal: true,
    };
    assert!(!call.tell(1, busy));
    assert!(call.0.is_none(), "it never arrived");
    call.tell(1, |interaction| Event::Arrived {
        interaction,
        channel: Channel::Voice,
        direction: Direction::Internal,
        caller: "1001".into(),
        caller_name: Some("Ana".into()),
        contact: "1002".into(),
        trunk: None,
        service: None,
        calling_agent: Some(ana),
    });
    call.rings(1, JONAS);
    call.stops_ringing(9, JONAS, OfferEnd::Declined);
    call.ends(9, EndStatus::Refused, EndedBy::Agent);
    let record = call.record();
    assert_eq!(
        (record.calling_agent, record.agent),
        (Some(ana), Some(jonas)),
        "who was called, though not taken"
    );
    assert_eq!((record.status, time(record)), (Some(EndStatus::Refused), at(1)));
}

#[test]
fn the_first_end_stands() {
    let mut call = Call::comes_in(1);
    call.ends(9, EndStatus::Normal, EndedBy::Customer);
    call.ends(99, EndStatus::Interrupted, EndedBy::System);
    assert_eq!((call.record().status, call.record().ended_at), (Some(EndStatus::Normal), Some(at(9))));
}

#[test]
fn the_last_coding_stands_and_what_it_leaves_out_stays() {
    let mut call = Call::comes_in(1);
    let mut coded = |disposition: Option<u64>, comment: Option<&str>| {
        call.tell(5, |interaction| Event::Coded {
            interaction,
            agent: UserId::from_number(JONAS),
            disposition: disposition.map(DispositionId::from_number),
            comment: comment.map(Into::into),
        });
    };
    coded(Some(1), Some("first"));
    coded(None, Some("second"));
    coded(Some(2), None);
    assert_eq!(
        (call.record().disposition, call.record().comment.as_str()),
        (Some(DispositionId::from_number(2)), "second")
    );
}

#[test]
fn holds_recording_and_quality_of_both_sides_are_kept() {
    let mut call = Call::comes_in(1);
    for (second, held) in [(10, true), (20, false), (30, true)] {
        call.tell(second, |interaction| Event::HoldChanged { interaction, agent: None, held });
    }
    let recording = RecordingId::from_number(4);
    call.tell(11, |interaction| Event::RecordingStarted { interaction, recording });
    let agent = Party::Agent { agent: UserId::from_number(JONAS) };
    for (party, packets) in [(Party::Customer, 500), (agent, 480)] {
        let stats = Some(StreamStats { packets, ..StreamStats::default() });
        call.tell(40, |interaction| Event::LegEnded {
            interaction,
            leg: LegId::from_number(1),
            party,
            stats,
        });
    }
    let record = call.record();
    assert_eq!((record.holds, record.recording), (2, Some(recording)));
    assert_eq!(record.customer_stats.map(|s| s.packets), Some(500));
    assert_eq!(record.agent_stats.map(|s| s.packets), Some(480));
}

/// RECO-04: a record says when a channel was empty; the end of the call ends that too.
#[test]
fn a_record_knows_when_a_channel_was_empty() {
    let mut call = Call::comes_in(1);
    let (agent, recording) =
        (Party::Agent { agent: UserId::from_number(JONAS) }, RecordingId::from_number(5));
    let mut told = |s, party, silent| {
        call.tell(s, |interaction| Event::RecordingSilent { interaction, recording, party, silent })
    };
    assert!(!told(2, Party::Customer, false), "nothing was missing");
    assert!(told(3, Party::Customer, true));
    assert!(told(4, agent, true));
    assert!(told(6, Party::Customer, false));
    call.tell(9, |interaction| Event::Ended {
        interaction,
        status: EndStatus::Normal,
        by: EndedBy::Customer,
    });
    let gaps: Vec<_> = call.record().recording_gaps.iter().map(|gap| (gap.party, gap.from, gap.to)).collect();
    assert_eq!(gaps, [(Party::Customer, at(3), Some(at(6))), (agent, at(4), Some(at(9)))]);
}

/// HELP-01: a record says when its agent asked for help; the end of the call ends that too.
#[test]
fn a_record_knows_when_help_was_asked_for() {
    let mut call = Call::comes_in(1);
    let agent = UserId::from_number(JONAS);
    assert!(!call.tell(2, |interaction| Event::HelpTakenBack { interaction, agent }), "nothing was asked");
    assert!(call.tell(3, |interaction| Event::HelpAsked { interaction, agent }));
    assert!(call.tell(5, |interaction| Event::HelpTakenBack { interaction, agent }));
    assert!(call.tell(6, |interaction| Event::HelpAsked { interaction, agent }));
    call.tell(9, |interaction| Event::Ended {
        interaction,
        status: EndStatus::Normal,
        by: EndedBy::Customer,
    });
    let told: Vec<_> = call.record().help.iter().map(|help| (help.agent, help.from, help.to)).collect();
    assert_eq!(told, [(agent, at(3), Some(at(5))), (agent, at(6), Some(at(9)))]);
}

#[test]
fn what_concerns_another_call_another_tenant_or_nobody_changes_nothing() {
    let mut call = Call::comes_in(1);
    let before = call.record().clone();
    let stray = |interaction| Event::HoldChanged { interaction, agent: None, held: true };
    assert!(!call.tell(5, |_| stray(InteractionId::from_number(99))));
    assert!(!call.tell(5, |_| Event::AgentLoggedOut { agent: UserId::from_number(JONAS) }));
    assert!(!call.tell(5, |interaction| Event::QualityChanged {
        interaction,
        party: Party::Customer,
        poor: true
    }));
    let foreign = Entry {
        seq: Seq(1),
        tenant: TenantId::from_number(2),
        at: at(6),
        event: stray(InteractionId::from_number(CALL)),
    };
    assert!(!fold_record(&mut call.0, &foreign));
    assert_eq!(*call.record(), before);
    assert!(!fold_record(&mut None, &foreign), "what never arrived has no record");
    assert!(!call.tell(9, |interaction| Event::Arrived {
        interaction,
        channel: Channel::Voice,
        direction: Direction::Inbound,
        caller: "other".into(),
        caller_name: None,
        contact: String::new(),
        trunk: None,
        service: None,
        calling_agent: None,
    }));
    assert_eq!(*call.record(), before, "a second arrival does not begin it again");
}

/// MAIL-17: a record tells in whose personal queue it lies, until it is in hand, waits again or has ended.
#[test]
fn a_record_has_whose_personal_queue_it_lies_in() {
    let mut email = Call::comes_in(100);
    email.queues(101, 1);
    let assigned = |email: &mut Call, second| {
        let (agent, why) = (UserId::from_number(JONAS), Assignment::Transferred);
        let by = Some(UserId::from_number(ANA));
        email.tell(second, |interaction| Event::Assigned { interaction, agent, why, by });
        let record = email.record().assigned.unwrap();
        assert_eq!((record.agent, record.at, record.why, record.by), (agent, at(second), why, by));
    };
    assigned(&mut email, 102);
    email.queues(103, 1);
    assert_eq!(email.record().assigned, None);
    assigned(&mut email, 104);
    let (agent, channel) = (UserId::from_number(JONAS), Channel::Email);
    email.tell(105, |interaction| Event::HandlingStarted { interaction, agent, channel, internal: false });
    assert_eq!((email.record().assigned, email.record().agent), (None, Some(agent)));
    assigned(&mut email, 106);
    email.ends(107, EndStatus::Abandoned, EndedBy::Customer);
    assert_eq!(email.record().assigned, None);
}
