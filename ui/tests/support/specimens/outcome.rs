//! Specimens of the pages from the first photograph to the end, and of the staff page.

use std::sync::Arc;

use super::{In, picture, services};
use ui::view_model::*;

pub(super) fn captures(l: In) -> Vec<(&'static str, CapturePage)> {
    let paper = CapturePage {
        key: "discharge_certificate".into(),
        title: l.say("退出现役证件", "Discharge certificate"),
        advice: l.say(
            "翻到有照片的一页，平放在镜头下。",
            "Open the page with the photograph and lay it flat under the camera.",
        ),
        can_skip: true,
        number: 1,
        of: 5,
        ..Default::default()
    };
    let portrait = CapturePage {
        key: "card_portrait".into(),
        title: l.say("拍摄制卡相片", "Card portrait"),
        advice: l.say(
            "请站直，看着镜头，脸对准椭圆。",
            "Stand straight, look at the camera, face in the oval.",
        ),
        portrait: true,
        number: 5,
        of: 5,
        ..Default::default()
    };
    let still =
        || Some(Picture { id: 7, width: 640, height: 480, rgb: Arc::new(picture(640, 480)) });
    vec![
        ("capture", paper.clone()),
        ("capture-waiting", paper.clone()),
        ("capture-taking", CapturePage { taking: true, ..paper.clone() }),
        (
            "capture-still",
            CapturePage {
                still: still(),
                can_accept: true,
                can_add_page: true,
                pages: 1,
                ..paper.clone()
            },
        ),
        (
            "capture-blurred",
            CapturePage { still: still(), problem: Some(PictureProblem::Blurred), ..paper },
        ),
        ("capture-portrait", portrait),
    ]
}

pub(super) fn review(l: In) -> ReviewPage {
    let line = |id: &str, zh: &str, en: &str, value: &str| ReviewLine {
        id: id.into(),
        label: l.say(zh, en),
        value: value.into(),
    };
    ReviewPage {
        services: services(l).services.into_iter().take(6).map(|service| service.name).collect(),
        lines: vec![
            line("", "姓名", "Name", "样本甲"),
            line("", "公民身份号码", "Citizen identity number", "11010519491231002X"),
            line("", "民族", "Ethnic group", "汉"),
            line("education", "文化程度", "Education", "大学专科和专科学校"),
            line("marriage", "婚姻状况", "Marital status", "已婚"),
            line("phone", "联系电话", "Telephone", "13800138000"),
            line(
                "before",
                "入伍前户口所在地",
                "Registration before enlistment",
                "四川省成都市样本区",
            ),
            line(
                "intended",
                "拟落户所在地",
                "Intended registration place",
                "四川省阿坝藏族羌族自治州样本县样本镇样本村民委员会第三村民小组",
            ),
            line("address", "居住地址", "Address", "样本省样本市样本区样本路一号院二单元三零一号"),
            line("work_date", "参加工作日期", "Start of work", "2014-09-01"),
        ],
        photographs: vec![
            line("discharge_certificate", "退出现役证件", "Discharge certificate", "2"),
            line("card_portrait", "制卡相片", "Card portrait", "1"),
            line("reserve_form", "预备役登记表", "Reserve registration form", "0"),
        ],
    }
}

pub(super) fn declaration(l: In, signed: bool) -> DeclarationPage {
    let strokes = vec![
        vec![(0.2, 0.3), (0.28, 0.28), (0.35, 0.3), (0.3, 0.5), (0.22, 0.7)],
        vec![(0.28, 0.2), (0.28, 0.78)],
        vec![(0.5, 0.25), (0.68, 0.24), (0.68, 0.5), (0.5, 0.5), (0.5, 0.25)],
        vec![(0.59, 0.2), (0.59, 0.8)],
    ];
    DeclarationPage {
        text: l.say(
            "本人申请办理所选的联办事项，填写的内容和提交的材料真实、完整。本人知道照片不能代替原件，会按通知带原件到窗口核验。本人同意把各部门办理所需的内容送给该部门。",
            "I apply for the joint services chosen. What I entered and submitted is true and complete. I know that photographs do not replace originals and will bring the originals to the counter when asked. I agree that each department receives what it needs for its service.",
        ),
        strokes: if signed { strokes } else { vec![] },
        can_submit: signed,
    }
}

pub(super) fn receipt(l: In, delivery: Delivery, print: PrintState) -> ReceiptPage {
    let step = |service: (&str, &str),
                department: (&str, &str),
                advice: (&str, &str),
                by: (&str, &str)| {
        NextStep {
            service: l.say(service.0, service.1),
            department: l.say(department.0, department.1),
            advice: l.say(advice.0, advice.1),
            by: l.say(by.0, by.1),
        }
    };
    ReceiptPage {
        number: "510106-34D6-000001-D".into(),
        qr: "510106-34D6-000001-D".into(),
        delivery,
        print,
        evidence: PrintEvidence::Unclear,
        can_print: true,
        next_steps: vec![
            step(
                ("退役报到", "Reporting after discharge"),
                ("退役军人事务", "Veterans affairs"),
                (
                    "等中心通知后，带六种材料的原件到综合窗口核验。",
                    "When notified, bring the originals of the six papers to the comprehensive window.",
                ),
                ("2026-12-05（还有 12 天）", "2026-12-05 (12 days left)"),
            ),
            step(
                ("户口登记（恢复户口）", "Household registration"),
                ("公安", "Public security"),
                (
                    "带户口簿到拟落户地的派出所，当天可以采集指纹。",
                    "Take the household register to the police station of the intended place; fingerprints are taken the same day.",
                ),
                ("", ""),
            ),
            step(
                ("社会保障卡申领", "Social security card"),
                ("人社", "Human resources"),
                ("卡会寄到您填写的地址。", "The card is mailed to the address you gave."),
                ("", ""),
            ),
        ],
        seconds_left: 87,
    }
}

