//! MP3 through the `lame` program. LAME is LGPL, so it stays a program of its own, never a part of this one.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::keys::RecordingKey;
use super::sealed::{MadeAudio, Out};

/// Why there is no MP3.
#[derive(Debug, thiserror::Error)]
pub enum Mp3Error {
    /// The program is not installed.
    #[error("MP3 needs the program `lame`, which is not installed: apt install lame")]
    LameMissing,
    /// What should become an MP3 is no WAV file. `lame` would take it for bare samples and make noise of it.
    #[error("{0} is not a WAV file")]
    NotWav(PathBuf),
    /// It refused the file.
    #[error("lame failed on {wav}: {why}")]
    Lame {
        /// What it was given.
        wav: PathBuf,
        /// What it said last.
        why: String,
    },
    /// It took longer than a broken one should.
    #[error("lame was stopped after {seconds} s")]
    TimedOut {
        /// How long it ran.
        seconds: u64,
    },
    /// A file could not be read or written.
    #[error("the MP3 cannot be written")]
    Io(#[from] std::io::Error),
}

/// Makes an MP3 of a WAV file; two channels stay two. Blocks while `lame` runs, at most 30 s and a second for each
/// megabyte. The result appears whole or not at all.
pub fn mp3(wav: &Path, out: &Path) -> Result<(), Mp3Error> {
    let octets = std::fs::metadata(wav)?.len();
    hound::WavReader::open(wav).map_err(|_| Mp3Error::NotWav(wav.to_path_buf()))?;
    let part = super::finish::part_of(out);
    let made = run("lame", wav, &part, Duration::from_secs(30 + octets / 1_000_000));
    if made.is_err() {
        // There may be nothing to remove.
        _ = std::fs::remove_file(&part);
    }
    made?;
    std::fs::rename(&part, out)?;
    Ok(())
}

/// The same between encrypted files: nothing is in the clear on the disk, so `lame` reads from and writes to pipes. It
/// cannot go back in a pipe to write how long a variable rate is, so the rate is constant.
pub fn mp3_with(wav: &Path, out: &Path, keys: &[RecordingKey]) -> Result<(), Mp3Error> {
    let source = MadeAudio::open(wav, keys)?;
    let key = keys.first().filter(|_| source.is_sealed());
    let limit = Duration::from_secs(30 + source.len() / 1_000_000);
    let part = super::finish::part_of(out);
    let made = pipe("lame", wav, source, Out::create(&part, key)?, limit);
    if made.is_err() {
        // There may be nothing to remove.
        _ = std::fs::remove_file(&part);
    }
    made?;
    std::fs::rename(&part, out)?;
    Ok(())
}

fn pipe(program: &str, wav: &Path, source: MadeAudio, mut out: Out, limit: Duration) -> Result<(), Mp3Error> {
    let child = Command::new(program)
        .args(["--quiet", "-m", "s", "--cbr", "-b", "64", "-t", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Mp3Error::LameMissing),
        Err(error) => return Err(error.into()),
    };
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let waited = std::thread::scope(|scope| {
        let fed = scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                // A program that ends early closes the pipe; its status tells why.
                drop(std::io::copy(&mut source.reader(), &mut stdin));
            }
        });
        let taken = scope.spawn(move || match stdout {
            Some(mut stdout) => std::io::copy(&mut stdout, &mut out).and_then(|_| out.end()),
            None => Ok(()),
        });
        // Both end when the program does, for then its pipes are closed.
        let status = wait(&mut child, limit);
        drop(fed.join());
        let taken = taken.join().unwrap_or_else(|_| Err(std::io::Error::other("the reader of lame failed")));
        status.and_then(|status| taken.map(|()| status).map_err(Mp3Error::from))
    });
    let status = waited?;
    told(status, child, wav)
}

fn run(program: &str, wav: &Path, out: &Path, limit: Duration) -> Result<(), Mp3Error> {
    // lame knows no `--`: a path in front keeps a file name from being taken for an option.
    let anchored = |path: &Path| Path::new(".").join(path);
    // Plain stereo: joint stereo would mix a little of one voice into the other.
    let child = Command::new(program)
        .args(["--quiet", "-m", "s", "-V", "5"])
        .args([anchored(wav), anchored(out)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Mp3Error::LameMissing),
        Err(error) => return Err(error.into()),
    };
    let status = wait(&mut child, limit)?;
    told(status, child, wav)
}

/// Waits, but not for ever.
fn wait(child: &mut Child, limit: Duration) -> Result<ExitStatus, Mp3Error> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if waited >= limit {
            child.kill()?;
            child.wait()?;
            return Err(Mp3Error::TimedOut { seconds: waited.as_secs() });
        }
        std::thread::sleep(POLL);
        waited += POLL;
    }
}

fn told(status: ExitStatus, mut child: Child, wav: &Path) -> Result<(), Mp3Error> {
    if status.success() {
        return Ok(());
    }
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        use std::io::Read;
        // What a failing program says may be no text; the exit status is told in any case.
        _ = stderr.take(4_096).read_to_string(&mut said);
    }
    let why = said.lines().last().map_or_else(|| status.to_string(), str::to_owned);
    Err(Mp3Error::Lame { wav: wav.to_path_buf(), why })
}

const POLL: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_installed_is_named() {
        let error = run("lame-is-not-here", Path::new("a.wav"), Path::new("a.mp3"), POLL).unwrap_err();
        assert!(matches!(error, Mp3Error::LameMissing));
        assert!(error.to_string().contains("apt install lame"), "the operator learns what to do");
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let folder = tempfile::tempdir().expect("a folder");
        let hanging = folder.path().join("hangs");
        std::fs::write(&hanging, "#!/bin/sh\nexec sleep 60\n").expect("written");
        std::fs::set_permissions(&hanging, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("executable");
        let error =
            run(&hanging.to_string_lossy(), Path::new("a.wav"), Path::new("a.mp3"), POLL * 5).unwrap_err();
        assert!(matches!(error, Mp3Error::TimedOut { .. }));
    }

    #[test]
    fn what_lame_refuses_is_told_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let (wav, out) = (folder.path().join("x.wav"), folder.path().join("x.mp3"));
        let spec = hound::WavSpec {
            channels: 6,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        hound::WavWriter::create(&wav, spec).and_then(hound::WavWriter::finalize).expect("written");
        assert!(matches!(mp3(&wav, &out), Err(Mp3Error::Lame { .. })));
        std::fs::write(&wav, b"no music").expect("written");
        assert!(matches!(mp3(&wav, &out), Err(Mp3Error::NotWav(_))));
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1);
    }
}
