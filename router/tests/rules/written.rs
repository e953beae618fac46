//! Chats and emails: several at once, put back, picked from the queue, and over a restart.

use model::agent::{AgentState, NotReadyReason};
use model::capacity::Capacity;
use model::id::{AgentId, Id, InteractionId};
use model::interaction::Channel;
use model::journal::{Event, OfferEnd};
use model::service::Treatment;
use model::skill::Requirement;
use router::{Advice, Arrival, Floor, FloorConfig, Input, Output, Refusal, Stage, Verdict};

use crate::hall::{German, Hall, hotline, seconds, team};

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
    for _ in 0..2 {
        let more = chat(&mut hall);
        hall.must(Input::Take { agent: ana, interaction: more });
    }
    let sixth = chat(&mut hall);
    let no_room = hall.tell(Input::Take { agent: ana, interaction: sixth });
    assert_eq!(no_room, Err(Refusal::NoRoom), "five at once");
}

/// LIVE-02, LIVE-06: an agent sees those who wait and who may be picked, in the order in which they are served, with whether there
/// is room; nobody else's, no calls, and nobody who rings elsewhere.
#[test]
fn live_06_an_agent_sees_whom_there_is_to_pick() {
    let mut hall = Hall::open();
    let (ana, cleo) = (hall.agent(&[German]), hall.agent(&[]));
    for agent in [ana, cleo] {
        hall.must(Input::NotReady { agent, reason: NotReadyReason::ByHand });
    }
    let picks = |hall: &Hall, agent, limit| {
        let (first, all) = hall.floor.to_pick(agent, limit);
        (first.into_iter().map(|one| (one.interaction, one.not_now)).collect::<Vec<_>>(), all)
    };
    let first = chat(&mut hall);
    hall.pass(seconds(5));
    let german = hall.special_call(|arrival| {
        arrival.channel = Channel::Chat;
        arrival.priority = Some(5);
        arrival.requirement = Some(Requirement::fixed(German.at(1)));
    });
    hall.call();
    assert_eq!(picks(&hall, ana, 9), (vec![(german, None), (first, None)], 2), "by priority");
    assert_eq!(picks(&hall, cleo, 9), (vec![(first, None)], 1));
    assert_eq!(picks(&hall, ana, 1), (vec![(german, None)], 2));
    hall.must(Input::Ready { agent: cleo });
    assert_eq!(picks(&hall, ana, 9), (vec![(german, None)], 1), "the other rings at Cleo's");
    for _ in 0..5 {
        let more = chat(&mut hall);
        hall.must(Input::Take { agent: ana, interaction: more });
    }
    assert_eq!(picks(&hall, ana, 9), (vec![(german, Some(Refusal::NoRoom))], 1));
}

/// LIVE-07, C16: whoever becomes free gets, of those whose skill fits, the one of the highest priority, and of equals the one who has
/// waited longest; a contact that is set to go to its previous agent goes to no other meanwhile.
#[test]
fn live_07_skill_and_priority_come_first_then_the_longest_wait() {
    let mut hall = Hall::open();
    let (ana, ben) = (hall.agent(&[German]), hall.agent(&[]));
    for agent in [ana, ben] {
        hall.must(Input::NotReady { agent, reason: NotReadyReason::ByHand });
    }
    let mut waits = |change: &dyn Fn(&mut Arrival)| {
        hall.pass(seconds(1));
        hall.special_call(|arrival| {
            arrival.channel = Channel::Chat;
            change(arrival);
        })
    };
    let oldest = waits(&|_| {});
    let next = waits(&|_| {});
    let known = waits(&|arrival| {
        (arrival.preferred, arrival.preferred_hold) = (vec![ben], seconds(600));
    });
    let urgent = waits(&|arrival| arrival.priority = Some(3));
    let german = waits(&|arrival| {
        arrival.priority = Some(9);
        arrival.requirement = Some(Requirement::fixed(German.at(1)));
    });
    hall.must(Input::Ready { agent: ana });
    for chat in [german, urgent, oldest, next] {
        assert_eq!(hall.offered_to(chat), Some(ana));
        hall.accepts(ana);
    }
    assert!(hall.waits(known), "Ana has room, but this one waits for the agent it had before");
    hall.must(Input::Ready { agent: ben });
    assert_eq!(hall.offered_to(known), Some(ben));
    hall.accepts(ben);
    hall.must(Input::NotReady { agent: ana, reason: NotReadyReason::ByHand });
    let german = hall.special_call(|arrival| {
        arrival.channel = Channel::Chat;
        arrival.requirement = Some(Requirement::fixed(German.at(1)));
    });
    let plain = chat(&mut hall);
    assert_eq!((hall.waits(german), hall.offered_to(plain)), (true, Some(ben)), "skill before the wait");
}

