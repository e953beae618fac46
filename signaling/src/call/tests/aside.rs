//! Customers who go through a flow while their agent waits (CTRL-06).

use std::time::Duration;

use media::control::Event;
use model::call::{CallFact, Sound};

use crate::call::fixture::*;
use crate::call::words::{Heard, Input, MediaOrder, Order, Peer};

fn hears(leg: model::id::LegId, heard: Heard) -> MediaOrder {
    MediaOrder::Hear { leg, heard }
}

/// A customer who is aside and hears a prompt.
fn aside() -> Scene {
    let mut scene = Scene::of_a_conversation();
    scene.forget();
    scene.order(Order::TakeAside);
    scene.order(Order::PlaySounds { number: 1, sounds: vec!["enter-card".into()] });
    scene
}

/// CTRL-06: aside the customer hears the prompt and presses keys, of which the agent hears nothing; then they are together as before.
#[test]
fn a_customer_is_taken_aside_and_brought_back() {
    let mut scene = aside();
    let prompt = Heard::Named("enter-card".into());
    assert_eq!(
        scene.media,
        [hears(softphone().leg, Heard::Sound(Sound::ComfortNoise)), hears(customer_leg(), prompt)]
    );
    scene.does(Input::Media(Event::PromptEnded { leg: customer_leg() }));
    scene.does(Input::Media(Event::Dtmf {
        leg: customer_leg(),
        digit: '4',
        held: Duration::from_millis(80),
    }));
    assert!(matches!(
        scene.facts[..],
        [CallFact::Played { number: 1, .. }, CallFact::DigitReceived { digit: '4', .. }]
    ));
    scene.forget();
    scene.order(Order::BringBack);
    assert_eq!(scene.media, [MediaOrder::Bridge { a: customer_leg(), b: softphone().leg }]);
    scene.forget();
    scene.order(Order::PlaySounds { number: 2, sounds: vec!["late".into()] });
    scene.order(Order::BringBack);
    assert!(scene.media.is_empty(), "a late order does not tear them apart: {:?}", scene.media);
}

/// CTRL-06: an agent who held the customer, or holds meanwhile, holds on: nothing is played into the call the agent is in by then.
#[test]
fn who_holds_holds_on() {
    let mut scene = Scene::of_a_conversation();
    scene.order(Order::Hold(agent()));
    scene.forget();
    scene.order(Order::TakeAside);
    assert!(scene.media.is_empty(), "{:?}", scene.media);
    scene.order(Order::BringBack);
    assert_eq!(scene.media, [hears(customer_leg(), Heard::Sound(Sound::HoldMusic))]);

    let mut scene = aside();
    scene.forget();
    scene.order(Order::Hold(agent()));
    let to_customer =
        |order: &MediaOrder| matches!(order, MediaOrder::Hear { leg, .. } if *leg == customer_leg());
    assert!(!scene.media.iter().any(to_customer), "the prompt goes on: {:?}", scene.media);
    scene.order(Order::Retrieve(agent()));
    assert!(!scene.media.iter().any(|order| matches!(order, MediaOrder::Bridge { .. })), "still aside");
    assert_eq!(scene.media.last(), Some(&hears(softphone().leg, Heard::Sound(Sound::ComfortNoise))));
    scene.order(Order::BringBack);
    assert_eq!(scene.media.last(), Some(&MediaOrder::Bridge { a: customer_leg(), b: softphone().leg }));
}

/// CTRL-06: either hangs up meanwhile, and all is over as ever; between colleagues nobody is taken aside.
#[test]
fn a_call_ends_while_the_customer_is_aside() {
    let mut scene = aside();
    scene.customer_does(Peer::Bye);
    assert!(scene.ended().is_some());
    let mut scene = Scene::of_colleagues();
    scene.forget();
    scene.order(Order::TakeAside);
    assert!(scene.media.is_empty(), "{:?}", scene.media);
}
