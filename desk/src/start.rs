//! The desk as a whole: what it is started with, and the handle that remains.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use model::call::{CallConfig, CallFact, CallOrder};
use model::id::{InteractionId, KeyId, SessionId, TenantId, UserId};
use model::journal::Event;
use model::people::Privilege;
use model::service::SrtpPolicy;
use model::time::Timestamp;
use prometheus::Registry;
use store::journal::HealthState;
use store::{Journal, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::audit::{Actor, Audit};
use crate::auth::password::PasswordError;
use crate::auth::{Auth, AuthConfig, Credentials, Identity, SharedAuth, SignedIn};
use crate::clock::{Clock, Entropy, Sources};
use crate::configuration::Configuration;
use crate::console::Consoles;
use crate::console::outbox::Outbox;
use crate::console::protocol::{AgentView, Command, HelpView, QueueView, Snapshot};
use crate::floor::core::Core;
use crate::floor::recovery::recover;
use crate::floor::request::{Attach, Request};
use crate::floor::service::{MAILBOX, Service, State};
use crate::floor::views::CallView;
use crate::greetings::{Held, Speaking, make_ready};
use crate::metrics::{self, Metrics};
use crate::recording::{RecordingFinisher, start_workers};
use crate::recording_rows::RecordingRows;
use crate::refusal::Refusal;
use crate::systems::{Asking, Systems};

/// What a desk decides by.
#[derive(Clone, Debug)]
pub struct DeskConfig {
    /// Whose desk it is.
    pub tenant: TenantId,
    /// Digest realm of trunks and phones. Changing it makes all their secrets worthless.
    pub realm: String,
    /// Encryption of phones' media.
    pub phone_srtp: SrtpPolicy,
    /// Agents whose phone cannot be reached for so long are signed out (CONN-12); `None`: never.
    pub phone_missing_max: Option<Duration>,
    /// How long sessions live, and the cost of passwords.
    pub auth: AuthConfig,
    /// Names of the sounds that flows may play; asked whenever the configuration is read.
    pub sounds: SoundNames,
    /// The language of the announcements: what numbers are spoken in.
    pub language: flow::Language,
}

/// Tells the names of the sounds that flows may play.
#[derive(Clone)]
pub struct SoundNames(pub Arc<dyn Fn() -> Vec<String> + Send + Sync>);

impl SoundNames {
    pub(crate) fn now(&self) -> Vec<String> {
        (self.0)()
    }
}

impl std::fmt::Debug for SoundNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SoundNames")
    }
}

/// What a desk works with.
pub struct Parts {
    /// What is remembered.
    pub store: Store,
    /// What happened.
    pub journal: Journal,
    /// To signalling.
    pub orders: mpsc::Sender<CallOrder>,
    /// From signalling.
    pub facts: mpsc::Receiver<CallFact>,
    /// Makes recordings playable.
    pub finisher: Arc<dyn RecordingFinisher>,
    /// Asks systems of the operator for flows.
    pub systems: Arc<dyn Systems>,
    /// Makes sounds of what people speak.
    pub speaking: Arc<dyn Speaking>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The chance.
    pub entropy: Arc<dyn Entropy>,
    /// Where figures are registered.
    pub registry: Registry,
}

