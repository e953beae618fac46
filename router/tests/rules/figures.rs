//! What becomes of customers, counted from the journal: by the definition, and the same after a start.

use model::figures::{Counts, Pace};
use std::time::Duration;

use model::id::{AgentId, Id, InteractionId, ServiceId};
use model::interaction::{Channel, EndStatus, EndedBy};
use model::journal::Event;
use model::service::{Overflow, QueueRules, ShortAbandons, Treatment};
use model::skill::{Requirement, SkillExpr};
use model::time::Timestamp;
use router::Figures;

use crate::hall::{MORNING, hotline, seconds};
use crate::sim::{Dice, for_each_seed};

fn queued(number: u64, service: ServiceId) -> Event {
    Event::Queued {
        interaction: InteractionId::from_number(number),
        service,
        channel: Channel::Voice,
        requirement: Requirement::fixed(SkillExpr::Any),
        priority: 0,
        since: None,
        ahead: Duration::ZERO,
    }
}
fn bridged(number: u64) -> Event {
    Event::Bridged { interaction: InteractionId::from_number(number), agent: AgentId::from_number(1) }
}
fn ended(number: u64, status: EndStatus) -> Event {
    Event::Ended { interaction: InteractionId::from_number(number), status, by: EndedBy::Customer }
}

/// ROUTE-11: everybody is counted once, when it is decided, and only what says something of the service: not a call after it
/// was answered, not one that a failure ended, none while the service is closed.
#[test]
fn route_11_everybody_is_counted_once_when_it_is_decided() {
    let rules = QueueRules::default();
    let (mut figures, other) = (Figures::default(), ServiceId::from_number(2));
    let mut at = MORNING;
    let mut takes = |after: u64, event: Event| {
        at = at + seconds(after);
        figures.take(&event, at, |service| {
            (service.uuid().as_u128() <= other.uuid().as_u128()).then_some(&rules)
        });
        figures.of(hotline(), at).today
    };
    takes(0, queued(1, hotline()));
    assert_eq!(
        takes(
            20,
            Event::Accepted {
                interaction: InteractionId::from_number(1),
                agent: AgentId::from_number(1),
                token: model::id::OfferToken::from_number(1),
            }
        ),
        Counts::default(),
        "nobody is heard yet"
    );
    let answered = takes(0, bridged(1));
    assert_eq!((answered.answered, answered.in_time, answered.waited_ms), (1, 1, 20_000));
    takes(60, ended(1, EndStatus::Normal));
    assert_eq!(takes(0, bridged(1)), answered, "the end of a call that was answered is not counted");
    for status in [EndStatus::Failed, EndStatus::Interrupted, EndStatus::SelfServed] {
        takes(1, queued(2, hotline()));
        assert_eq!(takes(9, ended(2, status)), answered);
    }
    takes(1, queued(3, hotline()));
    let left = takes(4, ended(3, EndStatus::AbandonedRinging));
    assert_eq!((left.abandoned, left.short), (1, 1));
    let why = |why| Event::TurnedAway { interaction: InteractionId::from_number(4), service: hotline(), why };
    assert_eq!(takes(1, why(Overflow::Closed)), left);
    let full = takes(1, why(Overflow::Full));
    takes(0, ended(4, EndStatus::QueueFull));
    assert_eq!((full.turned_away, full.offered()), (1, 3));
    takes(1, queued(5, hotline()));
    let led_on = |number, why| Event::Overflowed {
        interaction: InteractionId::from_number(number),
        from: hotline(),
        why,
        to: Treatment::Service(other),
    };
    let moved = takes(30, led_on(5, Overflow::WaitedLong));
    assert_eq!((moved.overflowed, moved.offered(), moved.longest_ms), (1, 4, 30_000));
    takes(0, queued(5, other));
    assert_eq!(takes(0, led_on(7, Overflow::Closed)), moved);
    assert_eq!(takes(0, led_on(8, Overflow::Full)).overflowed, 2, "at the door");
    assert_eq!(moved.service_level(ShortAbandons::LeaveOut).get(), Some(1.0 / 3.0));
    takes(10, bridged(5));
    takes(0, queued(6, ServiceId::from_number(3)));
    takes(0, bridged(6));
    let of = |number| figures.of(ServiceId::from_number(number), at);
    assert_eq!((of(2).today.answered, of(2).today.waited_ms), (1, 10_000));
    assert_eq!(of(3), router::ServiceFigures::default(), "it is not in the configuration");
    assert_eq!(figures.today(at).len(), 2);
}

/// ROUTE-11: a start that reads no further back than an hour has the figures of the whole day and of the half hour, whatever
/// the moment, as somebody who was there all day.
#[test]
fn route_11_figures_go_on_from_what_the_journal_carries() {
    let rules = QueueRules::default();
    let known = |_| Some(&rules);
    for_each_seed(20, |seed| {
        let mut dice = Dice::new(seed);
        let mut journal: Vec<(Timestamp, Event)> = Vec::new();
        // From the evening into the night, over midnight.
        let begin = Timestamp::from_millis((MORNING.day() * 24 + 18) * 3_600_000);
        for number in 1..4_000 {
            let service = ServiceId::from_number(dice.below(3) + 1);
            let came = begin + seconds(dice.below(8 * 3_600));
            let decided = came + seconds(dice.below(200));
            match dice.below(10) {
                0 => {
                    let interaction = InteractionId::from_number(number);
                    journal.push((came, Event::TurnedAway { interaction, service, why: Overflow::Full }));
                    continue;
                }
                1 | 2 => journal.push((decided, ended(number, EndStatus::Abandoned))),
                _ => journal.push((decided, bridged(number))),
            }
            journal.push((came, queued(number, service)));
        }
        // In the same second, whoever comes is before whoever is answered.
        journal.sort_by_key(|(at, event)| (*at, !matches!(event, Event::Queued { .. })));
        // Written as the desk writes it, every ten minutes, by somebody who saw everything.
        let (mut whole, mut written, mut carried) = (Figures::default(), Vec::new(), begin);
        for (at, event) in journal {
            whole.take(&event, at, known);
            written.push((at, event));
            if at.since(carried) >= seconds(600) {
                carried = at;
                written.extend(whole.today(at).into_iter().map(|(service, today)| {
                    (at, Event::FiguresCarried { service, today, pace: Pace::default() })
                }));
            }
        }
        for _ in 0..20 {
            let end = begin + seconds(5_400 + dice.below(6 * 3_600));
            let (mut all, mut started) = (Figures::default(), Figures::default());
            for (at, event) in written.iter().filter(|(at, _)| *at <= end) {
                all.take(event, *at, known);
                if end.since(*at) < seconds(3_600) {
                    started.take(event, *at, known);
                }
            }
            for number in 1..=3 {
                let service = ServiceId::from_number(number);
                assert_eq!(started.of(service, end), all.of(service, end));
            }
            assert!(all.of(hotline(), end).half_hour.offered() > 20, "there is something to compare");
        }
    });
}
