//! Why: a page is a tree of Rust data and the panel a flat set of properties; this is the pure step
//! between. Everything a page does not use is empty in its [`Flat`], so nothing of the page before
//! can stay on the panel or in its memory.
//!
//! Refuses: touching the window.

use super::glyphs::text;
use super::{actions, words};
use crate::generated as g;
use crate::view_model as vm;
use slint::SharedString;

/// All that the panel holds.
#[derive(Clone, PartialEq, Default)]
pub struct Flat {
    pub language: vm::Language,
    pub chrome: g::ChromeData,
    pub fault: g::FaultData,
    pub page: g::PageKind,
    pub page_name: SharedString,
    pub overlay: g::OverlayKind,
    pub overlay_seconds: i32,
    pub open: bool,
    pub identify: g::IdentifyData,
    pub manual: g::ManualData,
    pub consent: g::ConsentData,
    pub home: g::HomeData,
    pub question: g::QuestionData,
    pub services_page: g::ServicesData,
    pub checklist: g::ChecklistData,
    pub capture: g::CaptureData,
    pub declaration: g::DeclarationData,
    pub receipt: g::ReceiptData,
    pub receipt_seconds: i32,
    pub take_card: g::TakeCardData,
    pub progress: g::ProgressData,
    pub trouble: g::TroubleData,
    pub staff_login: g::StaffLoginData,
    pub staff: g::StaffData,
    pub self_test: g::SelfTestData,

    pub actions: Vec<g::ActionData>,
    pub degraded: Vec<g::Degradation>,
    pub tiles: Vec<g::TileData>,
    pub suggestions: Vec<g::TileData>,
    pub path: Vec<g::TileData>,
    pub services: Vec<g::ServiceData>,
    pub papers: Vec<g::PaperData>,
    pub review_services: Vec<SharedString>,
    pub lines: Vec<g::LineData>,
    pub photographs: Vec<g::LineData>,
    pub steps: Vec<g::StepData>,
    pub cases: Vec<g::ProgressRow>,
    pub devices: Vec<g::DeviceData>,
    pub test_lines: Vec<g::TestLine>,
    pub grid: Vec<bool>,

    /// Page and question: when it changes, what was typed before belongs to the past.
    pub place: String,
    /// What is written there.
    pub purpose: ime::Purpose,
    pub entry: Entry,
    pub date: (i32, i32, i32),
    pub strokes: Vec<vm::Stroke>,
    pub still: Option<vm::Picture>,
    pub qr: String,
}

/// What the entry field holds.
#[derive(Clone, PartialEq, Default)]
pub enum Entry {
    /// There is none.
    #[default]
    Absent,
    /// This text, as the core has it.
    Shown(String),
    /// A PIN: only the panel has its digits, and the core says when they are spent.
    Hidden {
        /// Nothing is typed as far as the core knows.
        empty: bool,
    },
}

/// An empty panel, with the settings that a visitor meets.
pub fn blank() -> Flat {
    Flat { chrome: chrome(&vm::Chrome::default()), ..Flat::default() }
}

/// The panel for `view`.
pub fn flatten(view: &vm::ViewModel) -> Flat {
    let page = &view.page;
    let mut flat = Flat {
        language: view.chrome.language,
        chrome: chrome(&view.chrome),
        fault: view.chrome.fault.as_ref().map(fault).unwrap_or_default(),
        page: page.into(),
        page_name: page.name().into(),
        place: page.name().to_owned(),
        overlay: view.overlay.into(),
        actions: actions::of(page),
        ..Flat::default()
    };
    if let vm::Overlay::Idle { seconds_left } = view.overlay {
        flat.overlay_seconds = seconds(seconds_left);
    }
    flat.fill(page);
    flat
}

