//! An appliance of the test's own: the real binary, ports of its own, a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::eventually;
use crate::http::Http;
use crate::process::{Running, free_port, free_stretch};

/// A running appliance with an administrator.
pub struct Appliance {
    /// Its folder; removed with it.
    pub dir: TempDir,
    /// The process.
    pub running: Running,
    /// HTTPS port on 127.0.0.1.
    pub https: u16,
    /// SIP port (UDP and TCP).
    pub sip: u16,
    /// `https://localhost:PORT`.
    pub base: String,
    /// Password of user `admin`.
    pub admin_password: String,
}

/// What differs from the usual test appliance.
#[derive(Default)]
pub struct Options<'a> {
    /// More TOML, appended to the configuration file.
    pub toml: &'a str,
    /// More TOML for `[sip]`.
    pub sip: &'a str,
    /// Database URL instead of embedded SQLite.
    pub database: Option<String>,
    /// Address of SIP and media instead of 127.0.0.1.
    pub address: Option<&'a str>,
    /// Ports for media, two for each leg. 0: as many as a test needs.
    pub media_ports: u16,
}

/// The binary under test, of the same profile as this program: built by `make scenarios` before the tests, by `make bench-calls`
/// before the bench.
pub fn binary() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let binary = target.join(profile).join("patchbay");
    assert!(binary.exists(), "{} is missing: run `make scenarios`, or `cargo build` first", binary.display());
    binary
}

impl Appliance {
    /// Initialises and starts one.
    pub fn start(options: &Options<'_>) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (https, sip) = (free_port(), free_port());
        // The browsers' port comes after those of the legs, not from the range where the system picks ports for others.
        let media_ports = if options.media_ports == 0 { 1_200 } else { options.media_ports };
        let media = free_stretch(media_ports + 1);
        let address = options.address.unwrap_or("127.0.0.1");
        let database = options.database.clone().unwrap_or_else(|| "sqlite:patchbay.db".into());
        let config = format!(
            r#"data_dir = "{data}"
[http]
listen = ["127.0.0.1:{https}"]
[database]
url = "{database}"
[sip]
udp = ["{address}:{sip}"]
tcp = ["{address}:{sip}"]
{sip_more}
[media]
interfaces = ["{address}"]
port_min = {media}
port_max = {media_max}
browser_port = {browser}
{more}
"#,
            data = dir.path().join("data").display(),
            media_max = media + media_ports - 2,
            browser = media + media_ports,
            sip_more = options.sip,
            more = options.toml,
        );
        std::fs::write(dir.path().join("patchbay.toml"), config).expect("a file");
        let init = Command::new(binary())
            .args(["init", "--tenant", "Test", "--config"])
            .arg(dir.path().join("patchbay.toml"))
            .output()
            .expect("patchbay starts");
        let text = String::from_utf8_lossy(&init.stdout).into_owned();
        assert!(init.status.success(), "init: {text}{}", String::from_utf8_lossy(&init.stderr));
        let admin_password = text
            .lines()
            .find_map(|l| l.trim().strip_prefix("password:"))
            .unwrap_or_else(|| panic!("no password in: {text}"))
            .trim()
            .to_owned();
        let running = run(dir.path());
        let mut appliance =
            Self { dir, running, https, sip, base: format!("https://localhost:{https}"), admin_password };
        appliance.wait_until_ready();
        appliance
    }

    /// Starts it again after it was stopped or killed.
    pub fn start_again(&mut self) {
        self.running = run(self.dir.path());
        self.wait_until_ready();
    }

    fn wait_until_ready(&mut self) {
        let url = format!("https://127.0.0.1:{}/readyz", self.https);
        eventually("the appliance is ready", Duration::from_secs(60), || {
            assert!(self.running.runs(), "the appliance ended:\n{}", self.running.output());
            let answer = Command::new("curl")
                .args(["-ksf", "-m", "2", &url])
                .output()
                .expect("curl (Debian package curl)");
            answer.status.success().then_some(())
        });
    }

    /// Its folder for data.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Signs the administrator in.
    pub async fn admin(&self) -> Http {
        Http::sign_in(&self.base, "admin", &self.admin_password).await.expect("the administrator signs in")
    }

