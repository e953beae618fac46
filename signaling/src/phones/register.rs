//! REGISTER (RFC 3261 §10.3): proven by digest, kept by the registrar, told to the desk as phones that can be used or not.

use model::call::CallFact;
use model::id::UserId;
use model::people::PhoneKind;

use crate::check::{Contacts as ReadContacts, parse_contacts};
use crate::endpoint::Incoming;
use crate::endpoint::message::{Reply, Request};
use crate::endpoint::uri::{of_address, user};
use crate::registrar::{Change, Contact, Contacts, EXPIRES_MIN, Register, Registered};
use crate::switchboard::Switchboard;

impl Switchboard {
    pub(crate) async fn register(&mut self, incoming: Incoming) {
        let Incoming { request, flow, transaction } = incoming;
        let username = match self.authenticate(&request, &flow) {
            Ok(username) => username,
            Err(reply) => return transaction.finish(&reply, None),
        };
        let accounts = self.accounts.get();
        let record = request.headers.get("To").and_then(of_address).and_then(user);
        let account = accounts.phone(&username).filter(|a| record.as_deref() == Some(a.extension.as_str()));
        let Some(account) = account else {
            // Known, but not allowed to register this address (§10.3 step 4).
            self.shared.counters.forbidden.add();
            return transaction.finish(&Reply::new(403), None);
        };
        let register = match read(&request, &account.extension, &flow) {
            Ok(register) => register,
            Err(reply) => return transaction.finish(&reply, None),
        };
        let now = self.shared.now();
        let before = !self.registrar.contacts(&account.extension, now).is_empty();
        let reply = match self.registrar.register(register, now) {
            Ok(Registered { bindings, changes }) => {
                self.shared.counters.registered.add();
                let touched = |b: &crate::registrar::Binding| (b.user.clone(), b.key());
                for change in &changes {
                    match change {
                        Change::Added(b) | Change::Refreshed(b) => {
                            self.flows.insert(touched(b), flow.clone());
                        }
                        Change::Removed(b) | Change::Expired(b) => {
                            self.flows.remove(&touched(b));
                        }
                    }
                }
                let agent = account.agent;
                match (before, !bindings.is_empty()) {
                    (false, true) => self.phone_is(agent, true).await,
                    (true, false) => self.phone_is(agent, false).await,
                    _ => {}
                }
                bindings.iter().fold(Reply::new(200), |reply, b| reply.with("Contact", b.contact_header(now)))
            }
            Err(error) => {
                let reply = Reply::new(error.status());
                match error.status() {
                    423 => reply.with("Min-Expires", EXPIRES_MIN.as_secs().to_string()),
                    503 => reply.with("Retry-After", "60"),
                    _ => reply,
                }
            }
        };
        transaction.finish(&reply, None);
    }

    /// Phones whose time is over, and phones whose connection broke.
    pub(crate) async fn registrations_tick(&mut self) {
        let now = self.shared.now();
        let gone: Vec<_> = self
            .registrar
            .tick(now)
            .into_iter()
            .filter_map(|change| match change {
                Change::Expired(b) | Change::Removed(b) => Some(b),
                Change::Added(_) | Change::Refreshed(_) => None,
            })
            .collect();
        for binding in gone {
            self.flows.remove(&(binding.user.clone(), binding.key()));
            if self.registrar.contacts(&binding.user, now).is_empty() {
                let agent = self.accounts.get().phone(&binding.user).map(|a| a.agent);
                if let Some(agent) = agent {
                    self.phone_is(agent, false).await;
                }
            }
        }
    }

    /// After a new configuration: registrations of accounts that are no more reach nobody.
    pub(crate) async fn forget_lost_phones(&mut self) {
        let accounts = self.accounts.get();
        self.flows.retain(|(user, _), _| accounts.phone(user).is_some());
    }

    async fn phone_is(&self, agent: UserId, up: bool) {
        let phone = PhoneKind::Sip;
        let fact = if up { CallFact::PhoneUp { agent, phone } } else { CallFact::PhoneDown { agent, phone } };
        self.shared.tell(fact).await;
    }
}

/// What the registrar wants to know of a request.
fn read(request: &Request, extension: &str, flow: &crate::endpoint::Flow) -> Result<Register, Reply> {
    let bad = || Reply::new(400);
    let mut contacts = Vec::new();
    let mut all = false;
    for value in request.headers.all("Contact") {
        match parse_contacts(value).map_err(|_| bad())? {
            ReadContacts::Star => all = true,
            ReadContacts::List(read) => {
                for address in read {
                    let expires = address.parameter("expires").map(|e| e.parse().unwrap_or(3_600));
                    let q = address.parameter("q").and_then(quality).unwrap_or(1_000);
                    contacts.push(Contact { uri: address.uri, expires, q });
                }
            }
        }
    }
    let contacts = match (all, contacts.is_empty()) {
        (true, true) => Contacts::All,
        (true, false) => return Err(bad()),
        (false, _) => Contacts::Named(contacts),
    };
    Ok(Register {
        user: extension.to_owned(),
        call_id: request.call_id().to_owned(),
        cseq: request.cseq().ok_or_else(bad)?,
        contacts,
        expires: request.headers.get("Expires").and_then(|e| e.trim().parse().ok()),
        received: flow.remote,
        transport: match flow.transport {
            crate::service::Transport::Udp => "udp",
            crate::service::Transport::Tcp => "tcp",
            crate::service::Transport::Tls => "tls",
        },
        path: Vec::new(),
    })
}

/// `q` in thousandths.
fn quality(text: &str) -> Option<u16> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 3 {
        return None;
    }
    let thousandths: u16 = format!("{part:0<3}").parse().ok()?;
    match whole {
        "0" | "" => Some(thousandths),
        "1" => (thousandths == 0).then_some(1_000),
        _ => None,
    }
}
