//! Gains: the conjugate-structure codebooks (3.9.2), their order on the wire and the predictor of
//! the innovation's energy (3.9.1).

/// First stage: pitch gain Q14, correction of the code gain Q13.
#[rustfmt::skip]
pub static GA: [[i16; 2]; 8] = [
    [1, 1516],
    [1551, 2425],
    [1831, 5022],
    [57, 5404],
    [1921, 9291],
    [3242, 9949],
    [356, 14756],
    [2678, 27162],
];

/// Second stage: pitch gain Q14, correction of the code gain Q13.
#[rustfmt::skip]
pub static GB: [[i16; 2]; 16] = [
    [826, 2005],
    [1994, 0],
    [5142, 592],
    [6160, 2395],
    [8091, 4861],
    [9120, 525],
    [10573, 2966],
    [11569, 1196],
    [13260, 3256],
    [14194, 1630],
    [15132, 4914],
    [15161, 14276],
    [15434, 237],
    [16112, 3392],
    [17299, 1861],
    [18973, 5935],
];

/// Place in [`GA`] to the index sent.
#[rustfmt::skip]
pub static GA_TO_WIRE: [u8; 8] = [
    5, 1, 4, 7, 3, 0, 6, 2,
];

/// Index received to the place in [`GA`].
#[rustfmt::skip]
pub static GA_FROM_WIRE: [u8; 8] = [
    5, 1, 7, 4, 2, 0, 6, 3,
];

/// Place in [`GB`] to the index sent.
#[rustfmt::skip]
pub static GB_TO_WIRE: [u8; 16] = [
    4, 6, 0, 2, 12, 14, 8, 10, 15, 11, 9, 13, 7, 3, 1, 5,
];

/// Index received to the place in [`GB`].
#[rustfmt::skip]
pub static GB_FROM_WIRE: [u8; 16] = [
    2, 14, 3, 13, 0, 15, 1, 12, 6, 10, 7, 9, 4, 11, 5, 8,
];

/// Predictor of the innovation's energy, Q13: 0.68, 0.58, 0.34, 0.19.
#[rustfmt::skip]
pub static ENERGY_MA: [i16; 4] = [
    5571, 4751, 2785, 1556,
];
