//! G.711 by tables: 14-bit mu-law, 13-bit A-law (ITU-T G.711, arithmetic as in ITU-T G.191).
//!
//! Samples are 16-bit and left-aligned, as sound cards have them. Encoding drops the low bits a code cannot hold, so the
//! tables are indexed by what is left: 16 KiB for mu-law and 4 KiB for A-law, small enough to live in the first caches.
//! A-law octets are stored with even bits inverted, mu-law ones with all bits inverted, as they travel.

/// Mu-law for silence.
pub const MU_SILENCE: u8 = 0xFF;
/// A-law for silence (the smallest positive value; A-law has no zero).
pub const A_SILENCE: u8 = 0xD5;

/// The sample a mu-law octet stands for.
#[inline]
pub fn decode_mu(code: u8) -> i16 {
    MU_TO_LINEAR[code as usize]
}

/// The sample an A-law octet stands for.
#[inline]
pub fn decode_a(code: u8) -> i16 {
    A_TO_LINEAR[code as usize]
}

/// The mu-law octet for a sample.
#[inline]
pub fn encode_mu(sample: i16) -> u8 {
    LINEAR_TO_MU[(sample as u16 >> 2) as usize]
}

/// The A-law octet for a sample.
#[inline]
pub fn encode_a(sample: i16) -> u8 {
    LINEAR_TO_A[(sample as u16 >> 4) as usize]
}

/// The A-law octet for a mu-law one.
#[inline]
pub fn mu_to_a(code: u8) -> u8 {
    MU_TO_A[code as usize]
}

/// The mu-law octet for an A-law one.
#[inline]
pub fn a_to_mu(code: u8) -> u8 {
    A_TO_MU[code as usize]
}

/// Turns a mu-law payload into A-law where it lies: between such legs, transcoding is one pass over the packet.
pub fn mu_to_a_in_place(payload: &mut [u8]) {
    payload.iter_mut().for_each(|octet| *octet = mu_to_a(*octet));
}

/// Turns an A-law payload into mu-law where it lies.
pub fn a_to_mu_in_place(payload: &mut [u8]) {
    payload.iter_mut().for_each(|octet| *octet = a_to_mu(*octet));
}

static MU_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = mu_value(code as u8);
        code += 1;
    }
    table
};

static A_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = a_value(code as u8);
        code += 1;
    }
    table
};

/// Indexed by the 14 bits of the sample, as an unsigned pattern.
static LINEAR_TO_MU: [u8; 16_384] = {
    let mut table = [0; 16_384];
    let mut index = 0;
    while index < 16_384 {
        table[index] = mu_code(((index << 2) as u16) as i16);
        index += 1;
    }
    table
};

/// Indexed by the upper 12 bits of the sample: A-law's thirteenth bit never changes the code.
static LINEAR_TO_A: [u8; 4_096] = {
    let mut table = [0; 4_096];
    let mut index = 0;
    while index < 4_096 {
        table[index] = a_code(((index << 4) as u16) as i16);
        index += 1;
    }
    table
};

static MU_TO_A: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = a_code(mu_value(code as u8));
        code += 1;
    }
    table
};

static A_TO_MU: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = mu_code(a_value(code as u8));
        code += 1;
    }
    table
};

const fn mu_value(code: u8) -> i16 {
    let code = !code;
    // 33 is the bias that makes segment edges powers of two; 132 is it, left-aligned.
    let magnitude = ((((code & 0x0F) as i16) << 3) + 132) << ((code >> 4) & 7);
    if code & 0x80 != 0 { 132 - magnitude } else { magnitude - 132 }
}

