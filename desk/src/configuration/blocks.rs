//! The block list: who is on it, and who may change it (VOICE-16, ADM-14).

use std::collections::{BTreeMap, HashMap};

use model::block::{Block, digits, number};
use model::id::{BlockId, UserId};
use model::people::Privilege;
use model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::snapshot::Configuration;
use super::validate::Checked;
use crate::audit::Actor;
use crate::auth::Identity;
use crate::page::{Cursor, Page};
use crate::refusal::{FieldError, Refusal};
use crate::start::DeskHandle;

/// Entries of one tenant's list.
const BLOCKS_MAX: usize = 10_000;
/// Longest reason.
const REASON_MAX: usize = 200;

/// The list, to be asked at every call.
#[derive(Clone, Debug, Default)]
pub struct BlockList {
    all: BTreeMap<BlockId, Block>,
    /// By what numbers are compared by.
    numbers: HashMap<String, BlockId>,
    prefixes: HashMap<String, BlockId>,
}

impl BlockList {
    /// Of these entries.
    pub fn new(blocks: impl IntoIterator<Item = Block>) -> Self {
        let mut list = Self::default();
        for block in blocks {
            let by = if block.prefix { &mut list.prefixes } else { &mut list.numbers };
            by.insert(digits(&block.number).to_owned(), block.id);
            list.all.insert(block.id, block);
        }
        list
    }

    /// The entry by which a caller is refused now: of several the one that says most of the number.
    pub fn refusing(&self, caller: &str, now: Timestamp) -> Option<&Block> {
        let caller = number(caller)?;
        let caller = digits(&caller);
        let beginnings =
            (1..=caller.len()).rev().filter_map(|length| self.prefixes.get(caller.get(..length)?));
        let found = self.numbers.get(caller).into_iter().chain(beginnings);
        found.filter_map(|id| self.all.get(id)).find(|block| block.until.is_none_or(|until| now < until))
    }
}

/// An entry of the block list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BlockView {
    /// Its id.
    #[schema(value_type = String)]
    pub id: BlockId,
    /// Digits with an optional `+`.
    pub number: String,
    /// All callers whose number begins like this.
    pub prefix: bool,
    /// Why.
    pub reason: String,
    /// Who put it there; null: a program, or the operator of the appliance.
    #[schema(value_type = Option<String>)]
    pub by: Option<UserId>,
    /// Their name.
    pub by_name: Option<String>,
    /// Since when, in milliseconds since 1970.
    pub since: u64,
    /// When it ends by itself.
    pub until: Option<u64>,
    /// Whether whoever asks may remove it.
    pub removable: bool,
}

/// What is to be blocked.
#[derive(Clone, Debug)]
pub struct NewBlock {
    /// As people write it.
    pub number: String,
    /// All whose number begins like this: for administrators.
    pub prefix: bool,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

impl DeskHandle {
    /// Callers of this number are refused from now on. Agents block single numbers, administrators beginnings too.
    pub async fn block(&self, who: &Identity, new: NewBlock, actor: Actor) -> Result<BlockView, Refusal> {
        who.needs(Privilege::BlockCallers)?;
        if new.prefix {
            who.needs(Privilege::Administer)?;
        }
        let now = self.now();
        let Some(number) = number(&new.number) else {
            return Err(Refusal::field("/number", "2 to 20 digits, with an optional + before them"));
        };
        if new.until.is_some_and(|until| until <= now) {
            return Err(Refusal::field("/until", "a time to come"));
        }
        if self.configuration().blocks.all.len() >= BLOCKS_MAX {
            let why = format!("The block list has {BLOCKS_MAX} entries already. Remove some first.");
            return Err(Refusal::Conflict { why });
        }
        let block = Block {
            id: self.sources().id(),
            tenant: self.tenant(),
            number,
            prefix: new.prefix,
            reason: new.reason.trim().to_owned(),
            by: actor.user,
            since: now,
            until: new.until,
        };
        let block = self.create(block, actor).await?.item;
        Ok(view(&block, who, &self.configuration()))
    }

