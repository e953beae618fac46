//! Calls of a real far end: SIPp as trunk and as the agent's phone, over UDP and TCP, with audio.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::time::Duration;

use model::call::{CallFact, CallOrder, ReferTo, Rejection, Sound};
use model::id::{Id, OfferToken, RecordingId, SessionId, TenantId, UserId};
use model::interaction::EndedBy;
use signaling::service::Transport;
use support::sipp::{Run, Sipp, free_port};
use support::{EXTENSION, House, OTHER_IP, TRUNK_IP};

/// The agent's phone: registers, then waits for calls on the same port.
async fn phone(house: &mut House, scenario: &str) -> Sipp {
    let port = free_port(OTHER_IP);
    let to = house.at(Transport::Udp);
    let run = |scenario| Run { scenario, from: OTHER_IP, port, to, tcp: false, service: EXTENSION, calls: 1 };
    Sipp::start(house.path(), run("phone_registers")).succeeds().await;
    house.fact("the phone", |f| matches!(f, CallFact::PhoneUp { .. }).then_some(())).await;
    let phone = Sipp::start(house.path(), run(scenario));
    tokio::time::sleep(Duration::from_millis(300)).await;
    phone
}

async fn talk(tcp: bool, caller: &str, phone_does: &str) -> (House, Sipp, Sipp, RecordingId) {
    let mut house = House::open().await;
    let phone = phone(&mut house, phone_does).await;
    let transport = if tcp { Transport::Tcp } else { Transport::Udp };
    let caller = Sipp::calls(house.path(), caller, TRUNK_IP, house.at(transport), tcp);
    let call = house.incoming().await;
    house.play_music(call).await;
    house.fact("the answer", |f| matches!(f, CallFact::LegAnswered { .. }).then_some(())).await;
    house.ring_phone(call).await;
    house.fact("the pick-up", |f| matches!(f, CallFact::AgentAnswered { .. }).then_some(())).await;
    let recording = RecordingId::from_number(9);
    house.connect(call, Some(recording)).await;
    house.fact("the bridge", |f| matches!(f, CallFact::Bridged { .. }).then_some(())).await;
    (house, caller, phone, recording)
}

