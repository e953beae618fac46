//! Port pairs of an interface: even for RTP, the next for RTCP (RFC 3550 §11).
//!
//! A pair that was given back rests, because late packets of the old call still come; the pair that rested longest is taken
//! first. A short range under load takes pairs early rather than refuse a call: sources are checked anyway (MEDIA-12).

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use crate::control::MediaError;
use crate::driver::open_socket;

/// Pairs tried for one leg: others on this machine may hold some of the range.
const TRIES: usize = 512;

/// The pairs of one interface.
#[derive(Debug)]
pub(super) struct PortPool {
    bind: IpAddr,
    advertised: IpAddr,
    total: usize,
    /// Never used ones and rested ones in front, just returned ones at the back.
    free: Mutex<VecDeque<u16>>,
}

/// A pair in use; returns itself.
#[derive(Debug)]
pub(super) struct PortLease {
    pool: Arc<PortPool>,
    even: u16,
}

impl PortLease {
    /// The address the RTP socket is bound to.
    pub fn bound(&self) -> SocketAddr {
        SocketAddr::new(self.pool.bind, self.even)
    }
}

impl PortPool {
    pub fn new(bind: IpAddr, advertised: IpAddr, port_min: u16, port_max: u16) -> Self {
        let free: VecDeque<u16> = (port_min..port_max).filter(|port| port % 2 == 0).collect();
        Self { bind, advertised, total: free.len() * 2, free: Mutex::new(free) }
    }

    pub const fn bind(&self) -> IpAddr {
        self.bind
    }

    /// A pair with its sockets.
    pub fn lease(self: &Arc<Self>) -> Result<(PortLease, UdpSocket, UdpSocket), MediaError> {
        let mut why = None;
        for _ in 0..TRIES.min(self.total / 2) {
            let Some(even) = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                break;
            };
            // From here on the pair goes back by being dropped, to the end of the queue.
            let lease = PortLease { pool: Arc::clone(self), even };
            match self.open(even) {
                Ok((rtp, rtcp)) => return Ok((lease, rtp, rtcp)),
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
                Err(e) => {
                    why = Some(e);
                    break;
                }
            }
        }
        Err(match why {
            Some(why) => MediaError::BadSetup(format!("cannot open a port on {}: {why}", self.bind)),
            None => MediaError::PortsExhausted(self.total),
        })
    }

    fn open(&self, even: u16) -> io::Result<(UdpSocket, UdpSocket)> {
        let rtp = open_socket(SocketAddr::new(self.bind, even))?;
        let rtcp = open_socket(SocketAddr::new(self.bind, even + 1))?;
        Ok((rtp, rtcp))
    }
}

impl PortLease {
    /// The RTP address to signal.
    pub fn rtp(&self) -> SocketAddr {
        SocketAddr::new(self.pool.advertised, self.even)
    }
    /// The RTCP address to signal.
    pub fn rtcp(&self) -> SocketAddr {
        SocketAddr::new(self.pool.advertised, self.even + 1)
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        self.pool.free.lock().unwrap_or_else(PoisonError::into_inner).push_back(self.even);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(min: u16, max: u16) -> Arc<PortPool> {
        let here: IpAddr = "127.0.0.1".parse().unwrap();
        Arc::new(PortPool::new(here, "192.0.2.9".parse().unwrap(), min, max))
    }

    #[test]
    fn a_pair_is_even_and_odd_and_rests_after_use_while_others_are_free() {
        let pool = pool(29_901, 29_907);
        let (first, rtp, rtcp) = pool.lease().unwrap();
        assert_eq!(first.rtp(), "192.0.2.9:29902".parse().unwrap());
        assert_eq!(rtp.local_addr().unwrap().port(), 29_902);
        assert_eq!(rtcp.local_addr().unwrap().port(), first.rtcp().port());
        drop((first, rtp, rtcp));
        let (second, ..) = pool.lease().unwrap();
        assert_eq!(second.rtp().port(), 29_904);
    }

    #[test]
    fn a_range_that_is_used_up_says_so_with_its_size_and_is_usable_after_a_return() {
        let pool = pool(29_911, 29_914);
        let held = pool.lease().unwrap();
        assert_eq!(pool.lease().unwrap_err(), MediaError::PortsExhausted(2));
        drop(held);
        assert!(pool.lease().is_ok());
    }

    #[test]
    fn a_pair_that_another_program_holds_is_passed_over() {
        let pool = pool(29_921, 29_926);
        let _other = UdpSocket::bind("127.0.0.1:29923").unwrap();
        assert_eq!(pool.lease().unwrap().0.rtp().port(), 29_924);
    }
}
