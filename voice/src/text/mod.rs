//! Why: what stands on a page is made for eyes: brackets, dates in figures, pictures, lines without a
//! stop. Here it becomes sentences that an engine can say and a person can follow.
//!
//! Refuses: to be long, to say what has no sound, and to read out a number with fifteen or more digits:
//! those are of people and bank cards, and no public text has one. It never fails, so nothing of
//! a text can be in an error.

mod clean;
mod numbers;
mod split;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Characters of a text that are read; more than any page has.
pub const LONGEST_TEXT: usize = 4_000;
/// Sentences of an utterance; more than any page has.
pub const MOST_SENTENCES: usize = 100;

/// What a sentence is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Language {
    /// Mandarin.
    #[serde(rename = "zh")]
    Chinese,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// Its short name.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::English => "en",
        }
    }

    /// The language of a short name.
    pub fn of_tag(tag: &str) -> Option<Self> {
        match tag {
            "zh" => Some(Self::Chinese),
            "en" => Some(Self::English),
            _ => None,
        }
    }
}

/// One sentence as it is spoken. No `Debug`; overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Sentence {
    text: Zeroizing<String>,
    language: Language,
}

impl Sentence {
    /// What is said.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In what.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Letters, characters and digits alone: the same for sentences that sound the same.
    pub(crate) fn key(&self) -> Zeroizing<String> {
        let letters = self.text.chars().filter(|letter| letter.is_alphanumeric());
        Zeroizing::new(letters.flat_map(char::to_lowercase).collect())
    }
}

/// What is read in one go: the sentences of a page, in the order in which it is read. No `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Utterance {
    sentences: Vec<Sentence>,
}

impl Utterance {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A public text in one language.
    pub fn of(language: Language, text: &str) -> Self {
        Self::new().and(language, text)
    }

    /// With more public text after it: title, explanation, each choice.
    #[must_use]
    pub fn and(mut self, language: Language, text: &str) -> Self {
        self.sentences.append(&mut sentences(text, language));
        self.sentences.truncate(MOST_SENTENCES);
        self
    }

    /// Its sentences.
    pub fn sentences(&self) -> &[Sentence] {
        &self.sentences
    }

    /// True when there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// Takes the sentences out.
    pub fn into_sentences(self) -> Vec<Sentence> {
        self.sentences
    }
}

