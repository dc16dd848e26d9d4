//! Why: every page as a visitor could meet it, long texts included, in both languages.

pub mod fault;
mod form;
mod outcome;

use form::{checklist, questions, services};
use outcome::{captures, declaration, progress, receipt, review, self_tests, staff};
use ui::view_model::*;

/// A page with the name under which its picture is kept.
pub struct Specimen {
    pub name: String,
    pub view: ViewModel,
    /// The camera delivers a picture meanwhile.
    pub preview: bool,
}

/// Picks the words of a language.
#[derive(Clone, Copy)]
struct In(Language, usize);

impl In {
    fn say(self, chinese: &str, english: &str) -> String {
        match self.0 {
            Language::Chinese => chinese.repeat(self.1),
            Language::English => vec![english; self.1].join(" "),
        }
    }

    fn tile(self, id: &str, chinese: &str, english: &str, selected: bool) -> Tile {
        Tile { id: id.into(), label: self.say(chinese, english), note: String::new(), selected }
    }

    fn tiles(self, rows: &[(&str, &str, &str)]) -> Vec<Tile> {
        rows.iter().map(|(id, zh, en)| self.tile(id, zh, en, false)).collect()
    }
}

/// Everything that can be shown.
pub fn all(language: Language) -> Vec<Specimen> {
    every(In(language, 1))
}

/// Everything, with texts twice as long.
pub fn twice(language: Language) -> Vec<Specimen> {
    every(In(language, 2))
}

fn every(l: In) -> Vec<Specimen> {
    let mut all = Vec::new();
    let mut add = |name: &str, stage: Option<VisitStage>, page: Page, overlay: Overlay| {
        let preview = name != "capture-waiting"
            && match &page {
                Page::Capture(capture) => capture.still.is_none(),
                Page::SelfTest(test) => test.step == TestStep::DocumentCamera,
                _ => false,
            };
        let view = ViewModel { chrome: chrome(l, stage), page, overlay };
        all.push(Specimen { name: name.into(), view, preview });
    };
    use VisitStage as S;
    let none = Overlay::None;

    add("attract", None, Page::Attract(Attract { degraded: vec![], open: true }), none);
    let degraded = vec![Degradation::NoPrinter, Degradation::NoNetwork, Degradation::NoReader];
    add("attract-degraded", None, Page::Attract(Attract { degraded, open: true }), none);
    let full = vec![Degradation::StorageFull];
    add("attract-closed", None, Page::Attract(Attract { degraded: full, open: false }), none);
    for (name, state, code) in [
        ("identify", IdentifyState::Waiting, ""),
        ("identify-reading", IdentifyState::Reading, ""),
        ("identify-again", IdentifyState::LiftAndReplace, "reader.checksum"),
        ("identify-not-served", IdentifyState::NotServed, "reader.kind"),
        ("identify-missing", IdentifyState::ReaderMissing, "reader.silent"),
    ] {
        let page = Page::Identify(Identify { state, code: code.into() });
        add(name, Some(S::Identity), page, none);
    }
    for (name, step, error) in [
        ("manual-number", ManualStep::Number, Some(EntryError::CheckDigit)),
        ("manual-name", ManualStep::Name, None),
        ("manual-unlock", ManualStep::Unlock, None),
    ] {
        let page = ManualIdentity {
            number: "110105194912310021".into(),
            name: "样本甲".into(),
            number_error: error,
            unlocked: false,
            step,
        };
        add(name, Some(S::Identity), Page::ManualIdentity(page), none);
    }
    add("consent-notice", Some(S::Identity), Page::Consent(notice(l)), none);
    add("consent-separate", Some(S::Identity), Page::Consent(separate(l)), none);
    let home = Home {
        greeting_name: l.say("样*", "Yang*"),
        card_expired: true,
        can_reprint: false,
        network: true,
        scanner: false,
    };
    add("home", Some(S::Services), Page::Home(home), none);
    for (name, question) in questions(l) {
        add(name, Some(S::Questions), Page::Question(question), none);
    }
    add("services", Some(S::Services), Page::Services(services(l)), none);
    add("checklist", Some(S::Services), Page::Checklist(checklist(l)), none);
    for (name, capture) in captures(l) {
        add(name, Some(S::Photographs), Page::Capture(capture), none);
    }
    add("review", Some(S::Submit), Page::Review(review(l)), none);
    add("declaration", Some(S::Submit), Page::Declaration(declaration(l, false)), none);
    add("declaration-signed", Some(S::Submit), Page::Declaration(declaration(l, true)), none);
    add("submitting", Some(S::Submit), Page::Submitting, none);
    for (name, delivery, print) in [
        ("receipt", Delivery::Received, PrintState::Printed),
        ("receipt-unknown", Delivery::Stored, PrintState::Unknown),
    ] {
        add(name, Some(S::Receipt), Page::Receipt(receipt(l, delivery, print)), none);
    }
    let take = TakeCard { card_present: true, papers: true };
    add("take-card", Some(S::Receipt), Page::TakeCard(take), none);
    add("progress", None, Page::Progress(progress(l)), none);
    let away = ProgressPage { unavailable: true, ..Default::default() };
    add("progress-unavailable", None, Page::Progress(away), none);
    let trouble = Trouble {
        kind: TroubleKind::NotStored,
        actor: Actor::Staff,
        code: "spool.no-space".into(),
        can_retry: true,
    };
    add("trouble", Some(S::Submit), Page::Trouble(trouble), none);
    add("staff-login", None, Page::StaffLogin(StaffLogin { typed: 3, wrong: true }), none);
    add("staff", None, Page::Staff(staff()), none);
    for (name, test) in self_tests() {
        add(name, None, Page::SelfTest(test), none);
    }

    let question = || Page::Question(questions(l).swap_remove(0).1);
    for (name, overlay) in [
        ("overlay-idle", Overlay::Idle { seconds_left: 18 }),
        ("overlay-leave", Overlay::ConfirmLeave),
        ("overlay-called", Overlay::StaffCalled),
        ("overlay-help", Overlay::Help),
    ] {
        add(name, Some(S::Questions), question(), overlay);
    }
    for (name, reading) in [("reading", Reading::Speaking), ("reading-paused", Reading::Paused)] {
        let chrome = Chrome { reading, ..chrome(l, Some(S::Services)) };
        let view = ViewModel { chrome, page: Page::Services(services(l)), overlay: none };
        all.push(Specimen { name: name.into(), view, preview: false });
    }
    all.extend(fault::specimens(l));
    all
}

