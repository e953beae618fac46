//! One INVITE to one phone or trunk, from sending it to its end. Pure; style of RFC 3261 §9, §13 and §17.
//!
//! It lives in a task of its own that outlives the call: a CANCEL that crosses a 200 makes a call that must be ended as
//! one, whether or not anybody still cares.

/// What happened to the INVITE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkInput {
    /// 100 to 199.
    Provisional,
    /// 2xx.
    Answered,
    /// 3xx to 6xx, with its status.
    Refused(u16),
    /// No answer, or no way to send.
    Failed,
    /// Nobody wants it any more.
    Unwanted,
}

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForkOutput {
    /// CANCEL.
    SendCancel,
    /// ACK of the 2xx.
    SendAck,
    /// BYE: it was answered, but nobody wants it.
    SendBye,
    /// Tell the call of the provisional response.
    TellProgress,
    /// Tell the call that the phone was picked up. If the call is gone: BYE.
    TellAnswered,
    /// Tell the call of the refusal.
    TellRefused(u16),
    /// Tell the call that the phone cannot be reached.
    TellUnreachable,
}

/// Its states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fork {
    /// Sent; nothing came back yet.
    #[default]
    Calling,
    /// Something came back.
    Ringing,
    /// To be cancelled as soon as something comes back: before, CANCEL is forbidden (§9.1).
    CancelLater,
    /// CANCEL is out.
    Cancelling,
    /// Picked up, and handed to the call.
    Answered,
    /// Done.
    Over,
}

impl Fork {
    /// Moves on.
    pub fn handle(&mut self, input: ForkInput) -> Vec<ForkOutput> {
        use ForkInput as I;
        use ForkOutput as O;
        let (next, outputs) = match (*self, input) {
            (Self::Calling | Self::Ringing, I::Provisional) => (Self::Ringing, vec![O::TellProgress]),
            (Self::CancelLater, I::Provisional) => (Self::Cancelling, vec![O::SendCancel]),
            (Self::Calling | Self::Ringing, I::Answered) => {
                (Self::Answered, vec![O::SendAck, O::TellAnswered])
            }
            // The 200 crossed our CANCEL, or came where none could be sent yet (§13.2.2.4, §15).
            (Self::CancelLater | Self::Cancelling, I::Answered) => (Self::Over, vec![O::SendAck, O::SendBye]),
            (Self::Calling | Self::Ringing, I::Refused(status)) => (Self::Over, vec![O::TellRefused(status)]),
            (Self::Calling | Self::Ringing, I::Failed) => (Self::Over, vec![O::TellUnreachable]),
            (Self::CancelLater | Self::Cancelling, I::Refused(_) | I::Failed) => (Self::Over, vec![]),
            (Self::Calling, I::Unwanted) => (Self::CancelLater, vec![]),
            (Self::Ringing, I::Unwanted) => (Self::Cancelling, vec![O::SendCancel]),
            (Self::Answered, I::Unwanted) => (Self::Over, vec![O::SendBye]),
            (state, _) => (state, vec![]),
        };
        *self = next;
        outputs
    }

    /// Whether nothing can follow.
    pub fn is_over(self) -> bool {
        self == Self::Over
    }
}

#[cfg(test)]
mod tests {
    use super::ForkInput::*;
    use super::ForkOutput::*;
    use super::*;

    fn run(inputs: &[ForkInput]) -> Vec<ForkOutput> {
        let mut fork = Fork::default();
        inputs.iter().flat_map(|i| fork.handle(*i)).collect()
    }

    #[test]
    fn a_phone_that_rings_and_is_picked_up() {
        let told = [TellProgress, TellProgress, SendAck, TellAnswered];
        assert_eq!(run(&[Provisional, Provisional, Answered]), told);
    }

    #[test]
    fn no_cancel_before_the_phone_has_said_something() {
        assert_eq!(run(&[Unwanted]), []);
        assert_eq!(run(&[Unwanted, Provisional]), [SendCancel]);
        assert_eq!(run(&[Unwanted, Provisional, Refused(487)]), [SendCancel]);
    }

    #[test]
    fn a_pick_up_that_crosses_our_cancel_is_acknowledged_and_ended() {
        let told = [TellProgress, SendCancel, SendAck, SendBye];
        assert_eq!(run(&[Provisional, Unwanted, Answered]), told);
        assert_eq!(run(&[Unwanted, Answered]), [SendAck, SendBye]);
        let told = [TellProgress, SendAck, TellAnswered, SendBye];
        assert_eq!(run(&[Provisional, Answered, Unwanted]), told);
    }

    #[test]
    fn a_refusal_is_told_once_and_never_after_a_cancel() {
        assert_eq!(run(&[Provisional, Refused(486), Refused(486)]), [TellProgress, TellRefused(486)]);
        assert_eq!(run(&[Failed]), [TellUnreachable]);
        assert_eq!(run(&[Provisional, Unwanted, Failed]), [TellProgress, SendCancel]);
    }
}
