//! The configuration as the floor and the consoles use it: read from the store as a whole after every change.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use flow::{Language, Opening, OpeningHours, Ready, WishedTime};
use model::agent::Reason;
use model::call::{CallConfig, Ha1, PhoneAccount, TrunkLogin};
use model::capacity::Capacity;
use model::dialling::DialRules;
use model::diversion::{Diversion, MessageBox};
use model::flow::Flow;
use model::greeting::Greeting;
use model::id::{DispositionId, FlowId, GroupId, ReasonId, ServiceId, TenantId, TrunkId, UserId};
use model::interaction::Channel;
use model::people::{Group, GroupRules, PhoneKind, Privilege, Tenant, User, Withheld};
use model::service::{
    CallbackRules, Disposition, Service, Skill, SrtpPolicy, Trunk, VoicemailRules, WaitingRules,
};
use model::skill::SkillExpr;
use model::skill::text::Names;
use model::tenant::{AgentOrder, OfferWindow, SystemNames};
use model::time::Timestamp;
use router::{AgentProfile, FloorConfig};
use store::secrets::DigestSecret;
use store::{Store, StoreError, catalogue};

use super::blocks::BlockList;
use crate::console::protocol::{Colleague, DispositionView, ReasonView, ServiceName, ServiceView};
use crate::lookups::LookupTable;
use crate::systems::Askable;

/// One consistent view of what the administrator set up.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// People, disabled ones too: records name them.
    pub users: BTreeMap<UserId, User>,
    /// Teams.
    pub groups: BTreeMap<GroupId, Group>,
    /// Reasons for being Not ready.
    pub reasons: BTreeMap<ReasonId, Reason>,
    /// Entry points.
    pub services: BTreeMap<ServiceId, Service>,
    /// How interactions end.
    pub dispositions: BTreeMap<DispositionId, Disposition>,
    /// Where dialled numbers lead: to a service, perhaps through a flow.
    pub numbers: HashMap<String, (ServiceId, Option<FlowId>)>,
    /// Flows as they are stored.
    pub flows: BTreeMap<FlowId, Flow>,
    /// Flows that callers can go through, with the version in use.
    pub ready_flows: BTreeMap<FlowId, (u32, Arc<Ready>)>,
    /// What callers of each service go through while they wait, where it is more than music.
    pub waiting: BTreeMap<ServiceId, FlowInUse>,
    /// What callers go through who leave a message for a service.
    pub voicemail: BTreeMap<ServiceId, FlowInUse>,
    /// Names of the sounds that flows may play.
    pub sounds: Vec<String>,
    /// Tables that flows look values up in.
    pub tables: Vec<LookupTable>,
    /// Systems that flows may ask.
    pub askable: Askable,
    /// What numbers are spoken in.
    pub language: Language,
    /// Trunks.
    pub trunks: Vec<Trunk>,
    /// What becomes of calls to extensions that are not taken, of everybody who set something.
    pub diversions: BTreeMap<UserId, Diversion>,
    /// What people say to callers who are to leave them a message (VM-03).
    pub greetings: Vec<Greeting>,
    /// Callers who are refused (VOICE-16).
    pub blocks: Arc<BlockList>,
    /// What offer windows show (VOICE-05).
    pub offer_window: OfferWindow,
    /// What agents carry at once, unless their group says otherwise (ROUTE-01).
    pub capacity: Capacity,
    /// Who of several agents is rung first (ROUTE-04).
    pub agent_order: AgentOrder,
    /// Which numbers outside may be dialled (SAFE-01).
    pub dialling: DialRules,
    /// What roles may not do, although they usually may (CHAT-01).
    pub withheld: Withheld,
    /// How messages for extensions are taken and kept (VM-12).
    pub own_voicemail: VoicemailRules,
    /// The tenant's names for the reasons that the system sets (STATE-13).
    pub system_names: SystemNames,
    /// Opening hours of services that have some.
    hours: BTreeMap<ServiceId, OpeningHours>,
    /// Services that are closed by their hours.
    closed_by_hours: BTreeSet<ServiceId>,
    /// Who may answer each service, in some step of its requirement.
    eligible: BTreeMap<ServiceId, Vec<UserId>>,
    /// What requirements may name, disabled users too.
    names: Names,
}

