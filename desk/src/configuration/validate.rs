//! What a configuration object must look like before it is stored. Uniqueness and references are the store's to check.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use model::agent::{MINUTES_MAX, Reason};
use model::capacity::{Capacity, Weight};
use model::dialling::Dialled;
use model::flow::Flow;
use model::interaction::Channel;
use model::people::{Group, PhoneKind, Role, User};
use model::service::{
    COMFORT_MAX, CallbackRules, Disposition, FAREWELL_MAX, Number, RING_MAX, RegularRules, SLOPE_MAX,
    Service, Skill, Treatment, Trunk, WaitingRules,
};
use model::target::Target;
use router::FloorConfig;

use super::leading::Circle;
use super::snapshot::{Configuration, WrongFlow, meets};
use crate::refusal::FieldError;

/// Looks an object over.
pub trait Checked {
    /// What cannot be taken, against the configuration as it is.
    fn errors(&self, now: &Configuration) -> Vec<FieldError>;
    /// What can be taken but will surprise.
    fn warnings(&self, _now: &Configuration) -> Vec<String> {
        Vec::new()
    }
}

impl Checked for User {
    fn errors(&self, now: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
        if self.login.is_empty() || self.login.len() > 64 || !self.login.chars().all(fit) {
            errors.push(FieldError::new("/login", "1 to 64 letters, digits or . _ - @"));
        }
        name(&self.name, &mut errors);
        if let Some(email) = &self.email {
            let parts = email.split_once('@');
            let fits =
                parts.is_some_and(|(who, host)| !who.is_empty() && !host.is_empty() && !host.contains('@'));
            if !fits || email.len() > 254 || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
                errors.push(FieldError::new("/email", "not an e-mail address"));
            }
        }
        if let Some(extension) = &self.extension
            && !(digits(extension) && (2..=8).contains(&extension.len()))
        {
            errors.push(FieldError::new("/extension", "2 to 8 digits"));
        }
        if self.phone == PhoneKind::Sip && self.extension.is_none() {
            errors.push(FieldError::new("/extension", "a SIP phone registers with the extension"));
        }
        let outside = self.phone == PhoneKind::Number;
        let mobile =
            self.mobile.as_deref().map(|text| Dialled::parse(text).filter(|number| number.after.is_empty()));
        let wrong = match &mobile {
            Some(None) => Some("digits with an optional +, 2 to 20 of them"),
            Some(Some(number)) if outside && !now.dialling.permit(&number.number) => {
                Some("a number that may not be dialled by the rules of the house")
            }
            None if outside => Some("the number that is dialled for this kind of phone"),
            _ => None,
        };
        errors.extend(wrong.map(|why| FieldError::new("/mobile", why)));
        if self.chats_max.is_some_and(|chats| chats > AT_ONCE_MAX) {
            errors.push(FieldError::new("/chats_max", format!("0 to {AT_ONCE_MAX}, or nothing")));
        }
        let boss = |user: &User| user.role == Role::Administrator && !user.disabled;
        let others = now.users.values().any(|user| user.id != self.id && boss(user));
        if now.users.get(&self.id).is_some_and(boss) && !boss(self) && !others {
            errors.push(FieldError::new("/role", "the last administrator stays one"));
        }
        errors
    }
}

impl Checked for Group {
    fn errors(&self, _: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        name(&self.name, &mut errors);
        if let Some(time) = self.rules.wrap_up_time {
            seconds("/rules/wrap_up_ms", time, 1..=3_600, &mut errors);
        }
        minutes("/rules/break_minutes", self.rules.break_minutes, &mut errors);
        if let Some(own) = &self.rules.capacity {
            capacity("/rules/capacity", own, &mut errors);
        }
        errors
    }
}

impl Checked for Skill {
    fn errors(&self, _: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        name(&self.name, &mut errors);
        errors
    }
}

