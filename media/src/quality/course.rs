//! How a stream's quality went, in a bounded number of windows: when there is no room for more, every second one goes.

use super::Window;

/// Windows kept at most. After thinning half of them are left, so a long call is told in ten to twenty.
const KEPT: usize = 20;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    windows: [Window; KEPT],
    len: u8,
    /// Each so manieth window is kept.
    every: u16,
    /// Windows since the last that was kept.
    since: u16,
}

impl Default for Course {
    fn default() -> Self {
        Self { windows: [Window::default(); KEPT], len: 0, every: 1, since: 0 }
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
            *place = window;
            self.len += 1;
        }
    }

    /// The windows, oldest first, at equal distances but for pauses of the stream.
    pub fn windows(&self) -> &[Window] {
        self.windows.get(..usize::from(self.len)).unwrap_or_default()
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
        (0..count).for_each(|n| course.note(Window { ended_us: n, ..Window::default() }));
        course
    }

    #[test]
    fn a_long_call_is_told_in_ten_to_twenty_windows_at_equal_distances() {
        for count in [1, 2, 19, 20, 21, 39, 40, 41, 500, 17_280] {
            let course = after(count);
            let ends: Vec<u64> = course.windows().iter().map(|window| window.ended_us).collect();
            let every = u64::from(course.every());
            assert!(ends.len() as u64 >= count.min(10) && ends.len() <= KEPT, "{count}: {ends:?}");
            let at_its_place = |(n, end): (usize, &u64)| *end == n as u64 * every;
            assert!(ends.iter().enumerate().all(at_its_place), "{count}: every {every}, {ends:?}");
            assert!(count - 1 - ends.last().unwrap() < every, "{count}: the newest is told: {ends:?}");
        }
    }
}