impl Configuration {
    /// Reads everything of a tenant.
    pub async fn load(store: &Store, tenant: TenantId) -> Result<Self, StoreError> {
        let users = catalogue::all::<User>(store.users(), tenant).await?;
        let groups = catalogue::all::<Group>(store.groups(), tenant).await?;
        let skills = catalogue::all::<Skill>(store.skills(), tenant).await?;
        let reasons = catalogue::all(store.reasons(), tenant).await?;
        let services = catalogue::all(store.services(), tenant).await?;
        let dispositions = catalogue::all(store.dispositions(), tenant).await?;
        let numbers = catalogue::all::<model::service::Number>(store.numbers(), tenant).await?;
        let flows = catalogue::all::<Flow>(store.flows(), tenant).await?;
        let trunks = catalogue::all(store.trunks(), tenant).await?;
        let blocks = catalogue::all(store.blocks(), tenant).await?;
        let settings = store.tenants().tenant(tenant).await?.map(|row| row.item);
        let mut names = Names::default();
        skills.iter().for_each(|row| names.skill(row.item.id, &row.item.name));
        groups.iter().for_each(|row| names.group(row.item.id, &row.item.name));
        users.iter().for_each(|row| names.agent(row.item.id, &row.item.login));
        let mut config = Self {
            names,
            users: users.into_iter().map(|row| (row.item.id, row.item)).collect(),
            groups: groups.into_iter().map(|row| (row.item.id, row.item)).collect(),
            reasons: reasons.into_iter().map(|row| (row.item.id, row.item)).collect(),
            services: services.into_iter().map(|row| (row.item.id, row.item)).collect(),
            dispositions: dispositions.into_iter().map(|row| (row.item.id, row.item)).collect(),
            numbers: numbers
                .into_iter()
                .map(|row| (row.item.digits, (row.item.service, row.item.flow)))
                .collect(),
            flows: flows.into_iter().map(|row| (row.item.id, row.item)).collect(),
            tables: store.lookups().lookup_tables(tenant).await?,
            diversions: store.diversions().diversions(tenant).await?,
            greetings: store.greetings().greetings(tenant).await?,
            trunks: trunks.into_iter().map(|row| row.item).collect(),
            blocks: Arc::new(BlockList::new(blocks.into_iter().map(|row| row.item))),
            ..Self::default()
        };
        settings.into_iter().for_each(|tenant| config.place_tenant(tenant));
        Ok(config.with_eligible())
    }

    /// With what is set for the tenant as a whole.
    pub(super) fn place_tenant(&mut self, tenant: Tenant) {
        let Tenant { offer_window, system_names, capacity, agent_order, dialling, withheld, .. } = tenant;
        self.own_voicemail = tenant.own_voicemail;
        (self.offer_window, self.system_names, self.capacity) = (offer_window, system_names, capacity);
        (self.agent_order, self.dialling, self.withheld) = (agent_order, dialling, withheld);
    }

