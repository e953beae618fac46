//! The columns of each kind of configuration row, and the look-ups that only some kinds have.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::agent::Reason;
use model::block::Block;
use model::flow::Flow;
use model::id::TenantId;
use model::people::{Group, User};
use model::service::{Disposition, Number, Service, Skill, Trunk};

use super::rows::{
    flag, id, id_or_none, json, micros, signed, text, text_or_none, time, time_or_none, to_json, to_word,
    word,
};
use super::table::{Table, find};
use sqlx::Row as _;

use super::{Engine, Query, Row, rows};
use crate::catalogue::{Numbers, Users};
use crate::error::StoreError;
use crate::page::Versioned;

impl Table for Group {
    const NAME: &'static str = "groups";
    const COLUMNS: &'static [&'static str] = &["name", "rules"];
    const UNIQUE: &'static [&'static str] = &["name"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        query.bind(self.name.clone()).bind(to_json(&self.rules))
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        let rules = json(row, "rules")?;
        Ok(Self { id: id(row, "id")?, tenant: id(row, "tenant")?, name: text(row, "name")?, rules })
    }
}

impl Table for Skill {
    const NAME: &'static str = "skills";
    const COLUMNS: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static str] = &["name"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        query.bind(self.name.clone())
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { id: id(row, "id")?, tenant: id(row, "tenant")?, name: text(row, "name")? })
    }
}

impl Table for Reason {
    const NAME: &'static str = "reasons";
    const COLUMNS: &'static [&'static str] = &["name", "icon", "ends_after_minutes", "is_break", "call_out"];
    const UNIQUE: &'static [&'static str] = &["name"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        let ends_after = self.ends_after_minutes.map(i64::from);
        let query = query.bind(self.name.clone()).bind(self.icon.clone()).bind(ends_after);
        query.bind(self.is_break).bind(self.call_out)
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        let ends_after = row.try_get::<Option<i64>, _>("ends_after_minutes")?;
        Ok(Self {
            id: id(row, "id")?,
            tenant: id(row, "tenant")?,
            name: text(row, "name")?,
            icon: text(row, "icon")?,
            ends_after_minutes: ends_after.and_then(|minutes| u32::try_from(minutes).ok()),
            is_break: flag(row, "is_break")?,
            call_out: flag(row, "call_out")?,
        })
    }
}

impl Table for Service {
    const NAME: &'static str = "services";
    const COLUMNS: &'static [&'static str] =
        &["name", "requirement", "queue", "disposition_mandatory", "record", "is_open", "recording"];
    const UNIQUE: &'static [&'static str] = &["name"];
    const IN_RECORDS: &'static [&'static str] = &["service"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        let query = query.bind(self.name.clone()).bind(to_json(&self.requirement)).bind(to_json(&self.queue));
        query
            .bind(self.disposition_mandatory)
            .bind(self.record)
            .bind(self.open)
            .bind(to_json(&self.recording))
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row, "id")?,
            tenant: id(row, "tenant")?,
            name: text(row, "name")?,
            requirement: json(row, "requirement")?,
            queue: json(row, "queue")?,
            disposition_mandatory: flag(row, "disposition_mandatory")?,
            record: flag(row, "record")?,
            open: flag(row, "is_open")?,
            recording: json(row, "recording")?,
        })
    }
}

impl Table for Disposition {
    const NAME: &'static str = "dispositions";
    const COLUMNS: &'static [&'static str] = &["service", "name", "success", "closing"];
    const UNIQUE: &'static [&'static str] = &["name"];
    const IN_RECORDS: &'static [&'static str] = &["disposition"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        query.bind(self.service.to_string()).bind(self.name.clone()).bind(self.success).bind(self.closing)
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row, "id")?,
            tenant: id(row, "tenant")?,
            service: id(row, "service")?,
            name: text(row, "name")?,
            success: flag(row, "success")?,
            closing: flag(row, "closing")?,
        })
    }
}

impl Table for Flow {
    const NAME: &'static str = "flows";
    const COLUMNS: &'static [&'static str] = &["name", "active", "versions"];
    const UNIQUE: &'static [&'static str] = &["name"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        query.bind(self.name.clone()).bind(self.active.map(i64::from)).bind(to_json(&self.versions))
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        let active = row.try_get::<Option<i64>, _>("active")?.and_then(|number| u32::try_from(number).ok());
        let (name, versions) = (text(row, "name")?, json(row, "versions")?);
        Ok(Self { id: id(row, "id")?, tenant: id(row, "tenant")?, name, active, versions })
    }
}

impl Table for Number {
    const NAME: &'static str = "numbers";
    const COLUMNS: &'static [&'static str] = &["digits", "service", "flow"];
    const UNIQUE: &'static [&'static str] = &["digits"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        let flow = self.flow.map(|flow| flow.to_string());
        query.bind(self.digits.clone()).bind(self.service.to_string()).bind(flow)
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        let service = id(row, "service")?;
        let (digits, flow) = (text(row, "digits")?, id_or_none(row, "flow")?);
        Ok(Self { id: id(row, "id")?, tenant: id(row, "tenant")?, digits, service, flow })
    }
}

