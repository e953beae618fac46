//! Payload types: which mean a codec we have, and how our own choice is written.

use media::codec::Shape;
use media::control::{EventFormat, Format, LegSetup};
use model::media::Codec;

use super::ability::{Ability, FarEnd};
use super::description::{Attribute, Media};
use super::parse::number;

/// Payload types for what we offer, unless the session gave them other ones before. Those that Chromium uses.
const OPUS: u8 = 111;
const EVENTS_48K: u8 = 110;
const EVENTS_8K: u8 = 101;
/// Where dynamic payload types live (RFC 3551 §6).
const DYNAMIC: std::ops::RangeInclusive<u8> = 96..=127;

/// What the far end wants of the Opus it receives (RFC 7587 §6.1). Values out of their range count as not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpusParameters {
    /// `maxplaybackrate`: it renders no more than this, 8000 to 48000 Hz.
    pub playback_rate_max_hz: u32,
    /// `maxaveragebitrate`: 6000 to 510000 bit/s.
    pub average_bitrate_max: Option<u32>,
    /// `useinbandfec`: it makes use of in-band FEC.
    pub fec: bool,
    /// `usedtx`: it wants silence not to be sent.
    pub dtx: bool,
    /// `cbr`: it wants constant bit rate.
    pub cbr: bool,
    /// `stereo`: it prefers two channels. We always send one.
    pub stereo: bool,
}

impl OpusParameters {
    /// For the encoder of what we send it.
    pub(super) const fn shape(&self) -> Shape {
        Shape {
            playback_rate_max_hz: self.playback_rate_max_hz,
            average_bitrate_max: self.average_bitrate_max,
            fec: self.fec,
            dtx: self.dtx,
            cbr: self.cbr,
        }
    }

    pub(super) fn of(media: &Media, payload_type: u8) -> Self {
        let parameters = media.format_parameters(payload_type);
        let value = |name: &str, range: std::ops::RangeInclusive<u32>| {
            let (_, value) = parameters.iter().find(|(n, _)| n == name)?;
            number::<u32>(value).ok().filter(|v| range.contains(v))
        };
        let flag = |name| value(name, 0..=1) == Some(1);
        Self {
            playback_rate_max_hz: value("maxplaybackrate", 8_000..=48_000).unwrap_or(48_000),
            average_bitrate_max: value("maxaveragebitrate", 6_000..=510_000),
            fec: flag("useinbandfec"),
            dtx: flag("usedtx"),
            cbr: flag("cbr"),
            stereo: flag("stereo"),
        }
    }
}

/// Whether the far end takes G.729 with silence left out: yes, unless it says no (RFC 4856 §2.1.9).
pub(super) fn takes_annexb(media: &Media, payload_type: u8) -> bool {
    let parameters = media.format_parameters(payload_type);
    !parameters.iter().any(|(name, value)| name == "annexb" && value.eq_ignore_ascii_case("no"))
}

/// The codec that a payload type of a media line means, if it is one of ours.
pub(super) fn codec_of(media: &Media, payload_type: u8) -> Option<Codec> {
    let map = media.rtp_map(payload_type)?;
    Codec::ALL.into_iter().find(|codec| {
        codec.is_named(&map.encoding)
            && map.clock_hz == codec.clock_hz()
            && map.channels == codec.sdp_channels()
    })
}

/// The first payload type of a media line that means this codec.
pub(super) fn payload_type_of(media: &Media, codec: Codec) -> Option<u8> {
    media.payload_types().find(|pt| codec_of(media, *pt) == Some(codec))
}

/// The telephone events to use beside a codec.
///
/// Events share the codec's stream and so should have its clock (RFC 4733 §2.1); where the far end offers them only
/// at 8 kHz beside Opus, as many phones do, that is taken rather than nothing.
pub(super) fn events_of(media: &Media, beside: Codec) -> Option<EventFormat> {
    let all: Vec<EventFormat> = media
        .payload_types()
        .filter_map(|pt| media.rtp_map(pt))
        .filter(|map| map.encoding.eq_ignore_ascii_case("telephone-event") && map.channels == 1)
        .filter(|map| matches!(map.clock_hz, 8_000 | 48_000))
        .map(|map| EventFormat { payload_type: map.payload_type, clock_hz: map.clock_hz })
        .collect();
    let at = |hz| all.iter().copied().find(|events| events.clock_hz == hz);
    at(beside.clock_hz()).or_else(|| at(8_000).filter(|_| beside == Codec::Opus))
}

