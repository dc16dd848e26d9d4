//! Why: where the bytes live is a choice of the installation, as where the rows live is: a folder
//! beside the programme, or a bucket that several gateways share. The receiving side and the case
//! store say what has to be durable; how that is done is decided here.
//!
//! Refuses: to say that something lies there before it would survive a power cut, to replace what
//! lies there, and to send anything over a network in clear.

mod bucket;
mod folder;
mod reader;

use std::io::Read;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;
use jiff::Timestamp;
use personal::PersonalBytes;
use uuid::Uuid;

pub use bucket::BucketAddress;

use bucket::Bucket;
use folder::Folder;

/// The bytes cannot be kept or read. Says nothing of what is in them.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// A file or folder.
    #[error("{doing} {path}: {source}; check that the disk is there, writable and not full")]
    File {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What was kept is not there any more.
    #[error("{0} is not in the store any more; restore the bucket or the folder from its back-up")]
    Missing(String),
    /// The object store did not do what it was asked.
    #[error(
        "the object store did not {doing}: {said}; see that it runs, and the rights of the key"
    )]
    Store {
        /// What was asked.
        doing: &'static str,
        /// In the library's words; names of objects, never their content.
        said: String,
    },
    /// The bucket's address is not usable.
    #[error("the object store's address cannot be used: {what}")]
    Address {
        /// What is wrong with it.
        what: String,
    },
    /// It answers, and cannot be relied on.
    #[error(
        "the object store does not honour `If-None-Match: *` and would replace what lies there; \
         use one that does"
    )]
    Replaces,
}

/// A result that is being worked on.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, ObjectError>> + Send + 'a>>;

/// A part of an upload that lies in the store under a name of its own, for good, and counts once a
/// row says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its first byte's place in the upload.
    pub at: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Its name.
    pub object: String,
}

/// What has been counted of an upload.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Which.
    pub id: Uuid,
    /// Bytes counted.
    pub received: u64,
    /// Bytes announced.
    pub length: u64,
    /// The parts, in order; none where an upload is one file.
    pub segments: Vec<Segment>,
}

/// Something that lies among the uploads.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub object: String,
    /// Which upload it says it belongs to.
    pub upload: Uuid,
    /// When it was written last, by the store's clock and by its writer's, whichever is later.
    pub at: Timestamp,
}

/// Where the bytes live.
pub trait Objects: Send + Sync + std::fmt::Debug {
    /// True when uploads are kept in segments, which rows have to name.
    fn is_segmented(&self) -> bool;

    /// Answers when the store can be used.
    fn ready(&self) -> Later<'_, ()>;

    /// Opens an upload for more bytes from `at` on; it holds at least that many.
    fn extend(&self, id: Uuid, at: u64) -> Later<'_, Box<dyn Extension>>;

    /// How many of the counted bytes are there, from the first one on.
    fn present(&self, upload: Counted) -> Later<'_, u64>;

    /// A verified upload takes its place among what is kept.
    fn keep(&self, id: Uuid) -> Later<'_, ()>;

    /// Reads a whole upload. What it answers is to be read where waiting is allowed, never on a
    /// thread that serves the network.
    fn read(&self, id: Uuid, segments: Vec<Segment>) -> Later<'_, Box<dyn Read + Send>>;

    /// Removes an upload that is not to be kept, and the parts of it that are named.
    fn forget(&self, id: Uuid, objects: Vec<String>) -> Later<'_, ()>;

    /// Writes papers of a case, by their names below the folder of all cases. Each name is used
    /// once.
    fn put_papers(&self, papers: Vec<(String, PersonalBytes)>) -> Later<'_, ()>;

    /// Reads a paper.
    fn paper(&self, name: String) -> Later<'_, Vec<u8>>;

    /// Removes papers; those that are not there are fine.
    fn remove_papers(&self, names: Vec<String>) -> Later<'_, ()>;

    /// The places where uploads lie in which nothing new can appear, and that come after `after`,
    /// in order. A place that has no name is never done with.
    fn shelves(&self, after: String, now: Timestamp) -> Later<'_, Vec<String>>;

    /// A page of what lies on a shelf, and where the next one begins.
    fn shelf(
        &self,
        shelf: String,
        page: Option<String>,
    ) -> Later<'_, (Vec<Listed>, Option<String>)>;

    /// Removes what lies among the uploads by its name.
    fn discard(&self, objects: Vec<String>) -> Later<'_, ()>;
}

/// An upload that is being added to. Dropped without being finished, it has added nothing that
/// counts.
pub trait Extension: Send {
    /// Takes some bytes.
    fn write(&mut self, data: Bytes) -> Later<'_, ()>;

    /// Makes everything taken durable; answers the parts that a row has to name.
    fn finish(self: Box<Self>) -> Later<'static, Vec<Segment>>;

    /// Takes everything back.
    fn undo(self: Box<Self>) -> Later<'static, ()>;
}

/// A choice of the installation.
#[derive(Clone, Debug)]
pub enum Depot {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A bucket.
    Bucket(BucketAddress),
}

impl Depot {
    /// From what `--objects` says: `s3://bucket/prefix`, or a folder.
    pub fn parse(text: &str, endpoint: Option<&str>) -> Result<Self, ObjectError> {
        if text.starts_with("s3://") {
            return BucketAddress::parse(text, endpoint).map(Self::Bucket);
        }
        if text.contains("://") {
            let what = "it is neither a folder nor of the form s3://bucket/prefix".to_owned();
            return Err(ObjectError::Address { what });
        }
        Ok(Self::Folder(PathBuf::from(text)))
    }

    /// Makes folders, or sees that the bucket is there and can be relied on.
    pub async fn open(&self) -> Result<Arc<dyn Objects>, ObjectError> {
        Ok(match self {
            Self::Folder(dir) => Arc::new(Folder::open(dir)?),
            Self::Bucket(address) => Arc::new(Bucket::open(address).await?),
        })
    }
}

/// Runs `work` where waiting for a disk holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ObjectError> + Send + 'static,
) -> Result<T, ObjectError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let source = std::io::Error::other(error);
        Err(ObjectError::File { doing: "work on", path: PathBuf::new(), source })
    })
}