fn chrome(chrome: &vm::Chrome) -> g::ChromeData {
    g::ChromeData {
        english: chrome.language == vm::Language::English,
        text_size: i32::from(chrome.text_size.min(3)),
        high_contrast: chrome.high_contrast,
        low_position: chrome.low_position,
        stage: words::stage(chrome.stage),
        can_go_back: chrome.can_go_back,
        can_leave: chrome.can_leave,
        center: text(&chrome.center),
        phone: text(&chrome.phone),
        clock: text(&chrome.clock),
        staff_called: chrome.staff_called,
        reading: chrome.reading.into(),
        volume: i32::from(chrome.volume.clamp(1, 5)),
    }
}

fn fault(fault: &vm::FaultNotice) -> g::FaultData {
    g::FaultData {
        shown: true,
        device: fault.device.into(),
        what: fault.what.into(),
        actor: fault.actor.into(),
        code: text(&fault.code),
    }
}

impl Flat {
    fn fill(&mut self, page: &vm::Page) {
        match page {
            vm::Page::Attract(page) => {
                // A suspended terminal offers no start, whatever else is said.
                self.open = page.open && !page.degraded.contains(&vm::Degradation::Suspended);
                self.degraded = page.degraded.iter().map(|&what| what.into()).collect();
            }
            vm::Page::Identify(page) => {
                self.identify =
                    g::IdentifyData { state: page.state.into(), code: text(&page.code) };
            }
            vm::Page::ManualIdentity(page) => self.fill_manual(page),
            vm::Page::Consent(page) => {
                self.place.push_str(&page.key);
                self.consent = g::ConsentData {
                    key: text(&page.key),
                    title: text(&page.title),
                    body: text(&page.body),
                    law: text(&page.law),
                    separate: page.separate,
                    number: words::count(page.number),
                    of: words::count(page.of),
                };
            }
            vm::Page::Home(page) => {
                self.home = g::HomeData {
                    greeting: text(&shortened(&page.greeting_name)),
                    card_expired: page.card_expired,
                    can_reprint: page.can_reprint,
                    network: page.network,
                    scanner: page.scanner,
                };
            }
            vm::Page::Question(page) => self.fill_question(page),
            vm::Page::Services(page) => {
                self.services_page = g::ServicesData {
                    chosen: words::count(page.chosen),
                    elsewhere: text(&page.elsewhere),
                };
                self.services = page.services.iter().map(service).collect();
            }
            vm::Page::Checklist(page) => {
                self.checklist =
                    g::ChecklistData { can_print: page.can_print, printed: page.printed };
                self.papers = page.papers.iter().map(paper).collect();
            }
            vm::Page::Capture(page) => self.fill_capture(page),
            vm::Page::Review(page) => {
                self.review_services = page.services.iter().map(|name| text(name)).collect();
                self.lines = page.lines.iter().map(line).collect();
                self.photographs = page.photographs.iter().map(line).collect();
            }
            vm::Page::Declaration(page) => {
                self.declaration =
                    g::DeclarationData { text: text(&page.text), can_submit: page.can_submit };
                self.strokes = page.strokes.clone();
            }
            vm::Page::Submitting => {}
            vm::Page::Receipt(page) => {
                self.receipt = g::ReceiptData {
                    number: text(&page.number),
                    delivery: page.delivery.into(),
                    print: page.print.into(),
                    evidence: page.evidence.into(),
                    can_print: page.can_print,
                };
                self.receipt_seconds = seconds(page.seconds_left);
                self.qr = page.qr.clone();
                self.steps = page.next_steps.iter().map(step).collect();
            }
            vm::Page::TakeCard(page) => {
                self.take_card =
                    g::TakeCardData { card_present: page.card_present, papers: page.papers };
            }
            vm::Page::Progress(page) => {
                let known = page.cases.iter().any(|case| is_wanted(case, page));
                self.progress = g::ProgressData {
                    loading: page.loading,
                    unavailable: page.unavailable,
                    lost: !page.wanted.is_empty() && !known && !page.loading && !page.unavailable,
                };
                self.cases = progress(page);
            }
            vm::Page::Trouble(page) => {
                self.trouble = g::TroubleData {
                    kind: page.kind.into(),
                    actor: page.actor.into(),
                    code: text(&page.code),
                };
            }
            vm::Page::StaffLogin(page) => {
                self.staff_login =
                    g::StaffLoginData { typed: words::count(page.typed), wrong: page.wrong };
                self.entry = Entry::Hidden { empty: page.typed == 0 };
            }
            vm::Page::Staff(page) => {
                self.staff = g::StaffData {
                    waiting: words::count(page.waiting),
                    delivered: words::count(page.delivered),
                    quarantined: words::count(page.quarantined),
                    oldest_minutes: i32::try_from(page.oldest_minutes.max(0)).unwrap_or(i32::MAX),
                    printed: i32::try_from(page.printed).unwrap_or(i32::MAX),
                    test_page: page.test_page.into(),
                    tampered: page.tampered,
                };
                self.devices = page.devices.iter().map(device).collect();
            }
            vm::Page::SelfTest(page) => self.fill_self_test(page),
        }
    }

