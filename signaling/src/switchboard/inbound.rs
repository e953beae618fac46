//! Requests from the network: who may call, and to whom a request within a dialog belongs.

use std::net::IpAddr;
use std::time::Duration;

use model::call::{CallFact, PhoneAccount, Source};
use model::id::{InteractionId, LegId, TenantId, TrunkId};
use model::service::{SrtpPolicy, Trunk};
use model::time::Timestamp;
use tokio::sync::{mpsc, watch};

use super::{Entry, Switchboard};
use crate::call::NewCall;
use crate::call::driver::{CustomerSide, MAILBOX_MAX, Message, New, Party};
use crate::call::timer::{MIN_SE, SessionTimer};
use crate::digest::{Algorithm, Attempt, Verdict};
use crate::endpoint::dialog::Dialog;
use crate::endpoint::message::{ALLOW, Headers, Method, Reply, Request};
use crate::endpoint::uri::{masked, of_address, user};
use crate::endpoint::{Flow, Incoming, InviteEvent};
use crate::trunk::{self, Place, dialled};

/// How often it is told that passwords are guessed.
const GUESSING_EVERY: Duration = Duration::from_secs(10);
/// So much is told of the user name that a guesser tried.
const ACCOUNT_MAX: usize = 64;
/// Longest caller we keep.
const NUMBER_MAX: usize = 128;

/// Over what a call came in, and on what terms.
struct Line {
    /// For logs, and as the caller of a phone.
    name: String,
    tenant: TenantId,
    from: Source,
    srtp: SrtpPolicy,
    /// A trunk takes so many calls at a time.
    trunk: Option<(TrunkId, u32)>,
    /// Of a trunk that registers, as what: the carrier may call that, and say in `To` which number was dialled.
    ours: Option<String>,
}

impl Line {
    fn of_trunk(trunk: &Trunk) -> Self {
        Self {
            name: trunk.name.clone(),
            tenant: trunk.tenant,
            from: Source::Trunk { trunk: trunk.id },
            srtp: trunk.srtp,
            trunk: Some((trunk.id, trunk.calls_max)),
            ours: trunk.account.clone().filter(|_| trunk.registers),
        }
    }
    fn of_phone(phone: &PhoneAccount) -> Self {
        Self {
            name: phone.extension.clone(),
            tenant: phone.tenant,
            from: Source::Phone { agent: phone.agent },
            srtp: phone.srtp,
            trunk: None,
            ours: None,
        }
    }
}

impl Switchboard {
    pub(super) fn incoming(&mut self, incoming: Incoming) {
        let request = &incoming.request;
        if let Some(tag) = request.to_tag() {
            let key = (request.call_id().to_owned(), tag.to_owned());
            return match self.shared.directory.find(&key) {
                Some((mailbox, party)) => self.post(&mailbox, Message::Request(party, Box::new(incoming))),
                None => {
                    self.shared.counters.no_dialog.add();
                    incoming.transaction.finish(&Reply::new(481), None);
                }
            };
        }
        match request.method {
            Method::Invite => self.invite(incoming),
            Method::Register => self.register(incoming),
            Method::Options => {
                let reply = Reply::new(if self.draining { 503 } else { 200 })
                    .with("Allow", ALLOW)
                    .with("Accept", "application/sdp")
                    .with("Supported", "timer");
                incoming.transaction.finish(&reply, None);
            }
            Method::Bye | Method::Update | Method::Info | Method::Prack => {
                self.shared.counters.no_dialog.add();
                incoming.transaction.finish(&Reply::new(481), None);
            }
            // Outside a call nobody is called for whoever asks.
            Method::Refer => {
                self.shared.counters.forbidden.add();
                incoming.transaction.finish(&Reply::new(403), None);
            }
            _ => {
                self.shared.counters.method_refused.add();
                incoming.transaction.finish(&Reply::new(405).with("Allow", ALLOW), None);
            }
        }
    }

    fn invite(&mut self, incoming: Incoming) {
        let accounts = self.accounts.get();
        let ip = incoming.flow.remote.ip();
        let registered = || accounts.trunk(self.registered_at(ip, user(&incoming.request.uri).as_deref())?);
        let line = match accounts.trunk_at(ip).or_else(registered) {
            Some(trunk) => Line::of_trunk(trunk),
            None => match self.authenticate(&incoming.request, &incoming.flow) {
                Err(reply) => return incoming.transaction.finish(&reply, None),
                Ok(username) => match (accounts.trunk_named(&username), accounts.phone(&username)) {
                    (Some(trunk), _) => Line::of_trunk(trunk),
                    (None, Some(phone)) => Line::of_phone(phone),
                    (None, None) => {
                        self.shared.counters.forbidden.add();
                        return incoming.transaction.finish(&Reply::new(403), None);
                    }
                },
            },
        };
        match self.take_up(&line, incoming) {
            Ok(()) => {}
            Err((incoming, reply)) => incoming.transaction.finish(&reply, None),
        }
    }

