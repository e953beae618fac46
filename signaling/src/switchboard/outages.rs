//! Trunks that did not answer a call: they are tried last, and asked whether they are back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::id::TrunkId;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::shared::Shared;
use super::{Internal, Switchboard};
use crate::endpoint::Account;
use crate::endpoint::dialog::Dialog;
use crate::endpoint::message::Method;
use crate::endpoint::reach::TrunkAddress;
use crate::trunk::outage::{Input, Outage, Output};

/// Trunks that are out, by where they were.
#[derive(Default)]
pub(super) struct Outages(HashMap<TrunkId, (TrunkAddress, AbortOnDropHandle<()>)>);

impl Outages {
    /// The order in which trunks are tried: those that are out come last, and else it stays as it is.
    pub(super) fn order(&self, trunks: &[TrunkId]) -> Vec<TrunkId> {
        let mut order = trunks.to_vec();
        order.sort_by_key(|trunk| self.0.contains_key(trunk));
        order
    }
}

impl Switchboard {
    /// A call found a trunk silent.
    pub(super) fn trunk_silent(&mut self, trunk: TrunkId) {
        let accounts = self.accounts.get();
        let Some(found) = accounts.trunk(trunk).filter(|_| !self.outages.0.contains_key(&trunk)) else {
            return;
        };
        let Some(address) = found.target.as_deref().and_then(TrunkAddress::parse) else { return };
        tracing::warn!(trunk = %found.name, "a trunk does not answer: it is tried last until it does");
        let asking = Asking {
            shared: self.shared.clone(),
            internal: self.internal.clone(),
            trunk,
            address: address.clone(),
            account: accounts.account(trunk),
        };
        let task = AbortOnDropHandle::new(tokio::spawn(asking.run()));
        self.outages.0.insert(trunk, (address, task));
    }

    /// An outage is over.
    pub(super) fn trunk_back(&mut self, trunk: TrunkId) {
        if self.outages.0.remove(&trunk).is_some() {
            tracing::info!(%trunk, "a trunk that did not answer is tried in its turn again");
        }
    }

    /// Forgets the outages of trunks that are gone, or are elsewhere now.
    pub(super) fn forget_outages(&mut self) {
        let accounts = self.accounts.get();
        self.outages.0.retain(|trunk, (address, _)| {
            let target = accounts.trunk(*trunk).and_then(|trunk| trunk.target.as_deref());
            target.and_then(TrunkAddress::parse).as_ref() == Some(address)
        });
    }
}

/// Asks a trunk until it is back.
struct Asking {
    shared: Arc<Shared>,
    internal: mpsc::Sender<Internal>,
    trunk: TrunkId,
    address: TrunkAddress,
    account: Option<Account>,
}

impl Asking {
    async fn run(self) {
        let mut outage = Outage::begin(self.shared.now());
        let mut input = Input::Tick;
        loop {
            input = match outage.handle(input, self.shared.now()) {
                Some(Output::Ask) => self.ask().await,
                Some(Output::Over) => break,
                None => {
                    let patience = outage.deadline().since(self.shared.now());
                    // A clock that was set may not hold it up.
                    tokio::time::sleep(patience.min(Duration::from_secs(60))).await;
                    Input::Tick
                }
            };
        }
        self.internal.send(Internal::TrunkBack(self.trunk)).await.ok();
    }

    async fn ask(&self) -> Input {
        let Ok(flow) = self.shared.endpoint.reach(&self.address).await else { return Input::Silent };
        let flow = flow.with_account(self.account.clone());
        let endpoint = &self.shared.endpoint;
        let (us, them) = (format!("<sip:patchbay@{}>", flow.local), self.address.server());
        let mut dialog =
            Dialog::begin(&endpoint.token(), &us, &endpoint.token(), &format!("<{them}>"), &them);
        let mut options = dialog.request(Method::Options);
        options.headers.push("Contact", flow.contact("patchbay"));
        options.headers.push("Accept", "application/sdp");
        match endpoint.request(&flow, options).await {
            Ok(response) => Input::Answered(response.status),
            Err(_) => Input::Silent,
        }
    }
}
