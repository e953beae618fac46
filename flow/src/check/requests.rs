//! Steps that ask a system of the operator: only those the configuration lists, and only in bounds; and steps that look something up.

use super::{Checking, near};
use crate::address::Address;
use crate::graph::{Http, Lookup, Method};

/// Header fields of one request.
const HEADERS_MAX: usize = 16;
/// Fields of one body.
const FIELDS_MAX: usize = 32;
/// Values that are picked out of one answer.
const PICKS_MAX: usize = 16;
/// Longest pointer, in octets.
const POINTER_MAX: usize = 200;
/// Header fields that are the connection's to say, or would give an answer a form that is not read.
const OURS: [&str; 12] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "accept-encoding",
    "range",
];

impl Checking<'_> {
    pub(super) fn http(&mut self, at: &str, http: &Http) {
        self.address(&format!("{at}.url"), &http.url.0);
        if let Some(prompt) = &http.prompt {
            self.prompt(&format!("{at}.prompt"), prompt);
        }
        if !(1..=20).contains(&http.wait_s) {
            self.fault(format!("{at}.wait_s"), "an answer is waited for 1 to 20 seconds");
        }
        if http.failed.is_none() {
            self.fault(at, "`failed` is missing: where to when the system does not answer, or refuses");
        }
        self.headers(at, http);
        if http.method == Method::Get && !http.body.is_empty() {
            self.fault(format!("{at}.body"), "a `GET` has no body; give `method = \"POST\"`");
        }
        self.at_most(&format!("{at}.body"), http.body.len(), FIELDS_MAX);
        for (name, text) in &http.body {
            self.template(&format!("{at}.body.{name}"), text);
        }
        self.at_most(&format!("{at}.picks"), http.picks.len(), PICKS_MAX);
        for (name, pointer) in &http.picks {
            self.noting(&format!("{at}.picks.{name}"), name);
            if !pointer.starts_with('/') || pointer.len() > POINTER_MAX {
                let what = "a value is picked by a pointer such as `/customer/name` or `/items/0`";
                self.fault(format!("{at}.picks.{name}"), what);
            }
        }
        if let Some(name) = &http.status {
            self.noting(&format!("{at}.status"), name);
        }
    }

    pub(super) fn lookup(&mut self, at: &str, lookup: &Lookup) {
        self.template(&format!("{at}.key"), &lookup.key);
        if lookup.missing.is_none() {
            self.fault(at, "`missing` is missing: where to when the table has no such key");
        }
        if lookup.picks.is_empty() {
            self.fault(at, "`picks` names what is noted, such as `picks = { team = \"Team\" }`");
        }
        self.at_most(&format!("{at}.picks"), lookup.picks.len(), PICKS_MAX);
        let tables = self.around.tables;
        let columns = tables.iter().find(|(name, _)| *name == lookup.table).map(|(_, columns)| *columns);
        if columns.is_none() {
            let hint = near(&lookup.table, tables.iter().map(|(name, _)| *name));
            self.fault(format!("{at}.table"), format!("there is no table `{}`{hint}", lookup.table));
        }
        for (name, column) in &lookup.picks {
            self.noting(&format!("{at}.picks.{name}"), name);
            if let Some(columns) = columns.filter(|columns| !columns.contains(column)) {
                let hint = near(column, columns.iter().map(String::as_str));
                self.fault(format!("{at}.picks.{name}"), format!("the table has no column `{column}`{hint}"));
            }
        }
    }

    fn address(&mut self, at: &str, url: &str) {
        match Address::parse(url) {
            Err(what) => self.fault(at, what),
            Ok(address) => {
                let asked = address.host_port();
                if !self.around.hosts.iter().any(|host| host.eq_ignore_ascii_case(&asked)) {
                    let what = format!(
                        "`{asked}` may not be asked; whoever runs the appliance adds it to `http_allow` in `[flows]` of its configuration"
                    );
                    self.fault(at, what);
                }
                self.template(at, &address.rest);
            }
        }
    }

    fn headers(&mut self, at: &str, http: &Http) {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let names = http.headers.keys().map(|name| ("headers", name));
        let names: Vec<_> =
            names.chain(http.secret_headers.keys().map(|name| ("secret_headers", name))).collect();
        self.at_most(&format!("{at}.headers"), names.len(), HEADERS_MAX);
        for (field, name) in names {
            if !(1..=64).contains(&name.len()) || !name.chars().all(is_token) {
                self.fault(format!("{at}.{field}.{name}"), "this is no name of a header field");
            } else if OURS.contains(&name.to_ascii_lowercase().as_str()) {
                self.fault(format!("{at}.{field}.{name}"), "this field is set by the appliance");
            }
        }
        for (name, text) in &http.headers {
            self.template(&format!("{at}.headers.{name}"), text);
        }
        for (name, secret) in &http.secret_headers {
            if !self.around.secrets.contains(&secret.as_str()) {
                let hint = near(secret, self.around.secrets.iter().copied());
                let what = format!("the configuration has no secret `{secret}` in `[flows] secrets`{hint}");
                self.fault(format!("{at}.secret_headers.{name}"), what);
            }
        }
    }

    fn at_most(&mut self, at: &str, count: usize, most: usize) {
        if count > most {
            self.fault(at, format!("there are at most {most} of them"));
        }
    }
}
