//! How often a veteran touches the panel, and how much is typed, on the shortest honest way.

use serde_json::Value;
use tests::play;

/// Touches without those for photographs, at the most. Sixty are the goal; seventeen of these are the
/// digits of a telephone number and turns of long lists.
const TOUCHES: u64 = 86;

#[test]
fn a_visit_takes_few_touches_and_no_typed_chinese() {
    let played = play("tests/fixtures/visits/journey.toml").unwrap();
    let summary = played.summary().unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let pages = summary["taps_by_page"].as_object().unwrap();
    let all: u64 = pages.values().map(number).sum();
    assert_eq!(all, number(&summary["taps"]), "every touch is of some page");
    let photographs = number(&pages["capture"]);
    assert!(photographs > 0 && all > 30, "{pages:?}");
    assert_eq!(number(&summary["typed_chinese"]), 0);
    // The telephone number is all that the card does not know.
    assert_eq!(number(&summary["typed"]), 11);
    assert!(all - photographs <= TOUCHES, "{} touches: {pages:?}", all - photographs);
}
