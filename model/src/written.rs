//! Written contacts: chats, emails and text messages are conversations of messages, which are kept apart from the journal
//! so that each can be erased.

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, InteractionId, TenantId};
use crate::time::Timestamp;

/// Characters of one message of a chat or a text message.
pub const CHAT_TEXT_MAX: usize = 4_000;
/// Characters of one email.
pub const EMAIL_TEXT_MAX: usize = 100_000;
/// Messages of one contact; the next one is refused.
pub const MESSAGES_MAX: u32 = 2_000;

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "author")]
pub enum Author {
    /// The customer.
    Customer,
    /// An agent.
    Agent {
        /// Who.
        agent: AgentId,
    },
    /// The appliance, in the words of the service.
    System,
    /// An agent, for colleagues: the customer never reads it.
    Note {
        /// Who.
        agent: AgentId,
    },
}

/// How an email came into the personal queue of an agent (MAIL-01, MAIL-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// The agent put it there instead of answering at once.
    Postponed,
    /// The agent took it out of the group queue.
    Taken,
    /// A supervisor gave it to the agent.
    Assigned,
    /// A colleague passed it on.
    Transferred,
    /// The agent had it open and signed out.
    SignedOut,
    /// The agent had handled it, and the customer wrote again.
    Answered,
}

/// Emails in one personal queue that were put there by somebody; the next one is refused.
pub const PERSONAL_MAX: usize = 1_000;

/// An email in a personal queue, as its record tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedAssignment {
    /// Whose queue.
    pub agent: AgentId,
    /// Since when.
    pub at: Timestamp,
    /// How it came there.
    pub why: Assignment,
    /// Who put it there, when that was somebody else.
    pub by: Option<AgentId>,
}

/// A message as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Whose.
    pub tenant: TenantId,
    /// Of which contact.
    pub interaction: InteractionId,
    /// Its place in the contact, from 1 without gaps.
    pub number: u32,
    /// When it was taken.
    pub at: Timestamp,
    /// Who wrote it.
    pub by: Author,
    /// What it says, as plain text.
    pub text: String,
}
