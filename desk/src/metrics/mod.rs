//! What dashboards and alerts read about the contact centre. Renaming one of these is a breaking change.
//!
//! Counted from journal events, so a figure can never tell a different story than the records. Labels come from small
//! closed sets: a service's name (the first [`QUEUES_MAX`], then `other`), a state, a result.

mod callbacks;
mod names;
mod queues;
mod register;
mod requests;
mod surveys;
mod transfers;
mod voice;
mod voicemails;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::diversion::MessageBox;
use model::id::{InteractionId, ServiceId};
use model::interaction::{Channel, Direction, EndStatus};
use model::journal::{Event, Party};
use model::service::{QueueRules, Service};
use model::time::Timestamp;
use prometheus::{
    Gauge, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
};

pub(crate) use self::names::offer_end_name;
pub use self::names::status_name;
use self::names::{author_name, channel_name, direction_name, overflow_name};
pub(crate) use self::names::{callback_end_name, dial_failure_name};
use self::register::{counter, counters, histogram, histograms, int_gauge, int_gauges, register};

/// Services with a label of their own.
const QUEUES_MAX: usize = 200;
/// Bounds of waiting times. 20 s is one of them, so that "80 % in 20 s" reads exactly.
const WAIT_BUCKETS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0];
/// Bounds of call lengths and wrap-up.
const WORK_BUCKETS: [f64; 9] = [5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0];

/// The figures of one desk.
pub struct Metrics {
    /// Callers waiting now.
    pub queue_waiting: IntGaugeVec,
    /// How queues stand.
    pub queues: queues::Queues,
    queue_arrivals: IntCounterVec,
    queue_answered: IntCounterVec,
    queue_answered_in_sl: IntCounterVec,
    queue_abandoned: IntCounterVec,
    queue_wait: HistogramVec,
    queue_nobody_fits: IntCounterVec,
    queue_overflows: IntCounterVec,
    callbacks: callbacks::Callbacks,
    floor_violations: IntCounterVec,
    /// Rounds of the floor's audit of itself.
    pub audit_rounds: IntCounter,
    offers: IntCounterVec,
    /// Signed-in agents by state.
    pub agents: IntGaugeVec,
    calls: IntCounterVec,
    calls_active: IntGaugeVec,
    call_duration: Histogram,
    contacts: IntCounterVec,
    messages: IntCounterVec,
    wrapup: Histogram,
    /// Recordings that wait to be finished.
    pub recordings_pending: IntGauge,
    recording_failures: IntCounter,
    recording_silences: IntCounterVec,
    recordings_silent: IntGaugeVec,
    voice: voice::Voice,
    transfers: transfers::Transfers,
    voicemails: voicemails::Voicemails,
    /// Trunks that register: 1 while they are registered.
    pub trunk_registered: IntGaugeVec,
    /// Problems that agents reported.
    pub reports: IntCounterVec,
    surveys: surveys::Surveys,
    /// What systems answer that flows ask.
    pub requests: requests::Requests,
    /// Sign-ins by result.
    pub signins: IntCounterVec,
    /// Pages that are attached.
    pub consoles: IntGauge,
    /// 1 while the journal cannot be written.
    pub journal_behind: IntGauge,
    /// From an input to its effects, journal included.
    pub decision: Histogram,
    open: Mutex<Open>,
}

/// What has to be remembered between two events.
#[derive(Default)]
struct Open {
    calls: HashMap<InteractionId, Call>,
    callbacks: callbacks::Open,
    wrapping: HashSet<InteractionId>,
    names: HashMap<ServiceId, Named>,
    shown: HashSet<String>,
}

struct Named {
    name: String,
    level: Duration,
    short: Duration,
}

impl Named {
    fn of(service: &Service) -> Self {
        let (level, short) = (service.queue.service_level, service.queue.short_abandon_after);
        Self { name: service.name.clone(), level, short }
    }
}

struct Call {
    channel: Channel,
    direction: Direction,
    arrived: Timestamp,
    queued: Option<(Timestamp, ServiceId)>,
    /// An agent passed it on.
    passed_on: bool,
    answered: bool,
    /// Parties whose channels are empty.
    silent: HashSet<&'static str>,
}

