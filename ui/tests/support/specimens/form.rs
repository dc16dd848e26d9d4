//! Specimens of the pages on which a visitor answers and chooses.

use super::In;
use ui::view_model::*;

pub(super) fn questions(l: In) -> Vec<(&'static str, QuestionPage)> {
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
        finder: None,
        can_find: true,
        can_former: true,
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
                    keyboard: Keyboard::Place,
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
                    finder: None,
                    can_find: true,
                    can_former: false,
                },
            ),
        ),
        (
            "question-region-find",
            question(
                "birthplace",
                l.say("您出生在哪里？", "Where were you born?"),
                finder(l, FinderKind::Letters, "jnq", &FOUND),
            ),
        ),
        (
            "question-region-former",
            question(
                "birthplace",
                l.say("您出生在哪里？", "Where were you born?"),
                finder(l, FinderKind::Former, "江北县", &FOUND[..1]),
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

pub(super) fn services(l: In) -> ServicesPage {
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

pub(super) fn checklist(l: In) -> ChecklistPage {
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

const FOUND: [(&str, &str, &str); 4] = [
    ("510106", "四川省成都市金牛区", "Jinniu, Chengdu, Sichuan"),
    ("130110", "河北省石家庄市鹿泉区", "Luquan, Shijiazhuang, Hebei"),
    ("210603", "辽宁省丹东市振兴区", "Zhenxing, Dandong, Liaoning"),
    ("320115", "江苏省南京市江宁区", "Jiangning, Nanjing, Jiangsu"),
];

fn finder(l: In, kind: FinderKind, typed: &str, found: &[(&str, &str, &str)]) -> Input {
    Input::Region {
        path: vec![],
        options: l.tiles(found),
        suggestions: vec![],
        finder: Some(Finder { kind, typed: typed.into() }),
        can_find: true,
        can_former: true,
    }
}
