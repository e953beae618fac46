//! Table B1 of the requirements, row by row: from which state what leads where.
//!
//! Rows about callbacks, previews, mail drafts and chat bans belong to rooms that do not exist on this floor yet.

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, Id};
use model::people::{GroupRules, RestState};
use router::{Input, Refusal, Weight};

use crate::hall::{Hall, seconds, team};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    LoggedOut,
    Ready,
    /// A queue call rings.
    Ringing,
    /// A colleague's call rings, at an agent who is Ready.
    RingingInternal,
    Busy,
    /// With two calls.
    BusyTwice,
    /// With one call, while a second rings.
    BusyRinging,
    /// Not ready is chosen for later.
    BusyDeferred,
    WrapUp,
    NotReady,
    /// No answer.
    NotReadySystem,
    Offline,
}
use self::Start::{
    Busy, BusyDeferred, BusyRinging, BusyTwice, LoggedOut, NotReady, NotReadySystem, Offline, Ready, Ringing,
    RingingInternal, WrapUp,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    SignsIn,
    CallOffered,
    Dials,
    Accepts,
    Declines,
    OfferTimesOut,
    OfferFails,
    CallerLeaves,
    OneEnds,
    LastEnds,
    ChoosesNotReady,
    ChoosesReady,
    ChoosesOffline,
    ChoosesOnline,
    Completes,
    WrapUpTimesOut,
    Continues,
    ForcedReady,
    ForcedNotReady,
    StayTimesOut,
    SignsOut,
    SignsInElsewhere,
}
use self::Then::{
    Accepts, CallOffered, CallerLeaves, ChoosesNotReady, ChoosesOffline, ChoosesOnline, ChoosesReady,
    Completes, Continues, Declines, Dials, ForcedNotReady, ForcedReady, LastEnds, OfferFails, OfferTimesOut,
    OneEnds, SignsIn, SignsInElsewhere, SignsOut, StayTimesOut, WrapUpTimesOut,
};

const CHOSEN: fn() -> NotReadyReason = || NotReadyReason::Chosen(Id::from_number(1));

fn not_ready(reason: NotReadyReason) -> AgentState {
    AgentState::NotReady { reason }
}

/// Brings an agent into the state.
fn bring(hall: &mut Hall, from: Start) -> AgentId {
    let ana = hall.hires(&[]);
    if from == LoggedOut {
        return ana;
    }
    hall.signs_in(ana);
    hall.must(Input::Ready { agent: ana });
    let internal = hall.next_id();
    match from {
        LoggedOut | Ready => {}
        Ringing => drop(hall.call()),
        RingingInternal => {
            hall.must(Input::CallAgent { interaction: internal, agent: ana, ring_time: seconds(20) });
        }
        Busy => drop(hall.takes_a_call(ana)),
        BusyTwice => {
            hall.takes_a_call(ana);
            hall.takes_a_call(ana);
        }
        BusyRinging => {
            hall.takes_a_call(ana);
            hall.call();
        }
        BusyDeferred => {
            hall.takes_a_call(ana);
            hall.must(Input::NotReady { agent: ana, reason: CHOSEN() });
        }
        WrapUp => {
            let call = hall.takes_a_call(ana);
            hall.hangs_up(call);
        }
        NotReady => hall.must(Input::NotReady { agent: ana, reason: CHOSEN() }),
        NotReadySystem => {
            let call = hall.call();
            hall.pass(seconds(20));
            hall.customer_leaves(call);
        }
        Offline => hall.must(Input::Offline { agent: ana }),
    }
    ana
}

/// Lets it happen; the refusal if the floor refuses.
fn happens(hall: &mut Hall, agent: AgentId, then: Then) -> Result<(), Refusal> {
    let view = hall.floor.agent(agent).unwrap();
    let offer = view.offer;
    let token = || offer.expect("an offer").1;
    match then {
        SignsIn => hall.signs_in(agent),
        SignsInElsewhere => {
            hall.must(Input::LogIn { agent, session: Id::from_number(999), phone: view.phone });
        }
        CallOffered => drop(hall.call()),
        Dials => {
            let interaction = hall.next_id();
            return hall.tell(Input::Begin {
                interaction,
                agent,
                channel: Default::default(),
                internal: false,
            });
        }
        Accepts => return hall.tell(Input::Accept { agent, token: token() }),
        Declines => return hall.tell(Input::Decline { agent, token: token() }),
        OfferFails => return hall.tell(Input::OfferFailed { agent, token: token() }),
        OfferTimesOut => hall.pass(seconds(20)),
        CallerLeaves => hall.customer_leaves(offer.unwrap().0),
        OneEnds | LastEnds => hall.hangs_up(view.active[0]),
        ChoosesNotReady => return hall.tell(Input::NotReady { agent, reason: CHOSEN() }),
        ChoosesReady => return hall.tell(Input::Ready { agent }),
        ChoosesOffline => return hall.tell(Input::Offline { agent }),
        ChoosesOnline => return hall.tell(Input::Online { agent }),
        Completes => hall.completes(agent),
        WrapUpTimesOut => hall.pass(seconds(30)),
        Continues => {
            hall.must(Input::WrapUpContinue { interaction: view.wrapping[0] });
            hall.pass(seconds(3_600));
        }
        ForcedReady => return hall.tell(Input::ForceReady { agent }),
        ForcedNotReady => return hall.tell(Input::ForceNotReady { agent }),
        StayTimesOut => hall.pass(seconds(36_000)),
        SignsOut => return hall.tell(Input::LogOut { agent }),
    }
    Ok(())
}

