//! Chats and emails: several at once, put back, picked from the queue, and over a restart.

use model::agent::{AgentState, NotReadyReason};
use model::id::{AgentId, InteractionId};
use model::interaction::Channel;
use model::journal::{Event, OfferEnd};
use model::skill::Requirement;
use router::{Floor, Input, Output, Refusal, Stage};

use crate::hall::{German, Hall, seconds, team};

fn chat(hall: &mut Hall) -> InteractionId {
    hall.contact(Channel::Chat)
}

/// A chat that its agent has taken.
fn taken(hall: &mut Hall, agent: AgentId) -> InteractionId {
    let chat = chat(hall);
    let token = hall.token(agent);
    hall.must(Input::Accept { agent, token });
    chat
}

fn stage(hall: &Hall, interaction: InteractionId) -> Stage {
    hall.floor.interaction(interaction).unwrap().stage
}

/// CHAT-06, STATE-16: who refuses a chat while others are open stays Busy, and is Not ready once the last of them has ended.
#[test]
fn chat_06_a_refusal_with_other_chats_open_shows_at_the_end_of_the_last() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let (first, second) = (taken(&mut hall, ana), taken(&mut hall, ana));
    chat(&mut hall);
    let token = hall.token(ana);
    hall.must(Input::Decline { agent: ana, token });
    assert_eq!(hall.state(ana), AgentState::Busy);
    hall.hangs_up(first);
    assert_eq!(hall.state(ana), AgentState::Busy);
    hall.hangs_up(second);
    hall.pass(seconds(30));
    assert_eq!(hall.state(ana), AgentState::NotReady { reason: NotReadyReason::Declined });
}

/// LIVE-05, C14: what is put back goes to the next agent from its place, and whoever put it back stays Ready.
#[test]
fn live_05_a_chat_that_is_put_back_changes_nobodys_state() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let chat = chat(&mut hall);
    let token = hall.token(ana);
    hall.must(Input::PutBack { agent: ana, token });
    assert_eq!(hall.state(ana), AgentState::Ready);
    assert!(hall.waits(chat), "she is not asked again at once");
    assert!(hall.events().any(|event| matches!(event, Event::OfferEnded { why: OfferEnd::PutBack, .. })));
    let ben = hall.agent(&[]);
    assert_eq!(hall.offered_to(chat), Some(ben));
    hall.reconfigure(|config| config.groups.get_mut(&team()).unwrap().put_back = false);
    let token = hall.token(ben);
    assert_eq!(
        hall.tell(Input::PutBack { agent: ben, token }),
        Err(Refusal::NotAllowed),
        "the team's switch"
    );
    let call = hall.call();
    let token = hall.token(ana);
    assert_eq!(
        hall.tell(Input::PutBack { agent: ana, token }),
        Err(Refusal::NotAllowed),
        "a call is not put back"
    );
    assert_eq!(hall.offered_to(call), Some(ana));
}

/// An agent picks somebody who waits, within capacity and skills; of two who pick the same one gets it.
#[test]
fn a_visitor_is_picked_from_the_queue_by_one_agent() {
    let mut hall = Hall::open();
    let (ana, ben, cleo) = (hall.agent(&[German]), hall.agent(&[German]), hall.agent(&[]));
    for agent in [ana, ben, cleo] {
        hall.must(Input::NotReady { agent, reason: NotReadyReason::ByHand });
    }
    let (first, second) = (chat(&mut hall), chat(&mut hall));
    hall.must(Input::Take { agent: ana, interaction: second });
    assert_eq!(stage(&hall, second), Stage::Active { agent: ana });
    assert_eq!(hall.state(ana), AgentState::Busy);
    assert_eq!(hall.tell(Input::Take { agent: ben, interaction: second }), Err(Refusal::Stale));
    assert_eq!(stage(&hall, first), Stage::Waiting);
    let call = hall.call();
    assert_eq!(hall.tell(Input::Take { agent: ben, interaction: call }), Err(Refusal::NotAllowed));
    let german = hall.special_call(|arrival| {
        arrival.channel = Channel::Chat;
        arrival.requirement = Some(Requirement::fixed(German.at(1)));
    });
    assert_eq!(hall.tell(Input::Take { agent: cleo, interaction: german }), Err(Refusal::NotAllowed));
    hall.must(Input::Take { agent: ana, interaction: german });
    hall.must(Input::Take { agent: ana, interaction: first });
    let fourth = chat(&mut hall);
    let no_room = hall.tell(Input::Take { agent: ana, interaction: fourth });
    assert_eq!(no_room, Err(Refusal::NotNow { state: AgentState::Busy }), "three at once");
}

/// LIVE-07, C16: whoever becomes free gets the visitor who has waited longest, and one who comes back into the queue has the place
/// of the first time.
#[test]
fn live_07_the_longest_waiting_comes_first_also_after_it_was_in_hand() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let first = taken(&mut hall, ana);
    hall.must(Input::NotReady { agent: ana, reason: NotReadyReason::ByHand });
    hall.pass(seconds(60));
    let second = chat(&mut hall);
    hall.pass(seconds(60));
    hall.must(Input::Requeue { interaction: first });
    assert_eq!(hall.state(ana), AgentState::NotReady { reason: NotReadyReason::ByHand });
    assert_eq!((hall.floor.position(first), hall.floor.position(second)), (Some(1), Some(2)));
    hall.must(Input::Ready { agent: ana });
    assert_eq!(hall.offered_to(first), Some(ana));
    let call = hall.call();
    assert_eq!(hall.tell(Input::Requeue { interaction: call }), Err(Refusal::Stale));
}

/// A restart leaves written contacts as they were: waiting at their place, or with agents who may come back.
#[test]
fn a_restart_keeps_written_contacts() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let open = taken(&mut hall, ana);
    let rung = chat(&mut hall);
    assert_eq!(hall.offered_to(rung), Some(ana));
    let waits = chat(&mut hall);
    let mut floor = Floor::replay(hall.config.clone(), &hall.journal).unwrap();
    let mut out = Vec::new();
    floor.restart(hall.now, &mut out);
    let ended =
        |output: &Output| matches!(output, Output::Journal(Event::Ended { .. } | Event::Completed { .. }));
    assert!(!out.iter().any(ended), "{out:?}");
    assert_eq!(floor.audit(), Vec::<String>::new());
    let stages = [open, rung, waits].map(|chat| floor.interaction(chat).unwrap().stage);
    assert_eq!(stages, [Stage::Active { agent: ana }, Stage::Waiting, Stage::Waiting]);
    let session = model::id::Id::from_number(9);
    floor
        .handle(Input::LogIn { agent: ana, session, phone: Default::default() }, hall.now, &mut out)
        .unwrap();
    assert_eq!(floor.agent(ana).unwrap().state, AgentState::Busy, "she has what she had");
    assert_eq!(floor.agent(ana).unwrap().offer.unwrap().0, rung, "and is rung again for the first who waits");
}
