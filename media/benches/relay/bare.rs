//! The floor of a relay: a driver and nothing else. Each packet gets another SSRC and goes to the partner.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use media::driver::{Driver, DriverConfig, Load, Turn, Wake, pin_to_core};

use crate::load::Party;

pub struct Bare {
    stop: Arc<AtomicBool>,
    wake: Arc<Wake>,
    thread: Option<JoinHandle<()>>,
}

impl Bare {
    pub fn start(config: DriverConfig, parties: &mut [Party]) -> Option<Self> {
        let (stop, wake) = (Arc::new(AtomicBool::new(false)), Arc::new(Wake::new().ok()?));
        let sockets: Vec<UdpSocket> =
            parties.iter().filter_map(|_| UdpSocket::bind("127.0.0.1:0").ok()).collect();
        for (party, socket) in parties.iter_mut().zip(&sockets) {
            party.to = socket.local_addr().ok()?;
        }
        let to: Vec<_> = parties.iter().map(Party::addr).collect();
        let (ready, started) = sync_channel(1);
        let (stopped, woken) = (Arc::clone(&stop), Arc::clone(&wake));
        let run = move || {
            pin_to_core(0).ok();
            let Ok((mut driver, _)) = Driver::new(&config, woken) else { return };
            let add = |(n, socket)| driver.add(socket, n as u64, Load::OneParty);
            let Ok(ids) = sockets.into_iter().enumerate().map(add).collect::<Result<Vec<_>, _>>() else {
                return;
            };
            ready.send(()).ok();
            let mut turn = Turn::new();
            while !stopped.load(Ordering::Relaxed) && driver.turn(Duration::from_secs(1), &mut turn).is_ok() {
                for arrival in turn.arrivals.drain(..) {
                    let partner = arrival.tag as usize ^ 1;
                    driver.bytes(&arrival.packet)[arrival.range.start + 8] ^= 1;
                    driver.send(arrival.packet, arrival.range, ids[partner], to[partner]);
                }
            }
        };
        let thread = std::thread::Builder::new().name("bare".into()).spawn(run).ok()?;
        started.recv().ok()?;
        Some(Self { stop, wake, thread: Some(thread) })
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake.wake();
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
