//! Why: what a page says is asked for again and again: at each repetition and by each visitor.
//!
//! Refuses: to grow, and to keep anything after [`Cache::forget`].

use std::collections::VecDeque;

use zeroize::Zeroizing;

use crate::text::Sentence;
use crate::{Language, Sound};

/// Sounds of sentences by their text; the one that was not asked for the longest goes first.
pub(crate) struct Cache {
    most_bytes: usize,
    bytes: usize,
    // The front is the oldest.
    kept: VecDeque<(Language, Zeroizing<String>, Sound)>,
}

impl Cache {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self { most_bytes, bytes: 0, kept: VecDeque::new() }
    }

    pub(crate) fn get(&mut self, sentence: &Sentence) -> Option<Sound> {
        let at = self.kept.iter().position(|(language, text, _)| {
            *language == sentence.language() && text.as_str() == sentence.text()
        })?;
        let found = self.kept.remove(at)?;
        let sound = found.2.clone();
        self.kept.push_back(found);
        Some(sound)
    }

    pub(crate) fn put(&mut self, sentence: &Sentence, sound: &Sound) {
        if sound.bytes() > self.most_bytes || self.get(sentence).is_some() {
            return;
        }
        self.bytes += sound.bytes();
        let text = Zeroizing::new(sentence.text().to_owned());
        self.kept.push_back((sentence.language(), text, sound.clone()));
        while self.bytes > self.most_bytes {
            let Some((_, _, oldest)) = self.kept.pop_front() else { break };
            self.bytes -= oldest.bytes();
        }
    }

    pub(crate) fn forget(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::sentences;

    fn sentence(text: &str, language: Language) -> Sentence {
        sentences(text, language).remove(0)
    }

    #[test]
    fn the_least_asked_for_goes_first_and_nothing_is_left_when_it_forgets() {
        let mut cache = Cache::new(2_000);
        let sound = |level: i16| Sound::new(vec![level; 400], 22_050);
        let [a, b, c] = ["a", "b", "c"].map(|text| sentence(text, Language::English));
        cache.put(&a, &sound(1));
        cache.put(&b, &sound(2));
        assert_eq!(cache.get(&a), Some(sound(1)));
        cache.put(&c, &sound(3));
        assert_eq!(cache.get(&b), None, "it was asked for before a was");
        assert_eq!((cache.get(&a), cache.get(&c)), (Some(sound(1)), Some(sound(3))));
        cache.put(&a, &sound(9));
        assert_eq!(cache.get(&a), Some(sound(1)), "one is kept once");
        cache.put(&b, &Sound::new(vec![0; 1_001], 22_050));
        assert_eq!(cache.get(&b), None, "larger than all of it");
        cache.forget();
        assert_eq!((cache.get(&a), cache.bytes), (None, 0));
    }

    #[test]
    fn the_same_letters_in_another_language_are_another_sentence() {
        let mut cache = Cache::new(2_000);
        cache.put(&sentence("A.", Language::English), &Sound::new(vec![1], 22_050));
        assert_eq!(cache.get(&sentence("A.", Language::Chinese)), None);
    }
}
