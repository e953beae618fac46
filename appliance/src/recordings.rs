//! `patchbay recording`: proof of what a recording holds, and the tenant's key.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use media::record::{self, EXTENSION, EXTENSION_DONE, EXTENSION_KEY, Finished, KeyError, Vault};
use model::recording::Completeness;

use crate::cli::RecordingCommand;
use crate::config::Config;

/// Where recordings and the tenant's key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub dir: PathBuf,
    /// The file of the tenant's key.
    pub key_file: PathBuf,
}

impl Place {
    /// Of an appliance.
    pub fn of(config: &Config) -> Self {
        Self { dir: config.recordings_dir.clone(), key_file: config.recording_key_file.clone() }
    }
}

/// Opens the tenant's key, or makes it the first time. A key that was lost is not replaced silently: nothing that was
/// recorded under it could be played.
pub fn vault(place: &Place) -> Result<Vault> {
    let file = &place.key_file;
    if file.exists() {
        return Ok(Vault::open(file)?);
    }
    let encrypted = std::fs::read_dir(&place.dir).is_ok_and(|mut entries| {
        entries.any(|e| e.is_ok_and(|e| e.path().extension().is_some_and(|e| e == EXTENSION_KEY)))
    });
    if encrypted {
        bail!(
            "{} is missing, and recordings in {} are encrypted with it: restore it from your backup",
            file.display(),
            place.dir.display()
        );
    }
    let vault = Vault::create(file)?;
    tracing::info!(file = %file.display(), "made the key that recordings are encrypted with: keep a copy elsewhere");
    Ok(vault)
}

/// Does what was asked.
pub fn run(place: &Place, command: RecordingCommand) -> Result<ExitCode> {
    match command {
        RecordingCommand::Verify { recording, json } => verify(place, &recording, json),
        RecordingCommand::RenewKey => {
            let vault = Vault::open(&place.key_file)?;
            vault.renew()?;
            // A recording that began in between was wrapped with either key; the second pass sees it.
            vault.rewrap(&place.dir)?;
            let count = vault.rewrap(&place.dir)?;
            vault.forget_old()?;
            println!("{count} recordings are wrapped with the new key; the old one is forgotten.");
            println!("Make a new copy of {}.", place.key_file.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn verify(place: &Place, recording: &str, json: bool) -> Result<ExitCode> {
    let container = find(place, recording)?;
    let keys = match Vault::open(&place.key_file).and_then(|vault| vault.of(&container)) {
        Err(KeyError::Gone(_)) => vec![],
        // A file given by hand may be in the clear, on a machine without keys.
        Err(KeyError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => vec![],
        keys => keys?,
    };
    let found = record::verify(&container, &keys).context("cannot be verified")?;
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        show(&found);
    }
    Ok(if found.verdict == Completeness::Incomplete { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn find(place: &Place, recording: &str) -> Result<PathBuf> {
    let file = Path::new(recording);
    if file.is_file() {
        return Ok(file.to_path_buf());
    }
    let named = |extension| place.dir.join(format!("{recording}.{extension}"));
    let found = [EXTENSION_DONE, EXTENSION].map(named).into_iter().find(|file| file.is_file());
    found.with_context(|| format!("{recording} is neither a file nor a recording in {}", place.dir.display()))
}

fn show(found: &Finished) {
    let verdict = match found.verdict {
        Completeness::Complete => "complete",
        Completeness::CompleteExceptPauses => "complete except pauses",
        Completeness::Incomplete => "INCOMPLETE",
    };
    println!("recording:  {}", found.recording);
    println!("verdict:    {verdict}");
    println!("length:     {}", seconds(found.length_ms));
    for (name, channel) in [("left", found.left), ("right", found.right)] {
        println!(
            "{name:<11} {} of {} captured, {} of {} packets",
            seconds(channel.captured_ms),
            seconds(channel.expected_ms),
            channel.captured,
            channel.expected
        );
    }
    println!("frames:     {} written, {} missing", found.frames, found.missing);
    let chain = if found.broken_seals == 0 {
        "whole".to_owned()
    } else {
        format!("{} seals BROKEN", found.broken_seals)
    };
    println!("hash chain: {chain}, ends in {}", found.seal);
    println!("octets:     {} torn, {} damaged", found.torn_octets, found.damaged_octets);
    for pause in &found.pauses {
        println!("pause:      {} to {}", seconds(pause.from_ms), seconds(pause.to_ms));
    }
    for erased in &found.erased {
        let by = erased.by.map_or_else(|| "a rule".to_owned(), |by| by.to_string());
        println!("erased:     {} to {} by {by}", seconds(erased.from_ms), seconds(erased.to_ms));
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}
