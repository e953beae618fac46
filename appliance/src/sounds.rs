//! What callers hear: the operator's files, else the built-in announcements and music.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, Result};
use desk::greetings::{Speaking, Spoken};
pub use media::prompt::tones::Plan;
use media::prompt::tones::Tone;
use media::prompt::{Prompt, PromptError, spoken};
use model::call::Sound;
use model::greeting::Greeting;
use rust_embed::RustEmbed;

use crate::config::Language;

/// Announcements made by `make sounds` from texts in `sounds/`; a build without them speaks in tones.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/sounds"]
#[allow_missing = true]
struct BuiltIn;

const ALL: [(Sound, &str); 8] = [
    (Sound::QueueMusic, "queue-music"),
    (Sound::HoldMusic, "hold-music"),
    (Sound::NobodyAvailable, "nobody-available"),
    (Sound::Closed, "closed"),
    (Sound::AllBusy, "all-busy"),
    (Sound::ComfortNoise, "comfort-noise"),
    (Sound::Ringback, "ringback"),
    (Sound::Busy, "busy"),
];

/// Endings of sound files, the first that is there wins.
const ENDINGS: [&str; 3] = ["wav", "opus", "ogg"];

/// The tone after which callers speak a message.
const SPEAK_NOW: &str = "voicemail-tone";
/// What callers of an extension hear before it.
const EXTENSION: &str = "extension-greeting";
/// Keys as they are read out, one by one.
const DIGITS: &str = "digit-";
/// Sounds of the operator's that flows may play; more stop the start.
const NAMED_MAX: usize = 500;

/// How often an agent whose colleague is busy hears the tone before it is over: about three seconds.
const BUSY_TONES: usize = 3;

/// What there is to play.
struct Shelf {
    sounds: HashMap<Sound, Arc<Prompt>>,
    /// What flows name.
    named: BTreeMap<String, Arc<Prompt>>,
}

/// The sounds in use, ready to be sent. Replaced as a whole when the configuration is read again; who hears one, hears it to
/// its end.
#[derive(Clone)]
pub struct Library {
    sounds: Arc<RwLock<Shelf>>,
    /// What people spoke themselves, by the name that calls play it by.
    spoken: Arc<RwLock<HashMap<String, Arc<Prompt>>>>,
    /// What is heard for a sound that has no file and no name here.
    nothing: Arc<Prompt>,
}

impl Library {
    /// Loads every sound.
    pub fn load(dir: Option<&Path>, language: Language, tones: Plan) -> Result<Self> {
        let nothing = Arc::new(Prompt::from_pcm("nothing", 8_000, &[0; 160])?);
        let sounds = Arc::new(RwLock::new(load(dir, language, tones)?));
        Ok(Self { sounds, spoken: Arc::default(), nothing })
    }
    /// Loads every sound anew; with an error the old ones stay.
    pub fn reload(&self, dir: Option<&Path>, language: Language, tones: Plan) -> Result<()> {
        let new = load(dir, language, tones)?;
        *self.sounds.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }
    /// One of them.
    pub fn get(&self, sound: Sound) -> Arc<Prompt> {
        let sounds = self.sounds.read().unwrap_or_else(PoisonError::into_inner);
        sounds.sounds.get(&sound).unwrap_or(&self.nothing).clone()
    }
    /// A sound that a flow names; one that is gone is a moment of silence.
    pub fn named(&self, name: &str) -> Arc<Prompt> {
        // A greeting that is not ready yet, or was deleted a moment ago, is that of the house.
        let name = if Greeting::is_sound(name) {
            let spoken = self.spoken.read().unwrap_or_else(PoisonError::into_inner);
            match spoken.get(name) {
                Some(prompt) => return prompt.clone(),
                None => EXTENSION,
            }
        } else {
            name
        };
        let sounds = self.sounds.read().unwrap_or_else(PoisonError::into_inner);
        let found = sounds.named.get(name);
        // Digits are not named in the log: they may be read out of something secret.
        if found.is_none() && !name.starts_with(DIGITS) {
            tracing::warn!(name, "a flow plays a sound that is not there");
        }
        found.unwrap_or(&self.nothing).clone()
    }
    /// The names of what flows may play.
    pub fn names(&self) -> Vec<String> {
        self.sounds.read().unwrap_or_else(PoisonError::into_inner).named.keys().cloned().collect()
    }
}

