//! A small contact centre for tests: real SQLite in a folder, a clock that stands still, signalling in the test's hands.
//!
//! There is one service, "Help" under the number 100, and it asks for the skill "German". Anna and Ben have it, Cleo
//! has not; Sue supervises, Adam administers. Everybody's password is [`PASSWORD`].
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a test that cannot go on stops here")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use model::agent::Reason;
use model::call::{CallFact, CallOrder};
use model::id::{
    DispositionId, GroupId, Id, InteractionId, LegId, NumberId, OfferToken, ReasonId, RecordingId, ServiceId,
    SkillId, TenantId, TrunkId, UserId,
};
use model::interaction::EndedBy;
use model::journal::{Event, Seq};
use model::people::{Group, GroupRules, PhoneKind, RestState, Role, Tenant, User};
use model::service::{Disposition, Number, QueueRules, Service, Skill};
use model::skill::{Level, Requirement, SkillExpr};
use model::time::Timestamp;
use prometheus::Registry;
use serde_json::Value;
use store::{Journal, JournalConfig, Store};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::auth::password::Cost;
use crate::auth::{AuthConfig, Credentials, Identity};
use crate::clock::ManualClock;
use crate::console::outbox::{OutboxReader, outbox};
use crate::console::protocol::Command;
use crate::recording::{AudioFormat, Finished, Peaks, RecordingError, RecordingFinisher};
use crate::refusal::Refusal;
use crate::start::{Desk, DeskConfig, DeskHandle, Parts};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// How long a test waits for what must come: far longer than it takes.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// The only tenant.
pub fn tenant() -> TenantId {
    TenantId::from_number(1)
}
/// The service "Help".
pub fn help() -> ServiceId {
    ServiceId::from_number(1)
}
/// The skill that "Help" asks for.
pub fn german() -> SkillId {
    SkillId::from_number(1)
}
/// The reason "Lunch".
pub fn lunch() -> ReasonId {
    ReasonId::from_number(1)
}
/// The disposition "Solved" of "Help".
pub fn solved() -> DispositionId {
    DispositionId::from_number(1)
}
/// Everybody's group.
pub fn team() -> GroupId {
    GroupId::from_number(1)
}
/// Has the skill.
pub fn anna() -> UserId {
    UserId::from_number(1)
}
/// Has the skill, less of it.
pub fn ben() -> UserId {
    UserId::from_number(2)
}
/// Has no skill.
pub fn cleo() -> UserId {
    UserId::from_number(3)
}
/// Supervises.
pub fn sue() -> UserId {
    UserId::from_number(4)
}
/// Administers.
pub fn adam() -> UserId {
    UserId::from_number(5)
}

/// What may be different from test to test.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Rules of the team.
    pub rules: GroupRules,
    /// Rules of the queue.
    pub queue: QueueRules,
    /// Whether dispositions are mandatory.
    pub mandatory: bool,
    /// Whether the service is open.
    pub open: bool,
    /// Everybody's phone.
    pub phone: PhoneKind,
}

impl Default for Setup {
    /// Ready after sign-in, everything else as it comes.
    fn default() -> Self {
        Self {
            rules: GroupRules { after_login: RestState::Ready, ..GroupRules::default() },
            queue: QueueRules::default(),
            mandatory: false,
            open: true,
            phone: PhoneKind::Browser,
        }
    }
}

/// Finishes recordings without any audio.
#[derive(Default)]
pub struct FakeFinisher {
    /// What was asked to be finished.
    pub finished: Mutex<Vec<RecordingId>>,
    /// Containers that a crash left.
    pub left: Mutex<Vec<(RecordingId, InteractionId)>>,
    /// A file that every recording is served from.
    pub file: Mutex<Option<PathBuf>>,
    /// Every finishing fails with this.
    pub broken: Mutex<Option<RecordingError>>,
}

#[async_trait]
impl RecordingFinisher for FakeFinisher {
    async fn finish(&self, recording: RecordingId) -> Result<Finished, RecordingError> {
        self.finished.lock().unwrap().push(recording);
        if let Some(error) = self.broken.lock().unwrap().clone() {
            return Err(error);
        }
        let files = vec![format!("{recording}.opus")];
        Ok(Finished { length: Duration::from_secs(7), complete: true, files, bytes: 7_000 })
    }
    async fn file(&self, recording: RecordingId, _: AudioFormat) -> Result<PathBuf, RecordingError> {
        self.file.lock().unwrap().clone().ok_or(RecordingError::Missing(recording))
    }
    async fn peaks(&self, _: RecordingId) -> Result<Peaks, RecordingError> {
        Ok(Peaks { length_ms: 7_000, left: vec![0.5, 0.25], right: vec![0.0, 1.0] })
    }
    async fn unfinished(&self) -> Result<Vec<(RecordingId, InteractionId)>, RecordingError> {
        Ok(self.left.lock().unwrap().clone())
    }
}

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
        let house = Self::start(folder, store, clock, Arc::default(), 0).await;
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
        desk.journal().close().await;
        drop(desk);
        store.close().await;
        let store = open_store(folder.path()).await;
        Self::start(folder, store, clock, finisher, calls).await
    }

    async fn start(
        folder: TempDir,
        store: Store,
        clock: ManualClock,
        finisher: Arc<FakeFinisher>,
        calls: u64,
    ) -> Self {
        let journal = Journal::open(&store, JournalConfig::at(folder.path().join("spool"))).await.unwrap();
        let (orders_sender, orders) = mpsc::channel(1_024);
        let (facts, facts_receiver) = mpsc::channel(1_024);
        let registry = Registry::new();
        let auth = AuthConfig { cost: Cost::TEST, ..AuthConfig::default() };
        let config = DeskConfig { tenant: tenant(), realm: "test".into(), auth };
        let parts = Parts {
            store: store.clone(),
            journal,
            orders: orders_sender,
            facts: facts_receiver,
            finisher: finisher.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(dice()),
            registry: registry.clone(),
        };
        let desk = Desk::start(config, parts).await.unwrap();
        Self { desk, clock, registry, finisher, store, orders, facts, folder, calls }
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
            trunk: TrunkId::from_number(1),
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
        page.event("work", |event| event["work"]["phase"] == "talking").await;
        call
    }

    /// A leg that nobody has seen before.
    pub fn leg(&self) -> LegId {
        self.desk.sources().id()
    }
}

