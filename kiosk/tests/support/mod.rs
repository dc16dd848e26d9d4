//! Specimens of sealed submissions, and an office with a real gateway to send them to.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use envelope::{
    Attachment, Channel, Declaration, DepartmentShare, DeviceKey, Identity, Kind, Manifest,
    MaterialEntry, Medium, RecipientPublic, SCHEMA_VERSION, SealError, SealRequest, SealedInfo,
    Suite,
};
use jiff::Timestamp;
use kiosk::queue::{Item, NewItem, Queue, QueueError};
use provisioning::issuer::Authority;
use provisioning::{InitSite, KioskConfig, Words, init_site, keygen};
use uuid::Uuid;

/// Whoever seals, and for whom.
pub struct Sealer {
    pub device: DeviceKey,
    pub recipient: RecipientPublic,
}

impl Sealer {
    pub fn of(config: &KioskConfig) -> Self {
        let (device, _) = keygen::load(&config.gateway.key).expect("the terminal's key");
        let recipient = config.gateway_identity().expect("the gateway's identity").recipient;
        Self { device, recipient }
    }

    /// Stores a submission with `bytes` of photographs.
    pub fn store(&self, queue: &mut Queue, bytes: usize) -> Result<Item, QueueError> {
        let id = Uuid::now_v7();
        let seq = queue.next_seq()?;
        let at = Timestamp::now();
        let new = NewItem { submission_id: id, receipt_number: format!("R{seq}"), created_at: at };
        let photographs = photographs(bytes);
        queue.store(&new, bytes as u64 * 5 / 4 + (1 << 20), seq, |out| {
            self.seal(out, id, seq, at, photographs)
        })
    }

    pub fn seal(
        &self,
        out: &mut dyn Write,
        submission_id: Uuid,
        device_seq: u64,
        created_at: Timestamp,
        attachments: Vec<Attachment>,
    ) -> Result<SealedInfo, SealError> {
        let none = personal::PersonalText::default;
        let materials = (1..)
            .zip(&attachments)
            .map(|(page, attachment)| {
                let bytes = attachment.bytes.expose();
                let (name, report) = (&attachment.name, serde_json::Value::Null);
                MaterialEntry::describe("identity_card", page, name, "image/jpeg", bytes, report)
            })
            .collect();
        let manifest = Manifest {
            schema_version: SCHEMA_VERSION,
            kind: Kind::Application,
            correction: None,
            submission_id,
            device_id: self.device.device_id(),
            receipt_number: "R".into(),
            catalogue_version: "test".into(),
            created_at,
            channel: Channel { site: "510106".into() },
            services: vec!["reporting".into()],
            fields: BTreeMap::new(),
            departments: BTreeMap::from([(
                "veterans_affairs".into(),
                DepartmentShare { services: vec!["reporting".into()], ..Default::default() },
            )]),
            profile: BTreeMap::new(),
            consents: Vec::new(),
            declaration: Declaration {
                text_version: "1".into(),
                accepted_at: created_at,
                signature_strokes: None,
            },
            identity: Identity {
                medium: Medium::ResidentCard,
                name: "样本甲".into(),
                number: "11010519491231002X".into(),
                sex: "2".into(),
                ethnicity: "01".into(),
                birth: none(),
                address: none(),
                issuer: none(),
                valid_from: none(),
                valid_until: none(),
            },
            assisted_by: None,
            materials,
        };
        let request = SealRequest {
            submission_id,
            device: &self.device,
            device_seq,
            created_at,
            recipient: &self.recipient,
            suite: Suite::X25519ChaCha20,
            manifest: &manifest,
            attachments: &attachments,
        };
        envelope::seal(&request, out)
    }
}

/// Bytes that do not compress, in pages of at most four megabytes.
pub fn photographs(bytes: usize) -> Vec<Attachment> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let mut page = Vec::with_capacity(length + 8);
        while page.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            page.extend_from_slice(&state.to_le_bytes());
        }
        page.truncate(length);
        page
    };
    let mut left = bytes;
    let mut pages = Vec::new();
    while left > 0 {
        let length = left.min(4 << 20);
        let name = format!("identity_card-{:02}.jpg", pages.len() + 1);
        pages.push(Attachment { name, bytes: noise(length).into() });
        left -= length;
    }
    pages
}

