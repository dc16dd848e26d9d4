//! Files that must not become cases.

use envelope::{Manifest, Medium, RecipientPublic, RecipientSecret};
use provisioning::identity_hash::identity_hash;

use crate::support::{NUMBER, Site, alarm, code, header, other_number, photograph, seal_to};

#[tokio::test]
async fn another_digest_under_the_same_id_is_a_conflict_and_an_alarm() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let parts = site.application(&terminal);
    let (one, two) = (site.seal(&terminal, &parts), site.seal(&terminal, &parts));
    assert_eq!(terminal.announce(at, &one).await.status(), 201);
    let conflict = terminal.announce(at, &two).await;
    assert_eq!(conflict.status(), 409);
    assert_eq!(code(conflict).await, "digest_conflict");
    alarm(&gateway, "digest_conflict", one.id).await;
    // The first is unharmed, and after it is stored the second still conflicts.
    terminal.patch(at, one.id, 0, &one.bytes).send().await.unwrap();
    assert_eq!(terminal.receipt(at, one.id).await.status(), 200);
    assert_eq!(terminal.announce(at, &two).await.status(), 409);
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_is_no_sealed_submission_is_refused_for_good() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let id = uuid::Uuid::now_v7();
    let rubbish = vec![7_u8; 5000];
    let digest = envelope::sha256(&rubbish).to_string();
    terminal.announce_as(at, id, &digest, rubbish.len()).await;
    let refused = terminal.send_in_vain(at, id, &rubbish).await;
    assert_eq!(refused.status(), 422);
    assert_eq!(code(refused).await, "bad_magic");
    assert_eq!(alarm(&gateway, "submission_refused", id).await, "bad_magic");
    // However the terminal asks again, it learns that this is final.
    let again = terminal.announce_as(at, id, &digest, rubbish.len()).await;
    assert_eq!(again.status(), 422);
    assert_eq!(terminal.receipt(at, id).await.status(), 422);
    let head = terminal.tus(reqwest::Method::HEAD, at, &id.to_string()).send().await.unwrap();
    assert_eq!(header(&head, "ronggui-state"), "refused");
    gateway.shutdown().await;
    for folder in ["uploads", "sealed"] {
        let left = std::fs::read_dir(site.dir.path().join(folder)).unwrap().count();
        assert_eq!(left, 0, "{folder}");
    }
}

#[tokio::test]
async fn files_that_are_not_what_was_announced_are_refused() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let (one, two) = (site.terminal(), site.terminal());

    // Sealed by another terminal.
    let sealed = site.seal(&two, &site.application(&two));
    one.announce(at, &sealed).await;
    let answer = one.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert_eq!(code(answer).await, "other_device");

    // Another submission's file.
    let sealed = site.seal(&one, &site.application(&one));
    let id = uuid::Uuid::now_v7();
    one.announce_as(at, id, &sealed.digest.to_string(), sealed.bytes.len()).await;
    let answer = one.patch(at, id, 0, &sealed.bytes).send().await.unwrap();
    assert_eq!(code(answer).await, "other_submission");

    // Another digest than announced.
    one.announce_as(at, sealed.id, &"ab".repeat(32), sealed.bytes.len()).await;
    let answer = one.send_in_vain(at, sealed.id, &sealed.bytes).await;
    assert_eq!(code(answer).await, "other_digest");

    // One bit flipped.
    let mut sealed = site.seal(&one, &site.application(&one));
    let middle = sealed.bytes.len() / 2;
    sealed.bytes[middle] ^= 1;
    one.announce(at, &sealed).await;
    let answer = one.send_in_vain(at, sealed.id, &sealed.bytes).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(code(answer).await, "digest_mismatch");
    gateway.shutdown().await;
}

