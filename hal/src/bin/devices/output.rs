//! Why: each answer exists once, as a value; people read it as lines, programs as JSON.

use hal::contract::{Discovery, Recoverable};
use serde_json::{Value, json};

/// How answers are written.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// A sentence for people or a value for programs.
    pub fn say(&self, text: &str, value: &Value) {
        if self.json {
            println!("{value}");
        } else if !text.is_empty() {
            println!("{text}");
        }
    }

    /// What a simulator answered; some answers are JSON already.
    pub fn answer(&self, answer: &str) {
        let value = serde_json::from_str(answer).unwrap_or_else(|_| json!(answer));
        self.say(answer, &json!({ "ok": value }));
    }

    pub fn discovery(&self, kind: &str, discovery: &Discovery) {
        let text = match discovery {
            Discovery::Found { path, description } => {
                format!("{kind}: {} ({description})", path.display())
            }
            Discovery::NoPermission { path, cure } => {
                format!("{kind}: {} may not be opened. {cure}", path.display())
            }
            Discovery::Absent { looked_for } => format!("{kind}: {looked_for} was not found"),
        };
        let mut value = serde_json::to_value(discovery).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("kind".to_owned(), json!(kind));
        }
        self.say(&text, &value);
    }
}

/// An error with its cure, as the last line of a command.
pub fn failed<E: Recoverable + std::fmt::Display>(error: &E) -> anyhow::Error {
    anyhow::anyhow!("{error} [{}]. {}", error.code(), error.cure())
}
