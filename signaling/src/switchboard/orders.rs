//! Orders of the desk, brought to the call or softphone they are for.

use model::call::{CallFact, CallOrder};
use model::id::{InteractionId, LegId, OfferToken, RecordingId, UserId};
use model::interaction::EndedBy;
use model::people::PhoneKind;
use model::service::SrtpPolicy;
use tokio::sync::mpsc;

use super::owners::Whose;
use super::{Entry, Internal, SoftphoneEntry, Switchboard, accounts};
use crate::call::NewInside;
use crate::call::driver::{MAILBOX_MAX, Message, New, Target, guest_order, spawn};
use crate::call::words::{Branch, Connect, Order, Ring, RingPhones, Softphone};
use crate::phones::softphone_task::{self, SoftphoneMessage};
use crate::sdp::Ability;

/// Why no call can begin.
pub(super) const FULL: &str = "full or draining";

impl Switchboard {
    pub(super) fn order(&mut self, order: CallOrder) {
        match order {
            CallOrder::Reject { interaction, why } => self.pass(interaction, Order::Reject(why)),
            CallOrder::Play { interaction, sound, then_hang_up } => {
                self.pass(interaction, Order::Play { sound, then_hang_up });
            }
            CallOrder::PlaySounds { interaction, number, sounds } => {
                self.pass(interaction, Order::PlaySounds { number, sounds });
            }
            CallOrder::RecordMessage { interaction, recording } => {
                self.records(interaction, Some(recording));
                self.pass(interaction, Order::RecordMessage(recording));
            }
            CallOrder::EndMessage { interaction } => self.pass(interaction, Order::EndMessage),
            CallOrder::RingAgent { interaction, token, agent, phone } => {
                self.ring(interaction, token, agent, phone);
            }
            CallOrder::RingNumber { interaction, token, agent, number, caller_id, trunks, confirm } => {
                self.ring_number(interaction, Ring { token, agent }, (number, caller_id), &trunks, confirm);
            }
            CallOrder::StopRinging { interaction, token, .. } => {
                self.pass(interaction, Order::StopRinging { token });
            }
            CallOrder::JoinFarEnd { interaction, record } => {
                self.records(interaction, record);
                self.pass(interaction, Order::JoinFarEnd(record));
            }
            CallOrder::Connect { interaction, agent, record, announce } => {
                self.belongs(agent, interaction);
                self.records(interaction, record);
                let (half, softphone) = (self.shared.id(), self.softphone_of(agent));
                self.pass(interaction, Order::Connect(Connect { agent, softphone, half, record, announce }));
            }
            CallOrder::Join { interaction, from, agent, then } => self.join(interaction, from, agent, then),
            CallOrder::Attend { interaction, from, agent, how } => {
                self.attend(interaction, from, agent, how);
            }
            CallOrder::AnswerReferral { interaction, agent, refused } => {
                self.pass(interaction, Order::AnswerReferral(agent, refused));
            }
            CallOrder::Leave { interaction, agent } => self.pass(interaction, Order::Leave(agent)),
            CallOrder::Release { interaction, agent } => self.pass(interaction, Order::Release(agent)),
            CallOrder::CallColleague { interaction, tenant: _, agent, caller, caller_name, contact: _ } => {
                self.call_colleague(interaction, agent, caller, caller_name);
            }
            CallOrder::Place { interaction, contact } => self.place(interaction, contact),
            CallOrder::Dial { interaction, number, caller_id, trunks, ring_time } => {
                self.dial(interaction, (number, caller_id), &trunks, ring_time);
            }
            CallOrder::Hold { interaction, agent } => self.pass(interaction, Order::Hold(agent)),
            CallOrder::Retrieve { interaction, agent } => self.pass(interaction, Order::Retrieve(agent)),
            CallOrder::TakeAside { interaction } => self.pass(interaction, Order::TakeAside),
            CallOrder::BringBack { interaction } => self.pass(interaction, Order::BringBack),
            CallOrder::Mute { interaction, agent, muted } => {
                self.pass(interaction, Order::Mute { agent, muted });
            }
            CallOrder::PauseRecording { interaction, by, paused } => {
                self.pass(interaction, Order::PauseRecording { by, paused });
            }
            CallOrder::SendDigits { interaction, agent, digits } => {
                self.pass(interaction, Order::SendDigits { agent, digits });
            }
            CallOrder::HangUp { interaction, by } => self.pass(interaction, Order::HangUp(by)),
            CallOrder::AttachPhone { agent, tenant: _, session, sdp } => {
                let message = SoftphoneMessage::Attach { session, sdp };
                let entry = self.softphones.entry(agent).or_insert_with(|| {
                    let leg: LegId = self.shared.id();
                    let (mailbox, receiver) = mpsc::channel(softphone_task::MAILBOX_MAX);
                    softphone_task::spawn(self.shared.clone(), agent, leg, receiver, self.internal.clone());
                    SoftphoneEntry { mailbox, leg, codec: model::media::Codec::Opus, up: false }
                });
                if entry.mailbox.try_send(message).is_err() {
                    self.shared.counters.queue_overflow.add();
                }
            }
            CallOrder::DetachPhone { agent } => {
                // The entry goes at once, so that a sign-in that follows makes a new leg.
                if let Some(phone) = self.softphones.remove(&agent) {
                    phone.mailbox.try_send(SoftphoneMessage::Detach).ok();
                    self.post_to_agent(agent, || Message::Softphone { leg: phone.leg, up: false });
                }
            }
            CallOrder::Configure(config) => {
                if self.accounts.get().realm() != config.realm {
                    self.digest = accounts::digest_server(&config.realm, &self.shared.random);
                }
                self.accounts.replace(*config);
                self.register_trunks();
                self.forget_outages();
                self.registrations_tick();
            }
        }
    }

