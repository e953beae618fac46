//! A signalling with a real media plane on the loopback, a desk that the test plays, and SIPp as trunk and phones.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

pub mod sipp;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use media::plane::{Interface, Plane, PlaneConfig, PlaneHandle};
use media::prompt::Prompt;
use model::call::{CallConfig, CallFact, CallOrder, Ha1, PhoneAccount, Sound};
use model::id::{Id, InteractionId, OfferToken, RecordingId, TenantId, TrunkId, UserId};
use model::media::Codec;
use model::people::PhoneKind;
use model::service::{SrtpPolicy, Trunk};
use model::time::Timestamp;
use rand::Rng as _;
use signaling::digest::{Algorithm, Secrets};
use signaling::service::{
    Listener, MediaPlane, Signaling, SignalingConfig, SignalingHandle, TlsIdentity, Transport,
};
use signaling::trace::TraceConfig;

pub const REALM: &str = "patchbay.test";
/// Calls from here are the trunk's.
pub const TRUNK_IP: &str = "127.0.0.2";
/// The phone's, and strangers'.
pub const OTHER_IP: &str = "127.0.0.1";
pub const EXTENSION: &str = "201";

/// Longest wait for anything that should happen at once.
const PATIENCE: Duration = Duration::from_secs(15);

pub struct House {
    pub handle: SignalingHandle,
    pub dir: tempfile::TempDir,
    pub agent: UserId,
    seen: Vec<CallFact>,
    // Ends its threads when dropped, after the signalling.
    _plane: Plane,
}

impl House {
    pub async fn open() -> Self {
        Self::open_with(500, None).await
    }

    pub async fn open_with(calls_max: usize, tls: Option<TlsIdentity>) -> Self {
        Self::open_on(calls_max, tls, |plane| Arc::new(plane)).await
    }

    /// With something between the signalling and the media plane.
    pub async fn open_on(
        calls_max: usize,
        tls: Option<TlsIdentity>,
        between: impl FnOnce(PlaneHandle) -> Arc<dyn MediaPlane>,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A second of A-law silence and a bit of noise for SIPp to play.
        let tone: Vec<u8> = (0..8_000u32).map(|n| if n % 16 < 8 { 0xd5 } else { 0x35 }).collect();
        std::fs::write(dir.path().join("tone.alaw"), tone).unwrap();
        let plane = Plane::start(PlaneConfig {
            threads: 1,
            pin: false,
            interfaces: [OTHER_IP, "::1"].map(|a| Interface { bind: ip(a), advertised: ip(a) }).to_vec(),
            ice_port: Some(0),
            port_min: 42_000,
            port_max: 45_999,
            ..PlaneConfig::default()
        })
        .unwrap();
        let mut transports = vec![Transport::Udp, Transport::Tcp];
        transports.extend(tls.is_some().then_some(Transport::Tls));
        let listen = |transport, at| Listener {
            transport,
            bind: SocketAddr::new(ip(at), 0),
            advertise: None,
            media: ip(at),
        };
        let mut listeners: Vec<_> =
            transports.into_iter().map(|transport| listen(transport, OTHER_IP)).collect();
        listeners.push(listen(Transport::Udp, "::1"));
        let music = Arc::new(prompt("music", 4_000));
        let config = SignalingConfig {
            listeners,
            tls,
            recordings: dir.path().to_owned(),
            named_sounds: Arc::new({
                let music = music.clone();
                move |_: &str| music.clone()
            }),
            sounds: Arc::new(move |_: Sound| music.clone()),
            announce: Arc::new(prompt("two tones", 2_400)),
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            annexb: true,
            calls_max,
            user_agent: "Patchbay test".into(),
            trace: TraceConfig { keep: true, hep: None },
            clock: Arc::new(now),
            random: Arc::new(random),
        };
        // SIPp knows MD5 only, and looks at the first challenge only.
        let digest = vec![Algorithm::Md5, Algorithm::Sha256];
        let events = plane.events().unwrap();
        let handle =
            Signaling::start_offering(digest, config, between(plane.handle()), events).await.unwrap();
        let house = Self { handle, dir, agent: UserId::from_number(1), seen: Vec::new(), _plane: plane };
        house.order(CallOrder::Configure(Box::new(house.config()))).await;
        house
    }

