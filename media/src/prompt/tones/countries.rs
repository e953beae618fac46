//! The figures, country by country: frequencies in Hz, then milliseconds on and off.
//!
//! ITU-T E.180 Supplement 2 (various tones used in national networks) and, where a country's administration published newer
//! ones, those. Every tone that does not stand at a country is that of [`EUROPE`].

use super::cadence::{Note, Notes};

/// One country's tones.
#[derive(Debug)]
pub(super) struct Country {
    /// ISO 3166.
    pub code: &'static str,
    pub dial: Notes,
    pub ringback: Notes,
    pub busy: Notes,
    pub congestion: Notes,
    pub waiting: Notes,
    pub information: Notes,
    pub record: Notes,
}

const fn one(hz: u16, on_ms: u32, off_ms: u32) -> Note {
    Note::one(hz, on_ms, off_ms)
}
const fn two(low: u16, high: u16, on_ms: u32, off_ms: u32) -> Note {
    Note::two(low, high, on_ms, off_ms)
}
const fn trembling(hz: u16, by: u16, on_ms: u32, off_ms: u32) -> Note {
    Note::trembling(hz, by, on_ms, off_ms)
}

/// What E.180 recommends and most of Europe has: 425 Hz; the special information tone of §6.5; 1400 Hz every 15 s.
pub(super) const EUROPE: Country = Country {
    code: "EU",
    dial: &[one(425, 1_000, 0)],
    ringback: &[one(425, 1_000, 4_000)],
    busy: &[one(425, 500, 500)],
    congestion: &[one(425, 250, 250)],
    waiting: &[one(425, 200, 200), one(425, 200, 4_000)],
    information: &[one(950, 330, 0), one(1_400, 330, 0), one(1_800, 330, 1_000)],
    record: &[one(1_400, 400, 15_000)],
};

/// The precise tone plan of the United States and Canada.
const NORTH_AMERICA: Country = Country {
    dial: &[two(350, 440, 1_000, 0)],
    ringback: &[two(440, 480, 2_000, 4_000)],
    busy: &[two(480, 620, 500, 500)],
    congestion: &[two(480, 620, 250, 250)],
    waiting: &[one(440, 300, 10_000)],
    record: &[one(1_400, 500, 15_000)],
    ..EUROPE
};

/// Russia and its neighbours.
const SOVIET: Country = Country {
    ringback: &[one(425, 800, 3_200)],
    busy: &[one(425, 400, 400)],
    congestion: &[one(425, 200, 200)],
    waiting: &[one(425, 200, 5_000)],
    ..EUROPE
};

/// The Czech and the Slovak network were one.
const CZECHOSLOVAK: Country = Country {
    dial: &[one(425, 330, 330), one(425, 660, 660)],
    busy: &[one(425, 330, 330)],
    congestion: &[one(425, 165, 165)],
    waiting: &[one(425, 330, 9_000)],
    information: &[one(950, 330, 30), one(1_400, 330, 30), one(1_800, 330, 1_000)],
    record: &[one(1_400, 500, 14_000)],
    ..EUROPE
};