#[tokio::test]
async fn announcements_that_cannot_be_are_refused() {
    let site = Site::new();
    let mut options = site.options();
    options.limits.max_bytes = 1 << 20;
    let gateway = gateway::serve(options).await.unwrap();
    let at = gateway.addr;
    let terminal = site.terminal();
    let (id, digest) = (uuid::Uuid::now_v7(), "ab".repeat(32));
    let large = terminal.announce_as(at, id, &digest, (1 << 20) + 1).await;
    assert_eq!(large.status(), 413);
    assert_eq!(terminal.announce_as(at, id, &digest, 0).await.status(), 400);
    assert_eq!(terminal.announce_as(at, id, "no digest", 10).await.status(), 400);
    assert_eq!(terminal.announce_as(at, uuid::Uuid::nil(), &digest, 10).await.status(), 400);
    let bare = terminal.tus(reqwest::Method::POST, at, "").send().await.unwrap();
    assert_eq!(bare.status(), 400);
    let head = terminal.tus(reqwest::Method::HEAD, at, &id.to_string()).send().await.unwrap();
    assert_eq!(head.status(), 404);
    let head = terminal.tus(reqwest::Method::HEAD, at, "..%2fkeys").send().await.unwrap();
    assert_eq!(head.status(), 404);
    gateway.shutdown().await;
}

#[tokio::test]
async fn one_terminal_cannot_fill_the_disk_with_beginnings() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let mut last = terminal.announce_as(at, uuid::Uuid::now_v7(), &"ab".repeat(32), 10).await;
    for _ in 0..64 {
        last = terminal.announce_as(at, uuid::Uuid::now_v7(), &"ab".repeat(32), 10).await;
    }
    assert_eq!(last.status(), 429);
    assert!(last.headers().contains_key("retry-after"));
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_is_sealed_to_another_key_gets_no_receipt() {
    let site = Site::new();
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let elsewhere = RecipientSecret::generate("elsewhere").unwrap();
    let foreign = seal_to(elsewhere.public(), &terminal, &site.application(&terminal));
    let refused = terminal.send(gateway.addr, &foreign).await;
    assert_eq!(refused.status(), 422);
    assert_eq!(code(refused).await, "wrong_recipient");
    assert_eq!(alarm(&gateway, "submission_refused", foreign.id).await, "wrong_recipient");
    // However the terminal asks again, until the gateway has other keys.
    assert_eq!(terminal.announce(gateway.addr, &foreign).await.status(), 422);
    assert_eq!(terminal.receipt(gateway.addr, foreign.id).await.status(), 422);
    gateway.shutdown().await;
    assert!(!site.dir.path().join(format!("sealed/{}.sealed", foreign.id)).exists());

    use_recipient(&site, &elsewhere, elsewhere.public());
    let gateway = site.serve().await;
    terminal.upload(gateway.addr, &foreign).await;
    site.cases_when(gateway.addr, &terminal, |cases| cases.len() == 1).await;
    gateway.shutdown().await;
}

/// Puts another recipient key in the gateway's folder.
fn use_recipient(site: &Site, secret: &RecipientSecret, told: &RecipientPublic) {
    let data = site.dir.path();
    std::fs::write(data.join("keys/recipient.json"), secret.to_json().as_bytes()).unwrap();
    let mut identity = site.identity.clone();
    identity.recipient = told.clone();
    let identity = serde_json::to_vec(&identity).unwrap();
    std::fs::write(data.join("gateway-identity.json"), identity).unwrap();
    // Whoever changes keys by hand has no list of them.
    let _ = std::fs::remove_file(data.join("recipients.json"));
}

