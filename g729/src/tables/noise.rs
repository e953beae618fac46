//! Annex B: the description of silence (B.4.2).

/// Square root of the energy behind each of the 32 indices.
#[rustfmt::skip]
pub static ENERGY_GAIN: [i16; 32] = [
    2, 5, 8, 13, 20, 32, 50, 64, 80, 101, 127, 160, 201, 253, 318, 401, 505, 635, 800, 1007, 1268,
    1596, 2010, 2530, 3185, 4009, 5048, 6355, 8000, 10071, 12679, 15962,
];

/// The 32 rows of the first codebook a description may name.
#[rustfmt::skip]
pub static STAGE1: [u8; 32] = [
    96, 52, 20, 54, 86, 114, 82, 68, 36, 121, 48, 92, 18, 120, 94, 124, 50, 125, 4, 100, 28, 76,
    12, 117, 81, 22, 90, 116, 127, 21, 108, 66,
];

/// The 16 pairs of rows of the second codebook: lower half, upper half.
#[rustfmt::skip]
pub static STAGE2: [[u8; 16]; 2] = [
    [31, 21, 9, 3, 10, 2, 19, 26, 4, 3, 11, 29, 15, 27, 21, 12],
    [16, 1, 0, 0, 8, 25, 22, 20, 19, 23, 20, 31, 4, 31, 20, 31],
];

/// What each of the two predictors leaves to the codebook, Q15.
#[rustfmt::skip]
pub static MA_REST: [[i16; 10]; 2] = [
    [7798, 8447, 8205, 8293, 8126, 8477, 8447, 8703, 9043, 8604],
    [10514, 12402, 12833, 11914, 11447, 11670, 11132, 11311, 11844, 11447],
];

/// The reciprocal of [`MA_REST`], Q12.
#[rustfmt::skip]
pub static MA_REST_INVERSE: [[i16; 10]; 2] = [
    [17210, 15888, 16357, 16183, 16516, 15833, 15888, 15421, 14840, 15597],
    [12764, 10821, 10458, 11264, 11724, 11500, 12056, 11865, 11331, 11724],
];

/// Weight of each predictor's error in the choice between the two, Q15.
#[rustfmt::skip]
pub static PREDICTOR_WEIGHT: [i16; 2] = [
    8644, 16572,
];
