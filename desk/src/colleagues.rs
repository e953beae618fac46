//! Whom one can call within the house (OUT-03): a list by name, and who of it can be called at this moment.

use model::id::{ServiceId, UserId};
use model::people::{Privilege, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Identity;
use crate::console::protocol::{Presence, state_name};
use crate::floor::core::Core;
use crate::page::{Cursor, Page};
use crate::refusal::Refusal;
use crate::start::DeskHandle;

/// Longest part of a name that is searched for.
const QUERY_MAX: usize = 80;
/// Colleagues on a page at most.
const LIMIT_MAX: u32 = 200;

/// A colleague in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ColleagueView {
    /// Who.
    #[schema(value_type = String)]
    pub user: UserId,
    /// Shown name.
    pub name: String,
    /// Internal number.
    pub extension: Option<String>,
    /// Routing state: `ready`, `ringing`, `busy`, `wrap_up`, `not_ready`, `offline` or `logged_out`.
    pub state: &'static str,
    /// `available`, `away`, `do_not_disturb` or `on_call`; none of whom is not signed in (STATE-23).
    #[schema(value_type = Option<String>)]
    pub presence: Option<Presence>,
    /// Whether a call would ring there now, or is led on from there.
    pub callable: bool,
    /// The number outside by which they can be reached: of whom cannot be called within the house (OUT-04).
    pub mobile: Option<String>,
}

impl DeskHandle {
    /// A page of colleagues by name; `query` is a part of name, extension, login or email, in letters of either case. `of`: only those
    /// who may answer for this service.
    pub async fn colleagues(
        &self,
        who: &Identity,
        (query, of): (&str, Option<ServiceId>),
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<ColleagueView>, Refusal> {
        who.needs(Privilege::TakeInteractions)?;
        if query.chars().count() > QUERY_MAX {
            return Err(Refusal::field(
                "/q",
                format!("at most {QUERY_MAX} characters: a part of the name will do"),
            ));
        }
        let (user, query) = (who.user.id, query.trim().to_lowercase());
        let after = match after {
            Some(cursor) => Some(cursor.as_str().parse::<UserId>().map_err(|_| unknown_cursor())?),
            None => None,
        };
        self.read(move |core, _| page(core, user, (&query, of), after, limit)).await?
    }
}

fn page(
    core: &Core,
    own: UserId,
    (query, of): (&str, Option<ServiceId>),
    after: Option<UserId>,
    limit: u32,
) -> Result<Page<ColleagueView>, Refusal> {
    let has = |text: &str| text.to_lowercase().contains(query);
    let has_one = |text: &Option<String>| text.as_deref().is_some_and(has);
    let matches =
        |user: &User| has(&user.name) || has(&user.login) || has_one(&user.extension) || has_one(&user.email);
    let serves = |user: &User| of.is_none_or(|of| core.config().eligible(of).contains(&user.id));
    let found = |user: &User| matches(user) && serves(user);
    let key = |user: &User| (user.name.to_lowercase(), user.id);
    // Where the page before ended; its last colleague may have left the list since, but is still known.
    let after = match after {
        Some(id) => Some(core.config().users.get(&id).map(key).ok_or_else(unknown_cursor)?),
        None => None,
    };
    let mut users: Vec<&User> =
        core.config().colleagues().filter(|user| user.id != own && found(user)).collect();
    users.sort_by_cached_key(|user| key(user));
    let limit = limit.clamp(1, LIMIT_MAX) as usize;
    let mut rest = users.into_iter().filter(|user| after.as_ref().is_none_or(|after| key(user) > *after));
    let items: Vec<_> = rest.by_ref().take(limit).map(|user| core.colleague_view(user)).collect();
    let next = rest.next().and(items.last()).map(|last| Cursor::from_text(last.user.to_string()));
    Ok(Page { items, next })
}

impl Core {
    fn colleague_view(&self, user: &User) -> ColleagueView {
        let callable = self.reachable(user.id).is_ok() || self.diverts_at_once(user.id);
        ColleagueView {
            user: user.id,
            name: user.name.clone(),
            extension: user.extension.clone(),
            state: self.state_of(user.id).map_or("logged_out", state_name),
            presence: self.presence(user.id),
            callable,
            mobile: user.mobile.clone().filter(|_| !callable),
        }
    }
}

fn unknown_cursor() -> Refusal {
    Refusal::Malformed { why: "The cursor is not one of this list. Begin again without it.".into() }
}