/// Both sides hear each other, the recording is there before they do, and everything is accounted for at the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_answered_bridged_and_hangs_up() {
    let (mut house, caller, phone, recording) = talk(false, "caller_hangs_up", "phone_answers").await;
    let started = house.seen().iter().position(|f| matches!(f, CallFact::RecordingStarted { .. }));
    let bridged = house.seen().iter().position(|f| matches!(f, CallFact::Bridged { .. }));
    assert!(started < bridged && started.is_some(), "recording starts before they hear each other");
    let figures = house
        .fact("figures", |f| match f {
            CallFact::Quality { customer, agent, .. } => Some((customer.packets, agent.packets)),
            _ => None,
        })
        .await;
    assert!(figures.0 > 20 && figures.1 > 20, "audio flows both ways: {figures:?}");
    assert_eq!(house.ended().await, (EndedBy::Customer, None));
    caller.succeeds().await;
    phone.succeeds().await;
    let captured = house.seen().iter().any(|f| matches!(f, CallFact::RecordingCaptured { .. }));
    assert!(captured && house.recording(recording).metadata().unwrap().len() > 1_000);
    let legs = house
        .seen()
        .iter()
        .filter(|f| matches!(f, CallFact::LegEnded { stats: Some(s), .. } if s.packets > 20));
    assert_eq!(legs.count(), 2, "{:#?}", house.seen());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_over_tcp_with_the_agent_hanging_up() {
    let (mut house, caller, phone, _) = talk(true, "caller_waits_for_bye", "phone_hangs_up").await;
    assert_eq!(house.ended().await, (EndedBy::Agent, None));
    caller.succeeds().await;
    phone.succeeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_desk_holds_retrieves_and_ends_a_call() {
    let (mut house, caller, phone, _) = talk(false, "caller_waits_for_bye", "phone_answers").await;
    let interaction = house.seen().iter().find_map(|f| match f {
        CallFact::Incoming { interaction, .. } => Some(*interaction),
        _ => None,
    });
    let interaction = interaction.unwrap();
    let agent = house.agent;
    for held in [true, false] {
        house
            .order(if held {
                CallOrder::Hold { interaction, agent }
            } else {
                CallOrder::Retrieve { interaction, agent }
            })
            .await;
        let now = house.fact("hold", |f| match f {
            CallFact::HoldChanged { held, .. } => Some(*held),
            _ => None,
        });
        assert_eq!(now.await, held);
    }
    house.order(CallOrder::HangUp { interaction, by: EndedBy::Agent }).await;
    assert_eq!(house.ended().await, (EndedBy::Agent, None));
    caller.succeeds().await;
    phone.succeeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_gives_up_while_it_rings_stops_the_ringing() {
    let mut house = House::open().await;
    let phone = phone(&mut house, "phone_rings_until_cancelled").await;
    let caller = Sipp::calls(house.path(), "caller_cancels", TRUNK_IP, house.at(Transport::Udp), false);
    let call = house.incoming().await;
    house.ring_phone(call).await;
    assert_eq!(house.ended().await, (EndedBy::Customer, None));
    caller.succeeds().await;
    phone.succeeds().await;
}

/// SIP-03: the contact of this phone is an address nobody can reach; it is rung where it registered from.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reject_key_is_a_refusal_and_a_phone_that_signed_off_is_unreachable() {
    let mut house = House::open().await;
    let phone = phone(&mut house, "phone_refuses").await;
    let caller = Sipp::calls(house.path(), "caller_waits_for_bye", TRUNK_IP, house.at(Transport::Udp), false);
    let interaction = house.incoming().await;
    house.play_music(interaction).await;
    house.ring_phone(interaction).await;
    house.fact("the refusal", |f| matches!(f, CallFact::AgentRefused { .. }).then_some(())).await;
    phone.succeeds().await;
    let run = Run {
        scenario: "phone_signs_off",
        from: OTHER_IP,
        port: 0,
        to: house.at(Transport::Udp),
        tcp: false,
        service: EXTENSION,
        calls: 1,
    };
    Sipp::start(house.path(), run).succeeds().await;
    house.fact("the phone's end", |f| matches!(f, CallFact::PhoneDown { .. }).then_some(())).await;
    house.ring_phone(interaction).await;
    house.fact("unreachable", |f| matches!(f, CallFact::AgentUnreachable { .. }).then_some(())).await;
    house.order(CallOrder::HangUp { interaction, by: EndedBy::Agent }).await;
    house.ended().await;
    caller.succeeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_reach_the_caller_with_their_meaning() {
    let mut house = House::open().await;
    for (scenario, why) in
        [("caller_refused_404", Rejection::UnknownNumber), ("caller_refused_480", Rejection::NobodyThere)]
    {
        let caller = Sipp::calls(house.path(), scenario, TRUNK_IP, house.at(Transport::Udp), false);
        let interaction = house.incoming().await;
        house.order(CallOrder::Reject { interaction, why }).await;
        assert_eq!(house.ended().await, (EndedBy::System, None));
        caller.succeeds().await;
    }
}

/// SAFE-01: nobody is let in on his word. A trunk may prove itself by digest from anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_challenged_and_a_digest_trunk_is_not_one() {
    let mut house = House::open().await;
    Sipp::calls(house.path(), "stranger_challenged", OTHER_IP, house.at(Transport::Udp), false)
        .succeeds()
        .await;
    assert_eq!((house.counted("calls_total"), house.counted("sip_challenged_total")), (0, 1));
    let caller = Sipp::calls(house.path(), "caller_by_digest", OTHER_IP, house.at(Transport::Udp), false);
    let call = house.incoming().await;
    house.play_music(call).await;
    assert_eq!(house.ended().await, (EndedBy::Customer, None));
    caller.succeeds().await;
}

/// SIP-04: hold by the customer's side as `sendonly`, `inactive` and an address of zeros, and back (RFC 3264 §8.4).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_may_hold_us_in_all_three_forms() {
    let mut house = House::open().await;
    let caller = Sipp::calls(house.path(), "caller_holds", TRUNK_IP, house.at(Transport::Udp), false);
    let call = house.incoming().await;
    house.play_music(call).await;
    assert_eq!(house.ended().await, (EndedBy::Customer, None));
    caller.succeeds().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_timers_late_offers_and_options_are_answered() {
    let mut house = House::open().await;
    for scenario in ["caller_renews", "caller_offers_late"] {
        let caller = Sipp::calls(house.path(), scenario, TRUNK_IP, house.at(Transport::Udp), false);
        let call = house.incoming().await;
        house.play_music(call).await;
        assert_eq!(house.ended().await, (EndedBy::Customer, None), "{scenario}");
        caller.succeeds().await;
    }
    Sipp::calls(house.path(), "options", OTHER_IP, house.at(Transport::Udp), false).succeeds().await;
}

/// SIP-08: a call's trace has the caller's dialog and the phone's, from the first INVITE to the answer of the last BYE, in both directions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_over_the_wire_is_kept_for_each_call() {
    let mut house = House::open().await;
    let phone = phone(&mut house, "phone_hangs_up").await;
    let caller = Sipp::calls(house.path(), "caller_waits_for_bye", TRUNK_IP, house.at(Transport::Udp), false);
    let interaction = house.incoming().await;
    house.play_music(interaction).await;
    house.ring_phone(interaction).await;
    house.fact("pick-up", |f| matches!(f, CallFact::AgentAnswered { .. }).then_some(())).await;
    house.connect(interaction, None).await;
    let begun = house.handle.tracer().live(interaction).unwrap().messages.len();
    assert!(begun > 4, "a call in progress is seen too: {begun}");
    house.ended().await;
    caller.succeeds().await;
    phone.succeeds().await;
    let trace =
        tokio::time::timeout(Duration::from_secs(30), house.handle.traces.recv()).await.unwrap().unwrap();
    let lines: Vec<String> = trace
        .messages
        .iter()
        .map(|m| {
            let text = String::from_utf8_lossy(&m.bytes);
            let first = text.lines().next().unwrap();
            let what = first
                .strip_prefix("SIP/2.0 ")
                .map_or(first.split(' ').next(), |answer| answer.split(' ').next());
            format!("{}{}", if m.outgoing { ">" } else { "<" }, what.unwrap())
        })
        .collect();
    let count = |what: &str| lines.iter().filter(|line| *line == what).count();
    assert_eq!((trace.interaction, trace.left_out), (interaction, 0));
    assert_eq!(lines.first().unwrap(), "<INVITE");
    for what in [">INVITE", "<ACK", ">ACK", "<BYE", ">BYE"] {
        assert!(count(what) >= 1, "{what} in {lines:?}");
    }
    assert!(count("<200") >= 2 && count(">200") >= 2, "the INVITEs and the BYEs are answered: {lines:?}");
    assert_eq!(count("<REGISTER"), 0, "a registration is of no call");
}

