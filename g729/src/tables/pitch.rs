//! Interpolation of the past excitation at a third of a sample (3.7, 3.7.1).

/// Filter of the fractional search, Q15.
#[rustfmt::skip]
pub static SEARCH: [i16; 13] = [
    29519, 24906, 13896, 2755, -3459, -3969, -1561, 534, 1023, 516, 0, -194, 0,
];

/// Filter of the adaptive codebook, Q15: `EXCITATION[3 * k + fraction]`.
#[rustfmt::skip]
pub static EXCITATION: [i16; 31] = [
    29443, 25207, 14701, 3143, -4402, -5850, -2783, 1211, 3130, 2259, 0, -1652, -1666, -464, 756,
    1099, 550, -245, -634, -451, 0, 308, 296, 78, -120, -165, -79, 34, 91, 70, 0,
];
