//! Figures of whole calls.

use std::time::Duration;

use super::*;
use model::id::{AgentId, Id, OfferToken};
use model::interaction::{Channel, EndedBy};
use model::skill::{Requirement, SkillExpr};

fn arrives(n: u64) -> [Event; 2] {
    let interaction = InteractionId::from_number(n);
    [
        Event::Arrived {
            interaction,
            channel: Channel::Voice,
            direction: Direction::Inbound,
            caller: "+49301".into(),
            caller_name: None,
            contact: "100".into(),
            trunk: None,
            service: Some(ServiceId::from_number(1)),
            calling_agent: None,
        },
        Event::Queued {
            interaction,
            service: ServiceId::from_number(1),
            channel: Channel::Voice,
            requirement: Requirement::fixed(SkillExpr::Any),
            priority: 0,
            since: None,
            ahead: Duration::ZERO,
        },
    ]
}
fn text(registry: &Registry) -> String {
    prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
}

/// OPS-06: documented names, base units, labels from small closed sets.
#[test]
fn a_call_answered_after_nineteen_seconds_counts_for_the_service_level() {
    let registry = Registry::new();
    let metrics = Metrics::new(&registry).unwrap();
    let help = Service {
        id: ServiceId::from_number(1),
        tenant: model::id::TenantId::from_number(1),
        name: "Help".to_owned(),
        requirement: Requirement::fixed(SkillExpr::Any),
        queue: QueueRules::default(),
        disposition_mandatory: false,
        record: false,
        recording: Default::default(),
        open: true,
    };
    metrics.name_services([help].iter());
    let (interaction, agent) = (InteractionId::from_number(7), AgentId::from_number(1));
    let at = Timestamp::from_millis(1_000_000);
    for event in arrives(7) {
        metrics.observe(&event, at);
    }
    let token = OfferToken::from_number(1);
    metrics.observe(&Event::Accepted { interaction, agent, token }, at);
    metrics.observe(&Event::Bridged { interaction, agent }, at + Duration::from_secs(19));
    let ended = Event::Ended { interaction, status: EndStatus::Normal, by: EndedBy::Customer };
    metrics.observe(&ended, at + Duration::from_secs(60));
    let text = text(&registry);
    for line in [
        r#"patchbay_queue_answered_in_sl_total{queue="Help"} 1"#,
        r#"patchbay_queue_wait_seconds_bucket{queue="Help",le="20"} 1"#,
        r#"patchbay_queue_wait_seconds_bucket{queue="Help",le="15"} 0"#,
        r#"patchbay_calls_total{direction="inbound",result="normal"} 1"#,
        r#"patchbay_calls_active{direction="inbound"} 0"#,
        r#"patchbay_offers_total{result="accepted"} 1"#,
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[test]
fn leaving_within_five_seconds_is_a_short_abandon() {
    let registry = Registry::new();
    let metrics = Metrics::new(&registry).unwrap();
    let at = Timestamp::from_millis(1_000_000);
    for (n, seconds) in [(1, 4), (2, 6)] {
        for event in arrives(n) {
            metrics.observe(&event, at);
        }
        let interaction = InteractionId::from_number(n);
        let ended = Event::Ended { interaction, status: EndStatus::Abandoned, by: EndedBy::Customer };
        metrics.observe(&ended, at + Duration::from_secs(seconds));
    }
    let text = text(&registry);
    assert!(text.contains(r#"patchbay_queue_abandoned_total{queue="other",short="true"} 1"#), "{text}");
    assert!(text.contains(r#"patchbay_queue_abandoned_total{queue="other",short="false"} 1"#), "{text}");
}
