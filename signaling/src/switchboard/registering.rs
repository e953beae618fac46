//! Trunks that register with their carriers: a task each, from the configuration that wants it to the one that does not.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::call::CallFact;
use model::id::TrunkId;
use tokio::sync::{mpsc, oneshot};

use super::shared::Shared;
use super::{Internal, Switchboard};
use crate::endpoint::dialog::Dialog;
use crate::endpoint::message::{Method, Response};
use crate::endpoint::reach::TrunkAddress;
use crate::endpoint::uri::escape_user;
use crate::endpoint::{Account, Flow};
use crate::trunk::registration::{Answer, Input, Output, Registration};

/// Trunks that register, and whence their calls come.
#[derive(Default)]
pub(super) struct Registering {
    tasks: HashMap<TrunkId, Task>,
    /// Where the carriers of these were reached.
    carriers: HashMap<TrunkId, IpAddr>,
}

struct Task {
    /// Dropped: at once. Told: taken back first.
    end: oneshot::Sender<()>,
    target: String,
    username: String,
    account: Account,
}

impl Registering {
    /// Takes all of them back.
    pub(super) fn end(&mut self) {
        for (_, task) in self.tasks.drain() {
            task.end.send(()).ok();
        }
    }
}

impl Switchboard {
    /// Brings what registers in line with the configuration.
    pub(super) fn register_trunks(&mut self) {
        let accounts = self.accounts.get();
        let wanted = |id: TrunkId| {
            let trunk = accounts.trunk(id).filter(|trunk| trunk.registers)?;
            Some((trunk.target.clone()?, trunk.account.clone()?, accounts.account(id)?))
        };
        let known: Vec<TrunkId> = self.registering.tasks.keys().copied().collect();
        for id in known {
            let now = wanted(id);
            let same = self.registering.tasks.get(&id).zip(now.as_ref()).is_some_and(|(task, now)| {
                (&task.target, &task.username) == (&now.0, &now.1) && Arc::ptr_eq(&task.account, &now.2)
            });
            let Some(task) = (!same).then(|| self.registering.tasks.remove(&id)).flatten() else { continue };
            self.registering.carriers.remove(&id);
            // With a new password the same place registers anew: taking it back would take that away.
            if now.is_none_or(|now| (now.0, now.1) != (task.target, task.username)) {
                task.end.send(()).ok();
            }
        }
        for id in accounts.trunks() {
            let Some((target, username, account)) = wanted(id) else { continue };
            let Some(address) = TrunkAddress::parse(&target) else { continue };
            if self.registering.tasks.contains_key(&id) {
                continue;
            }
            let (end, ended) = oneshot::channel();
            let run = Run {
                shared: self.shared.clone(),
                internal: self.internal.clone(),
                trunk: id,
                dialog: dialog(&self.shared, &address, &username),
                address,
                username: username.clone(),
                account: account.clone(),
            };
            self.shared.farewells.spawn(run.run(ended));
            self.registering.tasks.insert(id, Task { end, target, username, account });
        }
    }

    /// A carrier was reached there.
    pub(super) fn carrier_reached(&mut self, trunk: TrunkId, ip: IpAddr) {
        if self.registering.tasks.contains_key(&trunk) {
            self.registering.carriers.insert(trunk, ip);
        }
    }

    /// The trunk whose carrier sends from there what we registered for: of several, the one whose account is called.
    pub(super) fn registered_at(&self, ip: IpAddr, user: Option<&str>) -> Option<TrunkId> {
        let here = || self.registering.carriers.iter().filter(|(_, at)| **at == ip).map(|(trunk, _)| *trunk);
        let called = |trunk: &TrunkId| {
            self.registering.tasks.get(trunk).is_some_and(|task| Some(task.username.as_str()) == user)
        };
        here().find(called).or_else(|| here().next().filter(|_| here().count() == 1))
    }
}

/// All our REGISTERs to a carrier have one Call-ID and count on (RFC 3261 §10.2).
fn dialog(shared: &Shared, address: &TrunkAddress, username: &str) -> Dialog {
    let us = format!("<sip:{}@{}>", escape_user(username), address.host_port());
    let endpoint = &shared.endpoint;
    Dialog::begin(&endpoint.token(), &us, &endpoint.token(), &us, &address.server())
}

struct Run {
    shared: Arc<Shared>,
    internal: mpsc::Sender<Internal>,
    trunk: TrunkId,
    dialog: Dialog,
    address: TrunkAddress,
    username: String,
    account: Account,
}

impl Run {
    async fn run(mut self, mut ended: oneshot::Receiver<()>) {
        let mut registration = Registration::default();
        let mut next = Some(Input::Begin);
        loop {
            let input = match next.take() {
                Some(input) => input,
                None if registration.is_over() => return,
                None => {
                    let patience = registration.deadline().since(self.shared.now());
                    tokio::select! {
                        end = &mut ended => match end {
                            Ok(()) => Input::End,
                            Err(_) => return,
                        },
                        () = tokio::time::sleep(patience.min(Duration::from_secs(3_600))) => Input::Tick,
                    }
                }
            };
            let mut chance = [0; 4];
            (self.shared.random)(&mut chance);
            for output in registration.handle(input, u32::from_le_bytes(chance), self.shared.now()) {
                match output {
                    Output::Send { expires } => next = Some(self.send(expires).await),
                    Output::Tell(standing) => {
                        tracing::info!(trunk = %self.trunk, ?standing, "registration with a carrier");
                        self.shared.tell(CallFact::TrunkStands { trunk: self.trunk, standing }).await;
                    }
                }
            }
        }
    }

    async fn send(&mut self, expires: u32) -> Input {
        let flow = match self.shared.endpoint.reach(&self.address).await {
            Ok(flow) => flow.with_account(Some(self.account.clone())),
            Err(why) => return Input::Failed(why.to_string()),
        };
        let reached = Internal::CarrierReached { trunk: self.trunk, ip: flow.remote.ip() };
        self.internal.send(reached).await.ok();
        let contact = flow.contact(&self.username);
        let mut register = self.dialog.request(Method::Register);
        register.headers.push("Contact", contact.clone());
        register.headers.push("Expires", expires.to_string());
        match self.shared.endpoint.request(&flow, register).await {
            Ok(response) => Input::Answered(answer(&response, &flow, &self.username)),
            Err(why) => Input::Failed(why.to_string()),
        }
    }
}

/// What a carrier said. Of several contacts ours counts: others may have registered the same account.
fn answer(response: &Response, flow: &Flow, username: &str) -> Answer {
    let number = |name: &str| response.headers.get(name)?.trim().parse().ok();
    let ours = format!("sip:{}@{}", escape_user(username), flow.local);
    let contacts = response.headers.list("Contact");
    let contact = contacts.iter().find(|contact| contact.contains(&ours)).or(match contacts.len() {
        1 => contacts.first(),
        _ => None,
    });
    let granted = contact.and_then(|contact| {
        let parameters = contact.rsplit_once('>').map_or("", |(_, parameters)| parameters);
        let named = parameters.split(';').filter_map(|parameter| parameter.split_once('='));
        named
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case("expires"))
            .find_map(|(_, value)| value.trim().parse().ok())
    });
    Answer {
        status: response.status,
        expires: granted.or_else(|| number("Expires")),
        min_expires: number("Min-Expires"),
        retry_after: response
            .headers
            .get("Retry-After")
            .and_then(|value| value.split([';', '(', ' ']).next()?.trim().parse().ok()),
    }
}