impl Speaking for Library {
    fn read(&self, file: &[u8], longest: Duration) -> Result<Spoken, String> {
        let made = spoken::read(file, longest).and_then(|samples| {
            Ok(Spoken { wav: spoken::to_wav(&samples)?, length: spoken::length(&samples) })
        });
        made.map_err(|error| match error {
            PromptError::TooLong { .. } => format!("longer than {} seconds", longest.as_secs()),
            PromptError::Wav(_) => "neither a WAV nor an Ogg Opus file, or a damaged one".into(),
            other => other.to_string(),
        })
    }

    fn hold(&self, name: &str, wav: &[u8]) -> Result<(), String> {
        let prompt = Prompt::from_wav(name, std::io::Cursor::new(wav)).map_err(|error| error.to_string())?;
        let mut spoken = self.spoken.write().unwrap_or_else(PoisonError::into_inner);
        spoken.insert(name.to_owned(), Arc::new(prompt));
        Ok(())
    }

    fn let_go(&self, name: &str) {
        self.spoken.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// A file that is there but cannot be used is an error with its name, never a silent fallback.
fn load(dir: Option<&Path>, language: Language, tones: Plan) -> Result<Shelf> {
    Ok(Shelf { sounds: load_sounds(dir, language, tones)?, named: load_named(dir, language, tones)? })
}

/// Sounds that flows name: the built-in ones, and every sound file in the folder `prompts` of the operator's folder.
fn load_named(dir: Option<&Path>, language: Language, tones: Plan) -> Result<BTreeMap<String, Arc<Prompt>>> {
    let mut named = BTreeMap::from([(SPEAK_NOW.to_owned(), Arc::new(tones.tone(Tone::Beep)?))]);
    // Whatever is built in and is no sound of its own: keys and numbers to be read out, words around them.
    let folder = format!("{}/", language.folder());
    for path in BuiltIn::iter() {
        let name = path.strip_prefix(&folder).and_then(|file| file.strip_suffix(".wav"));
        let Some(name) = name.filter(|name| ALL.iter().all(|(_, own)| own != name)) else { continue };
        if let Some(file) = BuiltIn::get(&path) {
            let prompt = Prompt::from_wav(name, std::io::Cursor::new(file.data));
            named
                .insert(name.to_owned(), Arc::new(prompt.with_context(|| format!("built-in sound {name}"))?));
        }
    }
    let Some(folder) = dir.map(|dir| dir.join("prompts")).filter(|folder| folder.exists()) else {
        return Ok(named);
    };
    let files = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<_> = files.flatten().map(|file| file.path()).filter(|file| is_sound(file)).collect();
    anyhow::ensure!(
        files.len() <= NAMED_MAX,
        "{} has {} sounds; flows may use {NAMED_MAX}",
        folder.display(),
        files.len()
    );
    // Of two files of one name the one whose ending comes first wins, as for the other sounds.
    files.sort_by_key(|file| {
        std::cmp::Reverse(ENDINGS.iter().position(|end| file.extension().is_some_and(|e| e == *end)))
    });
    for file in files {
        if let Some(name) = file.file_stem().and_then(|name| name.to_str()) {
            named.insert(name.to_owned(), Arc::new(read(name, &file)?));
        }
    }
    Ok(named)
}

fn is_sound(file: &Path) -> bool {
    file.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known))
}