impl Checked for Reason {
    fn errors(&self, _: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        name(&self.name, &mut errors);
        let fit = |c: char| c.is_ascii_lowercase() || c == '-';
        if self.icon.is_empty() || self.icon.len() > 32 || !self.icon.chars().all(fit) {
            errors.push(FieldError::new(
                "/icon",
                "the name of an icon: coffee, lunch, meeting, training, away, busy",
            ));
        }
        minutes("/ends_after_minutes", self.ends_after_minutes, &mut errors);
        errors
    }
}

impl Checked for Service {
    fn errors(&self, now: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        name(&self.name, &mut errors);
        let alone = FloorConfig { services: vec![self.clone()], ..FloorConfig::default() };
        if let Err(error) = alone.check() {
            errors.push(FieldError::new("/requirement", error.to_string()));
        }
        let queue = &self.queue;
        if queue.takes.is_empty() || !queue.takes.iter().all(|channel| Channel::INCOMING.contains(channel)) {
            errors.push(FieldError::new("/queue/takes", "voice, chat, email, sms: at least one"));
        }
        let dialled = now.numbers.iter().find(|(_, (service, _))| *service == self.id);
        if let Some((digits, _)) = dialled.filter(|_| !queue.takes(Channel::Voice)) {
            errors.push(FieldError::new("/queue/takes", format!("calls to {digits} come here")));
        }
        if !(0..=1_000).contains(&queue.priority) {
            errors.push(FieldError::new("/queue/priority", "0 to 1000"));
        }
        if !(1..=86_400).contains(&queue.priority_second) {
            errors.push(FieldError::new("/queue/priority_second", "1 to 86400"));
        }
        if !(1..=SLOPE_MAX).contains(&queue.slope_percent) {
            errors.push(FieldError::new("/queue/slope_percent", "1 to 10000"));
        }
        if !(2..=RING_MAX).contains(&queue.ring_agents) {
            errors.push(FieldError::new("/queue/ring_agents", "2 to 50"));
        }
        if !(1..=10_000).contains(&queue.waiting_max) {
            errors.push(FieldError::new("/queue/waiting_max", "1 to 10000"));
        }
        seconds("/queue/ring_time_ms", queue.ring_time, 5..=300, &mut errors);
        seconds("/queue/service_level_ms", queue.service_level, 1..=3_600, &mut errors);
        seconds("/queue/short_abandon_after_ms", queue.short_abandon_after, 0..=300, &mut errors);
        seconds("/queue/refusal_cooldown_ms", queue.refusal_cooldown, 0..=3_600, &mut errors);
        seconds("/recording/pause_max_ms", self.recording.pause_max, 5..=3_600, &mut errors);
        if self.recording.keep_days.is_some_and(|days| !(1..=36_500).contains(&days)) {
            errors.push(FieldError::new("/recording/keep_days", "1 to 36500, or nothing"));
        }
        if let Some(longest) = queue.wait_time_max {
            seconds("/queue/wait_time_max_ms", longest, 1..=14_400, &mut errors);
        }
        treatments(self, now, &mut errors);
        for (field, text) in queue.farewells.all() {
            if text.chars().count() > FAREWELL_MAX || text.chars().any(|c| c.is_control() && c != '\n') {
                let why = format!("at most {FAREWELL_MAX} characters");
                errors.push(FieldError::new(format!("/queue/farewells/{field}"), why));
            }
        }
        waiting(&queue.waiting, now, &mut errors);
        super::callback::callback(&queue.callback, now, &mut errors);
        regulars(queue.regulars, &mut errors);
        super::voicemail::voicemail(&queue.voicemail, "/queue/voicemail", now, &mut errors);
        if let Some(calendar) = &queue.hours {
            match flow::OpeningHours::read(calendar) {
                Err(why) => errors.push(FieldError::new("/queue/hours", why)),
                Ok(hours) if !hours.ever_open() => {
                    errors.push(FieldError::new("/queue/hours/open", "these hours never open"));
                }
                Ok(_) => {}
            }
        }
        errors
    }

    fn warnings(&self, now: &Configuration) -> Vec<String> {
        let mut users = now.users.values().filter(|user| !user.disabled);
        let anybody = users.any(|user| self.requirement.steps.iter().any(|step| meets(user, &step.who)));
        if anybody {
            vec![]
        } else {
            vec!["Nobody meets the requirement: callers would wait in vain.".into()]
        }
    }
}

