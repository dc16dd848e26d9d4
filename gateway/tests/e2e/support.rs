//! A site in a temporary folder: authority, gateway, terminals, and people who do not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use catalog::{CardItem, Catalog, QuestionKind};
use envelope::{
    Attachment, Channel, Consent, CorrectionOf, Declaration, DepartmentShare, DeviceKey, Digest,
    Identity, Kind, Manifest, MaterialEntry, Medium, RecipientPublic, SCHEMA_VERSION, SealRequest,
    SignedReceipt, Suite, seal,
};
use gateway::{ClearTokens, RunningGateway, ServeOptions, serve};
use jiff::Timestamp;
use provisioning::issuer::Authority;
use provisioning::{GatewayIdentity, identity_hash::identity_hash};
use reqwest::{Client, Method, RequestBuilder, Response};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use uuid::Uuid;

pub const NUMBER: &str = "11010519491231002X";
pub const NAME: &str = "样本甲";
pub const SERVICES: [&str; 5] = [
    "party_transfer",
    "household_registration",
    "identity_card",
    "social_insurance",
    "social_security_card",
];

pub struct Site {
    pub dir: tempfile::TempDir,
    pub authority: Authority,
    pub identity: GatewayIdentity,
    pub tokens: ClearTokens,
    pub catalog: Catalog,
}

pub struct Terminal {
    pub key: DeviceKey,
    pub certificate_pem: String,
    pub key_pem: String,
    /// The device's key, for terminals that have fallen into other hands.
    pub pkcs8: Vec<u8>,
    pub client: Client,
    /// How many submissions it has sealed.
    pub sealed: AtomicU64,
}

pub struct Sealed {
    pub id: Uuid,
    pub digest: Digest,
    pub bytes: Vec<u8>,
}

pub fn catalog_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan")
}

fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

impl Site {
    pub fn new() -> Self {
        use_ring();
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        gateway::keygen(data).unwrap();
        let authority = Authority::create("test", Timestamp::now()).unwrap();
        let hosts = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let server = authority.server(&hosts, Timestamp::now()).unwrap();
        std::fs::create_dir(data.join("tls")).unwrap();
        std::fs::write(data.join("tls/ca.pem"), authority.certificate_pem()).unwrap();
        std::fs::write(data.join("tls/cert.pem"), &server.certificate_pem).unwrap();
        std::fs::write(data.join("tls/key.pem"), server.key_pem.as_str()).unwrap();
        let identity = GatewayIdentity::load(&data.join("gateway-identity.json")).unwrap();
        let tokens = ClearTokens::load(data).unwrap();
        let catalog = Catalog::load(&catalog_dir()).unwrap();
        Self { dir, authority, identity, tokens, catalog }
    }

    pub fn options(&self) -> ServeOptions {
        let any = "127.0.0.1:0".parse().unwrap();
        ServeOptions::new(self.dir.path(), any, &catalog_dir())
    }

    pub async fn serve(&self) -> RunningGateway {
        serve(self.options()).await.unwrap()
    }

    /// An enrolled terminal.
    pub fn terminal(&self) -> Terminal {
        self.terminal_of(&self.authority, Timestamp::now())
    }

    /// A terminal with a certificate of some authority and time.
    pub fn terminal_of(&self, authority: &Authority, now: Timestamp) -> Terminal {
        let (key, pkcs8) = DeviceKey::generate().unwrap();
        let name = key.device_id().to_string();
        let issued = authority.device(&pkcs8, &name, now).unwrap();
        let client = self.client(Some((&issued.certificate_pem, &issued.key_pem)));
        Terminal {
            key,
            certificate_pem: issued.certificate_pem,
            key_pem: issued.key_pem.to_string(),
            pkcs8: pkcs8.to_vec(),
            client,
            sealed: AtomicU64::new(0),
        }
    }

