//! Why: every page as a visitor could meet it, long texts included, in both languages.

use std::sync::Arc;
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
struct In(Language);

impl In {
    fn say(self, chinese: &str, english: &str) -> String {
        match self.0 {
            Language::Chinese => chinese.into(),
            Language::English => english.into(),
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
    let l = In(language);
    let mut all = Vec::new();
    let mut add = |name: &str, stage: Option<VisitStage>, page: Page, overlay: Overlay| {
        let preview = name != "capture-waiting"
            && matches!(&page, Page::Capture(capture) if capture.still.is_none());
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

    let question = || Page::Question(questions(l).swap_remove(0).1);
    for (name, overlay) in [
        ("overlay-idle", Overlay::Idle { seconds_left: 18 }),
        ("overlay-leave", Overlay::ConfirmLeave),
        ("overlay-called", Overlay::StaffCalled),
        ("overlay-help", Overlay::Help),
    ] {
        add(name, Some(S::Questions), question(), overlay);
    }
    all
}

fn chrome(l: In, stage: Option<VisitStage>) -> Chrome {
    Chrome {
        language: l.0,
        stage,
        can_go_back: stage.is_some(),
        can_leave: stage.is_some(),
        center: l.say("样本市样本区退役军人服务中心", "Veteran Service Center, Specimen District"),
        phone: "028-0000 0000".into(),
        clock: "2026-11-23 09:41".into(),
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

fn questions(l: In) -> Vec<(&'static str, QuestionPage)> {
    let question = |key: &str, title: String, input: Input| QuestionPage {
        key: key.into(),
        title,
        why: l.say(
            "户口登记和医疗保险都要登记这一项，只问您一遍。",
            "Household registration and medical insurance both record this; you are asked once.",
        ),
        departments: l.say("公安、医保", "Public security, medical insurance"),
        input,
        number: 4,
        of: 22,
        can_continue: true,
        ..Default::default()
    };
    let mut married = l.tiles(&[
        ("10", "未婚", "Never married"),
        ("20", "已婚", "Married"),
        ("30", "丧偶", "Widowed"),
        ("40", "离婚", "Divorced"),
        ("90", "未说明", "Not stated"),
    ]);
    married[1].selected = true;
    let mut category = l.tiles(&[
        ("job_placement", "安排工作退役士兵", "Soldier with job placement"),
        ("self_directed_employment", "自主就业退役士兵", "Soldier in self-directed employment"),
        ("demobilized_officer", "复员军官", "Demobilized officer"),
        ("monthly_pension", "逐月领取退役金退役军人", "Veteran with a monthly pension"),
    ]);
    category[1].note = l.say("退役证和介绍信上写着“自主就业”", "Your certificate says 自主就业");
    let relation = l.tiles(&[
        ("02", "儿子", "Son"),
        ("03", "女儿", "Daughter"),
        ("01", "配偶", "Spouse"),
        ("05", "父母", "Parent"),
        ("04", "孙子女或外孙子女", "Grandchild"),
        ("07", "兄弟姐妹", "Brother or sister"),
        ("00", "户主本人", "Myself"),
        ("09", "其他", "Other"),
    ]);
    let address = vec![Tile {
        id: "card".into(),
        label: l.say(
            "身份证上的住址：样本省样本市样本区样本路一号院二单元三零一号",
            "Address on the card: 301, 2/1 Specimen Road, Specimen District",
        ),
        note: String::new(),
        selected: false,
    }];
    let cities: Vec<Tile> = [
        "成都市",
        "自贡市",
        "攀枝花市",
        "泸州市",
        "德阳市",
        "绵阳市",
        "广元市",
        "遂宁市",
        "内江市",
        "乐山市",
        "南充市",
        "眉山市",
        "宜宾市",
        "广安市",
        "达州市",
        "雅安市",
        "巴中市",
        "资阳市",
        "阿坝藏族羌族自治州",
        "甘孜藏族自治州",
        "凉山彝族自治州",
    ]
    .iter()
    .enumerate()
    .map(|(n, name)| Tile {
        id: format!("51{n:02}00"),
        label: (*name).into(),
        ..Default::default()
    })
    .collect();
    let birthplace = Input::Region {
        path: vec![l.tile("510000", "四川省", "Sichuan", true)],
        options: cities,
        suggestions: vec![l.tile(
            "card",
            "身份证号码所示：北京市朝阳区",
            "By the card's number: Chaoyang, Beijing",
            false,
        )],
    };
    vec![
        (
            "question-choice",
            question(
                "marriage",
                l.say("您的婚姻状况是？", "What is your marital status?"),
                Input::Choice(married),
            ),
        ),
        (
            "question-category",
            question(
                "category",
                l.say("您属于哪一类退役军人？", "Which kind of veteran are you?"),
                Input::Choice(category),
            ),
        ),
        (
            "question-relation",
            QuestionPage {
                confirmation: l.say("您是户主的儿子。", "You are a son of the head of household."),
                ..question(
                    "relation",
                    l.say("您和户主是什么关系？", "How are you related to the head of household?"),
                    Input::Choice(relation),
                )
            },
        ),
        (
            "question-phone",
            QuestionPage {
                error: Some(EntryError::Phone),
                can_continue: false,
                ..question(
                    "phone",
                    l.say("您的手机号码是多少？", "What is your mobile number?"),
                    Input::Text {
                        value: "1380013800".into(),
                        keyboard: Keyboard::Digits,
                        suggestions: vec![],
                    },
                )
            },
        ),
        (
            "question-address",
            question(
                "address",
                l.say("您现在住在哪里？", "Where do you live now?"),
                Input::Text {
                    value: String::new(),
                    keyboard: Keyboard::Text,
                    suggestions: address,
                },
            ),
        ),
        (
            "question-date",
            QuestionPage {
                editing: true,
                ..question(
                    "work_date",
                    l.say("您参加工作的日期是哪一天？", "On which day did you start working?"),
                    Input::Date {
                        year: 2014,
                        month: 9,
                        day: 0,
                        first_year: 1950,
                        last_year: 2026,
                        suggestions: vec![l.tile(
                            "enlisted",
                            "就是入伍的日期",
                            "The day I enlisted",
                            false,
                        )],
                    },
                )
            },
        ),
        (
            "question-region",
            question("birthplace", l.say("您的出生地在哪里？", "Where were you born?"), birthplace),
        ),
        (
            "question-region-complete",
            question(
                "service_place",
                l.say("您服役的地方在哪里？", "Where did you serve?"),
                Input::Region {
                    path: vec![
                        l.tile("510000", "四川省", "Sichuan", true),
                        l.tile("510100", "成都市", "Chengdu", true),
                        l.tile("510106", "金牛区", "Jinniu", true),
                    ],
                    options: vec![],
                    suggestions: vec![],
                },
            ),
        ),
        (
            "question-yes-no",
            question(
                "has_social_security_card",
                l.say("您已经有社会保障卡吗？", "Do you have a social security card already?"),
                Input::Choice(l.tiles(&[("yes", "有", "Yes"), ("no", "没有", "No")])),
            ),
        ),
    ]
}

fn services(l: In) -> ServicesPage {
    let rows = [
        (
            "reporting",
            "退役报到",
            "Reporting after discharge",
            "退役军人事务",
            "Veterans affairs",
            "每位退役军人都要办理。",
            "Every veteran has to do this.",
            "按规定退役后 30 天内报到，还有 12 天",
            true,
        ),
        (
            "household_registration",
            "户口登记（恢复户口）",
            "Household registration",
            "公安",
            "Public security",
            "您入伍时注销了户口，需要恢复。",
            "Your registration was cancelled when you enlisted.",
            "",
            true,
        ),
        (
            "identity_card",
            "居民身份证申领",
            "Resident identity card",
            "公安",
            "Public security",
            "恢复户口后可以申领。",
            "Can be applied for after registration.",
            "",
            true,
        ),
        (
            "reserve_registration",
            "预备役登记",
            "Reserve registration",
            "人武部",
            "Armed forces department",
            "退役士兵在 40 天内登记。",
            "Soldiers register within 40 days.",
            "还有 22 天",
            true,
        ),
        (
            "social_insurance",
            "社会保险登记",
            "Social insurance",
            "人社",
            "Human resources",
            "所有退役军人都可以办理。",
            "Open to every veteran.",
            "",
            true,
        ),
        (
            "social_security_card",
            "社会保障卡（含电子社保卡）申领",
            "Social security card, electronic card included",
            "人社",
            "Human resources",
            "您说没有社保卡。",
            "You said that you have none.",
            "",
            true,
        ),
        (
            "medical_insurance",
            "基本医疗保险参保和变更登记",
            "Basic medical insurance",
            "医保",
            "Medical insurance",
            "所有退役军人都可以办理。",
            "Open to every veteran.",
            "",
            true,
        ),
        (
            "medical_transfer",
            "军地医疗保险关系转接",
            "Military-to-civilian medical insurance transfer",
            "医保",
            "Medical insurance",
            "您有医疗保险个人账户转移凭证。",
            "You hold the account transfer certificate.",
            "",
            true,
        ),
        (
            "one_off_subsidy",
            "自主就业一次性经济补助金的给付",
            "One-off economic subsidy",
            "退役军人事务",
            "Veterans affairs",
            "您是自主就业退役士兵。",
            "You are a soldier in self-directed employment.",
            "",
            true,
        ),
        (
            "training_and_guidance",
            "自主就业职业技能培训和就业创业指导",
            "Vocational training and guidance",
            "退役军人事务",
            "Veterans affairs",
            "您是自主就业退役士兵，可以免费参加。",
            "Free for soldiers in self-directed employment.",
            "",
            true,
        ),
        (
            "party_transfer",
            "党组织关系转接",
            "Party membership transfer",
            "组织部门",
            "Organization department",
            "您说自己不是党员；如果是，请回上一步更改。",
            "You said that you are no Party member; if you are, go back and change it.",
            "",
            false,
        ),
        (
            "league_transfer",
            "团组织关系转接",
            "League membership transfer",
            "团委",
            "Youth League",
            "您已年满 28 周岁。",
            "You have turned 28.",
            "",
            false,
        ),
    ];
    let services = rows
        .iter()
        .enumerate()
        .map(|(n, row)| ServiceTile {
            id: row.0.into(),
            name: l.say(row.1, row.2),
            department: l.say(row.3, row.4),
            reason: l.say(row.5, row.6),
            deadline: l.say(row.7, if row.7.is_empty() { "" } else { "12 days left" }),
            available: row.8,
            selected: n == 0 || n == 2,
        })
        .collect();
    ServicesPage {
        services,
        chosen: 2,
        elsewhere: l.say(
            "军地养老保险关系转接：自 2024 年 3 月起由系统直接办理，您不用申请。",
            "Pension insurance transfer: done between the systems since March 2024, no application needed.",
        ),
    }
}

fn checklist(l: In) -> ChecklistPage {
    let paper = |zh: &str, en: &str, note_zh: &str, note_en: &str, photographed| Paper {
        name: l.say(zh, en),
        note: l.say(note_zh, note_en),
        photographed,
    };
    ChecklistPage {
        papers: vec![
            paper(
                "退出现役证件",
                "Discharge certificate",
                "退役报到、一次性经济补助金",
                "Reporting, one-off subsidy",
                true,
            ),
            paper("退出现役行政介绍信", "Administrative letter", "退役报到", "Reporting", true),
            paper(
                "居民身份证",
                "Resident identity card",
                "社会保险登记、社会保障卡",
                "Social insurance and card",
                true,
            ),
            paper(
                "军人退役医疗保险个人账户转移凭证（义务兵为退役医疗保险金转移凭证）",
                "Medical insurance account transfer certificate",
                "基本医疗保险",
                "Medical insurance",
                true,
            ),
            paper(
                "户口簿",
                "Household register",
                "带到派出所",
                "Take it to the police station",
                false,
            ),
        ],
        can_print: true,
        printed: true,
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

fn captures(l: In) -> Vec<(&'static str, CapturePage)> {
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

fn review(l: In) -> ReviewPage {
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

fn declaration(l: In, signed: bool) -> DeclarationPage {
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

fn receipt(l: In, delivery: Delivery, print: PrintState) -> ReceiptPage {
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

fn progress(l: In) -> ProgressPage {
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

fn staff() -> StaffPage {
    let line =
        |device, ok, state: &str, actor| DeviceLine { device, ok, state: state.into(), actor };
    StaffPage {
        devices: vec![
            line(DeviceRole::Reader, true, "ready", Actor::Yourself),
            line(DeviceRole::Printer, false, "paper.out", Actor::Staff),
            line(DeviceRole::DocumentCamera, true, "ready", Actor::Yourself),
            line(DeviceRole::PortraitCamera, false, "camera.missing", Actor::Technician),
            line(DeviceRole::Panel, true, "ready", Actor::Yourself),
            line(DeviceRole::Network, true, "ready", Actor::Yourself),
            line(DeviceRole::Storage, true, "ready", Actor::Yourself),
        ],
        waiting: 2,
        delivered: 118,
        quarantined: 1,
        oldest_minutes: 41,
        test_page: PrintState::Printed,
    }
}
