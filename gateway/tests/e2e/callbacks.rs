//! What a department's system says, and what is believed of it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::deliveries::{ACCEPTED, alarm, case_of, state};
use crate::fake::{Fake, connect};
use crate::support::Site;

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn code(answer: &Value) -> &str {
    assert!(answer["cure"].is_string() && answer["message"].is_string(), "{answer}");
    answer["code"].as_str().unwrap()
}

#[tokio::test]
async fn an_answer_is_applied_once_however_often_it_is_said() {
    let site = Site::new();
    let fake = Fake::start(&site, "public_security").await;
    connect(&site, &[fake.push_table()]);
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let services = ["household_registration", "identity_card"];
    let case = case_of(&site, at, &terminal, &services, &ACCEPTED).await;
    let key = format!("{case}_household_registration_1");
    fake.taken_when(&key).await;

    let start = json!({ "QQBS": key, "BLZT": "受理" }).to_string();
    let say = |id: &'static str, body: &str| {
        let body = body.to_owned();
        let (site, fake) = (&site, &fake);
        async move { fake.say_as(site, at, "public_security", id, now(), body).await }
    };
    let (status, answer) = say("one", &start).await;
    assert_eq!((status, &answer["applied"]), (200, &json!(true)));
    assert_eq!(answer["service"]["state"], "in_progress");
    assert_eq!(state(&site, at, &terminal, services[0]).await, "in_progress");
    // The same message, and the same said in another message.
    for id in ["one", "one", "two"] {
        let (status, answer) = say(id, &start).await;
        assert_eq!((status, &answer["applied"]), (200, &json!(false)), "{id}");
    }
    let done = json!({ "QQBS": key, "BLZT": "办结", "BLYJ": "已恢复户口" }).to_string();
    let (status, answer) = say("one", &done).await;
    assert_eq!((status, code(&answer)), (409, "other_content"));
    for (id, news) in [("three", true), ("three", false), ("four", false)] {
        let (status, answer) = say(id, &done).await;
        assert_eq!((status, &answer["applied"]), (200, &json!(news)), "{id}");
    }
    // Said in the wrong order, and contradicting what was said.
    for said in [
        json!({ "QQBS": key, "BLZT": "受理" }),
        json!({ "QQBS": key, "BLZT": "办结", "BLYJ": "别的结果" }),
        json!({ "QQBS": key, "BLZT": "不予办理", "BLYJ": "不符合条件" }),
    ] {
        let (status, answer) = fake.say(&site, at, said).await;
        assert_eq!((status, code(&answer)), (409, "service_out_of_turn"));
    }
    assert_eq!(state(&site, at, &terminal, services[0]).await, "done");
    // What follows it was given out once.
    fake.taken_when(&format!("{case}_identity_card_1")).await;
    assert_eq!(fake.seen().len(), 2);
    alarm(&gateway, "callback_refused", "public_security: other_content").await;
    gateway.shutdown().await;

    // Nor is it applied again by a gateway that was restarted.
    let gateway = site.serve().await;
    let (status, answer) =
        fake.say_as(&site, gateway.addr, "public_security", "three", now(), done).await;
    assert_eq!((status, &answer["applied"]), (200, &json!(false)));
    gateway.shutdown().await;
}