/// CHAT-01, CHAT-14, C2: how many chats come is the agent's own affair before the group's and the tenant's, and whoever may have
/// none is never offered one, however skilled and free; the explanation says so.
#[test]
fn chat_01_who_may_have_no_chats_is_never_offered_one() {
    let mut hall = Hall::open();
    let (ana, ben) = (hall.agent(&[]), hall.agent(&[]));
    let own = |config: &mut FloorConfig, agent, chats| {
        let profile = config.agents.iter_mut().find(|profile| profile.agent == agent).unwrap();
        profile.at_once.insert(Channel::Chat, chats);
    };
    hall.reconfigure(|config| own(config, ana, 0));
    let first = chat(&mut hall);
    assert_eq!(hall.offered_to(first), Some(ben));
    hall.accepts(ben);
    hall.must(Input::NotReady { agent: ben, reason: NotReadyReason::ByHand });
    let second = chat(&mut hall);
    assert!(hall.waits(second));
    assert_eq!(hall.tell(Input::Take { agent: ana, interaction: second }), Err(Refusal::NotAllowed));
    let why = hall.floor.explain(second).unwrap();
    assert_eq!(why.agents.iter().find(|(agent, _)| *agent == ana).unwrap().1, Verdict::NotForKind);
    assert!(why.advice.contains(&Advice::NotForKind { agents: 1, who: vec![ana] }), "{:?}", why.advice);
    hall.reconfigure(|config| {
        config.groups.get_mut(&team()).unwrap().capacity = Some(Capacity::default());
        own(config, ana, 7);
    });
    assert_eq!(hall.offered_to(second), Some(ana));
    hall.accepts(ana);
    for _ in 0..6 {
        let chat = chat(&mut hall);
        assert_eq!(hall.offered_to(chat), Some(ana), "seven of her own, where the tenant says five");
        hall.accepts(ana);
    }
    let eighth = chat(&mut hall);
    assert!(hall.waits(eighth));
}

/// CHAT-01: with nobody signed in who may have chats a chat meets an unstaffed service, although calls are answered; and a service
/// takes the kinds that it is there for.
#[test]
fn a_chat_is_not_queued_for_agents_who_may_have_none_nor_by_a_service_of_calls() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    hall.reconfigure(|config| {
        config.services[0].queue.when_unstaffed = Treatment::Announce;
        config.agents[0].at_once.insert(Channel::Chat, 0);
    });
    let arrival = |number| Arrival::new(InteractionId::from_number(number), hotline(), Channel::Chat);
    assert_eq!(hall.tell(Input::Arrive(arrival(900))), Err(Refusal::NoAgentOnline));
    let call = hall.call();
    assert_eq!(hall.offered_to(call), Some(ana));
    hall.reconfigure(|config| {
        config.agents[0].at_once.clear();
        config.services[0].queue.takes = [Channel::Voice].into();
    });
    let refused = Refusal::NotTaken { channel: Channel::Chat };
    assert_eq!(hall.tell(Input::Arrive(arrival(901))), Err(refused));
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

/// MAIL-04: an offered email that is postponed leaves the floor and nobody's state; a chat cannot be postponed. Opened later it is in
/// hand, and a restart leaves it there.
#[test]
fn mail_04_a_postponed_email_is_off_the_floor_until_it_is_opened() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let email = hall.contact(Channel::Email);
    let token = hall.token(ana);
    hall.must(Input::Postpone { agent: ana, token });
    assert_eq!(hall.state(ana), AgentState::Ready);
    assert_eq!(hall.floor.interaction(email), None);
    assert_eq!(hall.tell(Input::Postpone { agent: ana, token }), Err(Refusal::Stale));
    let open = Input::Begin { interaction: email, agent: ana, channel: Channel::Email, internal: false };
    hall.must(open);
    assert_eq!(hall.state(ana), AgentState::Busy);
    let chat = chat(&mut hall);
    let token = hall.token(ana);
    assert_eq!(hall.tell(Input::Postpone { agent: ana, token }), Err(Refusal::NotAllowed));
    assert_eq!(hall.offered_to(chat), Some(ana));
    let mut floor = Floor::replay(hall.config.clone(), &hall.journal).unwrap();
    floor.restart(hall.now, &mut Vec::new());
    assert_eq!(floor.interaction(email).unwrap().stage, Stage::Active { agent: ana });
}

/// An email does not hear that nobody is there: it waits when the last agent leaves, and longer than callers may.
#[test]
fn an_email_outlasts_the_longest_wait_and_the_last_agent() {
    let mut hall = Hall::open();
    hall.reconfigure(|config| {
        for service in &mut config.services {
            service.queue.wait_time_max = Some(seconds(60));
        }
    });
    let ana = hall.agent(&[]);
    hall.must(Input::NotReady { agent: ana, reason: NotReadyReason::ByHand });
    let email = hall.contact(Channel::Email);
    let chat = chat(&mut hall);
    hall.pass(seconds(61));
    assert_eq!(hall.floor.interaction(chat), None);
    hall.must(Input::LogOut { agent: ana });
    hall.pass(seconds(3_600));
    assert_eq!(stage(&hall, email), Stage::Waiting);
}
