//! Random events on random floors: each decision is compared with the oracle's.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use model::agent::NotReadyReason;
use model::id::{AgentId, Id, InteractionId, OfferToken, ReasonId, ServiceId, SessionId};
use model::interaction::{Channel, EndedBy};
use model::people::PhoneKind;
use model::skill::Requirement;
use router::{Arrival, Input, Intent, Refusal};

use crate::sim::{Dice, Watched, expression, for_each_seed, random_change, random_config};

/// ROUTE-06: on floors of every make, whatever happens in whatever order, each decision is the oracle's, and I1 to I11
/// hold after every event. A stale token changes nothing, and the journal replays to the same floor.
#[test]
fn route_06_every_decision_is_the_oracles() {
    let (moves, offers) = (AtomicU64::new(0), AtomicU64::new(0));
    for_each_seed(300, |seed| {
        let mut dice = Dice::new(seed);
        let mut world = Watched::new(random_config(&mut dice), 5);
        let reconfigures = seed % 3 == 0;
        world.apart = seed % 2 == 0;
        let mut next = 1;
        for agent in world.oracle.config.agents.clone() {
            let (agent, session) = (agent.agent, SessionId::from_number(1));
            assert_eq!(world.tell(Input::LogIn { agent, session, phone: PhoneKind::Browser }), Ok(()));
            assert_eq!(world.tell(Input::Ready { agent }), Ok(()));
        }
        for _ in 0..400 {
            if dice.percent(60) {
                world.now = world.now + Duration::from_millis(dice.below(8_000));
            }
            world.now = world.now + Duration::from_micros(u64::from(world.apart));
            if reconfigures && dice.percent(2) {
                let mut config = world.oracle.config.clone();
                random_change(&mut dice, &mut config);
                world.configure(config);
            }
            if dice.percent(10) {
                // Sometimes the driver is on time; mostly the next input comes first.
                world.tick();
            }
            random_input(&mut world, &mut dice, &mut next);
            if dice.percent(1) {
                world.check_replay();
            }
        }
        world.check_replay();
        assert_eq!(world.floor.audit(), Vec::<String>::new());
        moves.fetch_add(world.moves, Relaxed);
        offers.fetch_add(world.floor.snapshot().offers, Relaxed);
    });
    let (moves, offers) = (moves.into_inner(), offers.into_inner());
    assert!(offers * 16 > moves, "{offers} offers in {moves} moves: too few decisions to prove anything");
}

fn random_input(world: &mut Watched, dice: &mut Dice, next: &mut u64) {
    let agent = AgentId::from_number(dice.below(14) + 1);
    let known: Vec<AgentId> = world.oracle.agents.keys().copied().collect();
    let somebody = dice.pick(&known).unwrap_or(agent);
    let offers: Vec<(AgentId, OfferToken)> =
        world.oracle.agents.iter().filter_map(|(id, seen)| Some((*id, seen.offer?.1))).collect();
    let anything: Vec<InteractionId> = world.oracle.callers.keys().copied().collect();
    let wraps: Vec<(AgentId, InteractionId)> = world
        .oracle
        .agents
        .iter()
        .flat_map(|(id, seen)| seen.wrapping.iter().map(|wrapping| (*id, *wrapping)))
        .collect();
    let fresh = InteractionId::from_number(*next);
    *next += 1;
    let input = match dice.below(100) {
        0..30 => {
            let service = ServiceId::from_number(dice.below(7) + 1);
            let arrival = Arrival::new(fresh, service, any_channel(dice));
            return arrives(world, dice, arrival);
        }
        30..45 => dice.pick(&offers).map(|(agent, token)| Input::Accept { agent, token }),
        45..50 => dice.pick(&offers).map(|(agent, token)| Input::Decline { agent, token }),
        50..52 => dice.pick(&offers).map(|(agent, token)| Input::OfferFailed { agent, token }),
        52..54 => return stale(world, dice, somebody),
        54 | 55 => dice.pick(&anything).map(|interaction| Input::LayAside { interaction }),
        56..60 => dice.pick(&anything).map(|interaction| Input::Abandon { interaction }),
        60..70 | 80 | 81 => {
            let by = dice.one([EndedBy::Customer, EndedBy::Agent, EndedBy::System]);
            dice.pick(&anything).map(|interaction| Input::Hangup { interaction, by })
        }
        70..79 => dice.pick(&wraps).map(|(agent, interaction)| Input::Complete { agent, interaction }),
        79 => dice.pick(&wraps).map(|(_, interaction)| Input::WrapUpContinue { interaction }),
        82..85 => {
            let phone = dice.one([PhoneKind::Browser, PhoneKind::Browser, PhoneKind::Sip, PhoneKind::None]);
            let session = SessionId::from_number(*next);
            let intent = dice.one([
                None,
                None,
                Some(Intent::Ready),
                Some(Intent::NotReady(NotReadyReason::Chosen(ReasonId::from_number(1)))),
                Some(Intent::Offline),
            ]);
            Some(match intent {
                Some(intent) => Input::LogBackIn { agent, session, phone, intent },
                None => Input::LogIn { agent, session, phone },
            })
        }
        85 => Some(Input::LogOut { agent: somebody }),
        86..92 => Some(Input::Ready { agent: somebody }),
        92..94 => {
            let reason = NotReadyReason::Chosen(ReasonId::from_number(1 + dice.below(2)));
            Some(Input::NotReady { agent: somebody, reason })
        }
        94 => Some(Input::Offline { agent: somebody }),
        95 => Some(Input::Online { agent: somebody }),
        96 => Some(Input::ForceReady { agent: somebody }),
        97 => Some(Input::ForceNotReady { agent: somebody }),
        98 => {
            Some(Input::CallAgent { interaction: fresh, agent: somebody, ring_time: Duration::from_secs(10) })
        }
        _ => {
            let internal = dice.percent(50);
            let channel = if internal { Channel::Voice } else { any_channel(dice) };
            Some(Input::Begin { interaction: fresh, agent: somebody, channel, internal })
        }
    };
    // Whether it is taken depends on the state; the oracle judges what follows.
    let _ = input.map(|input| world.tell(input));
}