    /// Takes an entry off the list: administrators any, others their own.
    pub async fn unblock(&self, who: &Identity, id: BlockId, actor: Actor) -> Result<(), Refusal> {
        who.needs(Privilege::BlockCallers)?;
        let row = self.get::<Block>(id).await?;
        if !removable(&row.item, who) {
            return Err(Refusal::Forbidden { needs: Privilege::Administer });
        }
        self.delete::<Block>(id, row.version, actor).await
    }

    /// A page of the list, newest first; `query` is a part of number or reason.
    pub fn blocks(
        &self,
        who: &Identity,
        query: &str,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<BlockView>, Refusal> {
        who.needs(Privilege::BlockCallers)?;
        let unknown = |_| Refusal::Malformed { why: "The cursor is not one of this list.".into() };
        let after = after.map(|cursor| cursor.as_str().parse::<BlockId>()).transpose().map_err(unknown)?;
        let config = self.configuration();
        let words = query.trim().to_lowercase();
        // A number is looked for as people write it, too.
        let part: String = words.chars().filter(char::is_ascii_digit).collect();
        let found = |block: &&Block| {
            block.reason.to_lowercase().contains(&words) || (!part.is_empty() && block.number.contains(&part))
        };
        let older =
            config.blocks.all.values().rev().filter(|block| after.is_none_or(|after| block.id < after));
        let mut rest = older.filter(found).peekable();
        let items: Vec<_> =
            rest.by_ref().take(limit as usize).map(|block| view(block, who, &config)).collect();
        let next = rest.peek().and(items.last()).map(|last| Cursor::from_text(last.id.to_string()));
        Ok(Page { items, next })
    }
}

fn removable(block: &Block, who: &Identity) -> bool {
    who.may(Privilege::Administer) || block.by == Some(who.user.id)
}

fn view(block: &Block, who: &Identity, config: &Configuration) -> BlockView {
    BlockView {
        id: block.id,
        number: block.number.clone(),
        prefix: block.prefix,
        reason: block.reason.clone(),
        by: block.by,
        by_name: block.by.and_then(|id| config.users.get(&id)).map(|user| user.name.clone()),
        since: block.since.millis(),
        until: block.until.map(Timestamp::millis),
        removable: removable(block, who),
    }
}

impl Checked for Block {
    fn errors(&self, _: &Configuration) -> Vec<FieldError> {
        let long = self.reason.chars().count() > REASON_MAX || self.reason.chars().any(char::is_control);
        let error = FieldError::new("/reason", format!("at most {REASON_MAX} characters"));
        if long { vec![error] } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::id::{Id, TenantId};

    fn block(n: u64, number: &str, prefix: bool, until: Option<u64>) -> Block {
        Block {
            id: BlockId::from_number(n),
            tenant: TenantId::from_number(1),
            number: number.into(),
            prefix,
            reason: String::new(),
            by: None,
            since: Timestamp::ZERO,
            until: until.map(Timestamp::from_millis),
        }
    }

    /// VOICE-16: whole numbers and beginnings, in whatever form the carrier sends them, until their time is over.
    #[test]
    fn a_caller_is_found_by_number_or_beginning_until_the_entry_ends() {
        let list = BlockList::new([
            block(1, "+49301234", false, None),
            block(2, "+881", true, None),
            block(3, "0900", true, None),
            block(4, "+49555", false, Some(10)),
        ]);
        let at = |caller: &str, ms| list.refusing(caller, Timestamp::from_millis(ms)).map(|block| block.id);
        for caller in ["+49301234", "0049301234", "49301234", "+49 30 1234"] {
            assert_eq!(at(caller, 5), Some(BlockId::from_number(1)), "{caller}");
        }
        assert_eq!(at("+8816123", 5), Some(BlockId::from_number(2)));
        assert_eq!(at("0900123", 5), Some(BlockId::from_number(3)));
        assert_eq!((at("+49555", 9), at("+49555", 10)), (Some(BlockId::from_number(4)), None));
        for free in ["+493012345", "+4930123", "+88", "anonymous", "", "анна", "+++++"] {
            assert_eq!(at(free, 5), None, "{free}");
        }
    }
}
