//! The agent leaves, and whoever was consulted has the customer.

use model::journal::Party;

use super::*;
use crate::call::words::{RequestId, Step};

/// How a second call comes about.
type Consult = fn(&mut House);

fn has_leg_ended(house: &House, number: u64) -> usize {
    let is = |fact: &&CallFact| matches!(fact, CallFact::LegEnded { interaction, .. } if *interaction == call(number));
    house.facts.iter().filter(is).count()
}

/// XFER-03, XFER-04: the customer and the colleague hear each other without a gap, the agent hears nobody, the consult is over without
/// a word of its end, and from then on everything is said of the customer's call.
#[test]
fn a_colleague_at_the_softphone_takes_the_customer_over() {
    let mut house = House::open();
    house.customer_talks(1, ANA);
    house.order(1, Order::Hold(user(ANA)));
    house.colleagues_talk(2, ANA, BEN);
    assert!(house.both_hear(soft(ANA), soft(BEN)));
    house.plane.watched.insert(customer_of(1));
    house.plane.apart.push((soft(ANA), customer_of(1)));
    house.forget();

    house.join(1, 2, ANA, AfterJoin::Leave);
    assert!(house.both_hear(customer_of(1), soft(BEN)));
    assert!(house.plane.is_in_silence(soft(ANA)), "the agent is free");
    let (interaction, from, agent) = (call(1), call(2), Some(user(BEN)));
    assert_eq!(house.facts.last(), Some(&CallFact::TookOver { interaction, from, agent }));
    assert_eq!(has_leg_ended(&house, 2), 2, "both ends of the consult: {:#?}", house.facts);
    assert!(house.ended(2).is_none() && house.calls[&call(2)].is_over());
    let answered = house.facts.iter().any(|fact| {
        matches!(fact, CallFact::LegAnswered { interaction, party: Party::Agent { agent }, .. } if (*interaction, *agent) == (call(1), user(BEN)))
    });
    assert!(answered, "{:#?}", house.facts);
    // RECO-01.
    assert!(house.plane.captures(recording_of(1), media::control::Channel::Right, soft(BEN)));
    assert!(house.plane.captures(recording_of(1), media::control::Channel::Left, customer_of(1)));

    house.forget();
    house.plane.watched.clear();
    house.order(1, Order::Hold(user(BEN)));
    assert!(!house.plane.hears(customer_of(1), soft(BEN)));
    house.order(1, Order::Retrieve(user(BEN)));
    assert!(house.both_hear(customer_of(1), soft(BEN)));
    house.tell(1, Input::Customer(Peer::Bye));
    assert_eq!(house.ended(1), Some(EndedBy::Customer));
    assert_eq!(house.told().last(), Some(&"Ended 1".to_owned()));
    assert!(house.plane.is_in_silence(soft(BEN)));
}

/// XFER-04: whichever of the two calls is held, and whichever end of the consult whoever takes over has.
#[test]
fn every_shape_of_a_consult_becomes_a_transfer() {
    let shapes: [(&str, Consult, LegId, Option<u64>); 5] = [
        ("a colleague who was called", |house| house.colleagues_talk(2, ANA, BEN), soft(BEN), Some(BEN)),
        ("a colleague who called", |house| house.colleagues_talk(2, BEN, ANA), soft(BEN), Some(BEN)),
        (
            "a colleague at a desk phone",
            |house| house.colleague_talks_by_phone(2, ANA, BEN),
            phone_of(2),
            Some(BEN),
        ),
        ("a number outside", |house| house.number_talks(2, ANA), customer_of(2), None),
        ("another customer", |house| house.customer_talks(2, ANA), customer_of(2), None),
    ];
    for (name, consult, leg, agent) in shapes {
        for held in [1, 2] {
            let mut house = House::open();
            house.customer_talks(1, ANA);
            house.order(1, Order::Hold(user(ANA)));
            consult(&mut house);
            if held == 2 {
                house.order(2, Order::Hold(user(ANA)));
                house.order(1, Order::Retrieve(user(ANA)));
            }
            house.plane.watched = [customer_of(1), leg].into();
            house.join(1, 2, ANA, AfterJoin::Leave);
            house.plane.watched.clear();
            assert!(house.both_hear(customer_of(1), leg), "{name}, {held} held: {:#?}", house.facts);
            assert!(house.plane.is_in_silence(soft(ANA)), "{name}, {held} held");
            let (interaction, from, agent) = (call(1), call(2), agent.map(user));
            assert_eq!(house.facts.last(), Some(&CallFact::TookOver { interaction, from, agent }), "{name}");
            house.order(1, Order::HangUp(EndedBy::Agent));
            assert!(
                house.live.is_empty() && !house.plane.is_there(customer_of(2)),
                "{name}: {:?}",
                house.live
            );
            assert!(!house.plane.is_there(phone_of(2)), "{name}");
            assert_eq!(house.plane.open_recordings() + house.plane.open_rooms(), 0);
            assert!(house.bye.contains(&call(1)), "{name}");
        }
    }
}

