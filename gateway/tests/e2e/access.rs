//! Who gets in, and who does not.

use provisioning::issuer::Authority;

use crate::support::{NUMBER, Site, catalog_dir, code, other_number};

#[tokio::test]
async fn device_calls_need_a_certificate_of_the_site() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let stranger = site.client(None);
    let id = uuid::Uuid::now_v7();
    for path in [format!("uploads/{id}"), format!("submissions/{id}/receipt")] {
        let call = stranger.get(format!("https://{at}/submissions/{id}/receipt"));
        assert_eq!(call.send().await.unwrap().status(), 401, "{path}");
    }
    let url = format!("https://{at}/uploads/{id}");
    let head = stranger.head(url).header("Tus-Resumable", "1.0.0").send().await.unwrap();
    assert_eq!(head.status(), 401);
    let ask = stranger.post(format!("https://{at}/progress"));
    let answer = ask.json(&serde_json::json!({ "identity_hash": site.hash(NUMBER) }));
    assert_eq!(code(answer.send().await.unwrap()).await, "no_certificate");
    // A token is no certificate.
    let ask = stranger.post(format!("https://{at}/progress")).bearer_auth(&site.tokens.staff);
    let answer = ask.json(&serde_json::json!({ "identity_hash": site.hash(NUMBER) }));
    assert_eq!(answer.send().await.unwrap().status(), 401);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_does_not_even_connect() {
    let site = Site::new();
    let gateway = site.serve().await;
    let other = Authority::create("elsewhere", jiff::Timestamp::now()).unwrap();
    let (key, pkcs8) = envelope::DeviceKey::generate().unwrap();
    let name = key.device_id().to_string();
    let issued = other.device(&pkcs8, &name, jiff::Timestamp::now()).unwrap();
    let client = site.client(Some((&issued.certificate_pem, &issued.key_pem)));
    let answer = client.get(format!("https://{}/healthz", gateway.addr)).send().await;
    assert!(answer.is_err(), "{answer:?}");
    gateway.shutdown().await;
}

#[tokio::test]
async fn tokens_open_their_own_door_only() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let client = site.client(None);
    let call = |path: &str, token: &str| {
        let call = client.get(format!("https://{at}/{path}")).bearer_auth(token);
        async move { call.send().await.unwrap() }
    };
    let police = &site.tokens.departments["public_security"];
    assert_eq!(call("departments/public_security/inbox", police).await.status(), 200);
    assert_eq!(call("staff/cases", &site.tokens.staff).await.status(), 200);

    let foreign = call("departments/human_resources/inbox", police).await;
    assert_eq!(foreign.status(), 403);
    assert_eq!(code(foreign).await, "forbidden");
    assert!(gateway.audit(9).await.iter().any(|row| row.kind == "foreign_inbox"));
    assert_eq!(call("staff/cases", police).await.status(), 403);
    assert_eq!(call("departments/public_security/inbox", &site.tokens.staff).await.status(), 403);
    for wrong in ["", "x", &police[1..], &format!("{police}x")] {
        assert_eq!(call("departments/public_security/inbox", wrong).await.status(), 401);
        assert_eq!(call("staff/cases", wrong).await.status(), 401);
    }
    let none = client.get(format!("https://{at}/staff/cases")).send().await.unwrap();
    assert_eq!(none.status(), 401);
    assert!(none.headers().contains_key("www-authenticate"));
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_upload_of_another_terminal_does_not_exist() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let (one, two) = (site.terminal(), site.terminal());
    let sealed = site.seal(&one, &site.application(&one));
    one.announce(at, &sealed).await;
    let head = two.tus(reqwest::Method::HEAD, at, &sealed.id.to_string()).send().await.unwrap();
    assert_eq!(head.status(), 404);
    let patch = two.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
    assert_eq!(patch.status(), 404);
    one.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
    assert_eq!(two.receipt(at, sealed.id).await.status(), 404);
    // Claiming the id is an alarm.
    let claim = two.announce(at, &sealed).await;
    assert_eq!(claim.status(), 409);
    assert_eq!(code(claim).await, "device_conflict");
    assert!(gateway.audit(9).await.iter().any(|row| row.kind == "device_conflict"));
    gateway.shutdown().await;
}

#[tokio::test]
async fn progress_of_somebody_else_is_empty_and_asking_too_often_is_refused() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    assert!(terminal.progress(at, &site.hash(&other_number())).await.is_empty());

    let ask = |body: serde_json::Value| {
        let call = terminal.client.post(format!("https://{at}/progress")).json(&body);
        async move { call.send().await.unwrap() }
    };
    for body in [
        serde_json::json!({}),
        serde_json::json!({ "identity_hash": NUMBER }),
        serde_json::json!({ "identity_hash": "%" }),
        serde_json::json!({ "identity_hash": site.hash(NUMBER), "all": true }),
    ] {
        let answer = ask(body).await;
        assert_eq!(answer.status(), 400);
        assert!(!answer.text().await.unwrap().contains(NUMBER));
    }
    let mut last = 200;
    for _ in 0..70 {
        last = ask(serde_json::json!({ "identity_hash": "0".repeat(64) })).await.status().as_u16();
    }
    assert_eq!(last, 429);
    gateway.shutdown().await;
}

#[tokio::test]
async fn health_is_public_and_unknown_addresses_are_not_there() {
    let site = Site::new();
    let gateway = site.serve().await;
    let client = site.client(None);
    let get = |path: &str| {
        let call = client.get(format!("https://{}/{path}", gateway.addr));
        async move { call.send().await.unwrap() }
    };
    assert_eq!(get("healthz").await.text().await.unwrap(), "ok\n");
    assert_eq!(get("readyz").await.text().await.unwrap(), "ready\n");
    assert_eq!(code(get("nowhere").await).await, "not_found");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_folder_has_one_gateway_and_missing_parts_are_named() {
    let site = Site::new();
    let gateway = site.serve().await;
    let Err(second) = gateway::serve(site.options()).await else { panic!("two on one folder") };
    assert!(second.to_string().contains("another gateway process"), "{second}");
    gateway.shutdown().await;

    let empty = tempfile::tempdir().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let options = gateway::ServeOptions::new(empty.path(), any, &catalog_dir());
    let Err(error) = gateway::serve(options).await else { panic!("served from nothing") };
    assert!(error.to_string().contains("gateway keygen"), "{error}");

    std::fs::remove_file(site.dir.path().join("tls/ca.pem")).unwrap();
    let Err(error) = gateway::serve(site.options()).await else { panic!("served without TLS") };
    assert!(error.to_string().contains("init-site"), "{error}");
}

#[tokio::test]
async fn the_ready_file_holds_the_address() {
    let site = Site::new();
    let mut options = site.options();
    let path = site.dir.path().join("ready");
    options.ready_file = Some(path.clone());
    let gateway = gateway::serve(options).await.unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap().trim(), gateway.addr.to_string());
    gateway.shutdown().await;
}
