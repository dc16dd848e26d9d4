//! `provision`: makes device identities and site configurations.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use provisioning::{InitSite, Words, init_site, keygen};

#[derive(Parser)]
#[command(
    name = "provision",
    version,
    about = "制作终端身份与站点配置 · Make device identities and site configurations",
    after_help = "Examples:\n  \
        gateway keygen --data /var/lib/ronggui-gateway\n  \
        provision init-site --out site --gateway-data /var/lib/ronggui-gateway \\\n      \
            --gateway-url https://gateway.example:8443 --gateway-host gateway.example \\\n      \
            --region 510106 --center 样本区退役军人服务中心 --pin 135790\n  \
        provision keygen --out /var/lib/ronggui/identity"
)]
struct Cli {
    /// Print machine-readable JSON instead of words.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// 生成本机身份密钥 · Make the identity of this device (a private key that never leaves it)
    Keygen {
        /// Folder for `device.key.pem`.
        #[arg(long)]
        out: PathBuf,
    },
    /// 初始化站点 · Make a site: authority, gateway certificate, terminals with their configuration
    InitSite(Box<Site>),
}

#[derive(clap::Args)]
struct Site {
    /// Folder to make.
    #[arg(long)]
    out: PathBuf,
    /// Data folder of the gateway, after `gateway keygen`.
    #[arg(long)]
    gateway_data: PathBuf,
    /// Address under which terminals reach the gateway.
    #[arg(long, default_value = "https://127.0.0.1:8443")]
    gateway_url: String,
    /// Host names and addresses for the gateway's certificate.
    #[arg(long = "gateway-host", default_values_t = ["localhost".to_owned(), "127.0.0.1".to_owned()])]
    gateway_hosts: Vec<String>,
    /// Name of the center, Chinese.
    #[arg(long, default_value = "样本区退役军人服务中心")]
    center: String,
    /// Name of the center, English.
    #[arg(long, default_value = "Specimen District Veteran Service Center")]
    center_en: String,
    /// Address of the center, Chinese.
    #[arg(long, default_value = "样本路1号")]
    address: String,
    /// Address of the center, English.
    #[arg(long, default_value = "1 Specimen Road")]
    address_en: String,
    /// Telephone of the service desk.
    #[arg(long, default_value = "028-00000000")]
    phone: String,
    /// Region code of the county, six digits.
    #[arg(long, default_value = "510106")]
    region: String,
    /// Catalogue folder of the province.
    #[arg(long, default_value = "catalog/data/sichuan")]
    catalog: PathBuf,
    /// How many terminals.
    #[arg(long, default_value_t = 1)]
    terminals: u32,
    /// Bind the devices to simulators that publish their ports in this folder.
    #[arg(long)]
    simulated: Option<PathBuf>,
    /// PIN of staff, at least six digits.
    #[arg(long)]
    pin: String,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if cli.json => {
            println!("{}", serde_json::json!({ "error": format!("{error:#}") }));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("provision: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    match &cli.command {
        Command::Keygen { out } => {
            let (key, _) = keygen::keygen(out)?;
            let device_id = key.device_id().to_string();
            let fingerprint = keygen::fingerprint(&device_id);
            if cli.json {
                println!(
                    "{}",
                    serde_json::json!({
                        "device_id": device_id,
                        "fingerprint": fingerprint,
                        "key": out.join(keygen::KEY_FILE),
                    })
                );
            } else {
                println!("设备编号 device id    {device_id}");
                println!("指纹     fingerprint  {fingerprint}");
                println!("私钥     private key  {}", out.join(keygen::KEY_FILE).display());
            }
        }
        Command::InitSite(site) => {
            let request = InitSite {
                out: site.out.clone(),
                gateway_data: site.gateway_data.clone(),
                gateway_url: site.gateway_url.clone(),
                gateway_hosts: site.gateway_hosts.clone(),
                center: Words { zh: site.center.clone(), en: site.center_en.clone() },
                address: Words { zh: site.address.clone(), en: site.address_en.clone() },
                phone: site.phone.clone(),
                region: site.region.clone(),
                catalog: std::path::absolute(&site.catalog)?,
                terminals: site.terminals,
                simulated: site.simulated.as_ref().map(std::path::absolute).transpose()?,
                pin: site.pin.clone(),
            };
            let made = init_site(&request, jiff::Timestamp::now(), |step| {
                if !cli.json {
                    println!("… {step}");
                }
            })?;
            if cli.json {
                println!("{}", serde_json::to_string_pretty(&made)?);
            } else {
                println!("网关证书 gateway TLS  {}", made.gateway_tls.display());
                for terminal in &made.terminals {
                    println!(
                        "终端     terminal     {}  {}",
                        terminal.fingerprint,
                        terminal.config.display()
                    );
                }
                println!("Keep {} offline.", site.out.join("ca/ca.key.pem").display());
            }
        }
    }
    Ok(())
}
