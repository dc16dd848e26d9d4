//! Why: the terminal's only way to the outside: sealed files go to the gateway, progress comes
//! back. Both sides show certificates of the one pinned authority.
//!
//! Refuses: any other authority, any redirect, and to call something delivered without a receipt
//! whose signature it has checked.

mod backoff;
mod client;
mod tus;
mod uploader;

pub use backoff::{Backoff, delay};
pub use client::{GatewayClient, LinkError};
pub use uploader::{Uploader, UploaderEvent};
