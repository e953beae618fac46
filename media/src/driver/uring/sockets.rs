//! The sockets of the io_uring driver: taken, armed, given back.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use io_uring::opcode;
use io_uring::types::Fixed;

use super::{About, GROUP, Uring, user_data};
use crate::driver::{Load, SocketId};

#[derive(Debug)]
pub(super) struct Slot {
    pub socket: UdpSocket,
    pub tag: u64,
    pub retiring: bool,
    pub armed: bool,
}

impl Uring {
    pub(in crate::driver) fn add(
        &mut self,
        socket: UdpSocket,
        tag: u64,
        _load: Load,
    ) -> io::Result<SocketId> {
        let index = self.free_slots.pop().unwrap_or_else(|| {
            self.slots.push((0, None));
            (self.slots.len() - 1) as u32
        });
        let registered = self.ring.submitter().register_files_update(index, &[socket.as_raw_fd()]);
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        match registered {
            Ok(_) => {
                slot.1 = Some(Slot { socket, tag, retiring: false, armed: false });
                let generation = slot.0;
                self.rearm.push(index);
                Ok(SocketId { index, generation })
            }
            Err(why) => {
                self.free_slots.push(index);
                Err(why)
            }
        }
    }

    pub(in crate::driver) fn retire(&mut self, id: SocketId) {
        let Some((generation, Some(slot))) = self.slots.get_mut(id.index as usize) else { return };
        if *generation != id.generation || slot.retiring {
            return;
        }
        slot.retiring = true;
        if slot.armed {
            let cancel = opcode::AsyncCancel::new(user_data(About::Receive, id.index, id.generation)).build();
            self.push(cancel.user_data(user_data(About::Cancel, id.index, id.generation)));
        } else {
            self.hand_back(id.index);
            self.wake.wake();
        }
    }

    /// A multishot receive ended: the socket is read anew with the next turn, unless it is being given up.
    pub(super) fn receive_ended(&mut self, index: u32) {
        let Some((_, Some(slot))) = self.slots.get_mut(index as usize) else { return };
        slot.armed = false;
        if slot.retiring { self.hand_back(index) } else { self.rearm.push(index) }
    }

    /// Gives the socket of a retiring slot back to its owner.
    fn hand_back(&mut self, index: u32) {
        // Sends to it that are still queued go out first: the slot is only then emptied.
        self.flush();
        let Some((generation, slot)) = self.slots.get_mut(index as usize) else { return };
        if let Some(Slot { socket, tag, .. }) = slot.take() {
            *generation = generation.wrapping_add(1) & 0x00FF_FFFF;
            self.rearm.retain(|other| *other != index);
            if self.ring.submitter().register_files_update(index, &[-1]).is_ok() {
                self.free_slots.push(index);
            }
            self.retired.push((tag, socket));
        }
    }

    /// Reads a socket from now on.
    pub(super) fn arm(&mut self, index: u32) {
        let Some((generation, Some(slot))) = self.slots.get_mut(index as usize) else { return };
        if slot.armed || slot.retiring {
            return;
        }
        slot.armed = true;
        let header: *const libc::msghdr = &raw const *self.header;
        let data = user_data(About::Receive, index, *generation);
        let receive = opcode::RecvMsgMulti::new(Fixed(index), header, GROUP).build();
        self.push(receive.user_data(data));
    }
}
