//! REGISTER (RFC 3261 §10.3): proven by digest, kept by the registrar, told to the desk as phones that can be used or not.

use model::call::CallFact;
use model::people::PhoneKind;

use crate::check::{Contacts as ReadContacts, parse_contacts};
use crate::endpoint::message::{Reply, Request};
use crate::endpoint::uri::{of_address, user};
use crate::endpoint::{Flow, Incoming};
use crate::registrar::{Binding, Change, Contact, Contacts, EXPIRES_MIN, Register, Registered};
use crate::switchboard::Switchboard;

impl Switchboard {
    pub(crate) fn register(&mut self, incoming: Incoming) {
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
        let reply = match self.registrar.register(register, now) {
            Ok(Registered { bindings, changes }) => {
                self.shared.counters.registered.add();
                for change in &changes {
                    match change {
                        Change::Added(b) | Change::Refreshed(b) => {
                            self.flows.insert(name(b), flow.clone());
                        }
                        Change::Removed(b) | Change::Expired(b) => {
                            self.flows.remove(&name(b));
                        }
                    }
                }
                self.review_phone(&account.extension);
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

    /// Phones whose time is over, whose connection broke, or whose account is gone.
    pub(crate) fn registrations_tick(&mut self) {
        let now = self.shared.now();
        for change in self.registrar.tick(now) {
            if let Change::Expired(b) | Change::Removed(b) = change {
                self.flows.remove(&name(&b));
            }
        }
        let up: Vec<String> = self.phones_up.keys().cloned().collect();
        up.iter().for_each(|extension| self.review_phone(extension));
    }

    /// Tells the desk if a phone has become usable, or has ceased to be.
    fn review_phone(&mut self, extension: &str) {
        let now = self.shared.now();
        let account = self.accounts.get().phone(extension).map(|a| a.agent);
        let usable = account.filter(|_| {
            let contacts = self.registrar.contacts(extension, now);
            contacts.iter().any(|b| self.flows.get(&name(b)).is_some_and(Flow::is_alive))
        });
        let told = self.phones_up.get(extension).copied();
        if told == usable {
            return;
        }
        let phone = PhoneKind::Sip;
        if let Some(agent) = told {
            self.phones_up.remove(extension);
            self.shared.tell_soon(CallFact::PhoneDown { agent, phone });
        }
        if let Some(agent) = usable {
            self.phones_up.insert(extension.to_owned(), agent);
            self.shared.tell_soon(CallFact::PhoneUp { agent, phone });
        }
    }
}

/// What a contact is called among the flows.
fn name(binding: &Binding) -> (String, String) {
    (binding.user.clone(), binding.key())
}

/// What the registrar wants to know of a request.
fn read(request: &Request, extension: &str, flow: &Flow) -> Result<Register, Reply> {
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
