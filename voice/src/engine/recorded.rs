//! Why: a person's voice is understood by those who do not understand a synthetic one. An office
//! records the sentences it cares about, one file each, and says in a table which is which.
//!
//! Refuses: half a folder. A table that names a file which is not there, not a recording, or outside of
//! the folder is an error with its line when the kiosk starts, not a silence when it is heard.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Engine;
use crate::text::sentences;
use crate::{Language, Sound, VoiceError, read_wav, wav};

/// The table: language, tab, file, tab, sentence.
const INDEX: &str = "index.tsv";
/// A table is read whole.
const LARGEST_INDEX: u64 = 4 * 1024 * 1024;

/// A folder of recordings before another engine.
pub struct Recorded {
    files: HashMap<(Language, String), PathBuf>,
    next: Arc<dyn Engine>,
}

impl Recorded {
    /// Reads the table of a folder and looks at every file in it.
    pub fn open(folder: &Path, next: Arc<dyn Engine>) -> Result<Self, VoiceError> {
        let path = folder.join(INDEX);
        let wrong = |line, fault: String| VoiceError::Index { path: path.clone(), line, fault };
        let about = std::fs::metadata(&path).map_err(|error| wrong(0, error.to_string()))?;
        if !about.is_file() || about.len() > LARGEST_INDEX {
            return Err(wrong(0, "it is not a file, or larger than 4 MiB".to_owned()));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(0, error.to_string()))?;
        let mut files = HashMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start_matches('\u{feff}').trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |fault: &str| wrong(number + 1, fault.to_owned());
            let mut columns = line.splitn(3, '\t').map(str::trim);
            let (Some(tag), Some(file), Some(sentence)) =
                (columns.next(), columns.next(), columns.next())
            else {
                return Err(wrong("there are not three columns with tabs between them"));
            };
            let language = Language::of_tag(tag)
                .ok_or_else(|| wrong("the language is neither `zh` nor `en`"))?;
            let key = key(sentence, language)
                .ok_or_else(|| wrong("the third column is not exactly one sentence"))?;
            if Path::new(file).components().any(|part| !matches!(part, Component::Normal(_)))
                || file.is_empty()
            {
                return Err(wrong("the file is outside of the folder"));
            }
            let recording = folder.join(file);
            load(&recording)?;
            if files.insert((language, key), recording).is_some() {
                return Err(wrong("the sentence has a recording already"));
            }
        }
        Ok(Self { files, next })
    }

    /// Sentences with a recording.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether a sentence has one.
    pub fn has(&self, sentence: &crate::Sentence) -> bool {
        self.files.contains_key(&(sentence.language(), sentence.key().to_string()))
    }
}

impl Engine for Recorded {
    fn speak(&self, text: &str, language: Language) -> Result<Sound, VoiceError> {
        let recording = key(text, language).and_then(|key| self.files.get(&(language, key)));
        // One that was good at the start and is not now: the other voice is better than none.
        match recording.map(|path| load(path)) {
            Some(Ok(sound)) => Ok(sound),
            Some(Err(_)) | None => self.next.speak(text, language),
        }
    }

    fn available(&self) -> bool {
        !self.files.is_empty() || self.next.available()
    }
}

fn key(text: &str, language: Language) -> Option<String> {
    let one = sentences(text, language);
    match one.as_slice() {
        [sentence] => Some(sentence.key().to_string()),
        _ => None,
    }
}

fn load(path: &Path) -> Result<Sound, VoiceError> {
    let wrong = |fault: String| VoiceError::Recording { path: path.to_path_buf(), fault };
    let about = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?;
    // Reading a pipe or a device might never end.
    if !about.is_file() {
        return Err(wrong("it is not a file".to_owned()));
    }
    if about.len() > wav::LARGEST as u64 {
        return Err(wrong(crate::error::SoundFault::TooLong.to_string()));
    }
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    read_wav(&Zeroizing::new(bytes)).map_err(|fault| wrong(fault.to_string()))
}
