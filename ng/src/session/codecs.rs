//! Which codecs the answerer is offered, and which of them the offerer gets back.

use media::codec::{Shape, packet_ms};
use media::control::{EventFormat, Format as PlaneFormat, Passed};
use model::media::Codec;

use crate::request::{CodecOps, Options};
use crate::sdp::{Format, Medium, free_type};

/// Formats the plane takes for a leg at most, of those it understands and of those it passes on.
const FORMATS_MAX: usize = 16;

fn is_listed(format: &Format, names: &[String]) -> bool {
    names.iter().any(|name| format.is_called(name))
}

fn is_kept(format: &Format, ops: &CodecOps) -> bool {
    is_listed(format, &ops.except) || is_listed(format, &ops.offer)
}

/// What the offerer may use: what it offered but for what is stripped.
pub(super) fn usable(offered: &[Format], ops: &CodecOps) -> Vec<Format> {
    let gone = |format: &&Format| {
        (is_listed(format, &ops.strip) && !is_kept(format, ops)) || is_listed(format, &ops.ignore)
    };
    offered.iter().filter(|format| format.is_carried() && !gone(format)).cloned().collect()
}

/// What the answerer is offered.
pub(super) fn offered(offered: &[Format], ops: &CodecOps) -> Vec<Format> {
    let hidden = |format: &Format| {
        let named = is_listed(format, &ops.mask) || is_listed(format, &ops.consume);
        named && !is_kept(format, ops)
    };
    let mut formats: Vec<Format> =
        usable(offered, ops).into_iter().filter(|format| !hidden(format)).collect();
    // `offer` also says the order; what it does not name follows.
    formats
        .sort_by_key(|format| ops.offer.iter().position(|name| format.is_called(name)).unwrap_or(usize::MAX));
    for name in &ops.transcode {
        add(name, offered, &mut formats);
    }
    formats
}

/// Adds a codec that was not offered, in front of the telephone events.
fn add(name: &str, offered: &[Format], formats: &mut Vec<Format>) {
    if formats.iter().any(|format| format.is_called(name)) {
        return;
    }
    let used: Vec<Format> = offered.iter().chain(formats.iter()).cloned().collect();
    let place = formats.iter().position(Format::is_events).unwrap_or(formats.len());
    if name.split('/').next().is_some_and(|name| name.eq_ignore_ascii_case("telephone-event")) {
        if let Some(payload_type) = free_type(None, &used) {
            formats.push(Format::events(payload_type, 8_000));
        }
        return;
    }
    // rtpengine knows G.729 by a second name too, under which it has no payload type of its own.
    let by_annex = Format { name: "G729a".to_owned(), ..Format::of(Codec::G729, 0) };
    let is_annex = by_annex.is_called(name);
    let known = Codec::ALL.into_iter().find(|codec| Format::of(*codec, 0).is_called(name));
    let Some(codec) = known.or(is_annex.then_some(Codec::G729)) else {
        return;
    };
    // A codec that was stripped and is wanted again keeps its payload type.
    let before = offered.iter().find(|format| format.codec() == Some(codec) && !is_annex);
    let own_type = Some(codec).filter(|_| !is_annex);
    let Some(payload_type) = before.map(|format| format.payload_type).or_else(|| free_type(own_type, &used))
    else {
        return;
    };
    let mut added = Format::of(codec, payload_type);
    if is_annex {
        added.name = by_annex.name;
    }
    // NAME/clock/channels/bitrate/ptime/parameters: the last are what we tell that party about the stream it may send.
    if let Some(parameters) = name.split('/').nth(5).filter(|text| is_plain(text)) {
        added.lines.push(format!("a=fmtp:{payload_type} {parameters}"));
    } else if codec == Codec::G729 && !is_annex {
        // As rtpengine does: whom G.729 is new to had no say in whether silence is left out.
        added.lines.push(format!("a=fmtp:{payload_type} annexb=no"));
    }
    formats.insert(place, added);
    let events = formats.iter().any(Format::is_events);
    let fits = |format: &Format| format.is_events() && format.clock_hz == codec.clock_hz();
    if events && !formats.iter().any(fits) {
        let used: Vec<Format> = used.iter().chain(formats.iter()).cloned().collect();
        if let Some(payload_type) = free_type(None, &used) {
            formats.insert(place + 1, Format::events(payload_type, codec.clock_hz()));
        }
    }
}

/// Whether it may stand in a line of SDP.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

