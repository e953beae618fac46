//! What people say to callers who are to leave them a message (VM-03): kept by themselves, and by administrators (VM-16).
//!
//! How a file becomes a sound that calls can play is for whoever implements [`Speaking`]; this room decides who keeps what, and that
//! just the chosen ones lie ready.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::greeting::Greeting;
use model::id::{GreetingId, UserId};
use model::time::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::auth::Identity;
use crate::refusal::Refusal;
use crate::start::{DeskHandle, Inner};
use crate::trouble::read;

/// Turns files into sounds that calls can play. All of it takes processor time: it is asked beside the runtime.
pub trait Speaking: Send + Sync {
    /// Reads what somebody brought. The error says what is wrong with it, to a person.
    fn read(&self, file: &[u8], longest: Duration) -> Result<Spoken, String>;
    /// Has a sound ready under a name, in the place of one that is there: WAV as [`Speaking::read`] made it.
    fn hold(&self, name: &str, wav: &[u8]) -> Result<(), String>;
    /// It is not played any more.
    fn let_go(&self, name: &str);
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// What is kept: WAV of 16 bits, mono.
    pub wav: Vec<u8>,
    /// How long it lasts.
    pub length: Duration,
}

/// A greeting as its owner and administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GreetingView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: GreetingId,
    /// What its owner calls it.
    pub name: String,
    /// Callers hear it. When none is chosen they hear that of the house.
    pub chosen: bool,
    /// How long it lasts.
    pub length_ms: u64,
    /// When it was recorded or brought, the last time, in milliseconds since 1970.
    pub made_at: u64,
}

impl From<&Greeting> for GreetingView {
    fn from(greeting: &Greeting) -> Self {
        Self {
            id: greeting.id,
            name: greeting.name.clone(),
            chosen: greeting.chosen,
            length_ms: u64::try_from(greeting.length.as_millis()).unwrap_or(u64::MAX),
            made_at: greeting.made_at.millis(),
        }
    }
}

/// What lies ready, and of when.
pub(crate) type Held = tokio::sync::Mutex<BTreeMap<GreetingId, Timestamp>>;

impl DeskHandle {
    /// Those of one person; of another only an administrator asks.
    pub fn greetings(&self, who: &Identity, owner: UserId) -> Result<Vec<GreetingView>, Refusal> {
        self.may_divert(who, owner)?;
        Ok(self.configuration().greetings_of(owner).map(GreetingView::from).collect())
    }

    /// One as it sounds: WAV.
    pub async fn greeting_audio(
        &self,
        who: &Identity,
        owner: UserId,
        id: GreetingId,
    ) -> Result<Vec<u8>, Refusal> {
        self.greeting(who, owner, id)?;
        let audio = self.store().greetings().greeting_audio(self.tenant(), id).await.map_err(read)?;
        audio.ok_or(MISSING)
    }

    /// Keeps a new one: a WAV or Ogg Opus file. Callers go on hearing what they heard.
    pub async fn add_greeting(
        &self,
        who: &Identity,
        owner: UserId,
        (name, file): (&str, Vec<u8>),
        actor: Actor,
    ) -> Result<GreetingView, Refusal> {
        let _turn = self.0.greeting.lock().await;
        self.may_divert(who, owner)?;
        let name = self.free_name(owner, None, name)?;
        if self.configuration().greetings_of(owner).count() >= Greeting::EACH_MAX {
            return Err(Refusal::NotNow { why: "There are three greetings already: delete one first." });
        }
        let Spoken { wav, length } = self.read_spoken(file).await?;
        let (id, made_at) = (self.0.sources.id(), self.now());
        let greeting = Greeting { id, owner, name, chosen: false, length, made_at };
        self.note(actor, &greeting, "added").await?;
        self.store().greetings().save_greeting(self.tenant(), &greeting, &wav).await.map_err(read)?;
        self.reload().await?;
        Ok(GreetingView::from(&greeting))
    }

    /// Another sound in the place of one: recorded again.
    pub async fn record_greeting_again(
        &self,
        who: &Identity,
        (owner, id): (UserId, GreetingId),
        file: Vec<u8>,
        actor: Actor,
    ) -> Result<GreetingView, Refusal> {
        let _turn = self.0.greeting.lock().await;
        let before = self.greeting(who, owner, id)?;
        let Spoken { wav, length } = self.read_spoken(file).await?;
        let greeting = Greeting { length, made_at: self.now(), ..before };
        self.note(actor, &greeting, "recorded").await?;
        self.store().greetings().save_greeting(self.tenant(), &greeting, &wav).await.map_err(read)?;
        self.taken_up().await?;
        Ok(GreetingView::from(&greeting))
    }

