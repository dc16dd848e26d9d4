//! Why: what is printed: the receipt with what comes next, the list of papers, the state of the
//! cases, and the technician's test page.
//!
//! Refuses: full identity numbers, names, military units, and to say "received" before the gateway
//! has said so.

use hal::printer::{Align, Element, ReceiptDocument, TextSize};
use jiff::Timestamp;
use ui::view_model::{DeviceRole, Language, TestOutcome, TestStep};

use super::flow::path;
use super::report;
use super::state::{Purpose, ReceiptState, Stage, State, Visit, World, local};

/// The one place where receipts choose between languages.
struct Words(Language);

impl Words {
    fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        match self.0 {
            Language::Chinese => zh,
            Language::English => en,
        }
    }

    fn text<'a>(&self, text: &'a catalog::Text) -> &'a str {
        self.pick(&text.zh, &text.en)
    }

    fn site<'a>(&self, words: &'a provisioning::Words) -> &'a str {
        self.pick(&words.zh, &words.en)
    }
}

fn minute(at: Timestamp) -> String {
    local(at).strftime("%Y-%m-%d %H:%M").to_string()
}

fn centered(text: &str) -> Element {
    Element::Text { text: text.into(), size: TextSize::Normal, align: Align::Center, bold: false }
}

fn bold(text: &str) -> Element {
    Element::Text { text: text.into(), size: TextSize::Normal, align: Align::Left, bold: true }
}

fn head(world: &World, words: &Words, title: &str) -> Vec<Element> {
    vec![
        Element::heading(title),
        centered(words.text(world.catalog.title())),
        centered(words.site(&world.site.center)),
        Element::Rule,
    ]
}

fn foot(world: &World, words: &Words, at: Timestamp, copy: u32) -> Vec<Element> {
    vec![
        Element::Rule,
        Element::pair(words.pick("地址", "Address"), words.site(&world.site.address)),
        Element::pair(words.pick("服务电话", "Telephone"), world.site.phone.as_str()),
        Element::pair(words.pick("时间", "Time"), minute(at)),
        Element::pair(words.pick("终端", "Terminal"), world.site.terminal.as_str()),
        Element::pair(words.pick("联次", "Copy"), copy.to_string()),
        Element::Feed(2),
        Element::Cut,
    ]
}

/// The receipt of the present visit; a copy after the first is marked 补打.
pub fn document(world: &World, state: &State) -> Option<ReceiptDocument> {
    let visit = state.visit()?;
    let receipt = visit.receipt.as_ref()?;
    let words = Words(state.settings.language);
    let copy = receipt.copies + 1;
    let title = match copy {
        1 => words.pick("办理回执", "Receipt"),
        _ => words.pick("办理回执（补打）", "Receipt (reprint)"),
    };
    let mut lines = head(world, &words, title);
    lines.push(centered(words.pick("回执编号", "Receipt number")));
    lines.push(Element::Text {
        text: receipt.stored.receipt_number.as_str().into(),
        size: TextSize::Tall,
        align: Align::Center,
        bold: true,
    });
    lines.push(Element::Qr(receipt.stored.receipt_number.clone()));
    lines.push(centered(delivery(&words, receipt)));
    if let Some(applicant) = &visit.applicant {
        let masked = catalog::identity_number::mask(applicant.identity.number.as_str());
        lines.push(Element::pair(words.pick("证件号码", "Identity number"), masked));
    }
    lines.push(Element::Rule);
    for step in next_steps(world, visit, state) {
        lines.push(bold(&format!("{}（{}）", step.service, step.department)));
        lines.push(Element::text(format!("{}：{}", words.pick("下一步", "Next"), step.advice)));
        if !step.place.is_empty() {
            lines.push(Element::text(format!("{}：{}", words.pick("去哪里", "Where"), step.place)));
        }
        if !step.by.is_empty() {
            lines.push(Element::text(step.by));
        }
    }
    let papers = papers_to_bring(world, visit, state);
    if !papers.is_empty() {
        lines.push(Element::Rule);
        lines.push(bold(
            words.pick("到窗口核验时请带原件", "Bring the originals when you are invited"),
        ));
        lines.extend(papers.into_iter().map(|paper| Element::text(format!("□ {paper}"))));
    }
    // Whoever answers a correction request has been accepted long ago.
    if visit.purpose == Purpose::Application {
        lines.push(Element::text(words.pick(
            "部队寄来的档案审核通过后，我们会通知您到窗口办理。",
            "We will invite you to the window once the archive sent by your unit has been reviewed.",
        )));
    }
    lines.extend(foot(world, &words, receipt.at, copy));
    Some(ReceiptDocument { lines })
}

