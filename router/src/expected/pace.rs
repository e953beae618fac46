//! How fast the line of one service is drawn down, and what follows for whoever waits in it.
//!
//! With `n` agents who serve nobody else, and handling times of mean `h`, places are freed at the rate `n / h`, and whoever
//! stands at place `k` waits `k · h / n`: the queue-length predictor, the best there is for one queue with its own agents
//! (W. Whitt, "Predicting queueing delays", Management Science 45(6), 1999). With customers who give up at the rate `θ`,
//! each of those ahead may leave as well, and the wait is `Σ 1 / (n/h + j·θ)` over the `j` who are still ahead (the same;
//! R. Ibrahim and W. Whitt, "Wait-time predictors for customer service systems with time-varying demand and capacity",
//! Operations Research 59(5), 2011, who also take the agents of this moment for `n`).
//!
//! Agents who serve other services too make this wrong: how much of them comes to this line depends on who else waits,
//! at what priority. So the share that did come is measured while somebody waited: customers who were drawn from the line,
//! over customers who would have been, had all agents of the service been there for it alone. The share takes up whatever
//! else is not in the formula (ringing, refusals, several chats at once). It begins at 1 and is believed as it is seen, and
//! it forgets; the number of agents and of those ahead is that of the moment, so that the estimate follows a change of
//! either at once.

use std::time::Duration;

use model::figures;
use model::time::Timestamp;

/// Handling times that are remembered.
const HANDLED: u32 = 200;
/// Times to answer that are remembered.
const ANSWERED: u32 = 30;
/// Customers, drawn or due, that the share is made of.
const DRAWN_MAX: f64 = 100.0;
/// Customers whose weight the share begins with, as if all agents had been there for the service alone.
const PRIOR: f64 = 10.0;
/// Customers who left that their rate is made of.
const LEFT_MAX: f64 = 60.0;
/// The least that is said to somebody who has to wait.
const LEAST: Duration = Duration::from_secs(1);
/// Beyond this nothing is said.
const MOST: f64 = 24.0 * 3_600.0;

/// What is known of one line, and up to when it has been looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pace {
    pub known: figures::Pace,
    /// Those who wait and are not being rung for.
    backlog: u32,
    /// Up to when [`figures::Pace::due`] and the time waited are counted.
    upto: Timestamp,
    /// Customers a second who would be drawn, had all agents of the service nobody else: as looked at last.
    full: f64,
    /// When it was looked at.
    looked: Timestamp,
}

/// Why somebody waits no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// An agent is rung, after a wait.
    Drawn,
    /// The customer left.
    GaveUp,
    /// An agent was free at once, or the queue gave up: that says nothing of the pace.
    Aside,
}

impl Pace {
    /// Those who wait and are not being rung for.
    pub fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Somebody waits, anew or again.
    pub fn enters(&mut self, at: Timestamp) {
        self.pass(at);
        self.backlog += 1;
    }

    /// Somebody waits no longer.
    pub fn leaves(&mut self, why: Leaving, at: Timestamp) {
        self.pass(at);
        self.backlog = self.backlog.saturating_sub(1);
        match why {
            Leaving::Drawn if self.full > 0.0 => self.known.drawn += 1.0,
            Leaving::GaveUp => self.gave_up(),
            Leaving::Drawn | Leaving::Aside => {}
        }
    }

    /// The agent did not take it: it was not drawn after all.
    pub fn not_drawn(&mut self) {
        self.known.drawn = (self.known.drawn - 1.0).max(0.0);
    }
    fn gave_up(&mut self) {
        self.known.left += 1.0;
        if self.known.left > LEFT_MAX {
            self.known.left /= 2.0;
            self.known.waited_s /= 2.0;
        }
    }
    pub fn answered_after(&mut self, time: Duration) {
        self.known.answer_s.add(time.as_secs_f64(), ANSWERED);
    }
    pub fn handled_in(&mut self, time: Duration) {
        self.known.handling_s.add(time.as_secs_f64(), HANDLED);
    }

    /// When the agents were looked at.
    pub fn looked(&self) -> Timestamp {
        self.looked
    }
    /// The agents were looked at: so many customers a second would be drawn by all of them.
    pub fn look(&mut self, full: f64, at: Timestamp) {
        self.pass(at);
        (self.full, self.looked) = (full, at);
    }

    fn pass(&mut self, at: Timestamp) {
        let passed = seconds(self.upto, at);
        self.upto = self.upto.max(at);
        if self.backlog == 0 {
            return;
        }
        self.known.waited_s += passed * f64::from(self.backlog);
        self.known.due += passed * self.full;
        if self.known.due > DRAWN_MAX {
            self.known.drawn *= DRAWN_MAX / self.known.due;
            self.known.due = DRAWN_MAX;
        }
    }

    /// Of what all agents of the service could do, the share that comes to this line.
    fn share(&self, now: Timestamp) -> f64 {
        // Nobody was drawn since the last look although somebody waits: that says something, too.
        let silent = if self.backlog > 0 { seconds(self.upto, now) * self.full } else { 0.0 };
        (self.known.drawn + PRIOR) / (self.known.due + silent.min(DRAWN_MAX) + PRIOR)
    }

    /// The wait of whoever stands at a place of the line, 1 being the next one, until an agent answers. `full` as for
    /// [`Pace::look`]. `None`: nobody is there, or it is beyond a day.
    pub fn wait_at(&self, place: usize, full: f64, now: Timestamp) -> Option<Duration> {
        let rate = full * self.share(now);
        if rate <= 0.0 {
            return None;
        }
        let leave = if self.known.waited_s > 0.0 { self.known.left / self.known.waited_s } else { 0.0 };
        // The first term, and the midpoint rule for the others.
        let ahead = place.saturating_sub(1) as f64;
        let others = if leave * ahead > 1e-6 * rate {
            ((rate + leave * (ahead + 0.5)) / (rate + leave * 0.5)).ln() / leave
        } else {
            ahead / rate
        };
        let wait = 1.0 / rate + others + self.known.answer_s.value;
        (wait < MOST).then(|| Duration::from_secs_f64(wait).max(LEAST))
    }

    /// The wait of somebody who is rung for already.
    pub fn wait_rung(&self, since: Timestamp, deadline: Timestamp, now: Timestamp) -> Duration {
        let usual = Duration::from_secs_f64(self.known.answer_s.value.clamp(0.0, MOST));
        usual.saturating_sub(now.since(since)).min(deadline.since(now)).max(LEAST)
    }
}

/// Without a way over whole seconds: every event of a line comes here.
fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.micros().saturating_sub(from.micros()) as f64 / 1e6
}
