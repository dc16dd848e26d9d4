//! Why: between the button 提交 and the department's inbox a submission crosses disks, sticks and
//! networks that nobody guards. This room turns a submission into one file that only the office
//! can open, that names the terminal which made it, and that shows every change made on the way.
//!
//! Refuses: to open on the terminal what the terminal sealed (there is no such key there), to
//! guess at a damaged file, to write anything unencrypted anywhere, and to invent a primitive.
//! HPKE (RFC 9180) comes from the `hpke` crate; signatures, hashes and randomness from `ring`.
//!
//! The format is described byte by byte in `docs/sealed-submission.md`.
//!
//! * [`seal()`] and [`seal_from`] write a file; they need the terminal's [`DeviceKey`] and the
//!   office's [`RecipientPublic`].
//! * [`verify`] checks structure, digest and signature without any secret: for the part of the
//!   gateway that faces the network, and for the terminal's own spool.
//! * [`open`] does that and decrypts: for the part of the gateway that holds the
//!   [`RecipientSecret`]. [`open_into`] does the same for files that are larger than memory.
//! * [`read_header`] lists a spool.
//! * [`SignedReceipt`] is the gateway's word that it has stored a file: the only thing on which a
//!   terminal may delete its copy.
//! * [`SignedBundle`] is the office's word which keys are its own and which to seal to.

#![forbid(unsafe_code)]

mod archive;
mod bundle;
mod cipher;
mod decrypt;
mod device;
mod digest;
mod entropy;
mod frames;
mod header;
mod identifiers;
mod intake;
mod limits;
mod manifest;
mod measured;
mod open;
mod receipt;
mod recipient;
mod refusal;
mod seal;
mod size_class;
mod suite;
mod unpack;

#[cfg(test)]
mod tests;

pub use archive::{Attachment, TarProblem};
pub use bundle::{
    BundleKey, BundleProblem, BundleRefusal, MAX_BUNDLE_BYTES, RecipientBundle, RootKey,
    RootPublic, SignedBundle, Succession,
};
pub use device::{DeviceKey, verify_signature};
pub use digest::{Digest, sha256};
pub use header::{Header, SealedHeader, SignatureScheme};
pub use identifiers::{DeviceId, IdentifierError, KeyId};
pub use intake::Place;
pub use limits::Limits;
pub use manifest::{
    Assistant, AttachmentRef, Channel, Consent, CorrectionOf, Declaration, DepartmentShare,
    Identity, Kind, MANIFEST_NAME, Manifest, ManifestProblem, MaterialEntry, Medium,
    SCHEMA_VERSION,
};
pub use measured::Measured;
pub use open::{
    Inspected, OpenIntoError, Opened, Sink, Verified, inspect, open, open_into, read_header, verify,
};
pub use receipt::{Receipt, ReceiptKey, ReceiptPublic, ReceiptRefusal, SignedReceipt};
pub use recipient::{KeyError, RecipientPublic, RecipientSecret};
pub use refusal::Refusal;
pub use seal::{Content, SealError, SealRequest, SealedInfo, Source, seal, seal_from};
pub use size_class::size_class;
pub use suite::{Kem, Suite, SuiteIds};
