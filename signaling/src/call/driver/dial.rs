//! Numbers dialled over trunks: the way to a trunk, a place on it, and the INVITE.

use super::fork::{Established, ForkNews};
use super::{CustomerSide, Driver, Message, Party};
use crate::call::timer::SessionTimer;
use crate::call::words::Branch;
use crate::endpoint::dialog::Dialog;
use crate::endpoint::message::{ALLOW, Method};
use crate::endpoint::reach::TrunkAddress;
use crate::endpoint::uri::escape_user;
use crate::endpoint::{Account, Flow};
use crate::switchboard::Internal;
use crate::trunk::Place;
use model::id::{LegId, TrunkId};

/// A trunk to dial over.
#[derive(Clone, Debug)]
pub(crate) struct TrunkTarget {
    pub(crate) branch: Branch,
    pub(crate) leg: LegId,
    /// Whose dialog it becomes.
    pub(crate) party: Party,
    pub(crate) trunk: TrunkId,
    pub(crate) address: TrunkAddress,
    /// Our account there.
    pub(crate) account: Option<Account>,
    /// Calls at once, both directions.
    pub(crate) calls_max: u32,
    pub(crate) number: String,
    /// The calling number; `None`: unknown.
    pub(crate) caller_id: Option<String>,
}

/// A trunk that is being tried, or that worked.
pub(super) struct Way {
    target: TrunkTarget,
    /// `None`: being looked for.
    pub(super) flow: Option<Flow>,
    _place: Place,
}

impl Way {
    /// The name of its INVITE.
    pub(super) fn branch(&self) -> Branch {
        self.target.branch
    }
}

impl Driver {
    /// Takes a place on the trunk and looks for the way to it.
    pub(super) fn reach(&mut self, branch: Branch) {
        let Some(target) = self.trunks.remove(&branch) else { return };
        let mailbox = self.mailbox.clone();
        let place = self.shared.places().take(target.trunk, target.calls_max);
        let Ok(place) = place else {
            tokio::spawn(async move { mailbox.send(Message::Fork(branch, ForkNews::Full)).await });
            return;
        };
        let (endpoint, address) = (self.shared.endpoint.clone(), target.address.clone());
        let account = target.account.clone();
        self.ways.insert(branch, Way { target, flow: None, _place: place });
        tokio::spawn(async move {
            let news = match endpoint.reach(&address).await {
                Ok(flow) => ForkNews::Reached(flow.with_account(account)),
                Err(why) => ForkNews::Unreachable(why.to_string()),
            };
            mailbox.send(Message::Fork(branch, news)).await
        });
    }

    /// The calls that follow try this trunk last.
    pub(super) async fn trunk_silent(&self, trunk: TrunkId) {
        self.internal.send(Internal::TrunkSilent(trunk)).await.ok();
    }

    /// The listener that belongs to the way over which a leg is to be reached.
    pub(super) fn listener_of(&self, leg: LegId) -> Option<usize> {
        let way = self.ways.values().find(|way| way.target.leg == leg)?;
        way.flow.as_ref().map(|flow| flow.listener)
    }

    /// Whether this trunk is tried for the customer's side.
    pub(super) fn is_customers(&self, branch: Branch) -> bool {
        self.ways.get(&branch).is_some_and(|way| way.target.party == Party::Customer)
    }

    /// INVITE over a trunk.
    pub(super) fn invite_over(&mut self, branch: Branch, sdp: String) {
        let Some(Way { target, flow: Some(flow), .. }) = self.ways.get(&branch) else { return };
        let (flow, party) = (flow.clone(), target.party);
        let uri = target.address.uri(&target.number);
        let callee = format!("<sip:{}@{}>", escape_user(&target.number), target.address.host_port());
        let (caller, user) = match &target.caller_id {
            Some(number) => (format!("<sip:{}@{}>", escape_user(number), flow.local), number.as_str()),
            // RFC 3323 §4.1.1.3.
            None => ("\"Anonymous\" <sip:anonymous@anonymous.invalid>".to_owned(), "patchbay"),
        };
        let endpoint = &self.shared.endpoint;
        let mut dialog = Dialog::begin(&endpoint.token(), &caller, &endpoint.token(), &callee, &uri);
        let mut invite = dialog.request(Method::Invite);
        invite.headers.push("Contact", flow.contact(user));
        invite.headers.push("Allow", ALLOW);
        // Sessions of others than the customer have no timer of ours.
        if party == Party::Customer {
            invite.headers.push("Supported", "timer");
        }
        match &target.caller_id {
            Some(_) => invite.headers.push("P-Asserted-Identity", caller),
            None => invite.headers.push("Privacy", "id"),
        }
        self.send_invite(branch, party, (dialog, flow), (invite, sdp));
    }

    /// The customer's side of a call that we place is there now.
    pub(super) fn customer_answered(&mut self, branch: Branch, up: Established, timer: Option<SessionTimer>) {
        self.phones.remove(&branch);
        self.held().dialled = Some(up.clone());
        self.dialled = Some(branch);
        let Established { dialog, flow, acknowledged, .. } = up;
        let user = self.ways.get(&branch).and_then(|way| way.target.caller_id.clone());
        self.customer = Some(CustomerSide {
            dialog,
            tag: String::new(),
            flow,
            user: user.unwrap_or_else(|| "patchbay".to_owned()),
            timer,
            responder: None,
            acknowledged,
            place: None,
        });
    }
}