/// Splits a text into sentences that can be spoken. Of a text that is too long the beginning.
pub fn sentences(text: &str, language: Language) -> Vec<Sentence> {
    let long = text.char_indices().nth(LONGEST_TEXT);
    let beginning = long.map_or(text, |(end, _)| &text[..end]);
    let clean = clean::clean(beginning, language);
    let spoken = numbers::spoken(&clean, language);
    let mut found = split::split(&spoken, language);
    if long.is_some() && found.len() > 1 {
        // It was cut in the middle of a sentence; half a sentence may say the contrary.
        found.pop();
    }
    found.truncate(MOST_SENTENCES);
    found.into_iter().map(|text| Sentence { text, language }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(language: Language, text: &str) -> Vec<String> {
        sentences(text, language).iter().map(|one| one.text().to_owned()).collect()
    }

    #[test]
    fn a_page_becomes_sentences_in_both_languages() {
        assert_eq!(
            said(Language::Chinese, "请放身份证！\n可以吗？好；下一步。1.请等待\n2、签字"),
            ["请放身份证！", "可以吗？", "好。", "下一步。", "一，请等待。", "二，签字。"]
        );
        assert_eq!(
            said(
                Language::English,
                "Put your card here. It is No. 3.5 of e.g. ten! Ready?\n1. Wait"
            ),
            ["Put your card here.", "It is No. 3.5 of e.g. ten!", "Ready?", "1, Wait."]
        );
    }

    #[test]
    fn what_has_no_sound_is_left_out() {
        assert_eq!(
            said(Language::Chinese, "【提示】〔U+2A700〕“荣军”（样本）😀👨‍👩‍👧——《条例》…\u{e000}𪜀"),
            ["提示荣军，样本，条例。"]
        );
        assert_eq!(
            said(Language::English, "[Note] “Press” (here) 🙂 → done – now… right/left"),
            ["Note Press, here, done, now, right, left."]
        );
        assert_eq!(said(Language::Chinese, "😀（）。！？\n…"), Vec::<String>::new());
        assert_eq!(said(Language::English, ""), Vec::<String>::new());
        assert_eq!(
            said(Language::Chinese, "ＷｉＦｉ和USB，Ａ４纸"),
            ["W I F I 和 U S B，A 四纸。"]
        );
    }

    #[test]
    fn long_sentences_are_taken_at_a_comma_or_cut() {
        let long = format!("{}，{}，末尾。", "请".repeat(60), "等".repeat(60));
        let parts = said(Language::Chinese, &long);
        assert_eq!(parts.len(), 2);
        assert!(parts[0].starts_with('请') && parts[0].chars().count() == 61);
        let words = "word ".repeat(100);
        for part in said(Language::English, &words) {
            assert!(part.len() <= split::LONGEST_ENGLISH + 1);
            assert!(part.trim_end_matches('.').split(' ').all(|word| word == "word"), "{part}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_ends_with_a_whole_sentence() {
        let all = said(Language::Chinese, &"一句话。".repeat(2_500));
        assert_eq!(all.len(), MOST_SENTENCES);
        let long = format!("{}不可以{}", "说。".repeat(10), "啊".repeat(10_000));
        assert!(
            said(Language::Chinese, &long).iter().map(|one| one.chars().count()).sum::<usize>()
                < 4_100
        );
        assert_eq!(said(Language::English, &format!("Whole. {}", "x".repeat(10_000)))[0], "Whole.");
    }

    #[test]
    fn an_utterance_mixes_languages_and_is_bounded() {
        let both = Utterance::of(Language::Chinese, "你好。").and(Language::English, "Hello.");
        let tags: Vec<_> = both.sentences().iter().map(|one| one.language().tag()).collect();
        assert_eq!(tags, ["zh", "en"]);
        let mut many = Utterance::new();
        assert!(many.is_empty());
        for _ in 0..3 {
            many = many.and(Language::English, &"A word. ".repeat(80));
        }
        assert_eq!(many.sentences().len(), MOST_SENTENCES);
    }

    #[test]
    fn the_key_knows_a_sentence_by_its_sound_alone() {
        let key = |text: &str| sentences(text, Language::English)[0].key().to_string();
        assert_eq!(key("Press “Next”."), key("press next"));
        assert_ne!(key("Press next."), key("Press back."));
        assert_eq!(Language::of_tag("zh"), Some(Language::Chinese));
        assert_eq!(Language::of_tag("fr"), None);
    }

    proptest! {
        #[test]
        fn any_text_gives_bounded_sentences_with_sound(text in "\\PC{0,200}", english: bool) {
            let language = if english { Language::English } else { Language::Chinese };
            for sentence in sentences(&text, language) {
                prop_assert!(!sentence.key().is_empty());
                prop_assert!(sentence.text().chars().count() <= split::LONGEST_ENGLISH + 1);
                prop_assert!(!sentence.text().contains('\n'));
                prop_assert!(!sentence.text().starts_with(['，', ',', ' ']));
            }
        }

        #[test]
        fn no_number_of_a_person_is_ever_spoken(
            before in "[a-z一-十 ]{0,5}",
            number in "[1-9][0-9]{14,20}[X]?",
            gap in 0_usize..10,
            after in "[a-z一-十 。]{0,5}",
            english: bool,
        ) {
            let language = if english { Language::English } else { Language::Chinese };
            let spaced: String = number
                .char_indices()
                .flat_map(|(at, digit)| (at > 0 && gap > 2 && at % gap == 0).then_some(' ').into_iter().chain([digit]))
                .collect();
            let with = sentences(&format!("{before}{spaced}{after}"), language);
            let digits = "0123456789零幺二三四五六七八九";
            for sentence in &with {
                let run = sentence.text().split(|c: char| !digits.contains(c) && c != ' ').map(|run| {
                    run.chars().filter(|c| *c != ' ').count()
                }).max().unwrap_or(0);
                prop_assert!(run < 14, "a long number was left");
            }
        }
    }
}
