//! Why: what a terminal knows at one moment. What belongs to a person is all inside [`Visit`], so
//! that forgetting one is dropping one value.
//!
//! Refuses: derived facts. Which page is next, which services are offered and what is missing is
//! computed from here whenever it is needed (see [`super::flow::path`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use catalog::case::Progress;
use catalog::{Catalog, Facts};
use envelope::{Identity, Medium};
use hal::contract::DeviceStatus;
use hal::printer::PrinterStatus;
use jiff::Timestamp;
use jiff::civil::Date;
use personal::PersonalText;
use ui::view_model::{
    EntryError, Language, ManualStep, PictureProblem, PrintEvidence, PrintState, Reading, Stroke,
    TEXT_SIZE, VOLUME,
};

use super::event::{CameraRole, Now, Still, Stored};
use super::fault::{Fault, Faults};
use super::flow::finder::Finder;
use super::flow::self_test::SelfTest;
use super::submission::sealed_bytes;
use crate::queue::QueueStatus;

/// What never changes while the program runs.
pub struct World {
    /// What the guide says.
    pub catalog: Catalog,
    /// Where the terminal stands.
    pub site: provisioning::SiteInfo,
    /// Which devices the configuration names; others are not missing, they are not there.
    pub fitted: Fitted,
}

/// Devices named by the site configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fitted {
    /// Identity-card reader.
    pub reader: bool,
    /// Receipt printer.
    pub printer: bool,
    /// Document camera.
    pub document_camera: bool,
    /// Portrait camera.
    pub portrait_camera: bool,
    /// Sensors and lights.
    pub panel: bool,
    /// Barcode scanner.
    pub scanner: bool,
}

/// Everything that changes.
pub struct State {
    /// The clocks.
    pub now: Now,
    /// What is on the panel.
    pub stage: Stage,
    /// What the present visitor set.
    pub settings: Settings,
    /// How the devices are.
    pub health: Health,
    /// What is wrong with them, and who acts.
    pub faults: Faults,
    /// Since when nobody is seen in front of the panel, where a sensor says so.
    pub absent_since: Option<Duration>,
    /// How the queue stands.
    pub queue: QueueStatus,
    /// What lies over the page.
    pub overlay: Overlay,
    /// When the panel was last touched.
    pub last_touch: Duration,
    /// Whether the page is being read aloud.
    pub reading: Reading,
    /// Since when, or since when anybody last steered it.
    pub reading_since: Duration,
    /// Papers that came out since the start.
    pub printed: u64,
    /// Staff was called and nobody has ended it yet.
    pub staff_called: bool,
    /// Wrong PINs since the last right one, whoever typed them and wherever.
    pub wrong_pins: u32,
    /// No PIN is looked at before this.
    pub pins_closed_until: Duration,
    /// Number of the last visit or staff session.
    pub sessions: u64,
    /// Number of the last print job.
    pub jobs: u64,
}

impl State {
    /// A terminal that has just started.
    pub fn new(now: Now) -> Self {
        Self {
            now,
            stage: Stage::Attract,
            settings: Settings::default(),
            health: Health::default(),
            faults: Faults::default(),
            absent_since: None,
            queue: QueueStatus { has_room: true, room: u64::MAX, ..QueueStatus::default() },
            overlay: Overlay::None,
            last_touch: now.monotonic,
            reading: Reading::Absent,
            reading_since: Duration::ZERO,
            printed: 0,
            staff_called: false,
            wrong_pins: 0,
            pins_closed_until: Duration::ZERO,
            sessions: 0,
            jobs: 0,
        }
    }

    /// A visit may begin: what it would submit can be stored, and nobody has tampered with the
    /// cabinet.
    pub fn open(&self) -> bool {
        self.queue.has_room && self.faults.tampered.is_none()
    }

