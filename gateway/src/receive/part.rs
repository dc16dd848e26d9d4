//! Why: the bytes of an upload on their way to the disk. Bytes count only when synced; what a lost
//! connection leaves behind is kept, so that a terminal on a bad line still gets forward.
//!
//! Refuses: bytes beyond the announced length, chunks whose checksum is wrong, and senders that
//! stop sending without hanging up.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use envelope::Digest;
use hyper::body::Body as _;
use ring::digest::{Context, SHA256};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt, AsyncWriteExt, BufWriter};

use super::locks::Turn;
use crate::http::ApiError;

/// A sender that is silent for so long is taken for gone.
const SILENCE: Duration = Duration::from_secs(30);
/// Collected before the disk is asked.
const BUFFER: usize = 256 << 10;

/// A chunk as it comes in.
pub struct Chunk {
    /// The bytes.
    pub body: Body,
    /// What `Content-Length` says.
    pub stated_length: Option<u64>,
    /// What `Upload-Checksum` says.
    pub checksum: Option<Digest>,
}

/// How a chunk ended.
#[derive(Debug, PartialEq, Eq)]
pub enum ChunkEnd {
    /// All of it is synced.
    Whole {
        /// How many bytes.
        bytes: u64,
    },
    /// The connection was lost; what came is synced.
    Lost {
        /// How many bytes.
        bytes: u64,
        /// What happened.
        why: &'static str,
    },
}

impl ChunkEnd {
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Whole { bytes } | Self::Lost { bytes, .. } => *bytes,
        }
    }
}

/// Appends `chunk` at `offset` of the file at `path`; at most `room` bytes.
pub(super) async fn append(
    path: &Path,
    offset: u64,
    room: u64,
    chunk: Chunk,
    turn: &mut Turn,
) -> Result<ChunkEnd, ApiError> {
    let Chunk { mut body, stated_length, checksum } = chunk;
    let mut out = open_at(path, offset).await?;
    let mut hash = Context::new(&SHA256);
    let mut bytes = 0_u64;
    let lost = loop {
        let frame = match next(&mut body, turn).await {
            Next::Data(data) => data,
            Next::End => break None,
            Next::Lost(why) => break Some(why),
        };
        bytes += frame.len() as u64;
        if bytes > room {
            undo(out, offset).await?;
            return Err(ApiError::TooLarge { max: room });
        }
        hash.update(&frame);
        out.write_all(&frame).await?;
    };
    // A body that ends early without an error is a connection that was closed in the middle.
    let lost = lost.or_else(|| {
        stated_length.is_some_and(|stated| bytes < stated).then_some("body shorter than stated")
    });
    // A lost chunk cannot be checked and is kept all the same: TLS has protected each byte of it,
    // and the whole file's digest is verified at the end.
    let wrong = |expected: Digest| hash.finish().as_ref() != expected.as_bytes();
    if lost.is_none() && checksum.is_some_and(wrong) {
        undo(out, offset).await?;
        return Err(ApiError::Checksum);
    }
    out.flush().await?;
    out.get_ref().sync_data().await?;
    Ok(match lost {
        None => ChunkEnd::Whole { bytes },
        Some(why) => ChunkEnd::Lost { bytes, why },
    })
}

/// Bytes of the file; nothing when there is none.
pub(super) async fn length(path: &Path) -> Result<Option<u64>, ApiError> {
    match tokio::fs::metadata(path).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        found => Ok(Some(found?.len())),
    }
}

/// The file is known to hold at least `offset` bytes.
async fn open_at(path: &Path, offset: u64) -> Result<BufWriter<File>, ApiError> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).await?;
    // A new file's name has to be as durable as the bytes that will be counted in it.
    if offset == 0 {
        File::open(path.parent().unwrap_or(Path::new("."))).await?.sync_all().await?;
    }
    // What lies beyond the offset was never counted; it may be the rest of a crash.
    file.set_len(offset).await?;
    file.seek(std::io::SeekFrom::Start(offset)).await?;
    Ok(BufWriter::with_capacity(BUFFER, file))
}

async fn undo(mut out: BufWriter<File>, offset: u64) -> Result<(), ApiError> {
    out.flush().await?;
    out.get_ref().set_len(offset).await?;
    Ok(())
}

enum Next {
    Data(Bytes),
    End,
    Lost(&'static str),
}

async fn next(body: &mut Body, turn: &mut Turn) -> Next {
    let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
    tokio::select! {
        frame = tokio::time::timeout(SILENCE, frame) => match frame {
            Err(_) => Next::Lost("silence"),
            Ok(None) => Next::End,
            Ok(Some(Err(_))) => Next::Lost("connection closed"),
            // Trailers carry nothing that is wanted here.
            Ok(Some(Ok(frame))) => Next::Data(frame.into_data().unwrap_or_default()),
        },
        () = turn.interrupted() => Next::Lost("taken over by a newer request"),
    }
}