    /// Names one, and says whether callers hear it from the next call on: in the place of the one chosen before.
    pub async fn change_greeting(
        &self,
        who: &Identity,
        (owner, id): (UserId, GreetingId),
        (name, chosen): (&str, bool),
        actor: Actor,
    ) -> Result<GreetingView, Refusal> {
        let _turn = self.0.greeting.lock().await;
        let before = self.greeting(who, owner, id)?;
        let name = self.free_name(owner, Some(id), name)?;
        let config = self.configuration();
        let many = config.chosen_greetings().filter(|other| other.owner != owner).count();
        if chosen && many >= Greeting::CHOSEN_MAX {
            return Err(Refusal::NotNow {
                why: "500 people have a greeting of their own in use: no more lie ready.",
            });
        }
        let greeting = Greeting { name, chosen, ..before.clone() };
        self.note(actor, &greeting, "changed").await?;
        let store = self.store().greetings();
        store.rename_greeting(self.tenant(), id, &greeting.name).await.map_err(read)?;
        if chosen != before.chosen {
            store.choose_greeting(self.tenant(), owner, chosen.then_some(id)).await.map_err(read)?;
        }
        self.taken_up().await?;
        Ok(GreetingView::from(&greeting))
    }

    /// Forgets one for ever. If it was chosen, callers hear that of the house.
    pub async fn delete_greeting(
        &self,
        who: &Identity,
        (owner, id): (UserId, GreetingId),
        actor: Actor,
    ) -> Result<(), Refusal> {
        let _turn = self.0.greeting.lock().await;
        let greeting = self.greeting(who, owner, id)?;
        self.note(actor, &greeting, "deleted").await?;
        self.store().greetings().delete_greeting(self.tenant(), id).await.map_err(read)?;
        self.taken_up().await
    }

    /// The next call hears what was changed.
    async fn taken_up(&self) -> Result<(), Refusal> {
        self.reload().await?;
        make_ready(&self.0).await;
        Ok(())
    }

    fn greeting(&self, who: &Identity, owner: UserId, id: GreetingId) -> Result<Greeting, Refusal> {
        self.may_divert(who, owner)?;
        let config = self.configuration();
        config.greetings_of(owner).find(|greeting| greeting.id == id).cloned().ok_or(MISSING)
    }

    /// A name as it is kept, unless it is nothing, too long, or that of another one.
    fn free_name(&self, owner: UserId, of: Option<GreetingId>, name: &str) -> Result<String, Refusal> {
        let name = name.trim();
        let wrong = |why: &str| Err(Refusal::field("/name", why));
        if !Greeting::NAME.contains(&name.chars().count()) || name.chars().any(char::is_control) {
            return wrong("1 to 60 characters");
        }
        let config = self.configuration();
        let mut others = config.greetings_of(owner).filter(|other| Some(other.id) != of);
        match others.any(|other| other.name == name) {
            true => wrong("another greeting has this name"),
            false => Ok(name.to_owned()),
        }
    }

    async fn read_spoken(&self, file: Vec<u8>) -> Result<Spoken, Refusal> {
        let speaking = self.0.speaking.clone();
        let found = tokio::task::spawn_blocking(move || speaking.read(&file, Greeting::LENGTH_MAX)).await;
        let found = found.map_err(|_| Refusal::Internal)?;
        found.map_err(|why| Refusal::field("", why))
    }

    async fn note(&self, actor: Actor, greeting: &Greeting, what: &str) -> Result<(), Refusal> {
        let Greeting { id, name, chosen, .. } = greeting;
        let detail = json!({ "greeting": id, "what": what, "name": name, "chosen": chosen });
        self.audit().record(actor, "user.greeting", greeting.owner, detail).await
    }
}

/// Has the chosen greetings ready, and no others. One that cannot be had stays unheard: callers hear that of the house.
pub(crate) async fn make_ready(desk: &Arc<Inner>) {
    let mut held = desk.held_greetings.lock().await;
    let config = desk.configuration.load_full();
    let wanted: BTreeMap<_, _> =
        config.chosen_greetings().map(|greeting| (greeting.id, greeting.made_at)).collect();
    held.retain(|id, _| {
        let stays = wanted.contains_key(id);
        if !stays {
            desk.speaking.let_go(&Greeting::sound_of(*id));
        }
        stays
    });
    for (id, made_at) in wanted {
        if held.get(&id) == Some(&made_at) {
            continue;
        }
        match hold(desk, id).await {
            Ok(()) => drop(held.insert(id, made_at)),
            Err(error) => tracing::error!(greeting = %id, error, "a greeting cannot be played"),
        }
    }
}

async fn hold(desk: &Arc<Inner>, id: GreetingId) -> Result<(), String> {
    let audio = desk.store.greetings().greeting_audio(desk.config.tenant, id).await;
    let audio = audio.map_err(|error| error.to_string())?.ok_or("its sound is gone")?;
    let speaking = desk.speaking.clone();
    let made = tokio::task::spawn_blocking(move || speaking.hold(&Greeting::sound_of(id), &audio)).await;
    made.map_err(|error| error.to_string())?
}

const MISSING: Refusal = Refusal::NotFound { what: "greeting" };
