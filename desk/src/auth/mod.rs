//! Who is there: sign-in, sessions, and what a request may do.
//!
//! One live session a user (ACC-14). A session is a random token in a cookie; the database holds its hash. It ends when it
//! is idle for too long, when it is old, when the user signs in elsewhere, signs out, or is disabled.

pub mod keys;
pub mod password;
pub mod throttle;
pub mod token;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::id::{SessionId, TenantId, UserId};
use model::people::{Privilege, User};
use model::time::Timestamp;
use store::Store;
use store::secrets::PasswordHash;
use store::sessions::{Session, SessionToken};

use self::password::{Cost, PASSWORD_MAX, PASSWORD_MIN, PasswordError, Passwords};
use self::throttle::Throttle;
use crate::clock::Sources;
use crate::refusal::Refusal;
use crate::trouble::{internal, read, write};

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct AuthConfig {
    /// A session nobody used for so long ends. Default 1 h; an attached console page counts as use.
    pub idle: Duration,
    /// A session ends this long after sign-in, whatever happens. Default 16 h: a long shift.
    pub absolute: Duration,
    /// The longest life of a program's key. Default 365 days.
    pub key_lifetime_max: Duration,
    /// Cost of new password hashes.
    pub cost: Cost,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(3_600),
            absolute: Duration::from_secs(16 * 3_600),
            key_lifetime_max: self::keys::KEY_LIFETIME,
            cost: Cost::STRONG,
        }
    }
}

/// `seen_at` is written at most this often: a request costs no write otherwise.
const TOUCH_EVERY: Duration = Duration::from_secs(60);

/// Who asks, and what they may do.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The tenant.
    pub tenant: TenantId,
    /// The person; of a key something that stands for one.
    pub user: User,
    /// What they may do.
    pub privileges: Vec<Privilege>,
    /// The session.
    pub session: SessionId,
    /// What a changing request must carry.
    pub csrf: String,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
}

impl Identity {
    /// Whether they may do `what` (SEC-05, ERR-13).
    pub fn may(&self, what: Privilege) -> bool {
        self.privileges.contains(&what)
    }
    /// Refuses what they may not do.
    pub fn needs(&self, what: Privilege) -> Result<(), Refusal> {
        if self.may(what) { Ok(()) } else { Err(Refusal::Forbidden { needs: what }) }
    }
}

/// A new session, with the one copy of its token.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub identity: Identity,
    /// For the cookie.
    pub token: SessionToken,
    /// Sessions that ended by this sign-in.
    pub ended: Vec<SessionId>,
}

/// What a person typed.
#[derive(Clone)]
pub struct Credentials {
    /// Login or e-mail address.
    pub login: String,
    /// Password.
    pub password: String,
    /// End another live session.
    pub force: bool,
    /// Where the request came from.
    pub source: IpAddr,
}

/// Sign-in and sessions of one tenant.
pub struct Auth {
    tenant: TenantId,
    store: Store,
    sources: Sources,
    config: AuthConfig,
    passwords: Passwords,
    throttle: Mutex<Throttle>,
    /// Of programs, apart from people: an old script must not keep anybody from signing in.
    key_throttle: Mutex<Throttle>,
}

impl Auth {
    /// For the users of `tenant`.
    pub fn new(
        tenant: TenantId,
        store: Store,
        sources: Sources,
        config: AuthConfig,
    ) -> Result<Self, PasswordError> {
        let passwords = Passwords::new(config.cost, sources.entropy.clone())?;
        Ok(Self {
            tenant,
            store,
            sources,
            config,
            passwords,
            throttle: Mutex::default(),
            key_throttle: Mutex::default(),
        })
    }

    /// Checks name and password and opens a session (ACC-14, ERR-12, ERR-17).
    pub async fn sign_in(&self, credentials: Credentials) -> Result<SignedIn, Refusal> {
        let account: String = credentials.login.trim().to_lowercase().chars().take(256).collect();
        let source = credentials.source;
        if let Some(wait) = self.throttle().check(source, &account, self.sources.now()) {
            return Err(Refusal::TooManyAttempts { wait });
        }
        let found = self.store.users().user_by_sign_in(self.tenant, &account).await.map_err(read)?;
        let user = found.map(|row| row.item).filter(|user| !user.disabled);
        let hash = match &user {
            Some(user) => self.store.secrets().password(user.id).await.map_err(read)?,
            None => None,
        };
        let typed =
            if credentials.password.len() <= PASSWORD_MAX { credentials.password.as_str() } else { "" };
        let right = self
            .passwords
            .verify(typed, hash.map(|(hash, _)| hash.as_phc().to_owned()))
            .await
            .map_err(internal)?;
        let now = self.sources.now();
        let Some(user) = user.filter(|_| right) else {
            self.throttle().failed(source, &account, now);
            return Err(Refusal::BadCredentials);
        };
        self.throttle().succeeded(source, &account, now);
        self.open(user, credentials.force, now).await
    }