fn delivery<'a>(words: &Words, receipt: &ReceiptState) -> &'a str {
    match (words.0, receipt.delivered) {
        (Language::Chinese, false) => "已保存在本终端，尚未送达中心",
        (Language::English, false) => "Stored on this terminal, not yet received",
        (Language::Chinese, true) => "中心已收到",
        (Language::English, true) => "Received by the center",
    }
}

/// One service and what comes next for it.
pub struct NextStep {
    /// Service.
    pub service: String,
    /// Department.
    pub department: String,
    /// What is next.
    pub advice: String,
    /// Where.
    pub place: String,
    /// The time limit as a sentence with its rule, or empty.
    pub by: String,
    /// The last day, counted from today, or empty.
    pub due: String,
}

/// What comes next, service by service, in the visitor's language.
pub fn next_steps(world: &World, visit: &Visit, state: &State) -> Vec<NextStep> {
    let words = Words(state.settings.language);
    let offers = world.catalog.offers(&visit.known(state.today()));
    let services = match &visit.purpose {
        Purpose::Application => visit.selected.clone(),
        Purpose::Correction { service, .. } => vec![service.clone()],
    };
    services
        .iter()
        .filter_map(|key| world.catalog.service(key))
        .map(|service| NextStep {
            service: words.text(&service.text).to_owned(),
            department: world
                .catalog
                .department(&service.department)
                .map(|department| words.text(&department.text).to_owned())
                .unwrap_or_default(),
            advice: words.text(&service.next_step).to_owned(),
            place: words.text(&service.place).to_owned(),
            by: offers
                .iter()
                .find(|offer| offer.service == service.key)
                .and_then(|offer| deadline(&offer.decision, state.settings.language))
                .unwrap_or_default(),
            due: offers
                .iter()
                .find(|offer| offer.service == service.key)
                .and_then(|offer| due(&offer.decision, state.settings.language))
                .unwrap_or_default(),
        })
        .collect()
}

/// The last day of an offer's time limit, with the days that are left or over.
fn due(decision: &catalog::Decision, language: Language) -> Option<String> {
    let catalog::Decision::Offered { deadline: Some(deadline), .. } = decision else { return None };
    let date = deadline.due;
    Some(match (language, deadline.days_left) {
        (Language::Chinese, 0) => format!("{date}（今天）"),
        (Language::Chinese, left @ 1..) => format!("{date}（还有 {left} 天）"),
        (Language::Chinese, left) => format!("{date}（已过 {} 天）", -left),
        (Language::English, 0) => format!("{date} (today)"),
        (Language::English, left @ 1..) => format!("{date} ({left} days left)"),
        (Language::English, left) => format!("{date} ({} days ago)", -left),
    })
}

/// The time limit of an offer in one line, counted but not judged.
pub fn deadline(decision: &catalog::Decision, language: Language) -> Option<String> {
    let catalog::Decision::Offered { deadline: Some(deadline), .. } = decision else { return None };
    let words = Words(language);
    let rule = words.text(&deadline.rule);
    let due = due(decision, language)?;
    Some(match language {
        Language::Chinese => format!("{rule}截止 {due}"),
        Language::English => format!("{rule} Until {due}"),
    })
}

/// Originals for the window, then papers that go elsewhere.
pub fn papers_to_bring(world: &World, visit: &Visit, state: &State) -> Vec<String> {
    let words = Words(state.settings.language);
    let mut papers: Vec<String> = path::materials(world, visit, state.today())
        .into_iter()
        .filter_map(|(key, ..)| world.catalog.material(&key))
        .map(|material| words.text(&material.text).to_owned())
        .collect();
    if let Some(plan) = path::plan(world, visit, state.today()) {
        let answers = path::known_answers(world, visit);
        for paper in plan.carried {
            if paper.needed(&answers) != Some(false) {
                papers.push(format!(
                    "{}（{}）",
                    words.text(&paper.text),
                    words.text(&paper.where_to)
                ));
            }
        }
    }
    papers
}

/// The list of papers to bring, without a number: nothing has been submitted.
pub fn checklist(world: &World, state: &State) -> Option<ReceiptDocument> {
    let visit = state.visit()?;
    let words = Words(state.settings.language);
    let mut lines = head(world, &words, words.pick("材料清单", "Papers needed"));
    let papers = papers_to_bring(world, visit, state);
    lines.extend(papers.into_iter().map(|paper| Element::text(format!("□ {paper}"))));
    lines.extend(foot(world, &words, state.now.wall, 1));
    Some(ReceiptDocument { lines })
}