    fn fill_self_test(&mut self, page: &vm::SelfTestPage) {
        self.self_test = g::SelfTestData {
            step: page.step.into(),
            number: words::count(page.number),
            of: words::count(page.of),
            waiting: page.waiting,
            ready: page.ready,
            terminal: text(&page.terminal),
            at: text(&page.at),
            report: page.report.into(),
            touched: words::count(page.grid.iter().filter(|hit| **hit).count()),
        };
        let line = |line: &vm::TestLine| g::TestLine {
            step: line.step.into(),
            outcome: line.outcome.into(),
        };
        self.test_lines = page.lines.iter().map(line).collect();
        self.grid = page.grid.to_vec();
        self.devices = page.devices.iter().map(device).collect();
    }

    fn fill_manual(&mut self, page: &vm::ManualIdentity) {
        let unlocking = page.step == vm::ManualStep::Unlock;
        self.manual = g::ManualData {
            step: page.step.into(),
            unlocked: page.unlocked,
            error: page.number_error.into(),
            // Shown only where staff compares them with the papers.
            number: if unlocking { text(&page.number) } else { SharedString::default() },
            name: if unlocking { text(&page.name) } else { SharedString::default() },
        };
        let (step, entry) = match page.step {
            vm::ManualStep::Number => ("number", Entry::Shown(page.number.clone())),
            vm::ManualStep::Name => ("name", Entry::Shown(page.name.clone())),
            vm::ManualStep::Unlock => {
                ("unlock", Entry::Hidden { empty: page.number_error == Some(vm::EntryError::Pin) })
            }
        };
        self.place.push_str(step);
        self.purpose = page.step.into();
        self.entry = entry;
    }

    fn fill_question(&mut self, page: &vm::QuestionPage) {
        self.place.push_str(&page.key);
        self.question = g::QuestionData {
            key: text(&page.key),
            title: text(&page.title),
            why: text(&page.why),
            departments: text(&page.departments),
            error: page.error.into(),
            confirmation: text(&page.confirmation),
            number: words::count(page.number),
            of: words::count(page.of),
            editing: page.editing,
            ..g::QuestionData::default()
        };
        match &page.input {
            vm::Input::Choice(tiles) => {
                self.question.input = g::InputKind::Choice;
                self.set_tiles(tiles, &[]);
            }
            vm::Input::Text { value, keyboard, suggestions } => {
                self.question.input = g::InputKind::Text;
                self.question.keyboard = (*keyboard).into();
                self.purpose = (*keyboard).into();
                self.entry = Entry::Shown(value.clone());
                self.set_tiles(&[], suggestions);
            }
            vm::Input::Date { year, month, day, first_year, last_year, suggestions } => {
                self.question.input = g::InputKind::Date;
                self.question.first_year = *first_year;
                self.question.last_year = *last_year;
                self.date = (*year, *month, *day);
                self.set_tiles(&[], suggestions);
            }
            vm::Input::Region { path, options, suggestions, finder, can_find, can_former } => {
                self.question.input = g::InputKind::Region;
                self.question.can_find = *can_find;
                self.question.can_former = *can_former;
                self.path = path.iter().map(tile).collect();
                if let Some(finder) = finder {
                    self.question.finder = finder.kind.into();
                    (self.question.keyboard, self.purpose) = match finder.kind {
                        vm::FinderKind::Letters => (g::KeyboardKind::Letters, ime::Purpose::Any),
                        vm::FinderKind::Former => (g::KeyboardKind::Place, ime::Purpose::Place),
                    };
                    self.place.push_str(match finder.kind {
                        vm::FinderKind::Letters => "?letters",
                        vm::FinderKind::Former => "?former",
                    });
                    self.entry = Entry::Shown(finder.typed.clone());
                } else {
                    self.question.chosen = chosen(path, options);
                }
                self.set_tiles(options, suggestions);
            }
        }
    }