/// A site with one terminal, and the gateway's own program serving it.
pub struct Office {
    pub config: KioskConfig,
    pub config_path: PathBuf,
    data: PathBuf,
    gateway: Option<Child>,
    address: String,
    authority: Authority,
}

impl Office {
    pub fn open(dir: &Path) -> Self {
        let data = dir.join("gateway");
        let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan");
        let keys = Command::new(program())
            .args(["keygen", "--json", "--data"])
            .arg(&data)
            .arg("--catalog")
            .arg(&catalog)
            .output()
            .expect("build all programs with `cargo build --workspace`");
        assert!(keys.status.success(), "{}", String::from_utf8_lossy(&keys.stderr));
        let words = |text: &str| Words { zh: text.into(), en: text.into() };
        let site = InitSite {
            out: dir.join("site"),
            gateway_data: data.clone(),
            gateway_url: "https://127.0.0.1:8443".into(),
            gateway_hosts: vec!["127.0.0.1".into()],
            center: words("样本中心"),
            address: words("样本路1号"),
            phone: "028-00000000".into(),
            region: "510106".into(),
            catalog,
            terminals: 1,
            simulated: None,
            pin: "135790".into(),
        };
        let made = init_site(&site, Timestamp::now(), |_| {}).expect("a site");
        let config_path = made.terminals[0].config.clone();
        let config = KioskConfig::load(&config_path).expect("its configuration");
        // An authority whose key we keep, so that certificates can be renewed.
        let authority = Authority::create("test", Timestamp::now()).expect("an authority");
        let server = authority.server(&site.gateway_hosts, Timestamp::now()).expect("a server's");
        let put = |path: &Path, text: &str| std::fs::write(path, text).expect("a file");
        put(&data.join("tls/ca.pem"), authority.certificate_pem());
        put(&data.join("tls/cert.pem"), &server.certificate_pem);
        put(&data.join("tls/key.pem"), &server.key_pem);
        put(&config.gateway.ca, authority.certificate_pem());
        let address = "127.0.0.1:0".into();
        let mut office = Self { config, config_path, data, gateway: None, address, authority };
        put(&office.config.gateway.certificate, &office.certificate(Timestamp::now()));
        office.start();
        let text = std::fs::read_to_string(&office.config_path).expect("its configuration");
        let text = text.replace("https://127.0.0.1:8443", &format!("https://{}", office.address));
        std::fs::write(&office.config_path, text).expect("its configuration");
        office.config = KioskConfig::load(&office.config_path).expect("its configuration");
        office
    }

    /// A certificate for the terminal's key, as if issued at `at`.
    pub fn certificate(&self, at: Timestamp) -> String {
        let (device, pkcs8) = keygen::load(&self.config.gateway.key).expect("the terminal's key");
        let id = device.device_id().to_string();
        self.authority.device(&pkcs8, &id, at).expect("a certificate").certificate_pem
    }

    /// On the address it had before, if it had one.
    pub fn start(&mut self) {
        let ready = self.data.with_extension("ready");
        let _ = std::fs::remove_file(&ready);
        let log = std::fs::File::create(self.data.with_extension("log")).expect("a log");
        let child = Command::new(program())
            .args(["serve", "--until-stdin-closes", "--listen", &self.address, "--data"])
            .arg(&self.data)
            .arg("--catalog")
            .arg(&self.config.site.catalog)
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the gateway");
        self.gateway = Some(child);
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let told = std::fs::read_to_string(&ready).unwrap_or_default();
            if !told.trim().is_empty() {
                self.address = told.trim().to_owned();
                return;
            }
            assert!(Instant::now() < end, "the gateway is not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn stop(&mut self) {
        if let Some(mut child) = self.gateway.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The gateway's program, beside this test's folder.
fn program() -> PathBuf {
    let here = std::env::current_exe().expect("where is this test?");
    let up = here.parent().and_then(Path::parent).expect("a folder of programs");
    up.join("gateway")
}