    fn config(&self) -> CallConfig {
        let tenant = TenantId::from_number(1);
        let trunk = Trunk {
            id: TrunkId::from_number(1),
            tenant,
            name: "carrier".into(),
            addresses: vec![TRUNK_IP.into()],
            username: Some("carrier".into()),
            target: None,
            account: None,
            registers: false,
            calls_max: 100,
            srtp: SrtpPolicy::Accept,
        };
        CallConfig {
            realm: REALM.into(),
            trunks: vec![(trunk, Some(ha1("carrier", "s3cret")))],
            phones: vec![PhoneAccount {
                agent: self.agent,
                tenant,
                extension: EXTENSION.into(),
                ha1: ha1(EXTENSION, "ph0ne"),
                srtp: SrtpPolicy::Accept,
            }],
            logins: Vec::new(),
        }
    }

    pub fn at(&self, transport: Transport) -> SocketAddr {
        self.handle.listeners().iter().find(|l| l.transport == transport).unwrap().bound
    }

    pub async fn order(&self, order: CallOrder) {
        self.handle.orders.send(order).await.unwrap();
    }

    /// The next fact that fits; others are kept for [`House::seen`].
    pub async fn fact<T>(&mut self, what: &str, fits: impl Fn(&CallFact) -> Option<T>) -> T {
        let wait = async {
            loop {
                let fact = self.handle.facts.recv().await.expect("signalling runs");
                let found = fits(&fact);
                self.seen.push(fact);
                if let Some(found) = found {
                    return found;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(found) => found,
            Err(_) => panic!("waited for {what}; seen: {:#?}", self.seen),
        }
    }

    pub fn seen(&self) -> &[CallFact] {
        &self.seen
    }

    pub async fn incoming(&mut self) -> InteractionId {
        self.fact("a call", |f| match f {
            CallFact::Incoming { interaction, .. } => Some(*interaction),
            _ => None,
        })
        .await
    }

    /// The call's end, with what was said of it.
    pub async fn ended(&mut self) -> (model::interaction::EndedBy, Option<String>) {
        self.fact("the end", |f| match f {
            CallFact::Ended { by, failure, .. } => Some((*by, failure.clone())),
            _ => None,
        })
        .await
    }

    pub async fn play_music(&self, interaction: InteractionId) {
        self.order(CallOrder::Play { interaction, sound: Sound::QueueMusic, then_hang_up: false }).await;
    }

    pub async fn ring_phone(&self, interaction: InteractionId) -> OfferToken {
        let token = OfferToken::from_number(7);
        self.order(CallOrder::RingAgent { interaction, token, agent: self.agent, phone: PhoneKind::Sip })
            .await;
        token
    }

    pub async fn connect(&self, interaction: InteractionId, record: Option<RecordingId>) {
        self.order(CallOrder::Connect { interaction, agent: self.agent, record, announce: false }).await;
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn recording(&self, recording: RecordingId) -> PathBuf {
        self.path().join(format!("{recording}.pbr"))
    }

    pub fn counted(&self, name: &str) -> u64 {
        self.handle.counters().all().into_iter().find(|(n, _)| *n == name).unwrap().1
    }
}

fn prompt(name: &str, samples: usize) -> Prompt {
    let pcm_8k: Vec<i16> = (0..samples).map(|n| if n % 20 < 10 { 4_000 } else { -4_000 }).collect();
    Prompt::from_pcm(name, 8_000, &pcm_8k).unwrap()
}

fn ha1(user: &str, password: &str) -> Ha1 {
    let secrets = Secrets::of(user, REALM, password);
    Ha1 { md5: secrets.md5.unwrap(), sha256: secrets.sha256.unwrap() }
}

pub fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the test is the appliance's clock here")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap())
}

#[expect(clippy::disallowed_methods, reason = "the test is the appliance's randomness here")]
pub fn random(buffer: &mut [u8]) {
    rand::rng().fill_bytes(buffer);
}
