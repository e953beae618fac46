//! Why something was not done: one list for console and REST, with a stable name for each kind.

use model::people::Privilege;
use model::skill::text::TextError;
use std::collections::BTreeMap;
use std::time::Duration;

/// A field that cannot be taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901): `/name`.
    pub pointer: String,
    /// What is wrong, for people.
    pub message: String,
    /// Where in the field, when it is a text with a grammar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Box<TextProblem>>,
}

impl FieldError {
    /// About this field.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into(), text: None }
    }
    /// About a place in this field.
    pub fn in_text(pointer: impl Into<String>, text: &str, error: &TextError) -> Self {
        Self { text: Some(Box::new(TextProblem::new(text, error))), ..Self::new(pointer, error.to_string()) }
    }
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct TextProblem {
    /// Octets of UTF-8 before it.
    pub at: usize,
    /// Octets it covers; 0 at the end of the text.
    pub length: usize,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// A stable name of what is wrong: `unknown`, `expected`, `level`, …
    pub code: String,
    /// What it is about: `name`, `kind`, `expected`, `found`, and `instead`: what to write.
    pub params: BTreeMap<String, String>,
    /// For people.
    pub message: String,
    /// The line and carets under the error, in two lines.
    pub shown: String,
}

impl TextProblem {
    /// An error in `text`.
    pub fn new(text: &str, error: &TextError) -> Self {
        Self {
            at: error.at,
            length: error.length,
            line: error.line,
            column: error.column,
            code: error.problem.code().to_owned(),
            params: error.problem.params().into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            message: error.problem.to_string(),
            shown: error.shown(text),
        }
    }
}

/// Why something was refused. Whoever asked gets exactly this; causes inside the house go to the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Wrong name or password: the same answer for both (ERR-12).
    #[error("User name or password is not correct.")]
    BadCredentials,
    /// Too many failures from this source or for this account.
    #[error("Too many attempts. Try again in {} s.", .wait.as_secs().max(1))]
    TooManyAttempts {
        /// How long to wait.
        wait: Duration,
    },
    /// A session of this user is live already (ERR-17).
    #[error("You are already signed in on another device. Sign in here instead?")]
    AlreadySignedIn,
    /// No session or key, or one that ended.
    #[error("Sign in first.")]
    NotSignedIn,
    /// The request does not carry the session's CSRF token.
    #[error("The request did not come from the console's own page.")]
    BadCsrf,
    /// The privilege is missing (ERR-13).
    #[error("You do not have the rights for this action.")]
    Forbidden {
        /// Which one.
        needs: Privilege,
    },
    /// A call or other work is still open.
    #[error("Finish the open call first.")]
    WorkOpen,
    /// The offer is over or was never made to this agent.
    #[error("The offer is no longer open.")]
    OfferGone,
    /// Nothing of that id, or nothing this user may see.
    #[error("There is no such {what}.")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
    },
    /// An internal call to somebody who is not in service (ERR-34).
    #[error("This colleague is offline.")]
    ColleagueOffline,
    /// An internal call to somebody whose phone rings already.
    #[error("This colleague is being called at this moment. Try again soon.")]
    ColleagueBusy,
    /// A number outside that the rules of the house close (ERR-07).
    #[error("You are not allowed to call this number.")]
    NumberClosed,
    /// One agent has dialled too often within a minute.
    #[error("Too many calls within a minute. Try again in {} s.", .wait.as_secs().max(1))]
    DialledTooOften {
        /// How long to wait.
        wait: Duration,
    },
    /// The service that a customer was to be passed on to is closed, full, or has nobody there.
    #[error("This service takes nobody at the moment: it is closed, full, or nobody is there.")]
    TakesNobody,
    /// No trunk takes calls out.
    #[error("No trunk is set up for calls to numbers outside.")]
    NoTrunk,
    /// Who was to be picked from the queue is not there any more.
    #[error("Somebody else has this contact by now, or the customer has left.")]
    TakenAlready,
    /// Who was to be picked from the queue is for others.
    #[error("This contact is not for you: it needs other skills, another role or another team.")]
    NotForYou,
    /// As much in hand as may be.
    #[error("You have as many contacts in hand as you may.")]
    HandsFull,
    /// Completing needs a disposition (ERR-16).
    #[error("Choose a disposition and fill in the required fields.")]
    DispositionRequired,
    /// Not possible in the present state.
    #[error("{why}")]
    NotNow {
        /// For people.
        why: &'static str,
    },
    /// The request can be read but not taken.
    #[error("Some fields cannot be taken as they are.")]
    Invalid {
        /// Which.
        errors: Vec<FieldError>,
    },
    /// The request cannot be read.
    #[error("{why}")]
    Malformed {
        /// For people.
        why: String,
    },
    /// Something of that name exists, or something still uses what should go.
    #[error("{why}")]
    Conflict {
        /// For people.
        why: String,
    },
    /// Somebody changed it in the meantime.
    #[error("It was changed by somebody else in the meantime. Load it again.")]
    Stale,
    /// A change without `If-Match`.
    #[error("Say with If-Match which version you are changing.")]
    MatchRequired,
    /// An idempotency key used for another request.
    #[error("This Idempotency-Key was used for another request.")]
    KeyReused,
    /// The database or another part is away.
    #[error("A part of the appliance does not answer. Try again soon.")]
    Unavailable,
    /// Our fault; the cause is in the log.
    #[error("Something went wrong on the appliance.")]
    Internal,
}