/// The call beyond the limit is told to try again, and the one in progress goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_or_draining_house_says_so() {
    let mut house = House::open_with(1, None).await;
    let first = Sipp::calls(house.path(), "caller_waits_for_bye", TRUNK_IP, house.at(Transport::Udp), false);
    let interaction = house.incoming().await;
    house.play_music(interaction).await;
    house.fact("the answer", |f| matches!(f, CallFact::LegAnswered { .. }).then_some(())).await;
    Sipp::calls(house.path(), "caller_refused_503", TRUNK_IP, house.at(Transport::Udp), false)
        .succeeds()
        .await;
    house.handle.drain().await;
    house.order(CallOrder::HangUp { interaction, by: EndedBy::Agent }).await;
    house.ended().await;
    first.succeeds().await;
    Sipp::calls(house.path(), "caller_refused_503", TRUNK_IP, house.at(Transport::Udp), false)
        .succeeds()
        .await;
}

/// A 200 that crosses our CANCEL makes a call, which must be acknowledged and ended (RFC 3261 §13.2.2.4, §15).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pick_up_that_crosses_the_end_of_its_lease_is_acknowledged_and_hung_up() {
    let mut house = House::open().await;
    let phone = phone(&mut house, "phone_crosses_cancel").await;
    let caller = Sipp::calls(house.path(), "caller_waits_for_bye", TRUNK_IP, house.at(Transport::Udp), false);
    let interaction = house.incoming().await;
    house.play_music(interaction).await;
    let token = house.ring_phone(interaction).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    house.order(CallOrder::StopRinging { interaction, token, agent: house.agent }).await;
    phone.succeeds().await;
    assert!(!house.seen().iter().any(|f| matches!(f, CallFact::AgentAnswered { .. })));
    house.order(CallOrder::HangUp { interaction, by: EndedBy::Agent }).await;
    house.ended().await;
    caller.succeeds().await;
}

/// A media plane that breaks the task of the call it is asked for.
struct Trap(media::plane::PlaneHandle);