fn rules(after: RestState, wrap_up: bool) -> GroupRules {
    GroupRules { after_login: after, after_interaction: after, wrap_up, ..GroupRules::default() }
}

fn hall(rules: &GroupRules) -> Hall {
    Hall::with(|config| {
        config.groups.insert(team(), rules.clone());
        config.stays.insert(Id::from_number(1), seconds(1_800));
        config.capacity.voice = Weight { units: 50, at_once: 2 };
    })
}

/// STATE-01, STATE-03: table B1, the rows that do not depend on the group's rules.
#[test]
fn b1_from_each_state_each_event_leads_where_the_table_says() {
    use AgentState as To;
    let rows: &[(Start, Then, AgentState)] = &[
        (LoggedOut, SignsIn, To::Ready),
        (Ready, CallOffered, To::Ringing),
        (Ready, Dials, To::Busy),
        (Ringing, Accepts, To::Busy),
        (Ringing, Declines, not_ready(NotReadyReason::Declined)),
        (RingingInternal, Declines, To::Ready),
        (RingingInternal, OfferTimesOut, To::Ready),
        (RingingInternal, Accepts, To::Busy),
        (Ringing, OfferTimesOut, not_ready(NotReadyReason::NoAnswer)),
        (Ringing, OfferFails, not_ready(NotReadyReason::ConnectionLost)),
        (Ringing, CallerLeaves, To::Ready),
        (BusyRinging, Declines, To::Busy),
        (BusyRinging, OfferTimesOut, To::Busy),
        (BusyRinging, CallerLeaves, To::Busy),
        (BusyTwice, OneEnds, To::Busy),
        (Busy, Dials, To::Busy),
        (Busy, LastEnds, To::WrapUp),
        (Busy, ChoosesNotReady, To::Busy),
        (BusyDeferred, CallOffered, To::Busy),
        (BusyDeferred, LastEnds, To::WrapUp),
        (WrapUp, Completes, To::Ready),
        (WrapUp, WrapUpTimesOut, To::Ready),
        (WrapUp, Continues, To::WrapUp),
        (WrapUp, CallOffered, To::WrapUp),
        (WrapUp, Dials, To::Busy),
        (NotReady, ChoosesReady, To::Ready),
        (NotReady, CallOffered, not_ready(CHOSEN())),
        (NotReady, StayTimesOut, To::Ready),
        (NotReady, Dials, To::Busy),
        (NotReadySystem, StayTimesOut, not_ready(NotReadyReason::NoAnswer)),
        (NotReadySystem, ChoosesReady, To::Ready),
        (Ready, ChoosesOffline, To::Offline),
        (NotReady, ChoosesOffline, To::Offline),
        (WrapUp, ChoosesOffline, To::Offline),
        (Offline, ChoosesOnline, To::Ready),
        (Offline, CallOffered, To::Offline),
    ];
    for &(from, then, to) in rows {
        let mut hall = hall(&rules(RestState::Ready, true));
        let ana = bring(&mut hall, from);
        assert_eq!(happens(&mut hall, ana, then), Ok(()), "{from:?}, {then:?}");
        assert_eq!(hall.state(ana), to, "{from:?}, {then:?}");
    }
}

/// STATE-09, STATE-11: table B1, the rows "Ready or Not ready, by group rule".
#[test]
fn b1_where_the_group_decides_it_decides() {
    for (rest, after_login, after_work) in [
        (RestState::Ready, AgentState::Ready, AgentState::Ready),
        (RestState::NotReady, not_ready(NotReadyReason::Login), not_ready(NotReadyReason::AfterInteraction)),
    ] {
        for (wrap_up, from, then, to) in [
            (true, LoggedOut, SignsIn, after_login),
            (false, Busy, LastEnds, after_work),
            (true, WrapUp, Completes, after_work),
            (true, WrapUp, WrapUpTimesOut, after_work),
            (false, BusyDeferred, LastEnds, not_ready(CHOSEN())),
        ] {
            let mut hall = hall(&rules(rest, wrap_up));
            let ana = bring(&mut hall, from);
            assert_eq!(happens(&mut hall, ana, then), Ok(()));
            assert_eq!(hall.state(ana), to, "{rest:?}: {from:?}, {then:?}");
        }
    }
}

