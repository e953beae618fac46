//! Calls that become one: several calls on one bench, with one media plane that knows who hears whom.

mod attending;
mod conference;
mod plane;
mod simulation;
mod transfer;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use model::call::{AfterJoin, Attending, CallFact, Sound, Source};
use model::id::{Id, InteractionId, LegId, OfferToken, RecordingId, TenantId, TrunkId, UserId};
use model::interaction::EndedBy;
use model::media::Codec;
use model::service::SrtpPolicy;
use model::time::Timestamp;

use crate::call::fixture::{RING_TIME, START, picked_up, sdp};
use crate::call::words::{
    Attempt, Attend, Branch, Connect, Dial, GuestOrder, Input, Join, Order, Output, Peer, PeerOrder,
    PhoneEvent, PhoneOrder, Ring, RingPhones, Softphone,
};
use crate::call::{Call, NewCall, NewInside, NewPlaced};
use crate::sdp::{Ability, KeySeed};
use plane::Plane;

/// The agent who brings others together.
const ANA: u64 = 1;
/// A colleague.
const BEN: u64 = 2;
/// Another.
const CEM: u64 = 3;
/// A supervisor.
const SUE: u64 = 4;

fn user(number: u64) -> UserId {
    UserId::from_number(number)
}
/// An agent's softphone.
fn soft(number: u64) -> LegId {
    LegId::from_number(number)
}
fn call(number: u64) -> InteractionId {
    InteractionId::from_number(number)
}
/// The customer's leg of a call.
fn customer_of(number: u64) -> LegId {
    LegId::from_number(number * 100)
}
/// The leg of the phone that is rung in a call, or of the number that is dialled.
fn phone_of(number: u64) -> LegId {
    LegId::from_number(number * 100 + 1)
}
fn recording_of(number: u64) -> RecordingId {
    RecordingId::from_number(number)
}
fn branch_of(number: u64) -> Branch {
    Branch(u32::try_from(number).unwrap() * 10)
}
/// What the dialog of a call's customer is called in another call.
fn guest_branch(number: u64) -> Branch {
    Branch(u32::try_from(number).unwrap() * 10 + 1)
}

/// Calls that have to do with each other.
struct House {
    calls: BTreeMap<InteractionId, Call>,
    plane: Plane,
    now: Timestamp,
    facts: Vec<CallFact>,
    /// Who asked a call for somebody.
    asked_by: HashMap<InteractionId, InteractionId>,
    /// From which call somebody comes.
    comes_from: HashMap<InteractionId, InteractionId>,
    /// Who came from another call is there.
    guests: HashMap<InteractionId, InteractionId>,
    /// Phones and trunks that were invited and have neither gone nor been let go.
    live: HashSet<Branch>,
    /// Customers who were told that it is over.
    bye: Vec<InteractionId>,
}

impl House {
    fn open() -> Self {
        let mut plane = Plane::default();
        for agent in [ANA, BEN, CEM, SUE] {
            plane.softphone(soft(agent));
        }
        Self {
            calls: BTreeMap::new(),
            plane,
            now: START,
            facts: Vec::new(),
            asked_by: HashMap::new(),
            comes_from: HashMap::new(),
            guests: HashMap::new(),
            live: HashSet::new(),
            bye: Vec::new(),
        }
    }

