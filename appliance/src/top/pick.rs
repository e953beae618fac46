//! Which legs are shown, in which order. Pure.

use std::cmp::Ordering;
use std::collections::HashSet;

use clap::ValueEnum;
use control_api::wire::legs::{Leg, MediaLegs};

use super::screen::{View, name, next};
use super::table::{self, Line};

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SortBy {
    /// The worst MOS.
    Mos,
    /// The most loss.
    Loss,
    /// The most jitter.
    Jitter,
    /// The longest round trip.
    Rtt,
    /// The most packets a second, both ways.
    Packets,
    /// The oldest.
    Age,
    /// By call, the legs of one together.
    Call,
}

/// What is wanted of all legs.
#[derive(Clone, Debug)]
pub struct Pick {
    pub sort: SortBy,
    pub reverse: bool,
    /// Part of a call's id.
    pub call: Option<String>,
    /// Part of a trunk's name: all legs of its calls.
    pub trunk: Option<String>,
}

impl Pick {
    /// The legs that are wanted, in the order that is wanted. Totals stay those of all.
    pub fn of(&self, mut seen: MediaLegs) -> MediaLegs {
        if let Some(part) = &self.call {
            seen.items.retain(|leg| leg.call.as_ref().is_some_and(|call| call.contains(part)));
        }
        if let Some(part) = &self.trunk {
            let over = |leg: &Leg| {
                leg.who.kind == "trunk" && leg.who.name.as_ref().is_some_and(|name| name.contains(part))
            };
            let trunks = seen.items.iter().filter(|leg| over(leg));
            let calls: HashSet<String> = trunks.filter_map(|leg| leg.call.clone()).collect();
            seen.items.retain(|leg| over(leg) || leg.call.as_ref().is_some_and(|call| calls.contains(call)));
        }
        // Legs that are equal by the key stay oldest first.
        seen.items.sort_by(|a, b| self.compare(a, b));
        seen
    }

    fn compare(&self, a: &Leg, b: &Leg) -> Ordering {
        let order = match self.sort {
            SortBy::Mos => return self.known_first(a.mos, b.mos),
            SortBy::Rtt => return self.known_first(a.rtt_ms.map(|rtt| -rtt), b.rtt_ms.map(|rtt| -rtt)),
            SortBy::Loss => b.received.loss_percent.total_cmp(&a.received.loss_percent),
            SortBy::Jitter => b.received.jitter_ms.total_cmp(&a.received.jitter_ms),
            SortBy::Packets => packets(b).total_cmp(&packets(a)),
            SortBy::Age => b.age_ms.cmp(&a.age_ms),
            SortBy::Call => (a.call.is_none(), &a.call).cmp(&(b.call.is_none(), &b.call)),
        };
        if self.reverse { order.reverse() } else { order }
    }

    /// The smallest first; what is not known comes last, whichever way round.
    fn known_first(&self, a: Option<f32>, b: Option<f32>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) if self.reverse => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        }
    }
}

impl View<MediaLegs> for Pick {
    fn lines(&self, seen: &MediaLegs) -> Vec<Line> {
        table::lines(&self.of(seen.clone()))
    }
    fn sorted_by(&self) -> String {
        name(&self.sort)
    }
    fn sort_by_next(&mut self) {
        self.sort = next(&self.sort);
    }
    fn reverse(&mut self) -> &mut bool {
        &mut self.reverse
    }
}

fn packets(leg: &Leg) -> f32 {
    leg.received.packets_per_s.unwrap_or(0.0) + leg.sent.packets_per_s.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use control_api::wire::legs::LegWho;

    fn leg(name: &str, call: Option<&str>, trunk: Option<&str>, mos: Option<f32>) -> Leg {
        let kind = if trunk.is_some() { "trunk" } else { "browser" };
        let who = LegWho { kind: kind.into(), name: trunk.map(Into::into) };
        Leg { leg: name.into(), call: call.map(Into::into), who, mos, ..Leg::default() }
    }
    fn seen() -> MediaLegs {
        let items = vec![
            leg("a", Some("one"), Some("carrier"), Some(4.3)),
            leg("b", Some("one"), None, None),
            leg("c", Some("two"), Some("office"), Some(2.1)),
            leg("d", None, None, Some(3.9)),
        ];
        MediaLegs { items, ..MediaLegs::default() }
    }
    fn names(pick: &Pick) -> String {
        pick.of(seen()).items.iter().map(|leg| leg.leg.as_str()).collect()
    }
    const ALL: Pick = Pick { sort: SortBy::Mos, reverse: false, call: None, trunk: None };

    #[test]
    fn the_worst_comes_first_and_what_is_not_known_last() {
        assert_eq!(names(&ALL), "cdab");
        assert_eq!(names(&Pick { reverse: true, ..ALL }), "adcb");
    }

    #[test]
    fn a_trunk_is_all_legs_of_its_calls() {
        assert_eq!(names(&Pick { trunk: Some("carr".into()), ..ALL }), "ab");
    }

    #[test]
    fn a_call_is_found_by_a_part_of_its_id() {
        assert_eq!(names(&Pick { call: Some("tw".into()), ..ALL }), "c");
        assert_eq!(names(&Pick { call: Some("three".into()), ..ALL }), "");
    }

    #[test]
    fn calls_keep_their_legs_together_and_softphones_without_one_come_last() {
        assert_eq!(names(&Pick { sort: SortBy::Call, ..ALL }), "abcd");
        assert_eq!(next(&SortBy::Call), SortBy::Mos);
    }
}