/// The stable half of a refusal: its name, its title and its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Last part of the problem type: `/problems/{slug}`.
    pub slug: &'static str,
    /// Short text, the same for all of the kind.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What it means and what to do, for the page of the type.
    pub help: &'static str,
}

impl Refusal {
    /// One of this id is not there.
    pub fn missing(what: &'static str) -> Self {
        Self::NotFound { what }
    }
    /// One field is wrong.
    pub fn field(pointer: &str, message: impl Into<String>) -> Self {
        Self::Invalid { errors: vec![FieldError::new(pointer, message)] }
    }
    /// The stable half.
    pub fn kind(&self) -> &'static Kind {
        let at = match self {
            Self::BadCredentials => 0,
            Self::TooManyAttempts { .. } => 1,
            Self::AlreadySignedIn => 2,
            Self::NotSignedIn => 3,
            Self::BadCsrf => 4,
            Self::Forbidden { .. } => 5,
            Self::WorkOpen => 6,
            Self::OfferGone => 7,
            Self::NotFound { .. } => 8,
            Self::DispositionRequired => 9,
            Self::NotNow { .. } => 10,
            Self::Invalid { .. } => 11,
            Self::Malformed { .. } => 12,
            Self::Conflict { .. } => 13,
            Self::Stale => 14,
            Self::MatchRequired => 15,
            Self::KeyReused => 16,
            Self::Unavailable => 17,
            Self::Internal => 18,
            Self::ColleagueOffline => 19,
            Self::ColleagueBusy => 20,
            Self::NumberClosed => 21,
            Self::DialledTooOften { .. } => 22,
            Self::NoTrunk => 23,
            Self::TakenAlready => 24,
            Self::NotForYou => 25,
            Self::HandsFull => 26,
            Self::TakesNobody => 27,
        };
        &KINDS[at]
    }
}