/// How customers who come again are held for an agent.
fn regulars(rules: Option<RegularRules>, errors: &mut Vec<FieldError>) {
    let Some(RegularRules { within_days, hold_s, ahead_s }) = rules else { return };
    for (field, value, range) in [
        ("within_days", within_days, RegularRules::WITHIN_DAYS),
        ("hold_s", hold_s, RegularRules::HOLD_S),
        ("ahead_s", ahead_s, RegularRules::AHEAD_S),
    ] {
        if !range.contains(&value) {
            let why = format!("{} to {}", range.start(), range.end());
            errors.push(FieldError::new(format!("/queue/regulars/{field}"), why));
        }
    }
}

/// Where the service leads callers that it does not queue.
fn treatments(service: &Service, now: &Configuration, errors: &mut Vec<FieldError>) {
    for (_, field, treatment) in service.queue.treatments() {
        let missing = match treatment {
            Treatment::Service(to) if to != service.id && !now.services.contains_key(&to) => "service",
            Treatment::Flow(flow) if !now.flows.contains_key(&flow) => "flow",
            Treatment::Flow(flow)
                if now.ready_flows.get(&flow).is_some_and(|(_, ready)| !ready.flow().begins_calls()) =>
            {
                "flow for callers who have no place and no agent yet: this one runs while they do"
            }
            _ => continue,
        };
        errors.push(FieldError::new(format!("/queue/{field}"), format!("there is no such {missing}")));
    }
    let queue = &service.queue;
    if queue.when_unstaffed == Treatment::Queue
        && queue.when_agents_left.is_some_and(|t| t != Treatment::Queue)
    {
        let why = "who may come while nobody is signed in may also stay: nothing or queue, or another when_unstaffed";
        errors.push(FieldError::new("/queue/when_agents_left", why));
    }
    let then = now.changed(|config| drop(config.services.insert(service.id, service.clone())));
    if let Some(circle) = then.circle_from(service) {
        errors.push(FieldError::new(format!("/queue/{}", circle.field), in_words(&circle)));
    }
}

/// What callers hear while they wait.
fn waiting(rules: &WaitingRules, now: &Configuration, errors: &mut Vec<FieldError>) {
    let mut wrong =
        |field: &str, why: String| errors.push(FieldError::new(format!("/queue/waiting/{field}"), why));
    let known = |name: &String| now.sounds.contains(name);
    let no_sound = |name: &String| format!("there is no sound {name}");
    if let Some(name) = rules.greeting.as_ref().filter(|name| !known(name)) {
        wrong("greeting", no_sound(name));
    }
    for (n, name) in rules.comfort.iter().enumerate().filter(|(_, name)| !known(name)) {
        wrong(&format!("comfort/{n}"), no_sound(name));
    }
    if rules.comfort.len() > COMFORT_MAX {
        wrong("comfort", format!("at most {COMFORT_MAX} sounds"));
    }
    if !(1..=3_600).contains(&rules.first_after_s) {
        wrong("first_after_s", "1 to 3600".into());
    }
    if !(5..=3_600).contains(&rules.every_s) {
        wrong("every_s", "5 to 3600".into());
    }
    let built_in = WaitingRules { greeting: None, comfort: vec![], ..rules.clone() };
    if let Some(Err(faults)) = now.check_announcements(&built_in, &CallbackRules::default()) {
        let why = faults.first().map(|fault| fault.what.clone()).unwrap_or_default();
        wrong(if rules.position { "position" } else { "expected_wait" }, why);
    }
    if let Some(flow) = rules.flow {
        match (now.flows.get(&flow), now.ready_flows.get(&flow)) {
            (None, _) => wrong("flow", "there is no such flow".into()),
            (Some(_), None) => wrong("flow", "this flow is off, or in trouble".into()),
            (Some(_), Some((_, ready))) if !ready.flow().while_waiting => {
                wrong(
                    "flow",
                    "this flow is for callers before a queue: `while_waiting = true` is missing".into(),
                );
            }
            (Some(_), Some(_)) => {}
        }
    }
}

