//! Why: the pages before anything is asked and after everything is done: nobody, card, confirmations,
//! home, farewell, trouble.
//!
//! Refuses: more than a masked name of who stands there.

use super::EntryError;

/// Page for nobody: invites, and says before the start what does not work today.
#[derive(Clone, PartialEq, Default)]
pub struct Attract {
    /// What is degraded today.
    pub degraded: Vec<Degradation>,
    /// False when no visit can start (storage full, catalogue unusable, suspended).
    pub open: bool,
}

/// What a missing device means for the visitor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Degradation {
    /// Number and QR on the screen instead of paper.
    NoPrinter,
    /// Papers cannot be photographed here.
    NoDocumentCamera,
    /// The portrait cannot be taken here.
    NoPortraitCamera,
    /// Typed number and staff instead of the card.
    NoReader,
    /// Everything goes on; it is delivered later.
    NoNetwork,
    /// No visit can start.
    StorageFull,
    /// The cabinet was tampered with: no visit starts until a technician has looked at it. The page
    /// is closed with this, whatever [`Attract::open`] says.
    Suspended,
}

/// State of the card page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IdentifyState {
    /// Waiting for a card.
    #[default]
    Waiting,
    /// A card is being read; keep it there.
    Reading,
    /// The read failed; lift the card and put it down again.
    LiftAndReplace,
    /// A card of a kind that this matter does not serve.
    NotServed,
    /// The reader does not answer.
    ReaderMissing,
}

/// Card page.
#[derive(Clone, PartialEq, Default)]
pub struct Identify {
    /// What the reader is doing.
    pub state: IdentifyState,
    /// Stable code of the last failure, for staff (`reader.checksum`), or empty.
    pub code: String,
}

/// The way in without a readable card: typed number, typed name, photograph, staff unlock.
#[derive(Clone, PartialEq, Default)]
pub struct ManualIdentity {
    /// Number as typed so far.
    pub number: String,
    /// Name as typed so far.
    pub name: String,
    /// What is wrong with the number, if anything.
    pub number_error: Option<EntryError>,
    /// Staff has unlocked this way in.
    pub unlocked: bool,
    /// Which part is being filled.
    pub step: ManualStep,
}

/// Parts of the way in without a card.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ManualStep {
    /// Type the number.
    #[default]
    Number,
    /// Type the name.
    Name,
    /// Staff enters the PIN.
    Unlock,
}

/// A notice (nothing to agree to) or one separate confirmation.
#[derive(Clone, PartialEq, Default)]
pub struct ConsentPage {
    /// Catalogue key.
    pub key: String,
    /// Heading.
    pub title: String,
    /// What is processed, why, for how long, by whom.
    pub body: String,
    /// Law it rests on.
    pub law: String,
    /// Sensitive data: needs its own confirmation rather than notice.
    pub separate: bool,
    /// Which one of how many, from 1.
    pub number: usize,
    /// How many.
    pub of: usize,
}

/// What would you like to do?
#[derive(Clone, PartialEq, Default)]
pub struct Home {
    /// Family name and honorific-free rest as the card gives it, masked (样*).
    pub greeting_name: String,
    /// The card's validity has ended: it is shown, never judged.
    pub card_expired: bool,
    /// A receipt can be printed again here.
    pub can_reprint: bool,
    /// Progress can be asked for now.
    pub network: bool,
    /// A barcode scanner works: a receipt held before it leads straight to its progress.
    pub scanner: bool,
}

/// Take card and papers.
#[derive(Clone, PartialEq, Default)]
pub struct TakeCard {
    /// The card still lies on the reader.
    pub card_present: bool,
    /// Papers may still lie under the camera.
    pub papers: bool,
}

/// Who has to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Actor {
    /// The visitor.
    #[default]
    Yourself,
    /// Staff of the center.
    Staff,
    /// A technician.
    Technician,
}

/// What went wrong; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TroubleKind {
    /// The terminal's storage is full: nothing can be stored.
    #[default]
    StorageFull,
    /// The submission could not be sealed or stored; nothing was sent.
    NotStored,
    /// The list of services could not be loaded.
    CatalogueUnusable,
    /// A card that this matter does not serve.
    CardNotServed,
    /// The gateway cannot be reached.
    NetworkDown,
    /// A document camera is needed and missing.
    CameraMissing,
}

/// Something went wrong.
#[derive(Clone, PartialEq, Default)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Who acts.
    pub actor: Actor,
    /// Stable code for staff.
    pub code: String,
    /// The same step can be tried again.
    pub can_retry: bool,
}