/// Mostly calls, as in the trade; then chats.
fn any_channel(dice: &mut Dice) -> Channel {
    use Channel::{Callback, Campaign, Chat, Email, Sms, Voice};
    dice.one([Voice, Voice, Voice, Chat, Chat, Email, Sms, Callback, Campaign])
}

fn arrives(world: &mut Watched, dice: &mut Dice, mut arrival: Arrival) {
    if dice.percent(20) {
        arrival.priority = Some(dice.below(20) as i32);
    }
    if dice.percent(20) {
        arrival.requirement = Some(Requirement::fixed(expression(dice, 2)));
    }
    if dice.percent(10) {
        arrival.preferred = vec![AgentId::from_number(dice.below(13) + 1)];
        arrival.preferred_hold = Duration::from_secs(dice.below(20) + 1);
        arrival.ahead = Duration::from_secs(dice.below(3) * dice.below(100));
    }
    if dice.percent(10) {
        arrival.excluded = vec![AgentId::from_number(dice.below(13) + 1)];
    }
    // What is due may change what the door says, so it is done first.
    world.tick();
    // Whoever is called back was let in before.
    let called_back = arrival.channel == Channel::Callback;
    let expected = match world.oracle.door(arrival.service, arrival.channel) {
        Err(Refusal::UnknownService) => Err(Refusal::UnknownService),
        door => {
            if called_back {
                Ok(())
            } else {
                door
            }
        }
    };
    if dice.percent(20) {
        arrival.since = Some(world.now - Duration::from_secs(dice.below(200)));
    }
    assert_eq!(world.tell(Input::Arrive(arrival)), expected);
}

/// ROUTE-05: a token that is not the agent's open offer changes nothing, whatever the floor looks like.
fn stale(world: &mut Watched, dice: &mut Dice, agent: AgentId) {
    world.tick();
    let picture = world.floor.snapshot();
    let token = OfferToken::from_number(dice.below(1_000));
    let input = match dice.below(3) {
        0 => Input::Accept { agent, token },
        1 => Input::Decline { agent, token },
        _ => Input::OfferFailed { agent, token },
    };
    let answer = world.tell(input);
    assert!(matches!(answer, Err(Refusal::Stale | Refusal::UnknownAgent)), "{answer:?}");
    assert_eq!((world.floor.snapshot(), world.out.len()), (picture, 0));
}

/// I11: the same inputs again gives the same journal, byte for byte.
#[test]
fn the_same_inputs_give_the_same_journal_byte_for_byte() {
    let journal = |seed| {
        let mut dice = Dice::new(seed);
        let mut world = Watched::new(random_config(&mut dice), 100);
        let mut next = 1;
        for _ in 0..300 {
            world.now = world.now + Duration::from_millis(dice.below(8_000));
            random_input(&mut world, &mut dice, &mut next);
        }
        serde_json::to_string(&world.journal).unwrap()
    };
    for seed in 0..5 {
        assert_eq!(journal(seed), journal(seed), "seed {seed}");
    }
    let different: BTreeMap<String, u64> = (0..5).map(|seed| (journal(seed), seed)).collect();
    assert_eq!(different.len(), 5, "and other seeds give others");
}
