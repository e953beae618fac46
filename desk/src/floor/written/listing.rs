//! Pages of the group queue and of personal queues (MAIL-07, MAIL-13 to MAIL-15). However many wait, a page costs a walk along
//! [`LISTED_MAX`] of them at most: the queues are kept in the order of waiting.

use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use model::id::{InteractionId, ServiceId, UserId};
use model::interaction::Channel;
use model::time::Timestamp;
use model::written::Assignment;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::core::Core;
use super::Written;
use super::lists::Key;
use crate::console::protocol::ServiceName;

/// How far a list can be looked through; who wants to see what is behind filters by service, or turns the order round.
pub const LISTED_MAX: usize = 2_000;
/// Rows of one page.
pub const PAGE_MAX: usize = 100;

/// Whose queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListOf {
    /// What waits in the queues of services.
    #[default]
    Group,
    /// What lies in an agent's personal queue.
    Personal,
}

/// By what a list is sorted (MAIL-15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// By when the service level of its service is over.
    #[default]
    Due,
    /// By arrival.
    Arrived,
    /// By the last message.
    Updated,
    /// By the customer's name, else address.
    Sender,
    /// By subject.
    Subject,
}

/// Which page of which queue.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// `group` (usual) or `personal`.
    #[serde(default)]
    #[param(inline)]
    pub queue: ListOf,
    /// Whose personal queue, for those who supervise; otherwise one's own.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub agent: Option<UserId>,
    /// `email` (usual), `chat` or `sms`.
    #[serde(default = "emails")]
    #[param(value_type = String)]
    pub channel: Channel,
    /// Only of this service.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub service: Option<ServiceId>,
    /// `due` (usual), `arrived`, `updated`, `sender` or `subject`. The last three sort the 2000 that are due first.
    #[serde(default)]
    #[param(inline)]
    pub sort: SortBy,
    /// The other way round: latest, or last in the alphabet, first.
    #[serde(default)]
    pub descending: bool,
    /// Rows to leave out before the page; a list is shown up to its 2000th row.
    #[serde(default)]
    pub offset: usize,
}

fn emails() -> Channel {
    Channel::Email
}

/// A page of a queue, with what stands above it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WrittenList {
    /// At most 100 rows.
    pub items: Vec<WrittenRow>,
    /// Rows before them.
    pub offset: usize,
    /// Rows of the list, those included that are not shown.
    pub total: usize,
    /// Rows that can be shown.
    pub listed: usize,
    /// The group queue as this user sees it, whatever the filter.
    pub group: TabView,
    /// The personal queue, the same way.
    pub personal: TabView,
    /// The services of the list, each with its number, whatever the filter.
    pub services: Vec<WrittenCount>,
}

/// What stands at a queue's tab (MAIL-09).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TabView {
    /// How many there are.
    pub count: usize,
    /// When the first of them is past the service level of its service, in milliseconds since 1970.
    pub due: Option<u64>,
}

impl TabView {
    fn and(self, count: usize, due: Option<Timestamp>) -> Self {
        let due = self.due.into_iter().chain(due.map(Timestamp::millis)).min();
        Self { count: self.count + count, due }
    }
}

/// How many of a service there are.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WrittenCount {
    /// Of which service.
    pub service: ServiceName,
    /// How many.
    pub count: usize,
}

/// A row of a queue (MAIL-08).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct WrittenRow {
    /// Which contact.
    #[schema(value_type = String)]
    pub interaction: InteractionId,
    /// Kind of contact.
    #[schema(value_type = String)]
    pub channel: Channel,
    /// Of which service.
    pub service: ServiceName,
    /// The customer's name.
    pub name: Option<String>,
    /// The customer's address.
    pub address: String,
    /// What it is about.
    pub subject: String,
    /// How the sender's system sorts it.
    pub category: String,
    /// Since when it waits, in milliseconds since 1970.
    pub since: u64,
    /// When the last message was written.
    pub updated: u64,
    /// When it is past the service level of its service.
    pub due: u64,
    /// Whether it is being offered to an agent.
    pub offered: bool,
    /// The number of the last message.
    pub last_message: u32,
    /// How it came into the personal queue.
    pub assigned: Option<AssignedView>,
}

/// How an email came into a personal queue.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AssignedView {
    /// `postponed`, `taken`, `assigned`, `transferred` or `signed_out`.
    #[schema(value_type = String)]
    pub why: Assignment,
    /// The name of whoever put it there, when that was somebody else.
    pub by: Option<String>,
    /// Since when.
    pub at: u64,
}