/// Who leads to a flow in a way that it is not made for.
fn other_use(flow: &Flow, then: &flow::Flow, now: &Configuration) -> Option<String> {
    if !then.begins_calls()
        && let Some(who) = now.leading_to_flow(flow.id).first()
    {
        let set = if then.while_waiting {
            "`while_waiting` is for flows of a queue"
        } else {
            "`during_calls` is for flows of agents"
        };
        return Some(format!("{who} leads here: {set}"));
    }
    if then.while_waiting {
        return None;
    }
    let service = now.services.values().find(|service| service.queue.waiting.flow == Some(flow.id))?;
    Some(format!("callers who wait for {} go through it: `while_waiting = true` is missing", service.name))
}

fn in_words(circle: &Circle) -> String {
    format!("callers would go round in a circle: {}", circle.way.join(" -> "))
}

impl Checked for Disposition {
    fn errors(&self, _: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        name(&self.name, &mut errors);
        errors
    }
}

impl Checked for Flow {
    fn errors(&self, now: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        name(&self.name, &mut errors);
        let Some(active) = self.active else { return errors };
        match self.active() {
            None => errors.push(FieldError::new("/active", format!("there is no version {active} any more"))),
            Some(version) => match now.check_flow(&version.text) {
                Ok(ready) => {
                    if let Some(why) = other_use(self, ready.flow(), now) {
                        errors.push(FieldError::new("/text", why));
                    }
                    let ready = (version.number, Arc::new(ready));
                    let then = now.changed(|config| {
                        config.flows.insert(self.id, self.clone());
                        config.ready_flows.insert(self.id, ready);
                    });
                    if let Some(circle) = then.services.values().find_map(|s| then.circle_from(s)) {
                        errors.push(FieldError::new("/text", in_words(&circle)));
                    }
                }
                Err(WrongFlow::Text(error)) => errors.push(FieldError::new("/text", error.to_string())),
                Err(WrongFlow::Faults(faults)) => {
                    errors.extend(faults.iter().map(|fault| FieldError::new("/text", fault.to_string())));
                }
            },
        }
        errors
    }
}

impl Checked for Number {
    fn errors(&self, now: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let bare = self.digits.strip_prefix('+').unwrap_or(&self.digits);
        if !digits(bare) || !(1..=20).contains(&bare.len()) {
            errors.push(FieldError::new("/digits", "1 to 20 digits with an optional + in front"));
        }
        let service = now.services.get(&self.service);
        if service.is_some_and(|service| !service.queue.takes(Channel::Voice)) {
            errors.push(FieldError::new("/service", "this service takes no calls"));
        }
        let first = self.flow.and_then(|flow| now.ready_flows.get(&flow));
        if first.is_some_and(|(_, ready)| !ready.flow().begins_calls()) {
            errors.push(FieldError::new(
                "/flow",
                "this flow is for callers who wait in a queue already, or have an agent",
            ));
        }
        errors
    }
}

impl Checked for Trunk {
    fn errors(&self, _: &Configuration) -> Vec<FieldError> {
        let mut errors = Vec::new();
        name(&self.name, &mut errors);
        if self.addresses.len() > 64 {
            errors.push(FieldError::new("/addresses", "at most 64"));
        }
        for (n, address) in self.addresses.iter().enumerate() {
            if let Err(why) = network(address) {
                errors.push(FieldError::new(format!("/addresses/{n}"), why));
            }
        }
        if self.registers && self.account.is_none() {
            errors.push(FieldError::new("/account", "a trunk that registers needs a user name there"));
        }
        if let Some(account) = &self.account {
            let fit = |c: char| !c.is_control();
            if account.is_empty() || account.len() > 128 || !account.chars().all(fit) {
                errors.push(FieldError::new("/account", "1 to 128 octets without control characters"));
            }
            if self.target.is_none() {
                errors.push(FieldError::new("/account", "without a target there is nowhere to sign in"));
            }
        }
        if let Some(username) = &self.username {
            let fit = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ':' | '@' | ',' | ';');
            if username.is_empty() || username.len() > 64 || !username.chars().all(fit) {
                errors.push(FieldError::new(
                    "/username",
                    "1 to 64 letters, digits or signs without \" \\ : @ , ;",
                ));
            }
        }
        if self.addresses.is_empty() && self.username.is_none() && self.target.is_none() {
            errors.push(FieldError::new(
                "/addresses",
                "without addresses, user name and target nobody can use it",
            ));
        }
        if let Some(target) = &self.target
            && Target::parse(target).is_none()
        {
            errors.push(FieldError::new("/target", "host[:port][;transport=udp|tcp|tls]"));
        }
        if !(1..=100_000).contains(&self.calls_max) {
            errors.push(FieldError::new("/calls_max", "1 to 100000"));
        }
        errors
    }
}

