//! From stored to a case, once, whoever opens.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::contract;
use crate::fleet::Fleet;
use crate::stores::Kind;
use crate::support::{NUMBER, catalog_dir};

contract!(
    several_openers_make_each_case_once,
    a_correction_is_applied_once,
    the_opener_can_be_a_process_that_has_nothing_but_the_secret,
    what_is_there_can_be_opened_once,
);

async fn several_openers_make_each_case_once(kind: Kind) {
    // Two gateways with an opener each; in a folder there is one.
    let mut fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    for _ in 0..12 {
        let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
        terminal.upload(fleet.at(), &sealed).await;
    }
    fleet.site.cases_when(fleet.at(), &terminal, |cases| cases.len() == 12).await;
    fleet.stop().await;
    assert_eq!(fleet.stored(), 12);
    let done = "SELECT count(*) FROM outbox WHERE state = 'done' AND attempts = 1";
    assert_eq!(fleet.ground.number("gateway", done), 12, "nobody took what another had");
    assert_eq!(fleet.ground.number("cases", "SELECT count(*) FROM cases"), 12);
    let papers = fleet.ground.number("cases", "SELECT count(*) FROM case_materials");
    let names = fleet.ground.names().await;
    let lying = names.iter().filter(|name| name.starts_with("cases/")).count();
    assert_eq!(lying as i64, papers);
    assert_eq!(fleet.ground.number("cases", "SELECT count(*) FROM unwanted_papers"), 0);
}

