//! The fold: what each event of the journal makes true.
//!
//! Deciding code never changes a fact itself; it records an event, and the event is applied here. A replay applies the
//! same events, so it cannot end elsewhere. Applying decides nothing and refuses nothing: events are facts. An event
//! about somebody or something the floor does not hold changes nothing.

use std::time::Duration;

use model::agent::NotReadyReason;
use model::id::{AgentId, InteractionId};
use model::interaction::{Channel, EndStatus};
use model::journal::{Event, OfferEnd};
use model::skill::Requirement;
use model::time::Timestamp;

use crate::agent::{Intent, Lease};
use crate::expected::Leaving;
use crate::floor::Floor;
use crate::item::{Item, Kind, Phase, REFUSALS_MAX, Ring};
use crate::lanes::lane;
use crate::order::{self, Place};
use crate::slab::Key;
use crate::timers::Timer;

impl Floor {
    pub(crate) fn apply(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::AgentLoggedIn { agent, session, phone } => self.change(*agent, at, |agent| {
                agent.session = Some(*session);
                agent.phone = *phone;
                agent.intent = Intent::NotReady(NotReadyReason::Login);
                agent.stay_until = None;
            }),
            Event::AgentLoggedOut { agent } => self.change(*agent, at, |agent| {
                agent.session = None;
                // Whoever is not there does not become Ready when lunch is over.
                agent.stay_until = None;
            }),
            Event::AgentReady { agent, .. } => self.change(*agent, at, |agent| {
                if agent.intent != Intent::Ready {
                    agent.idle_since = at;
                }
                agent.intent = Intent::Ready;
                agent.stay_until = None;
            }),
            Event::AgentNotReady { agent, reason } => self.change(*agent, at, |agent| {
                agent.intent = Intent::NotReady(*reason);
                agent.stay_until = None;
            }),
            Event::AgentOffline { agent } => self.change(*agent, at, |agent| {
                agent.intent = Intent::Offline;
                agent.stay_until = None;
            }),
            Event::Queued { interaction, service, channel, requirement, priority, since, ahead } => {
                let service = self.queue_numbers.get(service).copied();
                let times = (at, since.map_or(at, |since| since.min(at)));
                self.queued(*interaction, service, *channel, requirement, (*priority, *ahead), times);
            }
            Event::Overflowed { interaction, .. } => self.overflowed(*interaction, at),
            Event::LaidAside { interaction, .. } => self.laid_aside(*interaction, at),
            Event::Bridged { interaction, .. } => {
                let key = self.item_keys.get(interaction).copied();
                if let Some(item) = key.and_then(|key| self.items.get_mut(key)) {
                    item.joined = true;
                }
            }
            Event::Offered { interaction, agent, token, deadline } => {
                self.offers += 1;
                let turn = self.offers;
                let Some(number) = self.agent_numbers.get(agent).copied() else { return };
                // Never queued: a colleague calls.
                let key = self.item_keys.get(interaction).copied().unwrap_or_else(|| {
                    self.new_item(*interaction, Kind::Internal, Channel::Voice, Phase::Waiting, at)
                });
                self.leave_class(key);
                let Some(item) = self.items.get_mut(key) else { return };
                let who = &self.agents[number];
                // Queues ring only agents who take work and have room: this one was chosen.
                let resting = who.intent != Intent::Ready;
                let room =
                    who.has_room(item.channel, &self.limits[who.limits]) || item.kind == Kind::Internal;
                let (token, deadline, lane) = (*token, *deadline, lane(item.channel));
                match &mut item.phase {
                    Phase::Offered(ring) if ring.token == token => ring.members.push(number),
                    phase => {
                        let members = vec![number];
                        *phase = Phase::Offered(Ring { token, since: at, deadline, members, resting });
                        let (service, waited) = (item.service, item.queued_at < at);
                        self.arm(deadline, Timer::Offer { item: key });
                        let why = if waited { Leaving::Drawn } else { Leaving::Aside };
                        self.pace_leaves(service, why, at);
                    }
                }
                self.catch_up(key, at);
                self.change(*agent, at, |agent| {
                    agent.lease = Some(Lease { item: key, token });
                    agent.load[lane] += 1;
                    agent.excused |= !room;
                    agent.turn = turn;
                    agent.tally.offered += 1;
                });
            }
            Event::Accepted { interaction, agent, .. } => {
                let Some(number) = self.agent_numbers.get(agent).copied() else { return };
                let Some(key) = self.item_keys.get(interaction).copied() else { return };
                self.catch_up(key, at);
                let Some(item) = self.items.get_mut(key) else { return };
                let rung = std::mem::replace(&mut item.phase, Phase::Active { agent: number });
                item.answered_at = Some(at);
                let (service, place) = (item.service, item.place);
                self.leave_line(service, key, place);
                if let (Phase::Offered(ring), Some(queue)) =
                    (rung, service.and_then(|number| self.queues.get_mut(number)))
                {
                    queue.pace.answered_after(at.since(ring.since));
                }
                self.change(*agent, at, |agent| {
                    agent.lease = None;
                    agent.active.push(key);
                    agent.tally.accepted += 1;
                });
            }
            Event::Taken { interaction, agent } => self.taken(*interaction, *agent, at),
            Event::Requeued { interaction, agent } => self.requeued(*interaction, *agent, at),
            Event::HandlingStarted { interaction, agent, channel, internal } => {
                let Some(number) = self.agent_numbers.get(agent).copied() else { return };
                if self.item_keys.contains_key(interaction) {
                    return;
                }
                let kind = if *internal { Kind::Internal } else { Kind::Manual };
                let key = self.new_item(*interaction, kind, *channel, Phase::Active { agent: number }, at);
                self.change(*agent, at, |agent| {
                    agent.active.push(key);
                    agent.load[lane(*channel)] += 1;
                });
            }
            Event::OfferEnded { interaction, agent, why, .. } => {
                self.offer_ended(*interaction, *agent, *why, at)
            }
            Event::Ended { interaction, status, .. } => self.ended(*interaction, *status, at),
            Event::Transferred { interaction, part, .. } => self.transferred(*interaction, *part, at),
            Event::WrapUpStarted { agent, until, .. } => {
                self.change(*agent, at, |agent| agent.wrap_until = *until);
                if let (Some(until), Some(&agent)) = (until, self.agent_numbers.get(agent)) {
                    self.arm(*until, Timer::WrapUp { agent });
                }
            }
            Event::WrapUpContinued { agent, .. } => self.change(*agent, at, |agent| agent.wrap_until = None),
            Event::Completed { interaction, .. } => self.completed(*interaction, at),
            Event::FiguresCarried { service, pace, .. } => {
                let number = self.queue_numbers.get(service);
                if let Some(queue) = number.and_then(|&number| self.queues.get_mut(number)) {
                    queue.pace.known = *pace;
                }
            }
            // Told by other rooms; nothing here depends on them.
            Event::Arrived { .. }
            | Event::Coded { .. }
            | Event::FlowStep { .. }
            | Event::FlowStarted { .. }
            | Event::FlowOver { .. }
            | Event::Written { .. }
            | Event::Assigned { .. }
            | Event::Reopened { .. }
            | Event::Noted { .. }
            | Event::TurnedAway { .. }
            | Event::Rated { .. }
            | Event::Dialled { .. }
            | Event::DialFailed { .. }
            | Event::PassedOn { .. }
            | Event::MessageBegun { .. }
            | Event::MessageOver { .. }
            | Event::MessageRefused { .. }
            | Event::LegAnswered { .. }
            | Event::CallbackAsked { .. }
            | Event::CallbackHeld { .. }
            | Event::CallbackOver { .. }
            | Event::HoldChanged { .. }
            | Event::HelpAsked { .. }
            | Event::Consults { .. }
            | Event::PartyJoined { .. }
            | Event::PartyLeft { .. }
            | Event::Attends { .. }
            | Event::AttendingOver { .. }
            | Event::PartCoded { .. }
            | Event::PartCompleted { .. }
            | Event::HelpTakenBack { .. }
            | Event::LegEnded { .. }
            | Event::QualityChanged { .. }
            | Event::RecordingStarted { .. }
            | Event::RecordingFinished { .. }
            | Event::RecordingErased { .. }
            | Event::RecordingPaused { .. }
            | Event::RecordingResumed { .. }
            | Event::RecordingFailed { .. }
            | Event::RecordingSilent { .. }
            | Event::NobodyFits { .. }
            | Event::DoNotDisturb { .. }
            | Event::PasswordGuessed { .. }
            | Event::InvariantBroken { .. }
            | Event::Configured { .. } => {}
        }
    }

    fn queued(
        &mut self,
        interaction: InteractionId,
        service: Option<usize>,
        channel: Channel,
        requirement: &Requirement,
        (priority, ahead): (i32, Duration),
        (at, waits_since): (Timestamp, Timestamp),
    ) {
        if self.item_keys.contains_key(&interaction) {
            return;
        }
        let Some(plan) = self.planned.take().or_else(|| self.plan(service, channel, requirement)) else {
            return;
        };
        self.pin(&plan);
        self.arrivals += 1;
        let rules = self.queue_rules(service);
        let its_own = order::place(rules, priority, Duration::ZERO, waits_since, self.arrivals);
        let mut place = order::place(rules, priority, ahead, waits_since, self.arrivals);
        let ahead = its_own.virtual_arrival.saturating_sub(place.virtual_arrival);
        let mut falls_at = order::falls_at(rules, waits_since);
        // Who comes from another queue may be late already.
        if falls_at.is_some_and(|due| due <= at) {
            (place, falls_at) = (place.fallen(), None);
        }
        let wait_ends = rules.wait_time_max.map(|longest| at + longest);
        let item = Item {
            id: interaction,
            kind: Kind::Queued,
            service,
            channel,
            place,
            falls_at,
            ahead,
            queued_at: at,
            priority,
            plan,
            step: 0,
            phase: Phase::Waiting,
            answered_at: None,
            joined: false,
            refusals: Vec::new(),
        };
        let step_due = item.step_due();
        let key = self.items.insert(item);
        self.item_keys.insert(interaction, key);
        if let Some(queue) = service.and_then(|number| self.queues.get_mut(number)) {
            queue.waiting += 1;
            queue.held += 1;
            queue.line.push_back(key);
            queue.order.insert(place);
        }
        self.pace_enters(service, at);
        if let Some(due) = step_due {
            self.arm(due, Timer::Step { item: key, step: 0 });
        }
        if let Some(due) = wait_ends {
            self.arm(due, Timer::Wait { item: key });
        }
        if let Some(due) = falls_at {
            self.arm(due, Timer::Late { item: key });
        }
        self.enter_class(key);
    }

    fn new_item(
        &mut self,
        id: InteractionId,
        kind: Kind,
        channel: Channel,
        phase: Phase,
        at: Timestamp,
    ) -> Key {
        let key = self.items.insert(Item {
            id,
            kind,
            service: None,
            channel,
            place: Place::LAST,
            falls_at: None,
            ahead: 0,
            queued_at: at,
            priority: 0,
            plan: self.no_plan.clone(),
            step: 0,
            phase,
            answered_at: None,
            joined: false,
            refusals: Vec::new(),
        });
        self.item_keys.insert(id, key);
        key
    }

    fn offer_ended(&mut self, interaction: InteractionId, agent_id: AgentId, why: OfferEnd, at: Timestamp) {
        let Some(number) = self.agent_numbers.get(&agent_id).copied() else { return };
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        let Some(item) = self.items.get_mut(key) else { return };
        let Phase::Offered(ring) = &mut item.phase else { return };
        ring.members.retain(|&member| member != number);
        let (last, rung_at) = (ring.members.is_empty(), ring.since);
        let waited = item.queued_at < rung_at;
        let (lane, service, kind) = (lane(item.channel), item.service, item.kind);
        let refused = matches!(
            why,
            OfferEnd::Declined | OfferEnd::NoAnswer | OfferEnd::ConnectionLost | OfferEnd::PutBack
        );
        let cooldown = self.queue_rules(service).refusal_cooldown;
        if refused && kind == Kind::Queued && !cooldown.is_zero() {
            self.remember_refusal(key, agent_id, at + cooldown);
        }
        self.change(agent_id, at, |agent| {
            agent.lease = None;
            agent.load[lane] = agent.load[lane].saturating_sub(1);
            match why {
                OfferEnd::Declined => agent.tally.declined += 1,
                OfferEnd::NoAnswer => agent.tally.missed += 1,
                OfferEnd::ConnectionLost => agent.tally.failed += 1,
                OfferEnd::CallerLeft => agent.tally.abandoned += 1,
                OfferEnd::AgentLeft
                | OfferEnd::TakenElsewhere
                | OfferEnd::Restart
                | OfferEnd::PutBack
                | OfferEnd::Postponed => {}
            }
        });
        if last && let Some(item) = self.items.get_mut(key) {
            item.phase = Phase::Waiting;
            self.enter_class(key);
            self.pace_enters(service, at);
            if let Some(queue) = service.and_then(|number| self.queues.get_mut(number)).filter(|_| waited) {
                queue.pace.not_drawn();
            }
        }
    }

    fn remember_refusal(&mut self, key: Key, agent: AgentId, until: Timestamp) {
        let Some(item) = self.items.get_mut(key) else { return };
        item.refusals.retain(|&(who, _)| who != agent);
        if item.refusals.len() >= REFUSALS_MAX
            && let Some(first) =
                (0..item.refusals.len()).min_by_key(|&i| (item.refusals[i].1, item.refusals[i].0))
        {
            item.refusals.remove(first);
            // Forgiven early: that agent may be asked again at once.
            self.loose.push(key);
        }
        let Some(item) = self.items.get_mut(key) else { return };
        item.refusals.push((agent, until));
        self.arm(until, Timer::CoolDown { item: key });
    }

    fn ended(&mut self, interaction: InteractionId, status: EndStatus, at: Timestamp) {
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        self.leave_class(key);
        let Some(item) = self.items.get(key) else { return };
        let (service, waits) = (item.service, matches!(item.phase, Phase::Waiting));
        if waits {
            let left = matches!(status, EndStatus::Abandoned | EndStatus::AbandonedRinging);
            self.pace_leaves(service, if left { Leaving::GaveUp } else { Leaving::Aside }, at);
        }
        let Some(item) = self.items.get_mut(key) else { return };
        match &item.phase {
            Phase::Active { agent } => {
                let agent = *agent;
                if status == EndStatus::Interrupted {
                    // The appliance was away: that says nothing of how long handling takes.
                    item.answered_at = None;
                }
                item.phase = Phase::Wrapping { agent, ended_at: at };
                let agent = self.agents[agent].id;
                self.change(agent, at, |agent| {
                    agent.active.retain(|&active| active != key);
                    agent.wrapping.push(key);
                });
            }
            Phase::Waiting | Phase::Offered(_) => self.forget(key),
            Phase::Wrapping { .. } => {}
        }
    }

    /// It waits here no longer, and did not end either.
    fn overflowed(&mut self, interaction: InteractionId, at: Timestamp) {
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        let waits = |item: &&Item| matches!(item.phase, Phase::Waiting);
        let Some(service) = self.items.get(key).filter(waits).map(|item| item.service) else { return };
        self.leave_class(key);
        self.pace_leaves(service, Leaving::Aside, at);
        self.forget(key);
    }

    /// It will come again: whoever waits does not any more, and an agent who had it is as before.
    fn laid_aside(&mut self, interaction: InteractionId, at: Timestamp) {
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        let Some(item) = self.items.get(key) else { return };
        let Phase::Active { agent } = item.phase else { return self.overflowed(interaction, at) };
        let lane = lane(item.channel);
        self.forget(key);
        let agent = self.agents[agent].id;
        self.change(agent, at, |agent| {
            agent.active.retain(|&active| active != key);
            agent.load[lane] = agent.load[lane].saturating_sub(1);
        });
    }

    fn completed(&mut self, interaction: InteractionId, at: Timestamp) {
        let Some(key) = self.item_keys.get(&interaction).copied() else { return };
        let Some(item) = self.items.get(key) else { return };
        let (Phase::Active { agent } | Phase::Wrapping { agent, .. }) = item.phase else { return };
        let (lane, customer) = (lane(item.channel), item.kind != Kind::Internal);
        self.pace_completed(key, at);
        self.forget(key);
        let agent = self.agents[agent].id;
        self.change(agent, at, |agent| {
            agent.active.retain(|&active| active != key);
            agent.wrapping.retain(|&wrapping| wrapping != key);
            agent.load[lane] = agent.load[lane].saturating_sub(1);
            if agent.wrapping.is_empty() {
                agent.wrap_until = None;
            }
            // A colleague's call does not cost the place among the idle.
            if customer && !agent.has_work() {
                agent.idle_since = at;
            }
        });
    }
}
