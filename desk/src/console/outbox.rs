//! The frames on their way to one page: bounded in octets, so that a page that does not read costs little.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::mpsc;

/// Unsent octets at which a socket is given up; the page comes back with `after`.
pub const UNSENT_MAX: usize = 256 * 1024;

/// The end that frames are put into.
#[derive(Clone, Debug)]
pub struct Outbox {
    frames: mpsc::UnboundedSender<Arc<str>>,
    unsent: Arc<AtomicUsize>,
    overrun: Arc<AtomicBool>,
}

/// The end that the socket reads.
#[derive(Debug)]
pub struct OutboxReader {
    frames: mpsc::UnboundedReceiver<Arc<str>>,
    unsent: Arc<AtomicUsize>,
    overrun: Arc<AtomicBool>,
}

/// A new pair.
pub fn outbox() -> (Outbox, OutboxReader) {
    // The channel has no bound of its own because octets are what is counted; `put` holds it to UNSENT_MAX.
    let (sender, receiver) = mpsc::unbounded_channel();
    let (unsent, overrun) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    (
        Outbox { frames: sender, unsent: unsent.clone(), overrun: overrun.clone() },
        OutboxReader { frames: receiver, unsent, overrun },
    )
}

impl Outbox {
    /// Puts a frame in. `false`: the socket is gone or too far behind, and nothing more will be taken.
    pub fn put(&self, frame: Arc<str>) -> bool {
        if self.overrun.load(Ordering::Relaxed) {
            return false;
        }
        let length = frame.len();
        // A single frame may be larger than the limit (a big snapshot): it is taken when nothing else waits.
        let before = self.unsent.fetch_add(length, Ordering::AcqRel);
        if before > 0 && before + length > UNSENT_MAX {
            self.overrun.store(true, Ordering::Relaxed);
            return false;
        }
        self.frames.send(frame).is_ok()
    }
    /// Whether the reader went away.
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed() || self.overrun.load(Ordering::Relaxed)
    }
}

impl OutboxReader {
    /// The next frame; `None` when nothing more will come.
    pub async fn next(&mut self) -> Option<Arc<str>> {
        self.frames.recv().await
    }
    /// A frame that is there already.
    pub fn try_next(&mut self) -> Option<Arc<str>> {
        self.frames.try_recv().ok()
    }
    /// The frame was written out.
    pub fn written(&self, frame: &str) {
        self.unsent.fetch_sub(frame.len(), Ordering::AcqRel);
    }
    /// Whether frames were dropped because too many octets were waiting.
    pub fn overrun(&self) -> bool {
        self.overrun.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_does_not_read_is_given_up_at_256_kib() {
        let (outbox, reader) = outbox();
        let frame: Arc<str> = "x".repeat(1_024).into();
        let taken = (0..1_000).take_while(|_| outbox.put(frame.clone())).count();
        assert_eq!(taken, 256);
        assert!(reader.overrun() && outbox.is_closed());
    }

    #[tokio::test]
    async fn a_page_that_reads_is_never_given_up() {
        let (outbox, mut reader) = outbox();
        let frame: Arc<str> = "x".repeat(100_000).into();
        for _ in 0..100 {
            assert!(outbox.put(frame.clone()));
            let frame = reader.next().await.unwrap();
            reader.written(&frame);
        }
        assert!(!reader.overrun());
    }
}
