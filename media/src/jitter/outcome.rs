//! The answers of a [`super::Buffer`], and its counts.

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It waits for its time.
    Kept,
    /// Its time is over.
    Late,
    /// It was here before.
    Duplicate,
    /// Its number fits nothing so far, or its payload no place.
    Refused,
}

/// Whether delay should change while a frame is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Play as it is.
    Even,
    /// Take a pitch period out: more is waiting than needed.
    Faster,
    /// Put a pitch period in: the margin is thin.
    Slower,
}

/// What to play next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken<'a> {
    /// Decode this.
    Frame {
        /// The payload.
        payload: &'a [u8],
        /// Whether it begins another source: what a decoder remembers is not its past.
        fresh: bool,
        /// Whether delay should change.
        pace: Pace,
    },
    /// A frame is missing: conceal so many ticks.
    Lost {
        /// Ticks to conceal.
        ticks: u32,
        /// The payload that follows at once, which may carry a copy of what is missing.
        next: Option<&'a [u8]>,
    },
    /// Comfort noise until audio comes: its parameters.
    Noise(&'a [u8]),
    /// Nothing to play yet: before the first packet, in a pause, during a telephone event.
    Quiet,
}

/// What happened so far. Ticks are of the RTP clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets put, all of them.
    pub received: u64,
    /// Came after their time.
    pub late: u64,
    /// Never came, as far as is known now.
    pub lost: u64,
    /// Came twice.
    pub duplicates: u64,
    /// Fitted no place, or no sequence.
    pub refused: u64,
    /// Thrown away unplayed, because there were too many.
    pub overflowed: u64,
    /// Ticks concealed; pauses of the talker are not among them.
    pub concealed_ticks: u64,
    /// Frames shortened, and by how much.
    pub accelerated: u64,
    /// Ticks taken out.
    pub accelerated_ticks: u64,
    /// Frames lengthened.
    pub expanded: u64,
    /// Ticks put in.
    pub expanded_ticks: u64,
    /// Times the source or its timeline began anew.
    pub restarts: u64,
}
