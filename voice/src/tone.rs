//! Why: a short tone says "touched", "done", "wrong" and "soon over" to an eye that is elsewhere and to
//! an ear that does not know the language.
//!
//! Refuses: clicks and alarm. Every tone swells and fades, and the one for a mistake is low and soft:
//! nobody in the hall is to turn round.

use std::f32::consts::TAU;

use crate::{RATE, Sound};

/// What a tone says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Tone {
    /// A key was touched.
    Key,
    /// It is done.
    Success,
    /// It did not work.
    Error,
    /// The visit ends soon unless somebody touches something.
    IdleWarning,
}

impl Tone {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Key, Self::Success, Self::Error, Self::IdleWarning];

    /// Its sound.
    pub fn sound(self) -> Sound {
        // Hertz, seconds, loudness.
        let notes: &[(f32, f32, f32)] = match self {
            Self::Key => &[(1_200.0, 0.035, 0.25)],
            Self::Success => &[(659.3, 0.14, 0.4), (987.8, 0.32, 0.4)],
            Self::Error => &[(311.1, 0.18, 0.45), (233.1, 0.34, 0.45)],
            Self::IdleWarning => &[(784.0, 0.2, 0.4), (0.0, 0.1, 0.0), (784.0, 0.32, 0.4)],
        };
        Sound::new(notes.iter().flat_map(|note| wave(*note)).collect(), RATE)
    }
}

/// Seconds in which a tone swells.
const SWELL: f32 = 0.008;

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some thousand samples, and amplitudes below the limit"
)]
fn wave((pitch, seconds, loudness): (f32, f32, f32)) -> impl Iterator<Item = i16> {
    let rate = RATE as f32;
    (0..(seconds * rate) as u32).map(move |index| {
        let time = index as f32 / rate;
        let swell = (time / SWELL).min(1.0);
        let fade = 1.0 - time / seconds;
        (f32::from(i16::MAX) * loudness * swell * fade * fade * (TAU * pitch * time).sin()) as i16
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_are_short_soft_at_both_ends_and_differ() {
        for tone in Tone::ALL {
            let sound = tone.sound();
            let samples = sound.samples();
            assert!(
                samples.len() > RATE as usize / 40 && samples.len() < RATE as usize,
                "{tone:?}"
            );
            let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert!((3_000..16_000).contains(&loudest), "{tone:?}: {loudest}");
            assert!(samples[0].abs() < 100 && samples.last().unwrap().abs() < 100, "{tone:?}");
            let jump = samples.windows(2).map(|pair| (pair[0] - pair[1]).abs()).max().unwrap();
            assert!(jump < 4_500, "{tone:?}: a click of {jump}");
            for other in Tone::ALL {
                assert_eq!(tone == other, sound == other.sound());
            }
        }
    }

    #[test]
    fn a_key_is_over_before_the_next_one_is_touched() {
        assert!(Tone::Key.sound().samples().len() < RATE as usize / 20);
    }
}
