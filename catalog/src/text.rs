//! Why: every sentence a person reads is data in two languages, so that a province can word it
//! without a build. Refuses to guess: a text lacking one language does not load.

use serde::{Deserialize, Serialize};

/// The language a person reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// 简体中文.
    #[default]
    Zh,
    /// English.
    En,
}

/// One sentence or label in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// 简体中文.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The wording in `language`.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }

    /// A copy in which `{name}` is replaced, each language by its own wording.
    pub(crate) fn filled(&self, name: &str, with: &Text) -> Text {
        let mark = format!("{{{name}}}");
        Text { zh: self.zh.replace(&mark, &with.zh), en: self.en.replace(&mark, &with.en) }
    }
}
