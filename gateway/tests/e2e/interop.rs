//! Programs of others against the gateway: whoever is wrong, it is not the other's hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::SignedReceipt;
use serde_json::{Value, json};

use crate::support::{Site, Terminal};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn installed(path: &str) -> PathBuf {
    let path = root().join("target").join(path);
    assert!(path.exists(), "{} is missing; run `make setup-tests`", path.display());
    path
}

/// The terminal's key as PKCS#8 version 1: OpenSSL, which these programs use, does not read the
/// second version, which `ring` writes.
fn older_key(terminal: &Terminal) -> String {
    let seed = &terminal.pkcs8[16..48];
    let begin = hex::decode("302e020100300506032b657004220420").unwrap();
    let text = STANDARD.encode([&begin, seed].concat());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test]
async fn tus_js_client_resumes_after_a_cut() {
    let modules = installed("npm/node_modules");
    let site = Site::new();
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("ca.pem"), site.authority.certificate_pem()).unwrap();
    std::fs::write(path("cert.pem"), &terminal.certificate_pem).unwrap();
    std::fs::write(path("key.pem"), older_key(&terminal)).unwrap();
    for (with_creation, chunk) in [(false, 64 << 10), (true, 100_000)] {
        let sealed = site.seal(&terminal, &site.application(&terminal));
        std::fs::write(path("one.sealed"), &sealed.bytes).unwrap();
        let job = json!({
            "file": path("one.sealed"), "id": sealed.id, "digest": sealed.digest.to_string(),
            "ca": path("ca.pem"), "cert": path("cert.pem"), "key": path("key.pem"),
            "port": gateway.addr.port(), "chunk": chunk, "withCreation": with_creation,
            "cutAfter": sealed.bytes.len() / 2,
        });
        std::fs::write(path("job.json"), job.to_string()).unwrap();
        let mut node = Command::new("node");
        node.arg(root().join("gateway/tests/interop/upload.cjs")).arg(path("job.json"));
        node.env("NODE_PATH", &modules);
        let done = run(node).await;
        let said = String::from_utf8_lossy(&done.stdout);
        let said: Value = serde_json::from_str(&said)
            .unwrap_or_else(|_| panic!("{said} {}", String::from_utf8_lossy(&done.stderr)));
        assert_eq!(said["cuts"], 1, "{said}");
        assert!(said["error"].is_null(), "{said}");
        let receipt: SignedReceipt = serde_json::from_value(said["receipt"].clone()).unwrap();
        let device = terminal.key.device_id();
        site.identity.receipt.verify_for(&receipt, sealed.id, sealed.digest, device).unwrap();

        let events = said["events"].as_array().unwrap();
        let of =
            |method: &'static str| events.iter().filter(move |event| event["method"] == method);
        // It asked once after the cut, and went on from there instead of from the beginning.
        let asked: Vec<&Value> = of("HEAD").collect();
        assert_eq!(asked.len(), 1, "{said}");
        assert!(asked[0]["offset"].as_u64().unwrap() > 0, "{said}");
        assert_eq!(asked[0]["expires"], true);
        let first = of("POST").next().unwrap();
        assert_eq!(first["status"], 201);
        assert_eq!(first["offset"].as_u64().unwrap() > 0, with_creation, "{said}");
        assert_eq!(of("PATCH").next_back().unwrap()["offset"], sealed.bytes.len() as u64);
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn schemathesis_finds_no_failure_inside() {
    let program = installed("venv/bin/schemathesis");
    let site = Site::new();
    let mut options = site.options();
    // It asks more in a second than a terminal in a day, and hangs up in the middle of requests.
    options.restraint.connections_per_address = 100_000;
    options.restraint.calls_per_address = 1_000_000;
    options.restraint.calls_per_device = 1_000_000;
    options.restraint.questions_per_device = 1_000_000;
    options.restraint.quotas.misses_a_day = 1_000_000;
    options.restraint.quotas.submissions_a_day = 1_000_000;
    options.restraint.quotas.unfinished = 1_000_000;
    let gateway = gateway::serve(options).await.unwrap();
    let terminal = site.terminal();
    let case = site.accepted_case(gateway.addr, &terminal).await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("ca.pem"), site.authority.certificate_pem()).unwrap();
    let both = format!("{}{}", terminal.certificate_pem, older_key(&terminal));
    std::fs::write(path("both.pem"), both).unwrap();
    // Whatever it makes up, there is a real case behind it now and then.
    let config =
        format!("[parameters]\ndepartment = [\"organization\"]\ncase = [\"{case}\", \"x\"]\n");
    std::fs::write(path("schemathesis.toml"), config).unwrap();
    // With one certificate and both kinds of tokens; the second where it is asked for.
    let department = &site.tokens.departments["organization"];
    for (token, paths) in [(&site.tokens.staff, "."), (department, "^/departments")] {
        let mut command = Command::new(&program);
        command
            .current_dir(folder.path())
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env("PYTHONPATH", root().join("gateway/tests/interop"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args([
                "run",
                "--include-path-regex",
                paths,
                "--checks",
                "not_a_server_error,response_schema_conformance",
            ])
            .args(["--max-examples", "4", "--phases", "coverage,fuzzing"])
            .args(["--seed", "1", "--max-time", "12", "--request-timeout", "10"])
            .args(["--suppress-health-check", "all", "--warnings", "off"])
            .arg("--tls-verify")
            .arg(path("ca.pem"))
            .arg("--request-cert")
            .arg(path("both.pem"))
            .args(["-H", "Tus-Resumable: 1.0.0", "-H"])
            .arg(format!("Authorization: Bearer {token}"))
            .arg(format!("https://{}/openapi.json", gateway.addr));
        let done = run(command).await;
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    }
    gateway.shutdown().await;
}
