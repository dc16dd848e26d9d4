//! Why: each answer exists once, as a value; people read it as lines in their language, programs as
//! JSON, one value a line.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use hal::contract::{DeviceStatus, Discovery};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::words::Lang;

/// How answers are written, and whether the person wants the end.
#[derive(Debug, Clone)]
pub struct Output {
    json: bool,
    pub lang: Lang,
    colour: bool,
    stop: Arc<AtomicBool>,
}

/// How often it is looked whether the person wants the end.
const SLICE: Duration = Duration::from_millis(100);

impl Output {
    pub fn new(json: bool, lang: Lang, stop: Arc<AtomicBool>) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = std::io::stdout().is_terminal() && !plain && !json;
        Self { json, lang, colour, stop }
    }

    /// A sentence for people, in their language, or a value for programs.
    pub fn say(&self, zh: &str, en: &str, value: &Value) {
        if self.json {
            println!("{value}");
        } else {
            let text = self.lang.pick(zh, en);
            if !text.is_empty() {
                println!("{text}");
            }
        }
    }

    /// The same text in both languages.
    pub fn say_same(&self, text: &str, value: &Value) {
        self.say(text, text, value);
    }

    /// A line for people alone.
    pub fn remark(&self, zh: &str, en: &str) {
        if !self.json {
            println!("{}", self.lang.pick(zh, en));
        }
    }

    /// What a simulator answered; some answers are JSON already.
    pub fn answer(&self, answer: &str) {
        let value = serde_json::from_str(answer).unwrap_or_else(|_| json!(answer));
        self.say_same(answer, &json!({ "ok": value }));
    }

    /// A state in its colour, on a terminal that has one.
    pub fn status(&self, status: DeviceStatus) -> String {
        let colour = match status {
            DeviceStatus::Online => 32,
            DeviceStatus::Starting | DeviceStatus::Busy | DeviceStatus::UserError => 33,
            _ => 31,
        };
        self.painted(&self.lang.status(status), colour)
    }

    pub fn painted(&self, text: &str, colour: u8) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// One thing that was looked for. `name` is in the person's language, `key` goes to programs.
    pub fn discovery(&self, name: &str, key: (&str, &str), discovery: &Discovery) {
        let (zh, en) = match discovery {
            Discovery::Found { path, description } => {
                let text = match description.as_str() {
                    "" => format!("{name}: {}", path.display()),
                    words => format!("{name}: {} ({words})", path.display()),
                };
                (text.clone(), text)
            }
            Discovery::NoPermission { path, cure } => {
                let path = path.display();
                (
                    format!("{name}: {path} 没有权限打开\n  {cure}"),
                    format!("{name}: {path} may not be opened. {cure}"),
                )
            }
            Discovery::Absent { looked_for } => (
                format!("{name}: 没有找到 {looked_for}"),
                format!("{name}: {looked_for} was not found"),
            ),
        };
        let mut value = serde_json::to_value(discovery).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert(key.0.to_owned(), json!(key.1));
        }
        self.say(&zh, &en, &value);
    }

    /// The last words of a command that failed.
    pub fn failed(&self, failure: &Failure) {
        if self.json {
            println!("{}", json!({ "error": failure.value() }));
        }
        let Failure { code, message, cure, recovery, .. } = failure;
        match self.lang {
            Lang::Zh => {
                let (what, who) = (Lang::fault(code, *recovery), Lang::who(*recovery));
                eprintln!("devices：{what}，{who}。[{code}]\n  {message}");
                if !cure.is_empty() {
                    eprintln!("  {cure}");
                }
            }
            Lang::En => {
                let space = if cure.is_empty() { "" } else { " " };
                eprintln!("devices: {message} [{code}].{space}{cure}");
            }
        }
    }

    /// True once the person has pressed Ctrl-C.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits for the next event; `what` is what the person waits for.
    pub fn next<T>(
        &self,
        events: &Receiver<T>,
        deadline: Instant,
        what: &str,
    ) -> Result<T, Failure> {
        loop {
            if self.stopped() {
                return Err(Failure::interrupted());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match events.recv_timeout(left.min(SLICE)) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {}
                Err(_) => return Err(Failure::timeout(what)),
            }
        }
    }
}
