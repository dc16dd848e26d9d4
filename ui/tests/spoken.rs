//! Why: what is read aloud is what stands on the page, all of it, in its order, and nothing that
//! belongs to a person: others stand in the queue.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]

mod support;

use support::{Stage, specimens};
use ui::view_model::{Language, Page};

fn named(language: Language, name: &str) -> ui::view_model::ViewModel {
    let all = specimens::all(language);
    all.into_iter().find(|specimen| specimen.name == name).expect("a specimen").view
}

#[test]
fn every_page_has_something_to_say_and_betrays_nobody() {
    let stage = Stage::new(1080, 1920);
    // Names, numbers, addresses and receipts of the specimens.
    let secrets = [
        "样本甲",
        "样本乙",
        "样*",
        "110105",
        "13800",
        "510106-",
        "Specimen A",
        "Yang",
        "34D6",
        "江北县",
        "jnq",
    ];
    for language in [Language::Chinese, Language::English] {
        for specimen in specimens::all(language) {
            stage.screen.wipe();
            stage.show(&specimen.view);
            let said = stage.screen.spoken();
            assert!(said.len() >= 2, "{language:?} {}: {} sentences", specimen.name, said.len());
            for sentence in &said {
                for secret in secrets {
                    assert!(!sentence.contains(secret), "{}: {sentence}", specimen.name);
                }
            }
        }
    }
}

#[test]
fn what_a_list_hides_is_read_too_and_in_order() {
    let stage = Stage::new(1080, 1920);
    stage.show(&named(Language::Chinese, "services"));
    let said = stage.screen.spoken();
    let at = |what: &str| {
        said.iter()
            .position(|sentence| sentence.contains(what))
            .unwrap_or_else(|| panic!("{what} is not read: {said:?}"))
    };
    let order =
        ["请选择要办的事项", "退役报到", "户口登记", "党组织关系转接", "不在这里办理", "下一步"];
    let places: Vec<usize> = order.iter().map(|what| at(what)).collect();
    assert!(places.is_sorted(), "{places:?}");
    // A service is read with its reason, and closed ones say why they are.
    assert!(said.iter().any(|sentence| sentence.contains("每位退役军人都要办理")));
}

#[test]
fn what_lies_over_a_page_is_read_alone() {
    let stage = Stage::new(1080, 1920);
    stage.show(&named(Language::Chinese, "overlay-leave"));
    let said = stage.screen.spoken();
    assert!(said[0].contains("要退出吗"), "{said:?}");
    assert!(!said.iter().any(|sentence| sentence.contains("婚姻")), "{said:?}");
}

#[test]
fn it_is_read_in_the_language_of_the_page() {
    let stage = Stage::new(1080, 1920);
    // Places have no English names.
    let spoken = |one: &specimens::Specimen| !one.name.starts_with("question-region");
    for specimen in specimens::all(Language::English).into_iter().filter(spoken) {
        stage.show(&specimen.view);
        for sentence in stage.screen.spoken() {
            // A certificate is quoted as it is printed.
            let sentence = sentence.replace("自主就业", "");
            let chinese = sentence.chars().any(|one| ('\u{4e00}'..='\u{9fff}').contains(&one));
            assert!(!chinese, "{}: {sentence}", specimen.name);
        }
    }
}

/// The words of a test would be worth nothing if the specimens did not carry the secrets.
#[test]
fn the_secrets_are_on_the_panel() {
    let stage = Stage::new(1080, 1920);
    stage.show(&named(Language::Chinese, "review"));
    let Page::Review(page) = named(Language::Chinese, "review").page else { panic!("a review") };
    let value = page.lines.iter().find(|line| line.value.contains("样本")).expect("a name");
    let there = |element: &ui::elements::Element| {
        element.lettering.as_ref().is_some_and(|text| text.words == value.value)
    };
    assert!(stage.screen.elements().iter().any(there));
}