/// The state of the cases, marked as a reprint.
pub fn cases(world: &World, state: &State) -> Option<ReceiptDocument> {
    let visit = state.visit()?;
    let words = Words(state.settings.language);
    let mut lines = head(world, &words, words.pick("回执（补打）", "Receipt (reprint)"));
    for case in &visit.cases.list {
        lines.push(Element::Text {
            text: case.receipt_number.as_str().into(),
            size: TextSize::Tall,
            align: Align::Center,
            bold: true,
        });
        lines.push(Element::Qr(case.receipt_number.clone()));
        for service in &case.services {
            let name = world
                .catalog
                .service(&service.service)
                .map_or(service.service.as_str(), |found| words.text(&found.text));
            lines.push(Element::pair(name, shown(&words, service.state)));
        }
        lines.push(Element::Rule);
    }
    lines.extend(foot(world, &words, state.now.wall, 1));
    Some(ReceiptDocument { lines })
}

fn shown<'a>(words: &Words, state: catalog::case::ShownState) -> &'a str {
    use catalog::case::ShownState as S;
    let (zh, en) = match state {
        S::Waiting => ("待派发", "waiting"),
        S::NotReported => ("部门未回传", "not reported yet"),
        S::InProgress => ("办理中", "in progress"),
        S::Done => ("已办结", "done"),
        S::CorrectionNeeded => ("需补正", "correction needed"),
        S::Rejected => ("不予办理", "rejected"),
    };
    match words.0 {
        Language::Chinese => zh,
        Language::English => en,
    }
}

/// A page for technicians: widths, sizes, a rare character and the cutter.
pub fn test_page() -> ReceiptDocument {
    ReceiptDocument {
        lines: vec![
            Element::heading("打印测试"),
            Element::text("中文 ABC 0123456789 生僻字 𠮷 㐂"),
            Element::pair("左 left", "右 right"),
            Element::Rule,
            Element::Qr("RONGGUI-TEST".into()),
            Element::Feed(2),
            Element::Cut,
        ],
    }
}

/// The readiness report: what was tried before somebody's eyes, what every device says of itself,
/// and whether the terminal can serve; with terminal and time.
pub fn self_test(world: &World, state: &State) -> Option<ReceiptDocument> {
    let Stage::Staff(session) = &state.stage else { return None };
    let test = session.test.as_ref()?;
    // Staff of the center read it, whatever language a visitor chose.
    let words = Words(Language::Chinese);
    let mut lines = head(world, &words, "自检报告");
    lines.push(bold(match report::ready(world, state, test) {
        true => "结论：各项正常，可以开始服务",
        false => "结论：有项目不正常或没有测，不能开始服务",
    }));
    lines.push(Element::Rule);
    lines.push(bold("当面试过的"));
    for step in TestStep::ALL {
        lines.push(Element::pair(tried(step), outcome(test.outcome(step))));
    }
    lines.push(Element::Rule);
    lines.push(bold("设备自己报告的"));
    for device in report::devices(world, state) {
        let state = match (device.ok, device.code.as_str()) {
            (true, _) => "正常".to_owned(),
            (false, "") => device.state.clone(),
            (false, code) => format!("{} {code}", device.state),
        };
        lines.push(Element::pair(device_name(device.device), state));
    }
    lines.push(Element::Rule);
    lines.push(Element::pair("等待送达", state.queue.waiting.to_string()));
    lines.push(Element::text("检查人（签名）："));
    lines.push(Element::Feed(2));
    lines.extend(foot(world, &words, test.at, 1));
    Some(ReceiptDocument { lines })
}

fn tried(step: TestStep) -> &'static str {
    match step {
        TestStep::Reader => "读卡器",
        TestStep::Printer => "打印机",
        TestStep::DocumentCamera => "材料摄像头",
        TestStep::PortraitCamera => "人像摄像头",
        TestStep::Sound => "声音",
        TestStep::Touch | TestStep::Done => "触摸屏",
    }
}

fn outcome(outcome: TestOutcome) -> &'static str {
    match outcome {
        TestOutcome::Open | TestOutcome::Skipped => "没有测",
        TestOutcome::Passed => "正常",
        TestOutcome::Failed => "不正常",
        TestOutcome::NotFitted => "本机没有",
    }
}

fn device_name(device: DeviceRole) -> &'static str {
    match device {
        DeviceRole::Reader => "读卡器",
        DeviceRole::Printer => "打印机",
        DeviceRole::DocumentCamera => "材料摄像头",
        DeviceRole::PortraitCamera => "人像摄像头",
        DeviceRole::Panel => "传感器和指示灯",
        DeviceRole::Network => "网络",
        DeviceRole::Storage => "存储",
        DeviceRole::Scanner => "扫码器",
        DeviceRole::Cabinet => "机柜",
    }
}
