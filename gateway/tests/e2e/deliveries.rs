//! From acceptance to a department's system: what is sent, once, and what is said meanwhile.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use gateway::{OpenerOptions, RunningGateway, ServeOptions, open_queue, serve};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fake::{Fake, Mood, connect, keys, names};
use crate::support::{NAME, NUMBER, Site, Terminal, catalog_dir};

/// The services of the three systems, with the number of fields the guide lists for each.
const SENT: [(&str, &str, usize); 6] = [
    ("public_security", "household_registration", 17),
    ("public_security", "identity_card", 17),
    ("human_resources", "social_insurance", 7),
    ("human_resources", "social_security_card", 5),
    ("medical_insurance", "medical_insurance", 8),
    ("medical_insurance", "medical_transfer", 8),
];

/// A case of these services, as far as the window has brought it.
pub async fn case_of(
    site: &Site,
    at: SocketAddr,
    terminal: &Terminal,
    services: &[&str],
    actions: &[&str],
) -> Uuid {
    let (mut manifest, attachments) = site.application_for(terminal, services);
    manifest.profile.insert("holds_medical_certificate".into(), "yes".into());
    let sealed = site.seal(terminal, &(manifest, attachments));
    terminal.upload(at, &sealed).await;
    let cases = site.cases_when(at, terminal, |cases| cases.len() == 1).await;
    let case = cases[0]["case_id"].as_str().unwrap().to_owned();
    for action in actions {
        let answer = site.staff(at, &case, action).await;
        assert_eq!(answer.status(), 200, "{action}");
    }
    case.parse().unwrap()
}

pub const ACCEPTED: [&str; 3] = ["archive_reviewed", "invited", "accepted"];

/// As the person at a terminal sees it.
pub async fn state(site: &Site, at: SocketAddr, terminal: &Terminal, service: &str) -> String {
    let cases = terminal.progress(at, &site.hash(NUMBER)).await;
    let services = cases[0]["services"].as_array().unwrap();
    let found = services.iter().find(|one| one["service"] == service).unwrap();
    found["state"].as_str().unwrap().to_owned()
}

