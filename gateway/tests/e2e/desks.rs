//! People at desks: work lists, tokens with roles, and the lines their reads leave.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};

use crate::deliveries::{ACCEPTED, case_of};
use crate::fake::{Fake, connect};
use crate::support::{NAME, NUMBER, Site, catalog_dir, code};

fn run(site: &Site, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.args(arguments).arg("--data").arg(site.dir.path());
    command.env("RONGGUI_CATALOG", catalog_dir()).output().unwrap()
}

fn answer(site: &Site, arguments: &[&str]) -> Value {
    let done = run(site, &[arguments, &["--json"]].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[tokio::test]
async fn a_work_list_holds_the_departments_own_share_and_what_is_left_to_do() {
    let site = Site::new();
    let tables =
        ["[worklist.organization]\nheading = \"样本市委<组织部>\"\n", "[worklist.armed_forces]\n"];
    connect(&site, &tables.map(str::to_owned));
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let services = ["party_transfer", "reserve_registration", "social_insurance"];
    let case = case_of(&site, at, &terminal, &services, &ACCEPTED).await.to_string();
    let list = |department: &'static str, query: &'static str| {
        let call = site.department(at, department, &format!("worklist{query}"));
        async move { call.send().await.unwrap() }
    };
    let page = list("organization", "").await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert_eq!(page.headers()["cache-control"], "no-store");
    let page = page.text().await.unwrap();
    for text in ["党组织关系转接", "510106-1-0001", "党组织关系介绍信", "未回传", case.as_str()]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("<组织部>") && page.contains("组织部"));
    // Its share holds no name, so that its list holds none.
    for other in [NAME, NUMBER, "13900001234", "预备役", "社会保险", "data:image"] {
        assert!(!page.contains(other), "{other}");
    }
    let page = list("organization", "?papers=true").await.text().await.unwrap();
    assert!(page.contains("src=\"data:image/jpeg;base64,"));

    let table = list("human_resources", "?format=csv").await;
    assert!(table.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let bytes = table.bytes().await.unwrap();
    let text = std::str::from_utf8(&bytes).unwrap().strip_prefix('\u{feff}').unwrap();
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    let row = lines.next().unwrap();
    assert!(head.contains("公民身份号码") && head.contains("居住地址") && !head.contains("户主"));
    assert!(row.contains(NUMBER) && row.contains(NAME) && lines.next().is_none());

    // Another's list is an alarm, as another's inbox is.
    let foreign = site.client(None).get(format!("https://{at}/departments/organization/worklist"));
    let foreign = foreign.bearer_auth(&site.tokens.departments["armed_forces"]);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    assert!(gateway.audit(9).await.iter().any(|row| row.kind == "foreign_inbox"));
    assert_eq!(list("organization", "?format=pdf").await.status(), 400);

    // Ticked off, it is no longer on the list.
    let path = format!("cases/{case}/services/party_transfer");
    let tick = |body: Value| {
        let call = site.department_call(reqwest::Method::POST, at, "organization", &path);
        async move { call.json(&body).send().await.unwrap().status() }
    };
    assert_eq!(tick(json!({ "report": "start" })).await, 200);
    assert!(list("organization", "").await.text().await.unwrap().contains("办理中"));
    assert_eq!(tick(json!({ "report": "done" })).await, 200);
    assert!(list("organization", "").await.text().await.unwrap().contains("没有待办事项"));

    // On the office's own machine, beside the running gateway.
    let out = site.dir.path().join("list.html");
    let arguments = ["worklist", "--department", "armed_forces", "--out", out.to_str().unwrap()];
    let written = run(&site, &arguments);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let page = std::fs::read_to_string(&out).unwrap();
    assert!(
        page.contains("预备役登记") && page.contains("data:image/jpeg") && !page.contains(NAME)
    );
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!run(&site, &arguments).status.success(), "never replaced");

    // Every read of a case by a list is in the log, and what was read is not.
    let audit = answer(&site, &["audit", "--case", &case]);
    let reads = audit["reads"].as_array().unwrap();
    let lists = reads.iter().filter(|read| read["action"] == "worklist");
    let holders: Vec<&str> = lists.map(|read| read["holder"].as_str().unwrap()).collect();
    assert!(holders[0].starts_with("machine:"), "{holders:?}");
    assert_eq!(holders[1..], ["organization", "human_resources", "organization", "organization"]);
    assert!(!audit.to_string().contains(NAME) && !audit.to_string().contains(NUMBER));
    gateway.shutdown().await;
}

#[tokio::test]
async fn every_read_of_a_person_leaves_a_line_and_nothing_else_does() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = site.accepted_case(at, &terminal).await;
    let staff = |path: String| {
        let call = site.client(None).get(format!("https://{at}{path}"));
        let call = call.bearer_auth(&site.tokens.staff);
        async move { call.send().await.unwrap().status().as_u16() }
    };
    let desk = |path: String| {
        let call = site.department(at, "organization", &path);
        async move { call.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(staff("/staff/cases".into()).await, 200);
    assert_eq!(staff(format!("/staff/cases/{case}")).await, 200);
    assert_eq!(staff(format!("/staff/cases/{case}/materials/party_letter-1")).await, 200);
    assert_eq!(desk(format!("cases/{case}")).await, 200);
    assert_eq!(desk(format!("cases/{case}/materials/party_letter-1")).await, 200);
    // Spelt otherwise, it is the same case.
    let spelt = case.to_string().replace('-', "%2D");
    assert_eq!(desk(format!("cases/{spelt}")).await, 200);
    // What holds nothing about a person, and what was refused.
    assert_eq!(desk("inbox".into()).await, 200);
    assert_eq!(desk(format!("cases/{}", uuid::Uuid::now_v7())).await, 404);
    assert_eq!(staff("/staff/cases/x".into()).await, 404);

    let audit = answer(&site, &["audit"]);
    let reads = audit["reads"].as_array().unwrap().iter().rev();
    let reads: Vec<_> = reads
        .map(|read| {
            let text = |name: &str| read[name].as_str().unwrap_or("-").to_owned();
            (text("role"), text("holder"), text("action"), text("case_id"))
        })
        .collect();
    let case = case.to_string();
    let line = |role: &str, holder: &str, action: &str, case: &str| {
        (role.to_owned(), holder.to_owned(), action.to_owned(), case.to_owned())
    };
    assert_eq!(
        reads,
        [
            line("staff", "staff", "list", "-"),
            line("staff", "staff", "case", &case),
            line("staff", "staff", "paper", &case),
            line("department", "organization", "case", &case),
            line("department", "organization", "paper", &case),
            line("department", "organization", "case", &case),
        ]
    );
    assert!(!audit.to_string().contains(NAME));
    gateway.shutdown().await;
}

#[tokio::test]
async fn tokens_come_and_go_while_the_gateway_runs() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let call = |path: &'static str, token: String| {
        let call = site.client(None).get(format!("https://{at}/{path}")).bearer_auth(token);
        async move { call.send().await.unwrap() }
    };
    let add =
        |more: &[&str]| answer(&site, &[&["token", "add", "--name", "desk 3"], more].concat());
    let police = add(&["--role", "department", "--department", "public_security", "--days", "90"]);
    let operator = add(&["--role", "operator"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let inbox = "departments/public_security/inbox";
    assert_eq!(call(inbox, text(&police["token"])).await.status(), 200);
    assert_eq!(call("departments/organization/inbox", text(&police["token"])).await.status(), 403);
    assert_eq!(call("staff/cases", text(&police["token"])).await.status(), 403);
    // An operator sees figures and alarms, and no person.
    let audit = call("operator/audit?limit=5", text(&operator["token"])).await;
    assert_eq!(audit.status(), 200);
    let audit: Value = audit.json().await.unwrap();
    let alarms = audit["alarms"].as_array().unwrap();
    assert!(alarms.iter().any(|alarm| alarm["kind"] == "foreign_inbox"), "{alarms:?}");
    assert_eq!(call("operator/deliveries", text(&operator["token"])).await.status(), 200);
    for path in ["staff/cases", inbox, "departments/public_security/worklist"] {
        assert_eq!(code(call(path, text(&operator["token"])).await).await, "forbidden", "{path}");
    }
    for token in [&site.tokens.staff, &text(&police["token"])] {
        assert_eq!(call("operator/audit", token.clone()).await.status(), 403);
    }

    let list = answer(&site, &["token", "list"]);
    let ids: Vec<String> = list.as_array().unwrap().iter().map(|line| text(&line["id"])).collect();
    assert!(ids.contains(&text(&police["id"])) && ids.contains(&"staff".to_owned()), "{ids:?}");
    assert!(!list.to_string().contains(&text(&police["token"])));
    for id in [text(&police["id"]), "public_security".into()] {
        assert!(run(&site, &["token", "revoke", &id]).status.success(), "{id}");
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(call(inbox, text(&police["token"])).await.status(), 401);
    let first = site.tokens.departments["public_security"].clone();
    assert_eq!(call(inbox, first).await.status(), 401);
    assert_eq!(call("staff/cases", site.tokens.staff.clone()).await.status(), 200);

    for wrong in [
        &["token", "add", "--role", "department", "--name", "x"][..],
        &["token", "add", "--role", "department", "--department", "police", "--name", "x"],
        &["token", "revoke", "t-nothing"],
    ] {
        assert!(!run(&site, wrong).status.success(), "{wrong:?}");
    }
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_is_connected_and_whether_it_answers() {
    let site = Site::new();
    let mut fake = Fake::start(&site, "human_resources").await;
    connect(&site, &[fake.push_table(), "[worklist.organization]\n".into()]);
    let found = answer(&site, &["departments", "check", "--probe"]);
    let of = |key: &str| {
        let all = found.as_array().unwrap().iter();
        all.clone().find(|one| one["department"] == key).unwrap().clone()
    };
    assert_eq!(of("human_resources")["kind"], "push");
    assert_eq!(of("human_resources")["reachable"], true);
    assert_eq!(of("human_resources")["answer"], "status 405");
    assert_eq!(of("human_resources")["system"], "四川人社公共服务网");
    assert_eq!(
        (&of("organization")["kind"], &of("armed_forces")["kind"]),
        (&json!("worklist"), &json!("pull"))
    );
    assert!(fake.seen().is_empty());
    fake.go_away().await;
    let away = run(&site, &["departments", "check", "--probe"]);
    assert!(!away.status.success());
    assert!(String::from_utf8_lossy(&away.stdout).contains("unreachable"));
    assert!(run(&site, &["departments", "check"]).status.success());

    // A mistake is named with its line by the check, and by a gateway that is to start.
    let path = site.dir.path().join("departments.toml");
    std::fs::write(&path, "[push.human_resources]\nurl = \"http://10.0.0.1/\"\nsecrets = []\n")
        .unwrap();
    let wrong = run(&site, &["departments", "check"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("departments.toml:3:"), "{wrong:?}");
    let Err(error) = gateway::serve(site.options()).await else { panic!("served") };
    assert!(error.to_string().contains("departments.toml:3:"), "{error}");
}