/// A refused or missed further offer makes a busy agent Not ready after the last work ends.
#[test]
fn b1_a_busy_agent_who_misses_a_further_offer_is_not_ready_afterwards() {
    for (then, reason) in [(Declines, NotReadyReason::Declined), (OfferTimesOut, NotReadyReason::NoAnswer)] {
        let mut hall = hall(&rules(RestState::Ready, false));
        let ana = bring(&mut hall, BusyRinging);
        assert_eq!(happens(&mut hall, ana, then), Ok(()));
        assert_eq!(hall.state(ana), AgentState::Busy);
        assert_eq!(happens(&mut hall, ana, LastEnds), Ok(()));
        assert_eq!(hall.state(ana), not_ready(reason));
    }
}

/// STATE-22: from any state a supervisor forces Ready or Not ready; work in hand is not cut, the state shows after it.
#[test]
fn state_22_a_supervisor_forces_ready_or_not_ready_from_any_state() {
    let all = [
        Ready,
        Ringing,
        Busy,
        BusyTwice,
        BusyRinging,
        BusyDeferred,
        WrapUp,
        NotReady,
        NotReadySystem,
        Offline,
    ];
    for from in all {
        let busy = matches!(from, Busy | BusyTwice | BusyRinging | BusyDeferred);
        for (then, forced) in
            [(ForcedReady, AgentState::Ready), (ForcedNotReady, not_ready(NotReadyReason::Forced))]
        {
            let mut hall = hall(&rules(RestState::Ready, false));
            let ana = bring(&mut hall, from);
            assert_eq!(happens(&mut hall, ana, then), Ok(()));
            let now = match (busy, from, then) {
                (true, ..) => AgentState::Busy,
                (false, Ringing, ForcedReady) => AgentState::Ringing,
                _ => forced,
            };
            assert_eq!(hall.state(ana), now, "{from:?}, {then:?}");
            while let Some(&call) = hall.floor.agent(ana).unwrap().active.first() {
                hall.hangs_up(call);
            }
            if let (Some((call, _)), ForcedReady) = (hall.floor.agent(ana).unwrap().offer, then) {
                hall.customer_leaves(call);
            }
            assert_eq!(hall.state(ana), forced, "{from:?}, {then:?}, when the work is done");
        }
    }
    let mut hall = hall(&rules(RestState::Ready, true));
    let ana = bring(&mut hall, LoggedOut);
    assert_eq!(happens(&mut hall, ana, ForcedReady), Err(Refusal::LoggedOut));
}

/// From any state signing out, or signing in elsewhere, ends the sign-in.
#[test]
fn b1_from_any_state_signing_out_is_possible() {
    let all = [
        Ready,
        Ringing,
        RingingInternal,
        Busy,
        BusyTwice,
        BusyRinging,
        BusyDeferred,
        WrapUp,
        NotReady,
        NotReadySystem,
        Offline,
    ];
    for from in all {
        let mut hall = hall(&rules(RestState::Ready, true));
        let ana = bring(&mut hall, from);
        assert_eq!(happens(&mut hall, ana, SignsOut), Ok(()), "{from:?}");
        assert_eq!(hall.state(ana), AgentState::LoggedOut);
        assert_eq!(happens(&mut hall, ana, SignsOut), Err(Refusal::LoggedOut));
    }
    for from in all {
        let mut hall = hall(&rules(RestState::NotReady, true));
        let ana = bring(&mut hall, from);
        assert_eq!(happens(&mut hall, ana, SignsInElsewhere), Ok(()));
        assert_eq!(hall.floor.agent(ana).unwrap().session, Some(Id::from_number(999)), "{from:?}");
    }
}

/// STATE-17, STATE-20: what a state does not permit is refused, and nothing changes.
#[test]
fn state_17_and_20_what_a_state_does_not_permit_is_refused() {
    for (from, then) in [
        (Ringing, Dials),
        (RingingInternal, Dials),
        (BusyRinging, Dials),
        (Offline, Dials),
        (Ringing, ChoosesOffline),
        (Busy, ChoosesOffline),
        (Offline, ChoosesNotReady),
        (Ready, ChoosesOnline),
        (Busy, ChoosesOnline),
    ] {
        let mut hall = hall(&rules(RestState::Ready, true));
        let ana = bring(&mut hall, from);
        let (picture, state) = (hall.floor.snapshot(), hall.state(ana));
        assert_eq!(happens(&mut hall, ana, then), Err(Refusal::NotNow { state }), "{from:?}, {then:?}");
        assert_eq!(hall.floor.snapshot(), picture);
    }
}
