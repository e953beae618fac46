//! What keeps a leg's packets secret, and keeping its state over re-negotiations.

use crate::control::{SrtpKey, SrtpSuite};
use crate::srtp::{Receiver, Sender, SrtpError};

/// How the packets of a leg are protected now.
#[derive(Default)]
pub(super) enum Protection {
    /// Not at all, as negotiated.
    #[default]
    Plain,
    /// It will be, but the keys are not there: nothing passes.
    Waiting,
    /// SRTP.
    Keyed(Box<Keyed>),
}

/// SRTP state with the keys it came from.
pub(super) struct Keyed {
    keys: (SrtpKey, SrtpKey),
    pub send: Sender,
    pub receive: Receiver,
}

impl Keyed {
    /// The ciphers; the same both ways.
    pub const fn suite(&self) -> SrtpSuite {
        self.keys.0.suite
    }
}

impl std::fmt::Debug for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Waiting => "Waiting",
            Self::Keyed(_) => "Keyed(hidden)",
        })
    }
}

impl Protection {
    /// Keys were negotiated. The half whose key did not change goes on with its roll-over counter and replay window
    /// (MEDIA-12); `new` says how, `self` is left as it is.
    pub fn check(send: &SrtpKey, receive: &SrtpKey) -> Result<Keyed, SrtpError> {
        Ok(Keyed {
            send: Sender::new(send)?,
            receive: Receiver::new(receive)?,
            keys: (send.clone(), receive.clone()),
        })
    }

    /// Goes over to new keys, keeping each half whose key is the same.
    pub fn rekey(&mut self, mut new: Keyed) {
        if let Self::Keyed(old) = self {
            if old.keys.0 == new.keys.0 {
                std::mem::swap(&mut old.send, &mut new.send);
            }
            if old.keys.1 == new.keys.1 {
                std::mem::swap(&mut old.receive, &mut new.receive);
            }
        }
        *self = Self::Keyed(Box::new(new));
    }

    /// Whether packets may leave.
    pub const fn is_ready(&self) -> bool {
        !matches!(self, Self::Waiting)
    }
    /// Whether a packet that passes proves who sent it.
    pub const fn proves(&self) -> bool {
        matches!(self, Self::Keyed(_))
    }

    /// Octets that protecting adds to an RTP packet.
    pub fn overhead(&self) -> usize {
        match self {
            Self::Plain | Self::Waiting => 0,
            Self::Keyed(keyed) => keyed.send.rtp_overhead(),
        }
    }

    /// A packet is near that is to be opened.
    pub fn fetch_receiver(&self) {
        if let Self::Keyed(keyed) = self {
            keyed.receive.fetch();
        }
    }
    /// A packet is near that is to be protected.
    pub fn fetch_sender(&self) {
        if let Self::Keyed(keyed) = self {
            keyed.send.fetch();
        }
    }

    /// Protects the packet in `buffer[..len]`; `None` when it may not leave.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        match self {
            Self::Plain => Some(len),
            Self::Waiting => None,
            Self::Keyed(keyed) => keyed.send.protect_rtp(buffer, len).ok(),
        }
    }
    /// Protects the reports in `buffer[..len]`; `None` when they may not leave.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Option<usize> {
        match self {
            Self::Plain => Some(len),
            Self::Waiting => None,
            Self::Keyed(keyed) => keyed.send.protect_rtcp(buffer, len).ok(),
        }
    }
}
