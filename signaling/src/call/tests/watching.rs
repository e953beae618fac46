//! What is measured while they talk.

use media::control::{Event, MediaError};
use media::quality::watch::Trouble;
use model::call::CallFact;
use model::journal::Party;

use super::SECOND;
use crate::call::fixture::*;
use crate::call::words::{Input, MediaOrder};

#[test]
fn figures_come_every_two_seconds_while_they_talk_and_never_else() {
    let mut waiting = Scene::of_a_waiting_caller();
    waiting.pass(60 * SECOND);
    assert!(!waiting.told().contains(&"Quality".to_owned()));
    let mut scene = Scene::of_a_conversation();
    scene.pass(10 * SECOND);
    assert_eq!(scene.told(), vec!["Quality"; 5]);
    scene.does(Input::Media(Event::Quality {
        leg: customer_leg(),
        poor: true,
        jitter_ms: 80.0,
        loss_percent: 9.0,
    }));
    assert_eq!(scene.told().last().unwrap(), "QualityChanged");
}

/// MEDIA-08: one-way audio makes a half poor at once, and good again only when nothing else is wrong with it.
#[test]
fn a_half_is_poor_while_anything_is_wrong_with_it() {
    let mut scene = Scene::of_a_conversation();
    let trouble = |trouble, began| Input::Media(Event::Trouble { leg: customer_leg(), trouble, began });
    let limits = |poor| Event::Quality { leg: customer_leg(), poor, jitter_ms: 80.0, loss_percent: 9.0 };
    let changes = |scene: &Scene| scene.told().iter().filter(|fact| *fact == "QualityChanged").count();
    scene.does(trouble(Trouble::NothingReceived, true));
    assert_eq!(changes(&scene), 1);
    scene.does(Input::Media(limits(true)));
    scene.does(trouble(Trouble::NothingReceived, false));
    scene.does(trouble(Trouble::Silence, true));
    assert_eq!(changes(&scene), 1, "it is poor already, and silence alone is nobody's fault");
    scene.does(Input::Media(limits(false)));
    assert_eq!(changes(&scene), 2, "all is well again");
}

/// RECO-04: an empty channel of a recording is told once, of whom, and that it is over; of a call that is not recorded nothing is.
#[test]
fn an_empty_channel_of_a_recording_is_told_with_its_party() {
    let mut scene = Scene::of_a_conversation();
    let silent = |leg, began| Input::Media(Event::Trouble { leg, trouble: Trouble::NothingToRecord, began });
    let parties = |scene: &Scene| -> Vec<(bool, bool)> {
        let told = scene.facts.iter().filter_map(|fact| match fact {
            CallFact::RecordingSilent { party, silent, .. } => Some((*party == Party::Customer, *silent)),
            _ => None,
        });
        told.collect()
    };
    scene.does(silent(softphone().leg, false));
    assert!(parties(&scene).is_empty(), "the end of what belonged to another call of the agent's");
    for began in [true, true, false] {
        scene.does(silent(customer_leg(), began));
    }
    scene.does(silent(softphone().leg, true));
    assert_eq!(parties(&scene), [(true, true), (true, false), (false, true)]);

    let mut scene = Scene::of_a_waiting_caller();
    scene.refuses = |o| match o {
        MediaOrder::StartRecording(_) => Some(MediaError::Unavailable),
        _ => None,
    };
    scene.connect(false);
    scene.does(silent(customer_leg(), true));
    assert!(parties(&scene).is_empty(), "that it is not recorded was said");
}
