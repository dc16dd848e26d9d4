//! Why: a site decides whether its kiosk speaks, with which player, how fast and how loud.
//!
//! Refuses: settings that cannot be heard, before anything is started.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::VoiceError;

/// What makes speech of text for which there is no recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// The program `espeak-ng`.
    #[default]
    Espeak,
    /// Nothing: only recordings are heard.
    None,
}

/// The section `[speech]` of a kiosk's configuration. Every key may be left out.
///
/// ```toml
/// [speech]
/// engine = "espeak"                # or "none": recordings only
/// recordings = "/etc/ronggui/prompts"   # a folder with index.tsv; see docs/operations.md
/// player = ["aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "RATE", "--buffer-time=120000"]
/// speed = 150                      # words a minute, 80 to 300
/// volume = 7                       # 0 to 10
/// tones = true                     # of keys, success, mistakes and the end of a visit
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechConfig {
    /// What speaks.
    pub engine: EngineKind,
    /// Where recordings lie; they come before the engine.
    pub recordings: Option<PathBuf>,
    /// The program that plays raw samples from its standard input, with its arguments. `RATE` stands
    /// for samples a second: signed, 16 bits, little endian, one channel.
    pub player: Vec<String>,
    /// Words a minute, 80 to 300. Slower than people talk: the hall is loud and listeners are old.
    pub speed: u16,
    /// Loudness at the start, 0 to 10.
    pub volume: u8,
    /// Whether tones are heard.
    pub tones: bool,
}

/// The player unless another is named. Its buffer is short, so that little is left in it.
const APLAY: [&str; 11] =
    ["aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "RATE", "--buffer-time=120000"];

impl Default for SpeechConfig {
    fn default() -> Self {
        Self {
            engine: EngineKind::default(),
            recordings: None,
            player: APLAY.map(str::to_owned).to_vec(),
            speed: 150,
            volume: 7,
            tones: true,
        }
    }
}

impl SpeechConfig {
    /// Whether every setting can be.
    pub fn check(&self) -> Result<(), VoiceError> {
        let refuse = |key, fault: String| Err(VoiceError::Setting { key, fault });
        if self.player.first().is_none_or(String::is_empty) {
            return refuse("player", "no program is named".to_owned());
        }
        if !(80..=300).contains(&self.speed) {
            return refuse("speed", format!("{} is not in 80 to 300", self.speed));
        }
        if self.volume > 10 {
            return refuse("volume", format!("{} is not in 0 to 10", self.volume));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_need_be_set() {
        let config: SpeechConfig = toml::from_str("").unwrap();
        assert_eq!(config, SpeechConfig::default());
        config.check().unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<SpeechConfig>(&text).unwrap(), config);
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        assert!(toml::from_str::<SpeechConfig>("vollume = 3").is_err());
        assert!(toml::from_str::<SpeechConfig>("engine = \"festival\"").is_err());
        for (text, key) in
            [("volume = 11", "volume"), ("speed = 20", "speed"), ("player = []", "player")]
        {
            let config: SpeechConfig = toml::from_str(text).unwrap();
            match config.check() {
                Err(VoiceError::Setting { key: refused, .. }) => assert_eq!(refused, key),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
