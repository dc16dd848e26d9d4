//! Why: whoever can reach the gateway can send it a file. What a reader spends on a file is
//! decided here, before the file is believed.
//!
//! Refuses: nothing itself; the readers compare.

/// What a reader is willing to spend on one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole sealed file.
    pub max_bytes: u64,
    /// Bytes of the header.
    pub max_header_bytes: u32,
    /// Bytes of `manifest.json`.
    pub max_manifest_bytes: u64,
    /// Files beside the manifest.
    pub max_attachments: usize,
    /// Bytes of one such file.
    pub max_attachment_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 256 << 20,
            max_header_bytes: 8 << 10,
            max_manifest_bytes: 4 << 20,
            max_attachments: 200,
            max_attachment_bytes: 64 << 20,
        }
    }
}