async fn a_correction_is_applied_once(kind: Kind) {
    let mut fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    let case = fleet.site.accepted_case(fleet.at(), &terminal).await;
    let before = fleet.ground.names().await;
    let ask = json!({
        "report": "correction",
        "what": { "fields": ["phone"], "materials": ["identity_card"] },
        "reason": "电话打不通",
    });
    let path = format!("cases/{case}/services/social_insurance");
    let at = fleet.turn().await;
    let call = fleet.site.department_call(Method::POST, at, "human_resources", &path);
    assert_eq!(call.json(&ask).send().await.unwrap().status(), 200);

    let content = b"a better photograph";
    let fields = [("phone", "13800009999")];
    let answer = || {
        let (mut manifest, mut attachments) =
            fleet.site.correction(&terminal, case, "social_insurance", &fields);
        let name = "identity_card-1.jpg";
        manifest.materials.push(envelope::MaterialEntry::describe(
            "identity_card",
            1,
            name,
            "image/jpeg",
            content,
            Value::Null,
        ));
        let bytes = content.to_vec().into();
        attachments.push(envelope::Attachment { name: name.into(), bytes });
        fleet.site.share_out(&mut manifest);
        fleet.site.seal(&terminal, &(manifest, attachments))
    };
    // The same answer from a visitor who was in doubt and gave it twice, to both gateways at once.
    let (one, two) = (answer(), answer());
    let (near, far) = (fleet.all()[0], *fleet.all().last().unwrap());
    tokio::join!(terminal.upload(near, &one), terminal.upload(far, &two));
    let begun = Instant::now();
    let settled = "SELECT count(*) FROM outbox WHERE state <> 'pending'";
    while fleet.ground.number("gateway", settled) < 3 {
        assert!(begun.elapsed() < Duration::from_secs(20), "not opened");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let at = fleet.turn().await;
    let path = format!("cases/{case}/materials/identity_card-1");
    let paper = fleet.site.department(at, "human_resources", &path).send().await.unwrap();
    assert_eq!(paper.bytes().await.unwrap(), &content[..]);
    fleet.stop().await;
    assert_eq!(fleet.ground.number("cases", "SELECT count(*) FROM corrections"), 1);
    assert_eq!(fleet.alarms("submission_quarantined"), 1);
    // The paper that was replaced is gone.
    let after = fleet.ground.names().await;
    let left = before.iter().filter(|name| name.starts_with("cases/") && after.contains(name));
    assert_eq!(left.count(), before.iter().filter(|n| n.starts_with("cases/")).count() - 1);
}

struct Opener(Child);

impl Drop for Opener {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn opener(fleet: &Fleet, data: &std::path::Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command
        .args(["opener", "--data", data.to_str().unwrap(), "--json"])
        .args(["--catalog", catalog_dir().to_str().unwrap()])
        .args(&fleet.ground.arguments)
        .args(more)
        .stdin(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// The opener's own folder: what is about the gateway, and the secret, which the gateway loses.
fn part_ways(fleet: &Fleet, own: &std::path::Path) -> std::path::PathBuf {
    let data = fleet.site.dir.path();
    let secret = own.join("recipient.json");
    std::fs::rename(data.join("keys/recipient.json"), &secret).unwrap();
    std::fs::copy(data.join("gateway-identity.json"), own.join("gateway-identity.json")).unwrap();
    secret
}

async fn the_opener_can_be_a_process_that_has_nothing_but_the_secret(kind: Kind) {
    let own = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::receiving_only(kind).await;
    let secret = part_ways(&fleet, own.path());
    // It starts without the secret.
    fleet.restart().await;
    let terminal = fleet.site.terminal();
    let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    terminal.upload(fleet.at(), &sealed).await;
    let hash = fleet.site.hash(NUMBER);
    assert!(terminal.progress(fleet.at(), &hash).await.is_empty());

    // In a folder the opener finds keys of receipts, certificates and tokens beside the rows; it
    // gets on without them.
    let data = if kind == Kind::Shared { own.path() } else { fleet.site.dir.path() };
    let aside = tempfile::tempdir().unwrap();
    let others = ["keys/receipt.pkcs8.pem", "tls", "tokens.json", "tokens.hashed.json"];
    let others = others.map(|name| (fleet.site.dir.path().join(name), aside.path().join(name)));
    std::fs::create_dir(aside.path().join("keys")).unwrap();
    for (from, to) in others.iter().filter(|(from, _)| from.exists()) {
        std::fs::rename(from, to).unwrap();
    }
    let arguments = ["--until-stdin-closes", "--recipient-key", secret.to_str().unwrap()];
    let spawn = || Opener(opener(&fleet, data, &arguments).spawn().unwrap());
    let mut first = spawn();
    fleet.site.cases_when(fleet.at(), &terminal, |cases| cases.len() == 1).await;

    // A second one works beside it, or is refused where it cannot know whose leases are alive.
    let mut second = spawn();
    std::thread::sleep(Duration::from_millis(1500));
    let ended = second.0.try_wait().unwrap();
    match kind {
        Kind::Shared => assert!(ended.is_none(), "{ended:?}"),
        Kind::Embedded => assert!(!ended.unwrap().success()),
    }
    drop(first.0.stdin.take());
    assert!(first.0.wait().unwrap().success());
    drop(second);
    for (from, to) in others.iter().filter(|(_, to)| to.exists()) {
        std::fs::rename(to, from).unwrap();
    }
    fleet.stop().await;
}

async fn what_is_there_can_be_opened_once(kind: Kind) {
    let own = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::receiving_only(kind).await;
    let secret = part_ways(&fleet, own.path());
    let terminal = fleet.site.terminal();
    for _ in 0..3 {
        let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
        terminal.upload(fleet.at(), &sealed).await;
    }
    let data = if kind == Kind::Shared { own.path() } else { fleet.site.dir.path() };
    for taken in [3, 0] {
        let arguments = ["--once", "--recipient-key", secret.to_str().unwrap()];
        let done = opener(&fleet, data, &arguments).output().unwrap();
        assert!(done.status.success());
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(report["taken"], taken);
    }
    fleet.site.cases_when(fleet.at(), &terminal, |cases| cases.len() == 3).await;
    // Another key is refused before anything is touched.
    let other = own.path().join("other.json");
    let stranger = envelope::RecipientSecret::generate("other").unwrap();
    std::fs::write(&other, stranger.to_json().as_bytes()).unwrap();
    let arguments = ["--once", "--recipient-key", other.to_str().unwrap()];
    assert!(!opener(&fleet, data, &arguments).status().unwrap().success());
    fleet.stop().await;
}