/// A console page.
pub struct Page {
    /// Who sits before it.
    pub who: Identity,
    /// The first frame.
    pub welcome: Value,
    desk: DeskHandle,
    frames: OutboxReader,
    last: u64,
}

impl Page {
    /// Opens a page of a session.
    pub async fn attach(desk: &DeskHandle, who: &Identity, after: Option<u64>) -> Self {
        let (page, frames) = outbox();
        desk.attach(who, after, page).await.unwrap();
        let mut page = Self {
            who: who.clone(),
            welcome: Value::Null,
            desk: desk.clone(),
            frames,
            last: after.unwrap_or(0),
        };
        page.welcome = page.frame().await.expect("a welcome");
        assert_eq!(page.welcome["event"], "welcome");
        if page.welcome.get("snapshot").is_some() {
            page.last = page.welcome["seq"].as_u64().unwrap();
        }
        page
    }

    /// The next frame; `None` when the desk let go of the page.
    pub async fn frame(&mut self) -> Option<Value> {
        let frame = tokio::time::timeout(PATIENCE, self.frames.next()).await.expect("a frame");
        let frame = frame?;
        self.frames.written(&frame);
        Some(serde_json::from_str(&frame).unwrap())
    }

    /// The next event of this name that fits; numbers are checked to have no gap on the way.
    pub async fn event(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let frame =
                self.frame().await.unwrap_or_else(|| panic!("the page was let go before `{name}` came"));
            if let Some(seq) = frame["seq"].as_u64().filter(|_| frame["event"] != "welcome") {
                assert_eq!(seq, self.last + 1, "a gap before {frame}");
                self.last = seq;
            }
            if frame["event"] == name && fits(&frame) {
                return frame;
            }
        }
    }

    /// The banner of a code.
    pub async fn banner(&mut self, code: &str) -> Value {
        self.event("banner", |event| event["code"] == code).await
    }

    /// The own state, once it is this one.
    pub async fn state(&mut self, state: &str) -> Value {
        self.event("me", |event| event["agent"]["state"]["state"] == state).await
    }

    /// The page asks for something.
    pub async fn does(&self, command: Command) -> Result<(), Refusal> {
        self.desk.command(self.who.user.id, self.who.session, command).await
    }

    /// The page is closed, as browsers close: without a word.
    pub async fn closes(self) -> u64 {
        let Self { frames, who, desk, last, .. } = self;
        drop(frames);
        desk.detached(who.user.id).await;
        last
    }

    /// The last event the page has seen.
    pub fn last_seen(&self) -> u64 {
        self.last
    }
}

async fn open_store(folder: &Path) -> Store {
    Store::open(&format!("sqlite://{}", folder.join("patchbay.db").display())).await.unwrap()
}

async fn furnish(store: &Store, setup: &Setup) {
    let tenant = tenant();
    store.tenants().insert_tenant(&Tenant { id: tenant, name: "Example".into() }).await.unwrap();
    store.skills().insert(&Skill { id: german(), tenant, name: "German".into() }).await.unwrap();
    let group = Group { id: team(), tenant, name: "Team".into(), rules: setup.rules.clone() };
    store.groups().insert(&group).await.unwrap();
    let reason = Reason { id: lunch(), tenant, name: "Lunch".into(), icon: "lunch".into() };
    store.reasons().insert(&reason).await.unwrap();
    let who = SkillExpr::AtLeast { skill: german(), level: Level::MIN };
    let service = Service {
        id: help(),
        tenant,
        name: "Help".into(),
        requirement: Requirement::fixed(who),
        queue: setup.queue.clone(),
        disposition_mandatory: setup.mandatory,
        record: true,
        open: setup.open,
    };
    store.services().insert(&service).await.unwrap();
    let disposition = Disposition {
        id: solved(),
        tenant,
        service: help(),
        name: "Solved".into(),
        success: true,
        closing: true,
    };
    store.dispositions().insert(&disposition).await.unwrap();
    let number = Number { id: NumberId::from_number(1), tenant, digits: "100".into(), service: help() };
    store.numbers().insert(&number).await.unwrap();
    for (id, login, role, level) in [
        (anna(), "anna", Role::Agent, Some(9)),
        (ben(), "ben", Role::Agent, Some(3)),
        (cleo(), "cleo", Role::Agent, None),
        (sue(), "sue", Role::Supervisor, None),
        (adam(), "adam", Role::Administrator, None),
    ] {
        let level = level.and_then(Level::new);
        let user = User {
            id,
            tenant,
            login: login.into(),
            name: login.to_uppercase(),
            email: None,
            extension: Some(format!("20{}", &id.to_string()[id.to_string().len() - 1..])),
            role,
            group: Some(team()),
            skills: level.map(|level| BTreeMap::from([(german(), level)])).unwrap_or_default(),
            phone: setup.phone,
            disabled: false,
        };
        store.users().insert(&user).await.unwrap();
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
