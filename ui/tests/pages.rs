//! Why: every page shows in both languages, says its name, carries its buttons, and keeps all of
//! them on the panel and large enough, whatever the settings.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]

mod support;

use support::{Stage, specimens};
use ui::view_model::{Language, Page, Reading, ViewModel};

const LANGUAGES: [Language; 2] = [Language::Chinese, Language::English];
const ALWAYS: [&str; 6] = [
    "btn-language",
    "btn-text-size",
    "btn-contrast",
    "btn-low-position",
    "btn-read-aloud",
    "btn-call-staff",
];
/// In the place of the settings while the page is read aloud.
const READING: [&str; 4] = ["btn-read-again", "btn-volume", "btn-stop-reading", "btn-call-staff"];

/// What is on every page, the settings or what steers the reading.
fn always(view: &ViewModel) -> &'static [&'static str] {
    match view.chrome.reading {
        Reading::Speaking | Reading::Paused => &READING,
        Reading::Absent | Reading::Silent => &ALWAYS,
    }
}

/// What must be found beside what is on every page.
fn expected(specimen: &str) -> &'static [&'static str] {
    match specimen {
        "attract" | "attract-degraded" | "fault-technician" => {
            &["btn-start", "btn-staff-gate", "btn-help"]
        }
        "identify" => &["btn-no-card", "btn-back", "btn-leave"],
        "manual-number" => &["entry", "key:0", "key:x", "key:backspace", "btn-next"],
        "manual-name" => {
            &["entry", "key:a", "key:'", "composing", "way:pinyin", "way:latin", "btn-next"]
        }
        "manual-unlock" => &["entry", "key:9", "btn-next"],
        "consent-notice" => &["btn-agree"],
        "consent-separate" => &["btn-agree", "btn-disagree"],
        "home" | "home-scanner" | "fault-staff" => {
            &["btn-apply", "btn-show-progress", "btn-reprint", "btn-help"]
        }
        "question-choice" => &["tile:10", "tile:90", "btn-next"],
        "question-phone" => &["entry", "key:5", "btn-next"],
        "question-address" => &["entry", "suggestion:card", "key:unfold"],
        "question-date" => &["date-year", "date-month", "date-day"],
        "question-region-complete" => &["crumb:2", "btn-next"],
        "question-region-find" => &["entry", "tile:510106", "btn-list-places"],
        "question-region-former" => &["entry", "btn-list-places"],
        "question-region" => &["crumb:0", "tile:510000", "suggestion:card", "list-down"],
        "services" => &["service:reporting", "list-down", "list-up"],
        "checklist" => &["btn-papers-at-hand", "btn-print-checklist"],
        "capture" => &["camera", "btn-take", "btn-skip"],
        "capture-waiting" => &["camera", "btn-take", "btn-skip"],
        "capture-still" => &["btn-keep", "btn-retake", "btn-add-page"],
        "capture-covered" | "capture-frozen" => &["camera", "btn-take", "btn-skip"],
        "capture-blurred" => &["btn-retake", "btn-skip"],
        "review" => &["list-down", "btn-next"],
        "declaration" => &["signature-pad", "btn-clear-signature", "btn-submit"],
        "receipt" => &["qr", "btn-finish"],
        "receipt-presented" => &["qr", "btn-finish"],
        "receipt-unknown" | "receipt-part" | "receipt-nothing" => {
            &["btn-receipt-came-out", "btn-print-again", "btn-screen-only"]
        }
        "receipt-uncut" => &["btn-receipt-came-out", "btn-screen-only"],
        "receipt-failed" | "receipt-taken-back" => &["btn-print-again", "btn-screen-only"],
        "receipt-no-paper" => &["btn-screen-only"],
        "take-card" => &["btn-finish"],
        "progress" | "progress-lost" => &["correction:c-1"],
        "progress-unavailable" | "trouble" => &["btn-retry"],
        "staff-login" => &["entry", "key:0", "btn-close-staff"],
        "staff" => &["btn-test-page", "btn-self-test", "btn-close-staff"],
        "self-test-reader" => &["btn-skip", "btn-did-not-work"],
        "self-test-printer" | "self-test-camera" => &["btn-skip", "btn-did-not-work", "btn-worked"],
        "self-test-touch" => &["grid:0", "grid:11", "btn-skip"],
        "self-test-report" => &["btn-print-report", "btn-close-staff"],
        "reading" => &["btn-pause-reading"],
        "reading-paused" => &["btn-resume-reading"],
        "staff-tampered" => &["btn-test-page", "btn-clear-tamper", "btn-close-staff"],
        "overlay-idle" => &["overlay:idle", "btn-still-here"],
        "overlay-leave" => &["overlay:confirm-leave", "btn-stay", "btn-confirm-leave"],
        "overlay-called" => &["overlay:staff-called", "btn-stay"],
        "overlay-help" => &["overlay:help", "btn-stay"],
        _ => &[],
    }
}

