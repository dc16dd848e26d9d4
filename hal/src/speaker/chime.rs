//! Why: two sounds that need no recording: look here, and it is done.
//!
//! Refuses: clicks. Every tone swells and fades, because an abrupt one startles.

use std::f32::consts::TAU;
use std::sync::Arc;

use super::wav::mono;
use super::{Prompt, PromptId, Sound};

const RATE: u32 = 22_050;
/// Time to swell, in seconds.
const SWELL: f32 = 0.012;
/// Half of what 16 bits can hold: as loud as speech.
const LOUD: f32 = 16_000.0;

/// Two equal tones: something waits for the visitor.
pub fn attention() -> Prompt {
    chime("attention", &[(880.0, 0.22), (880.0, 0.34)])
}

/// Two rising tones: it is done.
pub fn done() -> Prompt {
    chime("done", &[(659.3, 0.18), (987.8, 0.42)])
}

fn chime(id: &'static str, tones: &[(f32, f32)]) -> Prompt {
    let samples: Vec<i16> =
        tones.iter().flat_map(|&(pitch, seconds)| tone(pitch, seconds)).collect();
    Prompt {
        id: PromptId(id),
        sound: Sound::Wav(Arc::from(mono(RATE, &samples))),
        priority: 0,
        deadline: None,
    }
}

/// A pure tone of `pitch` hertz that swells fast, fades slowly and ends in silence.
fn tone(pitch: f32, seconds: f32) -> impl Iterator<Item = i16> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few thousand samples, and amplitudes far below the limit"
    )]
    {
        let rate = RATE as f32;
        let count = (seconds * rate) as u32;
        (0..count).map(move |index| {
            let time = index as f32 / rate;
            let swell = (time / SWELL).min(1.0);
            let fade = 1.0 - time / seconds;
            (LOUD * swell * fade * fade * (TAU * pitch * time).sin()) as i16
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::WavInfo;
    use super::*;

    fn samples(prompt: &Prompt) -> Vec<i16> {
        let Sound::Wav(wav) = &prompt.sound else { panic!("in memory") };
        wav[44..].as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
    }

    #[test]
    fn chimes_are_short_and_soft_at_both_ends() {
        for prompt in [attention(), done()] {
            let Sound::Wav(wav) = &prompt.sound else { panic!("in memory") };
            let info = WavInfo::read(wav).unwrap();
            assert!(
                info.length > Duration::from_millis(300) && info.length < Duration::from_secs(1)
            );
            let samples = samples(&prompt);
            let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert!((8_000..=16_000).contains(&loudest), "{loudest}");
            assert!(samples[0].abs() < 100 && samples.last().unwrap().abs() < 100);
            let jump = samples.windows(2).map(|pair| (pair[0] - pair[1]).abs()).max().unwrap();
            assert!(jump < 6_000, "a click of {jump}");
        }
        assert_ne!(samples(&attention()), samples(&done()));
    }

    #[test]
    fn the_pitch_is_the_one_that_was_asked_for() {
        let wave: Vec<i16> = tone(880.0, 0.5).collect();
        let rises = wave.windows(2).filter(|pair| pair[0] <= 0 && pair[1] > 0).count();
        assert!((435..=442).contains(&rises), "{rises} periods in half a second");
    }
}