impl Table for Trunk {
    const NAME: &'static str = "trunks";
    const COLUMNS: &'static [&'static str] =
        &["name", "addresses", "username", "target", "calls_max", "srtp", "account", "registers"];
    const UNIQUE: &'static [&'static str] = &["name"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        let query = query.bind(self.name.clone()).bind(to_json(&self.addresses)).bind(self.username.clone());
        let query = query.bind(self.target.clone()).bind(signed(u64::from(self.calls_max)));
        query.bind(to_word(&self.srtp)).bind(self.account.clone()).bind(self.registers)
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row, "id")?,
            tenant: id(row, "tenant")?,
            name: text(row, "name")?,
            addresses: json(row, "addresses")?,
            username: text_or_none(row, "username")?,
            target: text_or_none(row, "target")?,
            calls_max: u32::try_from(rows::count(row, "calls_max")?).unwrap_or(u32::MAX),
            srtp: word(row, "srtp")?,
            account: text_or_none(row, "account")?,
            registers: flag(row, "registers")?,
        })
    }
}

impl Table for Block {
    const NAME: &'static str = "blocks";
    const COLUMNS: &'static [&'static str] = &["number", "prefix", "reason", "made_by", "since", "until"];
    const UNIQUE: &'static [&'static str] = &["number"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        let query = query.bind(self.number.clone()).bind(self.prefix).bind(self.reason.clone());
        let query = query.bind(self.by.map(|user| user.to_string())).bind(micros(self.since));
        query.bind(self.until.map(micros))
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row, "id")?,
            tenant: id(row, "tenant")?,
            number: text(row, "number")?,
            prefix: flag(row, "prefix")?,
            reason: text(row, "reason")?,
            by: id_or_none(row, "made_by")?,
            since: time(row, "since")?,
            until: time_or_none(row, "until")?,
        })
    }
}

impl Table for User {
    const NAME: &'static str = "users";
    const COLUMNS: &'static [&'static str] = &[
        "login",
        "name",
        "email",
        "extension",
        "role",
        "group_id",
        "skills",
        "phone",
        "mobile",
        "chats_max",
        "disabled",
    ];
    const UNIQUE: &'static [&'static str] = &["login", "email", "extension"];
    const IN_RECORDS: &'static [&'static str] = &["agent", "calling_agent"];
    fn bind<'q>(&self, query: Query<'q>) -> Query<'q> {
        let query = query.bind(self.login.clone()).bind(self.name.clone()).bind(self.email.clone());
        let query = query.bind(self.extension.clone()).bind(to_word(&self.role));
        let query = query.bind(self.group.map(|group| group.to_string())).bind(to_json(&self.skills));
        let query = query.bind(to_word(&self.phone)).bind(self.mobile.clone());
        query.bind(self.chats_max.map(i64::from)).bind(self.disabled)
    }
    fn read(row: &Row) -> Result<Self, StoreError> {
        let chats_max = row.try_get::<Option<i64>, _>("chats_max")?;
        Ok(Self {
            id: id(row, "id")?,
            tenant: id(row, "tenant")?,
            login: text(row, "login")?,
            name: text(row, "name")?,
            email: text_or_none(row, "email")?,
            extension: text_or_none(row, "extension")?,
            role: word(row, "role")?,
            group: id_or_none(row, "group_id")?,
            skills: json::<BTreeMap<_, _>>(row, "skills")?,
            phone: word(row, "phone")?,
            mobile: text_or_none(row, "mobile")?,
            chats_max: chats_max.and_then(|chats| u32::try_from(chats).ok()),
            disabled: flag(row, "disabled")?,
        })
    }
}

#[async_trait]
impl Users for Engine {
    async fn user_by_sign_in(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<Versioned<User>>, StoreError> {
        let (tenant, name) = (tenant.to_string(), name.to_lowercase());
        // A login wins over somebody else's address of the same text.
        match find(self, "tenant = $1 AND login = $2", &[&tenant, &name]).await? {
            Some(user) => Ok(Some(user)),
            None => find(self, "tenant = $1 AND email = $2", &[&tenant, &name]).await,
        }
    }
    async fn user_by_extension(
        &self,
        tenant: TenantId,
        extension: &str,
    ) -> Result<Option<Versioned<User>>, StoreError> {
        find(self, "tenant = $1 AND extension = $2", &[&tenant.to_string(), extension]).await
    }
}

#[async_trait]
impl Numbers for Engine {
    async fn number_by_digits(&self, digits: &str) -> Result<Option<Versioned<Number>>, StoreError> {
        find(self, "digits = $1", &[digits]).await
    }
}
