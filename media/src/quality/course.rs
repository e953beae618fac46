//! How a stream's quality went, in a bounded number of windows: when there is no room for more, every second one goes.

use super::Window;

/// Windows kept at most. After thinning half of them are left, so a long call is told in ten to twenty.
const KEPT: usize = 20;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    windows: [Kept; KEPT],
    len: u8,
    /// Each so manieth window is kept.
    every: u16,
    /// Windows since the last that was kept.
    since: u16,
}

/// A window in few octets, because every stream has twenty: to a tenth of a second and of a millisecond, a thousandth of MOS, a
/// hundredth of a percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Kept {
    ended_ds: u32,
    mos: u16,
    jitter: u16,
    loss: u16,
    /// Milliseconds; the largest number is none.
    rtt_ms: u16,
}

const NO_RTT: u16 = u16::MAX;
const DECISECOND_US: u64 = 100_000;

impl Kept {
    fn of(window: &Window) -> Self {
        // Conversions from floats stop at the bounds of the number.
        Self {
            ended_ds: u32::try_from(window.ended_us / DECISECOND_US).unwrap_or(u32::MAX),
            mos: (window.mos * 1_000.0).round() as u16,
            jitter: (window.jitter_ms * 10.0).round() as u16,
            loss: (window.loss_percent * 100.0).round() as u16,
            rtt_ms: window.rtt_ms.map_or(NO_RTT, |ms| (ms.round() as u16).min(NO_RTT - 1)),
        }
    }

    fn window(&self) -> Window {
        Window {
            ended_us: u64::from(self.ended_ds) * DECISECOND_US,
            mos: f32::from(self.mos) / 1_000.0,
            jitter_ms: f32::from(self.jitter) / 10.0,
            loss_percent: f32::from(self.loss) / 100.0,
            rtt_ms: (self.rtt_ms != NO_RTT).then_some(f32::from(self.rtt_ms)),
        }
    }
}

impl Default for Course {
    fn default() -> Self {
        Self { windows: [Kept::default(); KEPT], len: 0, every: 1, since: 0 }
    }
}

impl Course {
    pub(super) fn note(&mut self, window: Window) {
        self.since = self.since.saturating_add(1);
        if self.len != 0 && self.since < self.every {
            return;
        }
        if usize::from(self.len) == KEPT {
            for kept in 0..KEPT / 2 {
                self.windows[kept] = self.windows[kept * 2];
            }
            self.len = (KEPT / 2) as u8;
            self.every = self.every.saturating_mul(2);
            // The last of the full list went; this window is in step with those that stay.
        }
        self.since = 0;
        if let Some(place) = self.windows.get_mut(usize::from(self.len)) {
            *place = Kept::of(&window);
            self.len += 1;
        }
    }

    /// The windows, oldest first, at equal distances but for pauses of the stream.
    pub fn windows(&self) -> impl Iterator<Item = Window> {
        self.windows.iter().take(usize::from(self.len)).map(Kept::window)
    }

    /// From one of them to the next, in windows.
    pub const fn every(&self) -> u16 {
        self.every
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(count: u64) -> Course {
        let mut course = Course::default();
        (0..count).for_each(|n| course.note(Window { ended_us: n * DECISECOND_US, ..Window::default() }));
        course
    }

    #[test]
    fn a_window_is_told_as_it_was_to_its_precision() {
        let window = Window {
            ended_us: 12_300_000,
            mos: 4.321,
            jitter_ms: 17.3,
            loss_percent: 2.55,
            rtt_ms: Some(123.0),
        };
        let (mut course, silent) = (Course::default(), Window { rtt_ms: None, jitter_ms: 1e9, ..window });
        course.note(window);
        course.note(silent);
        let told: Vec<Window> = course.windows().collect();
        assert_eq!(told[0], window);
        assert_eq!(
            (told[1].rtt_ms, told[1].jitter_ms),
            (None, 6_553.5),
            "no round trip; more jitter than anybody measures"
        );
        assert_eq!(size_of::<Course>(), 20 * 12 + 8);
    }

    #[test]
    fn a_long_call_is_told_in_ten_to_twenty_windows_at_equal_distances() {
        for count in [1, 2, 19, 20, 21, 39, 40, 41, 500, 17_280] {
            let course = after(count);
            let ends: Vec<u64> = course.windows().map(|window| window.ended_us / DECISECOND_US).collect();
            let every = u64::from(course.every());
            assert!(ends.len() as u64 >= count.min(10) && ends.len() <= KEPT, "{count}: {ends:?}");
            let at_its_place = |(n, end): (usize, &u64)| *end == n as u64 * every;
            assert!(ends.iter().enumerate().all(at_its_place), "{count}: every {every}, {ends:?}");
            assert!(count - 1 - ends.last().unwrap() < every, "{count}: the newest is told: {ends:?}");
        }
    }
}