    /// This configuration with something else in it.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut then = self.clone();
        change(&mut then);
        // A new group or a new name can be named by what is printed.
        for (id, group) in &then.groups {
            if self.groups.get(id).is_none_or(|known| known.name != group.name) {
                then.names.group(*id, &group.name);
            }
        }
        then.with_eligible()
    }

    /// Finds out once who may answer what; figures of queues ask it all the time.
    fn with_eligible(mut self) -> Self {
        let users = || self.users.values().filter(|user| !user.disabled);
        self.eligible = self
            .services
            .values()
            .map(|service| {
                let steps = &service.requirement.steps;
                let fits = |user: &&User| steps.iter().any(|step| meets(user, &step.who));
                (service.id, users().filter(fits).map(|user| user.id).collect())
            })
            .collect();
        self
    }

    /// Agents who may answer a service, in some step of its requirement.
    pub fn eligible(&self, service: ServiceId) -> &[UserId] {
        self.eligible.get(&service).map_or(&[], Vec::as_slice)
    }

    /// Whether emails may be put into a user's personal queue.
    pub fn handles_emails(&self, user: UserId) -> bool {
        let user = self.users.get(&user).filter(|user| !user.disabled);
        user.is_some_and(|user| self.withheld.leaves(user.role, Privilege::HandleEmails))
    }

    /// What requirements may name.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Who meets a condition now, by id.
    pub fn who_meet(&self, who: &SkillExpr) -> impl Iterator<Item = &User> {
        self.users.values().filter(move |user| !user.disabled && meets(user, who))
    }

    /// What the floor decides by.
    pub fn floor(&self) -> FloorConfig {
        FloorConfig {
            agents: self
                .users
                .values()
                .filter(|user| !user.disabled)
                .map(|user| self.profile(user))
                .collect(),
            groups: self.groups.values().map(|group| (group.id, group.rules.clone())).collect(),
            services: self
                .services
                .values()
                .map(|service| Service { open: self.is_open(service), ..service.clone() })
                .collect(),
            capacity: self.capacity,
            agent_order: self.agent_order.0.clone(),
            stays: self.stays(),
            ..FloorConfig::default()
        }
    }

    /// A user as routing sees one: without the privilege for a kind of contact, not there for it (CHAT-01).
    fn profile(&self, user: &User) -> AgentProfile {
        let mut profile = AgentProfile::from(user);
        for (needed, channels) in [
            (Privilege::HandleChats, &[Channel::Chat, Channel::Sms][..]),
            (Privilege::HandleEmails, &[Channel::Email][..]),
        ] {
            if !self.withheld.leaves(user.role, needed) {
                profile.at_once.extend(channels.iter().map(|channel| (*channel, 0)));
            }
        }
        profile
    }

    /// How many contacts of a kind an agent carries at once.
    pub(super) fn at_once(&self, user: &User, channel: Channel) -> u32 {
        let own = user.group.and_then(|group| self.groups.get(&group)).and_then(|group| group.rules.capacity);
        let capacity = own.unwrap_or(self.capacity).limited(&self.profile(user).at_once);
        let weight = capacity.weight(channel);
        weight.at_once.min(capacity.units / weight.units.max(1))
    }

    /// Reasons for being Not ready whose stays end by themselves (STATE-04).
    fn stays(&self) -> BTreeMap<ReasonId, Duration> {
        let stay = |reason: &Reason| {
            reason.ends_after_minutes.map(|minutes| Duration::from_secs(60 * u64::from(minutes)))
        };
        self.reasons.values().filter_map(|reason| Some((reason.id, stay(reason)?))).collect()
    }

    /// What signalling knows of trunks and phones. Secrets that cannot be read leave their owner without a way in.
    pub async fn calls(
        &self,
        store: &Store,
        realm: &str,
        srtp: SrtpPolicy,
    ) -> Result<CallConfig, StoreError> {
        let (mut trunks, mut logins) = (Vec::with_capacity(self.trunks.len()), Vec::new());
        for trunk in &self.trunks {
            let secret = match &trunk.username {
                Some(username) => store.secrets().trunk_secret(realm, username).await?,
                None => None,
            };
            let secret = secret.filter(|known| known.owner == trunk.id).map(|known| ha1(&known.secret));
            if let Some(username) = trunk.account.clone()
                && let Some(password) = store.secrets().trunk_password(trunk.id).await?
            {
                logins.push(TrunkLogin { trunk: trunk.id, username, password });
            }
            trunks.push((trunk.clone(), secret));
        }
        let mut phones = Vec::new();
        for user in self.users.values().filter(|user| !user.disabled && user.phone == PhoneKind::Sip) {
            let Some(extension) = &user.extension else { continue };
            let known = store.secrets().phone_secret(realm, extension).await?;
            let Some(known) = known.filter(|known| known.owner == user.id) else { continue };
            phones.push(PhoneAccount {
                agent: user.id,
                tenant: user.tenant,
                extension: extension.clone(),
                ha1: ha1(&known.secret),
                srtp,
            });
        }
        Ok(CallConfig { realm: realm.to_owned(), trunks, phones, logins })
    }

    /// The service a dialled number leads to. Trunks differ in whether they send the `+`; both find the number.
    pub fn service_of_number(&self, digits: &str) -> Option<&Service> {
        let other = other_way(digits);
        let (service, _) = self.numbers.get(digits).or_else(|| self.numbers.get(&other))?;
        self.services.get(service)
    }

    /// The flow that callers of a number go through, if there is one that they can.
    pub fn flow_of_number(&self, digits: &str) -> Option<FlowInUse> {
        let other = other_way(digits);
        let (_, flow) = self.numbers.get(digits).or_else(|| self.numbers.get(&other))?;
        let flow = (*flow)?;
        let (version, ready) = self.ready_flows.get(&flow)?;
        Some(FlowInUse { of: Some((flow, *version)), ready: ready.clone() })
    }

    /// Trunks over which calls can go out, in the order in which they are tried.
    pub fn trunks_out(&self) -> Vec<TrunkId> {
        self.trunks.iter().filter(|trunk| trunk.target.is_some()).map(|trunk| trunk.id).collect()
    }

    /// The number that those who are called for a service see: one of its own, else one of the house (OUT-11).
    pub fn caller_id(&self, service: ServiceId) -> Option<String> {
        let own =
            self.numbers.iter().filter(|(_, (leads_to, _))| *leads_to == service).map(|(digits, _)| digits);
        own.min().cloned().or_else(|| self.house_number())
    }

    /// A number of the house: what those see who are called for no service.
    pub fn house_number(&self) -> Option<String> {
        self.numbers.keys().min().cloned()
    }

    /// A service by its name.
    pub fn service_named(&self, name: &str) -> Option<&Service> {
        self.services.values().find(|service| service.name == name)
    }

    /// The same with flows that can be gone through: those in use in which nothing is wrong. `sounds`: what they may play;
    /// `askable`: whom they may ask.
    pub fn with_flows(mut self, sounds: Vec<String>, language: Language, askable: Askable) -> Self {
        (self.sounds, self.language, self.askable) = (sounds, language, askable);
        let mut ready = BTreeMap::new();
        for flow in self.flows.values() {
            let Some(version) = flow.active() else { continue };
            match self.check_flow(&version.text) {
                Ok(checked) => drop(ready.insert(flow.id, (version.number, Arc::new(checked)))),
                Err(wrong) => tracing::error!(
                    flow = flow.name,
                    wrong = %wrong.first(),
                    "a flow cannot be gone through: its numbers lead to their services at once"
                ),
            }
        }
        self.ready_flows = ready;
        self.waiting = self.services.values().filter_map(|s| Some((s.id, self.waiting_flow(s)?))).collect();
        self.voicemail =
            self.services.values().filter_map(|s| Some((s.id, self.voicemail_flow(s)?))).collect();
        self
    }

    /// The same with services opened and closed as their hours say at a moment.
    pub fn with_hours(mut self, now: Timestamp) -> Self {
        self.hours = BTreeMap::new();
        for service in self.services.values() {
            let Some(calendar) = &service.queue.hours else { continue };
            match OpeningHours::read(calendar) {
                Ok(hours) => drop(self.hours.insert(service.id, hours)),
                Err(why) => {
                    tracing::error!(
                        service = service.name,
                        why,
                        "hours are not understood, and not looked at"
                    )
                }
            }
        }
        self.closed_by_hours = self.out_of_hours(now);
        self
    }

    /// Services that are closed by their hours at a moment.
    pub fn out_of_hours(&self, now: Timestamp) -> BTreeSet<ServiceId> {
        let closed = self.hours.iter().filter(|(_, hours)| hours.at(now) != Opening::Open);
        closed.map(|(service, _)| *service).collect()
    }

    /// Those that the floor has closed.
    pub fn closed_by_hours(&self) -> &BTreeSet<ServiceId> {
        &self.closed_by_hours
    }

    /// Whether a service is open: switched on, and within its hours.
    pub fn is_open(&self, service: &Service) -> bool {
        service.open && !self.closed_by_hours.contains(&service.id)
    }

    /// Whether a service that stays switched on is within its hours at a moment.
    pub fn is_open_at(&self, service: &Service, at: Timestamp) -> bool {
        service.open && self.hours.get(&service.id).is_none_or(|hours| hours.at(at) == Opening::Open)
    }

    /// A full hour within the hours of a service; without any there is no time zone, and nobody says which hour it is.
    pub fn open_hour_of(&self, service: &Service, wished: WishedTime, now: Timestamp) -> Option<Timestamp> {
        let hours = self.hours.get(&service.id)?;
        let at = hours.hour_of(now, wished.in_days, wished.hour).filter(|at| *at > now)?;
        self.is_open_at(service, at).then_some(at)
    }

    /// What callers of a service go through while they wait: its flow, or what its settings come to.
    fn waiting_flow(&self, service: &Service) -> Option<FlowInUse> {
        let rules = &service.queue.waiting;
        if let Some(flow) = rules.flow {
            let (version, ready) = self.ready_flows.get(&flow).filter(|(_, f)| f.flow().while_waiting)?;
            return Some(FlowInUse { of: Some((flow, *version)), ready: ready.clone() });
        }
        match self.check_announcements(rules, &service.queue.callback)? {
            Ok(ready) => Some(FlowInUse { of: None, ready: Arc::new(ready) }),
            Err(faults) => {
                let wrong = faults.first().map(ToString::to_string).unwrap_or_default();
                tracing::error!(service = service.name, wrong, "callers who wait hear nothing but music");
                None
            }
        }
    }

    /// What callers go through who leave a message for a service.
    fn voicemail_flow(&self, service: &Service) -> Option<FlowInUse> {
        let ready = self.check(&flow::voicemail(&service.name)).ok()?;
        Some(FlowInUse { of: None, ready: Arc::new(ready) })
    }

    /// The announcements that settings come to; `None` for music alone.
    pub fn check_announcements(
        &self,
        rules: &WaitingRules,
        callback: &CallbackRules,
    ) -> Option<Result<Ready, Vec<flow::Fault>>> {
        let flow = flow::announcements(rules, callback, self.language)?;
        Some(self.check(&flow))
    }

    /// Whether a text is a flow that callers could go through now.
    pub fn check_flow(&self, text: &str) -> Result<Ready, WrongFlow> {
        self.check(&flow::Flow::from_text(text).map_err(WrongFlow::Text)?).map_err(WrongFlow::Faults)
    }

    pub(super) fn check(&self, flow: &flow::Flow) -> Result<Ready, Vec<flow::Fault>> {
        let prompts: Vec<&str> = self.sounds.iter().map(String::as_str).collect();
        let services: Vec<&str> = self.services.values().map(|service| service.name.as_str()).collect();
        let hosts: Vec<&str> = self.askable.hosts.iter().map(String::as_str).collect();
        let secrets: Vec<&str> = self.askable.secrets.iter().map(String::as_str).collect();
        let tables: Vec<_> = self.tables.iter().map(|t| (t.name.as_str(), t.columns.as_slice())).collect();
        flow.check(&flow::Around {
            tables: &tables,
            prompts: &prompts,
            services: &services,
            hosts: &hosts,
            secrets: &secrets,
            names: Some(&self.names),
            language: self.language,
        })
    }

    /// The rules of an agent's group; without a group the defaults.
    pub fn rules_of(&self, user: UserId) -> GroupRules {
        let group = self.users.get(&user).and_then(|user| user.group);
        group.and_then(|id| self.groups.get(&id)).map(|group| group.rules.clone()).unwrap_or_default()
    }

    /// Somebody who can call and be called within the house.
    pub fn colleague(&self, user: UserId) -> Option<&User> {
        self.users.get(&user).filter(|user| takes_calls(user))
    }

    /// Everybody who can.
    pub fn colleagues(&self) -> impl Iterator<Item = &User> {
        self.users.values().filter(|user| takes_calls(user))
    }

    /// Whom an extension belongs to.
    pub fn colleague_at(&self, extension: &str) -> Option<&User> {
        self.colleagues().find(|user| user.extension.as_deref() == Some(extension))
    }

    /// A user as views of internal calls name one.
    pub fn name_colleague(&self, id: UserId) -> Colleague {
        let user = self.users.get(&id);
        Colleague {
            user: id,
            name: user.map(|user| user.name.clone()).unwrap_or_default(),
            extension: user.and_then(|user| user.extension.clone()),
        }
    }

    /// How voice reaches an agent.
    pub fn phone_of(&self, user: UserId) -> PhoneKind {
        self.users.get(&user).map_or(PhoneKind::None, |user| user.phone)
    }

    /// A service as views name it; a deleted one keeps its id.
    pub fn name_service(&self, id: ServiceId) -> ServiceName {
        let name = self.services.get(&id).map(|service| service.name.clone()).unwrap_or_default();
        ServiceName { id, name }
    }

    /// For whom a message is, by name: a service or a person.
    pub fn name_box(&self, of: MessageBox) -> String {
        match of {
            MessageBox::Service { service } => self.name_service(service).name,
            MessageBox::Own { owner } => {
                self.users.get(&owner).map(|user| user.name.clone()).unwrap_or_default()
            }
        }
    }

    /// Reasons for the state menu.
    pub fn reason_views(&self) -> Vec<ReasonView> {
        let view = |r: &Reason| ReasonView { id: r.id, name: r.name.clone(), icon: r.icon.clone() };
        self.reasons.values().map(view).collect()
    }

    /// Services with their dispositions, for pickers (ACW-01).
    pub fn service_views(&self) -> Vec<ServiceView> {
        let dispositions = |service: ServiceId| {
            self.dispositions.values().filter(move |d| d.service == service).map(|d| DispositionView {
                id: d.id,
                name: d.name.clone(),
                success: d.success,
                closing: d.closing,
            })
        };
        let view = |service: &Service| ServiceView {
            id: service.id,
            name: service.name.clone(),
            disposition_mandatory: service.disposition_mandatory,
            dispositions: dispositions(service.id).collect(),
            flows: self.flows_for_calls_of(service),
        };
        self.services.values().map(view).collect()
    }
}

