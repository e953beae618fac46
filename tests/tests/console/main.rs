//! The console as people use it: in Chromium, by eye, keyboard and ear.

mod blocks;
mod call_flow;
mod calls;
mod chats;
mod dialling;
mod effects;
mod emails;
mod ending;
mod help;
mod keys;
mod ladder;
mod pages;
mod phones;
mod reports;
mod tables;
mod waiting;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, House, Options, PASSWORD};
use scenarios::browser::Browser;
use scenarios::http::Http;
use scenarios::pcap::{Capture, Datagram, rtp_payloads};
use scenarios::sipp::{Caller, Sipp};
use scenarios::{eventually, eventually_ok, now_ms, tone};
use serde_json::{Value, json};

const NUMBER: &str = "+4930555100";
const CUSTOMER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 1_000.0;

/// An appliance with one service, Anna who can serve it, and a browser whose microphone hums.
struct Office {
    page: Browser,
    appliance: Appliance,
    admin: Http,
    house: House,
}

impl Office {
    async fn open() -> Self {
        Self::open_with("").await
    }

    /// With more lines for `[media]`.
    async fn open_with(media: &str) -> Self {
        let appliance = Appliance::start(&Options { toml: media, ..Options::default() });
        let admin = appliance.admin().await;
        let house = appliance.furnish(&admin, NUMBER).await;
        appliance.hire(&admin, &house, "anna", "browser", None).await;
        // The page's administrator is not the test's: one session a user.
        let chief = json!({ "login": "chief", "name": "Clara Chief", "email": null, "extension": null, "role": "administrator",
            "group": house.group, "skills": {}, "phone": "none", "disabled": false, "password": PASSWORD });
        admin.post("/users", chief).await;
        let microphone = appliance.dir.path().join("microphone.wav");
        tone::write_wav(&microphone, 48_000, &tone::sine(AGENT_HZ, 48_000, 4.0));
        let page = Browser::start(appliance.dir.path(), &microphone);
        Self { page, appliance, admin, house }
    }

    fn sign_in(&mut self, login: &str) {
        self.page.sign_in(&self.appliance.base, login, PASSWORD);
        self.page.see("[data-phone=up]");
    }

    /// Changes the service before the day begins.
    fn service(&self, change: impl FnOnce(&mut Value)) {
        let path = format!("/services/{}", self.house.service);
        now(self.admin.change(&path, change));
    }

    /// Changes the team's rules.
    fn rules(&self, change: impl FnOnce(&mut Value)) {
        let path = format!("/groups/{}", self.house.group);
        now(self.admin.change(&path, |group| change(&mut group["rules"])));
    }

    fn customer(&self, name: &str, hold_ms: Option<u32>) -> Sipp {
        self.customer_of(name, NUMBER, hold_ms)
    }

    fn customer_of(&self, name: &str, dial: &str, hold_ms: Option<u32>) -> Sipp {
        let caller = Caller { hold_ms, ..Caller::once(dial, self.appliance.sip, CUSTOMER_HZ) };
        caller.start(self.appliance.dir.path(), name)
    }
}

/// Runs a future from a plain function, on this runtime's thread.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// Seconds of the clock in the state's pill.
fn seconds_shown(page: &mut Browser) -> i64 {
    let shown = page.text("[data-state] .figures");
    let (minutes, seconds) = shown.split_once(':').expect("m:ss");
    minutes.parse::<i64>().expect("minutes") * 60 + seconds.parse::<i64>().expect("seconds")
}

/// Within a few listenings: on a busy machine a browser plays with gaps.
fn hears_the_customer(page: &mut Browser, when: &str) {
    let mut heard = None;
    let hears = (0..5).any(|_| {
        heard = page.heard_hz();
        heard.is_some_and(|hz| (hz - CUSTOMER_HZ).abs() < 12.0)
    });
    assert!(hears, "{when}: the agent hears {heard:?}");
}

/// Within a few listenings: what was heard last fades slowly in the browser's spectrum.
fn hears_no_customer(page: &mut Browser, when: &str) {
    let mut heard = None;
    let hears_nothing = (0..5).any(|_| {
        heard = page.heard_hz();
        heard.is_none_or(|hz| (hz - CUSTOMER_HZ).abs() > 12.0)
    });
    assert!(hears_nothing, "{when}: the agent hears {heard:?}");
}

/// When something began and ended, in microseconds of the capture's clock; the edges are cut off.
#[expect(clippy::disallowed_methods, reason = "compared with times of a capture")]
fn during(what: impl FnOnce()) -> (u64, u64) {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros() as u64;
    let from = clock();
    what();
    (from + 400_000, clock() - 100_000)
}

/// What the customer was sent between two moments, as 8 kHz samples.
fn to_customer(packets: &[Datagram], customer: &Sipp, from: u64, to: u64) -> Vec<i16> {
    let then: Vec<Datagram> = packets.iter().filter(|d| (from..to).contains(&d.at_us)).cloned().collect();
    rtp_payloads(&then, customer.media_port, 0).concat().into_iter().map(tone::from_mulaw).collect()
}

/// Root mean square.
fn loudness(samples: &[i16]) -> f64 {
    let energy: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
    (energy / samples.len().max(1) as f64).sqrt()
}
