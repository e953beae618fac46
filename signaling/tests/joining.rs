//! Calls that become one, with a real media plane, and SIPp as two callers and as the agent's phone, which is in both calls.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use model::call::{AfterJoin, CallFact, CallOrder};
use model::id::{Id, InteractionId, RecordingId};
use model::interaction::EndedBy;
use signaling::service::Transport;
use support::sipp::{Run, Sipp, free_port};
use support::{EXTENSION, House, OTHER_IP, TRUNK_IP};

/// Two callers; the agent holds the first and talks to the second, with one phone.
struct Scene {
    house: House,
    first: InteractionId,
    second: InteractionId,
    callers: [Sipp; 2],
    phone: Sipp,
}

impl Scene {
    async fn begin() -> Self {
        let mut house = House::open().await;
        let port = free_port(OTHER_IP);
        let to = house.at(Transport::Udp);
        let run = |scenario, calls| Run {
            scenario,
            from: OTHER_IP,
            port,
            to,
            tcp: false,
            service: EXTENSION,
            calls,
        };
        Sipp::start(house.path(), run("phone_registers", 1)).succeeds().await;
        house.fact("the phone", |f| matches!(f, CallFact::PhoneUp { .. }).then_some(())).await;
        let phone = Sipp::start(house.path(), run("phone_answers", 2));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (waits, first) =
            talks(&mut house, "caller_waits_for_bye", Some(RecordingId::from_number(9))).await;
        let agent = house.agent;
        house.order(CallOrder::Hold { interaction: first, agent }).await;
        house.fact("the hold", |f| matches!(f, CallFact::HoldChanged { held: true, .. }).then_some(())).await;
        let (leaves, second) = talks(&mut house, "caller_talks_for_long", None).await;
        Self { house, first, second, callers: [waits, leaves], phone }
    }

    async fn join(&mut self, then: AfterJoin) {
        let (interaction, from, agent) = (self.first, self.second, self.house.agent);
        self.house.order(CallOrder::Join { interaction, from, agent, then }).await;
    }

    /// What comes in on both sides of the first call, from now on.
    async fn figures(&mut self) -> (u64, u64) {
        let first = self.first;
        self.house
            .fact("figures", |f| match f {
                CallFact::Quality { interaction, customer, agent } if *interaction == first => {
                    Some((customer.packets, agent.packets))
                }
                _ => None,
            })
            .await
    }

    async fn ended(&mut self, call: InteractionId) -> EndedBy {
        self.house
            .fact("the end", |f| match f {
                CallFact::Ended { interaction, by, failure } if *interaction == call => {
                    assert_eq!(*failure, None);
                    Some(*by)
                }
                _ => None,
            })
            .await
    }
}

async fn talks(house: &mut House, scenario: &str, record: Option<RecordingId>) -> (Sipp, InteractionId) {
    let caller = Sipp::calls(house.path(), scenario, TRUNK_IP, house.at(Transport::Udp), false);
    let call = house.incoming().await;
    house.play_music(call).await;
    house.fact("the answer", |f| matches!(f, CallFact::LegAnswered { .. }).then_some(())).await;
    house.ring_phone(call).await;
    house.fact("the pick-up", |f| matches!(f, CallFact::AgentAnswered { .. }).then_some(())).await;
    house.connect(call, record).await;
    house.fact("the bridge", |f| matches!(f, CallFact::Bridged { .. }).then_some(())).await;
    (caller, call)
}

/// XFER-04, SIP-04: the phone is hung up in both calls, the two callers talk to each other, and when the one who came over hangs up, in
/// a dialog that began as another call's, the other is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_far_ends_of_two_calls_are_joined() {
    let mut scene = Scene::begin().await;
    scene.join(AfterJoin::Leave).await;
    let (first, second) = (scene.first, scene.second);
    let took = scene.house.fact("the transfer", |f| match f {
        CallFact::TookOver { interaction, from, agent } => Some((*interaction, *from, *agent)),
        CallFact::JoinFailed { why, .. } => panic!("{why}"),
        _ => None,
    });
    assert_eq!(took.await, (first, second, None));
    let before = scene.figures().await;
    let after = scene.figures().await;
    assert!(after.0 > before.0 && after.1 > before.1, "both are heard: {before:?}, {after:?}");
    assert_eq!(scene.ended(first).await, EndedBy::Agent);
    let Scene { house, callers: [waits, leaves], phone, .. } = scene;
    waits.succeeds().await;
    leaves.succeeds().await;
    phone.succeeds().await;
    let of_second =
        |f: &&CallFact| matches!(f, CallFact::Ended { interaction, .. } if *interaction == second);
    assert_eq!(house.seen().iter().filter(of_second).count(), 0, "it went on as the first");
    assert!(house.recording(RecordingId::from_number(9)).metadata().unwrap().len() > 1_000);
}

/// XFER-09, XFER-13: three talk in a room; the one who came over hangs up, and the other two go on until the call is ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_comes_into_a_conference_and_leaves_it() {
    let mut scene = Scene::begin().await;
    scene.join(AfterJoin::Stay).await;
    let (first, second) = (scene.first, scene.second);
    let joined = scene.house.fact("the conference", |f| match f {
        CallFact::Joined { interaction, from } => Some((*interaction, *from)),
        CallFact::JoinFailed { why, .. } => panic!("{why}"),
        _ => None,
    });
    assert_eq!(joined.await, (first, second));
    assert_eq!(scene.ended(second).await, EndedBy::Customer);
    let before = scene.figures().await;
    let after = scene.figures().await;
    assert!(after.0 > before.0 && after.1 > before.1, "two go on: {before:?}, {after:?}");
    scene.house.order(CallOrder::HangUp { interaction: first, by: EndedBy::Agent }).await;
    assert_eq!(scene.ended(first).await, EndedBy::Agent);
    let Scene { callers: [waits, leaves], phone, .. } = scene;
    waits.succeeds().await;
    leaves.succeeds().await;
    phone.succeeds().await;
}
