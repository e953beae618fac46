//! The wires of a way: the direct one, and far ends that drop at their interface.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::net::{Net, Side};

/// Where far ends meet with nobody between, callers first.
pub const DIRECT: [&str; 2] = ["10.77.3.1", "10.77.3.2"];
const FAR: [Side; 2] = [Side::Left, Side::Right];

/// A wire between the far ends themselves, of the same kind as the others.
pub fn join(net: &Net) -> Result<(), String> {
    let [left, right] = FAR.map(|side| net.namespace(side));
    let peer = ["peer", "name", "direct", "netns", &right];
    run("ip", &[&["-n", &left, "link", "add", "direct", "type", "veth"][..], &peer].concat())?;
    for (namespace, ip) in [(&left, DIRECT[0]), (&right, DIRECT[1])] {
        run("ip", &["-n", namespace, "addr", "add", &format!("{ip}/24"), "dev", "direct"])?;
        run("ip", &["-n", namespace, "link", "set", "direct", "up"])?;
        run("ip", &["netns", "exec", namespace, "ethtool", "-K", "direct", "gro", "on"])?;
    }
    Ok(())
}

/// The program that drops, compiled by the clang that compiles ours.
pub fn compile(folder: &Path) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder).map_err(|why| why.to_string())?;
    let (object, source) = (folder.join("drop.o"), folder.join("drop.c"));
    std::fs::write(&source, include_str!("drop.c")).map_err(|why| why.to_string())?;
    let clang = std::env::var("CLANG").unwrap_or_else(|_| "clang".into());
    let [from, to] = [&source, &object].map(|path| path.to_string_lossy().into_owned());
    run(&clang, &["-O2", "-target", "bpf", "-mcpu=v3", "-c", &from, "-o", &to])?;
    Ok(object)
}

/// Far ends that drop, until this is dropped itself.
pub struct Dropping<'a> {
    net: &'a Net,
    link: &'static str,
}

impl<'a> Dropping<'a> {
    pub fn begin(net: &'a Net, link: &'static str, object: &Path) -> Result<Self, String> {
        let this = Self { net, link };
        let object = object.to_string_lossy();
        for side in FAR {
            let to = ["-n", &net.namespace(side), "link", "set", "dev", link];
            run("ip", &[&to[..], &["xdpdrv", "obj", &object, "sec", "xdp"]].concat())?;
        }
        Ok(this)
    }

    /// How many were dropped so far.
    pub fn count(&self) -> Result<u64, String> {
        let mut sum = 0;
        for side in FAR {
            let args = ["netns", "exec", &self.net.namespace(side), "ethtool", "-S", self.link];
            let told = run("ip", &args)?;
            let counts = told.lines().filter_map(|line| line.trim().split_once("_xdp_drops: "));
            sum += counts.filter_map(|(_, count)| count.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(sum)
    }
}

impl Drop for Dropping<'_> {
    fn drop(&mut self) {
        for side in FAR {
            let of = ["-n", &self.net.namespace(side), "link", "set", "dev", self.link, "xdpdrv", "off"];
            run("ip", &of).ok();
        }
    }
}

fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let done = Command::new(program).args(args).output().map_err(|why| format!("{program}: {why}"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(format!("{program} {args:?}: {}", String::from_utf8_lossy(&done.stderr)))
}