pub(super) fn progress(l: In) -> ProgressPage {
    let service = |name: (&str, &str),
                   department: (&str, &str),
                   status,
                   correction: &str,
                   detail: (&str, &str)| ServiceProgress {
        correction_id: correction.into(),
        name: l.say(name.0, name.1),
        department: l.say(department.0, department.1),
        status,
        detail: l.say(detail.0, detail.1),
        since: "2026-11-20 15:02".into(),
    };
    ProgressPage {
        loading: false,
        unavailable: false,
        wanted: String::new(),
        cases: vec![CaseProgress {
            receipt_number: "510106-34D6-000007-B".into(),
            status: CaseStatus::Accepted,
            originals_to_be_verified: true,
            services: vec![
                service(
                    ("退役报到", "Reporting"),
                    ("退役军人事务", "Veterans affairs"),
                    ServiceStatus::Done,
                    "",
                    ("已报到。", "Reported."),
                ),
                service(
                    ("基本医疗保险参保", "Medical insurance"),
                    ("医保", "Medical insurance"),
                    ServiceStatus::CorrectionNeeded,
                    "c-1",
                    (
                        "转移凭证的照片看不清公章，请重新拍摄。",
                        "The seal on the certificate cannot be read, please photograph it again.",
                    ),
                ),
                service(
                    ("户口登记", "Household registration"),
                    ("公安", "Public security"),
                    ServiceStatus::NotReported,
                    "",
                    ("", ""),
                ),
                service(
                    ("社会保险登记", "Social insurance"),
                    ("人社", "Human resources"),
                    ServiceStatus::InProgress,
                    "",
                    ("", ""),
                ),
                service(
                    ("居民身份证申领", "Identity card"),
                    ("公安", "Public security"),
                    ServiceStatus::Waiting,
                    "",
                    ("", ""),
                ),
            ],
        }],
    }
}

pub(super) fn staff() -> StaffPage {
    let line = |device, ok, state: &str, actor, code: &str| DeviceLine {
        device,
        ok,
        state: state.into(),
        actor,
        code: code.into(),
    };
    StaffPage {
        devices: vec![
            line(DeviceRole::Reader, true, "online", Actor::Yourself, ""),
            line(DeviceRole::Printer, false, "hardware_error", Actor::Staff, "printer_paper_out"),
            line(DeviceRole::DocumentCamera, true, "online", Actor::Yourself, ""),
            line(
                DeviceRole::PortraitCamera,
                false,
                "no_device",
                Actor::Technician,
                "camera_missing",
            ),
            line(DeviceRole::Scanner, true, "online", Actor::Yourself, ""),
            line(DeviceRole::Cabinet, true, "online", Actor::Yourself, ""),
            line(DeviceRole::Panel, true, "online", Actor::Yourself, ""),
            line(DeviceRole::Network, true, "online", Actor::Yourself, ""),
            line(DeviceRole::Storage, true, "online", Actor::Yourself, ""),
        ],
        waiting: 2,
        delivered: 118,
        quarantined: 1,
        oldest_minutes: 41,
        printed: 1204,
        test_page: PrintState::Printed,
        tampered: false,
    }
}

/// The self-test, at a device, at the grid, and done.
pub(super) fn self_tests() -> Vec<(&'static str, SelfTestPage)> {
    let outcomes = [
        TestOutcome::Passed,
        TestOutcome::Passed,
        TestOutcome::Failed,
        TestOutcome::NotFitted,
        TestOutcome::Skipped,
        TestOutcome::Passed,
    ];
    let at = |step: TestStep, number: usize| SelfTestPage {
        step,
        number,
        of: TestStep::ALL.len(),
        waiting: step == TestStep::Reader,
        devices: staff().devices,
        terminal: "0190a1b2".into(),
        at: "2026-11-23 09:41".into(),
        lines: TestStep::ALL
            .into_iter()
            .zip(outcomes)
            .map(|(step, outcome)| TestLine { step, outcome })
            .collect(),
        ..Default::default()
    };
    let mut grid = at(TestStep::Touch, 6);
    for square in [0, 1, 5, 7] {
        grid.grid[square] = true;
    }
    vec![
        ("self-test-reader", at(TestStep::Reader, 1)),
        ("self-test-printer", at(TestStep::Printer, 2)),
        ("self-test-camera", at(TestStep::DocumentCamera, 3)),
        ("self-test-touch", grid),
        ("self-test-report", at(TestStep::Done, 6)),
    ]
}
