//! The office of these scenarios: one agent, one phone, one customer at a time, and what each of them said and heard.

use std::time::{Duration, SystemTime};

use scenarios::agent::Agent;
use scenarios::appliance::{Appliance, House, Options, PASSWORD, text};
use scenarios::baresip::{Account, Baresip};
use scenarios::http::Http;
use scenarios::namespace::Namespace;
use scenarios::pcap::{Capture, Datagram, rtp_payloads};
use scenarios::place::Place;
use scenarios::sipp::{Caller, Sipp};
use scenarios::{eventually, tone};
use serde_json::{Value, json};

const NUMBER: &str = "+4930555200";
const EXTENSION: &str = "101";
/// This phone gives up when a challenge with an algorithm it does not know stands beside one that it does.
const DIGEST: &str = r#"digest = ["MD5"]"#;
/// What the customer speaks.
pub const CUSTOMER_HZ: f64 = 440.0;
/// What the agent speaks.
pub const AGENT_HZ: f64 = 1_000.0;

/// A contact centre of one agent with a desk phone. Dropped in this order: what runs in the network before the network.
pub struct Office {
    pub phone: Baresip,
    pub agent: Agent,
    admin: Http,
    house: House,
    appliance: Appliance,
    network: Namespace,
}

/// A conversation that goes on.
pub struct Talk {
    customer: Sipp,
    pub interaction: Value,
    /// Packets of the trunk, and of the phone's network.
    trunk: Capture,
    desk: Capture,
    pub since_us: u64,
}

/// One that is over, and what was seen of it.
pub struct Over {
    pub talk: Seen,
    trunk: Vec<Datagram>,
    desk: Vec<Datagram>,
    there: std::net::IpAddr,
    pub held_s: f64,
}

pub struct Seen {
    customer_port: u16,
    pub interaction: Value,
    pub since_us: u64,
}

impl Office {
    /// An agent who is ready, with a phone that is registered.
    pub async fn open(codecs: &str) -> Self {
        Self::open_with(codecs, "", "").await
    }

    /// The same, with parameters of the phone's account and a policy for phones.
    pub async fn open_with(codecs: &str, parameters: &str, policy: &str) -> Self {
        let network = Namespace::new();
        let here = network.here.to_string();
        let appliance = Appliance::start(&Options {
            address: Some(&here),
            sip: &format!("{DIGEST}\n{policy}"),
            ..Options::default()
        });
        let admin = appliance.admin().await;
        let house = appliance.furnish(&admin, NUMBER).await;
        let trunks = admin.get("/trunks").await;
        let trunk = format!("/trunks/{}", text(&trunks["items"][0]["id"]));
        // The customer calls from our end of the pair; the phone, at the other end, is no trunk.
        admin.change(&trunk, |t| t["addresses"] = json!([format!("{here}/32")])).await;
        let user = appliance.hire(&admin, &house, "paul", "sip", Some(EXTENSION)).await;
        let secret = admin.post(&format!("/users/{user}/phone-secret"), json!({})).await;
        assert_eq!(secret["username"], EXTENSION);
        let http = Http::sign_in(&appliance.base, "paul", PASSWORD).await.expect("the agent signs in");
        let mut agent = Agent::connect(&http, appliance.https).await;
        let phone = &agent.welcome["snapshot"]["phone"];
        assert_eq!(
            (&phone["kind"], &phone["up"]),
            (&json!("sip"), &json!(false)),
            "nothing is registered yet: {phone}"
        );
        let account = Account {
            extension: EXTENSION,
            secret: &text(&secret["password"]),
            sip_port: appliance.sip,
            codecs,
            parameters,
            hz: AGENT_HZ,
        };
        let phone = Baresip::start(appliance.dir.path(), &network, &account);
        agent.wait_for("the phone is up", |e| e["event"] == "phone" && e["phone"]["up"] == true).await;
        let office = Self { phone, agent, admin, house, appliance, network };
        office.state("ready").await;
        office
    }

    /// A colleague with a softphone and an extension takes a place.
    pub async fn colleague(&self, login: &str, extension: &str, hz: f64) -> Place {
        self.appliance.hire(&self.admin, &self.house, login, "browser", Some(extension)).await;
        Place::take(&self.appliance, login, hz).await
    }