    /// A customer talks to an agent at the softphone, recorded.
    fn customer_talks(&mut self, number: u64, agent: u64) {
        let ability = Ability::sip(SrtpPolicy::Accept);
        let new = NewCall {
            interaction: call(number),
            tenant: TenantId::from_number(1),
            from: Source::Trunk { trunk: TrunkId::from_number(1) },
            srtp: SrtpPolicy::Accept,
            caller: "+4930123".into(),
            caller_name: None,
            contact: "100".into(),
            offer: Some(sdp("192.0.2.9", "sendrecv", 1)),
            leg: customer_of(number),
            ability,
            seed: KeySeed::new([1; 32]),
            session: 1,
            timer: None,
        };
        self.begin(number, Call::begin(new, START));
        self.order(number, Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
        self.tell(number, Input::Customer(Peer::Acknowledged(None)));
        self.connect(number, agent, Some(recording_of(number)));
    }

    /// An agent placed a call to a number outside and talks to it.
    fn number_talks(&mut self, number: u64, agent: u64) {
        let ability = Ability::sip(SrtpPolicy::Accept);
        let leg = customer_of(number);
        let new = NewPlaced { interaction: call(number), leg, contact: "+4940".into(), ability };
        self.begin(number, Call::begin_placed(new, START));
        let softphone = Some(softphone(agent));
        let ring = Ring { token: OfferToken::from_number(number), agent: user(agent) };
        self.order(number, Order::RingSoftphone { ring, softphone });
        let branch = branch_of(number);
        let attempts = vec![Attempt {
            branch,
            trunk: TrunkId::from_number(1),
            leg,
            srtp: SrtpPolicy::Accept,
            seed: KeySeed::new([3; 32]),
            session: 3,
        }];
        self.order(number, Order::Dial(Box::new(Dial { attempts, ring_time: RING_TIME })));
        self.tell(number, Input::Phone(branch, PhoneEvent::Reached));
        self.tell(number, Input::Phone(branch, picked_up(sdp("192.0.2.30", "sendrecv", 1))));
        // It is the customer's side from here on.
        self.live.remove(&branch);
        self.connect(number, agent, None);
    }

    /// An agent calls a colleague, softphone to softphone.
    fn colleagues_talk(&mut self, number: u64, caller: u64, called: u64) {
        self.calls_colleague(number, caller);
        self.connect(number, called, None);
    }

    /// An agent calls a colleague at the desk phone.
    fn colleague_talks_by_phone(&mut self, number: u64, caller: u64, called: u64) {
        self.calls_colleague(number, caller);
        self.picks_up(number, called);
        self.connect(number, called, None);
    }

    fn calls_colleague(&mut self, number: u64, caller: u64) {
        let new = NewInside {
            interaction: call(number),
            agent: user(caller),
            softphone: softphone(caller),
            half: LegId::from_number(number * 100 + 2),
            caller: "1001".into(),
            caller_name: None,
            ability: Ability::sip(SrtpPolicy::Accept),
        };
        self.begin(number, Call::begin_inside(new, START));
    }

    fn picks_up(&mut self, number: u64, agent: u64) {
        let branch = branch_of(number);
        self.order(
            number,
            Order::RingPhones(Box::new(RingPhones {
                ring: Ring { token: OfferToken::from_number(number), agent: user(agent) },
                leg: phone_of(number),
                branches: vec![branch],
                srtp: SrtpPolicy::Accept,
                seed: KeySeed::new([2; 32]),
                session: 2,
            })),
        );
        self.tell(number, Input::Phone(branch, picked_up(sdp("192.0.2.20", "sendrecv", 1))));
    }

    fn connect(&mut self, number: u64, agent: u64, record: Option<RecordingId>) {
        let half = LegId::from_number(number * 100 + 3);
        let (softphone, announce) = (Some(softphone(agent)), false);
        self.order(number, Order::Connect(Connect { agent: user(agent), softphone, half, record, announce }));
    }

    fn begin(&mut self, number: u64, (begun, outputs): (Call, Vec<Output>)) {
        self.calls.insert(call(number), begun);
        self.carry_out(call(number), outputs);
    }

    /// An order; one about somebody who came from another call goes where they are.
    fn order(&mut self, number: u64, order: Order) {
        let name = call(number);
        let to_guest = self.guests.get(&name).copied();
        match (to_guest, guest_order(&order)) {
            (Some(there), Some(order)) => self.does(there, Input::Order(Order::Guest(name, order))),
            _ => self.does(name, Input::Order(order)),
        }
    }

    fn tell(&mut self, number: u64, input: Input) {
        self.does(call(number), input);
    }

    fn join(&mut self, number: u64, from: u64, agent: u64, then: AfterJoin) {
        let (from, branch) = (call(from), guest_branch(from));
        self.order(number, Order::Join(Join { from, agent: user(agent), then, branch }));
    }

    fn attend(&mut self, number: u64, from: u64, agent: u64, how: Attending) {
        let (softphone, half) = (Some(softphone(agent)), LegId::from_number(from * 100 + 4));
        self.guests.insert(call(from), call(number));
        let attend = Attend { from: call(from), agent: user(agent), softphone, half, how };
        self.order(number, Order::Attend(attend));
    }

    fn hangs_up(&mut self, number: u64, branch: Branch) {
        self.live.remove(&branch);
        self.tell(number, Input::Phone(branch, PhoneEvent::Peer(Peer::Bye)));
    }

    fn does(&mut self, name: InteractionId, input: Input) {
        let Some(call) = self.calls.get_mut(&name).filter(|call| !call.is_over()) else {
            match input {
                Input::Order(Order::HandOver(_)) => self.kept(name),
                Input::Handed(from, who) => self.does(from, Input::GivenBack(who)),
                _ => {}
            }
            return;
        };
        let outputs = call.handle(input, self.now);
        self.carry_out(name, outputs);
    }

    fn kept(&mut self, name: InteractionId) {
        if let Some(asker) = self.asked_by.remove(&name) {
            self.does(asker, Input::Kept(name, "over".into()));
        }
    }

    fn carry_out(&mut self, name: InteractionId, outputs: Vec<Output>) {
        let mut outputs = VecDeque::from(outputs);
        let mut done = VecDeque::new();
        loop {
            while let Some(output) = outputs.pop_front() {
                match output {
                    Output::Silent(trunk) => panic!("{trunk} is dialled nowhere here"),
                    Output::Fact(fact) => {
                        let of = fact_of(&fact);
                        let ended = |f: &&CallFact| matches!(f, CallFact::Ended { .. }) && fact_of(f) == of;
                        assert!(!self.facts.iter().any(|f| ended(&f)), "{fact:?} after the end");
                        self.facts.push(fact);
                    }
                    Output::Customer(PeerOrder::Bye { .. } | PeerOrder::Refuse { .. }) => self.bye.push(name),
                    Output::Customer(_) => {}
                    Output::Phone(branch, PhoneOrder::Reach | PhoneOrder::Invite { .. }) => {
                        self.live.insert(branch);
                    }
                    Output::Phone(branch, PhoneOrder::End) => drop(self.live.remove(&branch)),
                    Output::Phone(
                        _,
                        PhoneOrder::Reply(_) | PhoneOrder::Renew | PhoneOrder::Notify { .. },
                    ) => {}
                    Output::Media(order) => {
                        let result = self.plane.order(name, &order);
                        done.push_back(Input::Done(order.step(), result));
                    }
                    Output::AskFor(from, handover) => {
                        self.asked_by.insert(from, name);
                        self.does(from, Input::Order(Order::HandOver(handover)));
                    }
                    Output::Keep(why) => {
                        if let Some(asker) = self.asked_by.remove(&name) {
                            self.does(asker, Input::Kept(name, why));
                        }
                    }
                    Output::Hand(who) => {
                        let asker = self.asked_by.remove(&name).expect("somebody asked");
                        self.comes_from.insert(asker, name);
                        self.does(asker, Input::Handed(name, who));
                    }
                    Output::Taken => {
                        let from = self.comes_from.remove(&name).expect("somebody came");
                        self.guests.insert(from, name);
                        self.does(from, Input::Given);
                    }
                    Output::GiveBack(who) => {
                        let from = self.comes_from.remove(&name).expect("somebody came");
                        self.does(from, Input::GivenBack(who));
                    }
                }
            }
            let Some(input) = done.pop_front() else { return };
            outputs.extend(self.calls.get_mut(&name).expect("it is here").handle(input, self.now));
        }
    }

    /// Time passes; deadlines are met one by one.
    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        for _ in 0..10_000 {
            let next = |call: &Call| if call.is_over() { Timestamp::NEVER } else { call.next_deadline() };
            let Some((name, at)) =
                self.calls.iter().map(|(name, call)| (*name, next(call))).min_by_key(|(_, at)| *at)
            else {
                break;
            };
            if at > until {
                break;
            }
            self.now = self.now.max(at);
            self.does(name, Input::Tick);
        }
        self.now = until;
    }