/// Comfort noise (RFC 3389) beside G.711, whose noise it is made for. G.729 describes its own.
pub(super) fn comfort_noise_of(media: &Media, beside: Codec) -> Option<u8> {
    let is_noise = |pt: &u8| {
        media.rtp_map(*pt).is_some_and(|map| {
            map.encoding.eq_ignore_ascii_case("CN") && map.clock_hz == 8_000 && map.channels == 1
        })
    };
    media.payload_types().find(is_noise).filter(|_| matches!(beside, Codec::Pcmu | Codec::Pcma))
}

/// The packet time we send with: the far end's wish within its limit and ours, or our own wish.
pub(super) fn ptime_ms(media: &Media, payload_type: u8, codec: Codec, own_ms: u8) -> u8 {
    let wish = media.ptime_ms().unwrap_or(u32::from(own_ms)).min(media.maxptime_ms().unwrap_or(60));
    // Opus packets hold 10, 20, 40 or 60 ms in one frame or a few of 20 (RFC 6716 §2.1.4).
    let steps: &[u8] = match codec {
        Codec::Opus => &[10, 20, 40, 60],
        Codec::Pcmu | Codec::Pcma | Codec::G722 | Codec::G729 => &[10, 20, 30, 40, 50, 60],
    };
    let parameters = media.format_parameters(payload_type);
    let least = parameters
        .iter()
        .find(|(name, _)| codec == Codec::Opus && name == "minptime")
        .and_then(|(_, value)| number::<u32>(value).ok())
        .unwrap_or(0);
    let fits = |ms: &&u8| u32::from(**ms) <= wish.max(least);
    steps.iter().rev().find(fits).or(steps.first()).copied().unwrap_or(20)
}

/// What stands on our audio line: formats in order, events, packet time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AudioFormats {
    pub formats: Vec<(u8, Codec)>,
    pub events: Vec<EventFormat>,
    /// Payload type of comfort noise. Never offered by us: far ends that see it begin to suppress silence.
    pub comfort_noise: Option<u8>,
    pub ptime_ms: u8,
    /// What we tell the far end of the Opus we wish for, beside what everybody is told.
    pub opus_wish: &'static str,
    /// Silence may be left out of G.729.
    pub annexb: bool,
}

/// What a browser is asked for. Left to itself, Chromium sends the full band with 32 kbit/s: 67 on the wire, where an agent's
/// line is planned with 60, and twice our work to decode it, for telephones that render 4 kHz of it. Wide is enough for the
/// calls among colleagues, which are passed on as they come.
const BROWSERS_OPUS: &str = ";maxplaybackrate=16000;maxaveragebitrate=19000";

pub(super) const fn opus_wish(far_end: FarEnd) -> &'static str {
    match far_end {
        FarEnd::WebRtc => BROWSERS_OPUS,
        FarEnd::Sip => "",
    }
}

impl AudioFormats {
    /// All that we can do, for an offer. Payload types that the session knows keep their meaning (RFC 3264 §8.3.2).
    pub fn to_offer(ability: &Ability, before: Option<&Media>) -> Self {
        let Ability { codecs, events, ptime_ms, far_end, annexb, .. } = ability;
        let mut used: Vec<u8> = before.map(|m| m.payload_types().collect()).unwrap_or_default();
        let mut formats = Vec::new();
        for codec in codecs.iter().copied() {
            let known = before.and_then(|m| payload_type_of(m, codec));
            let payload_type = codec.static_type().or(known).unwrap_or_else(|| free(&mut used, OPUS));
            if !formats.contains(&(payload_type, codec)) {
                formats.push((payload_type, codec));
            }
        }
        let mut event_formats: Vec<EventFormat> = Vec::new();
        for (_, codec) in formats.iter().filter(|_| *events) {
            let clock_hz = codec.clock_hz();
            if event_formats.iter().any(|e| e.clock_hz == clock_hz) {
                continue;
            }
            let known = before.and_then(|m| events_of(m, *codec)).filter(|e| e.clock_hz == clock_hz);
            let usual = if clock_hz == 8_000 { EVENTS_8K } else { EVENTS_48K };
            let fresh = || EventFormat { payload_type: free(&mut used, usual), clock_hz };
            event_formats.push(known.unwrap_or_else(fresh));
        }
        let opus_wish = opus_wish(*far_end);
        Self {
            formats,
            events: event_formats,
            comfort_noise: None,
            ptime_ms: *ptime_ms,
            opus_wish,
            annexb: *annexb,
        }
    }