    /// Makes a skill, a service that needs it, a number and a trunk for 127.0.0.1. Returns the ids.
    pub async fn furnish(&self, admin: &Http, digits: &str) -> House {
        let skill = admin.post("/skills", json!({ "name": "English" })).await;
        let service = admin
            .post(
                "/services",
                json!({
                    "name": "Support",
                    "requirement": { "mode": "replace", "steps": [{ "who": { "at_least": { "skill": skill["id"], "level": 3 } }, "lasts_ms": null }] },
                    "queue": { "priority": 0, "priority_second": 60, "ring_time_ms": 20_000, "waiting_max": 500, "wait_time_max_ms": null,
                               "service_level_ms": 20_000, "refusal_cooldown_ms": 5_000, "when_unstaffed": "announce", "when_closed": "announce" },
                    "disposition_mandatory": false, "record": true, "open": true
                }),
            )
            .await;
        let path = format!("/services/{}/dispositions", text(&service["id"]));
        let disposition =
            admin.post(&path, json!({ "name": "Solved", "success": true, "closing": true })).await;
        admin.post("/numbers", json!({ "digits": digits, "service": service["id"] })).await;
        let trunk = json!({ "name": "carrier", "addresses": ["127.0.0.1/32"], "username": null, "target": null, "calls_max": 500, "srtp": "accept" });
        admin.post("/trunks", trunk).await;
        let groups = admin.get("/groups").await;
        let group = &groups["items"][0];
        admin
            .change(&format!("/groups/{}", text(&group["id"])), |g| {
                g["rules"]["after_login"] = "ready".into();
            })
            .await;
        House {
            skill: text(&skill["id"]),
            service: text(&service["id"]),
            disposition: text(&disposition["id"]),
            group: text(&group["id"]),
        }
    }

    /// Makes a user who can serve, and returns the id.
    pub async fn hire(
        &self,
        admin: &Http,
        house: &House,
        login: &str,
        phone: &str,
        extension: Option<&str>,
    ) -> String {
        let user = json!({
            "login": login, "name": format!("Agent {login}"), "email": null, "extension": extension, "role": "agent",
            "group": house.group, "skills": { house.skill.clone(): 5 }, "phone": phone, "disabled": false, "password": PASSWORD,
        });
        text(&admin.post("/users", user).await["id"])
    }

    /// UDP ports on which it takes media now: those of trunks and phones, RTCP included, and the browsers'.
    pub fn media_ports(&self) -> (Vec<u16>, u16) {
        let file = std::fs::read_to_string(self.dir.path().join("patchbay.toml")).expect("its configuration");
        let key = |name: &str| -> u16 {
            let line = file.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(" = "));
            line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {file}"))
        };
        let (first, last) = (key("port_min"), key("port_max"));
        // Others may use ports of the same stretch: only sockets of this process count.
        let files =
            std::fs::read_dir(format!("/proc/{}/fd", self.running.pid())).expect("its files").flatten();
        let own: Vec<PathBuf> = files.filter_map(|f| std::fs::read_link(f.path()).ok()).collect();
        let open = std::fs::read_to_string("/proc/net/udp").expect("the kernel's list of sockets");
        let port = |line: &str| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let inode = PathBuf::from(format!("socket:[{}]", columns.get(9)?));
            let port = u16::from_str_radix(columns.get(1)?.split_once(':')?.1, 16).ok()?;
            own.contains(&inode).then_some(port)
        };
        let legs = open.lines().filter_map(port).filter(|p| (first..=last + 1).contains(p)).collect();
        (legs, key("browser_port"))
    }

    /// What the appliance logged.
    pub fn log(&self) -> String {
        self.running.output()
    }
}

/// Password of every hired user.
pub const PASSWORD: &str = "Sesam-oeffne-1";

/// Ids of what [`Appliance::furnish`] made.
#[derive(Clone, Debug)]
pub struct House {
    /// The skill asked for.
    pub skill: String,
    /// The service.
    pub service: String,
    /// Its disposition.
    pub disposition: String,
    /// The team.
    pub group: String,
}

/// A JSON string as a string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

fn run(dir: &Path) -> Running {
    let log = dir.join(format!("patchbay-{}.log", std::fs::read_dir(dir).map_or(0, Iterator::count)));
    Running::start(
        "patchbay",
        "patchbay",
        Command::new(binary()).arg("run").arg("--config").arg(dir.join("patchbay.toml")),
        &log,
    )
}
