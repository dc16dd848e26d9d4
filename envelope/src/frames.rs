//! Why: sealing has two costs of like size, encrypting and hashing what was encrypted, and neither
//! needs the other's result. So plaintext is collected, encrypted and written here, and the hash is
//! computed beside it by a thread of its own.
//!
//! Refuses: to let plaintext out of wiped memory, and to hold more than a few batches of frames. A
//! small submission, and a system that gives no thread, are hashed in place.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use ring::digest::{Context, SHA256};
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::header::{CHUNK, LAST, LAST_AAD};
use crate::seal::SealError;
use crate::suite::Sealing;

/// Frames that are written and hashed at once.
const BATCH: u64 = 8;
/// Batches on the way to the hash or back from it.
const UNDER_WAY: usize = 2;
/// A thread costs more than it saves below this.
const WORTH_A_THREAD: u64 = 1 << 20;

type Batch = Zeroizing<Vec<u8>>;

/// Writes, and hashes what it has written.
pub(crate) struct Hashing<W> {
    out: W,
    hash: Hash,
    bytes: u64,
}

enum Hash {
    Here(Context),
    Beside { batches: SyncSender<Batch>, back: Receiver<Batch>, thread: JoinHandle<Context> },
}

impl<W: Write> Hashing<W> {
    /// For a file with so much content.
    pub fn new(out: W, content: u64) -> Self {
        let beside = if content < WORTH_A_THREAD { None } else { beside() };
        let hash = beside.unwrap_or_else(|| Hash::Here(Context::new(&SHA256)));
        Self { out, hash, bytes: 0 }
    }

    /// Writes and hashes a few bytes.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.batch(bytes.to_vec().into()).map(drop)
    }

    /// Writes a batch; answers with an empty one.
    fn batch(&mut self, mut batch: Batch) -> io::Result<Batch> {
        self.out.write_all(&batch)?;
        self.bytes += batch.len() as u64;
        match &mut self.hash {
            Hash::Here(hash) => {
                hash.update(&batch);
                batch.clear();
                Ok(batch)
            }
            Hash::Beside { batches, back, .. } => {
                batches.send(batch).map_err(|_| ended())?;
                Ok(back.try_recv().unwrap_or_default())
            }
        }
    }

    /// The digest of all that was written.
    fn finish(self) -> io::Result<(W, u64, Digest)> {
        let hash = match self.hash {
            Hash::Here(hash) => hash,
            Hash::Beside { batches, back, thread } => {
                // Without its other ends the thread finishes what it has.
                drop((batches, back));
                thread.join().map_err(|_| ended())?
            }
        };
        Ok((self.out, self.bytes, Digest::finish(&hash.finish())))
    }
}

fn ended() -> io::Error {
    io::Error::other("the hashing thread has ended")
}

fn beside() -> Option<Hash> {
    let (batches, coming) = sync_channel::<Batch>(UNDER_WAY);
    let (used, back) = sync_channel(UNDER_WAY);
    let thread = std::thread::Builder::new().name("hash".into()).spawn(move || {
        let mut hash = Context::new(&SHA256);
        for mut batch in coming {
            hash.update(&batch);
            batch.clear();
            // One too many, or nobody who would want it: it is simply freed.
            let _ = used.try_send(batch);
        }
        hash
    });
    Some(Hash::Beside { batches, back, thread: thread.ok()? })
}

/// Collects plaintext into chunks, encrypts each where it lies, and writes them batch by batch. How
/// much will come is known, and with it which chunk is the last.
pub(crate) struct Frames<W> {
    out: Hashing<W>,
    context: Box<dyn Sealing>,
    tag_len: usize,
    batch: Batch,
    full: usize,
    /// Where the frame that is being filled begins in the batch.
    frame: usize,
    /// Plaintext still to come.
    left: u64,
}

/// Bytes of a frame's length word.
const WORD: usize = 4;

impl<W: Write> Frames<W> {
    /// For so much plaintext.
    pub fn new(out: Hashing<W>, context: Box<dyn Sealing>, tag_len: usize, plain: u64) -> Self {
        let frames = plain.div_ceil(CHUNK as u64).min(BATCH) as usize;
        // All of it at once: growing would leave plaintext behind in freed memory.
        let full = frames * (WORD + CHUNK + tag_len);
        Self { out, context, tag_len, batch: Batch::default(), full, frame: 0, left: plain }
    }

    /// Plaintext from memory.
    pub fn put(&mut self, mut bytes: &[u8]) -> Result<(), SealError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.room()));
            self.batch.extend_from_slice(now);
            self.grown(now.len())?;
            bytes = later;
        }
        Ok(())
    }

    /// So much plaintext from a reader, which then must be at its end. Hashed as it comes.
    pub fn put_from(
        &mut self,
        from: &mut dyn Read,
        bytes: u64,
        hash: &mut Context,
    ) -> Result<(), SealError> {
        let broken = |error: io::Error| SealError::Source { kind: error.kind() };
        let mut left = bytes;
        while left > 0 {
            let now = left.min(self.room() as u64) as usize;
            let start = self.batch.len();
            self.batch.resize(start + now, 0);
            let piece = self.batch.get_mut(start..).unwrap_or_default();
            from.read_exact(piece).map_err(broken)?;
            hash.update(piece);
            self.grown(now)?;
            left -= now as u64;
        }
        match from.read(&mut [0]).map_err(broken)? {
            0 => Ok(()),
            _ => Err(SealError::Source { kind: io::ErrorKind::InvalidData }),
        }
    }

    /// Zeros.
    pub fn zeros(&mut self, count: u64) -> Result<(), SealError> {
        let mut left = count;
        while left > 0 {
            let now = left.min(self.room() as u64) as usize;
            let end = self.batch.len() + now;
            self.batch.resize(end, 0);
            self.grown(now)?;
            left -= now as u64;
        }
        Ok(())
    }

    /// Writes what is left; answers with the writer, the bytes written and their digest.
    pub fn finish(mut self) -> Result<(W, u64, Digest), SealError> {
        let batch = std::mem::take(&mut self.batch);
        self.out.batch(batch)?;
        Ok(self.out.finish()?)
    }

    /// How much plaintext the present chunk still takes, from 1; begins one if there is none.
    fn room(&mut self) -> usize {
        if self.batch.is_empty() {
            self.batch.reserve_exact(self.full);
        }
        if self.batch.len() == self.frame {
            self.batch.extend_from_slice(&[0; WORD]);
        }
        CHUNK - (self.batch.len() - self.frame - WORD)
    }

    fn grown(&mut self, by: usize) -> Result<(), SealError> {
        self.left = self.left.saturating_sub(by as u64);
        let last = self.left == 0;
        if self.batch.len() - self.frame - WORD < CHUNK && !last {
            return Ok(());
        }
        let (aad, mark) = if last { (LAST_AAD, LAST) } else { (b"".as_slice(), 0) };
        let frame = self.batch.get_mut(self.frame..).unwrap_or_default();
        let (word, chunk) = frame.split_at_mut_checked(WORD).ok_or(SealError::Encryption)?;
        // At most CHUNK and a tag: far below the mark's bit.
        let length = (chunk.len() + self.tag_len) as u32;
        word.copy_from_slice(&(length | mark).to_be_bytes());
        let tag = self.context.seal(chunk, aad).map_err(|_| SealError::Encryption)?;
        self.batch.extend_from_slice(&tag);
        self.frame = self.batch.len();
        if self.batch.len() >= self.full {
            let batch = std::mem::take(&mut self.batch);
            self.batch = self.out.batch(batch)?;
            self.frame = 0;
        }
        Ok(())
    }
}