impl Core {
    /// A page of the queues that a user may see: agents those of the services they may answer, and their own; supervisors all.
    pub fn written_list(&self, user: UserId, asked: &Asked) -> WrittenList {
        let all = self.supervises(user);
        let handles = asked.channel != Channel::Email || self.config.handles_emails(user);
        let mine = |service: &ServiceId| {
            all || handles && self.config.eligible(*service).binary_search(&user).is_ok()
        };
        let services: Vec<_> = self.config.services.keys().copied().filter(mine).collect();
        let owner = asked.agent.filter(|_| all).unwrap_or(user);
        let group = self.group_tab(asked.channel, &services);
        let (mut counts, keys) = match asked.queue {
            ListOf::Group => self.of_group(asked, &services),
            ListOf::Personal => self.of_personal(asked, owner),
        };
        counts.retain(|count| count.count > 0);
        counts.sort_by(|a, b| a.service.name.cmp(&b.service.name));
        let wanted = counts.iter().filter(|count| asked.service.is_none_or(|only| count.service.id == only));
        let page = keys.iter().skip(asked.offset).take(PAGE_MAX);
        WrittenList {
            items: page.filter_map(|id| self.written_row(*id)).collect(),
            offset: asked.offset,
            total: wanted.map(|count| count.count).sum(),
            listed: keys.len(),
            group,
            personal: self.personal_tab(owner),
            services: counts,
        }
    }

    /// What stands at the tab of a personal queue.
    pub(crate) fn personal_tab(&self, agent: UserId) -> TabView {
        let list = self.lists.personal(agent);
        let due =
            list.into_iter().flatten().filter_map(|(_, id)| Some(self.due(self.written.get(id)?))).min();
        TabView::default().and(list.map_or(0, BTreeSet::len), due)
    }

    fn group_tab(&self, channel: Channel, services: &[ServiceId]) -> TabView {
        services.iter().fold(TabView::default(), |tab, service| {
            let Some(list) = self.lists.group(channel, *service) else { return tab };
            tab.and(list.len(), list.first().map(|(since, _)| *since + self.level(*service)))
        })
    }

    fn of_group(&self, asked: &Asked, services: &[ServiceId]) -> (Vec<WrittenCount>, Vec<InteractionId>) {
        let lists = services.iter().filter_map(|s| Some((*s, self.lists.group(asked.channel, *s)?)));
        let lists: Vec<_> = lists.collect();
        let count = |(service, list): &(ServiceId, &BTreeSet<Key>)| WrittenCount {
            service: self.config.name_service(*service),
            count: list.len(),
        };
        let counts = lists.iter().map(count).collect();
        let wanted =
            lists.into_iter().filter(|(service, _)| asked.service.is_none_or(|only| only == *service));
        let by_arrival = asked.sort == SortBy::Arrived;
        let shifted = wanted
            .map(|(service, list)| (if by_arrival { Duration::ZERO } else { self.level(service) }, list));
        let in_time = matches!(asked.sort, SortBy::Due | SortBy::Arrived);
        let first = merged(shifted.collect(), in_time && asked.descending);
        (counts, if in_time { first } else { self.sorted(first, asked) })
    }

    fn of_personal(&self, asked: &Asked, owner: UserId) -> (Vec<WrittenCount>, Vec<InteractionId>) {
        let mut counts: Vec<WrittenCount> = Vec::new();
        let mut ids = Vec::new();
        for (_, id) in self.lists.personal(owner).into_iter().flatten() {
            let Some(written) = self.written.get(id) else { continue };
            match counts.iter_mut().find(|count| count.service.id == written.service) {
                Some(count) => count.count += 1,
                None => {
                    counts
                        .push(WrittenCount { service: self.config.name_service(written.service), count: 1 });
                }
            }
            if asked.service.is_none_or(|only| only == written.service) {
                ids.push(*id);
            }
        }
        (counts, self.sorted(ids, asked))
    }

    fn sorted(&self, mut ids: Vec<InteractionId>, asked: &Asked) -> Vec<InteractionId> {
        let lower = |text: Option<&String>| text.map(|text| text.to_lowercase()).unwrap_or_default();
        ids.sort_by_cached_key(|id| {
            let Some(written) = self.written.get(id) else { return (Timestamp::ZERO, String::new(), *id) };
            let (time, text) = match asked.sort {
                SortBy::Due => (self.due(written), String::new()),
                SortBy::Arrived => (written.waits_since, String::new()),
                SortBy::Updated => (written.wrote_at, String::new()),
                SortBy::Sender => {
                    (Timestamp::ZERO, lower(written.caller_name.as_ref().or(Some(&written.caller))))
                }
                SortBy::Subject => (Timestamp::ZERO, lower(written.noted.get("subject"))),
            };
            (time, text, *id)
        });
        if asked.descending {
            ids.reverse();
        }
        ids
    }

