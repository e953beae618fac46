//! More than two talk.

use media::control::Channel;

use super::*;
use crate::call::words::MediaOrder;

/// Ana, her customer, and Ben: three who hear each other.
fn of_three() -> House {
    let mut house = House::open();
    house.customer_talks(1, ANA);
    house.order(1, Order::Hold(user(ANA)));
    house.colleagues_talk(2, ANA, BEN);
    house.plane.watched.insert(customer_of(1));
    house.join(1, 2, ANA, AfterJoin::Stay);
    house
}

fn all_hear(house: &House, legs: &[LegId]) {
    for a in legs {
        for b in legs.iter().filter(|b| *b != a) {
            assert!(house.plane.hears(*a, *b), "{a} does not hear {b}");
        }
    }
}

/// XFER-03, XFER-09, RECO-01: everybody hears everybody, the customer without a gap; the recording has the customer left and all others
/// right.
#[test]
fn a_consult_becomes_a_conference_of_three() {
    let mut house = of_three();
    all_hear(&house, &[customer_of(1), soft(ANA), soft(BEN)]);
    let told = house.told();
    assert_eq!(told.last(), Some(&"Joined 1".to_owned()), "{told:?}");
    assert!(told.contains(&"HoldChanged 1".to_owned()), "the customer is held no longer");
    let right = |leg| house.plane.captures(recording_of(1), Channel::Right, leg);
    assert!(right(soft(ANA)) && right(soft(BEN)) && !right(customer_of(1)));
    assert!(house.plane.captures(recording_of(1), Channel::Left, customer_of(1)));
    house.plane.watched.clear();
    house.order(1, Order::HangUp(EndedBy::Agent));
    let told = house.told();
    assert_eq!(&told[told.len() - 2..], ["Ended 2", "Ended 1"]);
    assert_eq!(house.plane.open_rooms() + house.plane.open_recordings(), 0);
    assert!(house.plane.is_in_silence(soft(ANA)) && house.plane.is_in_silence(soft(BEN)));
}

/// XFER-08: a fourth comes: a number outside, while the others go on.
#[test]
fn a_fourth_comes_in() {
    let mut house = of_three();
    house.order(1, Order::Hold(user(ANA)));
    assert!(house.both_hear(customer_of(1), soft(BEN)), "they go on");
    house.number_talks(3, ANA);
    assert!(house.both_hear(soft(ANA), customer_of(3)) && !house.plane.hears(soft(BEN), soft(ANA)));
    house.join(1, 3, ANA, AfterJoin::Stay);
    all_hear(&house, &[customer_of(1), soft(ANA), soft(BEN), customer_of(3)]);
    // XFER-13: the organiser drops one of them, and the others go on.
    house.order(3, Order::HangUp(EndedBy::Agent));
    assert_eq!(house.ended(3), Some(EndedBy::Agent));
    assert!(!house.plane.is_there(customer_of(3)) && house.live.is_empty());
    all_hear(&house, &[customer_of(1), soft(ANA), soft(BEN)]);
}

/// XFER-13: the organiser leaves while the rest continue; the colleague has the agent's place, and two hear each other directly.
#[test]
fn the_organiser_leaves_and_the_rest_goes_on() {
    let mut house = of_three();
    house.forget();
    house.order(1, Order::Leave(user(ANA)));
    assert!(house.both_hear(customer_of(1), soft(BEN)) && house.plane.is_in_silence(soft(ANA)));
    assert_eq!(house.plane.open_rooms(), 0);
    assert!(house.plane.captures(recording_of(1), Channel::Right, soft(BEN)));
    let (interaction, from, agent) = (call(1), call(2), Some(user(BEN)));
    assert_eq!(house.facts.last(), Some(&CallFact::TookOver { interaction, from, agent }));
    assert_eq!(house.told(), ["LegEnded 1", "LegEnded 2", "LegAnswered 1", "TookOver 1"]);
    house.forget();
    house.tell(1, Input::Customer(Peer::Bye));
    assert_eq!(house.told().last(), Some(&"Ended 1".to_owned()));
    assert!(house.ended(2).is_none());
}

/// A desk phone that hangs up leaves; a guest who hangs up, too.
#[test]
fn whoever_hangs_up_leaves_the_others_talking() {
    let mut house = House::open();
    house.customer_talks(1, ANA);
    house.order(1, Order::Hold(user(ANA)));
    house.colleague_talks_by_phone(2, ANA, BEN);
    house.plane.watched.insert(customer_of(1));
    house.join(1, 2, ANA, AfterJoin::Stay);
    all_hear(&house, &[customer_of(1), soft(ANA), phone_of(2)]);
    house.hangs_up(1, branch_of(2));
    assert_eq!(house.ended(2), Some(EndedBy::Agent));
    assert!(house.both_hear(customer_of(1), soft(ANA)) && house.ended(1).is_none());

    // The other way round: the phone has the agent's place, and hangs up.
    house.order(1, Order::Hold(user(ANA)));
    house.colleague_talks_by_phone(3, ANA, CEM);
    house.join(1, 3, ANA, AfterJoin::Leave);
    house.colleagues_talk(4, CEM, BEN);
    house.join(1, 4, CEM, AfterJoin::Stay);
    all_hear(&house, &[customer_of(1), phone_of(3), soft(BEN)]);
    house.hangs_up(1, branch_of(3));
    assert!(house.both_hear(customer_of(1), soft(BEN)), "{:#?}", house.facts);
    assert!(
        matches!(house.facts.last(), Some(CallFact::TookOver { agent, .. }) if *agent == Some(user(BEN)))
    );
}