    /// Begins a call from an agent's softphone, or says that it cannot be.
    fn call_colleague(
        &mut self,
        interaction: InteractionId,
        agent: UserId,
        caller: String,
        caller_name: Option<String>,
    ) {
        let softphone = match self.softphone_of(agent) {
            Some(softphone) if self.has_room() => softphone,
            found => {
                let why = if found.is_some() { FULL } else { "the caller's softphone is not connected" };
                return self.cannot_begin(interaction, why);
            }
        };
        tracing::info!(%interaction, leg = %softphone.leg, "a colleague is called");
        let ability = self.ability(0, SrtpPolicy::Accept);
        let half = self.shared.id();
        let new = NewInside { interaction, agent, softphone, half, caller, caller_name, ability };
        let mailbox = self.enter(interaction);
        self.belongs(agent, interaction);
        self.begin(interaction, New::Inside(new), mailbox);
    }

    /// A call that has no INVITE of a customer.
    pub(super) fn enter(
        &mut self,
        interaction: InteractionId,
    ) -> (mpsc::Sender<Message>, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::channel(MAILBOX_MAX);
        let entry =
            Entry { mailbox: sender.clone(), dialogs: None, legs: Vec::new(), recordings: Vec::new() };
        self.calls.insert(interaction, entry);
        (sender, receiver)
    }

    /// What the media plane says of a recording is for the call that it is made of.
    fn records(&mut self, interaction: InteractionId, record: Option<RecordingId>) {
        if let (Some(recording), Some(entry)) = (record, self.calls.get_mut(&interaction)) {
            // A recording goes on when the customer is passed on.
            if entry.recordings.contains(&recording) {
                return;
            }
            entry.recordings.push(recording);
            self.recordings.insert(recording, interaction);
        }
    }

    /// Whether another call may begin.
    pub(super) fn has_room(&self) -> bool {
        !self.draining && self.calls.len() < self.calls_max
    }

    pub(super) fn cannot_begin(&self, interaction: InteractionId, why: &str) {
        let (by, failure) = (EndedBy::System, Some(why.to_owned()));
        self.shared.tell_soon(CallFact::Ended { interaction, by, failure });
    }

    /// What we can do on SIP legs over this listener.
    pub(super) fn ability(&self, listener: usize, srtp: SrtpPolicy) -> Ability {
        let interface = self.shared.interface(listener);
        Ability {
            codecs: self.codecs.clone(),
            annexb: self.annexb,
            ipv4: interface.is_ipv4(),
            ipv6: interface.is_ipv6(),
            ..Ability::sip(srtp)
        }
    }