#[tokio::test]
async fn what_does_not_open_with_the_key_of_its_name_waits_for_the_right_one() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    // The same name, another key: only opening can tell.
    let lost = RecipientSecret::generate(site.identity.recipient.key_id().as_str()).unwrap();
    let foreign = seal_to(lost.public(), &terminal, &site.application(&terminal));
    terminal.upload(at, &foreign).await;
    assert_eq!(alarm(&gateway, "submission_waiting", foreign.id).await, "decrypt");
    // The opener goes on.
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    gateway.shutdown().await;

    // Every start is a new try; what is known is not said again.
    let gateway = site.serve().await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert_eq!(gateway.audit(50).await.len(), 1);
    gateway.shutdown().await;
    let database = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    let row = database.query_row(
        "SELECT state, attempts FROM outbox WHERE submission_id = ?1",
        [foreign.id.to_string()],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)),
    );
    assert_eq!(row.unwrap(), ("pending".to_owned(), 2));
    drop(database);

    use_recipient(&site, &lost, lost.public());
    let gateway = site.serve().await;
    site.cases_when(gateway.addr, &terminal, |cases| cases.len() == 2).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_gateway_without_the_key_that_terminals_seal_to_does_not_serve() {
    let site = Site::new();
    let ours = site.identity.recipient.clone();
    let other = RecipientSecret::generate("elsewhere").unwrap();
    let namesake = RecipientSecret::generate(ours.key_id().as_str()).unwrap();
    for held in [other, namesake] {
        use_recipient(&site, &held, &ours);
        let Err(error) = gateway::serve(site.options()).await else { panic!("served") };
        let wrong = matches!(
            error,
            gateway::ServeError::Opener(gateway::OpenerError::WrongRecipient { .. })
        );
        assert!(wrong, "{error:?}");
        let said = error.to_string();
        assert!(said.contains(held.key_id().as_str()) && said.contains("back-up"), "{said}");
    }
    // Receiving alone needs no secret.
    let mut options = site.options();
    options.opener = false;
    gateway::serve(options).await.unwrap().shutdown().await;
}

/// A copy of the catalogue that gives one service to another department, under its own version.
fn later_catalog(dir: &std::path::Path) {
    fn copy(from: &std::path::Path, to: &std::path::Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => copy(&entry.path(), &to),
                false => drop(std::fs::copy(entry.path(), to).unwrap()),
            }
        }
    }
    copy(&crate::support::catalog_dir().join(".."), dir.parent().unwrap());
    let change = |file: &str, after: &str, old: &str, new: &str| {
        let text = std::fs::read_to_string(dir.join(file)).unwrap();
        let (before, rest) = text.split_at(text.find(after).unwrap());
        assert!(rest.contains(old));
        std::fs::write(dir.join(file), before.to_owned() + &rest.replacen(old, new, 1)).unwrap();
    };
    change("province.toml", "version", "sichuan-", "later-");
    let (old, new) = ("\"human_resources\"", "\"medical_insurance\"");
    change("services.toml", "key = \"social_security_card\"", old, new);
}

