//! Why: the volume is set in the samples, because programs and cards disagree about mixers, and how
//! long a sound takes must be known before it is played. Both need the few facts of a WAV file.
//!
//! Refuses: anything but 16-bit PCM, and a header that promises more than there is.

use std::time::Duration;

use thiserror::Error;

/// Larger sounds are no prompts: ten minutes of speech at 16 kHz.
pub const LARGEST: usize = 20 * 1024 * 1024;

/// Why a sound cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WavError {
    /// No RIFF/WAVE header.
    #[error("it is not a WAV file")]
    NotWav,
    /// A part that must be there is not.
    #[error("its part `{0}` is missing or cut off")]
    Missing(&'static str),
    /// Another coding than 16-bit PCM.
    #[error("its coding {coding} with {bits} bits is not 16-bit PCM")]
    Coding {
        /// The format tag of the file.
        coding: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// A rate or a number of channels that no card plays.
    #[error("{channels} channels at {rate} samples a second cannot be played")]
    Rate {
        /// Samples a second.
        rate: u32,
        /// Channels.
        channels: u16,
    },
    /// More than [`LARGEST`] bytes.
    #[error("it has {bytes} bytes, more than a prompt may have")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
}

/// The facts of a WAV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WavInfo {
    /// Samples a second and channel.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// How long it takes.
    pub length: Duration,
    /// Where the samples lie.
    data: std::ops::Range<usize>,
}

const PCM: u16 = 1;
const EXTENSIBLE: u16 = 0xFFFE;

impl WavInfo {
    /// Reads the header.
    pub fn read(wav: &[u8]) -> Result<Self, WavError> {
        if wav.len() > LARGEST {
            return Err(WavError::TooLarge { bytes: wav.len() });
        }
        if wav.len() < 12 || &wav[..4] != b"RIFF" || &wav[8..12] != b"WAVE" {
            return Err(WavError::NotWav);
        }
        let mut format = None;
        let mut at = 12;
        while let Some(head) = wav.get(at..at + 8) {
            let size = usize::try_from(u32_at(head, 4)).unwrap_or(usize::MAX);
            let body = at + 8;
            let end = body.saturating_add(size);
            match &head[..4] {
                b"fmt " => {
                    format = Some(wav.get(body..end).filter(|body| body.len() >= 16));
                }
                b"data" => {
                    let format = format.flatten().ok_or(WavError::Missing("fmt "))?;
                    if end > wav.len() {
                        return Err(WavError::Missing("data"));
                    }
                    return Self::from_parts(format, body..end);
                }
                _ => {}
            }
            // Parts begin at even places.
            at = end.saturating_add(size % 2);
        }
        Err(WavError::Missing("data"))
    }

    fn from_parts(format: &[u8], data: std::ops::Range<usize>) -> Result<Self, WavError> {
        let mut coding = u16_at(format, 0);
        let (channels, rate, bits) = (u16_at(format, 2), u32_at(format, 4), u16_at(format, 14));
        if coding == EXTENSIBLE && format.len() >= 26 {
            coding = u16_at(format, 24);
        }
        if coding != PCM || bits != 16 {
            return Err(WavError::Coding { coding, bits });
        }
        if !(1..=8).contains(&channels) || !(4_000..=192_000).contains(&rate) {
            return Err(WavError::Rate { rate, channels });
        }
        let frames = data.len() / (2 * usize::from(channels));
        let micros = u64::try_from(frames).unwrap_or(u64::MAX).saturating_mul(1_000_000);
        Ok(Self { rate, channels, length: Duration::from_micros(micros / u64::from(rate)), data })
    }

    /// The sound at `percent` of its loudness; 100 leaves it as it is, 0 is silence.
    pub fn at_volume(&self, wav: &[u8], percent: u8) -> Vec<u8> {
        let mut quieter = wav.to_vec();
        let percent = i32::from(percent.min(100));
        if percent == 100 {
            return quieter;
        }
        for pair in quieter[self.data.clone()].as_chunks_mut::<2>().0 {
            let sample = i32::from(i16::from_le_bytes(*pair)) * percent / 100;
            *pair = i16::try_from(sample).unwrap_or(0).to_le_bytes();
        }
        quieter
    }
}

