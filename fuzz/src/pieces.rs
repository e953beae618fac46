//! Inputs of several datagrams: state machines break by sequences.

/// Pieces read of one input at most: a longer input tells nothing new, and takes longer.
const PIECES_MAX: usize = 64;

/// Takes an input apart: each piece is an octet that says how it comes (the target knows what that means), two octets of
/// length, and that many octets, or what is left.
pub fn pieces(mut input: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let ([how, low, high], rest) = input.split_first_chunk::<3>()?;
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (piece, rest) = rest.split_at(len);
        input = rest;
        Some((*how, piece))
    })
    .take(PIECES_MAX)
}

/// Writes a piece, for corpora.
pub fn piece(how: u8, octets: &[u8]) -> Vec<u8> {
    let len = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&[how, len[0], len[1]], octets].concat()
}

#[cfg(test)]
mod tests {
    #[test]
    fn pieces_read_back_as_they_were_written() {
        let input = [super::piece(1, b"one"), super::piece(7, b""), vec![9, 200, 0, 5, 5]].concat();
        let read: Vec<_> = super::pieces(&input).collect();
        assert_eq!(
            read,
            [(1, &b"one"[..]), (7, b""), (9, &[5, 5])],
            "what is cut off is read as far as it goes"
        );
    }
}
