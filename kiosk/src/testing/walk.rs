//! Why: a test of the core reads like a visit when somebody does the walking. [`Walk`] steps the
//! real core with the real catalogue, answers pages as a [`Story`] has it, and keeps all effects.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use catalog::Catalog;
use hal::contract::DeviceStatus;
use hal::printer::{Element, Paper, PrinterEvent, PrinterStatus, ReceiptDocument};
use hal::reader::ReaderEvent;
use hal::scanner::ScannerEvent;
use personal::PersonalBytes;
use ui::intent::{Button, Intent};
use ui::view_model::{ManualStep, Picture, ViewModel};
use uuid::Uuid;

use crate::core::flow::path;
use crate::core::state::{Entry, Fitted, Overlay, Place, Visit};
use crate::core::{CameraRole, Effect, Event, Now, State, Still, Stored, Submission, World, step};

/// Where the catalogue of the province lies.
const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../catalog/data/sichuan");

/// Monday, 23 November 2026, nine in the morning in China.
pub const MORNING: &str = "2026-11-23T01:00:00Z";

/// A terminal with the real catalogue and every device fitted.
pub fn fitted_with(fitted: Fitted) -> World {
    let words = |zh: &str, en: &str| provisioning::Words { zh: zh.into(), en: en.into() };
    World {
        catalog: Catalog::load(Path::new(CATALOGUE)).unwrap(),
        site: provisioning::SiteInfo {
            center: words("退役军人服务中心", "Veteran service center"),
            address: words("测试路 1 号", "1 Test Road"),
            phone: "028-00000000".into(),
            region: "510106".into(),
            terminal: "1号机".into(),
            catalog: CATALOGUE.into(),
        },
        fitted,
    }
}

/// Everything is there.
pub const COMPLETE: Fitted = Fitted {
    reader: true,
    printer: true,
    document_camera: true,
    portrait_camera: true,
    panel: true,
    scanner: true,
};

/// The same for all tests that do not care.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| fitted_with(COMPLETE))
}

/// A specimen card by the name of its file.
pub fn card(name: &str) -> Box<hal::reader::Identity> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hal/specimens");
    Box::new(hal::reader::specimen::load(&folder.join(format!("{name}.toml"))).unwrap())
}

/// A photograph, told apart by its number.
pub fn still(id: u8) -> Box<Still> {
    Box::new(Still {
        jpeg: PersonalBytes::new(vec![0xFF, 0xD8, id]),
        picture: Picture { id: id.into(), width: 1, height: 1, rgb: Arc::new(vec![0; 3]) },
        problem: None,
        report: serde_json::json!({}),
    })
}

/// A printer that has paper and nothing wrong.
pub fn good_printer() -> PrinterStatus {
    PrinterStatus { paper: Paper::Full, ..PrinterStatus::only(DeviceStatus::Online) }
}

/// What a visitor has in mind: answers to the few questions, services, answers to the others.
#[derive(Clone, Debug)]
pub struct Story {
    pub facts: BTreeMap<String, String>,
    /// `None`: everything that is offered.
    pub services: Option<Vec<String>>,
    pub answers: BTreeMap<String, String>,
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

impl Default for Story {
    /// A self-directed soldier, League member, to whom nearly everything applies.
    fn default() -> Self {
        Self {
            facts: map(&[
                ("category", "self_directed_employment"),
                ("affiliation", "league"),
                ("registration_cancelled", "yes"),
                ("holds_medical_certificate", "yes"),
                ("has_social_security_card", "no"),
                ("discharge_approved", "2026-11-02"),
            ]),
            services: None,
            answers: map(&[
                ("ethnicity", "01"),
                ("phone", "13800000000"),
                ("education", "60"),
                ("marital_status", "10"),
                ("health", "1"),
                ("residence_address", "测试省测试市测试路 9 号"),
                ("first_work_date", "2020-09-01"),
                ("enlistment_registration_place", "510106"),
                ("intended_registration_place", "suggested"),
                ("settlement_type", "1"),
                ("registration_business_type", "1"),
                ("rural_soldier_to_town", "no"),
                ("relation_to_householder", "20"),
                ("householder_name", "样本户主"),
                ("householder_identity_number", "11010519491231002X"),
                ("birthplace", "510106"),
                ("ancestral_home", "suggested"),
                ("service_place", "540000"),
                ("card_issuing_city", "suggested"),
                ("card_issuing_bank", "1"),
            ]),
        }
    }
}

impl Story {
    pub fn fact(mut self, key: &str, value: &str) -> Self {
        self.facts.insert(key.into(), value.into());
        self
    }

    pub fn answer(mut self, key: &str, value: &str) -> Self {
        self.answers.insert(key.into(), value.into());
        self
    }

