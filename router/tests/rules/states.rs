//! Agent states.

use model::agent::{AgentState, NotReadyReason};
use model::id::{Id, ReasonId};
use model::interaction::Channel;
use model::journal::Event;
use model::people::{GroupRules, RestState};
use router::{Input, Refusal};

use crate::hall::{Hall, seconds, team};

const LUNCH: fn() -> NotReadyReason = || NotReadyReason::Chosen(ReasonId::from_number(1));

pub fn not_ready(reason: NotReadyReason) -> AgentState {
    AgentState::NotReady { reason }
}

/// STATE-01: the states are read off what the agent does, and only Ready is offered work.
#[test]
fn state_01_only_a_ready_agent_is_offered_queue_work() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    let first = hall.call();
    assert_eq!((hall.state(ana), hall.offered_to(first)), (not_ready(LUNCH()), None));
    hall.must(Input::Offline { agent: ana });
    assert_eq!((hall.state(ana), hall.offered_to(first)), (AgentState::Offline, None));
    hall.must(Input::Online { agent: ana });
    assert_eq!((hall.state(ana), hall.offered_to(first)), (AgentState::Ringing, Some(ana)));
    hall.accepts(ana);
    let second = hall.call();
    assert_eq!((hall.state(ana), hall.offered_to(second)), (AgentState::Busy, None));
    hall.hangs_up(first);
    assert_eq!((hall.state(ana), hall.offered_to(second)), (AgentState::WrapUp, None));
    hall.completes(ana);
    assert_eq!((hall.state(ana), hall.offered_to(second)), (AgentState::Ringing, Some(ana)));
}

/// STATE-03: Ready, Ringing, Busy, after-call work, Ready.
#[test]
fn state_03_the_normal_cycle_of_one_interaction() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    assert_eq!(hall.state(ana), AgentState::Ready);
    let call = hall.call();
    assert_eq!(hall.state(ana), AgentState::Ringing);
    hall.accepts(ana);
    assert_eq!(hall.state(ana), AgentState::Busy);
    hall.customer_hangs_up(call);
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    hall.pass(seconds(30));
    assert_eq!(hall.state(ana), AgentState::Ready);
    assert!(hall.floor.interaction(call).is_none(), "nothing is left of it on the floor");
}

/// STATE-04: by hand, at login, after work, when a stay or after-call work runs out, or by a supervisor.
#[test]
fn state_04_every_way_into_ready() {
    let mut hall = Hall::with(|config| {
        config.stays.insert(ReasonId::from_number(1), seconds(1800));
    });
    let ana = hall.agent(&[]);
    assert_eq!(hall.state(ana), AgentState::Ready, "at login");
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    hall.pass(seconds(1799));
    assert_eq!(hall.state(ana), not_ready(LUNCH()));
    hall.pass(seconds(1));
    assert_eq!(hall.state(ana), AgentState::Ready, "the time allowed for lunch is over");
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    hall.must(Input::ForceReady { agent: ana });
    assert_eq!(hall.state(ana), AgentState::Ready, "a supervisor said so");
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    hall.must(Input::Ready { agent: ana });
    assert_eq!(hall.state(ana), AgentState::Ready, "by hand");
    let call = hall.takes_a_call(ana);
    hall.hangs_up(call);
    hall.pass(seconds(30));
    assert_eq!(hall.state(ana), AgentState::Ready, "after-call work ran out");
    hall.reconfigure(|config| config.groups.get_mut(&team()).unwrap().wrap_up = false);
    let call = hall.takes_a_call(ana);
    hall.hangs_up(call);
    assert_eq!(hall.state(ana), AgentState::Ready, "the interaction ended");
}

/// STATE-04: the group may want its agents to rest at login instead.
#[test]
fn state_04_at_login_the_group_decides() {
    let mut hall = Hall::with_rules(GroupRules { after_login: RestState::NotReady, ..GroupRules::default() });
    let ana = hall.agent(&[]);
    assert_eq!(hall.state(ana), not_ready(NotReadyReason::Login));
}