const fn a_value(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 7;
    let step = (((code & 0x0F) as i16) << 4) + 8;
    let magnitude = if segment == 0 { step } else { (step + 256) << (segment - 1) };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn mu_code(sample: i16) -> u8 {
    // One's complement for negative samples keeps both halves symmetric around zero, as G.191 does.
    let magnitude = (if sample < 0 { !sample } else { sample } >> 2) as u16 + 33;
    let magnitude = if magnitude > 0x1FFF { 0x1FFF } else { magnitude };
    let segment = (15 - magnitude.leading_zeros() as u16) - 5;
    let code = ((segment << 4) | ((magnitude >> (segment + 1)) & 0x0F)) as u8;
    !(code | if sample < 0 { 0x80 } else { 0 })
}

const fn a_code(sample: i16) -> u8 {
    let magnitude = (if sample < 0 { !sample } else { sample } >> 4) as u16;
    let code = if magnitude < 16 {
        magnitude
    } else {
        let segment = (15 - magnitude.leading_zeros() as u16) - 3;
        (segment << 4) | ((magnitude >> (segment - 1)) & 0x0F)
    };
    (code as u8 | if sample < 0 { 0 } else { 0x80 }) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ulaw_compress` of ITU-T G.191, told again: count segments by shifting until the magnitude fits.
    fn g191_mu(sample: i16) -> u8 {
        let mut absolute = i32::from(if sample < 0 { !sample } else { sample } >> 2) + 33;
        absolute = absolute.min(0x1FFF);
        let (mut rest, mut segment) = (absolute >> 6, 1);
        while rest != 0 {
            segment += 1;
            rest >>= 1;
        }
        let high = 0x0008 - segment;
        let low = 0x000F - ((absolute >> segment) & 0x000F);
        let code = ((high << 4) | low) as u8;
        if sample >= 0 { code | 0x80 } else { code }
    }

    /// `alaw_compress` of ITU-T G.191, told again.
    fn g191_a(sample: i16) -> u8 {
        let mut x = if sample < 0 { !sample } else { sample } >> 4;
        if x > 15 {
            let mut exponent = 1;
            while x > 16 + 15 {
                x >>= 1;
                exponent += 1;
            }
            x = x - 16 + (exponent << 4);
        }
        if sample >= 0 {
            x |= 0x80;
        }
        (x ^ 0x55) as u8
    }

    #[test]
    fn every_sample_encodes_as_the_itu_tool_does() {
        for sample in i16::MIN..=i16::MAX {
            assert_eq!(encode_mu(sample), g191_mu(sample), "mu-law of {sample}");
            assert_eq!(encode_a(sample), g191_a(sample), "A-law of {sample}");
        }
    }

    #[test]
    fn the_values_are_those_of_the_recommendation() {
        // G.711 Table 2a and 1a: the ends of the scale and the first steps, left-aligned to 16 bits.
        assert_eq!(
            (decode_mu(0x80), decode_mu(0x00), decode_mu(0xFF), decode_mu(0xFE)),
            (32124, -32124, 0, 8)
        );
        assert_eq!((decode_a(0xAA), decode_a(0x2A), decode_a(0xD5), decode_a(0x55)), (32256, -32256, 8, -8));
        // Each segment doubles the step: 2, 4, 8 … 256 units of 14 bits; 2, 2, 4 … of 13.
        for segment in 0..8 {
            let mu = |step: u8| i32::from(decode_mu(!(segment << 4 | step)));
            assert_eq!(mu(1) - mu(0), 8 << segment);
            let a = |step: u8| i32::from(decode_a((0x80 | segment << 4 | step) ^ 0x55));
            assert_eq!(a(1) - a(0), 16 << i32::from(segment).saturating_sub(1).max(0));
        }
    }

    #[test]
    fn a_code_survives_decoding_and_encoding() {
        for code in 0..=255 {
            // Mu-law has two zeros; the negative one comes back as the positive.
            if code != 0x7F {
                assert_eq!(encode_mu(decode_mu(code)), code);
            }
            assert_eq!(encode_a(decode_a(code)), code);
        }
    }

    #[test]
    fn no_sample_is_off_by_more_than_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            // Beyond the last step all samples clip to it.
            let sample = sample.clamp(-32_635, 32_635);
            let mu = encode_mu(sample);
            let step = 8 << ((!mu >> 4) & 7);
            assert!(
                (i32::from(decode_mu(mu)) - i32::from(sample)).abs() <= step / 2 + 1,
                "mu-law of {sample}"
            );
            let a = encode_a(sample);
            let step = 16 << i32::from(((a ^ 0x55) >> 4) & 7).saturating_sub(1).max(0);
            assert!((i32::from(decode_a(a)) - i32::from(sample)).abs() <= step / 2, "A-law of {sample}");
        }
    }

    #[test]
    fn between_the_laws_the_table_is_decoding_and_encoding() {
        let mut payload: Vec<u8> = (0..=255).collect();
        mu_to_a_in_place(&mut payload);
        for (code, a) in (0..=255u8).zip(&payload) {
            assert_eq!(*a, g191_a(decode_mu(code)));
            assert_eq!(a_to_mu(code), g191_mu(decode_a(code)));
        }
    }
}
