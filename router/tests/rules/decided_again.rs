//! The past, explained and decided again.

use model::journal::Event;
use model::skill::{Requirement, SkillExpr, Step, StepMode};
use router::{Advice, AgentTerm, Arrival, Decider, Floor, Input};

use crate::day::Day;
use crate::hall::{German, Hall, hotline, seconds};
use crate::sim::for_each_seed;

/// ROUTE-10: a day's journal, decided again, gives the same decisions byte for byte.
#[test]
fn route_10_a_day_decided_again_is_the_same_day() {
    for_each_seed(2, |seed| {
        let mut day = Day::begin(seed);
        day.run();
        let again = day.world.check_decided_again();
        assert_eq!(again.entries, day.world.journal.len() as u64);
        assert!(again.offers > 1_000 && again.decisions > again.offers, "{again:?}");
    });
}

/// ROUTE-09: folded up to the moment before each offer, the explanation names exactly the agent who was rung, and on which
/// term each other one lost.
#[test]
fn route_09_the_explanation_of_every_offer_of_a_day_names_the_agent_who_was_rung() {
    for_each_seed(2, |seed| {
        let mut day = Day::begin(seed);
        day.run();
        let mut floor = Floor::new(day.world.oracle.config.clone()).unwrap();
        let (mut offers, mut contested) = (0, 0);
        for entry in &day.world.journal {
            if let Event::Offered { interaction, agent, .. } = &entry.event {
                floor.stand_at(entry.at);
                // A colleague's call was never queued, and nobody chose.
                if let Some(why) = floor.explain(*interaction) {
                    let first = why.candidates.first().map(|candidate| candidate.agent);
                    assert_eq!(first, Some(*agent), "entry {}", entry.seq.0);
                    assert!(why.candidates.iter().skip(1).all(|candidate| candidate.lost_on.is_some()));
                    offers += 1;
                    contested += usize::from(why.candidates.len() > 1);
                }
            }
            floor.fold(entry);
        }
        assert!(offers > 1_000 && contested > 20, "{offers} offers, {contested} of them contested");
    });
}

/// ROUTE-09: the term is named, with what each had.
#[test]
fn an_agent_who_was_not_rung_lost_on_a_term_of_the_order() {
    let mut hall = Hall::open();
    let late = hall.expert(&[(German, 7)]);
    hall.pass(seconds(5));
    let (weak, later) = (hall.expert(&[(German, 4)]), hall.expert(&[(German, 7)]));
    let before = hall.journal.len();
    let call = hall.call_needing(German.at(3));
    assert_eq!(hall.offered_to(call), Some(late));
    let mut floor = Floor::replay(hall.config.clone(), &hall.journal[..before + 1]).unwrap();
    floor.stand_at(hall.now);
    let why = floor.explain(call).unwrap();
    let lost: Vec<_> = why.candidates.iter().map(|one| (one.agent, one.fit, one.lost_on)).collect();
    let by = |term| Some(Decider::Term(term));
    assert_eq!(
        lost,
        [(late, 7, None), (later, 7, by(AgentTerm::LongestIdle)), (weak, 4, by(AgentTerm::MostSkilled))]
    );
}

/// ROUTE-09: which step comes next, when, and what a lower level would do.
#[test]
fn the_explanation_says_what_comes_next_and_what_would_help() {
    let mut hall = Hall::open();
    let six = hall.expert(&[(German, 6)]);
    let steps =
        vec![Step { who: German.at(7), lasts: Some(seconds(30)) }, Step { who: German.at(5), lasts: None }];
    let requirement = Requirement { steps, mode: StepMode::Replace };
    let call = model::id::Id::from_number(900);
    let mut arrival = Arrival::new(call, hotline(), model::interaction::Channel::Voice);
    arrival.requirement = Some(requirement);
    hall.must(Input::Arrive(arrival));
    let why = hall.floor.explain(call).unwrap();
    assert_eq!((why.who, why.next), (Some(German.at(7)), Some(German.at(5))));
    let lower = Advice::LowerLevel { skill: German.id(), asked: 7, instead: 6, agents: 1, who: vec![six] };
    assert_eq!(why.advice, [lower, Advice::NextStep { at: hall.now + seconds(30), agents: 1 }]);
    hall.pass(seconds(30));
    assert_eq!(hall.offered_to(call), Some(six));
}

/// What the floor would not have written is found.
#[test]
fn route_10_an_offer_to_somebody_else_is_found() {
    let mut hall = Hall::open();
    hall.expert(&[(German, 7)]);
    let other = hall.expert(&[(German, 4)]);
    hall.call_needing(German.at(3));
    hall.pass(seconds(1));
    let mut journal = hall.journal.clone();
    let offered = journal.iter_mut().find(|entry| matches!(entry.event, Event::Offered { .. })).unwrap();
    let Event::Offered { agent, .. } = &mut offered.event else { unreachable!() };
    *agent = other;
    let (at, seq) = (offered.at, offered.seq);
    let mut again = router::Retrace::of(Floor::new(hall.config.clone()).unwrap());
    let found = (0..journal.len()).find_map(|n| again.take(&journal[n], &journal[n + 1..]).err()).unwrap();
    assert_eq!((found.written.seq, found.written.at), (seq, at));
    assert!(matches!(found.decided, Some(Event::Offered { agent, .. }) if agent != other), "{found:?}");
}

/// A configuration that was written down decides as the one it was written from.
#[test]
fn a_configuration_can_be_kept_as_text() {
    let hall = Hall::with(|config| {
        let who = SkillExpr::And(vec![German.at(3), SkillExpr::InGroup(crate::hall::team())]);
        config.services[0].requirement = Requirement::fixed(who);
        config.stays.insert(model::id::Id::from_number(4), seconds(90));
    });
    let text = serde_json::to_string(&hall.config).unwrap();
    let back: router::FloorConfig = serde_json::from_str(&text).unwrap();
    assert_eq!(format!("{back:?}"), format!("{:?}", hall.config));
    let empty: router::FloorConfig = serde_json::from_str("{}").unwrap();
    assert_eq!(format!("{empty:?}"), format!("{:?}", router::FloorConfig::default()));
}
