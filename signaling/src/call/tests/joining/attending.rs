//! Supervisors listen, coach and barge in.

use media::control::Channel;

use super::*;
use crate::call::words::MediaOrder;

/// Ana talks to a customer; the name of Sue's part is 9.
fn house() -> House {
    let mut house = House::open();
    house.customer_talks(1, ANA);
    house.plane.watched = [customer_of(1), soft(ANA)].into();
    house.forget();
    house
}

/// HELP-03: the supervisor hears both, nobody hears the supervisor, and nobody hears a gap.
#[test]
fn a_supervisor_listens() {
    let mut house = house();
    house.plane.apart = vec![(customer_of(1), soft(SUE)), (soft(ANA), soft(SUE))];
    house.attend(1, 9, SUE, Attending::Monitor);
    assert!(house.plane.hears(soft(SUE), customer_of(1)) && house.plane.hears(soft(SUE), soft(ANA)));
    assert!(house.both_hear(customer_of(1), soft(ANA)));
    assert_eq!(house.told(), ["LegAnswered 9", "Joined 1"]);
    assert!(!house.plane.captures(recording_of(1), Channel::Right, soft(SUE)));
    house.forget();
    house.order(9, Order::HangUp(EndedBy::Agent));
    assert_eq!(house.told(), ["LegEnded 9", "Ended 9"]);
    assert!(house.both_hear(customer_of(1), soft(ANA)) && house.plane.open_rooms() == 0);
    assert!(house.plane.is_in_silence(soft(SUE)));
    assert!(house.plane.captures(recording_of(1), Channel::Right, soft(ANA)));
}

/// HELP-04, HELP-05: the coach talks to the agent alone, never for a moment to the customer; who barges in, to both; and back.
#[test]
fn a_supervisor_coaches_and_barges_in() {
    let mut house = house();
    house.plane.apart.push((customer_of(1), soft(SUE)));
    house.attend(1, 9, SUE, Attending::Coach);
    assert!(house.both_hear(soft(ANA), soft(SUE)) && house.plane.hears(soft(SUE), customer_of(1)));
    // The recording has on the agents' side what the coach says.
    for leg in [soft(ANA), soft(SUE)] {
        assert!(house.plane.captures(recording_of(1), Channel::Right, leg), "{leg}");
    }
    // While the customer is held, and afterwards.
    house.plane.watched.remove(&soft(ANA));
    house.order(1, Order::Hold(user(ANA)));
    house.order(1, Order::Retrieve(user(ANA)));
    assert!(house.both_hear(soft(ANA), soft(SUE)) && house.both_hear(customer_of(1), soft(ANA)));
    house.attend(1, 9, SUE, Attending::Monitor);
    assert!(!house.plane.hears(soft(ANA), soft(SUE)));
    house.plane.apart.clear();
    house.attend(1, 9, SUE, Attending::BargeIn);
    assert!(house.both_hear(customer_of(1), soft(SUE)) && house.both_hear(soft(ANA), soft(SUE)));
    house.attend(1, 9, SUE, Attending::Coach);
    assert!(!house.plane.hears(customer_of(1), soft(SUE)) && house.plane.hears(soft(ANA), soft(SUE)));
}

/// The agent passes the customer on while a coach is there: the coach is heard by whoever has the customer now, and never by the customer.
#[test]
fn a_coach_stays_with_whoever_has_the_agents_place() {
    let mut house = house();
    house.plane.watched.remove(&soft(ANA));
    house.plane.apart.push((customer_of(1), soft(SUE)));
    house.attend(1, 9, SUE, Attending::Coach);
    house.order(1, Order::Hold(user(ANA)));
    house.colleagues_talk(2, ANA, BEN);
    house.join(1, 2, ANA, AfterJoin::Leave);
    assert!(house.both_hear(soft(BEN), soft(SUE)) && house.both_hear(customer_of(1), soft(BEN)));
    assert!(!house.plane.hears(soft(ANA), soft(SUE)) && house.plane.is_in_silence(soft(ANA)));
    house.plane.watched.clear();
    house.order(1, Order::HangUp(EndedBy::Agent));
    let told = house.told();
    assert_eq!(&told[told.len() - 2..], ["Ended 9", "Ended 1"]);
}

/// The agent hangs up: a supervisor who only listens does not keep the customer on the line.
#[test]
fn a_listener_is_nobody_to_talk_to() {
    let mut house = house();
    house.attend(1, 9, SUE, Attending::Monitor);
    house.forget();
    house.order(1, Order::Leave(user(ANA)));
    assert!(house.ended(1).is_none(), "nobody else talks, so nobody leaves");
    house.plane.watched.clear();
    house.order(1, Order::HangUp(EndedBy::Agent));
    assert!(house.ended(9).is_some() && house.ended(1).is_some());
}

/// A supervisor cannot come into a call in which nobody talks, without a softphone, or twice.
#[test]
fn who_cannot_attend_is_told() {
    let mut house = house();
    house.calls_colleague(2, BEN);
    house.forget();
    house.attend(2, 9, SUE, Attending::Monitor);
    let attend =
        Attend { from: call(8), agent: user(SUE), softphone: None, half: soft(SUE), how: Attending::Monitor };
    house.order(1, Order::Attend(attend));
    house.attend(1, 7, ANA, Attending::BargeIn);
    assert_eq!(house.told(), ["JoinFailed 2", "JoinFailed 1", "JoinFailed 1"]);
    house.plane.refuses = Some(|order| matches!(order, MediaOrder::Room(_)));
    house.forget();
    house.attend(1, 9, SUE, Attending::Monitor);
    assert_eq!(house.told(), ["JoinFailed 1"]);
    assert!(house.both_hear(customer_of(1), soft(ANA)));
}
