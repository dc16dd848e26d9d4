//! Why: around one terminal a whole small world: a site with its authority, a gateway and every
//! device, each a process of its own as in the field, none of them outliving the demonstration.
//!
//! Refuses: to pretend. The processes are the product's own programs, and they are spoken to over
//! TLS, pseudo-terminals and sockets.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use provisioning::{InitSite, Words, init_site};

/// PIN of staff in the demonstration.
pub const PIN: &str = "135790";
/// How long a program may take to be ready.
const READY: Duration = Duration::from_secs(20);
const CONTROL: Duration = Duration::from_secs(5);

/// A process that ends with its owner: its standard input closes, and it is waited for.
struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    fn start(name: &'static str, command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| {
                format!("cannot start {name}; build all programs with `cargo build --workspace`")
            })?;
        Ok(Self { name, child })
    }

    fn alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended early ({status})", self.name),
        }
    }

    /// Peak memory of the process so far, in kilobytes.
    fn peak_kb(&self) -> Option<u64> {
        let file = std::fs::File::open(format!("/proc/{}/status", self.child.id())).ok()?;
        BufReader::new(file).lines().map_while(Result::ok).find_map(|line| {
            line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok()
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gateway, devices and site of one demonstration.
pub struct Neighbourhood {
    programs: PathBuf,
    out: PathBuf,
    catalog: PathBuf,
    ports: Ports,
    gateway: Option<Process>,
    /// Address of the gateway.
    pub gateway_url: String,
    /// Highest memory of the gateway seen, in kilobytes.
    pub gateway_peak_kb: u64,
    _devices: Vec<Process>,
    /// Configuration of the terminal.
    pub config: PathBuf,
}

/// Pseudo-terminals and control sockets live in a short path of their own: the name of a Unix
/// socket has room for about a hundred characters.
struct Ports(PathBuf);

impl Ports {
    fn make() -> anyhow::Result<Self> {
        let name = format!("ronggui-{}-{}", std::process::id(), uuid::Uuid::now_v7().simple());
        let dir = std::env::temp_dir().join(&name[..name.len().min(40)]);
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(Self(dir))
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        // Links, sockets and the drawn specimens: nothing worth keeping, and nothing of a person.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Devices that the demonstration simulates, by the names that visits use.
pub const DEVICES: [&str; 6] =
    ["reader", "printer", "document-camera", "portrait-camera", "panel", "scanner"];

impl Neighbourhood {
    /// Makes the site under `out` and starts everything but the terminal.
    pub fn start(out: &Path, catalog: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
        let programs = programs()?;
        let ports = Ports::make()?;
        let catalog = std::path::absolute(catalog)?;
        let data = out.join("gateway");
        let keygen = Command::new(programs.join("gateway"))
            .args(["keygen", "--json", "--data"])
            .arg(&data)
            .arg("--catalog")
            .arg(&catalog)
            .output()
            .context("cannot start gateway; build all programs with `cargo build --workspace`")?;
        ensure!(
            keygen.status.success(),
            "gateway keygen failed: {}",
            String::from_utf8_lossy(&keygen.stderr).trim()
        );
        let site =
            init_site(&site(out, &data, &catalog, &ports.0), jiff::Timestamp::now(), |_| {})?;
        let config = site
            .terminals
            .first()
            .map(|terminal| terminal.config.clone())
            .context("the site has no terminal")?;

        let mut devices = Vec::new();
        for name in DEVICES {
            devices.push(start_device(&programs, &ports.0, out, name)?);
        }
        let mut neighbourhood = Self {
            programs,
            out: out.to_owned(),
            catalog,
            ports,
            gateway: None,
            gateway_url: String::new(),
            gateway_peak_kb: 0,
            _devices: devices,
            config,
        };
        neighbourhood.start_gateway()?;
        neighbourhood.point_terminal_at_gateway()?;
        for name in DEVICES {
            neighbourhood.wait_for_device(name)?;
        }
        Ok(neighbourhood)
    }

    /// Data folder of the gateway.
    pub fn gateway_data(&self) -> PathBuf {
        self.out.join("gateway")
    }

    /// A folder that goes when the demonstration ends.
    pub fn scratch(&self) -> &Path {
        &self.ports.0
    }

    /// Starts the gateway, on the address it had before if it had one.
    pub fn start_gateway(&mut self) -> anyhow::Result<()> {
        let ready = self.ports.0.join("gateway.ready");
        let _ = std::fs::remove_file(&ready);
        let listen = match self.gateway_url.strip_prefix("https://") {
            Some(address) => address.to_owned(),
            None => "127.0.0.1:0".to_owned(),
        };
        let mut process = Process::start(
            "gateway",
            Command::new(self.programs.join("gateway"))
                .args(["serve", "--until-stdin-closes", "--listen", &listen, "--data"])
                .arg(self.gateway_data())
                .arg("--catalog")
                .arg(&self.catalog)
                .arg("--ready-file")
                .arg(&ready),
            &self.out.join("gateway.log"),
        )?;
        let end = Instant::now() + READY;
        let address = loop {
            if let Ok(address) = std::fs::read_to_string(&ready)
                && !address.trim().is_empty()
            {
                break address.trim().to_owned();
            }
            process
                .alive()
                .with_context(|| format!("look into {}", self.out.join("gateway.log").display()))?;
            ensure!(Instant::now() < end, "the gateway is not ready after {READY:?}");
            std::thread::sleep(Duration::from_millis(20));
        };
        self.gateway_url = format!("https://{address}");
        self.gateway = Some(process);
        Ok(())
    }

    /// Stops the gateway, as a power cut in the computer room does.
    pub fn stop_gateway(&mut self) {
        self.note_memory();
        self.gateway = None;
    }

    /// Remembers the gateway's peak memory.
    pub fn note_memory(&mut self) {
        if let Some(peak) = self.gateway.as_ref().and_then(Process::peak_kb) {
            self.gateway_peak_kb = self.gateway_peak_kb.max(peak);
        }
    }

    fn point_terminal_at_gateway(&self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.config)?;
        let pointed: String = text
            .lines()
            .map(|line| match line.starts_with("url = ") {
                true => format!("url = \"{}\"\n", self.gateway_url),
                false => format!("{line}\n"),
            })
            .collect();
        std::fs::write(&self.config, pointed)?;
        Ok(())
    }

    /// Control socket of a device.
    pub fn socket(&self, device: &str) -> PathBuf {
        socket(&self.ports.0, device)
    }

    fn wait_for_device(&self, device: &str) -> anyhow::Result<()> {
        let end = Instant::now() + READY;
        loop {
            match hal::control::ask(&self.socket(device), "state", CONTROL) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > end => {
                    bail!("the simulated {device} is not ready: {error}")
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Says one command to a device, or `stop`/`start` to the gateway.
    pub fn command(&mut self, device: &str, command: &str) -> anyhow::Result<String> {
        match (device, command) {
            ("gateway", "stop") => {
                self.stop_gateway();
                Ok(String::new())
            }
            ("gateway", "start") => self.start_gateway().map(|()| String::new()),
            ("gateway", other) => bail!("the gateway knows `stop` and `start`, not `{other}`"),
            ("storage", "fill") => self.fill_storage().map(|()| String::new()),
            ("storage", "free") => Ok(std::fs::remove_file(self.filler()).map(|()| String::new())?),
            ("storage", other) => bail!("the storage knows `fill` and `free`, not `{other}`"),
            (device, command) => hal::control::ask(&self.socket(device), command, CONTROL)
                .with_context(|| format!("{device}: {command}")),
        }
    }
}

impl Neighbourhood {
    fn filler(&self) -> PathBuf {
        self.out.join("site/kiosk-01/queue/filler")
    }

    /// Fills the disk of the terminal's queue to the last byte: only where that is a small file
    /// system of its own, never the disk of whoever tries this out.
    fn fill_storage(&self) -> anyhow::Result<()> {
        let path = self.filler();
        let dir = path.parent().context("the queue has no folder")?;
        let stat = rustix::fs::statvfs(dir).with_context(|| dir.display().to_string())?;
        let size = stat.f_blocks.saturating_mul(stat.f_frsize);
        ensure!(
            size <= LARGEST_FILLED,
            "{} is no small file system of its own; mount one there to try a full disk",
            dir.display()
        );
        let mut file = std::fs::File::create(&path)?;
        let block = vec![0u8; 1 << 16];
        loop {
            match std::io::Write::write_all(&mut file, &block) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error).with_context(|| path.display().to_string()),
            }
        }
    }
}

/// Largest file system that the fault "storage full" fills.
const LARGEST_FILLED: u64 = 512 << 20;

fn socket(ports: &Path, device: &str) -> PathBuf {
    ports.join(format!("{device}.sock"))
}

fn start_device(
    programs: &Path,
    ports: &Path,
    out: &Path,
    name: &'static str,
) -> anyhow::Result<Process> {
    let mut command = Command::new(programs.join("devices"));
    command.args(["simulate", "--until-stdin-closes"]);
    let place = ports.join(name);
    match name {
        "reader" | "scanner" => command.arg(name).arg("--link").arg(place),
        "printer" => {
            command.arg("printer").arg("--link").arg(place).arg("--out").arg(out.join("printer"))
        }
        "panel" => command.arg("panel").arg("--dir").arg(place),
        _ => command.arg("camera").arg("--dir").arg(place),
    };
    command.arg("--control").arg(socket(ports, name));
    Process::start(name, &mut command, &out.join("devices.log"))
}

fn site(out: &Path, data: &Path, catalog: &Path, ports: &Path) -> InitSite {
    InitSite {
        out: out.join("site"),
        gateway_data: data.to_owned(),
        gateway_url: "https://127.0.0.1:8443".into(),
        gateway_hosts: vec!["127.0.0.1".into(), "localhost".into()],
        center: Words {
            zh: "样本区退役军人服务中心".into(),
            en: "Specimen District Veteran Service Center".into(),
        },
        address: Words { zh: "样本路1号".into(), en: "1 Specimen Road".into() },
        phone: "028-00000000".into(),
        region: "510106".into(),
        catalog: catalog.to_owned(),
        terminals: 1,
        simulated: Some(ports.to_owned()),
        pin: PIN.into(),
    }
}

/// Where the other programs are: beside this one, or one folder up when this is a test.
fn programs() -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe().context("where is this program?")?;
    let dir = here.parent().context("this program lies in no folder")?;
    let up = dir.parent().unwrap_or(dir);
    [dir, up]
        .into_iter()
        .find(|dir| dir.join("devices").is_file() && dir.join("gateway").is_file())
        .map(Path::to_owned)
        .with_context(|| {
            format!(
                "no `devices` and `gateway` beside {}; build all programs with `cargo build --workspace`",
                here.display()
            )
        })
}
