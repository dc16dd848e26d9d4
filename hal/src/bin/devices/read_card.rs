//! Why: whether a reader reads is shown by a card, and most cards belong to somebody.
//!
//! Refuses: to show what stands on the card without `--show`.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use clap::Args;
use hal::contract::DeviceStatus;
use hal::profile::Role;
use hal::reader::{Identity, ReaderEvent, ReaderOptions, spawn_reader};
use hal::supervise::Plugs;
use serde_json::json;

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::{self, PortArgs, RecordArgs};

#[derive(Debug, Args)]
pub struct ReadCard {
    #[command(flatten)]
    port: PortArgs,
    #[command(flatten)]
    record: RecordArgs,
    /// How long to wait for a card, in seconds.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
    /// Show what stands on the card; without it only kind and validity are shown.
    #[arg(long)]
    show: bool,
}

impl ReadCard {
    pub fn run(&self, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
        let profile = place::profile(file, &self.port, Role::Reader)?;
        place::there(&profile, Role::Reader)?;
        let Some(device) = &profile.reader else { return Ok(Exit::Usage) };
        let (sender, events) = channel();
        let reader = spawn_reader(
            self.record.wrap(Role::Reader, device.open())?,
            ReaderOptions { presence: None, ..device.options(&Plugs::none()) },
            Box::new(move |event| drop(sender.send(event))),
        );
        reader.arm();
        let deadline = Instant::now() + Duration::from_secs(self.timeout);
        loop {
            match output.next(&events, deadline, "card")? {
                ReaderEvent::Status(status) => {
                    let text = |words: &str| format!("{words}: {}", output.status(status));
                    output.say(
                        &text("身份证阅读器"),
                        &text("reader"),
                        &json!({ "status": status }),
                    );
                    if status == DeviceStatus::Online {
                        output.remark(
                            &format!("请放卡（{} 秒内）", self.timeout),
                            &format!("lay a card on the reader ({} s)", self.timeout),
                        );
                    }
                }
                ReaderEvent::Module { sam_id } => {
                    let value = json!({ "module": sam_id });
                    output.say(&format!("模块编号 {sam_id}"), &format!("module {sam_id}"), &value);
                }
                ReaderEvent::CardFound => {
                    let value = json!({ "event": "card_found" });
                    output.say("发现卡片，请勿拿开", "card found", &value);
                }
                ReaderEvent::Read(identity) => {
                    self.tell(&identity, output);
                    return Ok(Exit::Fine);
                }
                ReaderEvent::Failed(error) => return Err(Failure::of(&error)),
                _ => {}
            }
        }
    }

    fn tell(&self, identity: &Identity, output: &Output) {
        let until = identity.valid_until.map_or_else(|| "长期".to_owned(), |day| day.to_string());
        let from = identity.valid_from.map(|day| day.to_string()).unwrap_or_default();
        let verifies = identity.number_verifies();
        let today = clock::now().date();
        let mut value = json!({
            "kind": format!("{:?}", identity.kind),
            "valid_from": from,
            "valid_until": until,
            "expired": identity.expired(today),
            "number_verifies": verifies,
            "photo_bytes": identity.photo.expose().len(),
        });
        let mut zh = format!(
            "{:?}，有效期 {from} 至 {until}{}，号码校验{}",
            identity.kind,
            if identity.expired(today) { "（已过期）" } else { "" },
            if verifies { "通过" } else { "不通过" },
        );
        let mut en = format!(
            "{:?}, valid {from} to {until}{}, the number {}",
            identity.kind,
            if identity.expired(today) { " (expired)" } else { "" },
            if verifies { "verifies" } else { "does not verify" },
        );
        if !identity.doubtful.is_empty() {
            zh.push_str(&format!("，存疑：{:?}", identity.doubtful));
            en.push_str(&format!(", doubtful: {:?}", identity.doubtful));
            value["doubtful"] = json!(format!("{:?}", identity.doubtful));
        }
        if self.show {
            let birth = identity.birth.as_ref().map_or("", |birth| birth.as_str());
            let all = format!(
                "\n{} {}\nsex {}, ethnic group {}, born {birth}\n{}\n{}\n{}",
                identity.name.as_str(),
                identity.english_name.as_str(),
                identity.sex.0,
                identity.ethnicity.as_str(),
                identity.address.as_str(),
                identity.number.as_str(),
                identity.issuer.as_str(),
            );
            zh.push_str(&all);
            en.push_str(&all);
            value["name"] = json!(identity.name.as_str());
            value["english_name"] = json!(identity.english_name.as_str());
            value["sex"] = json!(identity.sex.0);
            value["ethnicity"] = json!(identity.ethnicity.as_str());
            value["birth"] = json!(birth);
            value["address"] = json!(identity.address.as_str());
            value["number"] = json!(identity.number.as_str());
            value["issuer"] = json!(identity.issuer.as_str());
        }
        output.say(&zh, &en, &value);
    }
}