fn chrome(l: In, stage: Option<VisitStage>) -> Chrome {
    // The center names itself; only the catalogue's texts grow.
    let l = In(l.0, 1);
    Chrome {
        language: l.0,
        stage,
        can_go_back: stage.is_some(),
        can_leave: stage.is_some(),
        center: l.say("样本市样本区退役军人服务中心", "Veteran Service Center, Specimen District"),
        phone: "028-0000 0000".into(),
        clock: "2026-11-23 09:41".into(),
        reading: Reading::Silent,
        ..Default::default()
    }
}

fn notice(l: In) -> ConsentPage {
    ConsentPage {
        key: "duty".into(),
        title: l.say("我们怎样使用您的信息", "How your data are used"),
        body: l.say(
            "为了替您办理所选的事项，我们从身份证读取姓名、公民身份号码、民族、性别、出生日期和住址，并把您填写的内容和拍摄的材料加密后送到退役军人服务中心。每个部门只收到办理自己事项需要的内容。送达并得到回执后，本机上的副本立即删除。",
            "To handle the services you choose, we read name, citizen identity number, ethnic group, sex, date of birth and address from the card, and send what you enter and photograph, encrypted, to the veteran service center. Each department receives only what its own services need. Once delivery is acknowledged, the copy on this terminal is deleted.",
        ),
        law: l.say("《中华人民共和国个人信息保护法》第十三条第三项、第三十四条", "Personal Information Protection Law, Art. 13(3) and 34"),
        separate: false,
        number: 1,
        of: 3,
    }
}

fn separate(l: In) -> ConsentPage {
    ConsentPage {
        key: "health".into(),
        title: l.say("健康状况", "State of health"),
        body: l.say(
            "办理基本医疗保险参保登记，医保部门需要知道您的健康状况。只送给医保部门，随申请保存，不作别的用途。",
            "To enroll you in basic medical insurance, the insurance office needs your state of health. It goes to that office only, is kept with the application and used for nothing else.",
        ),
        law: l.say("《中华人民共和国个人信息保护法》第二十八条至第三十条", "Personal Information Protection Law, Art. 28-30"),
        separate: true,
        number: 2,
        of: 3,
    }
}

/// A grey picture with a lighter sheet on it, as a camera would see a paper.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut rgb = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            let sheet = x > width / 5 && x < width * 4 / 5 && y > height / 8 && y < height * 7 / 8;
            let line = sheet && y % 40 < 6 && x > width / 4 && x < width * 3 / 4;
            rgb.extend(if line {
                [90, 90, 100]
            } else if sheet {
                [236, 234, 226]
            } else {
                [70, 84, 76]
            });
        }
    }
    rgb
}