/// Both legs' codecs after an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Agreed {
    /// What our answer lists for the offerer.
    pub listed: Vec<Format>,
    /// What goes to the offerer, of what we understand.
    pub to_offerer: Option<PlaneFormat>,
    /// What the offerer may send, of what we understand.
    pub from_offerer: Vec<PlaneFormat>,
    /// What is passed on between the two, by the offerer's payload types.
    pub passed_offerer: Vec<Passed>,
    /// Telephone events of the offerer.
    pub offerer_events: Option<EventFormat>,
    /// What goes to the answerer, of what we understand.
    pub to_answerer: Option<PlaneFormat>,
    /// What the answerer may send, of what we understand.
    pub from_answerer: Vec<PlaneFormat>,
    /// What is passed on between the two, by the answerer's payload types.
    pub passed_answerer: Vec<Passed>,
    /// Telephone events of the answerer.
    pub answerer_events: Option<EventFormat>,
    /// Comfort noise that both speak: the offerer's payload type and the answerer's.
    pub noise: Option<[u8; 2]>,
    /// How the offerer and the answerer want what they are sent.
    pub shape: [Shape; 2],
    /// Which of what is passed on are retransmissions.
    pub repairs: Vec<u16>,
}

impl Agreed {
    /// Whether it is video, and nothing that is understood.
    pub fn is_video(&self, offer: &Medium) -> bool {
        let understood = self.to_offerer.or(self.to_answerer).is_some();
        let events = self.offerer_events.or(self.answerer_events).is_some();
        offer.kind == "video" && !understood && !events
    }
}

/// Brings an answer together with its offer; `None` when there is no codec left.
pub(super) fn agree(
    offer: &Medium,
    shown: &[Format],
    answer: &Medium,
    offer_options: &Options,
    answer_options: &Options,
) -> Option<Agreed> {
    let own = usable(&offer.formats, &offer_options.codec);
    let theirs = offered(&answer.formats, &answer_options.codec);
    let accepted: Vec<&Format> = theirs.iter().filter(|format| format.twin(shown).is_some()).collect();
    let first = accepted.iter().find(|format| format.is_main())?;
    let ops = &offer_options.codec;
    let worked = !(ops.strip.is_empty() && ops.mask.is_empty() && ops.consume.is_empty());
    let mut listed: Vec<Format> = Vec::new();
    for theirs in accepted.iter().filter(|format| !format.is_events()) {
        let converted = offer_options.always_transcode && theirs.codec().is_some();
        let twin = theirs.twin(&own).filter(|_| !converted);
        if let Some(twin) =
            twin.filter(|twin| !listed.iter().any(|one| one.payload_type == twin.payload_type))
        {
            listed.push(as_answered(twin, theirs, worked));
        }
    }
    let convertible = accepted.iter().any(|format| format.codec().is_some());
    for format in own.iter().filter(|format| format.codec().is_some()) {
        let accept = is_listed(format, &offer_options.codec.accept)
            || is_listed(format, &offer_options.codec.consume)
            || convertible && !listed.iter().any(Format::is_main);
        if accept && !listed.iter().any(|one| one.is_same(format)) {
            // Who offered G.729 without Annex B must be answered so (RFC 7261 §3.3).
            let plain = format.codec() == Some(Codec::G729) && !format.takes_annexb();
            let lines = if plain { format.lines.clone() } else { Vec::new() };
            listed.push(Format { lines, ..format.clone() });
        }
    }
    if offer_options.single_codec || answer_options.single_codec {
        listed.truncate(1);
    }
    let chosen = listed.iter().find(|format| format.is_main())?.clone();
    let answerer_events = events(accepted.iter().copied(), first.clock_hz);
    let offerer_events = answerer_events.and_then(|_| events(own.iter(), chosen.clock_hz));
    if let Some(format) = offerer_events {
        let theirs = answerer_events.map_or(format, |theirs| theirs);
        listed.push(as_answered(format, theirs, worked));
    }
    let time = |medium: &Medium, asked: Option<u8>| {
        asked.or_else(|| medium.ptime.as_deref()?.trim().parse().ok()).unwrap_or(20).clamp(10, 60)
    };
    let to_offerer = listed.iter().find_map(|format| in_plane(format, time(offer, answer_options.ptime)));
    let to_answerer = accepted.iter().find_map(|format| in_plane(format, time(answer, offer_options.ptime)));
    let receive = |formats: &mut dyn Iterator<Item = &Format>| -> Vec<PlaneFormat> {
        formats.filter_map(|format| in_plane(format, 20)).take(FORMATS_MAX).collect()
    };
    let in_use = |format: &&Format| accepted.iter().any(|one| one.is_same(format));
    let plane_events = |format: Option<&Format>| {
        format.map(|format| EventFormat { payload_type: format.payload_type, clock_hz: format.clock_hz })
    };
    let from_offerer = receive(&mut listed.iter());
    // The answerer sends by the payload types that we offered.
    let from_answerer = receive(&mut shown.iter().filter(in_use));
    let (mut passed_offerer, mut passed_answerer, mut repairs) = (Vec::new(), Vec::new(), Vec::new());
    let mut noise = None;
    for theirs in accepted.iter().filter(|format| format.is_passed()) {
        let Some(ours) = theirs.twin(&listed).filter(|ours| ours.is_passed()) else { continue };
        // Beside a codec that we understand it is understood too.
        if ours.is_noise() && to_offerer.is_some() && to_answerer.is_some() {
            noise = noise.or(Some([ours.payload_type, theirs.payload_type]));
            continue;
        }
        // A number for both legs: the offerer's payload type.
        let (format, clock_hz) = (u16::from(ours.payload_type), ours.clock_hz);
        let here = Passed { payload_type: ours.payload_type, format, clock_hz };
        let there = Passed { payload_type: theirs.payload_type, format, clock_hz };
        let sent = [to_offerer, to_answerer].map(|format| format.map(|format| format.payload_type));
        let free = is_free(here, &passed_offerer, &from_offerer, offerer_events, sent[0])
            && is_free(there, &passed_answerer, &from_answerer, answerer_events, sent[1]);
        if free && passed_offerer.len() < FORMATS_MAX {
            passed_offerer.push(here);
            passed_answerer.push(there);
            if ours.name.eq_ignore_ascii_case("rtx") {
                repairs.push(format);
            }
        }
    }
    // Silence is left out of G.729 where the party and what it was told both allow it.
    let shape = |said: &[Format], told: &[Format], sent: Option<PlaneFormat>| {
        let is_sent = |format: &&Format| sent.is_some_and(|sent| sent.payload_type == format.payload_type);
        let Some(wanted) = said.iter().find(is_sent) else { return Shape::default() };
        match wanted.codec() {
            Some(Codec::G729) => {
                let twin = wanted.twin(told);
                let dtx = wanted.takes_annexb() && twin.is_none_or(Format::takes_annexb);
                Shape { dtx, ..Shape::default() }
            }
            _ => opus_shape(wanted),
        }
    };
    let shape = [shape(&offer.formats, &listed, to_offerer), shape(&answer.formats, shown, to_answerer)];
    Some(Agreed {
        noise,
        shape,
        from_offerer,
        from_answerer,
        passed_offerer,
        passed_answerer,
        repairs,
        offerer_events: plane_events(offerer_events),
        answerer_events: plane_events(answerer_events),
        listed,
        to_offerer,
        to_answerer,
    })
}