/// STATE-05: Ringing ends with acceptance, refusal or withdrawal, and lasts no longer.
#[test]
fn state_05_ringing_lasts_only_while_the_offer_is_open() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let gone = hall.call();
    assert_eq!(hall.state(ana), AgentState::Ringing);
    hall.customer_leaves(gone);
    assert_eq!(hall.state(ana), AgentState::Ready, "withdrawn");
    hall.call();
    hall.declines(ana);
    assert_ne!(hall.state(ana), AgentState::Ringing, "refused");
    hall.pass(seconds(61));
    hall.must(Input::Ready { agent: ana });
    assert_eq!(hall.state(ana), AgentState::Ringing);
    hall.accepts(ana);
    assert_eq!(hall.state(ana), AgentState::Busy, "accepted");
}

/// STATE-06: Busy from acceptance to the end; dialling counts for a call the agent places.
#[test]
fn state_06_an_agent_who_dials_is_busy_before_anybody_answers() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let outbound = hall.next_id();
    hall.must(Input::Begin { interaction: outbound, agent: ana, channel: Channel::Voice, internal: false });
    assert_eq!(hall.state(ana), AgentState::Busy);
    let waiting = hall.call();
    assert_eq!(hall.offered_to(waiting), None, "the line is in use");
    hall.hangs_up(outbound);
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    hall.completes(ana);
    assert_eq!(hall.offered_to(waiting), Some(ana));
}

/// STATE-18, for internal calls: a Busy agent gets no queue work but is rung by a colleague; so is one in after-call work or
/// Not ready. Where a phone rings already, and Offline, a colleague is refused.
#[test]
fn state_18_a_colleague_reaches_a_busy_agent_and_the_queue_does_not() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let ring = |hall: &mut Hall| {
        let interaction = hall.next_id();
        let told = hall.tell(Input::CallAgent { interaction, agent: ana, ring_time: seconds(20) });
        told.map(|()| interaction)
    };
    let customer = hall.takes_a_call(ana);
    let waiting = hall.call();
    let colleague = ring(&mut hall).unwrap();
    assert_eq!((hall.offered_to(waiting), hall.offered_to(colleague)), (None, Some(ana)));
    assert_eq!(hall.state(ana), AgentState::Busy);
    let second = ring(&mut hall);
    assert_eq!(second, Err(Refusal::NotNow { state: AgentState::Busy }), "the phone rings already");
    hall.accepts(ana);
    hall.hangs_up(colleague);
    assert_eq!(hall.state(ana), AgentState::Busy, "with the customer");
    hall.customer_leaves(waiting);
    hall.hangs_up(customer);
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    ring(&mut hall).unwrap();
    hall.declines(ana);
    assert_eq!(hall.state(ana), AgentState::WrapUp, "as before");
    hall.completes(ana);
    hall.must(Input::NotReady { agent: ana, reason: NotReadyReason::ByHand });
    ring(&mut hall).unwrap();
    hall.declines(ana);
    hall.must(Input::Offline { agent: ana });
    assert_eq!(ring(&mut hall), Err(Refusal::NotNow { state: AgentState::Offline }));
    hall.must(Input::LogOut { agent: ana });
    assert_eq!(ring(&mut hall), Err(Refusal::LoggedOut));
}

/// Whoever calls a colleague is Busy meanwhile, and afterwards where they were: no after-call work, the same place among
/// the idle.
#[test]
fn calling_a_colleague_makes_busy_and_leaves_nothing_behind() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let begin = |hall: &mut Hall| {
        let interaction = hall.next_id();
        let channel = Channel::Voice;
        hall.tell(Input::Begin { interaction, agent: ana, channel, internal: true }).map(|()| interaction)
    };
    let idle_since = hall.floor.agent(ana).unwrap().idle_since;
    hall.pass(seconds(5));
    let own = begin(&mut hall).unwrap();
    let waiting = hall.call();
    assert_eq!((hall.state(ana), hall.offered_to(waiting)), (AgentState::Busy, None));
    hall.customer_leaves(waiting);
    hall.hangs_up(own);
    let view = hall.floor.agent(ana).unwrap();
    assert_eq!((view.state, view.idle_since), (AgentState::Ready, idle_since));
    assert!(!hall.events().any(|event| matches!(event, Event::WrapUpStarted { .. })));
    // During a customer's call: the after-call work is the customer's, whichever ends first.
    let customer = hall.takes_a_call(ana);
    let own = begin(&mut hall).unwrap();
    hall.customer_hangs_up(customer);
    assert_eq!(hall.state(ana), AgentState::Busy, "with the colleague");
    hall.hangs_up(own);
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    hall.completes(ana);
    let rung = hall.call();
    assert_eq!(begin(&mut hall), Err(Refusal::NotNow { state: AgentState::Ringing }));
    hall.customer_leaves(rung);
    hall.must(Input::Offline { agent: ana });
    assert_eq!(begin(&mut hall), Err(Refusal::NotNow { state: AgentState::Offline }));
}

