//! Payload types and what they mean.

use model::media::Codec;

/// One payload type of an m= line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// 0 to 127.
    pub payload_type: u8,
    /// As in `a=rtpmap`; empty when it is dynamic and nobody says what it is.
    pub name: String,
    /// RTP clock.
    pub clock_hz: u32,
    /// Channels.
    pub channels: u8,
    /// Lines that follow its rtpmap: fmtp, rtcp-fb.
    pub lines: Vec<String>,
}

/// Static payload types (RFC 3551 §6) that are still met.
const STATIC: [(u8, &str, u32, u8); 14] = [
    (0, "PCMU", 8_000, 1),
    (3, "GSM", 8_000, 1),
    (4, "G723", 8_000, 1),
    (5, "DVI4", 8_000, 1),
    (6, "DVI4", 16_000, 1),
    (7, "LPC", 8_000, 1),
    (8, "PCMA", 8_000, 1),
    (9, "G722", 8_000, 1),
    (10, "L16", 44_100, 2),
    (11, "L16", 44_100, 1),
    (12, "QCELP", 8_000, 1),
    (13, "CN", 8_000, 1),
    (15, "G728", 8_000, 1),
    (18, "G729", 8_000, 1),
];

impl Format {
    /// What a payload type means by itself.
    pub(super) fn fixed(payload_type: u8) -> Self {
        let found = STATIC.iter().find(|(known, ..)| *known == payload_type);
        let (_, name, clock_hz, channels) = found.copied().unwrap_or((payload_type, "", 8_000, 1));
        Self { payload_type, name: name.to_owned(), clock_hz, channels, lines: Vec::new() }
    }

    /// A codec of ours.
    pub fn of(codec: Codec, payload_type: u8) -> Self {
        let name = codec.sdp_name().to_owned();
        Self {
            payload_type,
            name,
            clock_hz: codec.clock_hz(),
            channels: codec.sdp_channels(),
            lines: Vec::new(),
        }
    }

    /// Telephone events at a clock.
    pub fn events(payload_type: u8, clock_hz: u32) -> Self {
        let lines = vec![format!("a=fmtp:{payload_type} 0-15")];
        Self { payload_type, name: "telephone-event".to_owned(), clock_hz, channels: 1, lines }
    }

    /// Takes over an `a=rtpmap` value behind the payload type: `PCMA/8000`.
    pub(super) fn map(&mut self, value: &str) {
        let mut parts = value.trim().split('/');
        self.name = parts.next().unwrap_or_default().to_owned();
        self.clock_hz = parts.next().and_then(|clock| clock.parse().ok()).unwrap_or(8_000);
        self.channels = parts.next().and_then(|channels| channels.parse().ok()).unwrap_or(1);
    }

    /// Its `a=rtpmap`; `None` when nothing is known of it.
    pub(super) fn rtpmap(&self) -> Option<String> {
        if self.name.is_empty() {
            return None;
        }
        let mut line = format!("a=rtpmap:{} {}/{}", self.payload_type, self.name, self.clock_hz);
        if self.channels > 1 {
            line.push_str(&format!("/{}", self.channels));
        }
        Some(line)
    }

    /// The codec of ours that it is.
    pub fn codec(&self) -> Option<Codec> {
        if (64..=95).contains(&self.payload_type) {
            return None;
        }
        Codec::ALL.into_iter().find(|codec| {
            codec.is_named(&self.name)
                && codec.clock_hz() == self.clock_hz
                && (*codec == Codec::Opus || self.channels == 1)
        })
    }

    /// One of the parameters of its `a=fmtp`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let (_, entries) =
            self.lines.iter().find_map(|line| line.strip_prefix("a=fmtp:")?.split_once(' '))?;
        let mut pairs = entries.split(';').filter_map(|entry| entry.trim().split_once('='));
        pairs.find(|(known, _)| known.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Whether it is G.729 from which silence may be left out: so it is, unless it says no (RFC 4856 §2.1.9).
    pub fn takes_annexb(&self) -> bool {
        self.codec() == Some(Codec::G729)
            && !self.parameter("annexb").is_some_and(|value| value.eq_ignore_ascii_case("no"))
    }

    /// Whether it is telephone events at a clock the plane counts.
    pub fn is_events(&self) -> bool {
        self.name.eq_ignore_ascii_case("telephone-event") && matches!(self.clock_hz, 8_000 | 16_000 | 48_000)
    }

    /// Whether it is comfort noise as the plane understands it.
    pub fn is_noise(&self) -> bool {
        self.name.eq_ignore_ascii_case("CN") && self.clock_hz == 8_000 && self.channels == 1
    }

    /// Whether packets of it are passed on without being understood: codecs we have not, video, repairs of it.
    pub fn is_passed(&self) -> bool {
        let speakable = !(64..=95).contains(&self.payload_type) && (1_000..=192_000).contains(&self.clock_hz);
        speakable && self.codec().is_none() && !self.is_events()
    }

    /// Whether the plane can carry it.
    pub fn is_carried(&self) -> bool {
        self.codec().is_some() || self.is_events() || self.is_passed()
    }

    /// Whether it is a medium by itself, not something beside one.
    pub fn is_main(&self) -> bool {
        let beside = ["telephone-event", "CN", "rtx", "red", "ulpfec", "flexfec-03"];
        !beside.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    /// The format among these that means the same: best the one with its payload type, because names may come twice with
    /// other parameters.
    pub fn twin<'a>(&self, among: &'a [Self]) -> Option<&'a Self> {
        let same = |other: &&Self| self.is_same(other);
        let exact = among.iter().filter(same).find(|other| other.payload_type == self.payload_type);
        exact.or_else(|| among.iter().find(same))
    }

    /// Whether both mean the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name)
            && self.clock_hz == other.clock_hz
            && self.channels == other.channels
    }

    /// Whether a proxy's name means it: `PCMA`, `opus/48000/2`, `telephone-event/8000`, `all`.
    pub fn is_called(&self, spec: &str) -> bool {
        let mut parts = spec.split('/');
        let name = parts.next().unwrap_or_default();
        if matches!(name, "all" | "full") {
            return true;
        }
        let fits =
            |part: Option<&str>, own: u32| part.is_none_or(|text| text.is_empty() || text.parse() == Ok(own));
        name.eq_ignore_ascii_case(&self.name)
            && fits(parts.next(), self.clock_hz)
            && fits(parts.next(), u32::from(self.channels))
    }
}

/// A payload type for a codec that is added: its static one, else the first dynamic one that is free.
pub fn free_type(codec: Option<Codec>, used: &[Format]) -> Option<u8> {
    let is_free = |candidate: &u8| used.iter().all(|format| format.payload_type != *candidate);
    let own = codec.and_then(Codec::static_type);
    own.filter(is_free).or_else(|| (96..=127).find(is_free))
}