    /// A connection on which anything can be written.
    pub async fn raw(
        &self,
        terminal: Option<&Terminal>,
        at: SocketAddr,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        let ca = self.authority.certificate_pem().as_bytes();
        roots.add(CertificateDer::from_pem_slice(ca).unwrap()).unwrap();
        let config = rustls::ClientConfig::builder().with_root_certificates(roots);
        let config = match terminal {
            None => config.with_no_client_auth(),
            Some(terminal) => {
                let pem = terminal.certificate_pem.as_bytes();
                let chain = vec![CertificateDer::from_pem_slice(pem).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(terminal.key_pem.as_bytes()).unwrap();
                config.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let stream = TcpStream::connect(at).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    }

    /// A caller without a certificate, or with one of any authority.
    pub fn client(&self, certificate: Option<(&str, &str)>) -> Client {
        let pinned = reqwest::Certificate::from_pem(self.authority.certificate_pem().as_bytes());
        let mut builder = Client::builder()
            .tls_certs_only([pinned.unwrap()])
            .no_proxy()
            .timeout(Duration::from_secs(60));
        if let Some((certificate, key)) = certificate {
            let pem = format!("{certificate}{key}");
            builder = builder.identity(reqwest::Identity::from_pem(pem.as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }

    pub fn hash(&self, number: &str) -> String {
        identity_hash(&self.identity.identity_pepper, number).unwrap()
    }

    /// An application for [`SERVICES`] by [`NAME`], before anybody tampers with it.
    pub fn application(&self, terminal: &Terminal) -> (Manifest, Vec<Attachment>) {
        self.application_for(terminal, &SERVICES)
    }

    /// An application for some services.
    pub fn application_for(
        &self,
        terminal: &Terminal,
        services: &[&str],
    ) -> (Manifest, Vec<Attachment>) {
        let services: Vec<String> = services.iter().map(|key| (*key).to_owned()).collect();
        let mut wanted = BTreeSet::new();
        let mut papers = BTreeSet::new();
        for key in &services {
            let service = self.catalog.service(key).unwrap();
            wanted.extend(service.fields.iter().cloned());
            papers.extend(service.materials.iter().cloned());
        }
        let fields: BTreeMap<_, _> =
            wanted.iter().map(|key| (key.clone(), self.answer(key).into())).collect();
        let (materials, attachments) = papers.iter().map(|kind| photograph(kind)).unzip();
        let now = Timestamp::now();
        let mut manifest = Manifest {
            schema_version: SCHEMA_VERSION,
            kind: Kind::Application,
            correction: None,
            submission_id: Uuid::now_v7(),
            device_id: terminal.key.device_id(),
            receipt_number: "510106-1-0001".into(),
            catalogue_version: self.catalog.version().into(),
            created_at: now,
            channel: Channel { site: "510106".into() },
            services,
            fields,
            departments: BTreeMap::new(),
            profile: [
                ("category", "self_directed_employment"),
                ("affiliation", "party"),
                ("registration_cancelled", "yes"),
                ("holds_medical_certificate", "no"),
                ("has_social_security_card", "no"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
            consents: vec![Consent { key: "notice".into(), given_at: now }],
            declaration: Declaration {
                text_version: "1".into(),
                accepted_at: now,
                signature_strokes: None,
            },
            identity: identity(NUMBER),
            assisted_by: None,
            materials,
        };
        self.share_out(&mut manifest);
        (manifest, attachments)
    }

    /// An answer to a correction request.
    pub fn correction(
        &self,
        terminal: &Terminal,
        case_id: Uuid,
        service: &str,
        fields: &[(&str, &str)],
    ) -> (Manifest, Vec<Attachment>) {
        let (mut manifest, _) = self.application(terminal);
        manifest.kind = Kind::Correction;
        manifest.correction =
            Some(CorrectionOf { case_id: case_id.to_string(), answers: vec![service.into()] });
        manifest.services = vec![service.into()];
        manifest.fields =
            fields.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        manifest.materials.clear();
        self.share_out(&mut manifest);
        (manifest, Vec::new())
    }

    /// The catalogue's own split.
    pub fn share_out(&self, manifest: &mut Manifest) {
        let answered = manifest.fields.keys().cloned().collect();
        let papers = manifest.materials.iter().map(|entry| entry.kind.clone()).collect();
        let shares = self.catalog.share_out(&manifest.services, &answered, &papers);
        manifest.departments = shares
            .into_iter()
            .map(|share| {
                let (services, fields, materials) = (share.services, share.fields, share.materials);
                (share.department, DepartmentShare { services, fields, materials })
            })
            .collect();
    }

    /// A canonical answer that no other field of the same case has, as far as its kind allows.
    pub fn answer(&self, key: &str) -> String {
        let question = self.catalog.question(key).unwrap();
        let text = match &question.kind {
            QuestionKind::Card { item: CardItem::Name, .. } => NAME.into(),
            QuestionKind::Card { item: CardItem::IdentityNumber, .. } => NUMBER.into(),
            QuestionKind::Card { .. } => "01".into(),
            QuestionKind::Choice { table } => {
                let table = self.catalog.code_table(table).unwrap();
                table.offered().next().unwrap().code.clone()
            }
            QuestionKind::YesNo => "no".into(),
            QuestionKind::Text { .. } | QuestionKind::Address { .. } => format!("样本路九号 {key}"),
            QuestionKind::Name { .. } => "样本乙".into(),
            QuestionKind::Phone => "13900001234".into(),
            QuestionKind::IdentityNumber => other_number(),
            QuestionKind::Date { .. } => "2014-09-01".into(),
            QuestionKind::Region { max_level: 2, .. } => "510300".into(),
            QuestionKind::Region { .. } => match key {
                "enlistment_registration_place" => "510104",
                "intended_registration_place" => "510105",
                "birthplace" => "510106",
                "ancestral_home" => "510107",
                _ => "510108",
            }
            .into(),
        };
        assert_eq!(self.catalog.validate(key, &text).as_ref(), Ok(&text), "{key}");
        text
    }

    pub fn seal(&self, terminal: &Terminal, parts: &(Manifest, Vec<Attachment>)) -> Sealed {
        seal_to(&self.identity.recipient, terminal, parts)
    }

    pub async fn staff(&self, at: SocketAddr, case: &str, action: &str) -> Response {
        let body = serde_json::json!({ "action": action });
        let url = format!("https://{at}/staff/cases/{case}");
        let request = self.client(None).post(url).bearer_auth(&self.tokens.staff);
        request.json(&body).send().await.unwrap()
    }

    pub fn department(&self, at: SocketAddr, department: &str, path: &str) -> RequestBuilder {
        self.department_call(Method::GET, at, department, path)
    }

    pub fn department_call(
        &self,
        method: Method,
        at: SocketAddr,
        department: &str,
        path: &str,
    ) -> RequestBuilder {
        let url = format!("https://{at}/departments/{department}/{path}");
        let token = &self.tokens.departments[department];
        self.client(None).request(method, url).bearer_auth(token)
    }

    /// Uploads, waits for the case, and takes it to acceptance.
    pub async fn accepted_case(&self, at: SocketAddr, terminal: &Terminal) -> Uuid {
        let sealed = self.seal(terminal, &self.application(terminal));
        terminal.upload(at, &sealed).await;
        let cases = self.cases_when(at, terminal, |cases| cases.len() == 1).await;
        let case = cases[0]["case_id"].as_str().unwrap().to_owned();
        for action in ["archive_reviewed", "invited", "accepted"] {
            let answer = self.staff(at, &case, action).await;
            assert_eq!(answer.status(), 200, "{action}");
        }
        case.parse().unwrap()
    }

    /// Asks for progress until it is as wished.
    pub async fn cases_when(
        &self,
        at: SocketAddr,
        terminal: &Terminal,
        wish: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let mut cases = Vec::new();
        for _ in 0..50 {
            cases = terminal.progress(at, &self.hash(NUMBER)).await;
            if wish(&cases) {
                return cases;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the wish did not come true: {cases:?}");
    }
}

/// A first page, with content that can be recognised and is long enough to need several frames.
pub fn photograph(kind: &str) -> (MaterialEntry, Attachment) {
    let content = format!("photograph of {kind} ").repeat(4000).into_bytes();
    let name = format!("{kind}-1.jpg");
    let entry = MaterialEntry::describe(kind, 1, &name, "image/jpeg", &content, Value::Null);
    (entry, Attachment { name, bytes: content.into() })
}

/// Waits for an alarm about a submission; answers its detail.
pub async fn alarm(gateway: &RunningGateway, kind: &str, id: Uuid) -> String {
    for _ in 0..50 {
        let rows = gateway.audit(50).await;
        let id = id.to_string();
        let found = rows
            .iter()
            .find(|row| row.kind == kind && row.submission_id.as_deref() == Some(id.as_str()));
        if let Some(row) = found {
            return row.detail.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no alarm {kind}; there are {:?}", gateway.audit(50).await);
}

pub fn seal_to(
    recipient: &RecipientPublic,
    terminal: &Terminal,
    (manifest, attachments): &(Manifest, Vec<Attachment>),
) -> Sealed {
    let mut bytes = Vec::new();
    let request = SealRequest {
        submission_id: manifest.submission_id,
        device: &terminal.key,
        device_seq: terminal.sealed.fetch_add(1, Ordering::Relaxed) + 1,
        created_at: manifest.created_at,
        recipient,
        suite: Suite::usual_for(recipient.kem()),
        manifest,
        attachments,
    };
    let info = seal(&request, &mut bytes).unwrap();
    Sealed { id: manifest.submission_id, digest: info.digest, bytes }
}

impl Terminal {
    pub async fn announce(&self, at: SocketAddr, sealed: &Sealed) -> Response {
        self.announce_as(at, sealed.id, &sealed.digest.to_string(), sealed.bytes.len()).await
    }

    pub async fn announce_as(
        &self,
        at: SocketAddr,
        id: Uuid,
        digest: &str,
        length: usize,
    ) -> Response {
        let metadata = format!(
            "submission_id {},digest {}",
            STANDARD.encode(id.to_string()),
            STANDARD.encode(digest)
        );
        self.tus(Method::POST, at, "")
            .header("Upload-Length", length)
            .header("Upload-Metadata", metadata)
            .send()
            .await
            .unwrap()
    }

    pub fn tus(&self, method: Method, at: SocketAddr, id: &str) -> RequestBuilder {
        let slash = if id.is_empty() { "" } else { "/" };
        let url = format!("https://{at}/uploads{slash}{id}");
        self.client.request(method, url).header("Tus-Resumable", "1.0.0")
    }

    pub fn patch(&self, at: SocketAddr, id: Uuid, offset: usize, bytes: &[u8]) -> RequestBuilder {
        self.tus(Method::PATCH, at, &id.to_string())
            .header("Upload-Offset", offset)
            .header("Content-Type", "application/offset+octet-stream")
            .body(bytes.to_vec())
    }

    pub async fn offset(&self, at: SocketAddr, id: Uuid) -> usize {
        let answer = self.tus(Method::HEAD, at, &id.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        header(&answer, "upload-offset").parse().unwrap()
    }

    /// In one go; the receipt.
    pub async fn upload(&self, at: SocketAddr, sealed: &Sealed) -> SignedReceipt {
        let created = self.announce(at, sealed).await;
        assert_eq!(created.status(), 201, "{}", created.text().await.unwrap());
        let sent = self.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
        assert_eq!(sent.status(), 204, "{}", sent.text().await.unwrap());
        self.receipt(at, sealed.id).await.json().await.unwrap()
    }

    /// In one go, whatever the answer.
    pub async fn send(&self, at: SocketAddr, sealed: &Sealed) -> Response {
        self.announce(at, sealed).await;
        self.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap()
    }

    /// From an offset to the end, and the receipt.
    pub async fn upload_rest(&self, at: SocketAddr, sealed: &Sealed, offset: usize) {
        let rest = self.patch(at, sealed.id, offset, &sealed.bytes[offset..]);
        let sent = rest.send().await.unwrap();
        assert_eq!(sent.status(), 204, "{}", sent.text().await.unwrap());
        assert_eq!(self.receipt(at, sealed.id).await.status(), 200);
    }

    /// As often as a gateway asks again for what came out damaged; the answer after that.
    pub async fn send_in_vain(&self, at: SocketAddr, id: Uuid, bytes: &[u8]) -> Response {
        for time in 1..=3 {
            let again = self.patch(at, id, 0, bytes).send().await.unwrap();
            assert_eq!(again.status(), 409, "time {time}");
            assert_eq!(header(&again, "upload-offset"), "0");
        }
        self.patch(at, id, 0, bytes).send().await.unwrap()
    }

    pub async fn receipt(&self, at: SocketAddr, id: Uuid) -> Response {
        let url = format!("https://{at}/submissions/{id}/receipt");
        self.client.get(url).send().await.unwrap()
    }

    pub async fn progress(&self, at: SocketAddr, hash: &str) -> Vec<Value> {
        let body = serde_json::json!({ "identity_hash": hash });
        let url = format!("https://{at}/progress");
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut answer: Value = answer.json().await.unwrap();
        serde_json::from_value(answer["cases"].take()).unwrap()
    }
}

pub fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

pub async fn code(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    assert!(body["cure"].is_string() && body["message"].is_string(), "{body}");
    body["code"].as_str().unwrap().to_owned()
}

pub fn identity(number: &str) -> Identity {
    Identity {
        medium: Medium::ResidentCard,
        name: NAME.into(),
        number: number.into(),
        sex: "2".into(),
        ethnicity: "01".into(),
        birth: "1949-12-31".into(),
        address: "样本省样本路".into(),
        issuer: "样本公安局".into(),
        valid_from: "2020-01-01".into(),
        valid_until: "长期".into(),
    }
}

/// A number nobody has: the specimen's, with another serial and the digit that belongs to it.
pub fn other_number() -> String {
    let body = "11010519491231001";
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.bytes().zip(weights).map(|(d, w)| u32::from(d - b'0') * w).sum();
    let check = b"10X98765432"[(sum % 11) as usize] as char;
    format!("{body}{check}")
}
