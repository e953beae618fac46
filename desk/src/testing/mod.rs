//! A small contact centre for tests: real SQLite in a folder, a clock that stands still, signalling in the test's hands.
//!
//! There is one service, "Help" under the number 100, and it asks for the skill "German". Anna and Ben have it, Cleo
//! has not; Sue supervises, Adam administers. Everybody's password is [`PASSWORD`].
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a test that cannot go on stops here")]

mod finisher;
mod furniture;
mod page;
mod speaking;
mod systems;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::call::{CallFact, CallOrder, Source};
use model::flow::Flow;
use model::id::{FlowId, Id, InteractionId, LegId, NumberId, OfferToken, TrunkId, UserId};
use model::interaction::EndedBy;
use model::journal::{Event, Seq};
use model::service::{Number, SrtpPolicy, Trunk};
use model::time::Timestamp;
use prometheus::Registry;
use store::{Journal, JournalConfig, Store};
use tempfile::TempDir;
use tokio::sync::mpsc;

pub use self::finisher::FakeFinisher;
pub use self::furniture::*;
use self::furniture::{furnish, open_store};
pub use self::page::Page;
pub use self::speaking::FakeSpeaking;
pub use self::systems::FakeSystems;
use crate::auth::password::Cost;
use crate::auth::{AuthConfig, Credentials, Identity};
use crate::clock::ManualClock;
use crate::console::protocol::Command;
use crate::past::Past;
use crate::start::{Desk, DeskConfig, DeskHandle, Parts, SoundNames};

/// Sounds that flows may play.
pub const SOUNDS: [&str; 7] =
    ["welcome", "choose", "goodbye", "position-before", "position-after", "wait-before", "wait-under-minute"];
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// How long a test waits for what must come: far longer than it takes.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The contact centre.
pub struct House {
    /// The desk under test.
    pub desk: DeskHandle,
    /// Its clock.
    pub clock: ManualClock,
    /// Its figures.
    pub registry: Registry,
    /// Its recordings.
    pub finisher: Arc<FakeFinisher>,
    /// What its flows ask.
    pub systems: Arc<FakeSystems>,
    /// Sounds that lie ready.
    pub speaking: Arc<FakeSpeaking>,
    /// Its store.
    pub store: Store,
    orders: mpsc::Receiver<CallOrder>,
    facts: mpsc::Sender<CallFact>,
    folder: TempDir,
    calls: u64,
}

impl House {
    /// The house as described above.
    pub async fn open() -> Self {
        Self::open_with(Setup::default()).await
    }

