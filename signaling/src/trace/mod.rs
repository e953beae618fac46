//! What goes over the wire for each call, kept for whoever looks for the reason of a failure, and mirrored to a capture server
//! (SIP-08).
//!
//! Messages are noted where bytes are read and written, behind the gate: floods are not. A message belongs to a call by its Call-ID;
//! until a call says that one is its own, an INVITE and what answers it wait for a moment. When a call is over, the last answers
//! are waited for, and then its trace is given away, whole. Nothing waits for a trace: what finds no room is left out and counted.

mod hep;
mod hide;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::id::InteractionId;
use model::time::Timestamp;
use model::trace::{CallTrace, TracedMessage, Wire};
use tokio::sync::mpsc;

pub use hep::HepConfig;
use hep::Mirror;

use crate::endpoint::counters::Counters;
use crate::service::{Clock, Transport};

/// Messages of one call from its beginning.
const FIRST_MAX: usize = 128;
/// Messages of one call up to its end, when there are more: why it ended is what is asked most.
const LAST_MAX: usize = 64;
/// Octets of one message.
const MESSAGE_MAX: usize = 8 * 1024;
/// Call-IDs that no call has claimed.
const UNCLAIMED_MAX: usize = 4_096;
/// How long those wait.
const UNCLAIMED_TIME: Duration = Duration::from_secs(10);
/// How long the last answers of a call that is over are waited for.
const LAST_ANSWERS: Duration = Duration::from_secs(3);
/// Octets of all traces together.
const TOTAL_MAX: usize = 128 << 20;
/// Traces that may wait to be stored.
const FINISHED_MAX: usize = 8_192;

/// What is done with the messages of calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceConfig {
    /// Keep them for each call.
    pub keep: bool,
    /// Mirror each message, of calls or not, to a capture server.
    pub hep: Option<HepConfig>,
}

/// Between whom a message goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) outgoing: bool,
    pub(crate) transport: Transport,
    pub(crate) ours: SocketAddr,
    pub(crate) theirs: SocketAddr,
}

/// Notes messages.
pub struct Tracer {
    clock: Clock,
    keep: bool,
    mirror: Option<Mirror>,
    book: Mutex<Book>,
    finished: mpsc::Sender<CallTrace>,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Book {
    /// By Call-ID.
    dialogs: HashMap<String, Whose>,
    /// How many of those are nobody's.
    unclaimed: usize,
    calls: HashMap<InteractionId, Open>,
    octets: usize,
}

enum Whose {
    Nobodys { since: Timestamp, messages: Vec<TracedMessage> },
    Call(InteractionId),
}

#[derive(Default)]
struct Open {
    call_ids: Vec<String>,
    first: Vec<TracedMessage>,
    last: std::collections::VecDeque<TracedMessage>,
    left_out: u32,
    over: Option<Timestamp>,
}

impl Tracer {
    /// A tracer, and where the traces of calls that are over come out.
    pub(crate) fn new(
        config: TraceConfig,
        clock: Clock,
        counters: Arc<Counters>,
    ) -> std::io::Result<(Self, mpsc::Receiver<CallTrace>)> {
        let mirror = config.hep.map(Mirror::open).transpose()?;
        let (finished, traces) = mpsc::channel(FINISHED_MAX);
        let tracer = Self { clock, keep: config.keep, mirror, book: Mutex::default(), finished, counters };
        Ok((tracer, traces))
    }

    /// One that does nothing.
    #[must_use]
    pub fn idle(clock: Clock) -> Self {
        let (finished, _) = mpsc::channel(1);
        Self { clock, keep: false, mirror: None, book: Mutex::default(), finished, counters: Arc::default() }
    }