/// Waits for an alarm; answers its detail.
pub async fn alarm(gateway: &RunningGateway, kind: &str, about: &str) -> String {
    for _ in 0..200 {
        let rows = gateway.audit(100).await;
        let found = rows.iter().find(|row| row.kind == kind && row.detail.contains(about));
        if let Some(row) = found {
            return row.detail.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no alarm {kind} about {about}; there are {:?}", gateway.audit(100).await);
}

/// Waits until the deliveries of a department are in a state.
async fn deliveries_when(site: &Site, state: &str, count: i64) {
    let look = || {
        let database = rusqlite::Connection::open(site.dir.path().join("cases.db")).unwrap();
        let sql = "SELECT count(*) FROM deliveries WHERE state = ?1";
        database.query_row(sql, [state], |row| row.get::<_, i64>(0)).unwrap()
    };
    for _ in 0..200 {
        if look() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} deliveries are {state}", look());
}

#[tokio::test]
async fn each_system_is_sent_exactly_what_the_guide_lists_and_in_turn() {
    let site = Site::new();
    let mut fakes = Vec::new();
    for department in ["public_security", "human_resources", "medical_insurance"] {
        fakes.push(Fake::start(&site, department).await);
    }
    connect(&site, &fakes.iter().map(Fake::push_table).collect::<Vec<_>>());
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let services: Vec<&str> =
        SENT.iter().map(|(_, service, _)| *service).chain(["party_transfer"]).collect();
    // Nothing goes out before the window accepts.
    let case = case_of(&site, at, &terminal, &services, &ACCEPTED[..2]).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(fakes.iter().all(|fake| fake.seen().is_empty()));
    assert_eq!(site.staff(at, &case.to_string(), "accepted").await.status(), 200);

    for (department, service, fields) in SENT {
        let fake = fakes.iter().find(|fake| fake.department == department).unwrap();
        if service == "identity_card" {
            // It waits for the registration, whatever time that takes.
            tokio::time::sleep(Duration::from_millis(800)).await;
            assert_eq!(fake.taken().len(), 1);
            let key = format!("{case}_household_registration_1");
            let said = json!({ "QQBS": key, "BLZT": "办结", "BLYJ": "已恢复户口" });
            assert_eq!(fake.say(&site, at, said).await.0, 200);
        }
        let taken = fake.taken_when(&format!("{case}_{service}_1")).await;
        let listed = site.catalog.service(service).unwrap();
        assert_eq!(taken["fields"].as_object().unwrap().len(), fields, "{service}");
        assert_eq!(keys(&taken["fields"]), names(department, "fields", &listed.fields));
        let papers: BTreeSet<String> = taken["materials"]
            .as_array()
            .unwrap()
            .iter()
            .map(|paper| paper["kind"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(papers, names(department, "materials", &listed.materials), "{service}");
        assert_eq!(taken["type"], "application");
        assert_eq!(taken["receipt_number"], "510106-1-0001");
        // Whatever a system has taken, it has not reported.
        assert_eq!(state(&site, at, &terminal, service).await, "not_reported", "{service}");
    }

    // No value of a field that is another's, anywhere in what a system was sent.
    for fake in &fakes {
        // The receipt number begins with the county's code, which may be somebody's birthplace too.
        let sent = fake.seen().iter().map(|seen| seen.body.to_string()).collect::<String>();
        let sent = sent.replace("510106-1-0001", "");
        let own: BTreeSet<&String> = SENT
            .iter()
            .filter(|(department, _, _)| *department == fake.department)
            .flat_map(|(_, service, _)| &site.catalog.service(service).unwrap().fields)
            .collect();
        let values: BTreeSet<String> = own.iter().map(|key| site.answer(key)).collect();
        for question in site.catalog.questions() {
            let value = site.answer(&question.key);
            if value.chars().count() >= 3
                && !own.contains(&question.key)
                && !values.contains(&value)
            {
                assert!(!sent.contains(&value), "{} to {}", question.key, fake.department);
            }
        }
        assert!(fake.faults().is_empty(), "{:?}", fake.faults());
        assert_eq!(fake.seen().len(), 2, "{}", fake.department);
    }
    assert!(gateway.audit(9).await.is_empty());
    gateway.shutdown().await;
}

/// Who opens has no network, and who has the network does not open: it delivers all the same.
#[tokio::test]
async fn a_gateway_that_does_not_open_delivers_what_another_process_opened() {
    let site = Site::new();
    let fake = Fake::start(&site, "medical_insurance").await;
    connect(&site, &[fake.push_table()]);
    let gateway = serve(ServeOptions { opener: false, ..site.options() }).await.unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let opener = OpenerOptions::new(site.dir.path(), &catalog_dir());
    let opener = tokio::spawn(open_queue(opener, stopped));
    let (at, terminal) = (gateway.addr, site.terminal());
    let case = case_of(&site, at, &terminal, &["medical_insurance"], &ACCEPTED).await;
    fake.taken_when(&format!("{case}_medical_insurance_1")).await;
    deliveries_when(&site, "delivered", 1).await;
    gateway.shutdown().await;
    stop.send_replace(true);
    opener.await.unwrap().unwrap();
}

/// One service, one system, and a mood of that system; how it ends.
async fn through(moods: Vec<Mood>, requests: usize) -> (Vec<crate::fake::Seen>, Vec<String>) {
    let site = Site::new();
    let fake = Fake::start(&site, "medical_insurance").await;
    connect(&site, &[fake.push_table()]);
    fake.mood(moods);
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let at = gateway.addr;
    let case = case_of(&site, at, &terminal, &["medical_insurance"], &ACCEPTED).await;
    let seen = fake.seen_when(requests).await;
    deliveries_when(&site, "delivered", 1).await;
    // A moment for one too many.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(fake.seen().len(), requests);
    assert_eq!(fake.taken().len(), 1, "in effect it was delivered once");
    assert!(fake.faults().is_empty(), "{:?}", fake.faults());
    let key = format!("{case}_medical_insurance_1");
    assert!(seen.iter().all(|one| one.key == key), "{seen:?}");
    assert_eq!(state(&site, at, &terminal, "medical_insurance").await, "not_reported");
    let alarms = gateway.audit(9).await.into_iter().map(|row| row.kind).collect();
    gateway.shutdown().await;
    (seen, alarms)
}

#[tokio::test]
async fn a_system_that_fails_and_recovers_gets_it_once() {
    let (_, alarms) = through(vec![Mood::Refusing(503), Mood::Refusing(500)], 3).await;
    assert!(alarms.is_empty(), "{alarms:?}");
}

#[tokio::test]
async fn a_system_whose_answer_is_lost_gets_the_same_key_again() {
    let (_, alarms) = through(vec![Mood::Forgetful(Duration::from_secs(2))], 2).await;
    assert!(alarms.is_empty(), "{alarms:?}");
}

#[tokio::test]
async fn an_answer_that_means_nothing_is_no_acceptance_and_becomes_an_alarm() {
    let garbage = ["<html>维护中</html>", "", "{\"output\":{}}"].map(Mood::Garbled);
    let (_, alarms) = through(garbage.into(), 4).await;
    assert_eq!(alarms, ["delivery_stuck"]);
}

#[tokio::test]
async fn a_system_that_asks_for_peace_gets_it() {
    let (seen, _) = through(vec![Mood::Busy(2)], 2).await;
    let pause = seen[1].at - seen[0].at;
    assert!(pause >= Duration::from_millis(1900), "{pause:?}");
}

#[tokio::test]
async fn a_refusal_is_an_alarm_at_once_and_nothing_is_lost() {
    let (_, alarms) = through(vec![Mood::Refusing(422), Mood::Refusing(422)], 3).await;
    assert_eq!(alarms, ["delivery_refused"], "once for each reason");
}

#[tokio::test]
async fn a_system_that_is_away_is_an_alarm_and_gets_it_when_it_is_back() {
    let site = Site::new();
    let mut fake = Fake::start(&site, "human_resources").await;
    connect(&site, &[fake.push_table()]);
    fake.go_away().await;
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let at = gateway.addr;
    let case = case_of(&site, at, &terminal, &["social_insurance"], &ACCEPTED).await;
    let detail = alarm(&gateway, "delivery_stuck", "human_resources: unreachable").await;
    assert!(detail.contains(&case.to_string()), "{detail}");
    assert!(!detail.contains(NAME) && !detail.contains(NUMBER));
    assert_eq!(state(&site, at, &terminal, "social_insurance").await, "not_reported");
    fake.come_back().await;
    let taken = fake.taken_when(&format!("{case}_social_insurance_1")).await;
    assert_eq!(taken["fields"]["AAC002"], NUMBER);
    gateway.shutdown().await;
}

#[tokio::test]
async fn another_department_is_not_kept_waiting_by_one_that_is_away() {
    let site = Site::new();
    let mut away = Fake::start(&site, "human_resources").await;
    let there = Fake::start(&site, "medical_insurance").await;
    connect(&site, &[away.push_table(), there.push_table()]);
    away.go_away().await;
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let services = ["social_insurance", "social_security_card", "medical_insurance"];
    let case = case_of(&site, gateway.addr, &terminal, &services, &ACCEPTED).await;
    there.taken_when(&format!("{case}_medical_insurance_1")).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_a_department_has_reported_on_otherwise_is_not_sent_any_more() {
    let site = Site::new();
    let mut fake = Fake::start(&site, "human_resources").await;
    connect(&site, &[fake.push_table()]);
    fake.go_away().await;
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let at = gateway.addr;
    let case = case_of(&site, at, &terminal, &["social_insurance"], &ACCEPTED).await;
    let path = format!("cases/{case}/services/social_insurance");
    let call = site.department_call(reqwest::Method::POST, at, "human_resources", &path);
    let report = call.json(&json!({ "report": "done" })).send().await.unwrap();
    assert_eq!(report.status(), 200);
    assert_eq!(site.staff(at, &case.to_string(), "originals_verified").await.status(), 200);
    let cases = terminal.progress(at, &site.hash(NUMBER)).await;
    assert_eq!(cases[0]["state"], "completed");
    deliveries_when(&site, "dropped", 1).await;
    fake.come_back().await;
    tokio::time::sleep(Duration::from_millis(1000)).await;
    assert!(fake.seen().is_empty());
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_withdrawn_case_is_never_sent() {
    let site = Site::new();
    let fake = Fake::start(&site, "human_resources").await;
    connect(&site, &[fake.push_table()]);
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let at = gateway.addr;
    let actions = ["archive_reviewed", "invited", "withdrawn"];
    let case = case_of(&site, at, &terminal, &["social_insurance"], &actions).await;
    assert_eq!(site.staff(at, &case.to_string(), "accepted").await.status(), 409);
    gateway.shutdown().await;
    // Even a row that should not be there sends nothing.
    let database = rusqlite::Connection::open(site.dir.path().join("cases.db")).unwrap();
    let row = "INSERT INTO deliveries (case_id, service, department, step, dispatched_at)
               VALUES (?1, 'social_insurance', 'human_resources', 1, '2024-03-01T00:00:00Z')";
    database.execute(row, [case.to_string()]).unwrap();
    drop(database);
    let gateway = site.serve().await;
    deliveries_when(&site, "dropped", 1).await;
    assert!(fake.seen().is_empty());
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_correction_sends_what_it_changed_to_whom_it_concerns() {
    let site = Site::new();
    let labour = Fake::start(&site, "human_resources").await;
    let medical = Fake::start(&site, "medical_insurance").await;
    connect(&site, &[labour.push_table(), medical.push_table()]);
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let services = ["social_insurance", "social_security_card", "medical_insurance"];
    let case = case_of(&site, at, &terminal, &services, &ACCEPTED).await;
    for service in &services[..2] {
        labour.taken_when(&format!("{case}_{service}_1")).await;
    }
    medical.taken_when(&format!("{case}_medical_insurance_1")).await;
    deliveries_when(&site, "delivered", 3).await;

    let first = format!("{case}_social_insurance_1");
    let said = json!({
        "request_key": first, "status": "SUPPLEMENT", "message": "电话打不通", "missing": ["AAE005"],
    });
    assert_eq!(labour.say(&site, at, said.clone()).await.0, 200);
    assert_eq!(state(&site, at, &terminal, "social_insurance").await, "correction_needed");
    let answered =
        site.correction(&terminal, case, "social_insurance", &[("phone", "13800009999")]);
    terminal.upload(at, &site.seal(&terminal, &answered)).await;
    let second = labour.taken_when(&format!("{case}_social_insurance_2")).await;
    assert_eq!(second["type"], "correction");
    assert_eq!(second["fields"], json!({ "AAE005": "13800009999" }));
    assert_eq!(second["materials"], json!([]));
    assert_eq!(second["reference"], json!(format!("NO-{}", first.len())));
    assert_eq!(state(&site, at, &terminal, "social_insurance").await, "not_reported");

    // An answer to the first step comes too late.
    let late = json!({ "request_key": first, "status": "FINISHED" });
    let (status, answer) = labour.say(&site, at, late).await;
    assert_eq!((status, answer["code"].as_str()), (409, Some("stale_step")));
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!((labour.seen().len(), medical.seen().len()), (3, 1));

    // To the end, by callbacks alone.
    for (fake, said) in [
        (
            &labour,
            json!({ "request_key": format!("{case}_social_insurance_2"), "status": "FINISHED" }),
        ),
        (
            &labour,
            json!({
                "request_key": format!("{case}_social_security_card_1"), "status": "REFUSED", "message": "已有卡",
            }),
        ),
        (
            &medical,
            json!({ "input": { "msgid": format!("{case}_medical_insurance_1"), "stas": 2 } }),
        ),
    ] {
        assert_eq!(fake.say(&site, at, said).await.0, 200);
    }
    assert_eq!(site.staff(at, &case.to_string(), "originals_verified").await.status(), 200);
    assert_eq!(terminal.progress(at, &site.hash(NUMBER)).await[0]["state"], "completed");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_correction_before_the_first_step_arrived_sends_everything() {
    let site = Site::new();
    let mut fake = Fake::start(&site, "human_resources").await;
    connect(&site, &[fake.push_table()]);
    fake.go_away().await;
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = case_of(&site, at, &terminal, &["social_insurance"], &ACCEPTED).await;
    let path = format!("cases/{case}/services/social_insurance");
    let ask =
        json!({ "report": "correction", "what": { "fields": ["phone"] }, "reason": "电话打不通" });
    let call = site.department_call(reqwest::Method::POST, at, "human_resources", &path);
    assert_eq!(call.json(&ask).send().await.unwrap().status(), 200);
    let answered =
        site.correction(&terminal, case, "social_insurance", &[("phone", "13800009999")]);
    terminal.upload(at, &site.seal(&terminal, &answered)).await;
    let back = |cases: &[Value]| cases[0]["services"][0]["state"] == "not_reported";
    site.cases_when(at, &terminal, back).await;
    fake.come_back().await;
    let taken = fake.taken_when(&format!("{case}_social_insurance_2")).await;
    assert_eq!(
        (taken["type"].as_str(), taken["fields"].as_object().unwrap().len()),
        (Some("application"), 7)
    );
    assert_eq!(taken["fields"]["AAE005"], "13800009999");
    assert_eq!(fake.taken().len(), 1);
    gateway.shutdown().await;
}

#[tokio::test]
async fn whoever_pulls_may_be_told_that_there_is_something_without_being_told_what() {
    let site = Site::new();
    let fake = Fake::start(&site, "veterans_affairs").await;
    connect(&site, &[fake.pull_table()]);
    fake.mood([Mood::Refusing(502)]);
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let services = ["reporting", "social_insurance"];
    let case = case_of(&site, gateway.addr, &terminal, &services, &ACCEPTED).await;
    let told = fake.taken_when(&format!("{case}_reporting_1")).await;
    let expected = ["case_id", "dispatched_at", "key", "service", "step", "type"];
    assert_eq!(keys(&told), expected.map(str::to_owned).into());
    assert_eq!(told["case_id"], case.to_string());
    assert_eq!(fake.seen().len(), 2);
    assert!(fake.faults().is_empty(), "{:?}", fake.faults());
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_was_dispatched_before_a_department_was_connected_reaches_it() {
    let site = Site::new();
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let case = case_of(&site, gateway.addr, &terminal, &["social_insurance"], &ACCEPTED).await;
    gateway.shutdown().await;
    let fake = Fake::start(&site, "human_resources").await;
    connect(&site, &[fake.push_table()]);
    let gateway = site.serve().await;
    fake.taken_when(&format!("{case}_social_insurance_1")).await;
    gateway.shutdown().await;
}