impl Metrics {
    /// Registers all figures. Twice in one registry is refused.
    pub fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let r = registry;
        Ok(Self {
            trunk_registered: int_gauges(
                r,
                "patchbay_trunk_registered",
                "1 while the trunk is registered with its carrier; only of trunks that register.",
                &["trunk"],
            )?,
            queue_waiting: int_gauges(r, "patchbay_queue_waiting", "Callers waiting now.", &["queue"])?,
            queues: queues::Queues::new(r)?,
            queue_arrivals: counters(
                r,
                "patchbay_queue_offered_total",
                "Callers who entered the queue.",
                &["queue"],
            )?,
            queue_answered: counters(
                r,
                "patchbay_queue_answered_total",
                "Callers who came to talk to an agent.",
                &["queue"],
            )?,
            queue_answered_in_sl: counters(
                r,
                "patchbay_queue_answered_in_sl_total",
                "Callers answered within the service level.",
                &["queue"],
            )?,
            queue_abandoned: counters(
                r,
                "patchbay_queue_abandoned_total",
                "Callers who left first; short: within the time that the service has for it.",
                &["queue", "short"],
            )?,
            queue_wait: histograms(
                r,
                "patchbay_queue_wait_seconds",
                "From entering the queue to the conversation.",
                &WAIT_BUCKETS,
                &["queue"],
            )?,
            queue_nobody_fits: counters(
                r,
                "patchbay_queue_nobody_fits_total",
                "Callers who waited for somebody who is not in the configuration.",
                &["queue"],
            )?,
            queue_overflows: counters(
                r,
                "patchbay_queue_overflows_total",
                "Callers whom a queue did not take, or not keep, and led on elsewhere.",
                &["queue", "why"],
            )?,
            callbacks: callbacks::Callbacks::new(r)?,
            floor_violations: violations(r)?,
            audit_rounds: counter(
                r,
                "patchbay_floor_audit_rounds_total",
                "Times the running floor has looked itself over as a whole.",
            )?,
            offers: counters(r, "patchbay_offers_total", "Offers to agents by result.", &["result"])?,
            agents: int_gauges(r, "patchbay_agents", "Signed-in agents by state.", &["state"])?,
            calls: counters(r, "patchbay_calls_total", "Calls that ended.", &["direction", "result"])?,
            calls_active: int_gauges(r, "patchbay_calls_active", "Calls now.", &["direction"])?,
            call_duration: histogram(
                r,
                "patchbay_call_duration_seconds",
                "From arrival to hang-up.",
                &WORK_BUCKETS,
            )?,
            contacts: counters(
                r,
                "patchbay_contacts_total",
                "Written contacts that ended.",
                &["channel", "result"],
            )?,
            messages: counters(
                r,
                "patchbay_messages_total",
                "Messages in written contacts, by who wrote them.",
                &["author"],
            )?,
            wrapup: histogram(r, "patchbay_wrapup_seconds", "After-call work.", &WORK_BUCKETS)?,
            voice: voice::Voice::new(r)?,
            transfers: transfers::Transfers::new(r)?,
            voicemails: voicemails::Voicemails::new(r)?,
            surveys: surveys::Surveys::new(r)?,
            requests: requests::Requests::new(r)?,
            reports: counters(
                r,
                "patchbay_reports_total",
                "Problems that agents reported, by what was wrong.",
                &["fault"],
            )?,
            recordings_pending: int_gauge(
                r,
                "patchbay_recordings_pending",
                "Captured recordings that wait to be finished.",
            )?,
            recording_failures: counter(
                r,
                "patchbay_recording_failures_total",
                "Calls that should be recorded and are not.",
            )?,
            recording_silences: counters(
                r,
                "patchbay_recording_silences_total",
                "Times a recorded party was to be heard and nothing came, by party.",
                &["party"],
            )?,
            recordings_silent: int_gauges(
                r,
                "patchbay_recording_channels_silent",
                "Channels of recordings that get nothing now, though their party is to be heard.",
                &["party"],
            )?,
            signins: counters(r, "patchbay_signins_total", "Sign-ins by result.", &["result"])?,
            consoles: int_gauge(r, "patchbay_consoles_attached", "Console pages that are connected.")?,
            journal_behind: int_gauge(
                r,
                "patchbay_journal_behind",
                "1 while events wait because the database does not take them.",
            )?,
            decision: histogram(
                r,
                "patchbay_route_decision_seconds",
                "From an input of the floor to its effects, the journal's commit included.",
                &[0.000_1, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5],
            )?,
            open: Mutex::default(),
        })
    }

    /// Names of the services, for labels, and what they hold their queues to.
    pub fn name_services<'a>(&self, services: impl Iterator<Item = &'a Service>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.names = services.map(|service| (service.id, Named::of(service))).collect();
    }

    /// The label of a service.
    pub fn label(&self, service: ServiceId) -> String {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).label(service)
    }

    /// Counts an event.
    pub fn observe(&self, event: &Event, at: Timestamp) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((service, result)) = self.callbacks.observe(&mut open.callbacks, event) {
            self.callbacks.count(&open.label(service), result);
        }
        match event {
            Event::Arrived { interaction, channel, direction, .. } => {
                let call = Call {
                    channel: *channel,
                    direction: *direction,
                    arrived: at,
                    queued: None,
                    passed_on: false,
                    answered: false,
                    silent: HashSet::new(),
                };
                if open.calls.insert(*interaction, call).is_none() && !channel.is_written() {
                    self.calls_active.with_label_values(&[direction_name(*direction)]).inc();
                }
            }
            // They are counted by themselves, and the record tells how long they waited.
            Event::Queued { channel: Channel::Callback, .. } => {}
            Event::Transferred { interaction, to, .. } => {
                self.transfers.by_agent(to);
                if let Some(call) = open.calls.get_mut(interaction) {
                    (call.queued, call.passed_on) = (None, true);
                }
            }
            // It was counted when it came; that it waits again is told by the record.
            Event::Queued { interaction, .. } | Event::Overflowed { interaction, .. }
                if open.calls.get(interaction).is_some_and(|call| call.passed_on) => {}
            Event::CallbackAsked { interaction, .. } => {
                if let Some(call) = open.calls.get_mut(interaction) {
                    call.queued = None;
                }
            }
            Event::Queued { interaction, service, .. } => {
                self.queue_arrivals.with_label_values(&[&open.label(*service)]).inc();
                if let Some(call) = open.calls.get_mut(interaction) {
                    call.queued = Some((at, *service));
                }
            }
            Event::Overflowed { from, why, .. } => {
                self.queue_overflows.with_label_values(&[&open.label(*from), overflow_name(*why)]).inc();
            }
            Event::Accepted { .. } => self.offers.with_label_values(&["accepted"]).inc(),
            Event::OfferEnded { why, .. } => self.offers.with_label_values(&[offer_end_name(*why)]).inc(),
            Event::Bridged { interaction, .. } => self.answered(&mut open, *interaction, at),
            Event::Ended { interaction, status, .. } => self.ended(&mut open, *interaction, *status, at),
            Event::WrapUpStarted { interaction, .. } => drop(open.wrapping.insert(*interaction)),
            // What had no after-call work does not make its average shorter.
            Event::Completed { interaction, wrap_up, .. } if open.wrapping.remove(interaction) => {
                self.wrapup.observe(wrap_up.as_secs_f64());
            }
            Event::Written { by, .. } => self.messages.with_label_values(&[author_name(*by)]).inc(),
            Event::Rated { service: Some(service), mark, .. } => {
                self.surveys.rated(&open.label(*service), *mark);
            }
            Event::MessageOver { to, kept, .. } => {
                let of = open.label_of_box(*to);
                self.voicemails.count(&of, if *kept { "left" } else { "short" });
            }
            Event::MessageRefused { to, .. } => {
                let of = open.label_of_box(*to);
                self.voicemails.count(&of, "refused");
            }
            Event::PassedOn { interaction, .. } if open.is_in_flow(*interaction) => {
                self.transfers.count("answered");
            }
            Event::DialFailed { interaction, why, .. } if open.is_in_flow(*interaction) => {
                self.transfers.count(dial_failure_name(*why));
            }
            Event::LegEnded { party, stats: Some(stats), .. } => self.voice.ended(*party, stats),
            Event::RecordingFailed { .. } => self.recording_failures.inc(),
            Event::InvariantBroken { invariant, .. } => {
                self.floor_violations.with_label_values(&[invariant]).inc();
            }
            Event::NobodyFits { interaction } => {
                if let Some((_, service)) = open.calls.get(interaction).and_then(|call| call.queued) {
                    self.queue_nobody_fits.with_label_values(&[&open.label(service)]).inc();
                }
            }
            Event::RecordingSilent { interaction, party, silent, .. } => {
                self.silent(&mut open, *interaction, *party, *silent);
            }
            _ => {}
        }
    }

    fn answered(&self, open: &mut Open, interaction: InteractionId, at: Timestamp) {
        let Some(call) = open.calls.get_mut(&interaction).filter(|call| !call.answered) else { return };
        call.answered = true;
        let Some((queued, service)) = call.queued else { return };
        let label = open.label(service);
        let waited = at.since(queued);
        self.queue_answered.with_label_values(&[&label]).inc();
        self.queue_wait.with_label_values(&[&label]).observe(waited.as_secs_f64());
        if open.names.get(&service).is_some_and(|named| waited <= named.level) {
            self.queue_answered_in_sl.with_label_values(&[&label]).inc();
        }
    }

    fn silent(&self, open: &mut Open, interaction: InteractionId, party: Party, silent: bool) {
        let Some(call) = open.calls.get_mut(&interaction) else { return };
        let party = voice::party_name(party);
        if silent && call.silent.insert(party) {
            self.recording_silences.with_label_values(&[party]).inc();
            self.recordings_silent.with_label_values(&[party]).inc();
        } else if !silent && call.silent.remove(party) {
            self.recordings_silent.with_label_values(&[party]).dec();
        }
    }

    fn ended(&self, open: &mut Open, interaction: InteractionId, status: EndStatus, at: Timestamp) {
        let Some(call) = open.calls.remove(&interaction) else { return };
        for party in &call.silent {
            self.recordings_silent.with_label_values(&[party]).dec();
        }
        if call.channel.is_written() {
            self.contacts.with_label_values(&[channel_name(call.channel), status_name(status)]).inc();
        } else {
            let direction = direction_name(call.direction);
            self.calls_active.with_label_values(&[direction]).dec();
            self.calls.with_label_values(&[direction, status_name(status)]).inc();
            self.call_duration.observe(at.since(call.arrived).as_secs_f64());
        }
        if let (Some((queued, service)), EndStatus::Abandoned | EndStatus::AbandonedRinging) =
            (call.queued, status)
        {
            let known = open.names.get(&service).map(|named| named.short);
            let short = at.since(queued) < known.unwrap_or(QueueRules::default().short_abandon_after);
            let short = if short { "true" } else { "false" };
            self.queue_abandoned.with_label_values(&[&open.label(service), short]).inc();
        }
    }
}

