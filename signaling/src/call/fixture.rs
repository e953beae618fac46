//! A call on the bench: what it orders is carried out at once by a media plane of paper, and everything said is kept.

use std::collections::HashSet;
use std::time::Duration;

use media::control::{Answer, LegCreated, LegStats, MediaError};
use model::call::{CallFact, Sound, Source};
use model::id::{Id, InteractionId, LegId, OfferToken, RecordingId, TenantId, TrunkId, UserId};
use model::media::{Codec, StreamStats};
use model::service::SrtpPolicy;
use model::time::Timestamp;

use super::timer::SessionTimer;
use super::words::{
    Attempt, Branch, Connect, Dial, Input, MediaOrder, Order, Output, Peer, PeerOrder, PhoneEvent,
    PhoneOrder, RequestId, Ring, RingNumber, RingPhones, Softphone,
};
use super::{Call, NewCall, NewInside, NewPlaced};
use crate::sdp::{Ability, KeySeed};

pub const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A description of a far end at `address`, with a direction.
pub fn sdp(address: &str, direction: &str, version: u32) -> String {
    format!(
        "v=0\r\no=- 1 {version} IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    )
}

pub fn customer_leg() -> LegId {
    LegId::from_number(1)
}
pub fn phone_leg() -> LegId {
    LegId::from_number(2)
}
/// The softphone's media leg.
pub fn softphone() -> Softphone {
    Softphone { leg: LegId::from_number(3), codec: Codec::Opus }
}
/// The softphone of the colleague who calls.
pub fn colleagues_softphone() -> Softphone {
    Softphone { leg: LegId::from_number(7), codec: Codec::Opus }
}
/// The colleague who calls.
pub fn colleague() -> UserId {
    UserId::from_number(8)
}
/// The half of the colleague who calls from a softphone.
pub fn calling_half() -> LegId {
    LegId::from_number(9)
}
/// The softphone's half of this call.
pub fn half() -> LegId {
    LegId::from_number(4)
}
pub fn agent() -> UserId {
    UserId::from_number(5)
}
pub fn ring(token: u64) -> Ring {
    Ring { token: OfferToken::from_number(token), agent: agent() }
}
/// How long a number that is dialled rings.
pub const RING_TIME: Duration = Duration::from_secs(45);
/// The trunk of a branch.
pub fn trunk(branch: u32) -> TrunkId {
    TrunkId::from_number(branch.into())
}
/// The leg over a trunk that is tried.
pub fn trunk_leg(branch: u32) -> LegId {
    LegId::from_number(100 + u64::from(branch))
}
/// 200 with this description.
pub fn picked_up(sdp: String) -> PhoneEvent {
    PhoneEvent::Answered { sdp, timer: None }
}
pub fn recording() -> RecordingId {
    RecordingId::from_number(6)
}

pub struct Scene {
    pub call: Call,
    pub now: Timestamp,
    pub facts: Vec<CallFact>,
    pub customer: Vec<PeerOrder>,
    pub phones: Vec<(Branch, PhoneOrder)>,
    pub media: Vec<MediaOrder>,
    /// Trunks that were said to be silent.
    pub silent: Vec<TrunkId>,
    /// Media orders that are refused.
    pub refuses: fn(&MediaOrder) -> Option<MediaError>,
    pub legs: HashSet<LegId>,
    /// Phones that were invited and have neither gone nor been let go.
    pub live: HashSet<Branch>,
    /// A softphone calls.
    pub inside: bool,
    /// We place the call.
    pub placed: bool,
    packets: u64,
}

impl Scene {
    /// A call with an ordinary offer.
    pub fn of_a_caller() -> Self {
        Self::of(Some(sdp("192.0.2.9", "sendrecv", 1)), None)
    }

    pub fn of(offer: Option<String>, timer: Option<SessionTimer>) -> Self {
        Self::begun(Source::Trunk { trunk: TrunkId::from_number(1) }, offer, timer)
    }

    /// A colleague's desk phone dials an extension.
    pub fn of_a_desk_phone(offer: Option<String>, timer: Option<SessionTimer>) -> Self {
        Self::begun(Source::Phone { agent: colleague() }, offer, timer)
    }

    /// A colleague calls from a softphone.
    pub fn of_a_colleague() -> Self {
        let new = NewInside {
            interaction: InteractionId::from_number(1),
            agent: colleague(),
            softphone: colleagues_softphone(),
            half: calling_half(),
            caller: "1001".into(),
            caller_name: Some("Boris".into()),
            ability: Ability::sip(SrtpPolicy::Accept),
        };
        Self::started(Call::begin_inside(new, START), true)
    }

    /// A call that we place for an agent at the softphone.
    pub fn of_a_placed_call() -> Self {
        let new = NewPlaced {
            interaction: InteractionId::from_number(1),
            leg: customer_leg(),
            contact: "+4930123".into(),
            ability: Ability::sip(SrtpPolicy::Accept),
        };
        let mut scene = Self::started(Call::begin_placed(new, START), false);
        scene.placed = true;
        scene
    }

    /// The same, dialled over two trunks.
    pub fn of_a_dialled_number() -> Self {
        let mut scene = Self::of_a_placed_call();
        scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
        scene.dial(&[11, 12]);
        scene
    }

    /// Dials over trunks of these branches; each has a leg of the same number.
    pub fn dial(&mut self, branches: &[u32]) {
        let attempts = branches.iter().copied().map(Self::attempt).collect();
        self.order(Order::Dial(Box::new(Dial { attempts, ring_time: RING_TIME })));
    }

    /// A trunk that is tried.
    pub fn attempt(branch: u32) -> Attempt {
        Attempt {
            branch: Branch(branch),
            trunk: trunk(branch),
            leg: trunk_leg(branch),
            srtp: SrtpPolicy::Accept,
            seed: KeySeed::new([3; 32]),
            session: 3,
        }
    }

    /// A trunk answers, and the call is acknowledged.
    pub fn trunk_answers(&mut self, branch: u32) {
        self.phone_does(branch, picked_up(sdp("192.0.2.30", "sendrecv", 1)));
    }

    /// Two colleagues talk, softphone to softphone.
    pub fn of_colleagues() -> Self {
        let mut scene = Self::of_a_colleague();
        scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
        scene.order(Order::Connect(Connect {
            agent: agent(),
            softphone: Some(softphone()),
            half: half(),
            record: None,
            announce: false,
        }));
        scene.forget();
        scene
    }

    /// The leg of whoever calls.
    pub fn customer_leg(&self) -> LegId {
        if self.inside { colleagues_softphone().leg } else { customer_leg() }
    }

    fn begun(from: Source, offer: Option<String>, timer: Option<SessionTimer>) -> Self {
        let new = NewCall {
            interaction: InteractionId::from_number(1),
            tenant: TenantId::from_number(1),
            from,
            srtp: SrtpPolicy::Accept,
            caller: "+4930123".into(),
            caller_name: None,
            contact: "100".into(),
            offer,
            leg: customer_leg(),
            ability: Ability::sip(SrtpPolicy::Accept),
            seed: KeySeed::new([1; 32]),
            session: 1,
            timer,
        };
        Self::started(Call::begin(new, START), false)
    }

    fn started((call, outputs): (Call, Vec<Output>), inside: bool) -> Self {
        let mut scene = Self {
            call,
            now: START,
            facts: vec![],
            customer: vec![],
            phones: vec![],
            media: vec![],
            silent: vec![],
            refuses: |_| None,
            legs: HashSet::from([softphone().leg, colleagues_softphone().leg]),
            live: HashSet::new(),
            inside,
            placed: false,
            packets: 0,
        };
        scene.carry_out(outputs);
        scene
    }

    /// Answered, and hears music.
    pub fn of_a_waiting_caller() -> Self {
        let mut scene = Self::of_a_caller();
        scene.order(Order::Play { sound: Sound::QueueMusic, then_hang_up: false });
        scene.customer_does(Peer::Acknowledged(None));
        scene
    }

    /// Talks with an agent at the softphone, recorded.
    pub fn of_a_conversation() -> Self {
        let mut scene = Self::of_a_waiting_caller();
        scene.order(Order::RingSoftphone { ring: ring(1), softphone: Some(softphone()) });
        scene.connect(false);
        scene.forget();
        scene
    }

    /// Talks with an agent at a SIP phone, recorded.
    pub fn of_a_conversation_by_phone() -> Self {
        let mut scene = Self::of_a_waiting_caller();
        scene.ring_phones(1, &[1]);
        scene.phone_does(1, picked_up(sdp("192.0.2.20", "sendrecv", 1)));
        scene.connect(false);
        scene.forget();
        scene
    }

    pub fn does(&mut self, input: Input) {
        let outputs = self.call.handle(input, self.now);
        self.carry_out(outputs);
    }
    pub fn order(&mut self, order: Order) {
        self.does(Input::Order(order));
    }
    pub fn customer_does(&mut self, event: Peer) {
        self.does(Input::Customer(event));
    }
    pub fn phone_does(&mut self, branch: u32, event: PhoneEvent) {
        if matches!(
            event,
            PhoneEvent::Full
                | PhoneEvent::Refused(_)
                | PhoneEvent::Unreachable(_)
                | PhoneEvent::Peer(Peer::Bye)
        ) {
            self.live.remove(&Branch(branch));
        }
        // A trunk whose answer was taken is the customer's side from here on.
        if matches!(event, PhoneEvent::Answered { .. }) && self.call.dials(Branch(branch)) {
            self.live.remove(&Branch(branch));
        }
        self.does(Input::Phone(Branch(branch), event));
    }
    pub fn ring_phones(&mut self, token: u64, branches: &[u32]) {
        self.order(Order::RingPhones(Box::new(RingPhones {
            ring: ring(token),
            leg: phone_leg(),
            branches: branches.iter().copied().map(Branch).collect(),
            srtp: SrtpPolicy::Accept,
            seed: KeySeed::new([2; 32]),
            session: 2,
        })));
    }
    /// Dials an agent's phone outside over trunks of these branches.
    pub fn ring_number(&mut self, token: u64, branches: &[u32]) {
        let attempts = branches.iter().copied().map(Self::attempt).collect();
        let confirm = vec!["press-one".to_owned(), "pause".to_owned()];
        self.order(Order::RingNumber(Box::new(RingNumber { ring: ring(token), attempts, confirm })));
    }
    pub fn connect(&mut self, announce: bool) {
        let record = Some(recording());
        let (agent, softphone, half) = (agent(), Some(softphone()), half());
        self.order(Order::Connect(Connect { agent, softphone, half, record, announce }));
    }
    pub fn offer(&mut self, id: u32, sdp: Option<String>) {
        self.customer_does(Peer::Offer { id: RequestId(id), sdp });
    }

    /// Time passes; deadlines are met one by one.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        for _ in 0..10_000 {
            let next = self.call.next_deadline();
            if next > until {
                break;
            }
            self.now = self.now.max(next);
            self.does(Input::Tick);
        }
        self.now = until;
    }

    /// Forgets what was said until now.
    pub fn forget(&mut self) {
        self.facts.clear();
        self.customer.clear();
        self.phones.clear();
        self.media.clear();
    }

    pub fn ended(&self) -> Option<(model::interaction::EndedBy, Option<&str>)> {
        self.facts.iter().find_map(|f| match f {
            CallFact::Ended { by, failure, .. } => Some((*by, failure.as_deref())),
            _ => None,
        })
    }

    /// What was said to the desk, without its details.
    pub fn told(&self) -> Vec<String> {
        let word = |f: &CallFact| format!("{f:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
        self.facts.iter().map(word).collect()
    }

    /// The status of the last answer to the customer's side.
    pub fn status(&self) -> Option<u16> {
        self.customer.iter().rev().find_map(|o| match o {
            PeerOrder::Refuse { status, .. } => Some(*status),
            PeerOrder::Reply(answered) => Some(answered.status),
            PeerOrder::Answer { .. } => Some(200),
            PeerOrder::Ring => Some(180),
            PeerOrder::Bye { .. } | PeerOrder::Renew | PeerOrder::Notify { .. } => None,
        })
    }

    /// The description sent last to the customer's side.
    pub fn said_to_customer(&self) -> String {
        let last = self.customer.iter().rev().find_map(|o| match o {
            PeerOrder::Reply(answered) => answered.sdp.clone(),
            PeerOrder::Answer { sdp } => Some(sdp.clone()),
            _ => None,
        });
        last.unwrap_or_default()
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        let mut done = std::collections::VecDeque::new();
        let mut outputs = std::collections::VecDeque::from(outputs);
        loop {
            while let Some(output) = outputs.pop_front() {
                match output {
                    Output::AskFor(..)
                    | Output::Hand(_)
                    | Output::Keep(_)
                    | Output::Taken
                    | Output::GiveBack(_) => {
                        unreachable!("there is no other call here")
                    }
                    Output::Fact(fact) => {
                        assert!(self.ended().is_none(), "{fact:?} after the end");
                        self.facts.push(fact);
                    }
                    Output::Silent(trunk) => self.silent.push(trunk),
                    Output::Customer(order) => self.customer.push(order),
                    Output::Phone(branch, order) => {
                        match order {
                            PhoneOrder::Reach | PhoneOrder::Invite { .. } => drop(self.live.insert(branch)),
                            PhoneOrder::End => drop(self.live.remove(&branch)),
                            PhoneOrder::Reply(_) | PhoneOrder::Renew | PhoneOrder::Notify { .. } => {}
                        }
                        self.phones.push((branch, order));
                    }
                    Output::Media(order) => {
                        let result = self.plane(&order);
                        done.push_back((order.step(), result));
                        self.media.push(order);
                    }
                }
            }
            let Some((step, result)) = done.pop_front() else { return };
            outputs.extend(self.call.handle(Input::Done(step, result), self.now));
        }
    }

    /// The media plane of paper: it knows which legs there are.
    fn plane(&mut self, order: &MediaOrder) -> Result<Answer, MediaError> {
        if let Some(error) = (self.refuses)(order) {
            return Err(error);
        }
        let there = |leg: &LegId| self.legs.contains(leg).then_some(()).ok_or(MediaError::NoSuchLeg(*leg));
        match order {
            MediaOrder::Create { leg, .. } => {
                if !self.legs.insert(*leg) {
                    return Err(MediaError::LegExists(*leg));
                }
                let rtp = "192.0.2.1:30000".parse().expect("an address");
                let rtcp = "192.0.2.1:30001".parse().expect("an address");
                Ok(Answer::Created(LegCreated { rtp, rtcp, ice: None }))
            }
            MediaOrder::Configure { leg, .. }
            | MediaOrder::Hear { leg, .. }
            | MediaOrder::StopHearing { leg, .. }
            | MediaOrder::Mute { leg, .. }
            | MediaOrder::SendDigits { leg, .. }
            | MediaOrder::Tap { leg, .. } => there(leg).map(|()| Answer::Done),
            MediaOrder::Measure(leg) => {
                there(leg)?;
                self.packets = 0;
                Ok(Answer::Done)
            }
            MediaOrder::Bridge { a, b } => there(a).and(there(b)).map(|()| Answer::Done),
            MediaOrder::StartRecording(_)
            | MediaOrder::PauseRecording { .. }
            | MediaOrder::Untap { .. }
            | MediaOrder::Room(_)
            | MediaOrder::TapRoom { .. } => Ok(Answer::Done),
            MediaOrder::StopRecording(_) => Ok(Answer::Recorded { frames: 1, missing: 0 }),
            MediaOrder::Stats(leg) | MediaOrder::Delete(leg) => {
                there(leg)?;
                if matches!(order, MediaOrder::Delete(_)) {
                    self.legs.remove(leg);
                }
                self.packets += 100;
                let received = StreamStats { packets: self.packets, ..StreamStats::default() };
                Ok(Answer::Stats(Box::new(LegStats { received, ..LegStats::default() })))
            }
        }
    }
}