    /// A message was read, or is written.
    pub(crate) fn note(&self, path: Path, bytes: &[u8]) {
        if !self.keep && self.mirror.is_none() {
            return;
        }
        let Some(call_id) = call_id(bytes) else { return };
        let mut bytes = bytes.get(..bytes.len().min(MESSAGE_MAX)).unwrap_or_default().to_vec();
        hide::hide(&mut bytes);
        let message = TracedMessage {
            at: (self.clock)(),
            outgoing: path.outgoing,
            wire: match path.transport {
                Transport::Udp => Wire::Udp,
                Transport::Tcp => Wire::Tcp,
                Transport::Tls => Wire::Tls,
            },
            ours: path.ours,
            theirs: path.theirs,
            bytes,
        };
        if self.mirror.as_ref().is_some_and(|mirror| !mirror.send(&message)) {
            self.counters.traces_lost.add();
        }
        if self.keep {
            self.book().note(&call_id, message);
        }
    }

    /// The messages with this Call-ID are of this call, those that came before included. A dialog that goes over to another call
    /// is claimed again.
    pub(crate) fn claim(&self, call_id: &str, interaction: InteractionId) {
        if self.keep {
            self.book().claim(call_id, interaction);
        }
    }

    /// The call is over; answers may still come.
    pub(crate) fn over(&self, interaction: InteractionId) {
        let now = (self.clock)();
        if let Some(open) = self.book().calls.get_mut(&interaction) {
            open.over.get_or_insert(now);
        }
    }

    /// Gives away what is complete. To be called about once a second.
    pub(crate) fn sweep(&self) {
        let now = (self.clock)();
        let complete =
            self.book().sweep(|over| over.is_some_and(|over| now.since(over) >= LAST_ANSWERS), now);
        self.give_away(complete);
    }

    /// Gives away everything: the appliance stops.
    pub(crate) fn close(&self) {
        let all = self.book().sweep(|_| true, (self.clock)());
        self.give_away(all);
    }

    fn give_away(&self, traces: Vec<CallTrace>) {
        for trace in traces {
            if self.finished.try_send(trace).is_err() {
                self.counters.traces_lost.add();
            }
        }
    }

    /// What went over the wire for a call that is not over, or was a moment ago.
    #[must_use]
    pub fn live(&self, interaction: InteractionId) -> Option<CallTrace> {
        self.book().calls.get(&interaction).map(|open| open.trace(interaction))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn note(&mut self, call_id: &str, message: TracedMessage) {
        let size = size(&message);
        match self.dialogs.get_mut(call_id) {
            Some(Whose::Call(interaction)) => {
                if let Some(open) = self.calls.get_mut(interaction) {
                    self.octets = open.take(message, self.octets);
                }
            }
            Some(Whose::Nobodys { messages, .. })
                if messages.len() < FIRST_MAX && self.octets + size <= TOTAL_MAX =>
            {
                self.octets += size;
                messages.push(message);
            }
            Some(Whose::Nobodys { .. }) => {}
            // A call begins with an INVITE; what belongs to none, such as registrations, is not kept.
            None => {
                let invite = !message.outgoing && message.bytes.starts_with(b"INVITE ");
                if invite && self.unclaimed < UNCLAIMED_MAX && self.octets + size <= TOTAL_MAX {
                    self.octets += size;
                    self.unclaimed += 1;
                    let whose = Whose::Nobodys { since: message.at, messages: vec![message] };
                    self.dialogs.insert(call_id.to_owned(), whose);
                }
            }
        }
    }

    fn claim(&mut self, call_id: &str, interaction: InteractionId) {
        let before = self.dialogs.insert(call_id.to_owned(), Whose::Call(interaction));
        match before {
            Some(Whose::Call(other)) if other != interaction => {
                if let Some(open) = self.calls.get_mut(&other) {
                    open.call_ids.retain(|id| id != call_id);
                }
            }
            Some(Whose::Call(_)) => return,
            _ => {}
        }
        let open = self.calls.entry(interaction).or_default();
        open.call_ids.push(call_id.to_owned());
        if let Some(Whose::Nobodys { messages, .. }) = before {
            self.unclaimed -= 1;
            for message in messages {
                self.octets -= size(&message);
                self.octets = open.take(message, self.octets);
            }
        }
    }

    fn sweep(&mut self, complete: impl Fn(Option<Timestamp>) -> bool, now: Timestamp) -> Vec<CallTrace> {
        let (octets, unclaimed) = (&mut self.octets, &mut self.unclaimed);
        self.dialogs.retain(|_, whose| match whose {
            Whose::Nobodys { since, messages } if now.since(*since) >= UNCLAIMED_TIME => {
                *octets -= messages.iter().map(size).sum::<usize>();
                *unclaimed -= 1;
                false
            }
            _ => true,
        });
        let done: Vec<InteractionId> =
            self.calls.iter().filter(|(_, open)| complete(open.over)).map(|(id, _)| *id).collect();
        let mut traces = Vec::with_capacity(done.len());
        for interaction in done {
            let Some(open) = self.calls.remove(&interaction) else { continue };
            for call_id in &open.call_ids {
                self.dialogs.remove(call_id);
            }
            let trace = open.trace(interaction);
            self.octets -= trace.messages.iter().map(size).sum::<usize>();
            traces.push(trace);
        }
        traces
    }
}

impl Open {
    /// Takes a message; gives the octets that all traces have together then.
    fn take(&mut self, message: TracedMessage, octets: usize) -> usize {
        let size = size(&message);
        if octets + size > TOTAL_MAX {
            self.left_out += 1;
            return octets;
        }
        if self.first.len() < FIRST_MAX {
            self.first.push(message);
            return octets + size;
        }
        self.last.push_back(message);
        if self.last.len() <= LAST_MAX {
            return octets + size;
        }
        self.left_out += 1;
        octets + size - self.last.pop_front().as_ref().map_or(0, self::size)
    }