#[tokio::test]
async fn nobody_but_the_departments_own_system_is_believed() {
    let site = Site::new();
    let police = Fake::start(&site, "public_security").await;
    let labour = Fake::start(&site, "human_resources").await;
    connect(&site, &[police.push_table(), labour.push_table()]);
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let services = ["household_registration", "identity_card", "social_insurance"];
    let case = case_of(&site, at, &terminal, &services, &ACCEPTED).await;
    let key = format!("{case}_social_insurance_1");
    labour.taken_when(&key).await;
    let body = json!({ "request_key": key, "status": "FINISHED" }).to_string();

    // The other department's secret, at both doors; no door at all.
    for door in ["human_resources", "organization", "nobody"] {
        let (status, answer) = police.say_as(&site, at, door, "x", now(), body.clone()).await;
        assert_eq!((status, code(&answer)), (401, "signature"), "{door}");
    }
    // At its own door about the other's service.
    let foreign = json!({ "QQBS": key, "BLZT": "办结" });
    let (status, answer) = police.say(&site, at, foreign).await;
    assert_eq!((status, code(&answer)), (404, "not_found"));
    // Recorded, and sent again later.
    for time in [now() - 3600, now() + 3600] {
        let (status, answer) =
            labour.say_as(&site, at, "human_resources", "x", time, body.clone()).await;
        assert_eq!((status, code(&answer)), (401, "signature_time"));
    }
    // Without, and with other headers.
    let url = format!("https://{at}/departments/human_resources/callbacks");
    let bare = site.client(None).post(&url).body(body.clone()).send().await.unwrap();
    assert_eq!(bare.status(), 401);
    let token = &site.tokens.departments["human_resources"];
    let bearer = site.client(None).post(&url).bearer_auth(token).body(body.clone());
    assert_eq!(bearer.send().await.unwrap().status(), 401);
    let large = site.client(None).post(&url).body("x".repeat(70_000)).send().await.unwrap();
    assert_eq!(large.status(), 413);

    assert_eq!(state(&site, at, &terminal, "social_insurance").await, "not_reported");
    alarm(&gateway, "callback_refused", "human_resources: signature").await;
    alarm(&gateway, "callback_refused", "unknown department: signature").await;
    // Whoever knocks a hundred times is one line.
    for _ in 0..20 {
        site.client(None).post(&url).body("{}").send().await.unwrap();
    }
    let rows = gateway.audit(100).await;
    let same = rows.iter().filter(|row| row.detail == "human_resources: signature").count();
    assert_eq!(same, 1);
    // And it is still believed itself.
    let said = labour.say_as(&site, at, "human_resources", "x", now(), body).await;
    assert_eq!(said.0, 200);
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_understood_changes_nothing_and_is_an_alarm() {
    let site = Site::new();
    let fake = Fake::start(&site, "human_resources").await;
    connect(&site, &[fake.push_table()]);
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = case_of(&site, at, &terminal, &["social_insurance"], &ACCEPTED).await;
    let key = format!("{case}_social_insurance_1");
    fake.taken_when(&key).await;
    let nobody = format!("{}_social_insurance_1", Uuid::now_v7());
    let ahead = format!("{case}_social_insurance_2");
    let other = format!("{case}_medical_insurance_1");
    for (body, status, word) in [
        ("".to_owned(), 422, "unclear"),
        ("<html>".to_owned(), 422, "unclear"),
        (json!([]).to_string(), 422, "unclear"),
        (json!({ "request_key": "x", "status": "FINISHED" }).to_string(), 422, "unclear"),
        (json!({ "request_key": key, "status": "完成" }).to_string(), 422, "unclear"),
        (json!({ "request_key": key, "status": "SUPPLEMENT" }).to_string(), 422, "unclear"),
        (
            json!({ "request_key": key, "status": "SUPPLEMENT", "missing": ["XM"] }).to_string(),
            422,
            "unclear",
        ),
        (
            // A paper of its other service.
            json!({
                "request_key": key, "status": "SUPPLEMENT", "missing": ["ZKXP"], "message": "x",
            })
            .to_string(),
            400,
            "correction_scope",
        ),
        (json!({ "request_key": key, "status": "REFUSED" }).to_string(), 400, "no_reason"),
        (json!({ "request_key": nobody, "status": "FINISHED" }).to_string(), 404, "not_found"),
        (json!({ "request_key": other, "status": "FINISHED" }).to_string(), 404, "not_found"),
        (json!({ "request_key": ahead, "status": "FINISHED" }).to_string(), 409, "stale_step"),
    ] {
        let id = format!("m{}", Uuid::now_v7().simple());
        let (found, answer) =
            fake.say_as(&site, at, "human_resources", &id, now(), body.clone()).await;
        assert_eq!((found, code(&answer)), (status, word), "{body}");
        assert!(!answer.to_string().contains("完成"));
    }
    assert_eq!(state(&site, at, &terminal, "social_insurance").await, "not_reported");
    alarm(&gateway, "callback_refused", "human_resources: unclear").await;
    alarm(&gateway, "callback_refused", "human_resources: unknown_service").await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_comes_before_our_own_note_is_believed() {
    let site = Site::new();
    let fake = Fake::start(&site, "medical_insurance").await;
    connect(&site, &[fake.push_table()]);
    // It takes the service, and its answer is lost; then it says that it is done.
    let slow = crate::fake::Mood::Forgetful(std::time::Duration::from_secs(2));
    fake.mood([slow.clone(), slow]);
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = case_of(&site, at, &terminal, &["medical_insurance"], &ACCEPTED).await;
    let key = format!("{case}_medical_insurance_1");
    fake.seen_when(1).await;
    let said = json!({ "input": { "msgid": key, "stas": "2", "memo": "已参保" } });
    assert_eq!(fake.say(&site, at, said).await.0, 200);
    assert_eq!(state(&site, at, &terminal, "medical_insurance").await, "done");
    let before = fake.seen().len();
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    // At most the one that was under way; nothing new is begun.
    assert!(fake.seen().len() <= before + 1);
    assert_eq!(fake.taken().len(), 1);
    gateway.shutdown().await;
}
