//! A final refusal, and what it means for a number that was dialled (OUT-13).
//!
//! Gateways fold what the telephone network says into few SIP statuses, each in its own way (RFC 3398 §8.2.6.1): a busy line comes
//! as 486, as 480 or as 503. The cause of Q.850 itself travels in `Reason` (RFC 3326; in responses RFC 6432). Where it speaks
//! of the one who was called, it is believed before the status; what it says of the network is left to the status.

use model::call::DialFailure;

use crate::endpoint::message::{Headers, parameter};

/// A final answer from 300 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// The cause of Q.850 that came with it.
    pub cause: Option<u8>,
}

impl From<u16> for Refusal {
    /// A refusal that names no cause.
    fn from(status: u16) -> Self {
        Self { status, cause: None }
    }
}

impl Refusal {
    /// What it means; `None`: the trunk does not work, and the next one may.
    pub(super) fn failure(self) -> Option<DialFailure> {
        self.cause.and_then(of_cause).or_else(|| of_status(self.status))
    }
}

/// The Q.850 cause of a response; 0 to 127. Other protocols' reasons (`SIP`, `X.int`) are passed over.
pub(crate) fn q850(headers: &Headers) -> Option<u8> {
    headers.list("Reason").into_iter().find_map(|reason| {
        let (protocol, parameters) = reason.split_once(';')?;
        let cause =
            parameter(parameters, "cause").filter(|_| protocol.trim().eq_ignore_ascii_case("Q.850"))?;
        cause.parse().ok().filter(|cause| *cause < 128)
    })
}

fn of_cause(cause: u8) -> Option<DialFailure> {
    match cause {
        // Unallocated number; number changed.
        1 | 22 => Some(DialFailure::NotFound),
        // Barred by the operator (3GPP TS 24.008 §10.5.4.11); incoming calls barred, of everybody and within the group.
        8 | 54 | 55 => Some(DialFailure::Barred),
        17 => Some(DialFailure::Busy),
        // No user responding; no answer from the user.
        18 | 19 => Some(DialFailure::NoAnswer),
        // Subscriber absent.
        20 => Some(DialFailure::PhoneOff),
        21 => Some(DialFailure::Rejected),
        _ => None,
    }
}

fn of_status(status: u16) -> Option<DialFailure> {
    match status {
        // Credentials are for us and the carrier to sort out; 408 is the carrier's, who reached nobody.
        401 | 407 | 408 | 500..=599 => None,
        404 | 410 | 484 | 604 => Some(DialFailure::NotFound),
        480 | 487 => Some(DialFailure::NoAnswer),
        486 | 600 => Some(DialFailure::Busy),
        _ => Some(DialFailure::Rejected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, reason: &str) -> Option<DialFailure> {
        Refusal { status, cause: q850(&Headers::new().with("Reason", reason)) }.failure()
    }

    /// OUT-13: the network's cause says what became of the call, whatever the carrier's gateway made of it.
    #[test]
    fn the_cause_of_the_network_is_believed_before_the_status() {
        for (status, reason, why) in [
            (480, "Q.850;cause=20", DialFailure::PhoneOff),
            (480, "Q.850 ;cause=020;text=\"Subscriber absent; try, later\"", DialFailure::PhoneOff),
            (503, "q.850;text=\"busy\";cause=17", DialFailure::Busy),
            (403, "SIP;cause=403, Q.850;cause=54", DialFailure::Barred),
            (480, "Q.850;cause=1", DialFailure::NotFound),
            (408, "Q.850;cause=18", DialFailure::NoAnswer),
            (500, "Q.850;cause=21", DialFailure::Rejected),
        ] {
            assert_eq!(meaning(status, reason), Some(why), "{status} {reason}");
        }
    }

    /// What speaks of the network, of something else or of nothing leaves it to the status.
    #[test]
    fn causes_that_do_not_speak_of_the_one_called_change_nothing() {
        for reason in [
            "Q.850;cause=16",
            "Q.850;cause=34",
            "SIP;cause=17",
            "Q.850;cause=",
            "Q.850;cause=300",
            "Q.850",
            "",
        ] {
            assert_eq!(meaning(486, reason), Some(DialFailure::Busy), "{reason}");
            assert_eq!(meaning(503, reason), None, "the next trunk is tried: {reason}");
        }
        assert_eq!(Refusal::from(480).failure(), Some(DialFailure::NoAnswer));
    }
}
