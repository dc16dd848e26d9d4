//! The key that submissions are sealed to is replaced and destroyed beside a running gateway.

use std::net::SocketAddr;
use std::process::{Command, Output};

use envelope::{RecipientBundle, RootPublic, SignedBundle, Suite};
use serde_json::Value;

use crate::support::{Site, Terminal, code, seal_to};

/// `gateway recipient …` on the site's folder.
fn recipient(site: &Site, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway"))
        .arg("recipient")
        .args(arguments)
        .arg("--data")
        .arg(site.dir.path())
        .output()
        .unwrap()
}

fn done(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn root(site: &Site) -> &RootPublic {
    site.identity.root.as_ref().unwrap()
}

/// What a terminal is told, checked as it would check it.
async fn told(site: &Site, terminal: &Terminal, at: SocketAddr) -> RecipientBundle {
    let answer = terminal.client.get(format!("https://{at}/recipients")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let json = answer.bytes().await.unwrap();
    SignedBundle::from_json(&json).unwrap().verify(root(site)).unwrap().clone()
}

#[tokio::test]
async fn a_running_gateway_takes_a_new_key_and_keeps_the_old_one() {
    let site = Site::new();
    let gateway = site.serve().await;
    let (at, terminal) = (gateway.addr, site.terminal());
    let first = told(&site, &terminal, at).await;
    assert_eq!((first.epoch, &first.current), (1, site.identity.recipient.key_id()));
    let before = site.seal(&terminal, &site.application(&terminal));

    for (cases, (suite, epoch)) in [("x-wing", 2), ("x25519-aes", 3)].into_iter().enumerate() {
        let made = done(&recipient(&site, &["rotate", "--suite", suite, "--json"]));
        assert_eq!((made["epoch"].as_u64(), made["suite"].as_str()), (Some(epoch), Some(suite)));
        let bundle = told(&site, &terminal, at).await;
        assert_eq!(bundle.epoch, epoch);
        let (key, told) = bundle.sealing_key(jiff::Timestamp::now()).unwrap();
        assert_eq!((told.name(), key.key_id().as_str()), (suite, made["key_id"].as_str().unwrap()));
        let sealed = seal_to(key, &terminal, &site.application(&terminal));
        terminal.upload(at, &sealed).await;
        site.cases_when(at, &terminal, |found| found.len() == cases + 1).await;
    }
    // What was sealed before, and comes late, is opened too.
    terminal.upload(at, &before).await;
    site.cases_when(at, &terminal, |cases| cases.len() == 3).await;
    gateway.shutdown().await;

    let listed = done(&recipient(&site, &["list", "--json"]));
    let keys = listed["keys"].as_array().unwrap();
    assert_eq!((listed["epoch"].as_u64(), keys.len()), (Some(3), 3));
    assert!(keys.iter().all(|key| key["held"] == true && key["published"] == true));
    assert_eq!(keys.iter().filter(|key| key["current"] == true).count(), 1);
    // A gateway that starts with three keys serves, and whoever is set up now begins with the newest.
    let identity =
        provisioning::GatewayIdentity::load(&site.dir.path().join("gateway-identity.json"))
            .unwrap();
    assert_eq!(identity.recipient.key_id().as_str(), keys[0]["key_id"].as_str().unwrap());
    site.serve().await.shutdown().await;
}

#[tokio::test]
async fn the_list_of_keys_is_for_enrolled_terminals() {
    let site = Site::new();
    let gateway = site.serve().await;
    let url = format!("https://{}/recipients", gateway.addr);
    let stranger = site.client(None).get(&url).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    assert_eq!(code(stranger).await, "no_certificate");
    // A list that terminals would not take is not served.
    std::fs::write(site.dir.path().join("recipients.json"), "{}").unwrap();
    let broken = site.terminal().client.get(&url).send().await.unwrap();
    assert_eq!(broken.status(), 500);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_key_is_destroyed_only_when_nothing_needs_it_and_then_for_good() {
    let site = Site::new();
    let old = site.identity.recipient.clone();
    let name = old.key_id().as_str();
    let secret = site.dir.path().join("keys/recipient.json");
    let gateway = gateway::serve(gateway::ServeOptions { opener: false, ..site.options() });
    let gateway = gateway.await.unwrap();
    let (at, terminal) = (gateway.addr, site.terminal());
    terminal.upload(at, &site.seal(&terminal, &site.application(&terminal))).await;
    let late = site.seal(&terminal, &site.application(&terminal));

    let retire = |more: &[&str]| recipient(&site, &[&["retire", name, "--json"], more].concat());
    assert!(refused(&retire(&["--after-days", "0"])).contains("rotate first"));
    done(&recipient(&site, &["rotate", "--json"]));
    assert!(refused(&retire(&[])).contains("0 days ago"));
    let needed = refused(&retire(&["--after-days", "0"]));
    assert!(needed.contains("1 stored submissions"), "{needed}");
    assert!(refused(&recipient(&site, &["retire", "office-none"])).contains("holds no key"));
    gateway.shutdown().await;
    assert!(secret.exists());

    // Started with the old key as the one that terminals were set up with.
    let newer = std::fs::read(site.dir.path().join("gateway-identity.json")).unwrap();
    let older = serde_json::to_vec(&site.identity).unwrap();
    std::fs::write(site.dir.path().join("gateway-identity.json"), older).unwrap();
    let gateway = site.serve().await;
    std::fs::write(site.dir.path().join("gateway-identity.json"), newer).unwrap();
    let at = gateway.addr;
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    let destroyed = done(&retire(&["--after-days", "0"]));
    assert_eq!(destroyed["epoch"], 3);
    assert!(!secret.exists());
    assert!(told(&site, &terminal, at).await.key(old.key_id()).is_none());
    // The gateway that still runs has forgotten it as well, and gives no receipt for what nobody
    // could open.
    assert_eq!(terminal.send(at, &late).await.status(), 422);
    let refusal = terminal.receipt(at, late.id).await;
    assert_eq!(code(refusal).await, "wrong_recipient");
    gateway.shutdown().await;
    site.serve().await.shutdown().await;
}

#[test]
fn only_the_root_that_terminals_know_can_change_keys() {
    let (site, other) = (Site::new(), Site::new());
    let file = |site: &Site, name: &str| site.dir.path().join(name);
    let bundle = std::fs::read(file(&site, "recipients.json")).unwrap();
    let foreign = file(&other, "keys/root.pkcs8.pem");
    let said = refused(&recipient(&site, &["rotate", "--root", foreign.to_str().unwrap()]));
    assert!(said.contains("not the root key that terminals were given"), "{said}");
    // Kept elsewhere, as it should be.
    let safe = tempfile::tempdir().unwrap();
    let kept = safe.path().join("root.pem");
    std::fs::rename(file(&site, "keys/root.pkcs8.pem"), &kept).unwrap();
    assert!(refused(&recipient(&site, &["rotate"])).contains("root.pkcs8.pem"));
    assert_eq!(std::fs::read(file(&site, "recipients.json")).unwrap(), bundle);
    let made = done(&recipient(&site, &["rotate", "--root", kept.to_str().unwrap(), "--json"]));
    assert_eq!(made["epoch"], 2);
}

#[tokio::test]
async fn a_gateway_set_up_without_a_root_serves_its_one_key() {
    let site = Site::new();
    let data = site.dir.path();
    let mut identity = serde_json::to_value(&site.identity).unwrap();
    for later in ["version", "root"] {
        identity.as_object_mut().unwrap().remove(later);
    }
    std::fs::write(data.join("gateway-identity.json"), identity.to_string()).unwrap();
    std::fs::remove_file(data.join("recipients.json")).unwrap();
    let gateway = site.serve().await;
    let (at, terminal) = (gateway.addr, site.terminal());
    let none = terminal.client.get(format!("https://{at}/recipients")).send().await.unwrap();
    assert_eq!(none.status(), 404);
    terminal.upload(at, &site.seal(&terminal, &site.application(&terminal))).await;
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    gateway.shutdown().await;
    assert!(refused(&recipient(&site, &["rotate"])).contains("without a root key"));
    let listed = done(&recipient(&site, &["list", "--json"]));
    assert_eq!(listed["keys"][0]["current"], true);
    assert_eq!(listed["epoch"], Value::Null);
}

#[test]
fn a_rotation_that_was_cut_short_leaves_a_gateway_that_serves() {
    let site = Site::new();
    let data = site.dir.path();
    let copy = |name: &str| std::fs::read(data.join(name)).unwrap();
    let (bundle, identity) = (copy("recipients.json"), copy("gateway-identity.json"));
    done(&recipient(&site, &["rotate", "--suite", "x-wing", "--json"]));
    let new_bundle = copy("recipients.json");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Cut behind the secret, and behind the bundle.
    for bundle in [&bundle, &new_bundle] {
        std::fs::write(data.join("recipients.json"), bundle).unwrap();
        std::fs::write(data.join("gateway-identity.json"), &identity).unwrap();
        runtime.block_on(async { site.serve().await.shutdown().await });
    }
    // The next one goes on from there.
    let made = done(&recipient(&site, &["rotate", "--json"]));
    assert_eq!(made["epoch"], 3);
    assert_eq!(made["suite"].as_str(), Some(Suite::X25519ChaCha20.name()));
}