    async fn open(&self, user: User, force: bool, now: Timestamp) -> Result<SignedIn, Refusal> {
        let sessions = self.store.sessions();
        let live = sessions.sessions_of(user.id, now).await.map_err(read)?;
        if !live.is_empty() && !force {
            return Err(Refusal::AlreadySignedIn);
        }
        sessions.close_sessions_of(user.id).await.map_err(read)?;
        let token = SessionToken::from_random(self.sources.bytes());
        let session = Session {
            id: self.sources.id(),
            user: user.id,
            tenant: self.tenant,
            created_at: now,
            seen_at: now,
            expires_at: self.expiry(now, now),
            csrf: token::Secret::token(&self.sources).reveal().to_owned(),
        };
        sessions.open_session(&session, &token).await.map_err(write)?;
        let ended = live.into_iter().map(|old| old.id).collect();
        Ok(SignedIn { identity: self.identity(session, user), token, ended })
    }

    /// Whose session this cookie is. Moves its idle end.
    pub async fn identify(&self, cookie: &str) -> Result<Identity, Refusal> {
        let token = SessionToken::from_text(cookie).ok_or(Refusal::NotSignedIn)?;
        let now = self.sources.now();
        let session = self.store.sessions().session(&token, now).await.map_err(read)?;
        let mut session = session.filter(|s| s.tenant == self.tenant).ok_or(Refusal::NotSignedIn)?;
        let user = self.store.users().get(self.tenant, session.user).await.map_err(read)?;
        let user = user.map(|row| row.item).filter(|user| !user.disabled).ok_or(Refusal::NotSignedIn)?;
        if now.since(session.seen_at) >= TOUCH_EVERY {
            session.expires_at = self.expiry(session.created_at, now);
            self.store.sessions().touch_session(session.id, now, session.expires_at).await.map_err(read)?;
        }
        Ok(self.identity(session, user))
    }

    /// An attached page is use: moves the idle end of these sessions, and tells which are over.
    pub async fn keep_alive(&self, attached: &[(UserId, SessionId)]) -> Vec<(UserId, SessionId)> {
        let now = self.sources.now();
        let mut over = Vec::new();
        for (user, id) in attached {
            match self.store.sessions().sessions_of(*user, now).await {
                Ok(live) => match live.iter().find(|session| session.id == *id) {
                    Some(session) if now.since(session.seen_at) < TOUCH_EVERY => {}
                    Some(session) => {
                        let expires = self.expiry(session.created_at, now);
                        if let Err(error) = self.store.sessions().touch_session(*id, now, expires).await {
                            tracing::warn!(%error, "a session's time could not be written");
                        }
                    }
                    None => over.push((*user, *id)),
                },
                // The database is away: whoever is connected stays so.
                Err(error) => tracing::warn!(%error, "sessions cannot be read"),
            }
        }
        over
    }

    /// Ends a session.
    pub async fn close(&self, session: SessionId) -> Result<(), Refusal> {
        self.store.sessions().close_session(session).await.map(drop).map_err(read)
    }

    /// Ends all sessions of a user: the password changed, or the user was disabled.
    pub async fn close_all(&self, user: UserId) -> Result<(), Refusal> {
        self.store.sessions().close_sessions_of(user).await.map(drop).map_err(read)
    }

    /// Gives a user a new password, after looking at it.
    pub async fn set_password(&self, user: UserId, password: &str) -> Result<(), Refusal> {
        check_password(password)?;
        let hash = self.passwords.hash(password).await.map_err(internal)?;
        let hash = PasswordHash::from_phc(hash).ok_or(Refusal::Internal)?;
        self.store.secrets().set_password(user, &hash, self.sources.now()).await.map_err(write)
    }

    /// Forgets sessions that are over.
    pub async fn sweep(&self) {
        if let Err(error) = self.store.sessions().sweep_sessions(self.sources.now()).await {
            tracing::warn!(%error, "ended sessions could not be removed");
        }
    }

    fn expiry(&self, created: Timestamp, now: Timestamp) -> Timestamp {
        (now + self.config.idle).min(created + self.config.absolute)
    }
    fn identity(&self, session: Session, user: User) -> Identity {
        Identity {
            tenant: self.tenant,
            privileges: user.role.privileges().to_vec(),
            user,
            session: session.id,
            csrf: session.csrf,
            expires_at: session.expires_at,
        }
    }
    fn key_throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.key_throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses passwords that are too short, too long, or of one letter.
pub fn check_password(password: &str) -> Result<(), Refusal> {
    let letters = password.chars().count();
    if letters < PASSWORD_MIN {
        return Err(Refusal::field("/password", format!("at least {PASSWORD_MIN} characters")));
    }
    if password.len() > PASSWORD_MAX {
        return Err(Refusal::field("/password", format!("at most {PASSWORD_MAX} octets")));
    }
    let mut distinct: Vec<char> = password.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 4 {
        return Err(Refusal::field("/password", "at least 4 different characters"));
    }
    Ok(())
}

/// For everybody who shares it.
pub type SharedAuth = Arc<Auth>;
