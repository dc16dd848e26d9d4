//! Why: answering, key by key and tile by tile, as fingers do it.
//!
//! Refuses: to answer what the visit does not answer.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use ui::view_model::{Input, Keyboard, ManualStep, Page, QuestionPage, Tile};

use super::{PATIENCE, Visitor};
use crate::demo::visit::Sitting;
use crate::demo::world::PIN;

impl Visitor<'_> {
    pub(super) fn manual(&mut self) -> anyhow::Result<()> {
        let card = hal::reader::specimen::load(&self.visit.card)?;
        let Page::ManualIdentity(page) = &self.view()?.page else { return Ok(()) };
        match page.step {
            ManualStep::Number => self.keys(card.number.as_str())?,
            ManualStep::Name => self.stage.type_text(card.name.as_str()),
            ManualStep::Unlock => self.keys(PIN)?,
        }
        self.pump(Duration::from_millis(50));
        self.tap_and_leave("btn-next")
    }

    fn keys(&mut self, text: &str) -> anyhow::Result<()> {
        for character in text.chars() {
            self.stage.tap(&format!("key:{}", character.to_lowercase()))?;
        }
        self.pump(Duration::from_millis(50));
        Ok(())
    }

    pub(super) fn question(
        &mut self,
        sitting: &Sitting,
        page: &QuestionPage,
    ) -> anyhow::Result<()> {
        let answer = sitting
            .profile
            .get(&page.key)
            .or_else(|| sitting.answers.get(&page.key))
            .cloned()
            .with_context(|| {
                format!("the visit has no answer to “{}” ({})", page.key, page.title)
            })?;
        self.used.insert(page.key.clone());
        let before = self.key();
        let suggestions: &[Tile] = match &page.input {
            Input::Choice(_) => &[],
            Input::Text { suggestions, .. }
            | Input::Date { suggestions, .. }
            | Input::Region { suggestions, .. } => suggestions,
        };
        if matches!(answer.as_str(), "suggested" | "not-sure") {
            let tile = suggestions.first().context("nothing is suggested here")?;
            return self.tap_and_leave(&format!("suggestion:{}", tile.id));
        }
        match &page.input {
            Input::Choice(_) => {
                self.stage.tap(&format!("tile:{answer}"))?;
                self.pump(Duration::from_millis(50));
            }
            Input::Text { keyboard: Keyboard::Text | Keyboard::Name | Keyboard::Place, .. } => {
                self.stage.type_text(&answer);
                self.pump(Duration::from_millis(50));
            }
            Input::Text { .. } => self.keys(&answer)?,
            Input::Date { .. } => self.date(&answer)?,
            Input::Region { .. } => self.region(&answer)?,
        }
        if self.key() == before {
            self.picture(&format!("{before}-answered"))?;
            self.tap_and_leave("btn-next")?;
        }
        Ok(())
    }

    fn date(&mut self, answer: &str) -> anyhow::Result<()> {
        let wanted: jiff::civil::Date = answer.parse().context("a date is YYYY-MM-DD")?;
        // The page opens on its years, unless it is being changed.
        if !self.stage.is_open("year-earlier") && !self.stage.is_open("year-later") {
            self.stage.tap("date-year")?;
        }
        let year = format!("year:{}", wanted.year());
        for way in ["year-earlier", "year-later"] {
            while self.stage.find(&year).is_none() && self.stage.is_open(way) {
                self.stage.tap(way)?;
            }
        }
        for id in [year, format!("month:{}", wanted.month()), format!("day:{}", wanted.day())] {
            self.stage.tap(&id)?;
            self.pump(Duration::from_millis(15));
        }
        Ok(())
    }

    fn region(&mut self, answer: &str) -> anyhow::Result<()> {
        let path: Vec<String> = self
            .runtime
            .world()
            .catalog
            .regions()
            .path(answer)
            .into_iter()
            .map(str::to_owned)
            .collect();
        ensure!(!path.is_empty(), "there is no region {answer}");
        for code in path {
            let Page::Question(QuestionPage { input: Input::Region { options, path, .. }, .. }) =
                &self.view()?.page
            else {
                break;
            };
            // A question confined to one province starts inside it.
            if !options.iter().any(|tile| tile.id == code) {
                continue;
            }
            let depth = path.len();
            self.stage.tap(&format!("tile:{code}"))?;
            self.wait("the next list", PATIENCE, |v| {
                !matches!(v.view().map(|view| &view.page), Ok(Page::Question(QuestionPage {
                    input: Input::Region { path, .. }, ..
                })) if path.len() == depth)
            })?;
        }
        Ok(())
    }
}
