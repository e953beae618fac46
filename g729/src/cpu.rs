//! Which instructions the encoder's kernels are made of: those of every processor of its kind, or AVX2 and what came with it where
//! the processor has them, asked for at run time. The same source is compiled for both, so results are the same.

#[cfg(target_arch = "x86_64")]
use fearless_simd::{Avx2, Level, Simd};

/// What the processor can do. Costs nothing to keep and pass on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    #[cfg(target_arch = "x86_64")]
    avx2: Option<Avx2>,
}

impl Cpu {
    /// All that this processor has.
    pub(crate) fn best() -> Cpu {
        Cpu {
            #[cfg(target_arch = "x86_64")]
            avx2: Level::new().as_avx2(),
        }
    }

    /// What every processor of this architecture has.
    #[cfg(test)]
    pub(crate) fn least() -> Cpu {
        Cpu {
            #[cfg(target_arch = "x86_64")]
            avx2: None,
        }
    }

    /// Leave to use AVX2, if the processor has it.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn avx2(self) -> Option<Avx2> {
        self.avx2
    }

    /// Runs `kernel`, compiled for these instructions if it is `#[inline(always)]` with all it calls. A function of its own either way, so
    /// that what stands around does not lead the compiler's loops astray.
    #[inline(always)]
    pub(crate) fn run<R>(self, kernel: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = self.avx2 {
            return avx2.vectorize(kernel);
        }
        plain(kernel)
    }
}

/// [`Cpu::run`] of an expression.
macro_rules! on {
    ($cpu:expr, $kernel:expr) => {
        $cpu.run(
            #[inline(always)]
            || $kernel,
        )
    };
}
pub(crate) use on;

/// Runs `kernel`.
#[inline(never)]
fn plain<R>(kernel: impl FnOnce() -> R) -> R {
    kernel()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, Encoder, Frame, SAMPLES};

    /// A buzz of changing pitch and loudness, noise, and silence between.
    fn sound(seed: &mut u32, frame: usize) -> [i16; SAMPLES] {
        let loud = [0, 40, 900, 9000, 32_000, 3000, 0, 200][frame / 25 % 8];
        let period = 25 + frame % 100;
        std::array::from_fn(|n| {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let age = ((frame * SAMPLES + n) % period) as f64;
            let buzz = f64::from(loud) * (-age / 12.0).exp() * (age * 0.6).cos();
            let noise = ((*seed >> 16) as i16 >> 9) as i32 * (1 + loud / [9, 99][frame / 200 % 2] / 64);
            (buzz as i32 + noise).clamp(-32_768, 32_767) as i16
        })
    }

    #[test]
    fn with_avx2_and_without_it_frames_and_samples_are_the_same() {
        for dtx in [false, true] {
            let mut encoders = [Encoder::new(dtx), Encoder::new(dtx)];
            let mut decoders = [Decoder::new(), Decoder::new()];
            (encoders[0].cpu, decoders[0].cpu) = (Cpu::least(), Cpu::least());
            let mut seed = 5;
            for frame in 0..2000 {
                let said = sound(&mut seed, frame);
                let made = [0, 1].map(|i| {
                    let mut octets = [0; 10];
                    let length = encoders[i].encode(&said, &mut octets);
                    (length, octets)
                });
                assert_eq!(made[0], made[1], "frame {frame}");
                let (length, octets) = made[0];
                let heard = [0, 1].map(|i| {
                    let mut samples = [0; SAMPLES];
                    let lost = frame % 67 == 3;
                    let frame = Frame::from_octets(&octets[..length]).expect("a frame");
                    decoders[i].decode(if lost { Frame::Erased } else { frame }, &mut samples);
                    samples
                });
                assert_eq!(heard[0], heard[1], "frame {frame}");
            }
        }
    }
}