    pub fn only(mut self, services: &[&str]) -> Self {
        self.services = Some(services.iter().map(|key| (*key).to_owned()).collect());
        self
    }
}

/// A terminal that a test walks through, keeping every effect.
pub struct Walk {
    pub world: &'static World,
    pub story: Story,
    state: Option<State>,
    /// All effects so far, in order.
    pub effects: Vec<Effect>,
    /// Answers `Effect::Store` that a careful walk gives.
    pub stored: Stored,
    shots: u8,
    watch: Option<Box<dyn Watch>>,
}

impl Walk {
    /// At the attract page, all devices well.
    pub fn new(story: Story) -> Self {
        Self::in_world(world(), story)
    }

    pub fn in_world(world: &'static World, story: Story) -> Self {
        let now = Now { monotonic: Duration::ZERO, wall: MORNING.parse().unwrap() };
        let stored = Stored { submission_id: Uuid::from_u128(7), receipt_number: "RG-7".into() };
        let mut walk = Self {
            world,
            story,
            state: Some(State::new(now)),
            effects: Vec::new(),
            stored,
            shots: 0,
            watch: None,
        };
        walk.event(Event::Reader(ReaderEvent::Status(DeviceStatus::Online)));
        walk.event(Event::Printer(PrinterEvent::Status(good_printer())));
        walk.event(Event::CameraStatus(CameraRole::Document, DeviceStatus::Online));
        walk.event(Event::CameraStatus(CameraRole::Portrait, DeviceStatus::Online));
        walk.event(Event::Scanner(ScannerEvent::Status(DeviceStatus::Online)));
        walk.event(Event::Network(true));
        walk
    }

    /// From now on somebody looks at every step.
    pub fn watch(&mut self, watch: impl Watch + 'static) {
        self.watch = Some(Box::new(watch));
    }

    /// One step.
    pub fn event(&mut self, event: Event) {
        let mut watch = self.watch.take();
        if let Some(watch) = &mut watch {
            watch.before(self, &event);
        }
        let (state, effects) = step(self.world, self.state.take().unwrap(), event);
        self.state = Some(state);
        self.effects.extend(effects);
        if let Some(watch) = &mut watch {
            watch.after(self);
        }
        self.watch = watch;
    }

    pub fn intent(&mut self, intent: Intent) {
        self.event(Event::Intent(intent));
    }

    pub fn press(&mut self, button: Button) {
        self.intent(Intent::Pressed(button));
    }

    pub fn choose(&mut self, id: &str) {
        self.intent(Intent::Chosen(id.into()));
    }

    pub fn edit(&mut self, text: &str) {
        self.intent(Intent::Edited(text.into()));
    }

    /// Time goes on, told as often as the runtime tells it.
    pub fn wait(&mut self, time: Duration) {
        let end = self.state().now.monotonic + time;
        while self.state().now.monotonic < end {
            let left = end - self.state().now.monotonic;
            self.jump(left.min(Duration::from_secs(1)));
        }
    }

    /// Time goes on at once.
    pub fn jump(&mut self, time: Duration) {
        let now = self.state().now;
        let wall = now.wall + jiff::SignedDuration::try_from(time).unwrap();
        self.event(Event::Tick(Now { monotonic: now.monotonic + time, wall }));
    }

    pub fn state(&self) -> &State {
        self.state.as_ref().unwrap()
    }

    pub fn visit(&self) -> &Visit {
        self.state().visit().expect("a visit is under way")
    }

    pub fn place(&self) -> Place {
        self.visit().place.clone()
    }

    pub fn page(&self) -> &'static str {
        crate::core::page_name(self.state())
    }

    pub fn view(&self) -> ViewModel {
        crate::present::view(self.world, self.state())
    }

    pub fn way(&self) -> Vec<Place> {
        path::way(self.world, self.visit(), self.state().today())
    }

    /// A card is put down and read.
    pub fn insert(&mut self, name: &str) {
        self.event(Event::Reader(ReaderEvent::CardFound));
        self.event(Event::Reader(ReaderEvent::Read(card(name))));
    }

    /// From attract to home with a card.
    pub fn come_in(&mut self, name: &str) {
        self.press(Button::Start);
        self.insert(name);
        self.on_to(|place| *place == Place::Home);
    }

    /// Goes on as the story has it until `there`.
    pub fn on_to(&mut self, there: impl Fn(&Place) -> bool) {
        for _ in 0..300 {
            if there(&self.place()) {
                return;
            }
            let before = (self.place(), self.kept());
            self.act();
            assert_ne!(before, (self.place(), self.kept()), "no way on");
        }
        panic!("never there; now at {:?}", self.place());
    }

    fn kept(&self) -> usize {
        self.visit().photographs.values().map(Vec::len).sum()
    }

    pub fn on_to_question(&mut self, key: &str) {
        self.on_to(|place| *place == Place::Question(key.into()));
    }