    /// Lets a call live in a task of its own.
    pub(super) fn begin(
        &self,
        interaction: InteractionId,
        new: New,
        mailbox: (mpsc::Sender<Message>, mpsc::Receiver<Message>),
    ) {
        self.shared.counters.calls.add();
        let internal = self.internal.clone();
        spawn(self.shared.clone(), new, mailbox, self.internal.clone(), move || {
            tokio::spawn(async move { internal.send(Internal::CallOver(interaction)).await });
        });
    }

    pub(super) fn belongs(&mut self, agent: UserId, interaction: InteractionId) {
        let calls = self.agents.entry(agent).or_default();
        if self.calls.contains_key(&interaction) && !calls.contains(&interaction) {
            calls.push(interaction);
        }
    }

    /// An order for a call that is over comes too late, which is normal.
    pub(super) fn pass(&self, interaction: InteractionId, order: Order) {
        // Whoever came from another call goes on under its name.
        let (interaction, order) = match self.guests.get(&interaction) {
            None => (interaction, order),
            Some(in_call) => match guest_order(order) {
                Ok(order) => (*in_call, Order::Guest(interaction, order)),
                Err(order) => (interaction, order),
            },
        };
        match self.calls.get(&interaction) {
            Some(entry) => self.post(&entry.mailbox, Message::Order(order)),
            None => tracing::debug!(%interaction, "an order for a call that is over"),
        }
    }

    pub(super) fn softphone_of(&self, agent: UserId) -> Option<Softphone> {
        self.softphones.get(&agent).filter(|p| p.up).map(|p| Softphone { leg: p.leg, codec: p.codec })
    }

    fn ring(&mut self, interaction: InteractionId, token: OfferToken, agent: UserId, phone: PhoneKind) {
        self.belongs(agent, interaction);
        let ring = Ring { token, agent };
        let order = match phone {
            // A number outside is dialled by an order of its own.
            PhoneKind::None | PhoneKind::Number => {
                Order::RingNothing { ring, why: "the agent has no phone".to_owned() }
            }
            PhoneKind::Browser => Order::RingSoftphone { ring, softphone: self.softphone_of(agent) },
            PhoneKind::Sip => return self.ring_sip(interaction, ring),
        };
        self.pass(interaction, order);
    }

    fn ring_sip(&mut self, interaction: InteractionId, ring: Ring) {
        let accounts = self.accounts.get();
        let now = self.shared.now();
        let Some(account) = accounts.phone_of(ring.agent) else {
            let why = "the agent has no SIP phone account".to_owned();
            return self.pass(interaction, Order::RingNothing { ring, why });
        };
        let targets: Vec<Target> = self
            .registrar
            .contacts(&account.extension, now)
            .into_iter()
            .filter_map(|binding| {
                let flow = self.flows.get(&(binding.user.clone(), binding.key()))?;
                flow.is_alive().then(|| (binding.uri.clone(), flow.clone()))
            })
            .map(|(uri, flow)| {
                self.next_branch = self.next_branch.wrapping_add(1);
                Target { branch: Branch(self.next_branch), uri, user: account.extension.clone(), flow }
            })
            .collect();
        if targets.is_empty() {
            let why = "the phone is not registered".to_owned();
            return self.pass(interaction, Order::RingNothing { ring, why });
        }
        let leg: LegId = self.shared.id();
        let Some(entry) = self.calls.get_mut(&interaction) else { return };
        entry.legs.push((leg, Whose::Phone(ring.agent)));
        self.legs.insert(leg, interaction);
        let phones = RingPhones {
            ring,
            leg,
            branches: targets.iter().map(|t| t.branch).collect(),
            srtp: account.srtp,
            seed: self.shared.seed(),
            session: self.shared.session_number(),
        };
        let mailbox = entry.mailbox.clone();
        self.post(&mailbox, Message::Ring(Order::RingPhones(Box::new(phones)), targets));
    }
}
