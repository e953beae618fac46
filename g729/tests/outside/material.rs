//! What is coded: speech by espeak-ng, and what telephones carry besides, all made on the spot and the same each time.

use std::f64::consts::TAU;

use super::{run, samples};

/// One piece of material at 8 kHz.
pub struct Material {
    pub name: String,
    pub samples: Vec<i16>,
}

const VOICES: [(&str, &str); 8] = [
    ("en-gb", "Thank you for calling. The train to Glasgow leaves at half past nine from platform six."),
    ("en-us+f3", "She sells sea shells by the sea shore, and the quick brown fox jumps over the lazy dog."),
    ("de+m3", "Guten Tag, Sie sprechen mit der Auskunft. Bitte warten Sie, wir verbinden Sie gleich."),
    ("ru+f2", "Здравствуйте, вы позвонили в службу поддержки, пожалуйста, подождите ответа оператора."),
    ("fr+m5", "Bonjour, votre appel est important pour nous, un conseiller va vous répondre."),
    ("es+f4", "Buenos días, en este momento todos los agentes están ocupados, no cuelgue por favor."),
    ("pl+m1", "Dzień dobry, proszę czekać na zgłoszenie się konsultanta, wszystkie rozmowy są nagrywane."),
    ("it+f1", "Buongiorno, tutti gli operatori sono occupati, la preghiamo di restare in linea."),
];

/// Numbers that look random, the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    /// From -1 to 1.
    pub fn wave(&mut self) -> f64 {
        f64::from(self.next()) / f64::from(1 << 30) - 1.0
    }
}

/// Spoken text; `round` changes its speed and pitch.
pub fn speech(voice: &str, text: &str, round: u64) -> Vec<i16> {
    let (speed, pitch) = ((120 + 17 * (round % 7)).to_string(), (30 + 11 * (round % 5)).to_string());
    let wav = run("espeak-ng", &["-v", voice, "-s", &speed, "-p", &pitch, "--stdout", text], &[]);
    let to = [
        "-q", "-t", "wav", "-", "-r", "8000", "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-",
        "norm", "-3",
    ];
    samples(&run("sox", &to, &wav))
}

/// One round of all classes; another `round` is other material of the same classes. About a minute and a half.
pub fn all(round: u64) -> Vec<Material> {
    let mut out = Vec::new();
    let mut add = |name: &str, samples: Vec<i16>| out.push(Material { name: name.to_owned(), samples });
    let mut dice = Dice(round * 77 + 5);
    let mut phone = Vec::new();
    for (n, (voice, text)) in VOICES.iter().enumerate() {
        let spoken = speech(voice, text, round + n as u64);
        if n < 2 {
            phone.extend(spoken.iter().map(|x| x / 3));
            phone.extend([0; 9_600]);
        }
        add(&format!("speech {voice}"), spoken);
    }
    let mut brown = 0.0;
    let street: Vec<f64> = (0..phone.len())
        .map(|_| {
            brown = 0.97 * brown + 90.0 * dice.wave();
            brown
        })
        .collect();
    add("speech in noise", phone.iter().zip(&street).map(|(x, y)| (f64::from(*x) + y) as i16).collect());
    let made = |seconds: usize, f: &mut dyn FnMut(f64) -> f64| -> Vec<i16> {
        (0..seconds * 8_000).map(|n| f(n as f64 / 8_000.0).clamp(-32_768.0, 32_767.0) as i16).collect()
    };
    let root = 196.0 * 2f64.powf((round % 12) as f64 / 12.0);
    add(
        "music",
        made(6, &mut |t| {
            let beat = t % 0.5;
            let chord = [1.0, 1.25, 1.5, 2.0, [1.875, 1.6][t as usize % 2]];
            let tones: f64 = chord.iter().map(|ratio| (TAU * root * ratio * t).sin()).sum();
            tones * 2_600.0 * (-3.0 * beat).exp()
        }),
    );
    add("white noise", made(4, &mut |_| 6_000.0 * dice.wave()));
    add(
        "tones",
        made(4, &mut |t| {
            let (low, high) =
                [(697.0, 1209.0), (770.0, 1477.0), (425.0, 425.0), (941.0, 1336.0)][t as usize % 4];
            7_000.0 * ((TAU * low * t).sin() + (TAU * high * t).sin()) * f64::from(u8::from(t % 0.5 < 0.3))
        }),
    );
    add("sweep", made(5, &mut |t| 9_000.0 * (TAU * (80.0 * t + 340.0 * t * t)).sin()));
    add("silence", vec![0; 16_000]);
    let loud = speech("en-gb", VOICES[0].1, round + 3);
    let steps = loud.len().max(1) as f64;
    add(
        "levels",
        loud.iter()
            .enumerate()
            .map(|(n, x)| (f64::from(*x) * 10f64.powf(-3.0 * (1.0 - n as f64 / steps))) as i16)
            .collect(),
    );
    add("too loud", loud.iter().map(|x| x.saturating_mul(6)).collect());
    out
}
