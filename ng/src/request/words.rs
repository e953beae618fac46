//! What single keys may say.

/// An RTP profile of an m= line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `RTP/AVP`.
    Avp,
    /// `RTP/AVPF`.
    Avpf,
    /// `RTP/SAVP`.
    Savp,
    /// `RTP/SAVPF`.
    Savpf,
    /// `UDP/TLS/RTP/SAVP`.
    DtlsSavp,
    /// `UDP/TLS/RTP/SAVPF`.
    DtlsSavpf,
}

impl Profile {
    const ALL: [Self; 6] = [Self::Avp, Self::Avpf, Self::Savp, Self::Savpf, Self::DtlsSavp, Self::DtlsSavpf];

    /// As it stands in the m= line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avp => "RTP/AVP",
            Self::Avpf => "RTP/AVPF",
            Self::Savp => "RTP/SAVP",
            Self::Savpf => "RTP/SAVPF",
            Self::DtlsSavp => "UDP/TLS/RTP/SAVP",
            Self::DtlsSavpf => "UDP/TLS/RTP/SAVPF",
        }
    }
    /// Reads an m= line's profile.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name().eq_ignore_ascii_case(name))
    }
    /// Whether its packets are protected.
    pub const fn is_secure(self) -> bool {
        !matches!(self, Self::Avp | Self::Avpf)
    }
    /// Whether its keys come by DTLS.
    pub const fn is_dtls(self) -> bool {
        matches!(self, Self::DtlsSavp | Self::DtlsSavpf)
    }
}

/// What happens to ICE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ice {
    /// Ours where ICE was and can be.
    #[default]
    Default,
    /// None.
    Remove,
    /// Ours.
    Force,
}

/// What was asked for about DTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtls {
    /// Not to be used.
    Off,
    /// The far end opens the handshake.
    Passive,
    /// We open it.
    Active,
}

/// Wishes about RTCP on the RTP port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MuxWish {
    /// Accept it here and do not pass it on.
    pub demux: bool,
    /// Offer it although it was not.
    pub offer: bool,
    /// Accept it if it was offered here, whatever the other side says.
    pub accept: bool,
    /// Do not accept it here.
    pub reject: bool,
}

/// Lines that are replaced only when asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replace {
    /// The address in o=.
    pub origin: bool,
    /// The session's c= although each medium has its own.
    pub session_connection: bool,
    /// The zero address of an old-style hold.
    pub zero_address: bool,
}

/// How `a=rtcp` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RtcpAttribute {
    /// The port.
    #[default]
    Port,
    /// Port and address.
    Full,
    /// Not at all.
    Off,
}

/// Which SDES suites may be used, by their names in SDP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdes {
    /// None at all.
    pub off: bool,
    /// These not.
    pub without: Vec<String>,
    /// Only these, when there are any.
    pub only: Vec<String>,
}

impl Sdes {
    /// Whether a suite may be used.
    pub fn allows(&self, suite: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|name| name.eq_ignore_ascii_case(suite));
        !self.off && !named(&self.without) && (self.only.is_empty() || named(&self.only))
    }
}

/// What happens to the list of codecs on its way. Names are as in `a=rtpmap`, `all` is every codec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodecOps {
    /// Removed.
    pub strip: Vec<String>,
    /// Hidden from the other side, still usable here.
    pub mask: Vec<String>,
    /// As mask, and always converted.
    pub consume: Vec<String>,
    /// Added, and converted if chosen.
    pub transcode: Vec<String>,
    /// Kept in spite of strip and mask of all.
    pub except: Vec<String>,
    /// The same, and in this order.
    pub offer: Vec<String>,
    /// Taken from the offerer although the other side refused it.
    pub accept: Vec<String>,
    /// As if they had not been there.
    pub ignore: Vec<String>,
}