/// STATE-07: Busy until the last of several ends; meanwhile more may be offered, and after-call work comes only then.
#[test]
fn state_07_with_two_calls_open_the_agent_is_busy_until_the_last_one_ends() {
    let mut hall = Hall::two_at_once();
    let ana = hall.agent(&[]);
    let first = hall.takes_a_call(ana);
    let second = hall.takes_a_call(ana);
    let third = hall.call();
    assert_eq!(hall.offered_to(third), None, "two fill the agent");
    hall.hangs_up(first);
    assert_eq!(hall.state(ana), AgentState::Busy);
    hall.pass(seconds(300));
    assert_eq!(hall.state(ana), AgentState::Busy, "no countdown while work goes on");
    assert_eq!(hall.offered_to(third), None, "the first is not completed, it still takes its share");
    hall.customer_hangs_up(second);
    assert_eq!((hall.state(ana), hall.offered_to(third)), (AgentState::WrapUp, None));
    hall.pass(seconds(30));
    assert_eq!(hall.offered_to(third), Some(ana), "both are completed by the one countdown");
}

/// STATE-07: completing the first by hand makes room for a further one at once.
#[test]
fn state_07_a_busy_agent_with_room_is_offered_more() {
    let mut hall = Hall::two_at_once();
    let ana = hall.agent(&[]);
    let first = hall.takes_a_call(ana);
    hall.takes_a_call(ana);
    let third = hall.call();
    hall.hangs_up(first);
    hall.completes(ana);
    assert_eq!((hall.state(ana), hall.offered_to(third)), (AgentState::Busy, Some(ana)));
}

/// STATE-11: at login, after an interaction, on refusal, on no answer, by a supervisor; each by rule.
#[test]
fn state_11_every_way_into_not_ready() {
    let rules =
        GroupRules { after_interaction: RestState::NotReady, wrap_up: false, ..GroupRules::default() };
    let mut hall = Hall::with_rules(rules);
    let ana = hall.agent(&[]);
    assert_eq!(hall.state(ana), not_ready(NotReadyReason::Login));
    hall.must(Input::Ready { agent: ana });
    let call = hall.takes_a_call(ana);
    hall.hangs_up(call);
    assert_eq!(hall.state(ana), not_ready(NotReadyReason::AfterInteraction));
    hall.must(Input::Ready { agent: ana });
    let call = hall.call();
    hall.declines(ana);
    assert_eq!(hall.state(ana), not_ready(NotReadyReason::Declined));
    hall.customer_leaves(call);
    hall.must(Input::Ready { agent: ana });
    let call = hall.call();
    hall.pass(seconds(20));
    assert_eq!(hall.state(ana), not_ready(NotReadyReason::NoAnswer));
    hall.customer_leaves(call);
    hall.must(Input::Ready { agent: ana });
    hall.must(Input::ForceNotReady { agent: ana });
    assert_eq!(hall.state(ana), not_ready(NotReadyReason::Forced));
}

/// STATE-11: where the rule says so, refusing does not make Not ready.
#[test]
fn state_11_a_group_may_let_its_agents_refuse() {
    let rules =
        GroupRules { after_login: RestState::Ready, not_ready_on_refusal: false, ..GroupRules::default() };
    let mut hall = Hall::with_rules(rules);
    let ana = hall.agent(&[]);
    let refused = hall.call();
    hall.declines(ana);
    assert_eq!(hall.state(ana), AgentState::Ready);
    assert!(hall.waits(refused), "not offered again to the one who just refused it");
    let other = hall.call();
    assert_eq!(hall.offered_to(other), Some(ana));
}

/// STATE-12: a reason is one of the tenant's list, and the state says which.
#[test]
fn state_12_the_chosen_reason_is_part_of_the_state() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    for number in [1, 2, 7] {
        let reason = NotReadyReason::Chosen(ReasonId::from_number(number));
        hall.must(Input::NotReady { agent: ana, reason });
        assert_eq!(hall.state(ana), not_ready(reason));
        assert!(hall.events().any(|event| *event == Event::AgentNotReady { agent: ana, reason }));
    }
}

