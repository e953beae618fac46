//! A step of any kind, and where it leads.

use std::collections::BTreeMap;

use super::{
    Callback, Collect, Flow, GiveBack, HangUp, Hours, Http, If, Lookup, Menu, Play, Queue, Route, Set,
    Survey, Transfer, Voicemail, Wait,
};

/// Which kind of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// [`Play`].
    Play,
    /// [`Menu`].
    Menu,
    /// [`Collect`].
    Collect,
    /// [`Survey`].
    Survey,
    /// [`Set`].
    Set,
    /// [`If`].
    If,
    /// [`Hours`].
    Hours,
    /// [`Route`].
    Route,
    /// [`Http`].
    Http,
    /// [`Lookup`].
    Lookup,
    /// [`Wait`].
    Wait,
    /// [`Callback`].
    Callback,
    /// [`Transfer`].
    Transfer,
    /// [`Voicemail`].
    Voicemail,
    /// [`Queue`].
    Queue,
    /// [`GiveBack`].
    GiveBack,
    /// [`HangUp`].
    HangUp,
}

impl Kind {
    /// As a text names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Play => "play",
            Self::Menu => "menu",
            Self::Collect => "collect",
            Self::Survey => "survey",
            Self::Set => "set",
            Self::If => "if",
            Self::Hours => "hours",
            Self::Route => "route",
            Self::Http => "http",
            Self::Lookup => "lookup",
            Self::Wait => "wait",
            Self::Callback => "callback",
            Self::Transfer => "transfer",
            Self::Voicemail => "voicemail",
            Self::Queue => "queue",
            Self::GiveBack => "return",
            Self::HangUp => "hangup",
        }
    }
}