    fn trace(&self, interaction: InteractionId) -> CallTrace {
        let messages = self.first.iter().chain(&self.last).cloned().collect();
        CallTrace { interaction, messages, left_out: self.left_out }
    }
}

/// What a message takes of memory, near enough.
fn size(message: &TracedMessage) -> usize {
    message.bytes.len() + size_of::<TracedMessage>()
}

/// The Call-ID; nothing in a keep-alive, or in what is no SIP.
fn call_id(message: &[u8]) -> Option<String> {
    for line in message.split(|b| *b == b'\n') {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return None;
        }
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = line.get(..colon)?.trim_ascii();
        if name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i") {
            return Some(String::from_utf8_lossy(line.get(colon + 1..)?.trim_ascii()).into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id as _;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Desk {
        tracer: Tracer,
        traces: mpsc::Receiver<CallTrace>,
        now: Arc<AtomicU64>,
    }

    impl Desk {
        fn new() -> Self {
            let now = Arc::new(AtomicU64::new(1_000));
            let clock = now.clone();
            let clock: Clock = Arc::new(move || Timestamp::from_millis(clock.load(Ordering::Relaxed)));
            let config = TraceConfig { keep: true, hep: None };
            let (tracer, traces) = Tracer::new(config, clock, Arc::default()).unwrap();
            Self { tracer, traces, now }
        }
        fn passes(&self, time: Duration) {
            self.now.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
            self.tracer.sweep();
        }
        fn goes(&self, outgoing: bool, text: &str) {
            let (ours, theirs) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
            self.tracer.note(Path { outgoing, transport: Transport::Udp, ours, theirs }, text.as_bytes());
        }
        fn held(&self) -> (usize, usize) {
            let book = self.tracer.book();
            (book.dialogs.len() + book.calls.len(), book.octets)
        }
    }

    fn starts(trace: &CallTrace) -> Vec<String> {
        let line = |m: &TracedMessage| {
            String::from_utf8_lossy(&m.bytes).lines().next().unwrap_or_default().to_owned()
        };
        trace.messages.iter().map(line).collect()
    }

    fn call(number: u64) -> InteractionId {
        InteractionId::from_number(number)
    }

    /// SIP-08: what came before the call was known, all its dialogs, and the answer that comes after its end.
    #[test]
    fn a_call_has_all_its_messages() {
        let mut desk = Desk::new();
        desk.goes(false, "INVITE sip:100@us SIP/2.0\r\nCall-ID: a\r\n\r\n");
        desk.goes(true, "SIP/2.0 100 Trying\r\ni: a\r\n\r\n");
        desk.tracer.claim("a", call(1));
        desk.tracer.claim("b", call(1));
        desk.goes(true, "INVITE sip:anna@phone SIP/2.0\r\nCall-ID: b\r\n\r\n");
        desk.goes(false, "REGISTER sip:us SIP/2.0\r\nCall-ID: c\r\n\r\n");
        desk.goes(true, "BYE sip:them SIP/2.0\r\nCALL-ID : a\r\n\r\n");
        assert_eq!(desk.tracer.live(call(1)).unwrap().messages.len(), 4);
        desk.tracer.over(call(1));
        desk.goes(false, "SIP/2.0 200 OK\r\nCall-ID: a\r\n\r\n");
        desk.passes(Duration::from_secs(2));
        assert!(desk.traces.try_recv().is_err());
        desk.passes(Duration::from_secs(2));
        let trace = desk.traces.try_recv().unwrap();
        assert_eq!(
            starts(&trace),
            [
                "INVITE sip:100@us SIP/2.0",
                "SIP/2.0 100 Trying",
                "INVITE sip:anna@phone SIP/2.0",
                "BYE sip:them SIP/2.0",
                "SIP/2.0 200 OK"
            ]
        );
        assert_eq!((desk.held(), desk.tracer.live(call(1))), ((0, 0), None));
    }

    #[test]
    fn what_no_call_claims_is_forgotten_and_bounded() {
        let desk = Desk::new();
        for number in 0..UNCLAIMED_MAX + 10 {
            desk.goes(false, &format!("INVITE sip:x SIP/2.0\r\nCall-ID: {number}\r\n\r\n"));
        }
        assert_eq!(desk.held().0, UNCLAIMED_MAX);
        desk.passes(UNCLAIMED_TIME);
        assert_eq!(desk.held(), (0, 0));
    }

    #[test]
    fn of_a_very_long_call_beginning_and_end_are_kept() {
        let desk = Desk::new();
        desk.tracer.claim("a", call(1));
        for number in 0..1_000 {
            desk.goes(true, &format!("UPDATE sip:{number} SIP/2.0\r\nCall-ID: a\r\n\r\n"));
        }
        let trace = desk.tracer.live(call(1)).unwrap();
        assert_eq!(trace.messages.len(), FIRST_MAX + LAST_MAX);
        assert_eq!(trace.left_out as usize, 1_000 - FIRST_MAX - LAST_MAX);
        assert_eq!(starts(&trace).last().unwrap(), "UPDATE sip:999 SIP/2.0");
        let kept: usize = trace.messages.iter().map(size).sum();
        assert_eq!(desk.held().1, kept);
    }

    #[test]
    fn a_dialog_that_goes_over_to_another_call_is_that_calls_from_then_on() {
        let mut desk = Desk::new();
        desk.tracer.claim("a", call(1));
        desk.goes(true, "INVITE sip:x SIP/2.0\r\nCall-ID: a\r\n\r\n");
        desk.tracer.claim("a", call(2));
        desk.tracer.over(call(1));
        desk.passes(LAST_ANSWERS);
        assert_eq!(desk.traces.try_recv().unwrap().messages.len(), 1);
        desk.goes(true, "BYE sip:x SIP/2.0\r\nCall-ID: a\r\n\r\n");
        assert_eq!(starts(&desk.tracer.live(call(2)).unwrap()), ["BYE sip:x SIP/2.0"]);
    }
}