/// STATE-15: after refusal, no answer or a lost connection only the agent's own choice brings work again.
#[test]
fn state_15_what_the_system_set_never_ends_by_itself() {
    let mut hall = Hall::with(|config| {
        config.stays.insert(ReasonId::from_number(1), seconds(60));
    });
    let ana = hall.agent(&[]);
    for (reason, refuse) in [
        (NotReadyReason::Declined, Hall::declines as fn(&mut Hall, _)),
        (NotReadyReason::NoAnswer, |hall: &mut Hall, _| hall.pass(seconds(20))),
        (NotReadyReason::ConnectionLost, Hall::cannot_be_reached),
    ] {
        let call = hall.call();
        refuse(&mut hall, ana);
        hall.pass(seconds(36_000));
        assert_eq!((hall.state(ana), hall.waits(call)), (not_ready(reason), true), "ten hours later");
        hall.must(Input::Ready { agent: ana });
        assert_eq!(hall.offered_to(call), Some(ana));
        hall.customer_leaves(call);
    }
}

/// STATE-16: Not ready chosen while handling: nothing further is routed, and it shows once the work ends.
#[test]
fn state_16_not_ready_chosen_while_busy_shows_when_the_work_ends() {
    let mut hall = Hall::two_at_once();
    let ana = hall.agent(&[]);
    let first = hall.takes_a_call(ana);
    let second = hall.takes_a_call(ana);
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    assert_eq!(hall.state(ana), AgentState::Busy);
    hall.hangs_up(first);
    hall.completes(ana);
    let waiting = hall.call();
    assert_eq!(hall.offered_to(waiting), None, "there is room, but lunch is next");
    hall.hangs_up(second);
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    hall.completes(ana);
    assert_eq!(hall.state(ana), not_ready(LUNCH()));
}

/// STATE-16: a stay is counted from when it shows, not from when it was chosen.
#[test]
fn the_time_allowed_for_lunch_begins_when_lunch_does() {
    let mut hall = Hall::with(|config| {
        config.stays.insert(ReasonId::from_number(1), seconds(1800));
    });
    let ana = hall.agent(&[]);
    let call = hall.takes_a_call(ana);
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    hall.pass(seconds(1700));
    hall.hangs_up(call);
    hall.completes(ana);
    hall.pass(seconds(1799));
    assert_eq!(hall.state(ana), not_ready(LUNCH()));
    hall.pass(seconds(1));
    assert_eq!(hall.state(ana), AgentState::Ready);
}

/// STATE-14: what counts is the time for which the reason showed, day by day, and it is the same after a replay.
#[test]
fn state_14_the_time_away_is_counted_by_reason_and_day() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let away = |hall: &Hall| -> Vec<_> {
        let views = hall.floor.away(ana, hall.now).into_iter();
        views
            .map(|away| {
                (away.reason, away.time.as_secs(), away.since.map(|since| hall.now.since(since).as_secs()))
            })
            .collect()
    };
    let (lunch, meeting) = (ReasonId::from_number(1), ReasonId::from_number(2));
    assert_eq!(away(&hall), []);
    let call = hall.takes_a_call(ana);
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    hall.pass(seconds(600));
    assert_eq!(away(&hall), [], "still at work");
    hall.hangs_up(call);
    hall.completes(ana);
    hall.pass(seconds(900));
    assert_eq!(away(&hall), [(lunch, 0, Some(900))]);
    hall.must(Input::NotReady { agent: ana, reason: NotReadyReason::Chosen(meeting) });
    hall.pass(seconds(100));
    assert_eq!(away(&hall), [(lunch, 900, None), (meeting, 0, Some(100))]);
    hall.must(Input::NotReady { agent: ana, reason: LUNCH() });
    hall.pass(seconds(50));
    assert_eq!(away(&hall), [(lunch, 900, Some(50)), (meeting, 100, None)]);
    // Until midnight and an hour more: a new day begins with what of the stay is its own.
    let night = hall.now.start_of_day() + seconds(86_400);
    hall.pass(night.since(hall.now) + seconds(3_600));
    assert_eq!(away(&hall), [(lunch, 0, Some(3_600))]);
    hall.must(Input::Ready { agent: ana });
    assert_eq!(away(&hall), [(lunch, 3_600, None)]);
}