    /// What was chosen, for an answer.
    pub fn chosen(send: Format, setup: &LegSetup, far_end: FarEnd) -> Self {
        Self {
            formats: vec![(send.payload_type, send.codec)],
            events: setup.events.into_iter().collect(),
            comfort_noise: setup.comfort_noise,
            ptime_ms: send.ptime_ms,
            opus_wish: opus_wish(far_end),
            annexb: setup.shape.dtx,
        }
    }

    /// The payload types for the `m=` line.
    pub fn payload_types(&self) -> Vec<String> {
        let codecs = self.formats.iter().map(|(pt, _)| pt.to_string());
        let noise = self.comfort_noise.map(|pt| pt.to_string());
        codecs.chain(noise).chain(self.events.iter().map(|e| e.payload_type.to_string())).collect()
    }

    /// The lines that explain them.
    pub fn attributes(&self) -> Vec<Attribute> {
        let mut lines = Vec::new();
        for (pt, codec) in &self.formats {
            let channels = if codec.sdp_channels() == 2 { "/2" } else { "" };
            let map = format_args!("{pt} {}/{}{channels}", codec.sdp_name(), codec.clock_hz()).to_string();
            lines.push(Attribute::new("rtpmap", map));
            match codec {
                Codec::Opus => lines.push(Attribute::new(
                    "fmtp",
                    format_args!("{pt} minptime=10;useinbandfec=1{}", self.opus_wish),
                )),
                // Said always: what it means to say nothing is forgotten by many (RFC 7261 §3).
                Codec::G729 => {
                    let annexb = if self.annexb { "yes" } else { "no" };
                    lines.push(Attribute::new("fmtp", format_args!("{pt} annexb={annexb}")));
                }
                Codec::Pcmu | Codec::Pcma | Codec::G722 => {}
            }
        }
        if let Some(payload_type) = self.comfort_noise {
            lines.push(Attribute::new("rtpmap", format_args!("{payload_type} CN/8000")));
        }
        for EventFormat { payload_type, clock_hz } in &self.events {
            lines.push(Attribute::new("rtpmap", format_args!("{payload_type} telephone-event/{clock_hz}")));
            lines.push(Attribute::new("fmtp", format_args!("{payload_type} 0-15")));
        }
        lines.push(Attribute::new("ptime", self.ptime_ms));
        lines.push(Attribute::new("maxptime", 60));
        lines
    }
}