impl Open {
    /// Whether a number that is dialled for it is dialled by a flow: agents dial in calls of their own, and for callbacks.
    fn is_in_flow(&self, interaction: InteractionId) -> bool {
        let came_in = |call: &Call| call.direction == Direction::Inbound && !call.passed_on;
        self.calls.get(&interaction).is_some_and(came_in) && !self.callbacks.has(interaction)
    }

    fn label(&mut self, service: ServiceId) -> String {
        let Some(Named { name, .. }) = self.names.get(&service) else { return "other".into() };
        if !self.shown.contains(name) {
            if self.shown.len() >= QUEUES_MAX {
                return "other".into();
            }
            self.shown.insert(name.clone());
        }
        name.clone()
    }

    /// What is left for one person has one label for all of them: nobody's name is in a figure.
    fn label_of_box(&mut self, of: MessageBox) -> String {
        of.service().map_or_else(|| "own".into(), |service| self.label(service))
    }
}

/// All rules at zero from the start: an alert sees the first violation as a step.
fn violations(registry: &Registry) -> Result<IntCounterVec, prometheus::Error> {
    let name = "patchbay_floor_invariant_violations_total";
    let made =
        counters(registry, name, "Contradictions found in the running floor, by rule.", &["invariant"])?;
    for invariant in router::INVARIANTS {
        made.with_label_values(&[invariant]).reset();
    }
    Ok(made)
}

/// A gauge of the moment the process started: restarts show as a step.
pub fn start_time(registry: &Registry, now: Timestamp) -> Result<(), prometheus::Error> {
    let gauge = register(registry, Gauge::new("patchbay_start_time_seconds", "When this process started.")?)?;
    gauge.set(now.since(Timestamp::ZERO).as_secs_f64());
    Ok(())
}

#[cfg(test)]
mod tests;
