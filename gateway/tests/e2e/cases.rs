//! From a case to its results.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{NAME, NUMBER, SERVICES, Site, alarm, code, identity, other_number};

async fn report(
    site: &Site,
    at: std::net::SocketAddr,
    place: [&str; 3],
    body: Value,
) -> (u16, Value) {
    let [department, case, service] = place;
    let path = format!("cases/{case}/services/{service}");
    let call = site.department_call(Method::POST, at, department, &path).json(&body);
    let answer = call.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn inbox(site: &Site, at: std::net::SocketAddr, department: &str) -> Vec<Value> {
    let answer = site.department(at, department, "inbox").send().await.unwrap();
    let mut answer: Value = answer.json().await.unwrap();
    serde_json::from_value(answer["cases"].take()).unwrap()
}

fn states(entry: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let services = entry["services"].as_array().unwrap();
    services.iter().map(|one| (text(&one["service"]), text(&one["state"]))).collect()
}

#[tokio::test]
async fn a_case_waits_for_staff_and_then_every_department_sees_its_own_share_only() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    let cases = site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    assert_eq!(cases[0]["state"], "awaiting_archive");
    assert_eq!(cases[0]["receipt_number"], "510106-1-0001");
    assert!(!cases[0].to_string().contains(NAME) && !cases[0].to_string().contains(NUMBER));
    let case = cases[0]["case_id"].as_str().unwrap();

    // Nothing goes out before acceptance, and staff cannot jump the queue.
    assert!(inbox(&site, at, "public_security").await.is_empty());
    let early = site.department(at, "human_resources", &format!("cases/{case}"));
    assert_eq!(early.send().await.unwrap().status(), 404);
    let jump = site.staff(at, case, "accepted").await;
    assert_eq!(jump.status(), 409);
    assert_eq!(code(jump).await, "out_of_turn");
    for action in ["archive_reviewed", "invited", "accepted"] {
        assert_eq!(site.staff(at, case, action).await.status(), 200, "{action}");
    }

    // Exactly the fields of its services, each with its value.
    for department in site.catalog.departments() {
        let own: Vec<_> = SERVICES
            .iter()
            .filter_map(|key| site.catalog.service(key))
            .filter(|service| service.department == department.key)
            .collect();
        let path = format!("cases/{case}");
        let answer = site.department(at, &department.key, &path).send().await.unwrap();
        if own.is_empty() {
            assert_eq!(answer.status(), 404, "{}", department.key);
            assert!(inbox(&site, at, &department.key).await.is_empty());
            continue;
        }
        let text = answer.text().await.unwrap();
        let share: Value = serde_json::from_str(&text).unwrap();
        let expected: BTreeSet<&String> = own.iter().flat_map(|service| &service.fields).collect();
        let fields = share["fields"].as_object().unwrap();
        assert_eq!(fields.keys().collect::<BTreeSet<_>>(), expected, "{}", department.key);
        for (key, field) in fields {
            assert_eq!(field["value"], site.answer(key).as_str(), "{key}");
        }
        let papers: BTreeSet<String> =
            own.iter().flat_map(|service| &service.materials).cloned().collect();
        let shown = share["materials"].as_array().unwrap().iter();
        let shown: BTreeSet<String> =
            shown.map(|paper| paper["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(shown, papers, "{}", department.key);

        // No value of anybody else's field occurs anywhere in the answer.
        let values: BTreeSet<String> = expected.iter().map(|key| site.answer(key)).collect();
        for question in site.catalog.questions() {
            let value = site.answer(&question.key);
            let telling = value.chars().count() >= 3 && !values.contains(&value);
            if !expected.contains(&question.key) && telling {
                assert!(!text.contains(&value), "{} in {}", question.key, department.key);
            }
        }
    }

    // 5 waits for 4.
    let police = inbox(&site, at, "public_security").await;
    assert_eq!(states(&police[0]), [("household_registration".into(), "not_reported".into())]);
    let place = ["public_security", case, "household_registration"];
    assert_eq!(report(&site, at, place, json!({ "report": "start" })).await.0, 200);
    let done = json!({ "report": "done", "result": "已恢复户口" });
    let (status, shown) = report(&site, at, place, done).await;
    assert_eq!((status, shown["state"].as_str()), (200, Some("done")));
    let police = inbox(&site, at, "public_security").await;
    assert_eq!(states(&police[0])[1], ("identity_card".into(), "not_reported".into()));

    let cases = terminal.progress(at, &site.hash(NUMBER)).await;
    assert_eq!(cases[0]["state"], "accepted");
    let household = cases[0]["services"].as_array().unwrap().iter();
    let household = household.clone().find(|one| one["service"] == "household_registration");
    assert_eq!(household.unwrap()["result"], "已恢复户口");

    // To the end.
    for (department, service) in [
        ("public_security", "identity_card"),
        ("organization", "party_transfer"),
        ("human_resources", "social_insurance"),
    ] {
        let place = [department, case, service];
        assert_eq!(report(&site, at, place, json!({ "report": "done" })).await.0, 200);
    }
    let place = ["human_resources", case, "social_security_card"];
    let refusal = json!({ "report": "reject", "why": "已有社会保障卡" });
    assert_eq!(report(&site, at, place, refusal).await.0, 200);
    assert_eq!(terminal.progress(at, &site.hash(NUMBER)).await[0]["state"], "accepted");
    assert_eq!(site.staff(at, case, "originals_verified").await.status(), 200);
    assert_eq!(terminal.progress(at, &site.hash(NUMBER)).await[0]["state"], "completed");
    gateway.shutdown().await;
}

#[tokio::test]
async fn papers_are_served_to_whom_they_belong() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = site.accepted_case(at, &terminal).await;
    let fetch = |department: &str, name: &str| {
        let call = site.department(at, department, &format!("cases/{case}/materials/{name}"));
        async move { call.send().await.unwrap() }
    };
    let letter = fetch("organization", "party_letter-1").await;
    assert_eq!(letter.status(), 200);
    assert_eq!(letter.headers()["content-type"], "image/jpeg");
    assert_eq!(letter.headers()["x-content-type-options"], "nosniff");
    assert!(letter.bytes().await.unwrap().starts_with(b"photograph of party_letter "));
    // Another department's paper, a page that is not there, and a way out of the folder.
    assert_eq!(fetch("human_resources", "party_letter-1").await.status(), 404);
    assert_eq!(fetch("organization", "party_letter-2").await.status(), 404);
    assert_eq!(fetch("organization", "..%2f..%2fcases.db").await.status(), 404);
    gateway.shutdown().await;

    // A paper that rots on the disk is not passed off as good.
    let root = site.dir.path().join("cases").join(case.to_string());
    let folder = std::fs::read_dir(&root).unwrap().next().unwrap().unwrap().path();
    std::fs::write(folder.join("party_letter-1.jpg"), b"photograph of something else").unwrap();
    let gateway = site.serve().await;
    let path = format!("cases/{case}/materials/party_letter-1");
    let rotten = site.department(gateway.addr, "organization", &path).send().await.unwrap();
    assert_eq!(rotten.status(), 500);
    gateway.shutdown().await;
}

#[tokio::test]
async fn reports_out_of_turn_or_beyond_the_department_are_refused() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = site.accepted_case(at, &terminal).await.to_string();
    let tries = [
        // Another department's service under the own name.
        (
            ["human_resources", &case, "social_insurance"],
            json!({ "report": "correction", "what": { "fields": ["householder_name"] }, "reason": "x" }),
            400,
            "correction_scope",
        ),
        (
            ["human_resources", &case, "social_insurance"],
            json!({ "report": "correction", "what": {}, "reason": "x" }),
            400,
            "nothing_wanted",
        ),
        (
            ["human_resources", &case, "social_insurance"],
            json!({ "report": "reject", "why": " " }),
            400,
            "no_reason",
        ),
        (
            ["human_resources", &case, "social_insurance"],
            json!({ "report": "x" }),
            400,
            "malformed",
        ),
    ];
    for (place, body, status, word) in tries {
        let (found, answer) = report(&site, at, place, body).await;
        assert_eq!((found, answer["code"].as_str()), (status, Some(word)), "{place:?}");
    }
    let action = site.staff(at, &case, "completed").await;
    assert_eq!(action.status(), 400);
    let missing = site.staff(at, &uuid::Uuid::now_v7().to_string(), "invited").await;
    assert_eq!(missing.status(), 404);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_department_learns_nothing_about_services_it_was_not_given() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = site.accepted_case(at, &terminal).await.to_string();
    let nowhere = uuid::Uuid::now_v7().to_string();
    let mut answers = BTreeSet::new();
    for place in [
        // Of the case, and another department's.
        ["human_resources", &case, "household_registration"],
        // Not of the case: another department's, the own one's, nobody's.
        ["human_resources", &case, "league_transfer"],
        ["public_security", &case, "household_cancellation"],
        ["human_resources", &case, "nothing"],
        // The own one's, which still waits for another.
        ["public_security", &case, "identity_card"],
        // Nothing of this case, and no case.
        ["armed_forces", &case, "reserve_registration"],
        ["human_resources", &nowhere, "social_insurance"],
    ] {
        for body in [
            json!({ "report": "start" }),
            json!({ "report": "correction", "what": { "fields": ["name"] }, "reason": "x" }),
        ] {
            let (status, answer) = report(&site, at, place, body).await;
            assert_eq!(status, 404, "{place:?}");
            answers.insert(answer.to_string());
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_correction_goes_there_and_back() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = site.accepted_case(at, &terminal).await;
    let text = case.to_string();
    let place = ["human_resources", text.as_str(), "social_insurance"];
    let ask = json!({
        "report": "correction",
        "what": { "fields": ["phone"], "materials": ["identity_card"] },
        "reason": "电话打不通",
    });
    assert_eq!(report(&site, at, place, ask).await.0, 200);
    let shown = terminal.progress(at, &site.hash(NUMBER)).await;
    let asked = shown[0]["services"].as_array().unwrap().iter();
    let asked = asked.clone().find(|one| one["service"] == "social_insurance").unwrap();
    assert_eq!(asked["state"], "correction_needed");
    assert_eq!(asked["correction"]["fields"], json!(["phone"]));

    let answer = |number: &str, fields: &[(&str, &str)], with_paper: bool| {
        let (mut manifest, mut attachments) =
            site.correction(&terminal, case, "social_insurance", fields);
        manifest.identity = identity(number);
        if with_paper {
            let content = b"a better photograph";
            let entry = envelope::MaterialEntry::describe(
                "identity_card",
                1,
                "identity_card-1.jpg",
                "image/jpeg",
                content,
                Value::Null,
            );
            manifest.materials.push(entry);
            let bytes = content.to_vec().into();
            attachments.push(envelope::Attachment { name: "identity_card-1.jpg".into(), bytes });
        }
        site.share_out(&mut manifest);
        site.seal(&terminal, &(manifest, attachments))
    };
    let phone = ("phone", "13800009999");
    let other = other_number();
    for (sealed, why) in [
        (answer(&other, &[phone], true), "correction_other_person"),
        (answer(NUMBER, &[phone], false), "correction_incomplete"),
        (answer(NUMBER, &[], true), "correction_incomplete"),
        (
            answer(NUMBER, &[phone, ("education", "10"), ("first_work_date", "2015-01-01")], true),
            "correction_beyond_request",
        ),
    ] {
        terminal.upload(at, &sealed).await;
        assert_eq!(alarm(&gateway, "submission_quarantined", sealed.id).await, why);
    }

    let sealed = answer(NUMBER, &[phone, ("name", NAME), ("identity_number", NUMBER)], true);
    terminal.upload(at, &sealed).await;
    let back = |cases: &[Value]| {
        let services = cases[0]["services"].as_array().unwrap();
        services
            .iter()
            .any(|one| one["service"] == "social_insurance" && one["state"] == "not_reported")
    };
    site.cases_when(at, &terminal, back).await;
    let path = format!("cases/{case}");
    let share = site.department(at, "human_resources", &path).send().await.unwrap();
    let share: Value = share.json().await.unwrap();
    assert_eq!(share["fields"]["phone"]["value"], "13800009999");
    assert_eq!(share["fields"]["first_work_date"]["value"], "2014-09-01");
    let path = format!("cases/{case}/materials/identity_card-1");
    let paper = site.department(at, "human_resources", &path).send().await.unwrap();
    assert_eq!(paper.bytes().await.unwrap(), &b"a better photograph"[..]);

    // Once is enough.
    let again = answer(NUMBER, &[phone], true);
    terminal.upload(at, &again).await;
    let why = alarm(&gateway, "submission_quarantined", again.id).await;
    assert_eq!(why, "correction_not_wanted");
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_was_received_is_opened_after_a_restart() {
    let site = Site::new();
    let terminal = site.terminal();
    let mut options = site.options();
    options.opener = false;
    let gateway = gateway::serve(options).await.unwrap();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(gateway.addr, &sealed).await;
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    assert!(terminal.progress(gateway.addr, &site.hash(NUMBER)).await.is_empty());
    gateway.shutdown().await;

    let gateway = site.serve().await;
    site.cases_when(gateway.addr, &terminal, |cases| cases.len() == 1).await;
    gateway.shutdown().await;

    // Opened twice (the note that it was done is lost), it is still one case.
    let database = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    database.execute("UPDATE outbox SET state = 'pending', lease_until = 0", []).unwrap();
    drop(database);
    let gateway = site.serve().await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(terminal.progress(gateway.addr, &site.hash(NUMBER)).await.len(), 1);
    assert!(gateway.audit(9).await.is_empty());
    gateway.shutdown().await;
}

#[tokio::test]
async fn staff_sees_the_case_and_a_withdrawn_one_stays_withdrawn() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    let client = site.client(None);
    let get = |path: String| {
        let call = client.get(format!("https://{at}{path}")).bearer_auth(&site.tokens.staff);
        async move { call.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let list = get("/staff/cases".into()).await;
    let case = list["cases"][0]["case_id"].as_str().unwrap().to_owned();
    assert_eq!(list["cases"][0]["applicant"], NAME);
    let full = get(format!("/staff/cases/{case}")).await;
    assert_eq!(full["identity"]["number"], NUMBER);
    assert_eq!(full["fields"]["householder_name"]["value"], "样本乙");
    assert_eq!(site.staff(at, &case, "withdrawn").await.status(), 200);
    assert_eq!(site.staff(at, &case, "archive_reviewed").await.status(), 409);
    gateway.shutdown().await;
}

#[tokio::test]
async fn nothing_about_the_person_is_outside_the_case_store() {
    let site = Site::new();
    let gateway = site.serve().await;
    let terminal = site.terminal();
    site.accepted_case(gateway.addr, &terminal).await;
    gateway.shutdown().await;
    let mut checked = 0;
    let mut folders = vec![site.dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.extend((name != "cases").then_some(path));
                continue;
            }
            if name.starts_with("cases.db") {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for planted in [NAME, NUMBER, "13900001234", &site.hash(NUMBER)] {
                let found = bytes.windows(planted.len()).any(|part| part == planted.as_bytes());
                assert!(!found, "{}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 5);
}