/// All kinds, as [`Refusal::kind`] counts them. Slugs and statuses are part of the API and never change.
pub const KINDS: [Kind; 28] = [
    Kind {
        slug: "bad-credentials",
        title: "Wrong user name or password",
        status: 401,
        help: "The name or the password is wrong; the answer does not tell which. Type both again.",
    },
    Kind {
        slug: "too-many-attempts",
        title: "Too many attempts",
        status: 429,
        help: "Sign-in failed too often from this address or for this account. Wait as long as Retry-After says.",
    },
    Kind {
        slug: "already-signed-in",
        title: "Already signed in",
        status: 409,
        help: "A session of this user is live. Send the same request with \"force\": true to end it and sign in here.",
    },
    Kind {
        slug: "not-signed-in",
        title: "Not signed in",
        status: 401,
        help: "There is no session or API key with the request, or it has ended. Sign in, or send a valid key.",
    },
    Kind {
        slug: "bad-csrf",
        title: "CSRF token missing or wrong",
        status: 403,
        help: "Requests with a session cookie that change something carry the header x-csrf with the token of the session.",
    },
    Kind {
        slug: "forbidden",
        title: "Privilege missing",
        status: 403,
        help: "The user or key lacks the privilege for this. An administrator can give it by another role.",
    },
    Kind {
        slug: "work-open",
        title: "Work is open",
        status: 409,
        help: "A call is up or its after-call work is not complete. Finish it, or repeat with force=true.",
    },
    Kind {
        slug: "offer-gone",
        title: "Offer gone",
        status: 409,
        help: "The offer was answered, refused, timed out or withdrawn before the request came. Nothing was changed.",
    },
    Kind {
        slug: "not-found",
        title: "Not found",
        status: 404,
        help: "There is nothing under this address or id, or nothing that you may see.",
    },
    Kind {
        slug: "disposition-required",
        title: "Disposition required",
        status: 409,
        help: "The service asks for a disposition before work is completed. Send one with \"code\" first.",
    },
    Kind {
        slug: "not-now",
        title: "Not possible now",
        status: 409,
        help: "The request does not fit the present state; the detail says why.",
    },
    Kind {
        slug: "invalid",
        title: "Fields are not valid",
        status: 422,
        help: "The request was read, but the fields named in \"errors\" cannot be taken as they are.",
    },
    Kind {
        slug: "malformed",
        title: "Request not understood",
        status: 400,
        help: "The request is not what this address expects: broken JSON, an unknown command, or a value of the wrong kind.",
    },
    Kind {
        slug: "conflict",
        title: "Conflict",
        status: 409,
        help: "A name or number is taken already, or something else still uses what should be deleted.",
    },
    Kind {
        slug: "stale",
        title: "Changed in the meantime",
        status: 412,
        help: "The ETag in If-Match is not the present one. Load the object again and repeat the change.",
    },
    Kind {
        slug: "match-required",
        title: "If-Match required",
        status: 428,
        help: "Changes of configuration say with If-Match which version they change, so that two people do not overwrite each other.",
    },
    Kind {
        slug: "key-reused",
        title: "Idempotency-Key reused",
        status: 422,
        help: "The same Idempotency-Key came with another request. Use a fresh key for each new request.",
    },
    Kind {
        slug: "unavailable",
        title: "Not available now",
        status: 503,
        help: "The database or another part does not answer. Calls go on; try again soon.",
    },
    Kind {
        slug: "internal",
        title: "Internal error",
        status: 500,
        help: "The appliance failed to do it. The log of the appliance has the cause under the request id.",
    },
    Kind {
        slug: "colleague-offline",
        title: "Colleague offline",
        status: 409,
        help: "The colleague is signed out or offline and cannot be called. GET /colleagues says who can be.",
    },
    Kind {
        slug: "colleague-busy",
        title: "Colleague is being called",
        status: 409,
        help: "The colleague's phone rings for another call at this moment. Try again in a few seconds.",
    },
    Kind {
        slug: "number-closed",
        title: "Number not allowed",
        status: 403,
        help: "The tenant's rules close this number (\"dialling\" of /tenant). An administrator can open its prefix.",
    },
    Kind {
        slug: "dialled-too-often",
        title: "Too many calls within a minute",
        status: 429,
        help: "One user may dial so many numbers within a minute (\"dialling\" of /tenant). Wait a little.",
    },
    Kind {
        slug: "no-trunk",
        title: "No trunk for calls out",
        status: 409,
        help: "No trunk has a target, so that no call can go out. An administrator can give one a target.",
    },
    Kind {
        slug: "taken-already",
        title: "Not waiting any more",
        status: 409,
        help: "Another agent picked the contact or is being offered it, or the customer left. Choose another one.",
    },
    Kind {
        slug: "not-for-you",
        title: "Not for this agent",
        status: 403,
        help: "The contact asks for other skills, or role, team or own limit keep this kind of contact from the agent.",
    },
    Kind {
        slug: "hands-full",
        title: "As many in hand as may be",
        status: 409,
        help: "End a contact first, or an administrator raises the limit (\"capacity\", or \"chats_max\" of the user).",
    },
    Kind {
        slug: "takes-nobody",
        title: "Service takes nobody",
        status: 409,
        help: "The service is closed or full, or none of its agents is signed in. The customer stays with the agent; choose another one.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_its_own_stable_name() {
        let all = [
            (Refusal::BadCredentials, "bad-credentials"),
            (Refusal::AlreadySignedIn, "already-signed-in"),
            (Refusal::Forbidden { needs: Privilege::Administer }, "forbidden"),
            (Refusal::OfferGone, "offer-gone"),
            (Refusal::DispositionRequired, "disposition-required"),
            (Refusal::MatchRequired, "match-required"),
            (Refusal::Internal, "internal"),
            (Refusal::ColleagueOffline, "colleague-offline"),
            (Refusal::ColleagueBusy, "colleague-busy"),
            (Refusal::NumberClosed, "number-closed"),
            (Refusal::DialledTooOften { wait: Duration::from_secs(1) }, "dialled-too-often"),
            (Refusal::NoTrunk, "no-trunk"),
            (Refusal::TakenAlready, "taken-already"),
            (Refusal::NotForYou, "not-for-you"),
            (Refusal::HandsFull, "hands-full"),
            (Refusal::TakesNobody, "takes-nobody"),
        ];
        for (refusal, slug) in all {
            assert_eq!(refusal.kind().slug, slug);
        }
        let mut slugs: Vec<_> = KINDS.iter().map(|kind| kind.slug).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), KINDS.len());
    }
}