    fn set_tiles(&mut self, tiles: &[vm::Tile], suggestions: &[vm::Tile]) {
        self.question.widest = tiles.iter().map(tile_units).max().unwrap_or(0);
        self.tiles = tiles.iter().map(tile).collect();
        self.suggestions = suggestions.iter().map(tile).collect();
    }

    fn fill_capture(&mut self, page: &vm::CapturePage) {
        self.place.push_str(&page.key);
        self.capture = g::CaptureData {
            key: text(&page.key),
            title: text(&page.title),
            advice: text(&page.advice),
            portrait: page.portrait,
            has_still: page.still.is_some(),
            taking: page.taking,
            problem: page.problem.into(),
            can_accept: page.can_accept,
            camera_ok: page.camera_ok,
            pages: words::count(page.pages),
            number: words::count(page.number),
            of: words::count(page.of),
        };
        self.still = page.still.clone();
    }

    /// Hands the scalars that differ from `last` to the window.
    pub fn set_scalars(&self, view: &g::View<'_>, last: Option<&Flat>) {
        macro_rules! set {
            ($($field:ident $setter:ident),* $(,)?) => {$(
                if last.is_none_or(|last| last.$field != self.$field) {
                    view.$setter(self.$field.clone());
                }
            )*};
        }
        set!(
            chrome set_chrome, fault set_fault, page set_page, page_name set_page_name, overlay set_overlay,
            overlay_seconds set_overlay_seconds, open set_open, identify set_identify,
            manual set_manual, consent set_consent, home set_home, question set_question,
            services_page set_services_page, checklist set_checklist, capture set_capture,
            declaration set_declaration, receipt set_receipt, receipt_seconds set_receipt_seconds,
            take_card set_take_card, progress set_progress, trouble set_trouble,
            staff_login set_staff_login, staff set_staff, self_test set_self_test,
        );
    }
}

/// A name as it can stand in a greeting; longer ones end in "…".
fn shortened(name: &str) -> String {
    const LONGEST: usize = 50;
    let mut letters = name.chars();
    let mut kept: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        kept.push('…');
    }
    kept
}

