//! Where ways lead: to steps that exist, from the start to each step, from each step to an end, and in no circle that takes no time.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checking, near};
use crate::graph::Node;

impl<'a> Checking<'a> {
    pub(super) fn ways(&mut self) {
        let flow = self.flow;
        let nodes: BTreeMap<&str, Node<'_>> = flow.nodes().collect();
        let mut broken = false;
        let missing = |to: &str| format!("there is no step `{to}`{}", near(to, nodes.keys().copied()));
        if !nodes.contains_key(flow.start.as_str()) {
            broken = true;
            self.fault("start", missing(&flow.start));
        }
        for (name, node) in flow.nodes() {
            for (field, to) in node.exits().into_iter().filter(|(_, to)| !nodes.contains_key(to)) {
                broken = true;
                self.fault(format!("{}.{name}.{field}", node.kind().word()), missing(to));
            }
        }
        // With a way that leads nowhere, what follows would be guesswork.
        if broken {
            return;
        }
        let reached = reach([flow.start.as_str()], |name| {
            nodes.get(name).into_iter().flat_map(|node| node.exits()).map(|(_, to)| to).collect()
        });
        let mut back: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, node) in &nodes {
            node.exits().iter().for_each(|(_, to)| back.entry(to).or_default().push(name));
        }
        // Whoever waits in a queue gets out of it by an agent: there the music may go on for ever.
        let waits = flow.while_waiting;
        let is_end = |node: &Node<'_>| node.is_end() || (waits && matches!(node, Node::Wait(_)));
        let ends = nodes.iter().filter(|(_, node)| is_end(node)).map(|(name, _)| *name);
        let leaving = reach(ends, |name| back.get(name).cloned().unwrap_or_default());
        for (name, callback) in &flow.callback {
            let after = reach([callback.next.as_str()], |name| {
                nodes.get(name).into_iter().flat_map(|node| node.exits()).map(|(_, to)| to).collect()
            });
            let waits = |name: &&&str| {
                matches!(
                    nodes.get(**name),
                    Some(
                        Node::Queue(_)
                            | Node::Wait(_)
                            | Node::Callback(_)
                            | Node::Transfer(_)
                            | Node::Voicemail(_)
                    )
                )
            };
            if let Some(again) = after.iter().find(waits) {
                let what = format!(
                    "a caller who will be called back does not wait any more, but comes to `{again}`"
                );
                self.fault(format!("callback.{name}.next"), what);
            }
        }
        for (name, node) in flow.nodes() {
            let at = format!("{}.{name}", node.kind().word());
            if !reached.contains(name) {
                self.fault(at, "no way leads here");
            } else if !leaving.contains(name) {
                let ends = if flow.during_calls {
                    "`return`"
                } else {
                    "`queue`, `transfer`, `voicemail` or `hangup`"
                };
                self.fault(at, format!("no way leads from here to {ends}: the caller would never get out"));
            }
        }
        // And nobody is talked to without a pause.
        let quick = |node: &Node<'a>| match node {
            Node::Wait(_) => vec![],
            _ if waits => node.exits(),
            // Whoever is not let in is led on at once.
            Node::Voicemail(_) => node.exits().into_iter().filter(|(field, _)| field == "refused").collect(),
            _ if node.waits() => vec![],
            _ => node.exits(),
        };
        if let Some(circle) = circle(&nodes, quick) {
            let at = nodes.get(circle[0]).map_or("start", |node| node.kind().word());
            let way = circle.join(" -> ");
            let first = circle[0];
            let without = if waits { "a step `wait`" } else { "playing or asking anything" };
            let what = format!("this circle turns without {without}: {way} -> {first}");
            self.fault(format!("{at}.{first}"), what);
        }
    }
}

/// Everything that can be reached, the beginnings too.
fn reach<'a>(
    from: impl IntoIterator<Item = &'a str>,
    next: impl Fn(&str) -> Vec<&'a str>,
) -> BTreeSet<&'a str> {
    let mut open: Vec<&str> = from.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(next(name));
        }
    }
    reached
}

/// A circle of ways that are all gone without a pause, if there is one: what is left after taking away, again and again, steps that
/// lead to none of those that are left. `quick`: the ways from a step that take no time.
fn circle<'a>(
    nodes: &BTreeMap<&'a str, Node<'a>>,
    quick: impl Fn(&Node<'a>) -> Vec<(String, &'a str)>,
) -> Option<Vec<&'a str>> {
    let mut left: BTreeMap<&str, Vec<&str>> = nodes
        .iter()
        .map(|(name, node)| (*name, quick(node).into_iter().map(|(_, to)| to).collect()))
        .collect();
    loop {
        let stays: BTreeSet<&str> = left
            .iter()
            .filter(|(_, exits)| exits.iter().any(|to| left.contains_key(to)))
            .map(|(name, _)| *name)
            .collect();
        if stays.len() == left.len() {
            break;
        }
        left.retain(|name, _| stays.contains(name));
    }
    // Each that is left leads to another that is left, so whoever walks on comes round.
    let mut way = vec![*left.keys().next()?];
    loop {
        let last = way.last().and_then(|name| left.get(name))?;
        let next = last.iter().find(|to| left.contains_key(*to))?;
        if let Some(at) = way.iter().position(|name| name == next) {
            return Some(way.split_off(at));
        }
        way.push(next);
    }
}