/// A step.
#[derive(Clone, Copy, Debug)]
pub enum Node<'a> {
    /// Plays something.
    Play(&'a Play),
    /// Asks for one key.
    Menu(&'a Menu),
    /// Asks for a number.
    Collect(&'a Collect),
    /// Asks for a mark.
    Survey(&'a Survey),
    /// Notes something.
    Set(&'a Set),
    /// Takes a case.
    If(&'a If),
    /// Looks at the clock.
    Hours(&'a Hours),
    /// Says who is to answer.
    Route(&'a Route),
    /// Asks a system of the operator.
    Http(&'a Http),
    /// Looks something up in a table.
    Lookup(&'a Lookup),
    /// Goes on with music.
    Wait(&'a Wait),
    /// Asks for the caller to be called back.
    Callback(&'a Callback),
    /// Connects the caller with a number outside.
    Transfer(&'a Transfer),
    /// Takes a message.
    Voicemail(&'a Voicemail),
    /// Asks for an agent.
    Queue(&'a Queue),
    /// Gives the caller back to the agent.
    GiveBack(&'a GiveBack),
    /// Ends the call.
    HangUp(&'a HangUp),
}

impl<'a> Node<'a> {
    /// Its kind.
    pub fn kind(self) -> Kind {
        match self {
            Self::Play(_) => Kind::Play,
            Self::Menu(_) => Kind::Menu,
            Self::Collect(_) => Kind::Collect,
            Self::Survey(_) => Kind::Survey,
            Self::Set(_) => Kind::Set,
            Self::If(_) => Kind::If,
            Self::Hours(_) => Kind::Hours,
            Self::Route(_) => Kind::Route,
            Self::Http(_) => Kind::Http,
            Self::Lookup(_) => Kind::Lookup,
            Self::Wait(_) => Kind::Wait,
            Self::Callback(_) => Kind::Callback,
            Self::Transfer(_) => Kind::Transfer,
            Self::Voicemail(_) => Kind::Voicemail,
            Self::Queue(_) => Kind::Queue,
            Self::GiveBack(_) => Kind::GiveBack,
            Self::HangUp(_) => Kind::HangUp,
        }
    }

    /// The ways out of it: the field that names each, and where it leads.
    pub fn exits(self) -> Vec<(String, &'a str)> {
        fn some<'a>(field: &str, to: &'a Option<String>) -> Option<(String, &'a str)> {
            Some((field.to_owned(), to.as_deref()?))
        }
        let one = |field: &str, to: &'a str| vec![(field.to_owned(), to)];
        match self {
            Self::Play(play) => one("next", &play.next),
            Self::Survey(survey) => {
                one("next", &survey.next).into_iter().chain(some("unanswered", &survey.unanswered)).collect()
            }
            Self::Set(set) => one("next", &set.next),
            Self::Route(route) => one("next", &route.next),
            Self::Menu(menu) => {
                let keys = menu.choices.iter().map(|(key, to)| (format!("choices.{key}"), to.as_str()));
                keys.chain(some("timeout", &menu.timeout)).chain(some("otherwise", &menu.otherwise)).collect()
            }
            Self::Collect(collect) => {
                one("next", &collect.next).into_iter().chain(some("failed", &collect.failed)).collect()
            }
            Self::Http(http) => {
                let others = [("failed", &http.failed), ("timeout", &http.timeout)];
                let others = others.into_iter().filter_map(|(field, to)| some(field, to));
                one("next", &http.next).into_iter().chain(others).collect()
            }
            Self::Lookup(lookup) => {
                one("next", &lookup.next).into_iter().chain(some("missing", &lookup.missing)).collect()
            }
            Self::If(cases) => {
                let each = cases.cases.iter().enumerate();
                let each = each.map(|(n, case)| (format!("cases[{n}].then"), case.then.as_str()));
                each.chain(some("otherwise", &cases.otherwise)).collect()
            }
            Self::Hours(hours) => {
                let both = [("open".to_owned(), &*hours.open), ("closed".to_owned(), &*hours.closed)];
                both.into_iter().chain(some("holiday", &hours.holiday)).collect()
            }
            Self::Wait(wait) => {
                let keys = wait.choices.iter().map(|(key, to)| (format!("choices.{key}"), to.as_str()));
                keys.chain(one("next", &wait.next)).collect()
            }
            Self::Callback(callback) => [
                ("next", &callback.next),
                ("invalid", &callback.invalid),
                ("already", &callback.already),
                ("refused", &callback.refused),
            ]
            .map(|(field, to)| (field.to_owned(), to.as_str()))
            .into_iter()
            .chain(some("outside", &callback.outside))
            .collect(),
            Self::Transfer(transfer) => {
                let others = [("busy", &transfer.busy), ("unanswered", &transfer.unanswered)];
                let others = others.into_iter().filter_map(|(field, to)| some(field, to));
                others.chain(one("failed", &transfer.failed)).collect()
            }
            Self::Voicemail(voicemail) => {
                let both = [("next", &voicemail.next), ("refused", &voicemail.refused)];
                both.into_iter().filter_map(|(field, to)| some(field, to)).collect()
            }
            Self::Queue(queue) => {
                let all = [("closed", &queue.closed), ("unstaffed", &queue.unstaffed), ("full", &queue.full)];
                all.into_iter().filter_map(|(field, to)| some(field, to)).collect()
            }
            Self::GiveBack(_) | Self::HangUp(_) => Vec::new(),
        }
    }

    /// Whether the flow may be over here.
    pub fn is_end(self) -> bool {
        match self {
            Self::Transfer(_) | Self::Queue(_) | Self::GiveBack(_) | Self::HangUp(_) => true,
            Self::Voicemail(voicemail) => voicemail.next.is_none() || voicemail.refused.is_none(),
            _ => false,
        }
    }

    /// Whether it waits for the caller or for the end of a sound before it goes on: a circle through it takes time.
    pub fn waits(self) -> bool {
        self.listens() || matches!(self, Self::Play(_) | Self::Wait(_) | Self::Voicemail(_))
    }

    /// Whether it waits for the caller's keys.
    pub fn listens(self) -> bool {
        matches!(self, Self::Menu(_) | Self::Collect(_) | Self::Survey(_))
    }
}

impl Flow {
    /// Every step, by kind and then by name. Names may repeat in a flow that was not checked.
    pub fn nodes(&self) -> impl Iterator<Item = (&str, Node<'_>)> {
        fn each<'a, T>(
            steps: &'a BTreeMap<String, T>,
            node: fn(&'a T) -> Node<'a>,
        ) -> impl Iterator<Item = (&'a str, Node<'a>)> {
            steps.iter().map(move |(name, step)| (name.as_str(), node(step)))
        }
        each(&self.play, Node::Play)
            .chain(each(&self.menu, Node::Menu))
            .chain(each(&self.collect, Node::Collect))
            .chain(each(&self.survey, Node::Survey))
            .chain(each(&self.set, Node::Set))
            .chain(each(&self.cases, Node::If))
            .chain(each(&self.hours, Node::Hours))
            .chain(each(&self.route, Node::Route))
            .chain(each(&self.http, Node::Http))
            .chain(each(&self.lookup, Node::Lookup))
            .chain(each(&self.wait, Node::Wait))
            .chain(each(&self.callback, Node::Callback))
            .chain(each(&self.transfer, Node::Transfer))
            .chain(each(&self.voicemail, Node::Voicemail))
            .chain(each(&self.queue, Node::Queue))
            .chain(each(&self.give_back, Node::GiveBack))
            .chain(each(&self.hangup, Node::HangUp))
    }

    /// The step of this name.
    pub fn node(&self, name: &str) -> Option<Node<'_>> {
        // One look-up a kind, rather than a second index that could disagree.
        None.or_else(|| self.play.get(name).map(Node::Play))
            .or_else(|| self.menu.get(name).map(Node::Menu))
            .or_else(|| self.collect.get(name).map(Node::Collect))
            .or_else(|| self.survey.get(name).map(Node::Survey))
            .or_else(|| self.set.get(name).map(Node::Set))
            .or_else(|| self.cases.get(name).map(Node::If))
            .or_else(|| self.hours.get(name).map(Node::Hours))
            .or_else(|| self.route.get(name).map(Node::Route))
            .or_else(|| self.http.get(name).map(Node::Http))
            .or_else(|| self.lookup.get(name).map(Node::Lookup))
            .or_else(|| self.wait.get(name).map(Node::Wait))
            .or_else(|| self.callback.get(name).map(Node::Callback))
            .or_else(|| self.transfer.get(name).map(Node::Transfer))
            .or_else(|| self.voicemail.get(name).map(Node::Voicemail))
            .or_else(|| self.queue.get(name).map(Node::Queue))
            .or_else(|| self.give_back.get(name).map(Node::GiveBack))
            .or_else(|| self.hangup.get(name).map(Node::HangUp))
    }
}