    /// Does what the present page asks for, as the story has it.
    pub fn act(&mut self) {
        let story = self.story.clone();
        match self.place() {
            Place::Identify => self.insert("resident-soldier"),
            Place::Manual => self.manual("11010519491231002X", "样本甲"),
            Place::Notice(_) | Place::Confirmation(_) => self.press(Button::Agree),
            Place::Home => self.press(Button::Apply),
            Place::Profile(key) => self.reply(&story.facts[&key]),
            Place::Question(key) => self.reply(&story.answers[&key]),
            Place::Services => {
                let today = self.state().today();
                let offered = path::offered(self.world, self.visit(), today);
                for key in story.services.unwrap_or(offered) {
                    if !self.visit().selected.contains(&key) {
                        self.intent(Intent::Toggled(key));
                    }
                }
                self.press(Button::Next);
            }
            Place::Checklist => self.press(Button::PapersAtHand),
            Place::Capture(_) => {
                self.photograph();
                self.press(Button::Keep);
            }
            Place::Review => self.press(Button::Next),
            Place::Declaration => {
                self.sign();
                self.press(Button::Submit);
            }
            Place::Submitting => self.stored_ok(),
            Place::Receipt => self.press(Button::Finish),
            Place::Progress => self.press(Button::Back),
            Place::NotStored(_) => self.press(Button::Retry),
            Place::NotServed => self.press(Button::Leave),
        }
    }

    /// As [`Walk::act`], wherever other hands have led: what lies over the page is closed first, and
    /// what is half done is gone on with.
    pub fn sense(&mut self) {
        if self.state().overlay != Overlay::None {
            return self.press(Button::Stay);
        }
        let visit = self.visit();
        let (entered, step) = (visit.manual.checking, visit.manual.step);
        match self.place() {
            Place::Manual if entered => {
                let session = self.visit().number;
                self.event(Event::Pin { session, right: true });
            }
            Place::Manual if step != ManualStep::Number => self.press(Button::Back),
            _ => self.act(),
        }
    }

    /// Number, name and staff's PIN.
    pub fn manual(&mut self, number: &str, name: &str) {
        self.edit(number);
        self.press(Button::Next);
        self.edit(name);
        self.press(Button::Next);
        self.edit("246810");
        self.press(Button::Next);
        let session = self.visit().number;
        self.event(Event::Pin { session, right: true });
    }

    /// Answers the present question, by what its entry takes.
    pub fn reply(&mut self, value: &str) {
        let before = self.place();
        if matches!(value, "suggested" | "not-sure") {
            let id = if value == "suggested" { "suggestion" } else { value };
            return self.intent(Intent::Suggested(id.into()));
        }
        match self.visit().entry {
            Entry::Choice(_) => self.choose(value),
            Entry::Text(_) => self.edit(value),
            Entry::Date(..) => {
                let date: jiff::civil::Date = value.parse().unwrap();
                self.intent(Intent::DateEdited {
                    year: date.year().into(),
                    month: date.month().into(),
                    day: date.day().into(),
                });
            }
            Entry::Region(_) => {
                self.intent(Intent::RegionBack(0));
                for code in self.world.catalog.regions().path(value) {
                    self.choose(code);
                }
            }
            Entry::None => panic!("nothing is asked at {before:?}"),
        }
        if self.state().visit().is_some_and(|visit| visit.place == before) {
            self.press(Button::Next);
        }
    }

    /// Takes a picture that is good.
    pub fn photograph(&mut self) {
        self.press(Button::Take);
        self.shots = self.shots.wrapping_add(1);
        let (visit, shot) = (self.visit().number, self.shots);
        self.event(Event::Still { visit, result: Ok(still(shot)) });
    }

    pub fn sign(&mut self) {
        self.intent(Intent::Stroke((0..12u8).map(|i| (f32::from(i) / 12.0, 0.5)).collect()));
    }

    pub fn stored_ok(&mut self) {
        let (visit, stored) = (self.visit().number, self.stored.clone());
        self.event(Event::Stored { visit, result: Ok(stored) });
    }

    /// Submissions handed over so far.
    pub fn submissions(&self) -> Vec<&Submission> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Store { submission, .. } => Some(submission.as_ref()),
                _ => None,
            })
            .collect()
    }

    /// Print jobs so far: number, and all words on the paper.
    pub fn prints(&self) -> Vec<(u64, String)> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Print { job, document, .. } => Some((*job, words(document))),
                _ => None,
            })
            .collect()
    }
}

/// All words of a document.
pub fn words(document: &ReceiptDocument) -> String {
    let line = |element: &Element| match element {
        Element::Text { text, .. } => text.as_str().to_owned(),
        Element::Pair { left, right } => format!("{} {}", left.as_str(), right.as_str()),
        Element::Qr(text) => text.clone(),
        Element::Rule | Element::Feed(_) | Element::Cut => String::new(),
    };
    document.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Looks at a walk around each event.
pub trait Watch {
    fn before(&mut self, walk: &Walk, event: &Event);
    fn after(&mut self, walk: &Walk);
}