/// The usual payload type, or the first one that is free.
fn free(used: &mut Vec<u8>, usual: u8) -> u8 {
    let payload_type = std::iter::once(usual).chain(DYNAMIC).find(|pt| !used.contains(pt)).unwrap_or(usual);
    used.push(payload_type);
    payload_type
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::Sdp;

    fn audio(lines: &str) -> Media {
        let text = format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n{lines}");
        Sdp::parse(text.as_bytes()).unwrap().media.remove(0)
    }

    /// SIP-05: packet time is the far end's wish within what both can do.
    #[test]
    fn the_packet_time_follows_the_far_end_within_its_limit_and_ours() {
        for (lines, codec, sent) in [
            ("", Codec::Pcma, 20),
            ("a=ptime:30\r\n", Codec::Pcma, 30),
            ("a=ptime:35\r\n", Codec::Pcma, 30),
            ("a=ptime:30\r\n", Codec::Opus, 20),
            ("a=ptime:5\r\n", Codec::Pcma, 10),
            ("a=ptime:120\r\n", Codec::Opus, 60),
            ("a=maxptime:10\r\n", Codec::Pcma, 10),
            ("a=ptime:40\r\na=maxptime:20\r\n", Codec::Opus, 20),
            ("a=fmtp:111 minptime=40\r\n", Codec::Opus, 40),
            ("a=ptime:0\r\n", Codec::Opus, 10),
            ("a=ptime:4294967296\r\n", Codec::Pcma, 20),
        ] {
            let media = audio(&format!("m=audio 4000 RTP/AVP 8 111\r\na=rtpmap:111 opus/48000/2\r\n{lines}"));
            assert_eq!(ptime_ms(&media, 111, codec, 20), sent, "{lines} {codec:?}");
        }
    }

    #[test]
    fn a_codec_counts_only_with_its_own_clock_and_channels() {
        let media = audio(
            "m=audio 4000 RTP/AVP 0 8 96 97 98 99\r\na=rtpmap:0 GSM/8000\r\na=rtpmap:96 opus/48000\r\n\
             a=rtpmap:97 OPUS/48000/2\r\na=rtpmap:98 PCMU/16000\r\na=rtpmap:99 pcmu/8000/1\r\n",
        );
        let codecs: Vec<_> = media.payload_types().map(|pt| codec_of(&media, pt)).collect();
        assert_eq!(
            codecs,
            [None, Some(Codec::Pcma), None, Some(Codec::Opus), None, Some(Codec::Pcmu)],
            "0 is GSM here, whatever its static meaning"
        );
    }

    #[test]
    fn events_take_the_clock_of_the_codec() {
        let both = audio(
            "m=audio 4000 RTP/AVP 0 111 101 110\r\na=rtpmap:111 opus/48000/2\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=rtpmap:110 telephone-event/48000\r\n",
        );
        assert_eq!(events_of(&both, Codec::Opus).unwrap().payload_type, 110);
        assert_eq!(events_of(&both, Codec::Pcmu).unwrap().payload_type, 101);
        let slow = audio("m=audio 4000 RTP/AVP 111 101\r\na=rtpmap:101 telephone-event/8000\r\n");
        assert_eq!(events_of(&slow, Codec::Opus).unwrap().clock_hz, 8_000);
        let fast = audio("m=audio 4000 RTP/AVP 0 110\r\na=rtpmap:110 telephone-event/48000\r\n");
        assert_eq!(events_of(&fast, Codec::Pcmu), None);
        let absent = audio("m=audio 4000 RTP/AVP 0\r\na=rtpmap:101 telephone-event/8000\r\n");
        assert_eq!(events_of(&absent, Codec::Pcmu), None, "a map without its payload type on the m= line");
    }

    #[test]
    fn opus_parameters_out_of_range_count_as_not_said() {
        let media = audio(
            "m=audio 4000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n\
             a=fmtp:111 maxplaybackrate=16000; maxaveragebitrate=5;UseInbandFEC=1;stereo=7;usedtx=1;\r\n",
        );
        let opus = OpusParameters::of(&media, 111);
        assert_eq!((opus.playback_rate_max_hz, opus.average_bitrate_max), (16_000, None));
        assert_eq!((opus.fec, opus.dtx, opus.cbr, opus.stereo), (true, true, false, false));
    }

    #[test]
    fn a_later_offer_keeps_the_payload_types_of_the_session() {
        let before = audio(
            "m=audio 4000 RTP/AVP 96 101 110\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/48000\r\n\
             a=rtpmap:110 speex/16000\r\n",
        );
        let ability = Ability { codecs: vec![Codec::Opus, Codec::Pcma], ..Ability::webrtc() };
        let again = AudioFormats::to_offer(&ability, Some(&before));
        assert_eq!(again.formats, [(96, Codec::Opus), (8, Codec::Pcma)]);
        let events: Vec<_> = again.events.iter().map(|e| (e.payload_type, e.clock_hz)).collect();
        assert_eq!(events, [(101, 48_000), (97, 8_000)], "101 means 48 kHz here, so 8 kHz gets a free one");
    }
}
