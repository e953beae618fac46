//! A trace as a capture file: raw IP packets in the format of libpcap.

use std::borrow::Cow;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use etherparse::PacketBuilder;
use model::trace::{CallTrace, TracedMessage};
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, PcapError};

/// The time to live that the packets are given: nobody noted the real one.
const TTL: u8 = 64;

/// The file.
pub(super) fn capture(trace: &CallTrace) -> io::Result<Vec<u8>> {
    let header = PcapHeader { datalink: DataLink::RAW, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(Vec::new(), header).map_err(failed)?;
    for message in &trace.messages {
        let packet = packet(message)?;
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let at = Duration::from_micros(message.at.micros());
        let data = Cow::Owned(packet);
        writer.write_packet(&PcapPacket { timestamp: at, orig_len: length, data }).map_err(failed)?;
    }
    Ok(writer.into_writer())
}

fn packet(message: &TracedMessage) -> io::Result<Vec<u8>> {
    let (source, target) = match message.outgoing {
        true => (message.ours, message.theirs),
        false => (message.theirs, message.ours),
    };
    let builder = match (source.ip().to_canonical(), target.ip().to_canonical()) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            PacketBuilder::ipv4(source.octets(), target.octets(), TTL)
        }
        (source, target) => PacketBuilder::ipv6(v6(source), v6(target), TTL),
    };
    let builder = builder.udp(source.port(), target.port());
    let mut packet = Vec::with_capacity(builder.size(message.bytes.len()));
    builder.write(&mut packet, &message.bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(packet)
}

fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

fn failed(error: PcapError) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{Id as _, InteractionId};
    use model::time::Timestamp;
    use model::trace::Wire;
    use pcap_file::pcap::PcapReader;

    /// SIP-08: each message is a packet between its addresses, at its time, with its words; of both versions of IP.
    #[test]
    fn a_capture_file_has_every_message() {
        let message = |at, outgoing, ours: &str, theirs: &str, text: &str| TracedMessage {
            at: Timestamp::from_micros(at),
            outgoing,
            wire: Wire::Tcp,
            ours: ours.parse().unwrap(),
            theirs: theirs.parse().unwrap(),
            bytes: text.as_bytes().to_vec(),
        };
        let trace = CallTrace {
            interaction: InteractionId::from_number(1),
            messages: vec![
                message(1_500_000, false, "192.0.2.1:5060", "192.0.2.2:5070", "INVITE"),
                message(1_600_001, true, "[2001:db8::1]:5060", "[2001:db8::2]:5061", "BYE"),
            ],
            left_out: 0,
        };
        let file = capture(&trace).unwrap();
        let mut reader = PcapReader::new(&file[..]).unwrap();
        assert_eq!(reader.header().datalink, DataLink::RAW);
        let mut read = || {
            let packet = reader.next_packet().unwrap().unwrap();
            (packet.timestamp, packet.data.into_owned())
        };
        let (at, first) = read();
        let sliced = etherparse::SlicedPacket::from_ip(&first).unwrap();
        let Some(etherparse::TransportSlice::Udp(udp)) = sliced.transport else { panic!("no UDP") };
        assert_eq!(
            (at, udp.source_port(), udp.destination_port()),
            (Duration::from_micros(1_500_000), 5_070, 5_060)
        );
        assert_eq!(udp.payload(), b"INVITE");
        let (at, second) = read();
        let sliced = etherparse::SlicedPacket::from_ip(&second).unwrap();
        let Some(etherparse::NetSlice::Ipv6(ip)) = sliced.net else { panic!("no IPv6") };
        assert_eq!(ip.header().source_addr(), "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap());
        assert_eq!(at, Duration::from_micros(1_600_001));
        assert!(second.ends_with(b"BYE"));
    }
}
