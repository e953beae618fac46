//! What the kernel's fast path saves (MEDIA-04): the same plain calls over the same virtual Ethernet, relayed by rtpengine in
//! user space, by our sockets, and by the XDP program.
//!
//! Far ends and programs are in network namespaces of their own, one set of three for each program:
//!
//! ```text
//! callers ── veth ── the program ── veth ── callees        callers ── veth ── callees (nobody between)
//! ```
//! Most of what relaying costs there is not charged to the program: packets that come in are taken through the stack, or through
//! the XDP program, in the time of whoever sent them. So the time of everybody counts: of the program, of the kernel's own threads
//! for packets, and of the load, as far as it sends and listens (that it wakes by its schedule is its own affair, and would
//! hide the rest). From each the same is subtracted: what load and kernel need for the same calls with nobody between.
//!
//! It is done twice. **At sockets** the far ends are sockets, and every packet is looked at. But a veth hands packets to an XDP program
//! only as copies in pages of their own, and makes new buffers of what a program forwards: work that is no relaying, and that a network
//! card does not have. So what is compared is taken **at the interface**: far ends drop what they get by an XDP program of their
//! own, whose drops are counted. Then every packet is copied once on its whole way, whoever relays it: before our program, or before
//! the one that drops it; and so it is with nobody between.

mod figures;
mod wires;

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use media::driver::DriverChoice;

use crate::cpu;
use crate::load::{self, Listening, Party, Talk};
use crate::net::{Net, Side, net};
use crate::ng_client::Line;
use crate::profile::Said;
use crate::program::{Kind, Program};
use figures::{Figures, Sample};
use wires::{DIRECT, Dropping};

/// Before a window: the kernel takes a stream that has been plain for a second, at the next look, which is once a second.
const LEAD: Duration = Duration::from_secs(3);
/// Who relays, in the order of their turns; the first is nobody, the second the peer.
const WAYS: [Option<Kind>; 4] =
    [None, Some(Kind::Rtpengine), Some(Kind::Ours(DriverChoice::Uring)), Some(Kind::Kernel)];
const SIZES: [usize; 2] = [500, 1_000];

/// Where packets end; see the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Interface,
    Sockets,
}

/// How much is measured.
pub struct Plan {
    pub rounds: usize,
    pub length: Duration,
    pub calls_max: usize,
}

/// One way for packets, with its calls.
struct Way {
    kind: Option<Kind>,
    parties: Vec<Party>,
    program: Option<RefCell<Program>>,
    net: Net,
    dropper: PathBuf,
}

/// Runs it, prints what was found and leaves it in the file.
pub fn gather(folder: &Path, file: &Path, plan: &Plan, said: &Said) -> Result<(), String> {
    let dropper = wires::compile(folder)?;
    let mut ways = Vec::new();
    for kind in WAYS {
        ways.push(Way::open(kind, folder, &dropper)?);
    }
    let mut figures = Figures::default();
    let mut sizes = SIZES.map(|calls| calls.min(plan.calls_max)).to_vec();
    sizes.dedup();
    for calls in sizes {
        for way in &mut ways {
            way.grow(calls, said)?;
        }
        // At sockets once, because it is to see that all arrives as it should.
        for end in std::iter::once(End::Sockets).chain((0..plan.rounds).map(|_| End::Interface)) {
            for way in &mut ways {
                figures.samples.push((end, way.kind, calls, way.run(calls, plan.length, end)?));
            }
        }
    }
    if let Some(way) = ways.iter_mut().find(|way| way.kind == Some(Kind::Kernel)) {
        figures.program_ns = way.run_with_statistics(plan);
    }
    figures.show();
    std::fs::remove_dir_all(folder).ok();
    let text = serde_json::to_string_pretty(&figures.json()).unwrap_or_default();
    std::fs::write(file, text).map_err(|why| format!("{}: {why}", file.display()))
}

impl Way {
    fn open(kind: Option<Kind>, folder: &Path, dropper: &Path) -> Result<Self, String> {
        let net = net().ok_or("network namespaces are ruled out by PATCHBAY_TESTS_WITHOUT_PRIVILEGE")?;
        let addresses = [("left", false), ("right", true)];
        let addresses = addresses.map(|(name, right)| (name, net.address(Side::Middle, right, false)));
        let program = match kind {
            None => {
                wires::join(&net)?;
                None
            }
            Some(kind) => Some(RefCell::new(
                net.within(Side::Middle, || Program::start_with(kind, folder, 1, &addresses))?,
            )),
        };
        Ok(Self { kind, parties: Vec::new(), program, net, dropper: dropper.into() })
    }

