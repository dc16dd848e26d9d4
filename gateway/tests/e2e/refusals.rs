//! Files that must not become cases.

use envelope::{Manifest, RecipientSecret};
use provisioning::identity_hash::identity_hash;

use crate::support::{Site, alarm, code, header, other_number, seal_to};

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
    let refused = terminal.patch(at, id, 0, &rubbish).send().await.unwrap();
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
    let answer = one.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
    assert_eq!(code(answer).await, "other_digest");

    // One bit flipped.
    let mut sealed = site.seal(&one, &site.application(&one));
    let middle = sealed.bytes.len() / 2;
    sealed.bytes[middle] ^= 1;
    one.announce(at, &sealed).await;
    let answer = one.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
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
async fn a_file_for_another_key_is_kept_in_quarantine_and_the_opener_goes_on() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let stranger = RecipientSecret::generate("elsewhere").unwrap();
    let foreign = seal_to(stranger.public(), &terminal, &site.application(&terminal));
    terminal.upload(at, &foreign).await;
    assert_eq!(alarm(&gateway, "submission_quarantined", foreign.id).await, "wrong_recipient");
    // The same name, another key.
    let ours = site.identity.recipient.key_id().to_string();
    let stranger = RecipientSecret::generate(&ours).unwrap();
    let foreign = seal_to(stranger.public(), &terminal, &site.application(&terminal));
    terminal.upload(at, &foreign).await;
    let why = alarm(&gateway, "submission_quarantined", foreign.id).await;
    assert!(["decrypt", "encapsulation"].contains(&why.as_str()), "{why}");

    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    gateway.shutdown().await;
    assert!(site.dir.path().join(format!("sealed/{}.sealed", foreign.id)).exists());
}

#[tokio::test]
async fn manifests_that_contradict_the_catalogue_never_become_cases() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    type Tamper = fn(&mut Manifest, &Site);
    let tampered: [(&str, Tamper); 9] = [
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
    for number in [crate::support::NUMBER.to_owned(), other_number()] {
        assert!(terminal.progress(at, &identity_hash(pepper, &number).unwrap()).await.is_empty());
    }
    gateway.shutdown().await;
}