/// A name people will read.
fn name(text: &str, errors: &mut Vec<FieldError>) {
    name_at("/name", text, errors);
}

/// The same, standing somewhere else.
pub(super) fn name_at(pointer: &str, text: &str, errors: &mut Vec<FieldError>) {
    let letters = text.chars().count();
    if text.trim() != text || !(1..=80).contains(&letters) || text.chars().any(char::is_control) {
        errors.push(FieldError::new(pointer, "1 to 80 characters, no blanks at the ends"));
    }
}

/// Most contacts of one kind that an agent holds.
const AT_ONCE_MAX: u32 = 50;

/// What agents carry: something that would never fit is said to be closed by `at_once`, not by its weight.
fn minutes(pointer: &str, minutes: Option<u32>, errors: &mut Vec<FieldError>) {
    if minutes.is_some_and(|minutes| !(1..=MINUTES_MAX).contains(&minutes)) {
        errors.push(FieldError::new(pointer, format!("1 to {MINUTES_MAX} minutes, or nothing")));
    }
}

pub(super) fn capacity(pointer: &str, capacity: &Capacity, errors: &mut Vec<FieldError>) {
    if !(1..=1_000).contains(&capacity.units) {
        errors.push(FieldError::new(format!("{pointer}/units"), "1 to 1000"));
    }
    for channel in Channel::ALL {
        let Weight { units, at_once } = capacity.weight(channel);
        let name = format!("{channel:?}").to_lowercase();
        if !(1..=capacity.units).contains(&units) {
            let why = "1 to what an agent has; at_once 0 closes the channel";
            errors.push(FieldError::new(format!("{pointer}/{name}/units"), why));
        }
        if at_once > AT_ONCE_MAX {
            errors.push(FieldError::new(format!("{pointer}/{name}/at_once"), format!("0 to {AT_ONCE_MAX}")));
        }
    }
}

fn seconds(pointer: &str, time: Duration, range: RangeInclusive<u64>, errors: &mut Vec<FieldError>) {
    let (low, high) = (Duration::from_secs(*range.start()), Duration::from_secs(*range.end()));
    if time < low || time > high {
        errors.push(FieldError::new(pointer, format!("{} to {} s", range.start(), range.end())));
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `address` or `address/prefix-length`. A prefix of 0 would match everybody, so it is refused.
fn network(text: &str) -> Result<(), &'static str> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| "not an IP address")?;
    if address.is_unspecified() {
        return Err("the unspecified address names nobody");
    }
    let most = if address.is_ipv4() { 32 } else { 128 };
    match prefix.map(str::parse::<u8>) {
        None => Ok(()),
        Some(Ok(0)) => Err("a prefix of 0 would let everybody in"),
        Some(Ok(length)) if length <= most => Ok(()),
        Some(_) => Err("the prefix length is not one of the address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SAFE-01: nothing is open by default; a rule that matches everybody is refused.
    #[test]
    fn a_trunk_that_would_let_everybody_in_is_refused() {
        assert!(network("0.0.0.0/0").is_err());
        assert!(network("::/0").is_err());
        assert!(network("0.0.0.0").is_err());
        assert!(network("192.0.2.1/33").is_err());
        assert!(network("192.0.2").is_err());
        assert_eq!(network("192.0.2.0/28"), Ok(()));
        assert_eq!(network("2001:db8::/32"), Ok(()));
    }
}
