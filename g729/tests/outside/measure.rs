//! How near a decoded signal is to what was said.

/// Signal-to-noise ratio of each 10 ms, dB, limited to -10..35, quiet ones left out: their mean is the segmental ratio.
pub fn segmental_snrs(said: &[i16], heard: &[i16]) -> Vec<f64> {
    let mut ratios = Vec::new();
    for (a, b) in said.chunks_exact(80).zip(heard.chunks_exact(80)) {
        let energy: f64 = a.iter().map(|s| f64::from(*s).powi(2)).sum();
        if energy < 80.0 * 100.0 {
            continue;
        }
        let error: f64 = a.iter().zip(b).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
        ratios.push((10.0 * (energy / error.max(1.0)).log10()).clamp(-10.0, 35.0));
    }
    ratios
}

/// Centres of the critical bands below 4 kHz, Hz.
const BANDS: [f64; 17] = [
    100.0, 200.0, 300.0, 400.0, 510.0, 630.0, 770.0, 920.0, 1080.0, 1270.0, 1480.0, 1720.0, 2000.0, 2320.0,
    2700.0, 3150.0, 3700.0,
];

/// Energy of each critical band in 32 ms, dB.
fn bands(part: &[i16]) -> [f64; 17] {
    let n = part.len();
    let windowed: Vec<f64> = part
        .iter()
        .enumerate()
        .map(|(i, s)| f64::from(*s) * (0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / n as f64).cos()))
        .collect();
    let mut edges = vec![50.0];
    edges.extend(BANDS.windows(2).map(|w| (w[0] + w[1]) / 2.0));
    edges.push(3900.0);
    let step = 8000.0 / n as f64;
    std::array::from_fn(|band| {
        let bins = (edges[band] / step).ceil() as usize..=(edges[band + 1] / step) as usize;
        let energy: f64 = bins
            .map(|k| {
                // Goertzel: one bin of the transform.
                let c = 2.0 * (std::f64::consts::TAU * k as f64 / n as f64).cos();
                let (one, two) = windowed.iter().fold((0.0, 0.0), |(one, two), x| (x + c * one - two, one));
                one * one + two * two - c * one * two
            })
            .sum();
        10.0 * (energy + 1e4).log10()
    })
}

/// Bark spectral distance of each 32 ms with signal, dB: how far the levels of the critical bands are apart, root of the mean
/// square over the bands. The ear judges level by critical bands and hears little of the phase that rules the
/// signal-to-noise ratio of a synthesis codec; what lies 35 dB below the loudest band is masked and left out.
pub fn bark_distances(said: &[i16], heard: &[i16]) -> Vec<f64> {
    let mut distances = Vec::new();
    for (a, b) in said.chunks_exact(256).zip(heard.chunks_exact(256)) {
        if a.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() < 256.0 * 100.0 {
            continue;
        }
        let (a, b) = (bands(a), bands(b));
        let floor = a.iter().fold(0.0, |most: f64, x| most.max(*x)) - 35.0;
        let sum: f64 = a.iter().zip(&b).map(|(x, y)| (x.max(floor) - y.max(floor)).powi(2)).sum();
        distances.push((sum / 17.0).sqrt());
    }
    distances
}