/// The customer leaves: two agents go on, still recorded, and when one of them leaves it is over for both.
#[test]
fn the_customer_leaves_and_two_go_on() {
    let mut house = of_three();
    house.forget();
    house.plane.watched = [soft(ANA), soft(BEN)].into();
    house.tell(1, Input::Customer(Peer::Bye));
    assert_eq!(house.told(), ["LegEnded 1"]);
    house.plane.watched.clear();
    assert!(house.both_hear(soft(ANA), soft(BEN)));
    for leg in [soft(ANA), soft(BEN)] {
        assert!(house.plane.captures(recording_of(1), Channel::Right, leg), "{leg}");
    }
    house.order(1, Order::Leave(user(ANA)));
    let told = house.told();
    assert_eq!(&told[told.len() - 2..], ["Ended 2", "Ended 1"], "{told:?}");
    assert_eq!(house.plane.open_rooms() + house.plane.open_recordings(), 0);
}

/// XFER-14: who holds in a conference neither hears nor is heard, and the others hear no music; when only one is left, that one does.
#[test]
fn who_holds_is_out_and_the_others_go_on() {
    let mut house = of_three();
    house.forget();
    house.order(2, Order::Hold(user(BEN)));
    assert_eq!(house.told(), ["HoldChanged 2"]);
    assert!(house.both_hear(customer_of(1), soft(ANA)));
    assert!(!house.plane.hears(soft(ANA), soft(BEN)) && !house.plane.hears(customer_of(1), soft(BEN)));
    assert!(!house.plane.hears(soft(BEN), customer_of(1)) && !house.plane.hears(soft(BEN), soft(ANA)));
    house.order(1, Order::Hold(user(ANA)));
    assert!(!house.plane.hears(customer_of(1), soft(ANA)), "alone, with music");
    house.order(2, Order::Retrieve(user(BEN)));
    assert!(house.both_hear(customer_of(1), soft(BEN)));
    house.order(1, Order::Retrieve(user(ANA)));
    all_hear(&house, &[customer_of(1), soft(ANA), soft(BEN)]);
    // CTRL-01: muted under the name they came with.
    house.order(2, Order::Mute { agent: user(BEN), muted: true });
    assert!(!house.plane.hears(customer_of(1), soft(BEN)) && house.plane.hears(soft(BEN), customer_of(1)));
    house.order(2, Order::Mute { agent: user(BEN), muted: false });
    all_hear(&house, &[customer_of(1), soft(ANA), soft(BEN)]);
}

/// WRTC-02: a guest's page is loaded anew: the others go on meanwhile; one that does not come back has left.
#[test]
fn a_guest_whose_page_is_gone_is_waited_for() {
    let mut house = of_three();
    house.tell(1, Input::Softphone { leg: soft(BEN), up: false });
    assert!(house.both_hear(customer_of(1), soft(ANA)));
    house.tell(1, Input::Softphone { leg: soft(BEN), up: true });
    all_hear(&house, &[customer_of(1), soft(ANA), soft(BEN)]);
    house.tell(1, Input::Softphone { leg: soft(BEN), up: false });
    house.pass(crate::call::SOFTPHONE_AWAY_MAX);
    assert_eq!(house.ended(2), Some(EndedBy::System));
    assert!(house.both_hear(customer_of(1), soft(ANA)) && house.ended(1).is_none());
    // The agent's own page: whoever is left takes the place.
    let mut house = of_three();
    house.tell(1, Input::Softphone { leg: soft(ANA), up: false });
    house.pass(crate::call::SOFTPHONE_AWAY_MAX);
    assert!(house.both_hear(customer_of(1), soft(BEN)));
    assert!(house.told().contains(&"TookOver 1".to_owned()), "{:?}", house.told());
}

/// Keys that a guest presses are for the customer's side.
#[test]
fn a_guests_digits_go_to_the_customer() {
    let mut house = of_three();
    let outputs = house.calls.get_mut(&call(1)).unwrap().handle(
        Input::Order(Order::Guest(
            call(2),
            GuestOrder::SendDigits { agent: user(BEN), digits: "42#".into() },
        )),
        START,
    );
    let is_sent = |output: &Output| matches!(output, Output::Media(MediaOrder::SendDigits { leg, .. }) if *leg == customer_of(1));
    assert!(outputs.iter().any(is_sent), "{outputs:?}");
}
