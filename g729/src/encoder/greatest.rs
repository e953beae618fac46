//! The greatest of many quotients, without division: `a / b > c / d` where `a d > c b`.

/// Where each of 32 eights lies: the bits of its number from the last to the first. So what is in the first half of any
/// halving comes before what is compared with it. The same table leads back.
pub(super) static TURNED: [i16; 256] = {
    let mut places = [0; 256];
    let mut i = 0;
    while i < 256 {
        places[i] = (((i / 8) as u8).reverse_bits() as usize / 8 * 8 + i % 8) as i16;
        i += 1;
    }
    places
};

/// The place of the greatest `square / energy`, as `places` names it; the first of those alike.
#[inline(always)]
pub(super) fn greatest<const N: usize>(squares: &[i16; N], energies: &[i16; N], places: &[i16; N]) -> usize {
    if energies.iter().fold(i16::MAX, |least, x| least.min(*x)) <= 0 {
        return greatest_in_turn(squares, energies, places);
    }
    // Of positive energies quotients have an order, so halves may be compared with each other until one place is left.
    let (mut squares, mut energies) = (*squares, *energies);
    let mut at = *places;
    let mut left = N;
    while left > 8 {
        left /= 2;
        let (square, others) = squares.split_at_mut(left);
        let (energy, other_energies) = energies.split_at_mut(left);
        let (place, other_places) = at.split_at_mut(left);
        keep_better((square, energy, place), (others, other_energies, other_places));
    }
    let mut best = (at[0], squares[0], energies[0]);
    for i in 1..8 {
        let now = (at[i], squares[i], energies[i]);
        let (ours, theirs) = (i32::from(now.1) * i32::from(best.2), i32::from(best.1) * i32::from(now.2));
        let better = ours > theirs || ours == theirs && now.0 < best.0;
        best = if better { now } else { best };
    }
    best.0 as usize
}

/// Squares, energies and places: of each pair the better stays, of those alike the one that is there.
#[inline(always)]
fn keep_better(
    (squares, energies, at): (&mut [i16], &mut [i16], &mut [i16]),
    (other_squares, other_energies, other_at): (&[i16], &[i16], &[i16]),
) {
    let n = squares.len() & !7;
    let (squares, energies, at) = (&mut squares[..n], &mut energies[..n], &mut at[..n]);
    let (other_squares, other_energies, other_at) =
        (&other_squares[..n], &other_energies[..n], &other_at[..n]);
    for i in 0..n {
        let ours = i32::from(other_squares[i]) * i32::from(energies[i]);
        let theirs = i32::from(squares[i]) * i32::from(other_energies[i]);
        let better = -i16::from(ours > theirs);
        squares[i] ^= (squares[i] ^ other_squares[i]) & better;
        energies[i] ^= (energies[i] ^ other_energies[i]) & better;
        at[i] ^= (at[i] ^ other_at[i]) & better;
    }
}

/// [`greatest`], one after the other: where an energy is not positive, the order decides.
fn greatest_in_turn<const N: usize>(squares: &[i16; N], energies: &[i16; N], places: &[i16; N]) -> usize {
    let (mut at, mut square, mut energy) = (0, -1i16, 1i16);
    for i in 0..N {
        let place = places[i] as usize;
        if i32::from(squares[place]) * i32::from(energy) > i32::from(square) * i32::from(energies[place]) {
            (at, square, energy) = (i, squares[place], energies[place]);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_of_lanes_is_the_first_greatest_in_turn() {
        let mut seed = 5u32;
        let mut any = |most: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((seed >> 16) % most) as i16
        };
        for most in [2, 3, 9, 400, 32_768] {
            for least in [0, 1] {
                for _ in 0..300 {
                    let squares: [i16; 256] = std::array::from_fn(|_| any(most));
                    let energies: [i16; 256] = std::array::from_fn(|_| any(most).max(least));
                    let found = greatest(&squares, &energies, &TURNED);
                    assert_eq!(found, greatest_in_turn(&squares, &energies, &TURNED));
                    assert_eq!(usize::from(TURNED[TURNED[found] as usize] as u16), found);
                }
            }
        }
    }
}