#[test]
fn every_page_says_its_name_and_carries_its_buttons() {
    let stage = Stage::new(1080, 1920);
    for language in LANGUAGES {
        for specimen in specimens::all(language) {
            stage.show(&specimen.view);
            let page = format!("page:{}", specimen.view.page.name());
            for id in always(&specimen.view).iter().copied().chain([page.as_str()]) {
                assert!(stage.find(id).is_some(), "{language:?} {}: no {id}", specimen.name);
            }
            for id in expected(&specimen.name) {
                assert!(stage.find(id).is_some(), "{language:?} {}: no {id}", specimen.name);
            }
        }
    }
}

#[test]
fn what_can_be_pressed_has_a_label_and_an_id_of_its_own() {
    let stage = Stage::new(1080, 1920);
    for specimen in specimens::all(Language::English) {
        stage.show(&specimen.view);
        let mut seen = std::collections::HashSet::new();
        for element in stage.query().find_all() {
            use i_slint_backend_testing::AccessibleRole as Role;
            let role = element.accessible_role();
            if !matches!(role, Some(Role::Button | Role::Checkbox | Role::TextInput)) {
                continue;
            }
            let id = element.accessible_id().unwrap_or_default();
            let label = element.accessible_label().unwrap_or_default();
            assert!(!id.is_empty(), "{}: {label} has no id", specimen.name);
            assert!(!label.is_empty(), "{}: {id} has no label", specimen.name);
            assert!(seen.insert(id.clone()), "{}: {id} twice", specimen.name);
        }
    }
}

