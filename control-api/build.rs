//! Looks again when the console was built anew: its files are embedded.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Named only when it is there: cargo would rebuild every time for a path that is missing.
    if std::path::Path::new("../console/dist").exists() {
        println!("cargo::rerun-if-changed=../console/dist");
    }
}
