//! Why: a character that no font has would be an empty box, or nothing at all, in the middle of
//! somebody's name. It is shown as its number in brackets, which staff can read out and look up; what
//! is stored and sealed stays the character itself.
//!
//! Refuses: to touch common characters. Only those are asked about that a font may well lack.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use slint::SharedString;

/// Says whether some font of the panel has a character.
pub type Has = Rc<dyn Fn(char) -> bool>;

#[derive(Default)]
struct Fonts {
    has: Option<Has>,
    asked: HashMap<char, bool>,
}

thread_local! {
    // A thread has one panel, and every text on it passes here.
    static FONTS: RefCell<Fonts> = RefCell::default();
}

/// Asks `has` from now on; until then everything is taken as drawn.
pub(super) fn ask(has: Has) {
    FONTS.set(Fonts { has: Some(has), asked: HashMap::new() });
}

/// Characters that are in every Chinese font, and those that are no Chinese.
fn is_common(one: char) -> bool {
    let number = u32::from(one);
    number < 0x3400 || (0x4e00..=0x9fa5).contains(&number) || (0xff00..=0xffef).contains(&number)
}

fn can_be_drawn(one: char) -> bool {
    is_common(one)
        || FONTS.with_borrow_mut(|fonts| {
            let Some(has) = fonts.has.clone() else { return true };
            *fonts.asked.entry(one).or_insert_with(|| has(one))
        })
}

/// As the panel shows it: `王〔U+31350〕` where no font has the second character.
pub(super) fn text(value: &str) -> SharedString {
    if value.chars().all(can_be_drawn) {
        return value.into();
    }
    let mut shown = String::new();
    for one in value.chars() {
        if can_be_drawn(one) {
            shown.push(one);
        } else {
            shown.push_str(&format!("\u{3014}{}\u{3015}", ime::codepoint::write(one)));
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_of_no_font_is_its_number() {
        assert_eq!(text("王\u{31350}"), "王\u{31350}", "nobody was asked yet");
        ask(Rc::new(|one| one != '\u{31350}'));
        assert_eq!(text("王\u{31350}𠮷"), "王〔U+31350〕𠮷");
        assert_eq!(text("王建国 Wang 1，"), "王建国 Wang 1，");
    }

    #[test]
    fn each_character_is_asked_about_once() {
        let count = Rc::new(std::cell::Cell::new(0));
        let counted = Rc::clone(&count);
        ask(Rc::new(move |_| {
            counted.set(counted.get() + 1);
            false
        }));
        for _ in 0..5 {
            assert_eq!(text("㐀王"), "〔U+3400〕王");
        }
        assert_eq!(count.get(), 1);
    }
}
