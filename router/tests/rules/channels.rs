//! Calls, chats, mail: one agent, one capacity (ROUTE-01).

use model::agent::AgentState;
use model::capacity::{Blend, Capacity, Weight};
use model::id::{AgentId, InteractionId};
use model::interaction::Channel::{self, Callback, Campaign, Chat, Email, Sms, Voice};
use model::people::{GroupRules, PhoneKind, RestState};
use router::{Input, Refusal};

use crate::hall::{German, Hall, team};

/// Offered and taken.
fn takes(hall: &mut Hall, agent: AgentId, channel: Channel) -> InteractionId {
    let contact = hall.contact(channel);
    assert_eq!(hall.offered_to(contact), Some(agent), "{channel:?}");
    hall.accepts(agent);
    contact
}

/// ROUTE-01: a call takes the whole agent; chats come five at once, beside each other but never beside a call.
#[test]
fn route_01_five_chats_or_one_call() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let chats = [(); 5].map(|()| takes(&mut hall, ana, Chat));
    let sixth = hall.contact(Chat);
    let call = hall.call();
    assert!(hall.waits(sixth) && hall.waits(call));
    hall.hangs_up(chats[0]);
    hall.must(Input::Complete { agent: ana, interaction: chats[0] });
    assert_eq!(
        (hall.offered_to(sixth), hall.waits(call)),
        (Some(ana), true),
        "a call does not interrupt chats"
    );
    hall.accepts(ana);
    for chat in [chats[1], chats[2], chats[3], chats[4], sixth] {
        assert!(hall.waits(call));
        hall.hangs_up(chat);
        hall.must(Input::Complete { agent: ana, interaction: chat });
    }
    assert_eq!(hall.offered_to(call), Some(ana));
    hall.accepts(ana);
    let chat = hall.contact(Chat);
    assert!(hall.waits(chat), "no chat during a call");
}

/// ROUTE-01: an email is put aside for a call, and nothing further comes until the call is over; then it counts again.
#[test]
fn route_01_a_call_interrupts_an_email() {
    for call in [Voice, Callback] {
        let mut hall = Hall::open();
        let ana = hall.agent(&[]);
        let emails = [(); 5].map(|()| takes(&mut hall, ana, Email));
        let sixth = hall.contact(Email);
        assert!(hall.waits(sixth), "five emails fill the agent");
        let call = takes(&mut hall, ana, call);
        let view = hall.floor.agent(ana).unwrap();
        assert_eq!((view.state, view.active.len()), (AgentState::Busy, 6));
        let [chat, second] = [Chat, Voice].map(|channel| hall.contact(channel));
        hall.hangs_up(call);
        hall.must(Input::Complete { agent: ana, interaction: call });
        assert_eq!(
            (hall.waits(chat), hall.offered_to(second)),
            (true, Some(ana)),
            "emails leave no room for a chat"
        );
        hall.customer_leaves(second);
        hall.hangs_up(emails[0]);
        hall.must(Input::Complete { agent: ana, interaction: emails[0] });
        assert_eq!(hall.offered_to(sixth), Some(ana), "it came before the chat");
    }
}

/// ROUTE-01: nothing comes during a record of a campaign, and no campaign interrupts anything.
#[test]
fn route_01_a_campaign_neither_interrupts_nor_is_interrupted() {
    let mut hall = Hall::open();
    let ana = hall.agent(&[]);
    let email = takes(&mut hall, ana, Email);
    let record = hall.contact(Campaign);
    assert!(hall.waits(record));
    hall.hangs_up(email);
    hall.completes(ana);
    assert_eq!(hall.offered_to(record), Some(ana));
    hall.accepts(ana);
    for channel in Channel::ALL {
        let contact = hall.contact(channel);
        assert!(hall.waits(contact), "{channel:?}");
    }
}

/// ROUTE-01: of everything that waits for one agent, the first place is served first, whatever its kind.
#[test]
fn route_01_kinds_of_contact_wait_in_one_order() {
    let mut hall = Hall::open();
    let ana = hall.hires(&[]);
    let order = [Email, Voice, Chat, Sms, Callback, Campaign].map(|channel| hall.contact(channel));
    hall.signs_in(ana);
    for contact in order {
        assert_eq!(hall.offered_to(contact), Some(ana));
        hall.customer_leaves(contact);
    }
}

/// ROUTE-01: an agent without a telephone is offered what needs none.
#[test]
fn route_01_without_a_telephone_only_text_comes() {
    let mut hall = Hall::open();
    let ana = hall.hires(&[]);
    hall.must(Input::LogIn { agent: ana, session: model::id::Id::from_number(1), phone: PhoneKind::None });
    for channel in Channel::ALL {
        let contact = hall.contact(channel);
        assert_eq!(hall.offered_to(contact), (!channel.is_call()).then_some(ana), "{channel:?}");
        hall.customer_leaves(contact);
    }
    let by_hand = |channel| Input::Begin {
        interaction: model::id::Id::from_number(99),
        agent: ana,
        channel,
        internal: false,
    };
    assert!(matches!(hall.tell(by_hand(Campaign)), Err(Refusal::NotNow { .. })));
    assert_eq!(hall.tell(by_hand(Email)), Ok(()));
}

/// ROUTE-01: a group may carry something else than the tenant says, from the moment it is set.
#[test]
fn route_01_the_rule_of_the_group_goes_before_the_tenants() {
    let mut hall = Hall::with(|config| config.capacity.chat = Weight { units: 100, at_once: 1 });
    let ana = hall.agent(&[]);
    takes(&mut hall, ana, Chat);
    let second = hall.contact(Chat);
    assert!(hall.waits(second), "as the tenant says");
    let mut capacity = Capacity { chat: Weight { units: 10, at_once: 2 }, ..Capacity::default() };
    capacity.blending.set(Chat, Voice, Blend::Interrupt);
    let rules =
        GroupRules { after_login: RestState::Ready, capacity: Some(capacity), ..GroupRules::default() };
    hall.reconfigure(|config| config.groups = [(team(), rules)].into());
    assert_eq!(hall.offered_to(second), Some(ana), "as the group says");
    hall.accepts(ana);
    takes(&mut hall, ana, Voice);

    // Less than is in hand: what is there stays, nothing further comes.
    hall.reconfigure(|config| config.groups = [(team(), GroupRules::default())].into());
    let third = hall.contact(Chat);
    assert!(hall.waits(third));
    assert_eq!(hall.floor.agent(ana).unwrap().active.len(), 3);
}

/// ROUTE-01: a channel of which an agent carries none is not offered, however free the agent is.
#[test]
fn route_01_a_channel_may_be_closed_to_all() {
    let mut hall = Hall::with(|config| config.capacity.sms = Weight { units: 1, at_once: 0 });
    let ana = hall.agent(&[German]);
    let text = hall.contact(Sms);
    let call = hall.call();
    assert_eq!((hall.waits(text), hall.offered_to(call)), (true, Some(ana)));
}