/// In the order of their codes.
#[rustfmt::skip]
pub(super) static COUNTRIES: [Country; 55] = [
    Country {
        code: "AR",
        ringback: &[one(425, 1_000, 4_500)],
        busy: &[one(425, 300, 200)],
        congestion: &[one(425, 300, 400)],
        ..EUROPE
    },
    Country {
        code: "AT",
        dial: &[one(420, 1_000, 0)],
        ringback: &[one(420, 1_000, 5_000)],
        busy: &[one(420, 400, 400)],
        congestion: &[one(420, 200, 200)],
        waiting: &[one(420, 40, 1_960)],
        information: &[one(950, 330, 0), one(1_450, 330, 0), one(1_850, 330, 1_000)],
        record: &[one(1_400, 80, 14_920)],
    },
    Country {
        code: "AU",
        dial: &[two(413, 438, 1_000, 0)],
        ringback: &[two(413, 438, 400, 200), two(413, 438, 400, 2_000)],
        busy: &[one(425, 375, 375)],
        congestion: &[one(425, 375, 375), one(420, 375, 375)],
        waiting: &[one(425, 200, 200), one(425, 200, 4_400)],
        information: &[one(425, 2_500, 500)],
        record: &[one(425, 360, 15_000)],
    },
    Country {
        code: "BE",
        ringback: &[one(425, 1_000, 3_000)],
        congestion: &[one(425, 167, 167)],
        waiting: &[one(1_400, 175, 175), one(1_400, 175, 3_500)],
        information: &[one(900, 330, 0), one(1_400, 330, 0), one(1_800, 330, 1_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "BG",
        waiting: &[one(425, 150, 150), one(425, 150, 4_000)],
        record: &[one(1_400, 425, 15_000)],
        ..EUROPE
    },
    Country {
        code: "BR",
        busy: &[one(425, 250, 250)],
        congestion: &[one(425, 250, 250), one(425, 750, 250)],
        waiting: &[one(425, 50, 1_000)],
        ..EUROPE
    },
    Country { code: "BY", ..SOVIET },
    Country { code: "CA", ..NORTH_AMERICA },
    Country {
        code: "CH",
        congestion: &[one(425, 200, 200)],
        record: &[one(1_400, 80, 15_000)],
        ..EUROPE
    },
    Country {
        code: "CL",
        dial: &[one(400, 1_000, 0)],
        ringback: &[one(400, 1_000, 3_000)],
        busy: &[one(400, 500, 500)],
        congestion: &[one(400, 200, 200)],
        waiting: &[one(400, 250, 8_750)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "CN",
        dial: &[one(450, 1_000, 0)],
        ringback: &[one(450, 1_000, 4_000)],
        busy: &[one(450, 350, 350)],
        congestion: &[one(450, 700, 700)],
        waiting: &[one(450, 400, 4_000)],
        information: &[one(450, 100, 100), one(450, 100, 100), one(450, 100, 100), one(450, 400, 400)],
        record: &[one(950, 400, 10_000)],
    },
    Country { code: "CZ", ..CZECHOSLOVAK },
    Country {
        code: "DE",
        busy: &[one(425, 480, 480)],
        congestion: &[one(425, 240, 240)],
        waiting: &[one(425, 200, 200), one(425, 200, 5_000)],
        record: &[one(1_400, 80, 15_000)],
        ..EUROPE
    },
    Country {
        code: "DK",
        congestion: &[one(425, 200, 200)],
        waiting: &[one(425, 200, 600), one(425, 200, 3_000)],
        record: &[one(1_400, 80, 15_000)],
        ..EUROPE
    },
    Country {
        code: "EE",
        busy: &[one(425, 300, 300)],
        congestion: &[one(425, 200, 200)],
        waiting: &[one(950, 650, 325), one(950, 325, 30), one(1_400, 1_300, 2_600)],
        information: &[one(950, 650, 325), one(950, 325, 30), one(1_400, 1_300, 2_600)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "ES",
        ringback: &[one(425, 1_500, 3_000)],
        busy: &[one(425, 200, 200)],
        congestion: &[one(425, 200, 200), one(425, 200, 200), one(425, 200, 600)],
        waiting: &[one(425, 175, 175), one(425, 175, 3_500)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "FI",
        busy: &[one(425, 300, 300)],
        congestion: &[one(425, 200, 200)],
        waiting: &[one(425, 150, 150), one(425, 150, 8_000)],
        information: &[one(950, 650, 325), one(950, 325, 30), one(1_400, 1_300, 2_600)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "FR",
        dial: &[one(440, 1_000, 0)],
        ringback: &[one(440, 1_500, 3_500)],
        busy: &[one(440, 500, 500)],
        congestion: &[one(440, 250, 250)],
        waiting: &[one(440, 300, 10_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "GB",
        dial: &[two(350, 440, 1_000, 0)],
        ringback: &[two(400, 450, 400, 200), two(400, 450, 400, 2_000)],
        busy: &[one(400, 375, 375)],
        congestion: &[one(400, 400, 350), one(400, 225, 525)],
        waiting: &[one(400, 100, 4_000)],
        information: &[one(950, 330, 15), one(1_400, 330, 15), one(1_800, 330, 1_000)],
        record: &[one(1_400, 500, 60_000)],
    },
    Country {
        code: "GR",
        dial: &[one(425, 200, 300), one(425, 700, 800)],
        busy: &[one(425, 300, 300)],
        congestion: &[one(425, 200, 200)],
        waiting: &[one(425, 150, 150), one(425, 150, 8_000)],
        ..EUROPE
    },
    Country {
        code: "HK",
        dial: &[two(350, 440, 1_000, 0)],
        ringback: &[two(440, 480, 400, 200), two(440, 480, 400, 3_000)],
        busy: &[two(480, 620, 500, 500)],
        congestion: &[two(480, 620, 250, 250)],
        waiting: &[one(440, 300, 10_000)],
        ..EUROPE
    },
    Country {
        code: "HR",
        dial: &[one(425, 200, 300), one(425, 700, 800)],
        ..EUROPE
    },
    Country {
        code: "HU",
        ringback: &[one(425, 1_250, 3_750)],
        busy: &[one(425, 300, 300)],
        congestion: &[one(425, 300, 300)],
        waiting: &[one(425, 40, 1_960)],
        ..EUROPE
    },
    Country {
        code: "ID",
        waiting: &[one(425, 150, 150), one(425, 150, 10_000)],
        ..EUROPE
    },
    Country {
        code: "IE",
        ringback: &[two(400, 450, 400, 200), two(400, 450, 400, 2_000)],
        ..EUROPE
    },
    Country {
        code: "IL",
        dial: &[one(414, 1_000, 0)],
        ringback: &[one(414, 1_000, 3_000)],
        busy: &[one(414, 500, 500)],
        congestion: &[one(414, 250, 250)],
        waiting: &[one(414, 100, 100), one(414, 100, 100), one(414, 600, 3_000)],
        information: &[one(1_000, 330, 0), one(1_400, 330, 0), one(1_800, 330, 1_000)],
        record: &[one(1_400, 500, 15_000)],
    },
    Country {
        code: "IN",
        dial: &[trembling(400, 25, 1_000, 0)],
        ringback: &[trembling(400, 25, 400, 200), trembling(400, 25, 400, 2_000)],
        busy: &[one(400, 750, 750)],
        congestion: &[one(400, 250, 250)],
        waiting: &[one(400, 200, 100), one(400, 200, 7_500)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "IS",
        ringback: &[one(425, 1_200, 4_700)],
        busy: &[one(425, 250, 250)],
        ..EUROPE
    },
    Country {
        code: "IT",
        dial: &[one(425, 200, 200), one(425, 600, 1_000)],
        congestion: &[one(425, 200, 200)],
        waiting: &[one(425, 400, 100), one(425, 250, 100), one(425, 150, 14_000)],
        ..EUROPE
    },
    Country {
        code: "JP",
        dial: &[one(400, 1_000, 0)],
        ringback: &[trembling(400, 15, 1_000, 2_000)],
        busy: &[one(400, 500, 500)],
        congestion: &[one(400, 500, 500)],
        waiting: &[trembling(400, 16, 500, 8_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "KR",
        dial: &[two(350, 440, 1_000, 0)],
        ringback: &[two(440, 480, 1_000, 2_000)],
        busy: &[two(480, 620, 500, 500)],
        congestion: &[two(480, 620, 300, 200)],
        waiting: &[two(350, 440, 250, 250), two(350, 440, 250, 3_250)],
        ..EUROPE
    },
    Country { code: "KZ", ..SOVIET },
    Country {
        code: "LT",
        busy: &[one(425, 350, 350)],
        congestion: &[one(425, 200, 200)],
        waiting: &[one(425, 150, 150), one(425, 150, 4_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "LU",
        busy: &[one(425, 480, 480)],
        congestion: &[one(425, 240, 240)],
        ..EUROPE
    },
    Country {
        code: "MX",
        busy: &[one(425, 250, 250)],
        waiting: &[one(425, 200, 600), one(425, 200, 10_000)],
        information: &[one(950, 330, 30), one(1_400, 330, 30), one(1_800, 330, 1_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "MY",
        ringback: &[one(425, 400, 200), one(425, 400, 2_000)],
        congestion: &[one(425, 500, 500)],
        ..EUROPE
    },
    Country {
        code: "NL",
        waiting: &[one(425, 500, 9_500)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "NO",
        congestion: &[one(425, 200, 200)],
        waiting: &[one(425, 200, 600), one(425, 200, 10_000)],
        ..EUROPE
    },
    Country {
        code: "NZ",
        dial: &[one(400, 1_000, 0)],
        ringback: &[two(400, 450, 400, 200), two(400, 450, 400, 2_000)],
        busy: &[one(400, 500, 500)],
        congestion: &[one(400, 250, 250)],
        waiting: &[one(400, 200, 3_000)],
        information: &[one(400, 750, 100), one(400, 750, 100), one(400, 750, 100), one(400, 750, 400)],
        record: &[one(1_400, 425, 15_000)],
    },
    Country {
        code: "PH",
        ringback: &[two(425, 480, 1_000, 4_000)],
        busy: &[two(480, 620, 500, 500)],
        congestion: &[two(480, 620, 250, 250)],
        waiting: &[one(440, 300, 10_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "PL",
        congestion: &[one(425, 500, 500)],
        waiting: &[one(425, 150, 150), one(425, 150, 4_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "PT",
        ringback: &[one(425, 1_000, 5_000)],
        congestion: &[one(425, 200, 200)],
        waiting: &[one(440, 300, 10_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "RO",
        dial: &[one(450, 1_000, 0)],
        ringback: &[one(450, 1_850, 4_150)],
        busy: &[one(450, 167, 167)],
        congestion: &[one(450, 167, 167)],
        ..EUROPE
    },
    Country { code: "RU", ..SOVIET },
    Country {
        code: "SE",
        ringback: &[one(425, 1_000, 5_000)],
        busy: &[one(425, 250, 250)],
        congestion: &[one(425, 250, 750)],
        waiting: &[one(425, 200, 500), one(425, 200, 9_100)],
        information: &[one(950, 332, 24), one(1_400, 332, 24), one(1_800, 332, 2_024)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "SG",
        ringback: &[trembling(425, 24, 400, 200), trembling(425, 24, 400, 2_000)],
        busy: &[one(425, 750, 750)],
        waiting: &[trembling(425, 24, 300, 200), trembling(425, 24, 300, 3_200)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "SI",
        dial: &[one(425, 200, 300), one(425, 700, 800)],
        ..EUROPE
    },
    Country { code: "SK", ..CZECHOSLOVAK },
    Country {
        code: "TH",
        dial: &[trembling(400, 50, 1_000, 0)],
        ringback: &[one(420, 1_000, 5_000)],
        busy: &[one(400, 500, 500)],
        congestion: &[one(400, 300, 300)],
        waiting: &[one(1_000, 400, 10_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "TR",
        dial: &[one(450, 1_000, 0)],
        ringback: &[one(450, 2_000, 4_000)],
        busy: &[one(450, 500, 500)],
        congestion: &[one(450, 200, 200), one(450, 200, 200), one(450, 200, 200), one(450, 600, 200)],
        ..EUROPE
    },
    Country {
        code: "TW",
        dial: &[two(350, 440, 1_000, 0)],
        ringback: &[two(440, 480, 1_000, 2_000)],
        busy: &[two(480, 620, 500, 500)],
        congestion: &[two(480, 620, 250, 250)],
        waiting: &[two(350, 440, 250, 250), two(350, 440, 250, 3_250)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country { code: "UA", ..SOVIET },
    Country { code: "US", ..NORTH_AMERICA },
    Country {
        code: "VE",
        waiting: &[two(400, 450, 300, 6_000)],
        information: &[one(950, 330, 0), one(1_440, 330, 0), one(1_800, 330, 1_000)],
        record: &[one(1_400, 500, 15_000)],
        ..EUROPE
    },
    Country {
        code: "ZA",
        dial: &[trembling(400, 33, 1_000, 0)],
        ringback: &[trembling(400, 33, 400, 200), trembling(400, 33, 400, 2_000)],
        busy: &[one(400, 500, 500)],
        congestion: &[one(400, 250, 250)],
        waiting: &[trembling(400, 33, 250, 250), trembling(400, 33, 250, 250), trembling(400, 33, 250, 250), trembling(400, 33, 250, 250)],
        information: &[one(950, 330, 0), one(1_400, 330, 0), one(1_800, 330, 330)],
        record: &[one(1_400, 500, 10_000)],
    },
];
