//! `patchbay demo`: a whole appliance in a temporary folder, and customers who keep calling it.
//!
//! The customers are SIPp, so what comes in is real SIP and real RTP with speech. Everything is gone at the end.

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use model::people::{PhoneKind, Role};
use model::service::Treatment;
use model::skill::Level;
use store::Store;
use tokio::process::{Child, Command};

use crate::config::{self, Config};
use crate::{init, logging, run, seed, sounds};

/// Where the demo listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Address of the console.
    pub listen: IpAddr,
    /// Console.
    pub https: u16,
    /// SIP, on 127.0.0.1.
    pub sip: u16,
    /// First of 2000 RTP ports; the browser's port lies behind them.
    pub media: u16,
}

const NUMBERS: [(&str, &str); 2] = [("Customer care", "+4930555100"), ("Technical support", "+4930555200")];
const CUSTOMERS: [(&str, &str, &str); 3] = [
    ("caller-1", "Mara Lind", "+493020011"),
    ("caller-2", "Viktor Sand", "+493020022"),
    ("caller-3", "Ines Rohde", "+493020033"),
];

/// Runs until Ctrl-C.
pub async fn demo(ports: Ports, every: u64) -> Result<()> {
    require_free(ports)?;
    require_sipp().await?;
    let dir = tempfile::Builder::new()
        .prefix("patchbay-demo-")
        .tempdir()
        .context("cannot make a temporary folder")?;
    let config = configuration(dir.path(), ports)?;
    init::folders(&config)?;
    let told = dir.path().join("patchbay.toml");
    // All that the other commands have to know of it.
    std::fs::write(&told, format!("data_dir = {:?}\n", dir.path()))
        .context("cannot write the configuration file")?;
    let level = logging::start(&config.log)?;
    let logins = furnish(&config).await?;
    let appliance = run::Appliance::start(config, None, level).await?;
    let callers = call(dir.path(), ports.sip, every)?;
    announce(ports, &logins, every, &told);
    let ended = run::interrupted().await;
    println!("\n{ended}: stopping …");
    drop(callers);
    appliance.stop(std::time::Duration::ZERO).await;
    dir.close().context("the temporary folder could not be removed")?;
    println!("Stopped; nothing is left behind.");
    Ok(())
}

fn require_free(ports: Ports) -> Result<()> {
    let console = SocketAddr::new(ports.listen, ports.https);
    if let Err(e) = TcpListener::bind(console) {
        bail!(
            "port {console} (console) cannot be used: {e}. `ss -lntp` shows by whom; choose another with --https-port"
        );
    }
    let sip = SocketAddr::from(([127, 0, 0, 1], ports.sip));
    if let Err(e) = UdpSocket::bind(sip).and(TcpListener::bind(sip).map(drop)) {
        bail!(
            "port {sip} (SIP) cannot be used: {e}. `ss -lnptu` shows by whom; choose another with --sip-port"
        );
    }
    if !ports.media.is_multiple_of(2) || !(1_024..=63_000).contains(&ports.media) {
        bail!("--media-port: {} is not an even port from 1024 to 63000", ports.media);
    }
    Ok(())
}

async fn require_sipp() -> Result<()> {
    match Command::new("sipp").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().await {
        Ok(_) => Ok(()),
        Err(e) => bail!("the simulated customers need SIPp ({e}): apt-get install sip-tester"),
    }
}

fn configuration(dir: &Path, ports: Ports) -> Result<Config> {
    let sip = vec![SocketAddr::from(([127, 0, 0, 1], ports.sip))];
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    if !ports.listen.is_unspecified() && !ports.listen.is_loopback() {
        names.push(ports.listen.to_string());
    }
    Ok(Config::try_from(config::File {
        data_dir: dir.into(),
        http: config::HttpFile {
            listen: vec![(ports.listen, ports.https).into()],
            names,
            ..Default::default()
        },
        sip: config::SipFile { udp: sip.clone(), tcp: sip, ..Default::default() },
        media: config::MediaFile {
            port_min: ports.media,
            port_max: ports.media + 1_998,
            browser_port: ports.media + 2_000,
            ..Default::default()
        },
        log: config::LogFile { level: "warn".into(), ..Default::default() },
        ..Default::default()
    })?)
}

/// Login, password and what the person is.
type Login = (&'static str, String, &'static str);