impl signaling::service::MediaPlane for Trap {
    fn command(
        &self,
        command: media::control::Command,
    ) -> std::pin::Pin<
        Box<dyn Future<Output = Result<media::control::Answer, media::control::MediaError>> + Send + '_>,
    > {
        let trap = matches!(
            command,
            media::control::Command::Hear {
                source: media::control::Source::Prompt { repeat: false, .. },
                ..
            }
        );
        assert!(!trap, "the trap of this test");
        Box::pin(self.0.command(command))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_one_call_ends_that_call_and_no_other() {
    let mut house = House::open_on(10, None, |plane| std::sync::Arc::new(Trap(plane))).await;
    let mut callers = Vec::new();
    let mut calls = Vec::new();
    for _ in 0..2 {
        callers.push(Sipp::calls(
            house.path(),
            "caller_waits_for_bye",
            TRUNK_IP,
            house.at(Transport::Udp),
            false,
        ));
        let call = house.incoming().await;
        house.play_music(call).await;
        house.fact("the answer", |f| matches!(f, CallFact::LegAnswered { .. }).then_some(())).await;
        calls.push(call);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    house.order(CallOrder::Play { interaction: calls[0], sound: Sound::Closed, then_hang_up: false }).await;
    let (by, failure) = house.ended().await;
    assert!(by == EndedBy::System && failure.is_some());
    assert!(
        matches!(house.seen().last(), Some(CallFact::Ended { interaction, .. }) if *interaction == calls[0])
    );
    house.order(CallOrder::HangUp { interaction: calls[1], by: EndedBy::Agent }).await;
    assert_eq!(house.ended().await, (EndedBy::Agent, None));
    for caller in callers {
        caller.succeeds().await;
    }
    assert_eq!(house.counted("call_panics_total"), 1);
}

/// The page's offer is answered with ICE-lite and DTLS-SRTP; what is no browser's offer is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_offers_is_answered_and_one_that_cannot_be_secured_is_not() {
    let mut house = House::open().await;
    let fingerprint = vec!["AB"; 32].join(":");
    let sdp = format!(
        "v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\n\
         a=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n"
    );
    let attach = |sdp: String| CallOrder::AttachPhone {
        agent: UserId::from_number(1),
        tenant: TenantId::from_number(1),
        session: SessionId::from_number(1),
        sdp,
    };
    house.order(attach(sdp)).await;
    let answer = house
        .fact("an answer", |f| match f {
            CallFact::PhoneAnswer { sdp, .. } => Some(sdp.clone()),
            _ => None,
        })
        .await;
    for line in [
        "a=ice-lite",
        "a=setup:passive",
        "a=fingerprint:sha-256 ",
        "a=candidate:",
        "opus/48000/2",
        "a=rtcp-mux",
    ] {
        assert!(answer.contains(line), "{line} in\n{answer}");
    }
    house.order(attach("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n".into())).await;
    house.fact("a refusal", |f| matches!(f, CallFact::PhoneRefused { .. }).then_some(())).await;
    // Its media never came up, so it cannot be rung.
    let caller = Sipp::calls(house.path(), "caller_waits_for_bye", TRUNK_IP, house.at(Transport::Udp), false);
    let interaction = house.incoming().await;
    house.play_music(interaction).await;
    let token = OfferToken::from_number(1);
    let phone = model::people::PhoneKind::Browser;
    house.order(CallOrder::RingAgent { interaction, token, agent: house.agent, phone }).await;
    house.fact("unreachable", |f| matches!(f, CallFact::AgentUnreachable { .. }).then_some(())).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    house.handle.stop().await;
    assert!(house.ended().await.1.is_some(), "the appliance was stopped");
    caller.succeeds().await;
}

/// SIP-01, SIP-04: a phone's transfer key (REFER): what leads nowhere is refused; taken up, the phone is told that it is tried and that
/// it is done, then let go, and the customer stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_transfers_and_is_told_how_it_went() {
    let (mut house, caller, phone, recording) = talk(false, "caller_waits_for_bye", "phone_refers").await;
    let (interaction, agent) = house
        .fact("the transfer", |f| match f {
            CallFact::Referred { interaction, agent, to } => {
                assert_eq!(*to, ReferTo::Dialled("1002".into()));
                Some((*interaction, *agent))
            }
            _ => None,
        })
        .await;
    house.order(CallOrder::AnswerReferral { interaction, agent, refused: None }).await;
    house.order(CallOrder::Release { interaction, agent }).await;
    phone.succeeds().await;
    assert!(!house.seen().iter().any(|f| matches!(f, CallFact::Ended { .. })), "the customer stays");
    house.order(CallOrder::HangUp { interaction, by: EndedBy::System }).await;
    assert_eq!(house.ended().await, (EndedBy::System, None));
    caller.succeeds().await;
    assert!(house.recording(recording).metadata().unwrap().len() > 1_000);
}
