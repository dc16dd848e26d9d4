//! Why: recordings come at the rate of whoever recorded them, a player is begun with one rate, and
//! tones are mixed into speech. So every sound is brought to one rate before it is used.
//!
//! Refuses: to leave speech in memory. Samples are overwritten when the last owner lets go of them.

use std::f32::consts::PI;
use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Samples a second at which everything is played: what espeak-ng gives, and enough for speech.
pub const RATE: u32 = 22_050;

/// One channel of 16-bit samples; copies share them.
#[derive(Clone, PartialEq, Eq)]
pub struct Sound {
    samples: Arc<Zeroizing<Vec<i16>>>,
    rate: u32,
}

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sound({} samples at {})", self.samples.len(), self.rate)
    }
}

impl Sound {
    /// Of samples at `rate` a second; a rate of 0 is taken for [`RATE`].
    pub fn new(samples: Vec<i16>, rate: u32) -> Self {
        let rate = if rate == 0 { RATE } else { rate };
        Self { samples: Arc::new(Zeroizing::new(samples)), rate }
    }

    /// The samples.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        self.samples.len() * 2
    }

    /// The same sound at [`RATE`].
    #[must_use]
    pub fn resampled(&self) -> Self {
        if self.rate == RATE {
            return self.clone();
        }
        Self::new(resample(&self.samples, self.rate), RATE)
    }
}

/// Zero crossings of the filter on each side: little is left above the half of the lower rate.
const CROSSINGS: f32 = 8.0;

/// Every new sample is a weighed sum of the old ones around it; what the new rate cannot hold is
/// filtered away, because it would come back as a whistle.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "two minutes of samples at the most, and amplitudes are clamped"
)]
fn resample(old: &[i16], rate: u32) -> Vec<i16> {
    let step = f64::from(rate) / f64::from(RATE);
    let cutoff = (1.0 / step).min(1.0) as f32;
    let reach = (CROSSINGS / cutoff).ceil() as i64;
    let count = (old.len() as f64 / step) as usize;
    let weight = |distance: f32| {
        let x = distance * cutoff;
        let sinc = if x.abs() < 1e-6 { 1.0 } else { (PI * x).sin() / (PI * x) };
        // Falls to nothing where the filter ends; cut off, it would ring.
        let window = 0.5 + 0.5 * (PI * x / CROSSINGS).clamp(-PI, PI).cos();
        cutoff * sinc * window
    };
    (0..count)
        .map(|index| {
            let place = index as f64 * step;
            let middle = place.floor() as i64;
            let sum: f32 = (middle - reach + 1..=middle + reach)
                .filter_map(|at| {
                    let sample = *old.get(usize::try_from(at).ok()?)?;
                    Some(f32::from(sample) * weight((place - at as f64) as f32))
                })
                .sum();
            sum.clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(pitch: f32, rate: u32) -> Sound {
        let step = std::f32::consts::TAU * pitch / rate as f32;
        Sound::new(
            (0..rate / 2).map(|i| (10_000.0 * (i as f32 * step).sin()) as i16).collect(),
            rate,
        )
    }

    fn loudness(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (sum / samples.len() as f64).sqrt()
    }

    #[test]
    fn a_recording_keeps_length_pitch_and_loudness() {
        for rate in [8_000, 16_000, 44_100, 48_000] {
            let new = sine(880.0, rate).resampled();
            assert_eq!(new.rate(), RATE);
            assert!(new.samples().len().abs_diff(RATE as usize / 2) <= 1, "{rate}");
            let rises = new.samples().windows(2).filter(|pair| pair[0] <= 0 && pair[1] > 0).count();
            assert!((438..=442).contains(&rises), "{rate}: {rises} periods in half a second");
            let middle = &new.samples()[1_000..10_000];
            assert!((loudness(middle) - 7_071.0).abs() < 200.0, "{rate}: {}", loudness(middle));
        }
    }

    #[test]
    fn what_the_rate_cannot_hold_does_not_come_back_as_a_whistle() {
        // Without a filter this would be heard at 22,050 - 15,000 = 7,050 Hz, as loud as before.
        let new = sine(15_000.0, 44_100).resampled();
        assert!(loudness(&new.samples()[1_000..10_000]) < 150.0);
    }

    #[test]
    fn the_own_rate_is_left_as_it_is() {
        let sound = Sound::new(vec![1, 2, 3], RATE);
        assert_eq!(sound.resampled(), sound);
        assert_eq!(Sound::new(vec![], 0).rate(), RATE);
        assert!(Sound::new(vec![], 8_000).resampled().samples().is_empty());
        assert!(!format!("{:?}", Sound::new(vec![12_345], RATE)).contains("12345"));
    }
}
