//! After a crash.

use model::agent::AgentState;
use model::interaction::EndStatus;
use model::journal::{Event, OfferEnd};
use model::service::Treatment;
use router::{Floor, Input};

use crate::hall::{German, Hall, seconds};

/// The journal is folded into the floor as it was, and a restart accounts for everybody who was on it.
#[test]
fn a_restart_ends_what_did_not_survive_and_loses_nobody() {
    let mut hall = Hall::open();
    let talking = hall.agent(&[]);
    let talk = hall.takes_a_call(talking);
    let wrapping = hall.agent(&[]);
    let wrapped = hall.takes_a_call(wrapping);
    hall.hangs_up(wrapped);
    let rung = hall.agent(&[]);
    let rings = hall.call();
    let waits = hall.call_needing(German.at(1));
    assert_eq!(hall.offered_to(rings), Some(rung));

    let mut floor = Floor::replay(hall.config.clone(), &hall.journal).unwrap();
    assert_eq!(floor.snapshot(), hall.floor.snapshot());
    let mut out = Vec::new();
    floor.restart(hall.now + seconds(5), &mut out);
    assert_eq!(floor.snapshot().interactions, []);
    assert!(floor.agents().iter().all(|agent| agent.state == AgentState::LoggedOut));
    assert_eq!(floor.audit(), Vec::<String>::new());
    assert_eq!(floor.next_deadline(), None);
    let events: Vec<&Event> = out
        .iter()
        .filter_map(|output| match output {
            router::Output::Journal(event) => Some(event),
            _ => None,
        })
        .collect();
    for call in [talk, rings, waits] {
        let ends = events.iter().filter(|event| {
            matches!(event, Event::Ended { interaction, status: EndStatus::Interrupted, .. } if *interaction == call)
        });
        assert_eq!(ends.count(), 1, "{call}");
    }
    assert!(events.iter().any(|event| matches!(event, Event::OfferEnded { why: OfferEnd::Restart, .. })));
    for call in [talk, wrapped] {
        let done = events
            .iter()
            .any(|event| matches!(event, Event::Completed { interaction, .. } if *interaction == call));
        assert!(done, "{call} has its completion");
    }
    assert_eq!(events.iter().filter(|event| matches!(event, Event::AgentLoggedOut { .. })).count(), 3);
}

/// The crash came between a deadline and its entry: it is done after the replay, not forgotten.
#[test]
fn what_was_due_in_the_crash_is_done_after_it() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let call = hall.call();
    let journal = hall.journal.clone();
    let mut floor = Floor::replay(hall.config.clone(), &journal).unwrap();
    assert_eq!(floor.next_deadline(), Some(hall.now + seconds(20)));
    let mut out = Vec::new();
    floor.tick(hall.now + seconds(25), &mut out);
    hall.pass(seconds(25));
    assert!(hall.waits(call));
    assert_eq!(floor.agent(ana).unwrap().tally.missed, 1);
}

/// Tokens go on where they were: none is given out twice, before or after a crash.
#[test]
fn no_token_is_given_out_twice() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    hall.call();
    let before = hall.token(ana);
    let mut floor = Floor::replay(hall.config.clone(), &hall.journal).unwrap();
    let mut out = Vec::new();
    floor.restart(hall.now, &mut out);
    floor
        .handle(
            Input::LogIn { agent: ana, session: model::id::Id::from_number(7), phone: Default::default() },
            hall.now,
            &mut out,
        )
        .unwrap();
    let again = router::Arrival::new(
        model::id::Id::from_number(77),
        crate::hall::hotline(),
        model::interaction::Channel::Voice,
    );
    floor.handle(Input::Arrive(again), hall.now, &mut out).unwrap();
    let after = floor.agent(ana).unwrap().offer.unwrap().1;
    assert_ne!(before, after);
}

/// STATE-04: who was at lunch when the appliance stopped is at lunch when it is back, and is not rung first because the team begins Ready.
#[test]
fn who_comes_back_after_a_restart_stands_as_before() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let lunch = model::agent::NotReadyReason::Chosen(model::id::Id::from_number(1));
    hall.must(Input::NotReady { agent: ana, reason: lunch });
    let call = hall.call();
    for (intent, rung) in [
        (router::Intent::NotReady(lunch), false),
        (router::Intent::Offline, false),
        (router::Intent::Ready, true),
    ] {
        let mut floor = Floor::replay(hall.config.clone(), &hall.journal).unwrap();
        let mut out = Vec::new();
        floor.restart(hall.now, &mut out);
        // A call's legs are gone with the program; somebody else waits by now.
        assert!(!floor.is_waiting(call));
        let again = router::Arrival::new(
            model::id::Id::from_number(77),
            crate::hall::hotline(),
            model::interaction::Channel::Voice,
        );
        floor.handle(Input::Arrive(again), hall.now, &mut out).unwrap();
        out.clear();
        let (session, phone) = (model::id::Id::from_number(7), Default::default());
        floor.handle(Input::LogBackIn { agent: ana, session, phone, intent }, hall.now, &mut out).unwrap();
        let view = floor.agent(ana).unwrap();
        assert_eq!((view.intent, view.offer.is_some()), (intent, rung));
        let offered =
            |output: &&router::Output| matches!(output, router::Output::Journal(Event::Offered { .. }));
        assert_eq!(out.iter().filter(offered).count(), usize::from(rung));
    }
}

/// A lunch that ends after the agent has gone home makes nobody Ready.
#[test]
fn a_stay_ends_with_the_sign_out() {
    let reason = model::id::Id::from_number(1);
    let mut hall = Hall::with(|config| config.stays = [(reason, seconds(40))].into());
    let ana = hall.agent(&[]);
    hall.must(Input::NotReady { agent: ana, reason: model::agent::NotReadyReason::Chosen(reason) });
    hall.must(Input::LogOut { agent: ana });
    hall.pass(seconds(60));
    let gone = hall.events().position(|event| matches!(event, Event::AgentLoggedOut { .. }));
    assert_eq!(gone, Some(hall.journal.len() - 1), "nothing comes after it");
}

/// A wait that was over while its service let everybody wait on stays so in a replay, although the service leads on by now.
#[test]
fn what_was_let_wait_on_is_not_led_on_by_a_replay() {
    let mut hall = Hall::open();
    hall.reconfigure(|config| {
        for service in &mut config.services {
            service.queue.wait_time_max = Some(seconds(45));
            service.queue.when_waited_long = Treatment::Queue;
        }
    });
    let before = hall.config.clone();
    let call = hall.call();
    hall.pass(seconds(60));
    assert!(hall.waits(call));
    hall.reconfigure(|config| {
        for service in &mut config.services {
            service.queue.when_waited_long = Treatment::Reject;
        }
    });
    hall.pass(seconds(60));
    assert!(hall.waits(call));
    let mut floor = Floor::replay(before, &hall.journal).unwrap();
    floor.fold_configuration(hall.config.clone(), hall.now).unwrap();
    let mut out = Vec::new();
    floor.tick(hall.now, &mut out);
    assert_eq!(out, []);
}
