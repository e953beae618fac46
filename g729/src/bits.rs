//! What a frame says and where its bits stand (Table 8, Table B.2).

/// The 15 parameters of a speech frame, as sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speech {
    /// L0: which of the two predictors of the spectrum, 1 bit.
    pub predictor: u8,
    /// L1, L2, L3: first stage (7 bits), lower half (5), upper half (5).
    pub spectrum: [u8; 3],
    /// P1 (8 bits) and P2 (5 bits): the pitch delays.
    pub delay: [u8; 2],
    /// P0: parity of the six upper bits of P1.
    pub parity: u8,
    /// C1 and C2, 13 bits: where the four pulses stand.
    pub pulses: [u16; 2],
    /// S1 and S2, 4 bits: a set bit makes its pulse positive.
    pub signs: [u8; 2],
    /// GA1 and GA2, 3 bits.
    pub gain_a: [u8; 2],
    /// GB1 and GB2, 4 bits.
    pub gain_b: [u8; 2],
}

/// The description of silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// Which of the two predictors, 1 bit.
    pub predictor: u8,
    /// First stage (5 bits) and second stage (4 bits).
    pub spectrum: [u8; 2],
    /// Energy, 5 bits.
    pub energy: u8,
}

/// The parity sent with the first pitch delay (3.7.2): of its six upper bits, and one.
pub fn parity(delay: u8) -> u8 {
    ((delay >> 2).count_ones() as u8 & 1) ^ 1
}

impl Speech {
    /// Reads the ten octets. Every pattern is a frame.
    pub fn from_octets(octets: &[u8; 10]) -> Speech {
        let mut bits = Reader(octets.iter().fold(0u128, |all, octet| all << 8 | u128::from(*octet)) << 48);
        let (predictor, spectrum) =
            (bits.take(1) as u8, [bits.take(7) as u8, bits.take(5) as u8, bits.take(5) as u8]);
        let (delay, parity) = (bits.take(8) as u8, bits.take(1) as u8);
        let first = (bits.take(13), bits.take(4) as u8, bits.take(3) as u8, bits.take(4) as u8);
        let second_delay = bits.take(5) as u8;
        let second = (bits.take(13), bits.take(4) as u8, bits.take(3) as u8, bits.take(4) as u8);
        Speech {
            predictor,
            spectrum,
            delay: [delay, second_delay],
            parity,
            pulses: [first.0, second.0],
            signs: [first.1, second.1],
            gain_a: [first.2, second.2],
            gain_b: [first.3, second.3],
        }
    }

    /// The ten octets. Bits above a parameter's width are cut off.
    pub fn octets(&self) -> [u8; 10] {
        let mut bits = Writer(0);
        bits.put(1, self.predictor.into());
        bits.put(7, self.spectrum[0].into());
        bits.put(5, self.spectrum[1].into());
        bits.put(5, self.spectrum[2].into());
        bits.put(8, self.delay[0].into());
        bits.put(1, self.parity.into());
        for half in 0..2 {
            if half == 1 {
                bits.put(5, self.delay[1].into());
            }
            bits.put(13, self.pulses[half]);
            bits.put(4, self.signs[half].into());
            bits.put(3, self.gain_a[half].into());
            bits.put(4, self.gain_b[half].into());
        }
        std::array::from_fn(|i| (bits.0 >> (72 - 8 * i)) as u8)
    }

    /// Whether the first pitch delay came with the parity that belongs to it.
    pub fn parity_holds(&self) -> bool {
        parity(self.delay[0]) == self.parity
    }
}

impl Silence {
    /// Reads the two octets; the last bit says nothing.
    pub fn from_octets(octets: [u8; 2]) -> Silence {
        let word = u16::from_be_bytes(octets);
        Silence {
            predictor: (word >> 15) as u8,
            spectrum: [(word >> 10 & 31) as u8, (word >> 6 & 15) as u8],
            energy: (word >> 1 & 31) as u8,
        }
    }

    /// The two octets, their last bit 0. Bits above a parameter's width are cut off.
    pub fn octets(&self) -> [u8; 2] {
        let mut bits = Writer(0);
        bits.put(1, self.predictor.into());
        bits.put(5, self.spectrum[0].into());
        bits.put(4, self.spectrum[1].into());
        bits.put(5, self.energy.into());
        bits.put(1, 0);
        (bits.0 as u16).to_be_bytes()
    }
}

/// Most significant bit first.
struct Reader(u128);

impl Reader {
    fn take(&mut self, width: u32) -> u16 {
        let value = (self.0 >> (128 - width)) as u16;
        self.0 <<= width;
        value
    }
}

struct Writer(u128);

impl Writer {
    fn put(&mut self, width: u32, value: u16) {
        self.0 = self.0 << width | u128::from(value) & ((1 << width) - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_frame_comes_back_where_it_was() {
        for bit in 0..80 {
            let mut octets = [0u8; 10];
            octets[bit / 8] = 0x80 >> (bit % 8);
            assert_eq!(Speech::from_octets(&octets).octets(), octets);
            octets.iter_mut().for_each(|octet| *octet = !*octet);
            assert_eq!(Speech::from_octets(&octets).octets(), octets);
        }
        for word in 0..=u16::MAX {
            let octets = word.to_be_bytes();
            assert_eq!(Silence::from_octets(octets).octets(), (word & !1).to_be_bytes());
        }
    }

    #[test]
    fn parameters_stand_in_the_order_of_table_8() {
        let all = Speech {
            predictor: 1,
            spectrum: [0x55, 0x1f, 0],
            delay: [0xa5, 0x11],
            parity: 1,
            pulses: [0x1555, 0x0aaa],
            signs: [0xf, 0x6],
            gain_a: [5, 2],
            gain_b: [0, 9],
        };
        let text: String = all.octets().iter().map(|octet| format!("{octet:08b}")).collect();
        let want =
            ["1", "1010101", "11111", "00000", "10100101", "1", "1010101010101", "1111", "101", "0000"];
        let rest = ["10001", "0101010101010", "0110", "010", "1001"];
        assert_eq!(text, want.concat() + &rest.concat());
    }

    #[test]
    fn one_wrong_bit_among_the_upper_six_breaks_the_parity() {
        for delay in 0..=255u8 {
            let frame = Speech { delay: [delay, 0], parity: parity(delay), ..Speech::default() };
            assert!(frame.parity_holds());
            for bit in 0..8 {
                let broken = Speech { delay: [delay ^ 1 << bit, 0], ..frame };
                assert_eq!(broken.parity_holds(), bit < 2);
            }
        }
    }
}
