//! Why: a terminal that many people use in turn must not remember any of them. Values about a
//! person live in [`Personal`], which is wiped when dropped and cannot be printed by accident.
//!
//! Refuses: `Display`, `Debug` of the content and implicit serialisation. Whoever needs the
//! content says so with [`Personal::expose`]; whoever serialises it says so with
//! [`expose_for_sealing`], which belongs only on types that end in a sealed file or in the
//! gateway's case store.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

/// A value about a person: wiped on drop, redacted in `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Personal<T: Zeroize>(Zeroizing<T>);

/// Text about a person.
pub type PersonalText = Personal<String>;
/// Bytes about a person: photographs, fingerprints of documents, raw card fields.
pub type PersonalBytes = Personal<Vec<u8>>;

impl<T: Zeroize> Personal<T> {
    /// Takes ownership; the value is wiped when the last owner drops it.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The content, for the one place that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// The content for editing in place (a field that is being typed into).
    pub fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl PersonalText {
    /// True when there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The content as a string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl From<&str> for PersonalText {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl<T: Zeroize> std::fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Personal(…)")
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

/// `#[serde(serialize_with = "personal::expose_for_sealing")]`: writes the content out. Only for
/// types whose bytes are sealed, or stored where the law puts them.
pub fn expose_for_sealing<T, S>(value: &Personal<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Zeroize + Serialize,
    S: Serializer,
{
    value.expose().serialize(serializer)
}

/// As [`expose_for_sealing`], for a map from keys to personal values.
pub fn expose_map_for_sealing<K, T, S>(
    map: &std::collections::BTreeMap<K, Personal<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error>
where
    K: Serialize,
    T: Zeroize + Serialize,
    S: Serializer,
{
    serializer.collect_map(map.iter().map(|(key, value)| (key, value.expose())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_content() {
        let name = PersonalText::from("样本甲");
        assert_eq!(format!("{name:?}"), "Personal(…)");
        assert!(!format!("{:?}", Some(vec![name])).contains("样本"));
    }

    #[test]
    fn content_comes_back_only_on_request() {
        let mut text = PersonalText::from("a");
        text.expose_mut().push('b');
        assert_eq!(text.as_str(), "ab");
        assert!(!text.is_empty());
    }

    #[test]
    fn deserialises_but_serialises_only_when_told_to() {
        #[derive(Serialize, Deserialize)]
        struct Sealed {
            #[serde(serialize_with = "expose_for_sealing")]
            name: PersonalText,
        }
        let sealed: Sealed = serde_json::from_str(r#"{"name":"样本"}"#).unwrap();
        assert_eq!(serde_json::to_string(&sealed).unwrap(), r#"{"name":"样本"}"#);
    }
}
