//! New legs take their seats.

use std::sync::Arc;

use super::fast::FastSeat;
use super::ports::PortLease;
use super::shard::Shard;
use super::sockets::{BrowserSockets, Sockets};
use super::table::{Heard, Hearers, Seat};
use crate::control::MediaError;
use crate::driver::Load;
use crate::leg::Leg;

/// A leg on its way to its first thread.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub leg: Leg,
    pub serial: u64,
    pub place: Place,
}

/// Where a leg's packets come in.
#[derive(Debug)]
pub(super) enum Place {
    /// Its own ports.
    Own(PortLease, std::net::UdpSocket, std::net::UdpSocket),
    /// The thread's shared ports, under this `ice-ufrag`.
    Shared(String),
}

impl Shard {
    pub(super) fn seat(&mut self, newcomer: Newcomer) -> Result<(), MediaError> {
        let id = newcomer.leg.id();
        if self.table.find(id).is_some() {
            return Err(MediaError::LegExists(id));
        }
        let (index, rtp_tag, rtcp_tag) = self.table.reserve();
        let refuse = |why: std::io::Error| MediaError::BadSetup(format!("cannot read its socket: {why}"));
        let sockets = match newcomer.place {
            Place::Own(lease, rtp, rtcp) => {
                let added = self.driver.add(rtp, rtp_tag, Load::OneParty);
                let rtp = added.map_err(refuse).inspect_err(|_| self.table.forget(index))?;
                let rtcp = match self.driver.add(rtcp, rtcp_tag, Load::OneParty) {
                    Ok(rtcp) => rtcp,
                    Err(why) => {
                        self.driver.retire(rtp);
                        self.table.forget(index);
                        return Err(refuse(why));
                    }
                };
                Sockets::Own { rtp, rtcp, lease }
            }
            Place::Shared(ufrag) => {
                let Some((socket, _)) = self.browsers.sockets.first().copied() else {
                    self.table.forget(index);
                    return Err(MediaError::BadSetup("no port is configured for browsers".into()));
                };
                self.browsers.expect(ufrag.clone(), index);
                Sockets::Browser(BrowserSockets {
                    ufrag,
                    home: self.number,
                    ports: Arc::clone(&self.browsers.ports),
                    shared: Some(socket),
                    addrs: Vec::new(),
                    lines: Vec::new(),
                })
            }
        };
        let seat = Seat {
            leg: newcomer.leg,
            serial: newcomer.serial,
            sockets,
            hears: Heard::Nothing,
            hearers: Hearers::default(),
            taps: Vec::new(),
            armed: None,
            moving: false,
            fast: FastSeat::default(),
        };
        self.table.seat(index, Box::new(seat));
        Ok(())
    }
}
