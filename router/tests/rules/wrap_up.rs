//! After-call work: when it begins, how it ends, and where it leads.

use model::agent::{AgentState, NotReadyReason};
use model::journal::Event;
use model::people::{GroupRules, RestState};
use router::{Input, Refusal};

use crate::hall::{Hall, seconds, team};
use crate::states::not_ready;

/// STATE-08: after-call work follows whichever side hangs up, and nothing is routed in it; without the rule there is none.
#[test]
fn state_08_after_call_work_begins_whoever_hangs_up() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    for customer_ends in [true, false] {
        let call = hall.takes_a_call(ana);
        if customer_ends {
            hall.customer_hangs_up(call)
        } else {
            hall.hangs_up(call)
        }
        assert_eq!(hall.state(ana), AgentState::WrapUp);
        let waiting = hall.call();
        assert_eq!(hall.offered_to(waiting), None);
        hall.customer_leaves(waiting);
        hall.completes(ana);
    }
    let mut hall = Hall::with_rules(GroupRules {
        wrap_up: false,
        after_login: RestState::Ready,
        ..GroupRules::default()
    });
    let ana = hall.agent(&[]);
    let call = hall.takes_a_call(ana);
    hall.hangs_up(call);
    assert_eq!(hall.state(ana), AgentState::Ready);
}

/// STATE-09: ends by hand or by the clock, and leads where the group's rule says.
#[test]
fn state_09_after_call_work_leads_where_the_group_says() {
    for by_hand in [true, false] {
        for (rule, state) in [
            (RestState::Ready, AgentState::Ready),
            (RestState::NotReady, not_ready(NotReadyReason::AfterInteraction)),
        ] {
            let mut hall = Hall::with_rules(GroupRules {
                after_login: RestState::Ready,
                after_interaction: rule,
                ..GroupRules::default()
            });
            let ana = hall.agent(&[]);
            let call = hall.takes_a_call(ana);
            hall.hangs_up(call);
            assert_eq!(hall.state(ana), AgentState::WrapUp);
            if by_hand {
                hall.completes(ana)
            } else {
                hall.pass(seconds(30))
            }
            assert_eq!(hall.state(ana), state, "by hand: {by_hand}");
        }
    }
}

/// STATE-10: the countdown ends in Ready; "return" ends it early; "continue" stops it.
#[test]
fn state_10_continue_stops_the_countdown_and_return_ends_it() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.takes_a_call(ana);
    hall.hangs_up(call);
    let view = hall.floor.agent(ana).unwrap();
    assert_eq!(view.wrap_until, Some(hall.now + seconds(30)), "what the countdown shows");
    hall.pass(seconds(29));
    hall.must(Input::WrapUpContinue { interaction: call });
    hall.pass(seconds(3600));
    assert_eq!(hall.state(ana), AgentState::WrapUp);
    hall.completes(ana);
    assert_eq!(hall.state(ana), AgentState::Ready);
    let wrap_up = hall.events().find_map(|event| match event {
        Event::Completed { wrap_up, .. } => Some(*wrap_up),
        _ => None,
    });
    assert_eq!(wrap_up, Some(seconds(3629)), "the record says how long it took");

    hall.reconfigure(|config| config.groups.get_mut(&team()).unwrap().wrap_up_continue = false);
    let call = hall.takes_a_call(ana);
    hall.hangs_up(call);
    assert_eq!(hall.tell(Input::WrapUpContinue { interaction: call }), Err(Refusal::NotAllowed));
    hall.pass(seconds(30));
    assert_eq!(hall.state(ana), AgentState::Ready);
}

/// ACW-04: completing leads where the group says, unless other work keeps the agent busy.
#[test]
fn acw_04_complete_frees_the_agent_unless_other_work_is_open() {
    let mut hall = Hall::two_at_once();
    let ana = hall.agent(&[]);
    let first = hall.takes_a_call(ana);
    let second = hall.takes_a_call(ana);
    assert_eq!(
        hall.tell(Input::Complete { agent: ana, interaction: first }),
        Err(Refusal::NotYours),
        "it has not ended"
    );
    hall.hangs_up(first);
    hall.must(Input::Complete { agent: ana, interaction: first });
    assert_eq!(hall.state(ana), AgentState::Busy);
    hall.hangs_up(second);
    hall.must(Input::Complete { agent: ana, interaction: second });
    assert_eq!(hall.state(ana), AgentState::Ready);
}
