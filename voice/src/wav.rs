//! Why: engines and people who record give WAV files. An engine that writes into a pipe cannot know
//! the length when it writes the header and puts a huge number there instead.
//!
//! Refuses: other codings than 16-bit PCM, files that end before they should, sounds longer than two
//! minutes.

use std::io::Cursor;
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::error::SoundFault;
use crate::{Sound, VoiceError};

/// The longest sound, in seconds.
const LONGEST: u32 = 120;
/// No file of a sound that is short enough is larger: stereo at the highest rate, and its header.
pub(crate) const LARGEST: usize = LONGEST as usize * 96_000 * 4 + 4_096;

/// Reads a file whose header tells the truth.
pub fn read_wav(bytes: &[u8]) -> Result<Sound, SoundFault> {
    read(bytes, false)
}

/// Reads what a program wrote into a pipe: the sound ends where the bytes end.
pub fn read_stream(bytes: &[u8]) -> Result<Sound, SoundFault> {
    read(bytes, true)
}

fn read(bytes: &[u8], streamed: bool) -> Result<Sound, SoundFault> {
    if bytes.len() > LARGEST {
        return Err(SoundFault::TooLong);
    }
    let reader = WavReader::new(Cursor::new(bytes)).map_err(|error| match error {
        hound::Error::IoError(_) => SoundFault::CutOff,
        _ => SoundFault::NotWav,
    })?;
    let WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format } =
        reader.spec();
    if sample_format != SampleFormat::Int
        || bits != 16
        || !(1..=2).contains(&channels)
        || !(8_000..=96_000).contains(&rate)
    {
        return Err(SoundFault::Format { bits, channels, rate });
    }
    let per_frame = usize::from(channels);
    let most = usize::try_from(LONGEST * rate).unwrap_or(usize::MAX).saturating_mul(per_frame);
    let mut samples = Vec::with_capacity(bytes.len() / 2);
    for sample in reader.into_samples::<i16>() {
        match sample {
            Ok(_) if samples.len() == most => return Err(SoundFault::TooLong),
            Ok(sample) => samples.push(sample),
            Err(_) if streamed => break,
            Err(_) => return Err(SoundFault::CutOff),
        }
    }
    if channels == 2 {
        samples =
            samples.as_chunks::<2>().0.iter().map(|pair| i16::midpoint(pair[0], pair[1])).collect();
    }
    if samples.is_empty() { Err(SoundFault::Empty) } else { Ok(Sound::new(samples, rate)) }
}

/// Writes a sound as a file, for those who want to hear it elsewhere.
pub fn write_wav(path: &Path, sound: &Sound) -> Result<(), VoiceError> {
    let failed = |error: hound::Error| VoiceError::Recording {
        path: path.to_path_buf(),
        fault: error.to_string(),
    };
    let spec = WavSpec {
        channels: 1,
        sample_rate: sound.rate(),
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(path, spec).map_err(failed)?;
    for sample in sound.samples() {
        writer.write_sample(*sample).map_err(failed)?;
    }
    writer.finalize().map_err(failed)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn wav(spec: WavSpec, samples: &[i16]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for sample in samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    pub(crate) const MONO: WavSpec = WavSpec {
        channels: 1,
        sample_rate: RATE_OF_TEST,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    const RATE_OF_TEST: u32 = 16_000;

    /// The length that espeak-ng writes when it writes into a pipe.
    fn streamed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes[4..8].copy_from_slice(&0x7fff_f024_u32.to_le_bytes());
        let data = bytes.windows(4).position(|part| part == b"data").unwrap();
        bytes[data + 4..data + 8].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
        bytes
    }

    #[test]
    fn a_length_that_nobody_knew_is_where_the_bytes_end() {
        let bytes = streamed(wav(MONO, &[1, -2, 3]));
        assert_eq!(read_stream(&bytes).unwrap(), Sound::new(vec![1, -2, 3], RATE_OF_TEST));
        assert_eq!(read_wav(&bytes), Err(SoundFault::CutOff), "a file must be whole");
        let half_a_sample = &bytes[..bytes.len() - 1];
        assert_eq!(read_stream(half_a_sample).unwrap().samples(), [1, -2]);
    }

    #[test]
    fn two_channels_become_one() {
        let bytes = wav(WavSpec { channels: 2, ..MONO }, &[100, 200, -5, -7]);
        assert_eq!(read_wav(&bytes).unwrap().samples(), [150, -6]);
    }

    #[test]
    fn what_cannot_be_played_is_told_apart() {
        let good = wav(MONO, &[1, 2, 3, 4]);
        assert_eq!(read_wav(&good).unwrap().samples(), [1, 2, 3, 4]);
        assert_eq!(read_wav(&good[..good.len() - 3]), Err(SoundFault::CutOff));
        assert_eq!(read_wav(&good[..20]), Err(SoundFault::CutOff));
        assert_eq!(read_wav(b""), Err(SoundFault::CutOff));
        assert_eq!(read_wav(b"ID3 is the head of another kind of file"), Err(SoundFault::NotWav));
        assert_eq!(read_wav(&wav(MONO, &[])), Err(SoundFault::Empty));
        let rate = 4_000;
        let slow = wav(WavSpec { sample_rate: rate, ..MONO }, &[1]);
        assert_eq!(read_wav(&slow), Err(SoundFault::Format { bits: 16, channels: 1, rate }));
        let many = wav(WavSpec { channels: 4, ..MONO }, &[1, 2, 3, 4]);
        assert!(matches!(read_wav(&many), Err(SoundFault::Format { channels: 4, .. })));
        let eight = wav(WavSpec { bits_per_sample: 8, ..MONO }, &[1, 2]);
        assert!(matches!(read_wav(&eight), Err(SoundFault::Format { bits: 8, .. })));
        let long = wav(MONO, &vec![1; (RATE_OF_TEST * LONGEST + 1) as usize]);
        assert_eq!(read_wav(&long), Err(SoundFault::TooLong));
        assert_eq!(read_wav(&vec![0; LARGEST + 1]), Err(SoundFault::TooLong));
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let sound = Sound::new(vec![5, -6, 7], 22_050);
        write_wav(&path, &sound).unwrap();
        assert_eq!(read_wav(&std::fs::read(&path).unwrap()).unwrap(), sound);
        let fault = write_wav(&folder.path().join("no/where.wav"), &sound).unwrap_err();
        assert_eq!(fault.code(), "voice.recording");
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_reader(
            bytes in prop::collection::vec(any::<u8>(), 0..120),
            at in 0_usize..52,
            cut in 1_usize..60,
        ) {
            let _ = read_wav(&bytes);
            let mut mended = wav(MONO, &[1, 2, 3, 4]);
            for (place, byte) in mended.iter_mut().skip(at).zip(&bytes) {
                *place = *byte;
            }
            mended.truncate(cut);
            for sound in [read_wav(&mended), read_stream(&mended)].into_iter().flatten() {
                prop_assert!(sound.samples().len() * 2 <= mended.len());
            }
        }
    }
}