/// Why a desk could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored configuration cannot be used by the floor.
    #[error("the stored configuration cannot be used")]
    Config(#[from] router::ConfigError),
    /// A figure is registered twice: two desks share a registry.
    #[error("metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// The password hash does not work.
    #[error(transparent)]
    Password(#[from] PasswordError),
}

/// The desk of a tenant.
pub struct Desk;

impl Desk {
    /// Ends what the last run left open, and takes up work. Must be called within a tokio runtime.
    pub async fn start(config: DeskConfig, parts: Parts) -> Result<DeskHandle, StartError> {
        let Parts { store, journal, orders, facts, finisher, systems, speaking, clock, entropy, registry } =
            parts;
        let sources = Sources { clock: clock.clone(), entropy };
        let tenant = config.tenant;
        let metrics = Arc::new(Metrics::new(&registry)?);
        metrics::start_time(&registry, sources.now())?;
        let auth: SharedAuth = Arc::new(Auth::new(tenant, store.clone(), sources.clone(), config.auth)?);
        let now = sources.now();
        let configuration = Configuration::load(&store, tenant).await?;
        let configuration = configuration.with_flows(config.sounds.now(), config.language, systems.askable());
        let configuration = Arc::new(configuration.with_hours(now));
        let generation = crate::past::keep(&store, tenant, &configuration, now).await;
        let mut recovered = recover(tenant, &store, &journal, &configuration, &*finisher, now).await?;
        recovered.events.insert(0, Event::Configured { generation, started: true });
        if recovered.events.len() > 1 {
            tracing::info!(events = recovered.events.len() - 1, "the last run is accounted for");
        }
        // The receipt is not waited for: while the database is away the journal keeps the events.
        if let Err(error) = journal.append(tenant, recovered.events, now) {
            tracing::error!(%error, "the end of the last run could not be written");
        }
        let (outcomes_sender, outcomes) = mpsc::channel(64);
        let (asking, replies) =
            Asking::new((tenant, store.clone()), systems.clone(), clock.clone(), metrics.clone());
        let jobs = start_workers(finisher.clone(), clock, outcomes_sender);
        for job in recovered.jobs {
            metrics.recordings_pending.inc();
            if jobs.try_send(job).is_err() {
                metrics.recordings_pending.dec();
                tracing::error!(recording = %job.recording, "too many recordings wait to be finished");
            }
        }
        let calls = configuration.calls(&store, &config.realm, config.phone_srtp).await?;
        let (mailbox, requests) = mpsc::channel(MAILBOX);
        let mut core = Core::new(tenant, sources.clone(), configuration.clone(), recovered.floor);
        // An agent who had chats has as long to come back as after a lost connection.
        let mut consoles = Consoles::default();
        core.go_on_with_written(recovered.written);
        for (agent, (session, _)) in &recovered.returning {
            if core.has_open_written(*agent) {
                consoles.expect(*agent, *session, now);
            }
        }
        core.expect_back(recovered.returning);
        core.leave_alone(recovered.left_alone);
        core.go_on_with(recovered.figures);
        core.take_up_callbacks(recovered.callbacks, now);
        core.began_with(generation);
        let rows = RecordingRows::start(tenant, store.clone(), sources.clone());
        let service = Service {
            tenant,
            sources: sources.clone(),
            core,
            consoles,
            journal: journal.clone(),
            auth: auth.clone(),
            metrics: metrics.clone(),
            requests,
            mailbox: mailbox.downgrade(),
            phone_missing_max: config.phone_missing_max,
            facts,
            orders,
            jobs,
            outcomes,
            asking,
            replies,
            rows,
            store: store.clone(),
            state: State::default(),
        };
        let task = tokio::spawn(service.run());
        let handle = DeskHandle(Arc::new(Inner {
            config,
            audit: Audit::new(tenant, store.clone(), sources.clone()),
            configuration: ArcSwap::new(configuration.clone()),
            reconfiguring: tokio::sync::Mutex::new(()),
            importing: tokio::sync::Mutex::new(()),
            store,
            journal,
            sources,
            auth,
            metrics,
            finisher,
            systems,
            speaking,
            greeting: tokio::sync::Mutex::new(()),
            held_greetings: Held::default(),
            looking_back: tokio::sync::Mutex::new(()),
            mailbox,
            task,
        }));
        handle.configure(configuration, calls).await;
        crate::erasing::resume(&handle.0);
        crate::erasing::keep_only_as_long(&handle.0);
        crate::hours::keep(&handle.0);
        // A second of a processor each: until one is ready its callers hear the greeting of the house.
        let desk = handle.0.clone();
        tokio::spawn(async move { make_ready(&desk).await });
        Ok(handle)
    }
}

/// What remains in the hands of the API. Cheap to clone.
#[derive(Clone)]
pub struct DeskHandle(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub config: DeskConfig,
    pub store: Store,
    pub journal: Journal,
    pub sources: Sources,
    pub auth: SharedAuth,
    pub audit: Audit,
    pub metrics: Arc<Metrics>,
    pub finisher: Arc<dyn RecordingFinisher>,
    pub systems: Arc<dyn Systems>,
    pub speaking: Arc<dyn Speaking>,
    /// One greeting is changed at a time: how many somebody has is looked up first.
    pub greeting: tokio::sync::Mutex<()>,
    pub held_greetings: Held,
    pub configuration: ArcSwap<Configuration>,
    /// Two changes at once must not overtake each other on the way to the floor.
    pub reconfiguring: tokio::sync::Mutex<()>,
    /// One table is imported at a time.
    pub importing: tokio::sync::Mutex<()>,
    /// Folding a journal takes a second of a processor: one at a time.
    pub looking_back: tokio::sync::Mutex<()>,
    pub(crate) mailbox: mpsc::Sender<Request>,
    task: tokio::task::JoinHandle<()>,
}

impl DeskHandle {
    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.0.config.tenant
    }
    /// The time by the desk's clock.
    pub fn now(&self) -> Timestamp {
        self.0.sources.now()
    }
    /// Clock and randomness.
    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }
    /// The audit log.
    pub fn audit(&self) -> &Audit {
        &self.0.audit
    }
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }
    /// The journal.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }
    /// The configuration in use.
    pub fn configuration(&self) -> Arc<Configuration> {
        self.0.configuration.load_full()
    }
    /// Whether the journal takes events, and what it says of itself.
    pub fn journal_health(&self) -> (bool, Option<String>) {
        let health = self.0.journal.health();
        let up = health.state == HealthState::Up;
        let detail =
            (!up).then(|| format!("{:?}: {} events wait", health.state, health.spooled).to_lowercase());
        (up, detail)
    }
    /// Whether the database answers a small question.
    pub async fn database_answers(&self) -> bool {
        self.0.store.tenants().tenant(self.tenant()).await.is_ok()
    }
    /// Whether the floor's task runs.
    pub fn is_alive(&self) -> bool {
        !self.0.task.is_finished()
    }

    /// Signs a person in (ACC-14).
    pub async fn sign_in(&self, credentials: Credentials) -> Result<SignedIn, Refusal> {
        let (login, source) = (credentials.login.clone(), credentials.source);
        let result = self.0.auth.sign_in(credentials).await;
        let label = match &result {
            Ok(_) => "ok",
            Err(Refusal::TooManyAttempts { .. }) => "throttled",
            Err(Refusal::AlreadySignedIn) => "elsewhere",
            Err(_) => "refused",
        };
        self.0.metrics.signins.with_label_values(&[label]).inc();
        match &result {
            Ok(signed_in) => {
                let user = signed_in.identity.user.id;
                let actor = Actor { user: Some(user), address: Some(source), key: None };
                self.0.audit.note(actor, "session.open", user, serde_json::json!({})).await;
                if !signed_in.ended.is_empty() {
                    let (ended, by) = (signed_in.ended.clone(), signed_in.identity.session);
                    self.ask(|answer| Request::TakenOver { user, ended, by, answer }).await?;
                }
            }
            Err(Refusal::BadCredentials) => {
                let actor = Actor { user: None, address: Some(source), key: None };
                let login: String = login.chars().take(64).collect();
                let detail = serde_json::json!({ "login": login });
                self.0.audit.note(actor, "session.refused", "", detail).await;
            }
            Err(_) => {}
        }
        result
    }

    /// Whose session a cookie is.
    pub async fn identify(&self, cookie: &str) -> Result<Identity, Refusal> {
        self.0.auth.identify(cookie).await
    }

    /// Whose key a program brought, and what it is called (API-03).
    pub async fn identify_key(&self, key: &str, source: IpAddr) -> Result<(Identity, KeyId), Refusal> {
        let (identity, key) = self.0.auth.identify_key(key, source).await?;
        Ok((identity, key.id))
    }

    /// Signs out: refused while a call is up, unless forced (ACC-16).
    pub async fn sign_out(&self, who: &Identity, force: bool, actor: Actor) -> Result<(), Refusal> {
        let (user, session) = (who.user.id, who.session);
        self.ask(|answer| Request::SignOut { user, session, force, answer }).await??;
        self.0.auth.close(session).await?;
        self.0.audit.note(actor, "session.close", user, serde_json::json!({})).await;
        Ok(())
    }

    /// A page came: its frames go to `page`, the welcome first.
    pub async fn attach(&self, who: &Identity, after: Option<u64>, page: Outbox) -> Result<(), Refusal> {
        // A page does not wait for what is only convenient.
        let preferences = self.preferences(who).await.unwrap_or_default();
        let attach = Attach {
            preferences,
            user: who.user.id,
            session: who.session,
            takes_work: who.may(Privilege::TakeInteractions),
            after,
            page,
        };
        self.ask(|answer| Request::Attach(attach, answer)).await?
    }

    /// A socket ended.
    pub async fn detached(&self, user: UserId) {
        // The task is gone: so are its consoles.
        let _ = self.0.mailbox.send(Request::Detached(user)).await;
    }

    /// The session whose page a user has or had.
    pub async fn session_of(&self, user: UserId) -> Option<SessionId> {
        self.ask(|answer| Request::SessionOf(user, answer)).await.ok().flatten()
    }

    /// A page wants something.
    pub async fn command(&self, user: UserId, session: SessionId, command: Command) -> Result<(), Refusal> {
        self.ask(|answer| Request::Command(user, session, command, answer)).await?
    }

    /// Puts an agent to work or takes one out (STATE-22).
    pub async fn force_state(&self, agent: UserId, ready: bool, actor: Actor) -> Result<AgentView, Refusal> {
        self.ask(|answer| Request::Force { agent, ready, answer }).await??;
        let detail = serde_json::json!({ "state": if ready { "ready" } else { "not_ready" } });
        self.0.audit.note(actor, "agent.force", agent, detail).await;
        let view = self.read(move |core, now| core.agent_view(agent, now)).await?;
        view.ok_or(Refusal::missing("agent"))
    }

    /// Ends a call.
    pub async fn hang_up(&self, interaction: InteractionId, actor: Actor) -> Result<(), Refusal> {
        self.ask(|answer| Request::HangUp(interaction, answer)).await??;
        self.0.audit.note(actor, "call.hang_up", interaction, serde_json::json!({})).await;
        Ok(())
    }

    /// Cancels a callback that nobody is at. `actor` is a person.
    pub async fn cancel_callback(&self, interaction: InteractionId, actor: Actor) -> Result<(), Refusal> {
        let by = actor.user.ok_or(Refusal::NotSignedIn)?;
        self.ask(|answer| Request::CancelCallback { interaction, by, answer }).await??;
        self.0.audit.note(actor, "callback.cancel", interaction, serde_json::json!({})).await;
        Ok(())
    }

    /// Pauses the recording of a call, or goes on: its agent, or whoever may supervise (RECO-04).
    pub async fn pause_recording(
        &self,
        who: &Identity,
        interaction: InteractionId,
        paused: bool,
        actor: Actor,
    ) -> Result<(), Refusal> {
        let by = who.user.id;
        let own = self.read(move |core, _| core.work_view(interaction, by).is_some()).await?;
        if !own && !who.may(Privilege::Supervise) {
            return Err(Refusal::missing("call"));
        }
        self.ask(|answer| Request::PauseRecording { interaction, by, paused, answer }).await??;
        let detail = serde_json::json!({ "paused": paused });
        self.0.audit.note(actor, "recording.pause", interaction, detail).await;
        Ok(())
    }

    /// Who asks for help, as a supervisor sees it (HELP-02).
    pub async fn help_requests(&self, viewer: UserId) -> Result<Vec<HelpView>, Refusal> {
        self.read(move |core, _| core.help_views(viewer)).await
    }
    /// Everybody's state.
    pub async fn agents(&self) -> Result<Vec<AgentView>, Refusal> {
        self.read(Core::agent_views).await
    }
    /// All queues.
    pub async fn queues(&self) -> Result<Vec<QueueView>, Refusal> {
        self.read(Core::queue_views).await
    }
    /// What a page of this user would show.
    pub async fn snapshot_of(&self, user: UserId) -> Result<Snapshot, Refusal> {
        self.read(move |core, now| core.snapshot(user, now)).await
    }
    /// Live calls.
    pub async fn calls(&self) -> Result<Vec<CallView>, Refusal> {
        self.read(|core, _| core.call_views()).await
    }
    /// One live call.
    pub async fn call(&self, interaction: InteractionId) -> Result<CallView, Refusal> {
        let view = self.read(move |core, _| core.call_view(interaction)).await?;
        view.ok_or(Refusal::missing("call"))
    }

    /// Takes new calls, or refuses them with "overloaded": before a stop, calls in progress are let end.
    pub async fn admit(&self, admitting: bool) {
        // The task is gone: it takes no calls any more.
        let _ = self.0.mailbox.send(Request::Admit(admitting)).await;
    }

    /// Gives floor and signalling a configuration and waits until the floor has it.
    pub(crate) async fn configure(&self, configuration: Arc<Configuration>, calls: CallConfig) {
        self.0.configuration.store(configuration.clone());
        let generation = crate::past::keep(self.store(), self.tenant(), &configuration, self.now()).await;
        let calls = Box::new(calls);
        let asked = self.ask(|answer| Request::Configure { configuration, generation, calls, answer }).await;
        if asked.is_err() {
            tracing::error!("the floor's task is gone and takes no configuration");
        }
    }

    /// Looks at the desk as it is now.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Core, Timestamp) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, seen) = oneshot::channel();
        let look = Box::new(move |core: &Core, now| drop(answer.send(look(core, now))));
        self.0.mailbox.send(Request::Read(look)).await.map_err(|_| Refusal::Unavailable)?;
        seen.await.map_err(|_| Refusal::Unavailable)
    }

    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Refusal> {
        let (answer, told) = oneshot::channel();
        self.0.mailbox.send(request(answer)).await.map_err(|_| Refusal::Unavailable)?;
        told.await.map_err(|_| Refusal::Unavailable)
    }
}

/// Where agents stood when the last run ended.
pub type Returning = HashMap<UserId, (SessionId, router::Intent)>;