#[tokio::test]
async fn a_submission_by_another_catalogue_waits_for_it() {
    let mut site = Site::new();
    let terminal = site.terminal();
    let later = site.dir.path().join("later/sichuan");
    later_catalog(&later);
    // Only the number differs: nothing to wait for.
    let mut parts = site.application(&terminal);
    parts.0.catalogue_version = "later".into();
    let harmless = site.seal(&terminal, &parts);
    // The split differs.
    site.catalog = catalog::Catalog::load(&later).unwrap();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    // What no catalogue can mend is refused for good.
    let mut parts = site.application(&terminal);
    parts.0.identity.number = "110105194912310021".into();
    let wrong = site.seal(&terminal, &parts);

    let gateway = site.serve().await;
    for sealed in [&harmless, &sealed, &wrong] {
        terminal.upload(gateway.addr, sealed).await;
    }
    assert_eq!(alarm(&gateway, "submission_waiting", sealed.id).await, "catalogue_version");
    assert_eq!(alarm(&gateway, "submission_quarantined", wrong.id).await, "identity_number");
    site.cases_when(gateway.addr, &terminal, |cases| cases.len() == 1).await;
    gateway.shutdown().await;

    let mut options = site.options();
    options.catalog = later;
    let gateway = gateway::serve(options).await.unwrap();
    site.cases_when(gateway.addr, &terminal, |cases| cases.len() == 2).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_person_whose_card_was_not_read_is_recognised_by_its_photograph() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    // A service that asks for no copy of the card.
    let with = |medium: Medium, paper: &str| {
        let (mut manifest, mut attachments) =
            site.application_for(&terminal, &["reserve_registration"]);
        manifest.identity.medium = medium;
        let (entry, file) = photograph(paper);
        manifest.materials.push(entry);
        attachments.push(file);
        site.share_out(&mut manifest);
        site.seal(&terminal, &(manifest, attachments))
    };
    // No other paper, and nobody whose card was read.
    for sealed in
        [with(Medium::Typed, "card_portrait"), with(Medium::ResidentCard, "identity_card")]
    {
        terminal.upload(at, &sealed).await;
        assert_eq!(alarm(&gateway, "submission_quarantined", sealed.id).await, "material");
    }
    terminal.upload(at, &with(Medium::Typed, "identity_card")).await;
    let cases = site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    let case = cases[0]["case_id"].as_str().unwrap();
    for action in ["archive_reviewed", "invited", "accepted"] {
        assert_eq!(site.staff(at, case, action).await.status(), 200, "{action}");
    }
    let url = format!("https://{at}/staff/cases/{case}/materials/identity_card-1");
    let seen = site.client(None).get(url).bearer_auth(&site.tokens.staff).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    assert!(seen.bytes().await.unwrap().starts_with(b"photograph of identity_card "));

    let path = format!("cases/{case}");
    let share = site.department(at, "armed_forces", &path).send().await.unwrap();
    let share: serde_json::Value = share.json().await.unwrap();
    let papers: Vec<_> =
        share["materials"].as_array().unwrap().iter().map(|m| &m["kind"]).collect();
    assert_eq!(papers, ["reserve_registration_form"]);
    let path = format!("cases/{case}/materials/identity_card-1");
    let hidden = site.department(at, "armed_forces", &path).send().await.unwrap();
    assert_eq!(hidden.status(), 404);
    gateway.shutdown().await;
}

#[tokio::test]
async fn manifests_that_contradict_the_catalogue_never_become_cases() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    type Tamper = fn(&mut Manifest, &Site);
    let tampered: [(&str, Tamper); 10] = [
        // A department is given a field that is another's.
        ("shares", |m, _| {
            let share = m.departments.get_mut("human_resources").unwrap();
            share.fields.push("householder_name".into());
        }),
        // A department is left without one of its fields.
        ("shares", |m, _| {
            m.departments.get_mut("public_security").unwrap().fields.pop();
        }),
        ("shares", |m, _| {
            let share = m.departments.remove("organization").unwrap();
            m.departments.insert("youth_league".into(), share);
        }),
        ("field_contradicts_card", |m, _| {
            m.fields.insert("name".into(), "样本丙".into());
        }),
        ("field_invalid", |m, _| {
            m.fields.insert("phone".into(), "139 0000 1234".into());
        }),
        ("unknown_field", |m, _| {
            m.fields.insert("unit".into(), "x".into());
        }),
        // An answer that none of the chosen services needs, so that no share names it.
        ("unshared_field", |m, site| {
            m.fields.insert("health".into(), site.answer("health").into());
        }),
        ("identity_number", |m, _| m.identity.number = "110105194912310021".into()),
        // A service the rules exclude: no League member.
        ("services", |m, site| {
            m.services.push("league_transfer".into());
            site.share_out(m);
        }),
        // Without the registration the card cannot follow.
        ("services", |m, site| {
            m.services.retain(|key| key != "household_registration");
            site.share_out(m);
        }),
    ];
    for (index, (expected, tamper)) in tampered.into_iter().enumerate() {
        let (mut manifest, attachments) = site.application(&terminal);
        tamper(&mut manifest, &site);
        let sealed = site.seal(&terminal, &(manifest, attachments));
        terminal.upload(at, &sealed).await;
        let why = alarm(&gateway, "submission_quarantined", sealed.id).await;
        assert_eq!(why, expected, "case {index}");
    }
    let pepper = &site.identity.identity_pepper;
    for number in [NUMBER.to_owned(), other_number()] {
        assert!(terminal.progress(at, &identity_hash(pepper, &number).unwrap()).await.is_empty());
    }
    gateway.shutdown().await;
}