    fn written_row(&self, interaction: InteractionId) -> Option<WrittenRow> {
        let written = self.written.get(&interaction)?;
        let noted = |name| written.noted.get(name).cloned().unwrap_or_default();
        let name = |user| self.config.users.get(&user).map(|user| user.name.clone());
        Some(WrittenRow {
            interaction,
            channel: written.channel,
            service: self.config.name_service(written.service),
            name: written.caller_name.clone(),
            address: written.caller.clone(),
            subject: noted("subject"),
            category: noted("category"),
            since: written.waits_since.millis(),
            updated: written.wrote_at.millis(),
            due: self.due(written).millis(),
            offered: self.is_offered(interaction),
            last_message: written.last_message,
            assigned: written.kept().map(|kept| AssignedView {
                why: kept.why,
                by: kept.by.and_then(name),
                at: kept.since.millis(),
            }),
        })
    }

    /// Whether a user may read what was written in a contact that the user does not have in hand: it lies in the own queue, or
    /// waits for agents like this one (MAIL-16).
    pub(crate) fn may_preview(&self, user: UserId, interaction: InteractionId) -> bool {
        let kept = self.written.get(&interaction).map(Written::kept);
        match kept {
            Some(Some(kept)) => kept.agent == user,
            Some(None) => self.floor.is_waiting(interaction) && self.floor.may_answer(user, interaction),
            None => false,
        }
    }

    fn due(&self, written: &Written) -> Timestamp {
        written.waits_since + self.level(written.service)
    }
    fn level(&self, service: ServiceId) -> Duration {
        self.config.services.get(&service).map_or(Duration::ZERO, |known| known.queue.service_level)
    }
}

/// The first of several queues, each of which is in the order of waiting, by that time and what is added to it.
fn merged(lists: Vec<(Duration, &BTreeSet<Key>)>, descending: bool) -> Vec<InteractionId> {
    let mut walks: Vec<Box<dyn Iterator<Item = &Key> + '_>> = Vec::new();
    let mut heads = BinaryHeap::new();
    // The greatest comes first out of the heap.
    let rank = |added: Duration, (since, _): &Key| {
        let at = i128::from((*since + added).micros());
        if descending { at } else { -at }
    };
    for (at, (added, list)) in lists.iter().enumerate() {
        let mut walk: Box<dyn Iterator<Item = &Key>> =
            if descending { Box::new(list.iter().rev()) } else { Box::new(list.iter()) };
        if let Some(first) = walk.next() {
            heads.push((rank(*added, first), at, first.1));
        }
        walks.push(walk);
    }
    let mut found = Vec::new();
    while found.len() < LISTED_MAX
        && let Some((_, at, id)) = heads.pop()
    {
        found.push(id);
        if let Some(next) = walks[at].next() {
            heads.push((rank(lists[at].0, next), at, next.1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;

    fn list(since_s: &[u64]) -> BTreeSet<Key> {
        let key = |s: &u64| (Timestamp::from_millis(s * 1_000), InteractionId::from_number(*s));
        since_s.iter().map(key).collect()
    }

    /// MAIL-15: several queues are one list in the order in which they are due, and no more of it is walked than is shown.
    #[test]
    fn mail_15_queues_are_merged_by_what_is_due_first() {
        let (quick, slow) = (list(&[20, 40]), list(&[1, 30]));
        let levels = || vec![(Duration::from_secs(5), &quick), (Duration::from_secs(100), &slow)];
        let ids = |found: Vec<InteractionId>| -> Vec<_> {
            found
                .iter()
                .map(|id| [1, 20, 30, 40].into_iter().find(|n| *id == InteractionId::from_number(*n)))
                .collect()
        };
        assert_eq!(ids(merged(levels(), false)), [20, 40, 1, 30].map(Some));
        assert_eq!(ids(merged(levels(), true)), [30, 1, 40, 20].map(Some));
        let many = list(&(1..5_000).collect::<Vec<_>>());
        assert_eq!(merged(vec![(Duration::ZERO, &many)], false).len(), LISTED_MAX);
    }
}
