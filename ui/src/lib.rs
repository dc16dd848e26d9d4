//! Why: the screens of the terminal, and the one place that knows Slint. The core hands over a
//! [`view_model::ViewModel`]; what a person touches comes back as an [`intent::Intent`].
//!
//! Refuses: decisions. Nothing here knows what a visit is, keeps an answer longer than the panel
//! shows it, or words a sentence in Rust (sentences stand in `slint/`, translations in `lang/`).
//!
//! Text on a panel passes through Slint's own strings, which cannot be zeroized; [`Screen::wipe`]
//! replaces all of them, and the elements that held them are dropped with their page.

mod bind;
pub mod elements;
pub mod intent;
pub mod view_model;

mod generated {
    #![allow(missing_docs, unsafe_code, unreachable_pub)]
    #![allow(clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::todo)]
    slint::include_modules!();
}

pub use bind::{Screen, qr_image};
pub use generated::AppWindow;