    fn name(&self) -> &'static str {
        self.kind.map_or("nobody", Kind::name)
    }

    fn far_end(&self, side: Side) -> IpAddr {
        let right = side == Side::Right;
        if self.program.is_some() {
            return self.net.address(side, right, false);
        }
        DIRECT[usize::from(right)].parse().expect("an address")
    }

    /// Sets up calls until there are so many.
    fn grow(&mut self, calls: usize, said: &Said) -> Result<(), String> {
        let first = self.parties.len() / 2;
        let [callers, callees] = [Side::Left, Side::Right].map(|side| {
            let (at, odd) = (self.far_end(side), usize::from(side == Side::Right));
            let one = |call: usize| Party::new(2 * call + odd, at, said.mu.clone(), 0);
            self.net.within(side, || (first..calls).map(one).collect::<Vec<_>>())
        });
        for (call, (mut caller, mut callee)) in (first..).zip(callers.into_iter().zip(callees)) {
            (caller.to, callee.to) = match &self.program {
                None => (callee.addr(), caller.addr()),
                Some(program) => connect(&mut program.borrow_mut(), call, &caller, &callee)
                    .map_err(|why| format!("{}: call {call}: {why}", self.name()))?,
            };
            for party in [&mut caller, &mut callee] {
                party.expects.1 = Some(said.mu.payloads.clone());
            }
            self.parties.extend([caller, callee]);
        }
        Ok(())
    }

    /// Lets so many calls talk.
    fn run(&mut self, calls: usize, length: Duration, end: End) -> Result<Sample, String> {
        let pid = self.program.as_ref().map(|program| program.borrow().pid());
        let realtime = pid.is_none_or(cpu::raise);
        let kernel = cpu::kernel_threads();
        let counters = || self.program.as_ref().and_then(|program| program.borrow_mut().counters());
        let seen = RefCell::new(Vec::new());
        let look = || {
            // Asking costs a little, so it is done outside.
            let early = if seen.borrow().is_empty() { counters() } else { None };
            let program_us = pid.map_or(0.0, cpu::spent_us);
            let kernel_us = kernel.iter().map(|pid| cpu::spent_us(*pid)).sum::<f64>();
            let told = early.or_else(counters);
            seen.borrow_mut().push(([kernel_us, program_us], told));
            0.0
        };
        let link = if self.program.is_some() { "out" } else { "direct" };
        let dropping =
            if end == End::Interface { Some(Dropping::begin(&self.net, link, &self.dropper)?) } else { None };
        let listening = if end == End::Interface { Listening::Never } else { Listening::Evenly };
        let talk = Talk { lead: LEAD, listening, ..Talk::of(length) };
        let mut counted = load::run(&mut self.parties[..2 * calls], talk, look);
        if let Some(dropping) = dropping {
            // Counted since the program came to the interface.
            counted.received = dropping.count()?;
        }
        let seen = seen.into_inner();
        pid.into_iter().for_each(cpu::await_rest);
        Ok(Sample::between(&seen[0], &seen[1], &counted, length, realtime))
    }

    /// Nanoseconds that the XDP program takes by itself, and how many packets it saw of a hundred sent: by the kernel's statistics
    /// of programs, which cost time themselves.
    fn run_with_statistics(&mut self, plan: &Plan) -> Option<(f64, f64)> {
        const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";
        let before = std::fs::read_to_string(SWITCH).ok()?;
        let pid = self.program.as_ref()?.borrow().pid();
        std::fs::write(SWITCH, "1").ok()?;
        let calls = self.parties.len() / 2;
        let begun = cpu::bpf_runs(pid);
        let talk = Talk { listening: Listening::Evenly, ..Talk::of(plan.length) };
        let counted = load::run(&mut self.parties[..2 * calls], talk, || 0.0);
        let ended = cpu::bpf_runs(pid);
        std::fs::write(SWITCH, before).ok();
        let (spent, runs) = (ended?.0 - begun?.0, ended?.1 - begun?.1);
        Some((spent / runs, 100.0 * runs / counted.sent as f64))
    }
}

/// The same words to both programs; where the caller sends, and the callee.
fn connect(
    program: &mut Program,
    call: usize,
    caller: &Party,
    callee: &Party,
) -> Result<(SocketAddr, SocketAddr), String> {
    let line = |party: &Party| Line {
        at: party.addr(),
        profile: "RTP/AVP",
        payload_type: 0,
        codec: "PCMU/8000",
        crypto: None,
        attributes: "",
    };
    let more = "3:ICE6:remove9:directionl4:left5:righte";
    let offered = program.client.offer(call, &line(caller), more)?;
    let answered = program.client.answer(call, &line(callee))?;
    Ok((answered.to, offered.to))
}
