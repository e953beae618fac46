//! The short pass over every target, in `make test`. `FUZZ_SEED` and `FUZZ_TRIES` (a factor) make it another or a longer one.

use fuzz::{Corpus, TARGETS, named, short};

fn short_pass(name: &str) {
    let target = named(name).expect("a target");
    let corpus = Corpus::of(name).expect("a folder that can be read");
    assert!(!corpus.inputs.is_empty(), "{name} has a corpus");
    let number = |key: &str| std::env::var(key).ok().and_then(|value| value.parse().ok());
    let (seed, factor) = (number("FUZZ_SEED").unwrap_or(1), number("FUZZ_TRIES").unwrap_or(1));
    if let Some(finding) = short::pass(target, &corpus, target.tries.saturating_mul(factor as u32), seed) {
        let kept = finding.keep(name).expect("a folder that can be written");
        panic!("{name} broke at an input made of {}; it is kept in {}", finding.from, kept.display());
    }
}

macro_rules! short_passes {
    ($($name:ident)*) => {
        $(
            /// SAFE-05: the corpus and mutations of it break no rule.
            #[test]
            fn $name() {
                short_pass(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_its_short_pass() {
            let passes = [$(stringify!($name)),*];
            assert_eq!(TARGETS.map(|target| target.name), passes);
        }
    };
}

short_passes! {
    rtp rtcp stun dtls dtls_handshake srtp leg checks ng_bencode ng_json ng_sdp ng_request ng_subscribe recording sdp sip events opus
    g722 g729 g729_encode comfort_noise playout prompt requirement flow
}
