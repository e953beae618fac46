//! The appliance, and its agents: each with a registered phone and an open console.

use std::time::Duration;

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, Options, PASSWORD, text};
use scenarios::eventually;
use scenarios::http::Http;
use serde_json::json;
use tokio::task::JoinSet;

use crate::Words;
use crate::phones::Phones;

pub const NUMBER: &str = "+4930555100";

pub struct Office {
    /// Each takes what its console is told.
    _consoles: JoinSet<()>,
    pub phones: Phones,
    pub appliance: Appliance,
}

impl Office {
    pub async fn open(words: &Words) -> Self {
        let appliance = Appliance::start(&Options {
            // SIPp, which registers the phones, knows MD5 only.
            sip: "digest = [\"MD5\"]\ncalls_max = 10000",
            database: words.database.clone(),
            media_ports: 12_000,
            ..Options::default()
        });
        let admin = appliance.admin().await;
        let house = appliance.furnish(&admin, NUMBER).await;
        let trunks = admin.get("/trunks").await;
        let trunk = format!("/trunks/{}", text(&trunks["items"][0]["id"]));
        admin.change(&trunk, |trunk| trunk["calls_max"] = 10_000.into()).await;
        let service = format!("/services/{}", house.service);
        admin
            .change(&service, |service| {
                service["record"] = words.recorded.into();
                service["queue"]["waiting_max"] = 10_000.into();
            })
            .await;
        let group = format!("/groups/{}", house.group);
        admin.change(&group, |group| group["rules"]["wrap_up"] = false.into()).await;
        let mut accounts = Vec::new();
        let mut logins = Vec::new();
        for n in 0..words.agents {
            let (login, extension) = (format!("agent{n:03}"), format!("{}", 2_000 + n));
            let user = appliance.hire(&admin, &house, &login, "sip", Some(&extension)).await;
            let secret = admin.post(&format!("/users/{user}/phone-secret"), json!({})).await;
            accounts.push((extension, text(&secret["password"])));
            logins.push(login);
        }
        let phones = Phones::start(appliance.sip, &accounts);
        let mut consoles = JoinSet::new();
        for login in logins {
            let http = Http::sign_in(&appliance.base, &login, PASSWORD).await.expect("signs in");
            let mut agent = Agent::connect(&http, appliance.https).await;
            consoles.spawn(async move { while agent.next(Duration::from_secs(3_600)).await.is_some() {} });
        }
        let office = Self { _consoles: consoles, phones, appliance };
        scenarios::until("all agents are ready", async || {
            let ready = admin.walk("/agents", 200).await;
            ready.iter().filter(|agent| agent["state"]["state"] == "ready").count() == words.agents
        })
        .await;
        office
    }

    /// Processor time of the appliance so far.
    pub fn cpu(&self) -> Duration {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.appliance.running.pid())).expect("it runs");
        let fields: Vec<u64> = stat
            .rsplit(')')
            .next()
            .expect("a name")
            .split_whitespace()
            .filter_map(|f| f.parse().ok())
            .collect();
        // Fields 14 and 15 of proc(5), in hundredths of a second; the state, field 3, is no number.
        Duration::from_millis((fields[10] + fields[11]) * 10)
    }

    /// Until the last agent's end of a call has settled.
    pub fn rest(&self) {
        let mut last = self.cpu();
        eventually("the appliance rests", Duration::from_secs(60), || {
            std::thread::sleep(Duration::from_millis(500));
            let now = self.cpu();
            let rests = now - last < Duration::from_millis(60);
            last = now;
            rests.then_some(())
        });
    }
}