/// A WAV file of one channel.
pub(super) fn mono(rate: u32, samples: &[i16]) -> Vec<u8> {
    let bytes = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut wav = Vec::with_capacity(44 + samples.len() * 2);
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&bytes.saturating_add(36).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt ");
    wav.extend_from_slice(&16_u32.to_le_bytes());
    wav.extend_from_slice(&PCM.to_le_bytes());
    wav.extend_from_slice(&1_u16.to_le_bytes());
    wav.extend_from_slice(&rate.to_le_bytes());
    wav.extend_from_slice(&(rate * 2).to_le_bytes());
    wav.extend_from_slice(&2_u16.to_le_bytes());
    wav.extend_from_slice(&16_u16.to_le_bytes());
    wav.extend_from_slice(b"data");
    wav.extend_from_slice(&bytes.to_le_bytes());
    for sample in samples {
        wav.extend_from_slice(&sample.to_le_bytes());
    }
    wav
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let wav = mono(16_000, &[0; 8_000]);
        let info = WavInfo::read(&wav).unwrap();
        assert_eq!((info.rate, info.channels), (16_000, 1));
        assert_eq!(info.length, Duration::from_millis(500));
    }

    #[test]
    fn parts_that_are_not_needed_are_passed_over() {
        let plain = mono(8_000, &[7; 800]);
        let mut long = plain[..12].to_vec();
        long.extend_from_slice(b"LIST\x03\0\0\0abc\0");
        long.extend_from_slice(&plain[12..]);
        assert_eq!(WavInfo::read(&long).unwrap().length, Duration::from_millis(100));
    }

    #[test]
    fn the_volume_scales_the_samples_and_nothing_else() {
        let wav = mono(8_000, &[1000, -1000, i16::MIN, i16::MAX]);
        let info = WavInfo::read(&wav).unwrap();
        assert_eq!(info.at_volume(&wav, 100), wav);
        assert_eq!(info.at_volume(&wav, 50), mono(8_000, &[500, -500, -16384, 16383]));
        assert_eq!(info.at_volume(&wav, 0), mono(8_000, &[0; 4]));
        assert_eq!(info.at_volume(&wav, 255), wav);
    }

    #[test]
    fn what_cannot_be_played_is_told_apart() {
        let good = mono(8_000, &[1, 2, 3, 4]);
        let with = |at: usize, byte: u8| {
            let mut wav = good.clone();
            wav[at] = byte;
            WavInfo::read(&wav).unwrap_err()
        };
        assert_eq!(WavInfo::read(b""), Err(WavError::NotWav));
        assert_eq!(with(0, b'X'), WavError::NotWav);
        assert_eq!(with(20, 3), WavError::Coding { coding: 3, bits: 16 });
        assert_eq!(with(34, 8), WavError::Coding { coding: 1, bits: 8 });
        assert_eq!(with(22, 0), WavError::Rate { rate: 8_000, channels: 0 });
        assert_eq!(with(36, b'X'), WavError::Missing("data"));
        assert_eq!(with(12, b'X'), WavError::Missing("fmt "));
        assert_eq!(with(40, 200), WavError::Missing("data"));
        let large = vec![0; LARGEST + 1];
        assert_eq!(WavInfo::read(&large), Err(WavError::TooLarge { bytes: LARGEST + 1 }));
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_reader(
            bytes in prop::collection::vec(any::<u8>(), 0..120),
            cut in 0_usize..60,
            at in 0_usize..52,
        ) {
            let _ = WavInfo::read(&bytes);
            let mut wav = mono(8_000, &[1, 2, 3, 4]);
            if let (Some(place), Some(byte)) = (wav.get_mut(at), bytes.first()) {
                *place = *byte;
            }
            wav.truncate(cut.max(1));
            if let Ok(info) = WavInfo::read(&wav) {
                prop_assert_eq!(info.at_volume(&wav, 30).len(), wav.len());
            }
        }
    }
}