    /// Begins a call, or says how it is refused.
    #[expect(clippy::result_large_err, reason = "the refused request is answered by the caller, right there")]
    fn take_up(&mut self, line: &Line, incoming: Incoming) -> Result<(), (Incoming, Reply)> {
        let place = match line.trunk.map(|(trunk, calls_max)| self.shared.places().take(trunk, calls_max)) {
            Some(Ok(place)) if self.has_room() => Some(place),
            None if self.has_room() => None,
            _ => {
                self.shared.counters.overloaded.add();
                tracing::warn!(line = %line.name, calls = self.calls.len(), "a call was refused: full or draining");
                return Err((incoming, Reply::new(503).with("Retry-After", "10")));
            }
        };
        let request = &incoming.request;
        let Some(invite) = request.from_tag().map(|tag| (request.call_id().to_owned(), tag.to_owned()))
        else {
            return Err((incoming, Reply::new(400)));
        };
        if self.invites.contains_key(&invite) {
            // RFC 3261 §8.2.2.2: the same call over two ways.
            return Err((incoming, Reply::new(482)));
        }
        let named = request.headers.get("To").and_then(|to| dialled(of_address(to)?));
        let named = named.filter(|_| line.ours.is_some() && line.ours == user(&request.uri));
        let Some(contact) = named.or_else(|| dialled(&request.uri)) else {
            return Err((incoming, Reply::new(404)));
        };
        let supported = request.headers.has_token("Supported", "timer");
        let now = self.shared.now();
        let Ok(timer) = SessionTimer::of_request(request.headers.get("Session-Expires"), supported, now)
        else {
            return Err((incoming, Reply::new(422).with("Min-SE", MIN_SE.as_secs().to_string())));
        };
        let tag = self.shared.endpoint.token();
        let Some(dialog) = Dialog::of_invite(request, &tag) else {
            return Err((incoming, Reply::new(400)));
        };
        // A trunk is trusted to say who calls; of a phone it is known.
        let (caller, caller_name) = match line.from {
            Source::Trunk { .. } => caller(&request.headers),
            Source::Phone { .. } => (line.name.clone(), None),
        };
        let offer = request.sdp();
        if offer.is_none() && !request.body.is_empty() {
            return Err((incoming, Reply::new(415).with("Accept", "application/sdp")));
        }
        let interaction: InteractionId = self.shared.id();
        let leg: LegId = self.shared.id();
        tracing::info!(
            %interaction, %leg, line = %line.name, caller = %masked(&caller), called = %masked(&contact), "call came in"
        );
        let ability = self.ability(incoming.flow.listener, line.srtp);
        let new = NewCall {
            interaction,
            tenant: line.tenant,
            from: line.from,
            srtp: line.srtp,
            caller,
            caller_name,
            contact,
            offer,
            leg,
            ability,
            seed: self.shared.seed(),
            session: self.shared.session_number(),
            timer,
        };
        self.start(new, incoming, dialog, tag, place, invite);
        Ok(())
    }