    /// Waits until the floor shows the agent so.
    pub async fn state(&self, wanted: &str) {
        let mut last = Value::Null;
        for _ in 0..300 {
            last = self.admin.get("/agents").await;
            let all = last["items"].as_array().or(last.as_array()).cloned().unwrap_or_default();
            if all.iter().any(|a| a["name"] == "Agent paul" && a["state"]["state"] == wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the agent did not become {wanted}: {last}");
    }

    pub async fn phase(&mut self, wanted: &str) {
        self.agent.wait_for(wanted, |e| e["event"] == "work" && e["work"]["phase"] == wanted).await;
    }

    /// A customer calls, the phone rings, is picked up, and both speak for four seconds: two of them are what tests ask for.
    pub async fn talk(&mut self, hold_ms: Option<u32>) -> Talk {
        let dir = self.appliance.dir.path();
        let here = self.network.here.to_string();
        // Customer and appliance have the same address, so what they say stays on the loopback.
        let trunk = Capture::start(dir, "lo", &format!("udp and host {here}"), None);
        let desk = Capture::start(dir, &self.network.link, "udp", None);
        let caller = Caller { hold_ms, ..Caller::once(NUMBER, self.appliance.sip, CUSTOMER_HZ) };
        let customer = caller.start_at(dir, "customer", &here);
        let offered = self.agent.wait_for("an offer", |e| e["event"] == "offered").await;
        assert_eq!(offered["offer"]["contact"], NUMBER, "{offered}");
        self.phone.wait_for("CALL_INCOMING");
        self.state("ringing").await;
        self.phone.press("accept");
        let ended = self.agent.wait_for("the offer's end", |e| e["event"] == "offer_ended").await;
        assert_eq!(ended["why"], "accepted", "{ended}");
        self.phase("talking").await;
        let since_us = now_us();
        self.state("busy").await;
        tokio::time::sleep(Duration::from_secs(4)).await;
        Talk { customer, interaction: offered["offer"]["interaction"].clone(), trunk, desk, since_us }
    }

    /// Waits for the end on all sides, completes the after-call work, and reads the captures.
    pub async fn over(&mut self, mut talk: Talk, by: &str) -> Over {
        self.phase("wrap_up").await;
        if by != "customer" {
            self.phone.wait_for("CALL_CLOSED");
        }
        let status = talk.customer.running.wait(Duration::from_secs(60));
        assert!(status.success(), "SIPp: {}", talk.customer.errors());
        let coded = json!({ "interaction": talk.interaction, "disposition": self.house.disposition, "comment": "Rang." });
        self.agent.send("code", coded).await.expect("coded");
        self.agent.send("complete", json!({ "interaction": talk.interaction })).await.expect("completed");
        self.state("ready").await;
        Over {
            trunk: talk.trunk.stop(),
            desk: talk.desk.stop(),
            there: self.network.there.into(),
            held_s: 0.0,
            talk: Seen {
                customer_port: talk.customer.media_port,
                interaction: talk.interaction,
                since_us: talk.since_us,
            },
        }
    }

    /// The end of a customer's call that the agent passed on: its record.
    pub async fn passed_on(&self, mut talk: Talk) -> Value {
        let status = talk.customer.running.wait(Duration::from_secs(60));
        assert!(status.success(), "SIPp: {}", talk.customer.errors());
        let path = format!("/records/{}", text(&talk.interaction));
        scenarios::until("the record has its end", async || {
            self.admin.get(&path).await["status"].is_string()
        })
        .await;
        self.admin.get(&path).await
    }

    /// A finished recording: its rate and its channels.
    pub async fn recording(&self, interaction: &str) -> (u32, Vec<Vec<i16>>) {
        let path = format!("/records/{interaction}/recording.wav");
        let wav = scenarios::eventually_ok(async || self.admin.bytes(&path).await).await;
        tone::read_wav(&wav)
    }

    /// The service record and the recording tell it all. Returns the record.
    pub async fn assert_record(&self, over: &Over, ended_by: &str) -> Value {
        let interaction = text(&over.talk.interaction);
        let record = self.admin.get(&format!("/records/{interaction}")).await;
        assert_eq!(record["status"], "normal", "{record}");
        assert_eq!(record["ended_by"], ended_by, "{record}");
        assert_eq!(record["contact"], NUMBER);
        assert_eq!(record["agent_name"], "Agent paul");
        assert_eq!(record["disposition"], self.house.disposition);
        assert!(record["answered_at"].as_u64() > record["arrived_at"].as_u64(), "{record}");
        assert!(record["ended_at"].as_u64() > record["answered_at"].as_u64(), "{record}");
        for side in ["customer_stats", "agent_stats"] {
            let stats = &record[side];
            assert!(stats["packets"].as_u64() > Some(100), "{side}: {stats}");
            assert_eq!(stats["lost"], 0, "{side}: {stats}");
            // How late packets come is up to the machine: the figures must be there and be figures.
            assert!(stats["mos"].as_f64().is_some_and(|m| (1.0..=4.5).contains(&m)), "{side}: {stats}");
            assert!(stats["jitter_ms"].as_f64().is_some_and(|j| j >= 0.0), "{side}: {stats}");
        }
        let (rate, channels) = self.recording(&interaction).await;
        assert_eq!(channels.len(), 2, "customer left, agent right");
        let length = channels[0].len() as f64 / f64::from(rate);
        let talked = (record["ended_at"].as_u64().zip(record["answered_at"].as_u64()))
            .map_or(0.0, |(ended, answered)| (ended - answered) as f64 / 1e3);
        assert!((length - talked).abs() < 0.7, "{length:.1} s recorded of {talked:.1} s");
        // The customer speaks all the time; this phone sends nothing while it holds. A fifth is for peers that are slow to begin.
        let spoken = 1.0 - over.held_s / length;
        for (channel, own, other, whole) in
            [(0, CUSTOMER_HZ, AGENT_HZ, 1.0), (1, AGENT_HZ, CUSTOMER_HZ, spoken)]
        {
            let share = tone::windows_with(&channels[channel], rate, own);
            assert!(
                (share - whole).abs() < 0.2,
                "channel {channel} has its own party {share:.2} of the time, not {whole:.2}"
            );
            let share = tone::windows_with(&channels[channel], rate, other);
            assert!(share < 0.05, "channel {channel} has the other party {share:.2} of the time");
        }
        let mp3 = self.admin.bytes(&format!("/records/{interaction}/recording.mp3")).await;
        assert!(
            mp3.0.is_success() && (mp3.1.starts_with(b"ID3") || mp3.1.starts_with(&[0xff])),
            "mp3: {}",
            mp3.0
        );
        record
    }
}

impl Over {
    /// All that the customer heard.
    pub fn heard_by_customer(&self) -> Vec<i16> {
        self.heard_by_customer_between(0, u64::MAX)
    }

    /// What reached the customer within these times.
    pub fn heard_by_customer_between(&self, from_us: u64, to_us: u64) -> Vec<i16> {
        let then: Vec<Datagram> =
            self.trunk.iter().filter(|d| (from_us..to_us).contains(&d.at_us)).cloned().collect();
        rtp_payloads(&then, self.talk.customer_port, 0).concat().into_iter().map(tone::from_mulaw).collect()
    }

    /// RTP payloads of one payload type that the phone sent.
    pub fn sent_by_phone(&self, payload_type: u8) -> Vec<Vec<u8>> {
        self.rtp(payload_type, |d| d.from.ip() == self.there)
    }

    /// RTP payloads of one payload type that the phone received.
    pub fn sent_to_phone(&self, payload_type: u8) -> Vec<Vec<u8>> {
        self.rtp(payload_type, |d| d.to.ip() == self.there)
    }

    fn rtp(&self, payload_type: u8, fits: impl Fn(&Datagram) -> bool) -> Vec<Vec<u8>> {
        let ports: std::collections::BTreeSet<u16> =
            self.desk.iter().filter(|d| fits(d)).map(|d| d.to.port()).collect();
        let one_way: Vec<Datagram> = self.desk.iter().filter(|d| fits(d)).cloned().collect();
        ports.into_iter().flat_map(|port| rtp_payloads(&one_way, port, payload_type)).collect()
    }

    pub fn assert_phone_heard_the_customer(&self, office: &Office) {
        let (rate, heard) = eventually("baresip closes its file", Duration::from_secs(60), || {
            let (rate, heard) = office.phone.heard();
            (!heard.is_empty()).then_some((rate, heard))
        });
        let (at, all) = (seconds(&heard, rate, CUSTOMER_HZ), heard.len() as f64 / f64::from(rate));
        assert!(at > 2.0, "the phone heard the customer {at:.1} s of {all:.1} s");
        assert!(tone::windows_with(&heard, rate, AGENT_HZ) < 0.05, "the phone hears itself");
    }
}

/// For how long the tone was there.
pub fn seconds(samples: &[i16], rate: u32, hz: f64) -> f64 {
    tone::windows_with(samples, rate, hz) * samples.len() as f64 / f64::from(rate)
}

#[expect(clippy::disallowed_methods, reason = "scenarios run in real time")]
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_micros()).expect("a time of ours")
}
