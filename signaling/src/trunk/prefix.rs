//! Address prefixes: `192.0.2.0/24`, or an address alone.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Shortest IPv4 prefix that is taken. No carrier owns more than a /8; `0.0.0.0/0` would be everybody.
const LENGTH4_MIN: u8 = 8;
/// Shortest IPv6 prefix that is taken; registries give providers /19 at the widest.
const LENGTH6_MIN: u8 = 16;

/// A block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix {
    /// Bits beyond the length are zero.
    address: IpAddr,
    length: u8,
}

/// Why a text is no prefix we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPrefix {
    /// Not a number.
    #[error("write an IP address, or an IP address with a prefix length such as 192.0.2.0/24")]
    NotAnAddress,
    /// Beyond the address, or no number.
    #[error("the prefix length must be at most 32 for IPv4 and 128 for IPv6")]
    Length,
    /// It holds everybody, or nearly.
    #[error("this holds far too many addresses; name the ones your carrier gave you")]
    TooWide,
    /// Bits are set behind the length: probably a slip.
    #[error("bits are set behind the prefix length; the block begins at {0}")]
    HostBits(IpAddr),
}

impl Prefix {
    /// How many leading bits count.
    pub const fn length(&self) -> u8 {
        self.length
    }
    /// Whether an address is in the block. IPv4 in IPv6 clothes counts as IPv4.
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && cut(address, self.length) == self.address
    }
}

impl FromStr for Prefix {
    type Err = BadPrefix;
    fn from_str(text: &str) -> Result<Self, BadPrefix> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadPrefix::NotAnAddress)?;
        let (most, least) = if address.is_ipv4() { (32, LENGTH4_MIN) } else { (128, LENGTH6_MIN) };
        let length = match length {
            None => most,
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse::<u8>().ok().filter(|length| *length <= most).ok_or(BadPrefix::Length)?
            }
            Some(_) => return Err(BadPrefix::Length),
        };
        if length < least || address.is_unspecified() || address.to_canonical().is_ipv4() != address.is_ipv4()
        {
            return Err(BadPrefix::TooWide);
        }
        match cut(address, length) {
            start if start == address => Ok(Self { address, length }),
            start => Err(BadPrefix::HostBits(start)),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// The address with all bits behind the length cleared.
fn cut(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask))
        }
    }
}
