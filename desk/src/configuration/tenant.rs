//! What is set for the tenant as a whole: its name, the content of offer windows, names of the system's reasons.

use std::collections::BTreeSet;

use model::dialling::{DialRules, Dialled, Verdict};
use model::people::{Privilege, Tenant, Withheld};
use model::tenant::AGENT_TERMS_MAX;
use serde_json::json;

use super::validate::{capacity, name_at};
use super::voicemail::voicemail;
use crate::audit::Actor;
use crate::page::{Version, Versioned};
use crate::refusal::{FieldError, Refusal};
use crate::start::DeskHandle;
use crate::trouble::{read, write};

impl DeskHandle {
    /// The tenant as it is set up.
    pub async fn tenant_settings(&self) -> Result<Versioned<Tenant>, Refusal> {
        let row = self.store().tenants().tenant(self.tenant()).await.map_err(read)?;
        row.ok_or(Refusal::missing("tenant"))
    }

    /// Sets the tenant up anew, if it is still at `expected`. Pages show it at once (VOICE-05).
    pub async fn update_tenant(
        &self,
        tenant: Tenant,
        expected: Version,
        actor: Actor,
    ) -> Result<Versioned<Tenant>, Refusal> {
        self.check_tenant(&tenant)?;
        let row = self.store().tenants().update_tenant(&tenant, expected).await.map_err(write)?;
        let detail = json!({
            "name": row.item.name, "offer_window": row.item.offer_window, "system_names": row.item.system_names,
            "capacity": row.item.capacity, "agent_order": row.item.agent_order, "dialling": row.item.dialling,
            "withheld": row.item.withheld, "own_voicemail": row.item.own_voicemail,
        });
        self.audit().record(actor, "tenant.update", row.item.id, detail).await?;
        self.reload().await?;
        Ok(row)
    }

    /// What becomes of a number that somebody dials: how it is sent, and whether it may be (OUT-06).
    pub fn try_number(&self, text: &str) -> Result<(String, Verdict), Refusal> {
        let dialled = Dialled::parse(text)
            .ok_or_else(|| Refusal::field("/number", "digits with an optional +, 2 to 20 of them"))?;
        let rules = &self.configuration().dialling;
        Ok((rules.normal(&dialled.number), rules.verdict(&dialled.number)))
    }

    pub(super) fn check_tenant(&self, tenant: &Tenant) -> Result<(), Refusal> {
        let mut errors = errors(tenant);
        voicemail(&tenant.own_voicemail, "/own_voicemail", &self.configuration(), &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid { errors }) }
    }
}

fn errors(tenant: &Tenant) -> Vec<FieldError> {
    let mut errors = Vec::new();
    name_at("/name", &tenant.name, &mut errors);
    let window = &tenant.offer_window;
    once("/offer_window/external", &window.external, &mut errors);
    once("/offer_window/internal", &window.internal, &mut errors);
    for (pointer, name) in [
        ("/system_names/no_answer", &tenant.system_names.no_answer),
        ("/system_names/connection_lost", &tenant.system_names.connection_lost),
    ] {
        if let Some(name) = name {
            name_at(pointer, name, &mut errors);
        }
    }
    capacity("/capacity", &tenant.capacity, &mut errors);
    let order = &tenant.agent_order.0;
    once("/agent_order", order, &mut errors);
    if order.len() > AGENT_TERMS_MAX {
        errors.push(FieldError::new(
            "/agent_order",
            format!("at most {AGENT_TERMS_MAX}: the others would never be asked"),
        ));
    }
    dialling(&tenant.dialling, &mut errors);
    let possible = |what: &Privilege| Withheld::POSSIBLE.contains(what);
    if !tenant.withheld.0.values().flatten().all(possible) {
        errors.push(FieldError::new("/withheld", "only handle_chats and handle_emails"));
    }
    errors
}

/// Most ways of dialling.
const FORMS_MAX: usize = 50;
/// Most digits of a beginning.
const FORM_MAX: usize = 15;

fn dialling(rules: &DialRules, errors: &mut Vec<FieldError>) {
    for (pointer, prefixes) in [("/dialling/allow", &rules.allow), ("/dialling/deny", &rules.deny)] {
        if prefixes.len() > PREFIXES_MAX {
            errors.push(FieldError::new(pointer, format!("at most {PREFIXES_MAX} prefixes")));
        }
        for (n, prefix) in prefixes.iter().enumerate() {
            let digits = prefix.strip_prefix('+').unwrap_or(prefix);
            if !(1..=20).contains(&digits.len()) || !digits.chars().all(|c| c.is_ascii_digit()) {
                errors.push(FieldError::new(format!("{pointer}/{n}"), "1 to 20 digits, with an optional +"));
            }
        }
    }
    if !(1..=1_000).contains(&rules.per_minute) {
        errors.push(FieldError::new("/dialling/per_minute", "1 to 1000"));
    }
    if rules.forms.len() > FORMS_MAX {
        errors.push(FieldError::new("/dialling/forms", format!("at most {FORMS_MAX}")));
    }
    for (at, form) in rules.forms.iter().enumerate() {
        let fits = |text: &str, least| {
            (least..=FORM_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
        };
        if !fits(&form.begins, 1) || rules.forms.iter().take(at).any(|other| other.begins == form.begins) {
            let why = format!("1 to {FORM_MAX} digits, each beginning once");
            errors.push(FieldError::new(format!("/dialling/forms/{at}/begins"), why));
        }
        if !fits(form.becomes.strip_prefix('+').unwrap_or(&form.becomes), 0) {
            let why = format!("at most {FORM_MAX} digits, after a + if it is to have one");
            errors.push(FieldError::new(format!("/dialling/forms/{at}/becomes"), why));
        }
    }
}

/// Most prefixes in a list of what may be dialled.
const PREFIXES_MAX: usize = 1_000;

/// At least one, for an empty window would leave the agent with nothing to decide by; and each once.
fn once<T: Ord>(pointer: &str, entries: &[T], errors: &mut Vec<FieldError>) {
    if entries.is_empty() {
        errors.push(FieldError::new(pointer, "name at least one"));
    }
    let mut seen = BTreeSet::new();
    for (n, entry) in entries.iter().enumerate() {
        if !seen.insert(entry) {
            errors.push(FieldError::new(format!("{pointer}/{n}"), "this stands there already: remove one"));
        }
    }
}
