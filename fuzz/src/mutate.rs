//! Bends an input, as libFuzzer does, without its feedback.

use crate::chance::Chance;

/// Longest input that is made.
const LEN_MAX: usize = 8_192;

/// Octets that often stand at a border.
const BORDERS: [u8; 10] = [0, 1, 0x0F, 0x10, 0x7F, 0x80, 0xBF, 0xC0, 0xFE, 0xFF];

/// Makes another input of one, by one to eight changes. `others`: what pieces may be taken from.
pub(crate) fn mutate(input: &mut Vec<u8>, others: &[(String, Vec<u8>)], chance: &mut Chance) {
    for _ in 0..1 + chance.below(8) {
        let at = chance.below(input.len());
        match chance.below(9) {
            0 => flip(input, at, chance),
            1 => set(input, at, chance.next() as u8),
            2 => set(input, at, BORDERS[chance.below(BORDERS.len())]),
            3 => input.truncate(at),
            4 => {
                let end = (at + 1 + chance.below(16)).min(input.len());
                input.drain(at.min(end)..end);
            }
            5 => {
                let filler = chance.next() as u8;
                let most = if chance.below(16) == 0 { 1_000 } else { 8 };
                let many = 1 + chance.below(most);
                input.splice(at..at, std::iter::repeat_n(filler, many));
            }
            6 => {
                let piece = cut(input, chance);
                input.splice(at..at, piece);
            }
            7 => {
                if let Some((_, other)) = others.get(chance.below(others.len())) {
                    let piece = cut(other, chance);
                    let end = if chance.below(2) == 0 { at } else { (at + piece.len()).min(input.len()) };
                    input.splice(at..end, piece);
                }
            }
            _ => number(input, at, chance),
        }
    }
    input.truncate(LEN_MAX);
}

fn flip(input: &mut [u8], at: usize, chance: &mut Chance) {
    if let Some(octet) = input.get_mut(at) {
        *octet ^= 1 << chance.below(8);
    }
}

fn set(input: &mut [u8], at: usize, value: u8) {
    if let Some(octet) = input.get_mut(at) {
        *octet = value;
    }
}

/// Two octets become a number a little beside what it was, as lengths and counts like to be.
fn number(input: &mut [u8], at: usize, chance: &mut Chance) {
    if let Some(field) = input.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<2>()) {
        let change = chance.below(33) as u16;
        *field = u16::from_be_bytes(*field).wrapping_add(change).wrapping_sub(16).to_be_bytes();
    }
}

fn cut(octets: &[u8], chance: &mut Chance) -> Vec<u8> {
    let from = chance.below(octets.len());
    let len = 1 + chance.below(64);
    octets.get(from..octets.len().min(from + len)).unwrap_or_default().to_vec()
}
