//! Session timers (RFC 4028): a call whose far end vanished without a BYE must not stand for ever. Pure.
//!
//! We never ask for a timer, because a media time-out tells sooner; we accept one, and renew if we are asked to.

use std::time::Duration;

use model::time::Timestamp;

/// The shortest interval we accept, as `Min-SE` says (§5).
pub const MIN_SE: Duration = Duration::from_secs(90);
/// The longest we count with; some send numbers without meaning.
const MAX_SE: Duration = Duration::from_secs(86_400);

/// A running session timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    interval: Duration,
    /// Whether we renew.
    ours: bool,
    renewed_at: Timestamp,
    /// A renewal of ours is on its way.
    pending: bool,
}

/// What the timer wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Send a renewal.
    Renew,
    /// The session is over: nobody renewed it.
    Expired,
}

/// The `Session-Expires` of a request is shorter than we accept: 422.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort;

impl SessionTimer {
    /// From the headers of an INVITE. `supported`: `Supported` lists `timer`.
    pub fn of_request(
        session_expires: Option<&str>,
        supported: bool,
        now: Timestamp,
    ) -> Result<Option<Self>, TooShort> {
        let Some(value) = session_expires else { return Ok(None) };
        let mut parts = value.split(';');
        let Some(seconds) = parts.next().and_then(|s| s.trim().parse::<u64>().ok()) else { return Ok(None) };
        let interval = Duration::from_secs(seconds);
        if interval < MIN_SE {
            return Err(TooShort);
        }
        let refresher = parts.find_map(|p| {
            let (name, value) = p.split_once('=')?;
            name.trim().eq_ignore_ascii_case("refresher").then(|| value.trim().to_ascii_lowercase())
        });
        // Table 2 of §9: a caller that knows timers renews unless it asks us to; one that does not leaves it to us.
        let ours = match refresher.as_deref() {
            Some("uas") => true,
            Some(_) => false,
            None => !supported,
        };
        Ok(Some(Self { interval: interval.min(MAX_SE), ours, renewed_at: now, pending: false }))
    }

    /// From the headers of the 2xx to our INVITE (§7.2). An interval that is shorter than we take is counted as the shortest:
    /// whoever answers cannot be told any more.
    pub fn of_response(session_expires: Option<&str>, now: Timestamp) -> Option<Self> {
        let mut parts = session_expires?.split(';');
        let seconds = parts.next()?.trim().parse::<u64>().ok()?;
        let theirs = parts.any(|part| part.trim().eq_ignore_ascii_case("refresher=uas"));
        let interval = Duration::from_secs(seconds).clamp(MIN_SE, MAX_SE);
        Some(Self { interval, ours: !theirs, renewed_at: now, pending: false })
    }

    /// The value of `Session-Expires` in our response.
    pub fn header(&self) -> String {
        format!("{};refresher={}", self.interval.as_secs(), if self.ours { "uas" } else { "uac" })
    }

    /// Whether our response must say `Require: timer`: only when the far end has a duty (§9).
    pub fn requires(&self) -> bool {
        !self.ours
    }

    /// The session was renewed by either side.
    pub fn renewed(&mut self, now: Timestamp) {
        self.renewed_at = now;
        self.pending = false;
    }

    /// When to look again.
    pub fn deadline(&self) -> Timestamp {
        if self.ours && !self.pending { self.renewed_at + self.interval / 2 } else { self.expires_at() }
    }

    /// What has to be done now.
    pub fn due(&mut self, now: Timestamp) -> Option<Due> {
        if now >= self.expires_at() {
            return Some(Due::Expired);
        }
        if self.ours && !self.pending && now >= self.renewed_at + self.interval / 2 {
            self.pending = true;
            return Some(Due::Renew);
        }
        None
    }

    /// The side that did not renew hangs up a little before the end (§10).
    fn expires_at(&self) -> Timestamp {
        let margin = Duration::from_secs(32).min(self.interval / 3);
        self.renewed_at + (self.interval - margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    fn after(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    #[test]
    fn a_caller_that_renews_is_waited_for_and_then_given_up() {
        let mut timer = SessionTimer::of_request(Some("1800;refresher=uac"), true, NOW).unwrap().unwrap();
        assert_eq!(timer.header(), "1800;refresher=uac");
        assert!(timer.requires());
        assert_eq!(timer.due(after(1_700)), None);
        timer.renewed(after(900));
        assert_eq!(timer.due(after(2_600)), None);
        assert_eq!(timer.due(after(900 + 1_768)), Some(Due::Expired));
    }

    #[test]
    fn asked_to_renew_we_do_so_at_half_time_and_once() {
        let mut timer = SessionTimer::of_request(Some("90;refresher=uas"), true, NOW).unwrap().unwrap();
        assert_eq!(timer.deadline(), after(45));
        assert_eq!(timer.due(after(44)), None);
        assert_eq!(timer.due(after(45)), Some(Due::Renew));
        assert_eq!(timer.due(after(46)), None);
        timer.renewed(after(46));
        assert_eq!(timer.deadline(), after(91));
    }

    #[test]
    fn whoever_answers_our_invite_says_who_renews() {
        let ours = SessionTimer::of_response(Some("1800;refresher=uac"), NOW).unwrap();
        assert_eq!(ours.deadline(), after(900));
        let theirs = SessionTimer::of_response(Some("1800 ; Refresher=UAS"), NOW).unwrap();
        assert_eq!(theirs.deadline(), after(1_768));
        assert_eq!(SessionTimer::of_response(Some("10"), NOW).unwrap().deadline(), after(45));
        assert_eq!(SessionTimer::of_response(Some("soon"), NOW), None);
        assert_eq!(SessionTimer::of_response(None, NOW), None);
    }

    #[test]
    fn an_interval_that_would_flood_us_is_refused_and_nonsense_is_ignored() {
        assert_eq!(SessionTimer::of_request(Some("30"), true, NOW), Err(TooShort));
        assert_eq!(SessionTimer::of_request(Some("soon"), true, NOW), Ok(None));
        assert_eq!(SessionTimer::of_request(None, true, NOW), Ok(None));
        let timer = SessionTimer::of_request(Some("1800"), false, NOW).unwrap().unwrap();
        assert_eq!(timer.header(), "1800;refresher=uas", "who does not know timers cannot renew");
    }
}