fn seconds(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// Width of a text in half-width units: a Chinese character is two.
fn units(value: &str) -> i32 {
    words::count(value.chars().map(|letter| if letter < '\u{2e80}' { 1 } else { 2 }).sum())
}

fn tile_units(tile: &vm::Tile) -> i32 {
    // Notes are smaller and may wrap; they only keep a tile from becoming too narrow.
    units(&tile.label).max((units(&tile.note) * 3 / 4).min(30))
}

fn tile(tile: &vm::Tile) -> g::TileData {
    g::TileData {
        id: text(&tile.id),
        label: text(&tile.label),
        note: text(&tile.note),
        selected: tile.selected,
    }
}

/// A region chosen down to its last level, as one line; empty on the way there.
fn chosen(path: &[vm::Tile], options: &[vm::Tile]) -> SharedString {
    if !options.is_empty() {
        return SharedString::default();
    }
    let names: Vec<&str> = path.iter().map(|tile| tile.label.as_str()).collect();
    names.join(" ").into()
}

fn service(service: &vm::ServiceTile) -> g::ServiceData {
    g::ServiceData {
        id: text(&service.id),
        name: text(&service.name),
        department: text(&service.department),
        reason: text(&service.reason),
        deadline: text(&service.deadline),
        available: service.available,
        selected: service.selected,
    }
}

fn paper(paper: &vm::Paper) -> g::PaperData {
    g::PaperData {
        name: text(&paper.name),
        note: text(&paper.note),
        photographed: paper.photographed,
    }
}

fn line(line: &vm::ReviewLine) -> g::LineData {
    g::LineData { id: text(&line.id), label: text(&line.label), value: text(&line.value) }
}

fn step(step: &vm::NextStep) -> g::StepData {
    g::StepData {
        service: text(&step.service),
        department: text(&step.department),
        advice: text(&step.advice),
        by: text(&step.by),
    }
}

fn device(line: &vm::DeviceLine) -> g::DeviceData {
    g::DeviceData {
        device: line.device.into(),
        ok: line.ok,
        state: text(&line.state),
        actor: line.actor.into(),
        code: text(&line.code),
    }
}

/// This case belongs to the receipt that was scanned.
fn is_wanted(case: &vm::CaseProgress, page: &vm::ProgressPage) -> bool {
    !page.wanted.is_empty() && case.receipt_number == page.wanted
}

/// The case that was scanned, then the others; and in both parts what is asked of the visitor before
/// everything that is only told.
fn progress(page: &vm::ProgressPage) -> Vec<g::ProgressRow> {
    let (wanted, others): (Vec<_>, Vec<_>) =
        page.cases.iter().partition(|case| is_wanted(case, page));
    let mut rows = part(&wanted, true);
    rows.extend(part(&others, false));
    rows
}

fn part(cases: &[&vm::CaseProgress], wanted: bool) -> Vec<g::ProgressRow> {
    let told: Vec<g::ProgressRow> = cases.iter().flat_map(|each| case(each, wanted)).collect();
    let asked = told
        .iter()
        .filter(|row| !row.correction_id.is_empty())
        .map(|row| g::ProgressRow { asked: true, ..row.clone() });
    asked.chain(told.iter().cloned()).collect()
}

fn case(case: &vm::CaseProgress, wanted: bool) -> impl Iterator<Item = g::ProgressRow> {
    let heading = g::ProgressRow {
        heading: true,
        wanted,
        receipt_number: text(&case.receipt_number),
        case_status: case.status.into(),
        originals: case.originals_to_be_verified,
        ..g::ProgressRow::default()
    };
    let services = case.services.iter().map(|service| g::ProgressRow {
        correction_id: text(&service.correction_id),
        name: text(&service.name),
        department: text(&service.department),
        status: service.status.into(),
        detail: text(&service.detail),
        since: text(&service.since),
        ..g::ProgressRow::default()
    });
    std::iter::once(heading).chain(services)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leaves_nothing_to_the_next() {
        let review = vm::ViewModel {
            page: vm::Page::Review(vm::ReviewPage {
                lines: vec![vm::ReviewLine { value: "样本甲".into(), ..Default::default() }],
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(flatten(&review).lines.len(), 1);
        assert!(flatten(&vm::ViewModel::default()).lines.is_empty());
    }

    #[test]
    fn the_typed_number_is_shown_in_one_place_only() {
        let manual = vm::ManualIdentity { number: "1101".into(), ..Default::default() };
        let view = vm::ViewModel { page: vm::Page::ManualIdentity(manual), ..Default::default() };
        let flat = flatten(&view);
        assert!(flat.manual.number.is_empty());
        assert!(flat.entry == Entry::Shown("1101".into()));
    }

    #[test]
    fn another_question_is_another_place() {
        let place = |key: &str| {
            let question = vm::QuestionPage { key: key.into(), ..Default::default() };
            flatten(&vm::ViewModel { page: vm::Page::Question(question), ..Default::default() })
                .place
        };
        assert_ne!(place("phone"), place("address"));
    }

    #[test]
    fn what_is_asked_is_listed_by_itself() {
        let service = |correction_id: &str| vm::ServiceProgress {
            correction_id: correction_id.into(),
            ..Default::default()
        };
        let case = vm::CaseProgress {
            services: vec![service(""), service("c-1"), service(""), service("c-2")],
            ..Default::default()
        };
        let progress = vm::ProgressPage { cases: vec![case], ..Default::default() };
        let view = vm::ViewModel { page: vm::Page::Progress(progress), ..Default::default() };
        let flat = flatten(&view);
        let asked: Vec<&str> = flat
            .cases
            .iter()
            .take_while(|row| row.asked)
            .map(|row| row.correction_id.as_str())
            .collect();
        assert_eq!(asked, ["c-1", "c-2"], "before everything that is only told");
        assert_eq!(flat.cases.len(), 2 + 5, "and stays in the list of its case");
    }

    #[test]
    fn the_scanned_case_comes_first_with_what_is_asked_of_it() {
        let case = |number: &str, correction_id: &str| vm::CaseProgress {
            receipt_number: number.into(),
            services: vec![vm::ServiceProgress {
                correction_id: correction_id.into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let shown = |wanted: &str| {
            let progress = vm::ProgressPage {
                wanted: wanted.into(),
                cases: vec![case("new", "c-new"), case("old", "c-old")],
                ..Default::default()
            };
            let view = vm::ViewModel { page: vm::Page::Progress(progress), ..Default::default() };
            flatten(&view)
        };
        let heads = |flat: &Flat| -> Vec<(String, bool)> {
            let heads = flat.cases.iter().filter(|row| row.heading);
            heads.map(|row| (row.receipt_number.to_string(), row.wanted)).collect()
        };
        let flat = shown("old");
        assert_eq!(heads(&flat), [("old".into(), true), ("new".into(), false)]);
        assert_eq!(flat.cases[0].correction_id, "c-old");
        assert_eq!(flat.cases[3].correction_id, "c-new", "the other request is not lost");
        assert!(flat.cases[0].asked && flat.cases[3].asked && !flat.progress.lost);
        let flat = shown("");
        assert_eq!(heads(&flat), [("new".into(), false), ("old".into(), false)]);
        assert!(!flat.progress.lost);
        assert!(shown("somebody else's").progress.lost);
    }

    #[test]
    fn a_suspended_terminal_offers_no_start() {
        let open = |degraded| {
            let attract = vm::Attract { degraded, open: true };
            flatten(&vm::ViewModel { page: vm::Page::Attract(attract), ..Default::default() }).open
        };
        assert!(open(vec![vm::Degradation::NoPrinter]));
        assert!(!open(vec![vm::Degradation::NoPrinter, vm::Degradation::Suspended]));
    }

    #[test]
    fn a_fault_leaves_with_its_end() {
        let fault = vm::FaultNotice {
            device: vm::DeviceRole::Printer,
            what: vm::FaultKind::PaperOut,
            actor: vm::Actor::Staff,
            code: "printer_paper_out".into(),
        };
        let chrome = vm::Chrome { fault: Some(fault), ..Default::default() };
        let told = flatten(&vm::ViewModel { chrome, ..Default::default() }).fault;
        assert!(told.shown && told.what == g::FaultKind::PaperOut);
        assert_eq!(told.code, "printer_paper_out");
        assert!(!flatten(&vm::ViewModel::default()).fault.shown);
    }

    #[test]
    fn a_region_is_named_only_when_complete() {
        let name = |label: &str| vm::Tile { label: label.into(), ..Default::default() };
        let path = [name("四川省"), name("成都市")];
        assert_eq!(chosen(&path, &[]), "四川省 成都市");
        assert_eq!(chosen(&path, &[name("金牛区")]), "");
        assert_eq!(chosen(&[], &[]), "");
    }

    #[test]
    fn chinese_labels_count_twice() {
        assert_eq!(units("汉族 Han"), 8);
    }
}