    /// One more photograph can be stored together with all that this visit holds already.
    pub fn room_for_a_photograph(&self) -> bool {
        let kept: usize = self
            .visit()
            .map(|visit| {
                visit.photographs.values().flatten().map(|still| still.jpeg.expose().len()).sum()
            })
            .unwrap_or_default();
        self.queue.room >= sealed_bytes(kept as u64 + LARGEST_STILL)
    }

    /// What is wrong with a camera.
    pub fn camera_fault(&mut self, role: CameraRole) -> &mut Option<Fault> {
        match role {
            CameraRole::Document => &mut self.faults.document_camera,
            CameraRole::Portrait => &mut self.faults.portrait_camera,
        }
    }

    /// The visit under way, if any.
    pub fn visit(&self) -> Option<&Visit> {
        match &self.stage {
            Stage::Visit(visit) => Some(visit),
            _ => None,
        }
    }

    /// The visit under way, if any.
    pub fn visit_mut(&mut self) -> Option<&mut Visit> {
        match &mut self.stage {
            Stage::Visit(visit) => Some(visit),
            _ => None,
        }
    }

    /// Civil date at the terminal.
    pub fn today(&self) -> Date {
        local(self.now.wall).date()
    }
}

/// A photograph of the best camera takes less.
const LARGEST_STILL: u64 = 8 << 20;

/// China has one time zone without daylight saving since 1991.
pub fn local(at: Timestamp) -> jiff::ZonedDateTime {
    at.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
}

/// Who has the panel.
pub enum Stage {
    /// Nobody.
    Attract,
    /// A veteran.
    Visit(Box<Visit>),
    /// The visit is forgotten; the card may still lie on the reader.
    Farewell(Farewell),
    /// Staff.
    Staff(StaffSession),
}

/// After a visit: nothing about the person is left.
pub struct Farewell {
    /// Since when.
    pub since: Duration,
    /// A card lies on the reader.
    pub card_present: bool,
    /// Papers may lie under the camera.
    pub papers: bool,
}

/// Staff at the panel.
#[derive(Default)]
pub struct StaffSession {
    /// Its number.
    pub session: u64,
    /// PIN being typed.
    pub pin: PersonalText,
    /// Wrong attempts so far.
    pub wrong: u32,
    /// Being compared.
    pub checking: bool,
    /// Was right.
    pub open: bool,
    /// Test page.
    pub test_page: Option<(u64, PrintState)>,
    /// Every device tried, one after the other.
    pub test: Option<SelfTest>,
}

/// What the present visitor set; gone with the visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Language.
    pub language: Language,
    /// 0 to 3.
    pub text_size: u8,
    /// High contrast.
    pub high_contrast: bool,
    /// Controls in the lower half.
    pub low_position: bool,
    /// How loud, 1 to 5.
    pub volume: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::default(),
            text_size: TEXT_SIZE,
            high_contrast: false,
            low_position: false,
            volume: VOLUME,
        }
    }
}

/// How the devices are.
#[derive(Clone, Debug)]
pub struct Health {
    /// Identity-card reader.
    pub reader: DeviceStatus,
    /// Receipt printer.
    pub printer: PrinterStatus,
    /// Document camera.
    pub document_camera: DeviceStatus,
    /// Portrait camera.
    pub portrait_camera: DeviceStatus,
    /// Sensors and lights.
    pub panel: DeviceStatus,
    /// Barcode scanner.
    pub scanner: DeviceStatus,
    /// The gateway answers; unknown before the first attempt.
    pub network: Option<bool>,
    /// What keeps submissions here although the line may be up, by its code.
    pub link: Option<String>,
}

impl Health {
    /// The printer takes a job: it is idle and well, or busy with one.
    pub fn printer_takes_jobs(&self) -> bool {
        self.printer.usable() || self.printer.device == DeviceStatus::Busy
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            reader: DeviceStatus::Starting,
            printer: PrinterStatus::only(DeviceStatus::Starting),
            document_camera: DeviceStatus::Starting,
            portrait_camera: DeviceStatus::Starting,
            panel: DeviceStatus::Starting,
            scanner: DeviceStatus::Starting,
            network: None,
            link: None,
        }
    }
}