    /// The house with other rules.
    pub async fn open_with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_store(folder.path()).await;
        furnish(&store, &setup).await;
        let clock = ManualClock::at(Timestamp::from_millis(1_795_255_200_000));
        let house = Self::start(folder, store, clock, Arc::default(), 0, setup.phone_missing_max).await;
        for user in [anna(), ben(), cleo(), sue(), adam()] {
            house.desk.set_password(user, PASSWORD, crate::audit::Actor::default()).await.unwrap();
        }
        house
    }

    /// Kills the process and starts it again over the same files.
    pub async fn crash(self) -> Self {
        let Self { desk, clock, finisher, store, orders, facts, folder, calls, .. } = self;
        // Nothing is closed in an orderly way; only the writer's file locks have to go before the next start.
        drop((facts, orders));
        let phone_missing_max = desk.0.config.phone_missing_max;
        desk.journal().close().await;
        drop(desk);
        store.close().await;
        let store = open_store(folder.path()).await;
        Self::start(folder, store, clock, finisher, calls, phone_missing_max).await
    }

    async fn start(
        folder: TempDir,
        store: Store,
        clock: ManualClock,
        finisher: Arc<FakeFinisher>,
        calls: u64,
        phone_missing_max: Option<Duration>,
    ) -> Self {
        let journal = Journal::open(&store, JournalConfig::at(folder.path().join("spool"))).await.unwrap();
        let (orders_sender, orders) = mpsc::channel(1_024);
        let (facts, facts_receiver) = mpsc::channel(1_024);
        let registry = Registry::new();
        let systems = Arc::<FakeSystems>::default();
        let speaking = Arc::<FakeSpeaking>::default();
        let auth = AuthConfig { cost: Cost::TEST, ..AuthConfig::default() };
        let config = DeskConfig {
            tenant: tenant(),
            realm: "test".into(),
            phone_srtp: SrtpPolicy::Accept,
            phone_missing_max,
            auth,
            language: flow::Language::English,
            sounds: SoundNames(Arc::new(|| SOUNDS.map(str::to_owned).to_vec())),
        };
        let parts = Parts {
            store: store.clone(),
            journal,
            orders: orders_sender,
            facts: facts_receiver,
            finisher: finisher.clone(),
            systems: systems.clone(),
            speaking: speaking.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(dice()),
            registry: registry.clone(),
        };
        let desk = Desk::start(config, parts).await.unwrap();
        Self { desk, clock, registry, finisher, systems, speaking, store, orders, facts, folder, calls }
    }

    /// The time by its clock.
    pub fn clock_now(&self) -> Timestamp {
        self.desk.now()
    }

    /// The folder that everything lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Signs somebody in, ending a live session.
    pub async fn sign_in(&self, login: &str) -> Identity {
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let credentials = Credentials { login: login.into(), password: PASSWORD.into(), force: true, source };
        self.desk.sign_in(credentials).await.unwrap().identity
    }

    /// Signs somebody in and opens a page.
    pub async fn page(&self, login: &str) -> Page {
        let who = self.sign_in(login).await;
        Page::attach(&self.desk, &who, None).await
    }

    /// Makes a trunk that calls can go out over, [`trunk_out`].
    pub async fn opens_a_trunk(&self) {
        let carrier = Trunk {
            id: trunk_out(),
            tenant: tenant(),
            name: "out".into(),
            addresses: vec![],
            username: None,
            target: Some("192.0.2.1".into()),
            account: None,
            registers: false,
            calls_max: 10,
            srtp: SrtpPolicy::Accept,
        };
        self.desk.create(carrier, crate::audit::Actor::default()).await.unwrap();
    }

    /// Makes a flow, and a number that leads to it: for the service of [`help`].
    pub async fn answers_with_flow(&self, digits: &str, text: &str) {
        let (id, tenant) = (FlowId::from_number(1), tenant());
        let name = text.split('"').nth(1).unwrap().to_owned();
        let mut flow = Flow { id, tenant, name, active: None, versions: vec![] };
        flow.active = Some(flow.save(text.to_owned()));
        self.desk.create(flow, crate::audit::Actor::default()).await.unwrap();
        let id = NumberId::from_number(2);
        let number = Number {
            id,
            tenant,
            digits: digits.to_owned(),
            service: help(),
            flow: Some(FlowId::from_number(1)),
        };
        self.desk.create(number, crate::audit::Actor::default()).await.unwrap();
    }

    /// Whoever decides the day again from its journal decides the same.
    pub async fn decided_again(&self) {
        self.settled().await;
        let past = Past::of(&self.store, tenant());
        let all = past.decide_again(Timestamp::from_millis(0), Timestamp::NEVER).await.unwrap();
        assert_eq!(all.difference, None);
    }

    /// Signalling tells something.
    pub async fn fact(&self, fact: CallFact) {
        self.facts.send(fact).await.unwrap();
    }

    /// A customer calls a number.
    pub async fn customer_calls(&mut self, contact: &str) -> InteractionId {
        self.calls += 1;
        let interaction = InteractionId::from_number(1_000 + self.calls);
        self.fact(CallFact::Incoming {
            interaction,
            tenant: tenant(),
            from: Source::Trunk { trunk: TrunkId::from_number(1) },
            caller: "+4930123456".into(),
            caller_name: Some("Erika Muster".into()),
            contact: contact.into(),
        })
        .await;
        interaction
    }

    /// The call is over.
    pub async fn call_ends(&self, interaction: InteractionId, by: EndedBy) {
        self.fact(CallFact::Ended { interaction, by, failure: None }).await;
    }

    /// Customer and agent hear each other.
    pub async fn bridged(&self, interaction: InteractionId, agent: UserId) {
        self.fact(CallFact::Bridged { interaction, agent }).await;
    }

    /// The next order that `wanted` knows; others before it are passed over.
    pub async fn order<T>(&mut self, mut wanted: impl FnMut(&CallOrder) -> Option<T>) -> T {
        let look = async {
            loop {
                let order = self.orders.recv().await.expect("the desk is gone");
                if let Some(found) = wanted(&order) {
                    return found;
                }
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("the order did not come")
    }

    /// The next order, whatever it is.
    pub async fn next_order(&mut self) -> CallOrder {
        self.order(|order| Some(order.clone())).await
    }

    /// Orders that are there now.
    pub fn orders_so_far(&mut self) -> Vec<CallOrder> {
        std::iter::from_fn(|| self.orders.try_recv().ok()).collect()
    }

    /// Who is rung for a call next, under which lease.
    pub async fn rung(&mut self, call: InteractionId) -> (UserId, OfferToken) {
        self.order(|order| match order {
            CallOrder::RingAgent { interaction, token, agent, .. } if *interaction == call => {
                Some((*agent, *token))
            }
            _ => None,
        })
        .await
    }

    /// Time passes, and the desk has noticed.
    pub async fn pass(&self, time: Duration) {
        self.settled().await;
        self.clock.advance(time);
        self.settled().await;
    }

    /// The desk has done all it was told so far.
    pub async fn settled(&self) {
        // Twice: what the first round caused is done in the second.
        for _ in 0..2 {
            self.desk.queues().await.unwrap();
        }
    }

    /// Waits until something is so that happens beside the floor's task.
    pub async fn eventually(&self, so: impl AsyncFn(&Self) -> bool) {
        let look = async {
            while !so(self).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("it never came to be so");
    }

    /// The journal's events so far.
    pub async fn journal(&self) -> Vec<Event> {
        self.settled().await;
        let entries = self.desk.journal().read(tenant(), Seq(1), 10_000).await.unwrap();
        entries.into_iter().map(|entry| entry.event).collect()
    }

    /// A call that Anna talks on: offered, accepted, bridged.
    pub async fn talking(&mut self, page: &mut Page) -> InteractionId {
        let call = self.customer_calls("100").await;
        self.talking_to(page, call).await;
        call
    }

    /// Whoever is rung for a call accepts it on this page and talks; what the page shows of it then.
    pub async fn talking_to(&mut self, page: &mut Page, call: InteractionId) -> serde_json::Value {
        let (agent, token) = self.rung(call).await;
        page.does(Command::Accept { offer: token }).await.unwrap();
        let recording = self
            .order(|order| match order {
                CallOrder::Connect { interaction, record, .. } if *interaction == call => Some(*record),
                _ => None,
            })
            .await;
        if let Some(recording) = recording {
            self.fact(CallFact::RecordingStarted { interaction: call, recording }).await;
        }
        self.bridged(call, agent).await;
        page.event("work", |event| event["work"]["phase"] == "talking").await
    }

    /// A leg that nobody has seen before.
    pub fn leg(&self) -> LegId {
        self.desk.sources().id()
    }
}

/// What signalling is given for a user name and password: HA1 with MD5 and with SHA-256.
pub fn digest(username: &str, realm: &str, password: &str) -> (String, String) {
    let secret = store::secrets::DigestSecret::derive(username, realm, password);
    (secret.ha1_md5().to_owned(), secret.ha1_sha256().to_owned())
}

/// Random-looking bytes that are the same in every run, and never the same twice in one.
fn dice() -> impl Fn(&mut [u8]) + Send + Sync {
    use rand::{Rng as _, SeedableRng as _};
    // Process-wide: a restarted house must not throw the same dice again.
    static THROWN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let seed = THROWN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let dice = Mutex::new(rand::rngs::StdRng::seed_from_u64(seed));
    move |bytes: &mut [u8]| dice.lock().unwrap().fill_bytes(bytes)
}