    fn forget(&mut self) {
        self.facts.clear();
    }

    /// What was said since, without details.
    fn told(&self) -> Vec<String> {
        let word = |fact: &CallFact| {
            let word = format!("{fact:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
            let number = fact_of(fact).uuid().as_u128();
            format!("{word} {number}")
        };
        self.facts.iter().map(word).collect()
    }

    fn both_hear(&self, a: LegId, b: LegId) -> bool {
        self.plane.both_hear(a, b)
    }

    fn ended(&self, number: u64) -> Option<EndedBy> {
        self.facts.iter().find_map(|fact| match fact {
            CallFact::Ended { interaction, by, .. } if *interaction == call(number) => Some(*by),
            _ => None,
        })
    }
}

fn softphone(agent: u64) -> Softphone {
    Softphone { leg: soft(agent), codec: Codec::Opus }
}

fn guest_order(order: &Order) -> Option<GuestOrder> {
    crate::call::driver::guest_order(order.clone()).ok()
}

/// Which call a fact is about; of whoever is being brought in, that is the call they come into.
fn fact_of(fact: &CallFact) -> InteractionId {
    match fact {
        CallFact::Incoming { interaction, .. }
        | CallFact::LegAnswered { interaction, .. }
        | CallFact::AgentAnswered { interaction, .. }
        | CallFact::AgentRefused { interaction, .. }
        | CallFact::AgentUnreachable { interaction, .. }
        | CallFact::FarEndRinging { interaction, .. }
        | CallFact::FarEndAnswered { interaction, .. }
        | CallFact::DialFailed { interaction, .. }
        | CallFact::Bridged { interaction, .. }
        | CallFact::FarEndBridged { interaction, .. }
        | CallFact::Joined { interaction, .. }
        | CallFact::JoinFailed { interaction, .. }
        | CallFact::TookOver { interaction, .. }
        | CallFact::HoldChanged { interaction, .. }
        | CallFact::Referred { interaction, .. }
        | CallFact::MuteChanged { interaction, .. }
        | CallFact::Played { interaction, .. }
        | CallFact::CallerSilent { interaction, .. }
        | CallFact::DigitReceived { interaction, .. }
        | CallFact::Quality { interaction, .. }
        | CallFact::QualityChanged { interaction, .. }
        | CallFact::RecordingStarted { interaction, .. }
        | CallFact::RecordingCaptured { interaction, .. }
        | CallFact::RecordingPaused { interaction, .. }
        | CallFact::PauseFailed { interaction, .. }
        | CallFact::RecordingFailed { interaction, .. }
        | CallFact::RecordingSilent { interaction, .. }
        | CallFact::LegEnded { interaction, .. }
        | CallFact::Ended { interaction, .. } => *interaction,
        CallFact::PhoneAnswer { .. }
        | CallFact::PhoneRefused { .. }
        | CallFact::PhoneUp { .. }
        | CallFact::PhoneDown { .. }
        | CallFact::TrunkStands { .. }
        | CallFact::PasswordGuessed { .. } => unreachable!("no call says this"),
    }
}
