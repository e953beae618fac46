//! Conferences, as control commands them.

use model::id::LegId;

/// Most speakers that [`Event::Speaking`](super::Event::Speaking) names.
pub const SPEAKERS_SHOWN: usize = 8;

/// What a room is opened with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSetup {
    /// Most parties at a time, 2 to 64.
    pub parties_max: usize,
    /// So many of the loudest are heard at a time, at least one. Three is usual: more voices at once nobody understands.
    pub speakers: usize,
    /// Who is in it from the first moment on, coaches behind those they coach. A call that becomes a conference names its legs
    /// here, so that none of them hears a gap.
    pub parties: Vec<(LegId, RoomRole)>,
}

/// What a party may hear and who may hear it. Each change of role sets anew who hears the party; single pairs are changed
/// after it ([`RoomOrder::SetAudible`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomRole {
    /// Hears everybody, is heard by everybody. A supervisor who barges in becomes one.
    Member,
    /// Hears everybody, is heard by nobody.
    Monitor,
    /// Hears everybody, is heard by this leg only; by nobody while that is not in the room.
    Coach(LegId),
}

/// What can be ordered of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomOrder {
    /// Opens it. All of its legs live on one media thread, that of the first party; the room never moves.
    Open(RoomSetup),
    /// A leg joins: from now on it hears the others, and they hear it. What it heard before ends; legs that hear it directly go
    /// on hearing it.
    Join {
        /// The leg; in no room yet.
        leg: LegId,
        /// What it is there.
        role: RoomRole,
    },
    /// A leg becomes something else.
    SetRole {
        /// The leg.
        leg: LegId,
        /// What it is from now on.
        role: RoomRole,
    },
    /// Whether one leg hears another, whatever their roles say.
    SetAudible {
        /// Who listens.
        listener: LegId,
        /// Who speaks.
        speaker: LegId,
        /// Whether it is heard.
        audible: bool,
    },
    /// A leg leaves, and hears nothing. One that is told to hear something else leaves as well.
    Leave {
        /// The leg.
        leg: LegId,
    },
    /// Ends the room; whoever is in it hears nothing.
    Close,
}
