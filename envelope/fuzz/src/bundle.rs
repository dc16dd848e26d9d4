//! The office's list of keys, as a terminal gets it from whoever answers.

use envelope::{RootPublic, SignedBundle};

use crate::edits::apply;

const GOOD: &[u8] = include_bytes!("../../tests/vectors/recipients.json");
const ROOT: &str = include_str!("../../tests/vectors/root-public.json");

/// The first byte chooses: a bundle's JSON as it is, or a recipe for changing a good one.
pub fn text(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let json = if how & 0x80 != 0 {
        let mut json = GOOD.to_vec();
        apply(rest, &mut json);
        json
    } else {
        rest.to_vec()
    };
    let signed = match SignedBundle::from_json(&json) {
        Ok(signed) => signed,
        Err(refusal) => {
            assert!(!refusal.code().is_empty() && !refusal.cure().is_empty());
            return;
        }
    };
    let again = SignedBundle::from_json(signed.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(&signed), "what is written says the same");
    let root: RootPublic = serde_json::from_str(ROOT).expect("the vectors' root");
    if let Ok(bundle) = signed.verify(&root) {
        let good = SignedBundle::from_json(GOOD).expect("the vector");
        assert_eq!(bundle, good.verify(&root).expect("the vector's signature"));
    }
}
