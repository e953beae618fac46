//! One PostgreSQL server, started and stopped by a test.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A PostgreSQL server of a test's own. Reached by a unix socket in its folder, never by the network.
pub struct PostgresServer {
    bin: PathBuf,
    folder: PathBuf,
    durable: bool,
    /// Stops the server when this process, and with it the other end of the child's standard input, is gone.
    watchdog: Child,
}

impl PostgresServer {
    /// Starts a server that trusts its disk (`fsync=off`): fast, and right for tests in which PostgreSQL itself is
    /// not killed.
    pub fn start() -> Self {
        Self::start_as(false)
    }

    /// Starts a server that flushes like one in production.
    pub fn start_durable() -> Self {
        Self::start_as(true)
    }

    /// Whether PostgreSQL is installed here.
    pub fn is_installed() -> bool {
        bin().is_some()
    }

    fn start_as(durable: bool) -> Self {
        let Some(bin) = bin() else {
            panic!("PostgreSQL is not installed: these tests need the package `postgresql` (initdb, pg_ctl)");
        };
        let folder = match tempfile::Builder::new().prefix("patchbay-pg-").tempdir() {
            Ok(folder) => folder.keep(),
            Err(error) => panic!("no temporary folder: {error}"),
        };
        let data = folder.join("data");
        if is_root() {
            // The server refuses to be root: its folder belongs to the user of the package, and the way there is open.
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))
                .expect("our own folder");
            run(Command::new("install").args(["-d", "-o", "postgres", "-m", "700"]).arg(&data));
        }
        let watchdog = watchdog(&bin, &folder);
        let mut initdb = as_postgres(&bin.join("initdb"));
        initdb
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data);
        run(&mut initdb);
        let server = Self { bin, folder, durable, watchdog };
        server.resume();
        server
    }

    /// Creates an empty database and gives its URL.
    pub fn create_database(&self, name: &str) -> String {
        let mut createdb = as_postgres(&self.bin.join("createdb"));
        run(createdb.arg("--host").arg(self.data()).args(["--username=postgres", name]));
        format!("postgres://postgres@localhost/{name}?host={}", self.data().display())
    }

    /// Starts the server again after [`PostgresServer::stop`].
    pub fn resume(&self) {
        let fsync = if self.durable { "on" } else { "off" };
        let socket = self.data();
        let options = format!(
            "-c listen_addresses= -c unix_socket_directories={} -c max_connections=200 -c fsync={fsync} \
             -c full_page_writes={fsync} -c shared_buffers=32MB",
            socket.display()
        );
        let mut start = as_postgres(&self.bin.join("pg_ctl"));
        start.args(["-w", "-t", "60", "-D"]).arg(self.data()).arg("-l").arg(self.data().join("log"));
        run(start.arg("-o").arg(options).arg("start"));
    }

    /// Stops the server at once, as a fault would: connections break, open transactions are lost.
    pub fn stop(&self) {
        run(as_postgres(&self.bin.join("pg_ctl"))
            .args(["-w", "-m", "immediate", "-D"])
            .arg(self.data())
            .arg("stop"));
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // The watchdog does the rest once its standard input ends.
        drop(self.watchdog.stdin.take());
        self.watchdog.wait().ok();
    }
}

/// Where Debian keeps the server's programs, the newest version; or beside a `pg_ctl` in the search path.
fn bin() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("pg_ctl").exists())
        .collect();
    found.sort();
    let in_path =
        || std::env::split_paths(&std::env::var_os("PATH")?).find(|folder| folder.join("pg_ctl").exists());
    found.pop().map(|(_, bin)| bin).or_else(in_path)
}

fn is_root() -> bool {
    // The folder of our own process belongs to whom we run as.
    std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

fn as_postgres(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // Our working folder may be closed to that user.
    command.current_dir("/").stdin(Stdio::null());
    command
}

/// Runs a command to its end. Its output goes to a file, not to a pipe: a server that it leaves running would keep the
/// pipe open for ever.
fn run(command: &mut Command) {
    let output = tempfile::tempfile().expect("a temporary file");
    let (stdout, stderr) = (output.try_clone().expect("a handle"), output.try_clone().expect("a handle"));
    let status = command.stdout(stdout).stderr(stderr).status();
    match status {
        Ok(status) if status.success() => {}
        other => {
            let mut output = output;
            let mut said = String::new();
            std::io::Seek::rewind(&mut output).ok();
            std::io::Read::read_to_string(&mut output, &mut said).ok();
            panic!("{command:?} failed ({other:?}):\n{said}");
        }
    }
}

fn watchdog(bin: &Path, folder: &Path) -> Child {
    let script = r#"
        read -r _ 
        if [ -f "$2/data/postmaster.pid" ]; then $3 "$1/pg_ctl" -w -m immediate -D "$2/data" stop; fi
        rm -rf "$2"
    "#;
    let become_postgres = if is_root() { "runuser -u postgres --" } else { "" };
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(script).arg("postgres-watchdog").arg(bin).arg(folder).arg(become_postgres);
    // A group of its own, so that an interrupt from the keyboard does not end it before its work is done.
    shell.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    match shell.spawn() {
        Ok(child) => child,
        Err(error) => panic!("no shell: {error}"),
    }
}
