//! What was dropped, answered and carried, for dashboards. Counting never blocks; the names are those of the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident => $name:literal;)*) => {
        /// Totals since start.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $field: Counter,)* }

        impl Counters {
            /// All of them, with the names that metrics bear.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($name, self.$field.get()),)*]
            }
        }
    };
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

counters! {
    /// Messages that passed the strict check.
    received => "sip_messages_received_total";
    /// Requests that were malformed and answered 4xx or 5xx.
    malformed_answered => "sip_malformed_answered_total";
    /// Bytes that were no request anybody could answer.
    malformed_dropped => "sip_malformed_dropped_total";
    /// Messages of a source over its rate.
    source_limited => "sip_source_limited_total";
    /// Streams refused: too many, or too many of one source.
    streams_refused => "sip_streams_refused_total";
    /// TLS handshakes that failed.
    tls_failed => "sip_tls_failed_total";
    /// Requests of a method we do not do (405).
    method_refused => "sip_method_refused_total";
    /// Requests answered 401.
    challenged => "sip_challenged_total";
    /// Pauses that whoever guesses passwords had to begin.
    guessing => "sip_guessing_paused_total";
    /// Requests answered 403: wrong credentials, or a call that is not for us.
    forbidden => "sip_forbidden_total";
    /// Calls refused because the box, or the trunk, is full or draining.
    overloaded => "sip_overloaded_total";
    /// Requests for a dialog that is not there (481).
    no_dialog => "sip_no_dialog_total";
    /// Calls taken up.
    calls => "calls_total";
    /// Calls that ended by a failure.
    calls_failed => "calls_failed_total";
    /// Call tasks that panicked; each ended its own call only.
    call_panics => "call_panics_total";
    /// Registrations accepted.
    registered => "sip_registered_total";
    /// Traces of calls, and copies for the capture server, that found no room.
    traces_lost => "sip_traces_lost_total";
    /// Messages that found their queue full.
    queue_overflow => "signaling_queue_overflow_total";
}