/// A number with the `+` that was not there, or without it.
fn other_way(digits: &str) -> String {
    match digits.strip_prefix('+') {
        Some(bare) => bare.to_owned(),
        None => format!("+{digits}"),
    }
}

/// What callers go through while they wait, or to leave a message.
#[derive(Clone, Debug)]
pub struct FlowInUse {
    /// Which flow and which version of it; `None`: it comes from the settings of the service.
    pub of: Option<(FlowId, u32)>,
    /// It, ready to run.
    pub ready: Arc<Ready>,
}

/// Why callers cannot go through a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrongFlow {
    /// The text does not say what a flow is.
    Text(flow::TextError),
    /// What it says is wrong, at one place or several.
    Faults(Vec<flow::Fault>),
}

impl WrongFlow {
    /// The first thing that is wrong, in words.
    pub fn first(&self) -> String {
        match self {
            Self::Text(error) => error.to_string(),
            Self::Faults(faults) => faults.first().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

fn takes_calls(user: &User) -> bool {
    !user.disabled && user.role.may(Privilege::TakeInteractions)
}

/// Whether a user meets a condition. Its depth is bounded by the check before it was stored.
pub fn meets(user: &User, who: &SkillExpr) -> bool {
    match who {
        SkillExpr::Any => true,
        SkillExpr::AtLeast { skill, level } => user.skills.get(skill).is_some_and(|has| has >= level),
        SkillExpr::InGroup(group) => user.group == Some(*group),
        SkillExpr::OneOf(agents) => agents.contains(&user.id),
        SkillExpr::And(all) => all.iter().all(|each| meets(user, each)),
        SkillExpr::Or(any) => any.iter().any(|each| meets(user, each)),
        SkillExpr::Not(inner) => !meets(user, inner),
    }
}

fn ha1(secret: &DigestSecret) -> Ha1 {
    Ha1 { md5: secret.ha1_md5().to_owned(), sha256: secret.ha1_sha256().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::Id;
    use model::service::QueueRules;
    use model::skill::{Requirement, SkillExpr};

    #[test]
    fn a_number_is_found_with_or_without_the_plus_that_a_trunk_may_drop() {
        let id = ServiceId::from_number(1);
        let service = Service {
            id,
            tenant: TenantId::from_number(1),
            name: "Help".into(),
            requirement: Requirement::fixed(SkillExpr::Any),
            queue: QueueRules::default(),
            disposition_mandatory: false,
            record: true,
            recording: model::recording::RecordingRules::default(),
            open: true,
        };
        let configuration = Configuration {
            services: [(id, service)].into(),
            numbers: [("+49301234".to_owned(), (id, None)), ("100".to_owned(), (id, None))].into(),
            ..Configuration::default()
        };
        for digits in ["+49301234", "49301234", "100", "+100"] {
            assert_eq!(configuration.service_of_number(digits).map(|s| s.id), Some(id), "{digits}");
        }
        assert!(configuration.service_of_number("").is_none());
        assert!(configuration.service_of_number("1000").is_none());
    }
}
