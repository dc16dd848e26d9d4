//! Why: lists on the panel keep their rows while only some of them change, so that a finger on a row
//! and the place scrolled to survive a change elsewhere.
//!
//! Refuses: knowing what the rows mean.

use super::flat::Flat;
use crate::generated as g;
use slint::{ComponentHandle, Model, ModelRc, SharedString, VecModel};
use std::rc::Rc;

type List<T> = Rc<VecModel<T>>;

/// Every list of the panel.
pub struct Rows {
    actions: List<g::ActionData>,
    degraded: List<g::Degradation>,
    tiles: List<g::TileData>,
    suggestions: List<g::TileData>,
    path: List<g::TileData>,
    candidates: List<SharedString>,
    services: List<g::ServiceData>,
    papers: List<g::PaperData>,
    review_services: List<SharedString>,
    lines: List<g::LineData>,
    photographs: List<g::LineData>,
    steps: List<g::StepData>,
    cases: List<g::ProgressRow>,
    devices: List<g::DeviceData>,
    test_lines: List<g::TestLine>,
    grid: List<bool>,
}

impl Rows {
    /// Empty lists, given to the window once.
    pub fn attach(window: &g::AppWindow) -> Self {
        let view = window.global::<g::View>();
        Self {
            actions: list(|model| view.set_actions(model)),
            degraded: list(|model| view.set_degraded(model)),
            tiles: list(|model| view.set_tiles(model)),
            suggestions: list(|model| view.set_suggestions(model)),
            path: list(|model| view.set_path(model)),
            candidates: list(|model| view.set_candidates(model)),
            services: list(|model| view.set_services(model)),
            papers: list(|model| view.set_papers(model)),
            review_services: list(|model| view.set_review_services(model)),
            lines: list(|model| view.set_lines(model)),
            photographs: list(|model| view.set_photographs(model)),
            steps: list(|model| view.set_steps(model)),
            cases: list(|model| view.set_cases(model)),
            devices: list(|model| view.set_devices(model)),
            test_lines: list(|model| view.set_test_lines(model)),
            grid: list(|model| view.set_grid(model)),
        }
    }

    /// Shows candidates of what is being written.
    pub fn set_candidates(&self, candidates: &[SharedString]) {
        sync(&self.candidates, candidates);
    }

    /// Brings every list to what `flat` says.
    pub fn update(&self, flat: &Flat) {
        sync(&self.actions, &flat.actions);
        sync(&self.degraded, &flat.degraded);
        sync(&self.tiles, &flat.tiles);
        sync(&self.suggestions, &flat.suggestions);
        sync(&self.path, &flat.path);
        sync(&self.services, &flat.services);
        sync(&self.papers, &flat.papers);
        sync(&self.review_services, &flat.review_services);
        sync(&self.lines, &flat.lines);
        sync(&self.photographs, &flat.photographs);
        sync(&self.steps, &flat.steps);
        sync(&self.cases, &flat.cases);
        sync(&self.devices, &flat.devices);
        sync(&self.test_lines, &flat.test_lines);
        sync(&self.grid, &flat.grid);
    }
}

fn list<T: Clone + 'static>(give: impl FnOnce(ModelRc<T>)) -> List<T> {
    let list = Rc::new(VecModel::default());
    give(ModelRc::from(Rc::clone(&list)));
    list
}

fn sync<T: Clone + PartialEq + 'static>(list: &VecModel<T>, wanted: &[T]) {
    while list.row_count() > wanted.len() {
        list.remove(list.row_count() - 1);
    }
    for (row, value) in wanted.iter().enumerate() {
        match list.row_data(row) {
            None => list.push(value.clone()),
            Some(shown) if shown != *value => list.set_row_data(row, value.clone()),
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_whatever_the_length() {
        let list = VecModel::default();
        for wanted in [vec![1, 2, 3], vec![1, 9], vec![], vec![4]] {
            sync(&list, &wanted);
            assert_eq!(list.iter().collect::<Vec<i32>>(), wanted);
        }
    }
}