/// What lies over the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    None,
    /// Are you still here?
    Idle {
        /// When the visit is wiped.
        until: Duration,
    },
    /// Leave?
    ConfirmLeave,
    /// Staff has been called.
    StaffCalled,
    /// What this page wants.
    Help,
}

/// Where a visit is. Keys are the catalogue's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Put the card on the reader.
    Identify,
    /// The way in without a card.
    Manual,
    /// A notice.
    Notice(String),
    /// What would you like to do?
    Home,
    /// One of the few questions.
    Profile(String),
    /// Services.
    Services,
    /// Papers needed.
    Checklist,
    /// A separate confirmation.
    Confirmation(String),
    /// One question.
    Question(String),
    /// Photograph one material.
    Capture(String),
    /// Everything entered.
    Review,
    /// Declaration and signature.
    Declaration,
    /// Being sealed and stored.
    Submitting,
    /// Stored.
    Receipt,
    /// Cases and their states.
    Progress,
    /// It could not be stored.
    NotStored(String),
    /// A card that this matter does not serve.
    NotServed,
}

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new application.
    Application,
    /// An answer to a correction request.
    Correction {
        /// Case.
        case_id: String,
        /// Service.
        service: String,
        /// Questions asked again.
        fields: Vec<String>,
        /// Materials asked for again.
        materials: Vec<String>,
    },
}

/// Who stands here.
pub struct Applicant {
    /// As it will be sealed.
    pub identity: Identity,
    /// For rules that count years.
    pub birth_date: Option<Date>,
    /// The card's validity has ended.
    pub expired: bool,
}

impl Applicant {
    /// The answer that a card gives to a question of the catalogue.
    pub fn card_answer(&self, item: catalog::CardItem) -> Option<PersonalText> {
        let text = match item {
            catalog::CardItem::Name => &self.identity.name,
            catalog::CardItem::IdentityNumber => &self.identity.number,
            catalog::CardItem::Ethnicity => &self.identity.ethnicity,
            catalog::CardItem::Address => &self.identity.address,
            catalog::CardItem::NumberRegion => {
                return self.identity.number.as_str().get(..6).map(PersonalText::from);
            }
        };
        (!text.is_empty()).then(|| text.clone())
    }

    /// True when staff let this person in without a readable card.
    pub fn typed(&self) -> bool {
        self.identity.medium == Medium::Typed
    }
}

/// What is being entered on the present page.
#[derive(Clone, Default)]
pub enum Entry {
    /// Nothing is entered here.
    #[default]
    None,
    /// One of several.
    Choice(Option<PersonalText>),
    /// Typed.
    Text(PersonalText),
    /// A day; parts not chosen are 0.
    Date(i32, i32, i32),
    /// Codes from the outside in.
    Region(Vec<PersonalText>),
}

/// The way in without a card.
#[derive(Default)]
pub struct ManualEntry {
    /// Which part.
    pub step: ManualStep,
    /// Number typed.
    pub number: PersonalText,
    /// Name typed.
    pub name: PersonalText,
    /// PIN of staff.
    pub pin: PersonalText,
    /// What is wrong.
    pub error: Option<EntryError>,
    /// PIN is being compared.
    pub checking: bool,
    /// Staff has let this person in.
    pub unlocked: bool,
}

/// The camera page.
#[derive(Default)]
pub struct CaptureState {
    /// A still to be judged.
    pub still: Option<Still>,
    /// One is being taken.
    pub taking: bool,
    /// Since when.
    pub since: Duration,
    /// Why the last one failed.
    pub problem: Option<PictureProblem>,
    /// How many failed in a row.
    pub failed: u32,
    /// Which camera is on.
    pub on: Option<CameraRole>,
}