/// A sound file of the operator's.
fn read(name: &str, file: &Path) -> Result<Prompt> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let bytes = std::io::Cursor::new(bytes);
    let read = match file.extension().is_some_and(|end| end == "wav") {
        true => Prompt::from_wav(name, bytes),
        false => Prompt::from_ogg_opus(name, bytes),
    };
    read.with_context(|| format!("{} cannot be played", file.display()))
}

fn load_sounds(dir: Option<&Path>, language: Language, tones: Plan) -> Result<HashMap<Sound, Arc<Prompt>>> {
    ALL.into_iter()
        .map(|(sound, name)| {
            let file = |d: &Path, end| Some(d.join(format!("{name}.{end}"))).filter(|f| f.exists());
            let own = dir.and_then(|d| ENDINGS.into_iter().find_map(|end| file(d, end)));
            let built_in = || BuiltIn::get(&format!("{}/{name}.wav", language.folder()));
            let prompt = if let Some(file) = own {
                read(name, &file)?
            } else if let Some(file) = built_in() {
                Prompt::from_wav(name, std::io::Cursor::new(file.data))
                    .with_context(|| format!("built-in sound {name}"))?
            } else {
                without_file(sound, tones)?
            };
            Ok((sound, Arc::new(prompt)))
        })
        .collect()
}

/// What is heard where there is no file: music, the tones of an exchange.
fn without_file(sound: Sound, plan: Plan) -> Result<Prompt> {
    Ok(match sound {
        Sound::QueueMusic | Sound::HoldMusic => media::prompt::music::hold_music()?,
        Sound::ComfortNoise => plan.tone(Tone::ComfortNoise)?,
        Sound::Ringback => plan.tone(Tone::Ringback)?,
        Sound::Busy => Prompt::from_pcm("busy", 8_000, &plan.tone(Tone::Busy)?.pcm_8k().repeat(BUSY_TONES))?,
        Sound::NobodyAvailable | Sound::Closed | Sound::AllBusy => plan.tone(Tone::Congestion)?,
    })
}

/// What a simulated customer says, as raw mu-law at 8 kHz.
pub fn demo_speech(voice: &str) -> Result<Vec<u8>> {
    let file = BuiltIn::get(&format!("demo/{voice}.wav")).with_context(|| {
        format!("this binary was built without the speech of {voice}: `make sounds`, then build again")
    })?;
    let prompt = Prompt::from_wav(voice, std::io::Cursor::new(file.data))?;
    Ok(prompt.pcm_8k().iter().map(|sample| media::codec::g711::encode_mu(*sample)).collect())
}

#[cfg(test)]
mod tests {
    use model::id::{GreetingId, Id as _};

    use super::*;

    /// VM-03, VM-04: a greeting is played as long as it lies ready, also after the sounds were read again; else that of the house is.
    #[test]
    fn a_greeting_that_is_not_there_is_that_of_the_house() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("prompts")).unwrap();
        let wav = |value: i16| spoken::to_wav(&[value; 3_200]).unwrap();
        std::fs::write(folder.path().join("prompts/extension-greeting.wav"), wav(1)).unwrap();
        let (dir, language, tones) = (Some(folder.path()), Language::En, Plan::default());
        let library = Library::load(dir, language, tones).unwrap();
        let id = GreetingId::from_number(1);
        let name = Greeting::sound_of(id);
        let house = library.named(EXTENSION);
        assert_eq!(library.named(&name), house);
        library.hold(&name, &wav(2_000)).unwrap();
        library.reload(dir, language, tones).unwrap();
        assert_ne!(library.named(&name), house);
        library.let_go(&name);
        assert_eq!(library.named(&name), house);
        assert!(library.hold(&name, b"RIFF").is_err());
        let why = library.read(b"ID3", Duration::from_secs(1)).unwrap_err();
        assert!(why.starts_with("neither"), "{why}");
        assert_eq!(library.read(&wav(5), Duration::ZERO).unwrap_err(), "longer than 0 seconds");
    }
}
