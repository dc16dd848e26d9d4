//! Why: one site as an operator sets it up: a gateway's folder, an authority, terminals, and the
//! gateway's real program, which is stopped as programs are stopped that nobody asked.
//!
//! Refuses: to leave a process behind.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use envelope::{DeviceKey, ReceiptPublic, RecipientPublic};
use provisioning::{InitSite, KioskConfig, Words, init_site};

use crate::{program, root};

/// How long a program may take to be ready on a busy machine.
pub const READY: Duration = Duration::from_secs(60);

/// The files of a site.
pub struct Site {
    /// Everything that is not the gateway's.
    pub dir: PathBuf,
    /// The gateway's data folder.
    pub data: PathBuf,
    /// Configuration of each terminal.
    pub terminals: Vec<PathBuf>,
}

impl Site {
    /// Makes a site under `dir`, with the gateway's data in `data` (neither may exist).
    pub fn make(dir: &Path, data: &Path, terminals: u32) -> anyhow::Result<Self> {
        let catalog = std::fs::canonicalize(root().join("catalog/data/sichuan"))?;
        let made = Command::new(program("gateway")?)
            .args(["keygen", "--json", "--data"])
            .arg(data)
            .arg("--catalog")
            .arg(&catalog)
            .output()?;
        ensure!(made.status.success(), "keygen: {}", String::from_utf8_lossy(&made.stderr));
        let word = |text: &str| Words { zh: text.into(), en: text.into() };
        let request = InitSite {
            out: dir.join("site"),
            gateway_data: data.to_owned(),
            gateway_url: "https://127.0.0.1:1".into(),
            gateway_hosts: vec!["127.0.0.1".into(), "localhost".into()],
            center: word("样本区退役军人服务中心"),
            address: word("样本路1号"),
            phone: "028-00000000".into(),
            region: "510106".into(),
            catalog,
            terminals,
            simulated: None,
            pin: "135790".into(),
        };
        let files = init_site(&request, jiff::Timestamp::now(), |_| {})?;
        Ok(Self {
            dir: dir.to_owned(),
            data: data.to_owned(),
            terminals: files.terminals.into_iter().map(|terminal| terminal.config).collect(),
        })
    }

    /// The first terminal, as its own program sees it.
    pub fn terminal(&self) -> anyhow::Result<Terminal> {
        Terminal::load(&self.terminals[0])
    }

    /// Where the gateway's words go.
    pub fn log(&self) -> PathBuf {
        self.dir.join("gateway.log")
    }

    /// Tells every terminal where the gateway is.
    pub fn point_terminals_at(&self, address: &str) -> anyhow::Result<()> {
        self.terminals.iter().try_for_each(|config| point(config, address))
    }
}

/// Tells one terminal where the gateway is.
pub fn point(config: &Path, address: &str) -> anyhow::Result<()> {
    let mut table: toml::Table = toml::from_str(&std::fs::read_to_string(config)?)?;
    let gateway = table.get_mut("gateway").and_then(toml::Value::as_table_mut);
    let url = format!("https://{address}");
    gateway.context("no gateway in the configuration")?.insert("url".into(), url.into());
    Ok(std::fs::write(config, toml::to_string(&table)?)?)
}

/// What one terminal is.
pub struct Terminal {
    /// Its configuration.
    pub config: KioskConfig,
    /// Its key.
    pub device: DeviceKey,
    /// Who can open what it seals.
    pub recipient: RecipientPublic,
    /// Whose word lets it delete.
    pub receipts: ReceiptPublic,
}

impl Terminal {
    /// Reads it as the terminal does.
    pub fn load(config: &Path) -> anyhow::Result<Self> {
        let config = KioskConfig::load(config)?;
        let identity = config.gateway_identity()?;
        let (device, _) = provisioning::keygen::load(&config.gateway.key)?;
        Ok(Self { config, device, recipient: identity.recipient, receipts: identity.receipt })
    }
}

/// The gateway's program while it runs.
pub struct Gateway {
    child: Child,
    /// Where it listens.
    pub address: String,
}

/// How to start a gateway.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Where to listen; a free port when nothing is given.
    pub address: Option<String>,
    /// Value of FAILPOINTS.
    pub failpoints: Option<String>,
}

impl Gateway {
    /// Starts it and waits until it accepts connections.
    pub fn start(site: &Site, start: &Start) -> anyhow::Result<Self> {
        let mut gateway = Self::begin(site, start)?;
        gateway.wait(site)?;
        Ok(gateway)
    }

    /// Starts it; [`Self::wait`] before using it.
    pub fn begin(site: &Site, start: &Start) -> anyhow::Result<Self> {
        let ready = site.dir.join("gateway.ready");
        let _ = std::fs::remove_file(&ready);
        let log = std::fs::File::options().create(true).append(true).open(site.log())?;
        let mut command = Command::new(program("gateway")?);
        command
            .args(["serve", "--until-stdin-closes", "--listen"])
            .arg(start.address.as_deref().unwrap_or("127.0.0.1:0"))
            .arg("--data")
            .arg(&site.data)
            .arg("--catalog")
            .arg(root().join("catalog/data/sichuan"))
            .arg("--ready-file")
            .arg(&ready)
            // A trial's terminal does more in minutes than any other in a day.
            .args(["--submissions-per-device=4000000000", "--bytes-per-device=1000000000000000"])
            .arg("--calls-per-device=4000000000")
            // How full this machine's own disk is must not decide a trial; and where a trial fills a
            // disk, the last byte can then be taken, which is the harder case.
            .arg("--reserve-bytes=0")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        match &start.failpoints {
            Some(points) => command.env("FAILPOINTS", points),
            None => command.env_remove("FAILPOINTS"),
        };
        let child = command.spawn().context("cannot start the gateway")?;
        Ok(Self { child, address: String::new() })
    }

    /// Waits until it accepts connections.
    pub fn wait(&mut self, site: &Site) -> anyhow::Result<()> {
        let ready = site.dir.join("gateway.ready");
        let end = Instant::now() + READY;
        loop {
            if let Ok(text) = std::fs::read_to_string(&ready) {
                self.address = text.trim().to_owned();
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the gateway ended ({status}); see {}", site.log().display());
            }
            ensure!(Instant::now() < end, "the gateway is not ready after {READY:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// True while it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end, and waits.
    pub fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait()?;
        ensure!(status.success(), "the gateway ended with {status}");
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
