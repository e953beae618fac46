//! The buffers of a driver: one block of memory, cut into equal parts, each owned either by us or by the kernel.
#![expect(
    unsafe_code,
    reason = "the kernel writes into this memory, so it cannot be a Vec that safe code reads meanwhile"
)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Octets of a buffer: an Ethernet frame's worth, what the kernel puts in front, and room for the tags of SRTP.
pub const BUFFER_LEN: usize = 2048;
/// Octets of a datagram at most; longer ones are dropped. The rest of the buffer is for what is put before and behind.
pub const RECEIVE_MAX: usize = 1600;

/// A buffer in our hands. It cannot be copied: who has it sends it or releases it.
#[derive(Debug)]
#[must_use = "a packet must be sent or released, or its buffer is lost"]
pub struct Packet {
    index: u16,
}

impl Packet {
    pub(super) const fn index(&self) -> u16 {
        self.index
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Us,
    Driver,
}

/// All buffers of one driver.
#[derive(Debug)]
pub(super) struct Buffers {
    base: NonNull<u8>,
    layout: Layout,
    owner: Vec<Owner>,
}

// SAFETY: the block of memory belongs to this value alone; moving the value to another thread moves that ownership.
unsafe impl Send for Buffers {}

impl Buffers {
    pub fn new(count: u16) -> Self {
        let count = usize::from(count.max(1));
        // 4096: a whole page, as the kernel likes it.
        let layout =
            Layout::from_size_align(count * BUFFER_LEN, 4096).unwrap_or(Layout::new::<[u8; BUFFER_LEN]>());
        let count = layout.size() / BUFFER_LEN;
        // SAFETY: the layout has a size, at least one buffer.
        let base = unsafe { alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
        Self { base, layout, owner: vec![Owner::Driver; count] }
    }

    /// Where a buffer begins, for the kernel. `None` beyond the last.
    pub fn address(&self, index: u16) -> Option<*mut u8> {
        let index = usize::from(index);
        // SAFETY: the index is below the number of buffers, so the result lies within the block.
        (index < self.owner.len()).then(|| unsafe { self.base.as_ptr().add(index * BUFFER_LEN) })
    }

    /// The kernel is done with a buffer: it is ours. `None` when it was ours already.
    pub fn claim(&mut self, index: u16) -> Option<Packet> {
        let owner = self.owner.get_mut(usize::from(index))?;
        if *owner == Owner::Us {
            return None;
        }
        *owner = Owner::Us;
        Some(Packet { index })
    }

    /// We are done with a buffer: it is the driver's.
    pub fn give(&mut self, packet: Packet) -> u16 {
        if let Some(owner) = self.owner.get_mut(usize::from(packet.index)) {
            *owner = Owner::Driver;
        }
        packet.index
    }

    /// The octets of a buffer that is ours; empty for one that is not.
    pub fn bytes(&mut self, packet: &Packet) -> &mut [u8] {
        match (self.owner.get(usize::from(packet.index)), self.address(packet.index)) {
            // SAFETY: the buffer lies within the block and was zeroed when made. It is ours: the kernel was not given it,
            // and `&mut self` keeps any other slice of this block from existing.
            (Some(Owner::Us), Some(at)) => unsafe { std::slice::from_raw_parts_mut(at, BUFFER_LEN) },
            _ => &mut [],
        }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: `base` came from `alloc_zeroed` with this layout. Drivers drop the kernel's access (the ring) first.
        unsafe { dealloc(self.base.as_ptr(), self.layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_readable_only_while_it_is_ours() {
        let mut buffers = Buffers::new(2);
        let packet = buffers.claim(1).unwrap();
        assert!(buffers.claim(1).is_none(), "it cannot be taken twice");
        buffers.bytes(&packet)[0] = 9;
        assert_eq!(buffers.bytes(&packet)[0], 9);
        let stale = Packet { index: 1 };
        assert_eq!(buffers.give(packet), 1);
        assert!(buffers.bytes(&stale).is_empty());
        assert!(buffers.claim(2).is_none(), "there are two");
    }

    /// Whatever is claimed, written and given back in whatever order, each buffer holds what was written into it, and nobody has one
    /// that is the driver's. Under Miri it is seen that no access leaves the block: see fuzz/miri.
    #[test]
    fn buffers_never_mix_in_any_order_of_claims() {
        let (mut buffers, mut held, mut written) = (Buffers::new(5), Vec::new(), [0u8; 5]);
        let mut dice = 0x9E37_79B9_u32;
        for turn in 0..600u32 {
            dice ^= dice << 13;
            dice ^= dice >> 17;
            dice ^= dice << 5;
            let index = (dice >> 8) as u16 % 6;
            match dice & 3 {
                0 => {
                    let is_held = held.iter().any(|packet: &Packet| packet.index() == index);
                    match buffers.claim(index) {
                        Some(packet) => held.push(packet),
                        None => assert!(is_held || index == 5, "{index} was free"),
                    }
                }
                1 if !held.is_empty() => {
                    let packet = held.swap_remove(usize::from(index) % held.len());
                    let given = packet.index();
                    assert_eq!(buffers.give(packet), given);
                    assert!(buffers.bytes(&Packet { index: given }).is_empty());
                }
                _ if !held.is_empty() => {
                    let packet = &held[usize::from(index) % held.len()];
                    let bytes = buffers.bytes(packet);
                    let last = &mut written[usize::from(packet.index())];
                    assert_eq!((bytes.len(), bytes[0], bytes[BUFFER_LEN - 1]), (BUFFER_LEN, *last, *last));
                    *last = turn as u8;
                    (bytes[0], bytes[BUFFER_LEN - 1]) = (*last, *last);
                }
                _ => {}
            }
        }
        assert!(buffers.address(5).is_none());
    }
}
