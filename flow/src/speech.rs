//! Numbers as they are spoken: which sounds say them, one after the other.
//!
//! Announcements are put together of recorded words, so the grammar is here: Russian minutes are feminine and have three forms
//! (одна минута, две минуты, пять минут; 11 to 14 as five). Sounds are named by what they say: `number-0` to `number-20`, then by
//! tens and hundreds, `number-1f` and `number-2f` for the feminine, `minute`, `minutes-few`, `minutes`.

/// The largest number that is spoken; larger ones are left out.
pub const SPOKEN_MAX: u32 = 999;

/// The language of the announcements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Russian.
    Russian,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Nothing: a place in a line.
    Nothing,
    /// Minutes.
    Minutes,
}

impl Language {
    /// The sounds that say a number and what it counts.
    pub fn say(self, number: u32, counted: Counted) -> Vec<String> {
        if number > SPOKEN_MAX {
            return Vec::new();
        }
        let (hundreds, rest) = (number / 100 * 100, number % 100);
        // What has a word of its own: up to 20, and the tens.
        let (tens, ones) = if rest <= 20 { (0, rest) } else { (rest / 10 * 10, rest % 10) };
        let feminine = self == Self::Russian && counted == Counted::Minutes && matches!(ones, 1 | 2);
        let mut sounds: Vec<String> = [hundreds, tens]
            .into_iter()
            .filter(|part| *part > 0)
            .map(|part| format!("number-{part}"))
            .collect();
        if ones > 0 || number == 0 {
            sounds.push(format!("number-{ones}{}", if feminine { "f" } else { "" }));
        }
        if counted == Counted::Minutes {
            sounds.push(self.minutes(number).to_owned());
        }
        sounds
    }

    fn minutes(self, number: u32) -> &'static str {
        match (self, number % 100, number % 10) {
            (Self::English, ..) => {
                if number == 1 {
                    "minute"
                } else {
                    "minutes"
                }
            }
            (Self::Russian, 11..=14, _) => "minutes",
            (Self::Russian, _, 1) => "minute",
            (Self::Russian, _, 2..=4) => "minutes-few",
            (Self::Russian, ..) => "minutes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(language: Language, number: u32, counted: Counted) -> String {
        language.say(number, counted).join(" ").replace("number-", "")
    }

    /// ROUTE-07: numbers are spoken as numbers, in the grammar of the language.
    #[test]
    fn numbers_are_spoken_as_numbers() {
        use Counted::{Minutes, Nothing};
        use Language::{English, Russian};
        for (language, number, counted, words) in [
            (English, 0, Nothing, "0"),
            (English, 11, Nothing, "11"),
            (English, 20, Nothing, "20"),
            (English, 21, Nothing, "20 1"),
            (English, 100, Nothing, "100"),
            (English, 342, Nothing, "300 40 2"),
            (English, 512, Nothing, "500 12"),
            (English, 1_000, Nothing, ""),
            (English, 1, Minutes, "1 minute"),
            (English, 21, Minutes, "20 1 minutes"),
            (Russian, 1, Nothing, "1"),
            (Russian, 1, Minutes, "1f minute"),
            (Russian, 2, Minutes, "2f minutes-few"),
            (Russian, 4, Minutes, "4 minutes-few"),
            (Russian, 5, Minutes, "5 minutes"),
            (Russian, 11, Minutes, "11 minutes"),
            (Russian, 12, Minutes, "12 minutes"),
            (Russian, 21, Minutes, "20 1f minute"),
            (Russian, 22, Minutes, "20 2f minutes-few"),
            (Russian, 111, Minutes, "100 11 minutes"),
            (Russian, 122, Minutes, "100 20 2f minutes-few"),
        ] {
            assert_eq!(said(language, number, counted), words, "{language:?} {number}");
        }
    }
}