async fn furnish(config: &Config) -> Result<Vec<Login>> {
    let store = Store::open(&config.database_url).await.context("cannot make the database")?;
    let (tenant, group) = seed::tenant(&store, "Demo").await?;
    let level = Level::new(5).unwrap_or(Level::MAX);
    let care = seed::skill(&store, tenant, "Customer care").await?;
    let technical = seed::skill(&store, tenant, "Technical").await?;
    let endings = [("Solved", true), ("Call back", false), ("Wrong number", false)];
    for ((name, digits), skill) in NUMBERS.into_iter().zip([care, technical]) {
        let service = seed::service(&store, tenant, name, (skill, Level::MIN), &endings, digits).await?;
        // Nobody is signed in when the demo begins: let the first customers wait for you.
        seed::change_service(&store, tenant, service, |s| s.queue.when_unstaffed = Treatment::Queue).await?;
    }
    seed::trunk(&store, tenant, "demo-carrier", &["127.0.0.1/32"]).await?;
    let people = [
        ("anna", "Anna Berg", Role::Agent, "an agent for both services", Some("101")),
        ("boris", "Boris Orlov", Role::Agent, "another agent", Some("102")),
        ("vera", "Vera Holm", Role::Supervisor, "their supervisor", Some("103")),
        ("admin", "Administrator", Role::Administrator, "sets everything up", None),
    ];
    let mut logins = Vec::new();
    for (login, name, role, what, extension) in people {
        let skills =
            if role == Role::Administrator { vec![] } else { vec![(care, level), (technical, level)] };
        let new = seed::NewUser { login, name, role, extension, phone: PhoneKind::Browser, skills: &skills };
        let (_, password) = seed::user(&store, tenant, Some(group), new).await?;
        logins.push((login, password, what));
    }
    store.close().await;
    Ok(logins)
}

fn announce(ports: Ports, logins: &[Login], every: u64, told: &Path) {
    let host = if ports.listen.is_loopback() { "localhost".into() } else { ports.listen.to_string() };
    println!("\nPatchbay runs. Open  https://{host}:{}  in Chrome, Edge or Firefox", ports.https);
    println!("(the certificate is its own: the browser warns once, go on to the page).\n");
    println!("  {:<8} {:<18} ", "login", "password");
    for (login, password, what) in logins {
        println!("  {login:<8} {password:<18} {what}");
    }
    println!(
        "\nSign in as anna, allow the microphone, choose Ready: a customer calls about every {every} s."
    );
    let program =
        std::env::current_exe().map_or_else(|_| "patchbay".into(), |path| path.display().to_string());
    println!("In another terminal, with the file that says where it is:\n");
    println!("  export PATCHBAY_CONFIG={}", told.display());
    println!("  {program} queues --watch       who waits for what");
    println!("  {program} explain              why each of them waits, and what would help");
    println!("  {program} replay --from 1h     the past decided again, also under other rules\n");
    println!("Ctrl-C stops everything and leaves nothing behind.\n");
}

/// Lets the customers call, one every so many seconds. Dropping the result ends their calls.
fn call(dir: &Path, sip_port: u16, every: u64) -> Result<Callers> {
    for (voice, name, number) in CUSTOMERS {
        let own = dir.join(voice);
        std::fs::create_dir_all(&own)?;
        std::fs::write(own.join("speech.ul"), sounds::demo_speech(voice)?)?;
        std::fs::write(own.join("customer.xml"), scenario(name, number))?;
    }
    let dir = dir.to_owned();
    Ok(Callers(tokio::spawn(async move {
        let mut calling: [Option<Child>; CUSTOMERS.len()] = [const { None }; CUSTOMERS.len()];
        let mut tick = tokio::time::interval(std::time::Duration::from_secs(every));
        for next in (0..CUSTOMERS.len()).cycle() {
            tick.tick().await;
            // Nobody calls twice at once: a customer who still waits lets this turn pass.
            let ended = calling[next]
                .as_mut()
                .is_none_or(|child| child.try_wait().is_ok_and(|status| status.is_some()));
            if ended {
                calling[next] = match one_call(&dir, sip_port, next) {
                    Ok(child) => Some(child),
                    Err(error) => {
                        eprintln!("a simulated customer could not call: {error:#}");
                        None
                    }
                };
            }
        }
    })))
}

/// The customers' task; aborting it kills their processes.
struct Callers(tokio::task::JoinHandle<()>);

impl Drop for Callers {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn one_call(dir: &Path, sip_port: u16, customer: usize) -> Result<Child> {
    let own = dir.join(CUSTOMERS[customer].0);
    let log = std::fs::File::create(own.join("sipp.log"))?;
    Command::new("sipp")
        .current_dir(&own)
        .arg(format!("127.0.0.1:{sip_port}"))
        .args(["-sf", "customer.xml", "-s", NUMBERS[customer % NUMBERS.len()].1, "-nostdin", "-m", "1"])
        .args(["-i", "127.0.0.1", "-p", &(25_060 + customer).to_string()])
        .args(["-mi", "127.0.0.1", "-mp", &(26_000 + customer * 100).to_string()])
        .args(["-recv_timeout", "600000"])
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .context("SIPp does not start")
}

/// A customer who calls, speaks, waits up to two minutes in all, and hangs up or is hung up on.
fn scenario(name: &str, number: &str) -> String {
    include_str!("customer.xml").replace("{NAME}", name).replace("{NUMBER}", number)
}