    fn start(
        &mut self,
        new: NewCall,
        incoming: Incoming,
        dialog: Dialog,
        tag: String,
        place: Option<Place>,
        invite: (String, String),
    ) {
        let (interaction, leg, timer, user) = (new.interaction, new.leg, new.timer, new.contact.clone());
        let from = new.from;
        let (sender, receiver) = mpsc::channel(MAILBOX_MAX);
        let (acknowledge, acknowledged) = watch::channel(false);
        let key = dialog.key();
        self.shared.tracer.claim(&key.0, interaction);
        self.shared.directory.add(key.clone(), interaction, sender.clone(), Party::Customer);
        // Whoever calls may be in another call by then.
        let (shared, whose) = (self.shared.clone(), key.clone());
        let responder = incoming.transaction.proceed(move |event| {
            if matches!(event, InviteEvent::Acknowledged(_)) {
                acknowledge.send_replace(true);
            }
            let Some((mailbox, party)) = shared.directory.find(&whose) else { return };
            let message = match party {
                Party::Customer => Message::Invite(event),
                Party::Phone(_) => Message::Reinvite(party, event),
            };
            if mailbox.try_send(message).is_err() {
                shared.counters.queue_overflow.add();
            }
        });
        self.calls.insert(
            interaction,
            Entry {
                mailbox: sender.clone(),
                dialogs: Some((key, invite.clone())),
                legs: vec![(leg, from.into())],
                recordings: Vec::new(),
            },
        );
        self.invites.insert(invite, interaction);
        self.legs.insert(leg, interaction);
        if let Source::Phone { agent } = from {
            self.belongs(agent, interaction);
        }
        // A carrier may challenge what we ask in its own calls, too.
        let account = match from {
            Source::Trunk { trunk } => self.accounts.get().account(trunk),
            Source::Phone { .. } => None,
        };
        let customer = CustomerSide {
            dialog,
            tag,
            flow: incoming.flow.with_account(account),
            user,
            timer,
            responder: Some(responder),
            acknowledged,
            place,
        };
        self.begin(interaction, New::Outside(Box::new((new, customer))), (sender, receiver));
    }

    /// The user who sent a request, or the answer to one who did not prove to be somebody.
    pub(crate) fn authenticate(&mut self, request: &Request, flow: &Flow) -> Result<String, Reply> {
        let accounts = self.accounts.get();
        let authorization: Vec<&str> = request.headers.all("Authorization").collect();
        let attempt = Attempt {
            method: request.method.name(),
            uri: &request.uri,
            authorization: &authorization,
            source: flow.remote.ip(),
        };
        let now = self.shared.now();
        match self.digest.judge(attempt, |name| accounts.secrets(name), now) {
            Verdict::Granted { username } => Ok(username),
            Verdict::Challenge { stale } => Err(self.challenge(stale, now)),
            Verdict::Guessed { account, pause } => {
                self.guessed(flow.remote.ip(), &account, pause, now);
                Err(self.challenge(false, now))
            }
            Verdict::Paused { retry_after } => {
                self.shared.counters.forbidden.add();
                Err(Reply::new(403).with("Retry-After", retry_after.as_secs().max(1).to_string()))
            }
            Verdict::Malformed(why) => {
                Err(Reply::new(400).with("Warning", format!("399 appliance \"{why}\"")))
            }
        }
    }
}

impl Switchboard {
    fn challenge(&mut self, stale: bool, now: Timestamp) -> Reply {
        self.shared.counters.challenged.add();
        let mut random = [0; 8];
        (self.shared.random)(&mut random);
        let challenges = self.digest.challenges(stale, now, random);
        // In our order, and only what we offer.
        let of = |a: &Algorithm| {
            let mark = format!("algorithm={},", a.name());
            challenges.iter().find(|c| c.contains(&mark)).cloned()
        };
        let offered = self.shared.digest.iter().filter_map(of);
        offered.fold(Reply::new(401), |reply, c| reply.with("WWW-Authenticate", c))
    }

    /// Tells the desk that somebody guesses passwords, not more often than somebody can read it: a thousand guessers are one report.
    fn guessed(&mut self, source: IpAddr, account: &str, paused: Duration, now: Timestamp) {
        self.shared.counters.guessing.add();
        if self.guessing_told.is_some_and(|told| now.since(told) < GUESSING_EVERY) {
            return;
        }
        self.guessing_told = Some(now);
        let account: String = account.chars().filter(|c| !c.is_control()).take(ACCOUNT_MAX).collect();
        tracing::warn!(%source, account, pause_s = paused.as_secs(), "somebody guesses the password of a phone or a trunk");
        self.shared.tell_soon(CallFact::PasswordGuessed { source, account, paused });
    }
}

/// Number and name of the caller as they are shown. A trunk is trusted to assert who calls.
fn caller(headers: &Headers) -> (String, Option<String>) {
    let asserted = headers.list("P-Asserted-Identity");
    let privacy: Vec<&str> = headers.all("Privacy").collect();
    let from = headers.get("From").unwrap_or_default();
    let caller = trunk::caller(true, &asserted, from, &privacy);
    if caller.anonymous {
        return ("anonymous".to_owned(), None);
    }
    // A caller may have a name instead of a number.
    let number =
        caller.number.or_else(|| of_address(from).and_then(user)).unwrap_or_else(|| "anonymous".to_owned());
    (number.chars().take(NUMBER_MAX).collect(), caller.name)
}
