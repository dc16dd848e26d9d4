//! Why: the panel shows a typed character at once, while the core answers a moment later. When two
//! keys follow quickly, the answer to the first arrives after the second was typed; showing it would
//! swallow the second.
//!
//! Refuses: guessing. An answer that was not sent from here is the core's own word and is shown.

use std::collections::VecDeque;

/// Values sent to the core that it has not shown yet.
pub struct Echo<T>(VecDeque<T>);

impl<T> Default for Echo<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: PartialEq> Echo<T> {
    /// A value is on its way to the core.
    pub fn sent(&mut self, value: T) {
        self.0.push_back(value);
    }

    /// The core shows `value`; true when the panel must show it too.
    pub fn settle(&mut self, value: &T) -> bool {
        match self.0.iter().position(|sent| sent == value) {
            Some(place) => {
                self.0.drain(..=place);
                self.0.is_empty()
            }
            None => {
                self.0.clear();
                true
            }
        }
    }

    /// Another page or question: nothing is awaited any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_does_not_swallow_the_next_key() {
        let mut echo = Echo::default();
        echo.sent("1");
        echo.sent("12");
        assert!(!echo.settle(&"1"));
        assert!(echo.settle(&"12"));
    }

    #[test]
    fn the_core_has_the_last_word() {
        let mut echo = Echo::default();
        echo.sent("1a");
        assert!(echo.settle(&"1"), "a refused character is taken back");
        assert!(echo.settle(&"1"), "and nothing is awaited afterwards");
    }

    #[test]
    fn skipped_answers_are_not_awaited() {
        let mut echo = Echo::default();
        for value in ["1", "12", "123"] {
            echo.sent(value);
        }
        assert!(echo.settle(&"123"));
        assert!(echo.settle(&""));
    }
}