/// What a party says about the Opus it wants (RFC 7587 §6.1).
fn opus_shape(format: &Format) -> Shape {
    let value = |name: &str| format.parameter(name)?.parse::<u32>().ok();
    let is_on = |name: &str| value(name) == Some(1);
    let rate = value("maxplaybackrate").filter(|hz| (8_000..=48_000).contains(hz));
    Shape {
        playback_rate_max_hz: rate.unwrap_or(48_000),
        average_bitrate_max: value("maxaveragebitrate").filter(|bits| (6_000..=510_000).contains(bits)),
        fec: is_on("useinbandfec"),
        dtx: is_on("usedtx"),
        cbr: is_on("cbr"),
    }
}

/// Whether a payload type has no other meaning on its leg.
fn is_free(
    new: Passed,
    passed: &[Passed],
    received: &[PlaneFormat],
    events: Option<&Format>,
    sent: Option<u8>,
) -> bool {
    let taken = |payload_type: u8| payload_type == new.payload_type;
    !passed.iter().any(|known| taken(known.payload_type) || known.format == new.format)
        && !received.iter().any(|known| taken(known.payload_type))
        && !events.is_some_and(|known| taken(known.payload_type))
        && !sent.is_some_and(taken)
}

/// The offerer's payload type with the answerer's parameters; where codecs were taken away, the offerer's own stand in for
/// parameters that the answerer does not give.
fn as_answered(own: &Format, theirs: &Format, worked: bool) -> Format {
    if worked && theirs.lines.is_empty() {
        return own.clone();
    }
    let renumber = |line: &String| {
        let (name, rest) = line.split_once(':')?;
        let (_, parameters) = rest.split_once(' ')?;
        Some(format!("{name}:{} {parameters}", own.payload_type))
    };
    Format { lines: theirs.lines.iter().filter_map(renumber).collect(), ..own.clone() }
}

/// Telephone events, best at the clock of the codec beside them.
fn events<'a>(formats: impl Iterator<Item = &'a Format>, clock_hz: u32) -> Option<&'a Format> {
    let all: Vec<&Format> = formats.filter(|format| format.is_events()).collect();
    all.iter().find(|format| format.clock_hz == clock_hz).or(all.first()).copied()
}

fn in_plane(format: &Format, ptime_ms: u8) -> Option<PlaneFormat> {
    let codec = format.codec()?;
    // Whole frames.
    let ptime_ms = if codec == Codec::G729 { packet_ms(codec, ptime_ms) } else { ptime_ms };
    Some(PlaneFormat { payload_type: format.payload_type, codec, ptime_ms })
}
