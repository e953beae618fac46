//! Compiles the XDP program by clang. Without a clang that knows BPF the build goes on, and the fast path says why it is absent.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/bpf");
    println!("cargo::rerun-if-env-changed=CLANG");
    println!("cargo::rerun-if-env-changed=PATH");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("relay.o");
    let clang = std::env::var_os("CLANG").unwrap_or_else(|| "clang".into());
    // Debug information is where the layout of the lock in a map's value is read from.
    let compiled = Command::new(&clang)
        .args(["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-target", "bpf", "-mcpu=v3"])
        .args(["-fno-ident", "-fdebug-prefix-map=.=", "-c", "src/bpf/relay.c", "-o"])
        .arg(&out)
        .output();
    let why = match compiled {
        Ok(done) if done.status.success() => return,
        Ok(done) => String::from_utf8_lossy(&done.stderr).trim().replace('\n', " "),
        Err(why) => why.to_string(),
    };
    println!("cargo::warning=built without the kernel fast path: {}: {why}", clang.to_string_lossy());
    if let Err(why) = std::fs::write(&out, []) {
        println!("cargo::error=cannot write {}: {why}", out.display());
    }
}