/// The agent's own desk phone is hung up in both calls.
#[test]
fn an_agent_at_a_desk_phone_is_out_of_both_calls() {
    let mut house = House::open();
    house.customer_talks(1, CEM);
    house.order(1, Order::Release(user(CEM)));
    house.picks_up(1, ANA);
    house.connect(1, ANA, Some(recording_of(1)));
    house.order(1, Order::Hold(user(ANA)));
    house.calls_colleague(2, BEN);
    house.picks_up(2, ANA);
    house.connect(2, ANA, None);
    assert!(house.both_hear(phone_of(2), soft(BEN)));
    house.plane.watched.insert(customer_of(1));
    house.join(1, 2, ANA, AfterJoin::Leave);
    assert!(house.both_hear(customer_of(1), soft(BEN)), "{:#?}", house.facts);
    assert!(house.live.is_empty(), "{:?}", house.live);
    assert!(!house.plane.is_there(phone_of(1)) && !house.plane.is_there(phone_of(2)));
}

/// What a far end says in its dialog after it took over is heard in the customer's call; when it hangs up, that is over.
#[test]
fn a_number_that_took_over_holds_and_hangs_up_there() {
    let mut house = House::open();
    house.customer_talks(1, ANA);
    house.order(1, Order::Hold(user(ANA)));
    house.number_talks(2, ANA);
    house.join(1, 2, ANA, AfterJoin::Leave);
    let (branch, id) = (guest_branch(2), RequestId(7));
    let offer = Peer::Offer { id, sdp: Some(sdp("192.0.2.30", "sendrecv", 2)) };
    house.tell(1, Input::Phone(branch, PhoneEvent::Peer(offer)));
    house.hangs_up(1, branch);
    assert_eq!(house.ended(1), Some(EndedBy::Agent));
}

/// A call in which nobody talks yet gives nobody away, and both calls are as they were.
#[test]
fn nobody_comes_out_of_a_call_that_still_rings() {
    let mut house = House::open();
    house.customer_talks(1, ANA);
    house.order(1, Order::Hold(user(ANA)));
    house.calls_colleague(2, ANA);
    house.forget();
    house.join(1, 2, ANA, AfterJoin::Leave);
    assert_eq!(house.told(), ["JoinFailed 1"]);
    house.connect(2, BEN, None);
    assert!(house.both_hear(soft(ANA), soft(BEN)));
    house.forget();
    // A call that there is no more, one of somebody else, and one whose other side holds.
    house.join(1, 9, ANA, AfterJoin::Stay);
    house.join(1, 2, CEM, AfterJoin::Stay);
    house.order(2, Order::Hold(user(BEN)));
    house.join(1, 2, ANA, AfterJoin::Stay);
    assert_eq!(house.told(), ["JoinFailed 1", "JoinFailed 1", "HoldChanged 2", "JoinFailed 1"]);
    house.order(2, Order::Retrieve(user(BEN)));
    // WRTC-02: a page that is loaded anew is waited for in its own call.
    house.tell(2, Input::Softphone { leg: soft(BEN), up: false });
    house.forget();
    house.join(1, 2, ANA, AfterJoin::Leave);
    assert_eq!(house.told(), ["JoinFailed 1"]);
    house.tell(2, Input::Softphone { leg: soft(BEN), up: true });
    house.join(1, 2, ANA, AfterJoin::Leave);
    assert!(house.both_hear(customer_of(1), soft(BEN)));
}

/// The media plane refuses: the agent talks to whom they talked to, the customer hears music, and all can be tried again.
#[test]
fn whoever_cannot_be_heard_goes_back() {
    let shapes: [(Consult, LegId); 3] = [
        (|house| house.colleagues_talk(2, ANA, BEN), soft(BEN)),
        (|house| house.colleague_talks_by_phone(2, ANA, BEN), phone_of(2)),
        (|house| house.number_talks(2, ANA), customer_of(2)),
    ];
    for (consult, leg) in shapes {
        for then in [AfterJoin::Leave, AfterJoin::Stay] {
            let mut house = House::open();
            house.customer_talks(1, ANA);
            house.order(1, Order::Hold(user(ANA)));
            consult(&mut house);
            house.plane.watched = [customer_of(1), leg].into();
            house.plane.refuses = Some(|order| matches!(order.step(), Step::Bridged | Step::Gathered));
            house.forget();
            house.join(1, 2, ANA, then);
            assert_eq!(house.told(), ["JoinFailed 1"]);
            assert!(house.both_hear(soft(ANA), leg), "{then:?} of {leg}");
            assert!(!house.plane.hears(customer_of(1), leg));
            house.plane.refuses = None;
            house.order(2, Order::Hold(user(ANA)));
            house.order(2, Order::Retrieve(user(ANA)));
            assert!(house.both_hear(soft(ANA), leg));
            house.join(1, 2, ANA, then);
            assert!(house.both_hear(customer_of(1), leg), "{then:?} of {leg}");
        }
    }
}

/// The other call never answers: it is given up, and what comes late goes back.
#[test]
fn a_call_that_does_not_answer_is_not_waited_for() {
    let mut house = House::open();
    house.customer_talks(1, ANA);
    house.colleagues_talk(2, BEN, CEM);
    house.forget();
    let asked = house.calls.get_mut(&call(1)).unwrap().handle(
        Input::Order(Order::Join(Join {
            from: call(2),
            agent: user(ANA),
            then: AfterJoin::Stay,
            branch: guest_branch(2),
        })),
        START,
    );
    assert!(matches!(&asked[..], [Output::AskFor(..)]));
    house.join(1, 2, ANA, AfterJoin::Stay);
    assert_eq!(house.told(), ["JoinFailed 1"], "one at a time");
    house.pass(Duration::from_secs(11));
    assert_eq!(house.told().iter().filter(|told| *told == "JoinFailed 1").count(), 2);
}
