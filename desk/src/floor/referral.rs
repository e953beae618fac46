//! Transfers that agents ask for by the keys of their desk phones (SIP-04).
//!
//! A blind one is a transfer as from the page (XFER-05); an attended one passes the customer on to whom the agent called meanwhile (XFER-04),
//! whichever of its two calls the phone names first.

use model::call::{AfterJoin, CallOrder, ReferTo};
use model::id::{InteractionId, UserId};
use model::time::Timestamp;

use super::call::Call;
use super::core::{Core, Effect};
use super::facts::order;
use super::internal::as_rejection;
use crate::refusal::Refusal;

impl Core {
    /// The agent's phone asks; it is answered before anything is done, so that it stays in the call if nothing is.
    pub(super) fn referred(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        to: ReferTo,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let mut effects = Vec::new();
        let done = match to {
            ReferTo::Dialled(digits) => {
                let colleague = self.config.colleague_at(&digits).map(|user| user.id);
                let number = colleague.is_none().then_some(digits);
                self.transfer(agent, interaction, (None, colleague, number), now, &mut effects)
            }
            ReferTo::Call(other) => {
                let (customer, asked) = self.customer_first(agent, interaction, other);
                self.bring_over(agent, customer, asked, AfterJoin::Leave, &mut effects)
            }
        };
        let refused = done.err().map(|refusal: Refusal| {
            tracing::info!(%interaction, %agent, %refusal, "a transfer by the phone's keys was refused");
            as_rejection(&refusal)
        });
        out.push(order(CallOrder::AnswerReferral { interaction, agent, refused }));
        out.extend(effects);
    }

    /// Which of an agent's two calls is the customer's, and which the one about them.
    fn customer_first(
        &self,
        agent: UserId,
        one: InteractionId,
        other: InteractionId,
    ) -> (InteractionId, InteractionId) {
        let consults = |of: InteractionId| self.calls.get(&of).and_then(|call| call.consults);
        let placed =
            |of: InteractionId| self.calls.get(&of).is_some_and(|call: &Call| call.is_placed_by(agent));
        let swapped =
            consults(one) == Some(other) || (consults(other) != Some(one) && placed(one) && !placed(other));
        if swapped { (other, one) } else { (one, other) }
    }
}