/// After the durable enqueue.
pub struct ReceiptState {
    /// What was stored.
    pub stored: Stored,
    /// When.
    pub at: Timestamp,
    /// The gateway has it.
    pub delivered: bool,
    /// What became of the paper.
    pub print: PrintState,
    /// Print job that it hangs on.
    pub job: Option<u64>,
    /// Copies printed or tried.
    pub copies: u32,
    /// What of an uncertain copy is on paper.
    pub evidence: PrintEvidence,
}

/// The veteran's cases.
#[derive(Default)]
pub struct Cases {
    /// Being fetched.
    pub loading: bool,
    /// Since when.
    pub since: Duration,
    /// Nobody answered.
    pub unavailable: bool,
    /// Print them when they come.
    pub print: bool,
    /// Print job of the list, and what became of it.
    pub paper: Option<(u64, PrintState)>,
    /// Receipt number that was scanned: this case is shown first.
    pub wanted: Option<String>,
    /// Cases.
    pub list: Vec<Progress>,
}

/// Everything about one person's visit. Dropping it wipes it.
pub struct Visit {
    /// Number since the start of the program.
    pub number: u64,
    /// Where it is.
    pub place: Place,
    /// Who stands here.
    pub applicant: Option<Applicant>,
    /// Card page: what the reader is doing.
    pub reading: ui::view_model::IdentifyState,
    /// Stable code of the last reader fault.
    pub reader_code: &'static str,
    /// Reads that failed one after the other.
    pub failed_reads: u32,
    /// A card lies on the reader.
    pub card_present: bool,
    /// The way in without a card.
    pub manual: ManualEntry,
    /// Consents by key, with their times.
    pub consents: BTreeMap<String, Timestamp>,
    /// What is being done.
    pub purpose: Purpose,
    /// Answers to the few questions; an empty text means "not sure".
    pub facts: BTreeMap<String, PersonalText>,
    /// Services chosen, in the catalogue's order.
    pub selected: Vec<String>,
    /// Canonical answers.
    pub answers: BTreeMap<String, PersonalText>,
    /// What is being entered.
    pub entry: Entry,
    /// A place that is looked for instead of being reached level by level.
    pub finder: Option<Finder>,
    /// What is wrong with it.
    pub error: Option<EntryError>,
    /// Came from the review and returns there.
    pub editing: bool,
    /// Photographs kept, by material.
    pub photographs: BTreeMap<String, Vec<Still>>,
    /// Materials the visitor does not have along.
    pub skipped: BTreeSet<String>,
    /// The camera page.
    pub capture: CaptureState,
    /// Checklist being printed.
    pub checklist: Option<(u64, PrintState)>,
    /// Signature.
    pub strokes: Vec<Stroke>,
    /// After the durable enqueue.
    pub receipt: Option<ReceiptState>,
    /// The veteran's cases.
    pub cases: Cases,
}

impl Visit {
    /// A visit that has just begun.
    pub fn new(number: u64) -> Self {
        Self {
            number,
            place: Place::Identify,
            applicant: None,
            reading: ui::view_model::IdentifyState::Waiting,
            reader_code: "",
            failed_reads: 0,
            card_present: false,
            manual: ManualEntry::default(),
            consents: BTreeMap::new(),
            purpose: Purpose::Application,
            facts: BTreeMap::new(),
            selected: Vec::new(),
            answers: BTreeMap::new(),
            entry: Entry::None,
            finder: None,
            error: None,
            editing: false,
            photographs: BTreeMap::new(),
            skipped: BTreeSet::new(),
            capture: CaptureState::default(),
            checklist: None,
            strokes: Vec::new(),
            receipt: None,
            cases: Cases::default(),
        }
    }

    /// What rules count with.
    pub fn known(&self, today: Date) -> Facts {
        let mut facts = Facts::new(today);
        facts.birth_date = self.applicant.as_ref().and_then(|applicant| applicant.birth_date);
        facts.answers = self
            .facts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.clone(), value.as_str().to_owned()))
            .collect();
        facts
    }
}
