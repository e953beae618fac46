//! Numbers that wrap around: sequence numbers and RTP timestamps (RFC 3550 §5.1).

/// An RTP sequence number: 16 bits that wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeqNo(pub u16);

impl SeqNo {
    /// The number after this one.
    pub const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
    /// This number and `n` more.
    pub const fn plus(self, n: u16) -> Self {
        Self(self.0.wrapping_add(n))
    }
    /// How far this number lies after `earlier`, negative when before: the shorter way around.
    pub const fn since(self, earlier: Self) -> i16 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }
}

/// An RTP timestamp: 32 bits that wrap around, counted in the clock of the payload type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RtpTimestamp(pub u32);

impl RtpTimestamp {
    /// This moment and `ticks` more.
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.wrapping_add(ticks))
    }
    /// How far this moment lies after `earlier`, negative when before.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_number_after_the_wrap_is_newer() {
        assert_eq!(SeqNo(65_535).next(), SeqNo(0));
        assert_eq!(SeqNo(2).since(SeqNo(65_534)), 4);
        assert_eq!(SeqNo(65_534).since(SeqNo(2)), -4);
    }

    #[test]
    fn a_timestamp_after_the_wrap_is_later() {
        assert_eq!(RtpTimestamp(u32::MAX).plus(160), RtpTimestamp(159));
        assert_eq!(RtpTimestamp(100).since(RtpTimestamp(u32::MAX - 59)), 160);
        assert_eq!(RtpTimestamp(u32::MAX - 59).since(RtpTimestamp(100)), -160);
    }
}