/// Sizes, text sizes and position; everything outside a list must stay on the panel.
#[test]
fn the_footer_and_the_settings_never_leave_the_panel() {
    let stage = Stage::new(1080, 1920);
    let mut failures = Vec::new();
    for (width, height, low) in [(1080, 1920, false), (1080, 1920, true), (1920, 1080, false)] {
        stage.resize(width, height);
        for text_size in [0, 3] {
            for specimen in specimens::all(Language::English) {
                let mut view = specimen.view;
                view.chrome.text_size = text_size;
                view.chrome.low_position = low;
                stage.show(&view);
                // What has left the panel is not found at all, so its absence is a failure too.
                let home = matches!(view.page, Page::Home(_));
                let wanted = expected(&specimen.name).iter().filter(|id| id.starts_with("btn-"));
                for id in always(&view).iter().chain(wanted) {
                    if stage.find(id).is_none() && !home {
                        failures.push(format!(
                            "{width}x{height} low={low} text={text_size} {} {id}: not found",
                            specimen.name
                        ));
                    }
                }
                for element in stage.query().find_all() {
                    let id = element.accessible_id().unwrap_or_default();
                    let listed = home
                        && ["btn-apply", "btn-show-progress", "btn-reprint", "btn-help"]
                            .contains(&id.as_str());
                    if !id.starts_with("btn-") || id == "btn-staff-gate" || listed {
                        continue;
                    }
                    let (at, size) = (element.absolute_position(), element.size());
                    let inside = at.x >= 0.0
                        && at.y >= 0.0
                        && at.x + size.width <= width as f32 + 0.5
                        && at.y + size.height <= height as f32 + 0.5;
                    let reachable = !low || at.y >= height as f32 / 2.0 - 1.0;
                    let large = size.width >= 72.0 && size.height >= 72.0;
                    if !(inside && reachable && large) {
                        failures.push(format!(
                            "{width}x{height} low={low} text={text_size} {} {id}: {at:?} {size:?}",
                            specimen.name
                        ));
                    }
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_language_changes_what_is_written() {
    let stage = Stage::new(1080, 1920);
    let label = |language| {
        let specimen = specimens::all(language).swap_remove(0);
        stage.show(&specimen.view);
        stage.find("btn-start").and_then(|button| button.accessible_label()).unwrap_or_default()
    };
    assert_eq!(label(Language::Chinese), "开始办理");
    assert_eq!(label(Language::English), "Start");
    assert_eq!(label(Language::Chinese), "开始办理");
}

#[test]
fn a_wiped_panel_holds_nothing_of_the_person() {
    let stage = Stage::new(1080, 1920);
    let secrets = ["样本", "110105", "13800138000", "510106-34D6", "Specimen"];
    for language in LANGUAGES {
        for specimen in specimens::all(language) {
            stage.show(&specimen.view);
            stage.screen.set_preview(640, 480, &specimens::picture(640, 480));
            stage.screen.wipe();
            stage.settle();
            for element in stage.query().find_all() {
                let texts = [
                    element.accessible_label(),
                    element.accessible_value(),
                    element.accessible_description(),
                    element.accessible_id(),
                ];
                for text in texts.into_iter().flatten() {
                    for secret in secrets {
                        assert!(!text.contains(secret), "{}: {text}", specimen.name);
                    }
                }
            }
        }
    }
}

#[test]
fn a_picture_shows_what_it_should() {
    let stage = Stage::new(1080, 1920);
    let view = specimens::all(Language::Chinese).swap_remove(0).view;
    stage.show(&view);
    let normal = stage.picture();
    let mut contrast = view;
    contrast.chrome.high_contrast = true;
    stage.show(&contrast);
    let black = stage.picture();
    assert_eq!((normal.width(), normal.height()), (1080, 1920));
    assert_eq!(black.get_pixel(5, 1000).0, [0, 0, 0, 255]);
    assert_ne!(normal.get_pixel(5, 1000), black.get_pixel(5, 1000));
}

/// A greeting to somebody of this name.
fn greeting(name: &str) -> ui::view_model::ViewModel {
    let home = ui::view_model::Home { greeting_name: name.into(), ..Default::default() };
    ui::view_model::ViewModel { page: Page::Home(home), ..Default::default() }
}

#[test]
fn rare_characters_are_drawn_as_themselves() {
    let stage = Stage::new(1080, 1920);
    let drawn = |name: &str| {
        stage.show(&greeting(name));
        stage.picture()
    };
    // Two of each block: boxes for what is missing would be alike.
    for (one, other) in [
        ("㐀", "㐁"),
        ("𠮷", "𠮸"),
        ("\u{2a701}", "\u{2a702}"),
        ("\u{2b741}", "\u{2b742}"),
        ("\u{2b821}", "\u{2b822}"),
        ("\u{2ceb1}", "\u{2ceb2}"),
    ] {
        assert!(drawn(one) != drawn(other), "{one} and {other} look alike");
        assert!(drawn(one) != drawn(""), "{one} looks like nothing");
    }
}

#[test]
fn a_character_of_no_font_is_read_as_its_number() {
    let stage = Stage::new(1080, 1920);
    let says = |what: &str| {
        let found = stage.query().match_predicate({
            let what = what.to_owned();
            move |element| element.accessible_label().is_some_and(|label| label.contains(&*what))
        });
        found.find_first().is_some()
    };
    stage.screen.set_glyphs(|one| one != '\u{31350}');
    stage.show(&greeting("王\u{31350}"));
    assert!(says("王〔U+31350〕"));
    stage.show(&greeting("王𠮷"));
    assert!(says("王𠮷"));
}

#[test]
fn a_torn_camera_frame_is_refused() {
    let stage = Stage::new(1080, 1920);
    assert!(!stage.screen.set_preview(640, 480, &[0; 100]));
    assert!(stage.screen.set_preview(2, 2, &[0; 12]));
}

/// A visitor copies the number by hand: a line break inside it would be copied too.
#[test]
fn a_receipt_number_stays_on_one_line() {
    let stage = Stage::new(1080, 1920);
    for (width, height) in [(1080, 1920), (1920, 1080)] {
        stage.resize(width, height);
        for text_size in 0..=3 {
            let specimen = specimens::all(Language::Chinese)
                .into_iter()
                .find(|specimen| specimen.name == "receipt")
                .expect("a receipt");
            let mut view = specimen.view;
            view.chrome.text_size = text_size;
            stage.show(&view);
            let number = stage.find("own:receipt-number").expect("the number").size();
            // Two lines of the smallest size would be more than 180 px.
            assert!(number.height < 150.0, "{width} text={text_size}: {number:?}");
            assert!(number.height > 60.0, "{width} text={text_size}: too small, {number:?}");
        }
    }
}

#[test]
fn what_is_asked_of_the_visitor_comes_first() {
    let stage = Stage::new(1080, 1920);
    for text_size in [0, 3] {
        let specimen = specimens::all(Language::English)
            .into_iter()
            .find(|specimen| specimen.name == "progress")
            .expect("a progress page");
        let mut view = specimen.view;
        view.chrome.text_size = text_size;
        stage.show(&view);
        let button = stage.find("correction:c-1").expect("its button without turning the list");
        assert!(button.size().height >= 100.0);
        assert!(button.absolute_position().y < 1100.0);
    }
}

#[test]
fn a_paper_without_a_picture_is_named_so() {
    let stage = Stage::new(1080, 1920);
    let said = |count: &str| {
        let line = ui::view_model::ReviewLine {
            id: "photo".into(),
            label: "Paper".into(),
            value: count.into(),
        };
        let page = ui::view_model::ReviewPage { photographs: vec![line], ..Default::default() };
        stage.show(&ui::view_model::ViewModel { page: Page::Review(page), ..Default::default() });
        let texts: Vec<String> = stage
            .query()
            .find_all()
            .into_iter()
            .filter_map(|element| element.accessible_label())
            .map(Into::into)
            .collect();
        texts
    };
    assert!(said("0").iter().any(|text| text == "未拍"));
    assert!(said("2").iter().any(|text| text == "2 张"));
    assert!(!said("2").iter().any(|text| text == "未拍" || text == "填写的内容"));
}

/// "The end" is only said when nothing more comes: texts that wrap make a list longer than it seems.
#[test]
fn the_end_of_a_list_can_be_reached() {
    let stage = Stage::new(1080, 1920);
    for (language, text_size, name, last) in [
        (Language::Chinese, 2, "receipt", "人社"),
        (Language::English, 3, "receipt", "Human resources"),
        (Language::English, 3, "progress", "Public security, since 2026-11-20 15:02"),
        (Language::English, 2, "services", "Not handled here:"),
    ] {
        let specimen = specimens::all(language)
            .into_iter()
            .find(|specimen| specimen.name == name)
            .expect("a page with a list");
        let mut view = specimen.view;
        view.chrome.text_size = text_size;
        stage.show(&view);
        let mut down = stage.find("list-down").expect("a long list");
        while down.accessible_enabled() == Some(true) {
            stage.tap_at(support::centre(&down));
            down = stage.find("list-down").expect("a long list");
        }
        let edge = down.absolute_position().y;
        let bottom = stage
            .query()
            .find_all()
            .into_iter()
            .filter(|element| element.accessible_label().as_deref() == Some(last))
            .map(|element| element.absolute_position().y + element.size().height)
            .fold(f32::MIN, f32::max);
        assert!(bottom > 0.0, "{language:?} {name}: {last} is not in sight");
        assert!(bottom < edge, "{language:?} {name}: {last} ends at {bottom}, the list at {edge}");
    }
}
