//! Why: what happens to a sealed file's frames between the wire and whoever opens it. A file is
//! walked once to find everything that may be wrong with it, and a second time, by a reader that has
//! no memory for the whole, to hand its content out.
//!
//! Refuses: to hand out a frame of the second walk that is not the first walk's.

use std::ops::ControlFlow;

use personal::PersonalBytes;
use ring::digest::{Context, SHA256};
use zeroize::{Zeroize, Zeroizing};

use crate::archive::Attachment;
use crate::digest::Digest;
use crate::header::{LAST_AAD, SealedHeader, info_for};
use crate::limits::Limits;
use crate::open::{OpenIntoError, Sink};
use crate::recipient::RecipientSecret;
use crate::refusal::Refusal;
use crate::suite::{self, Opening};
use crate::unpack::{Entries, Unpacker};

/// What becomes of the plaintext.
pub(crate) trait Plain {
    /// The frame that is about to be decrypted lies there as sent; `mark` stands for the whole file
    /// up to its end.
    fn mark(&mut self, index: u64, mark: Digest) -> ControlFlow<()>;
    /// The archive's size with its padding is known.
    fn begin(&mut self, size_class: u64);
    /// The next plaintext.
    fn plain(&mut self, chunk: &[u8]) -> ControlFlow<()>;
}

/// Decrypts frame by frame and remembers the first fault.
pub(crate) struct Decryption<'a, P> {
    secret: &'a RecipientSecret,
    context: Option<Box<dyn Opening>>,
    tag_len: usize,
    fault: Option<Refusal>,
    plain: P,
}

impl<'a> Decryption<'a, Checking> {
    /// For the first walk, which goes to the end whatever it finds.
    pub fn first(secret: &'a RecipientSecret, limits: &Limits, collector: Collector) -> Self {
        Self::new(secret, Checking::new(limits, collector))
    }

    /// After the walk: what is in the archive, its length, and the marks of its frames.
    pub fn finish_checking(self) -> Result<(Collected, u64, Vec<Digest>), Refusal> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.plain.finish()
    }
}

impl<'a, 's, S: Sink> Decryption<'a, Handing<'s, S>> {
    /// For the second walk, which stops at the first difference from what the marks stand for.
    pub fn again(
        secret: &'a RecipientSecret,
        sink: &'s mut S,
        size_class: u64,
        limits: &Limits,
        marks: Vec<Digest>,
    ) -> Self {
        Self::new(secret, Handing::new(sink, size_class, limits, marks))
    }

    /// After the walk. Whatever is wrong now was right before, unless it is the disk or the sink.
    pub fn finish_handing(
        self,
        walked: Result<(), Refusal>,
    ) -> Result<(), OpenIntoError<S::Error>> {
        if let Some(error) = self.plain.giving.failed {
            return Err(OpenIntoError::Sink(error));
        }
        match walked {
            Err(refusal @ Refusal::Read { .. }) => Err(refusal.into()),
            Err(_) => Err(Refusal::Changed.into()),
            Ok(()) if self.fault.is_some() => Err(Refusal::Changed.into()),
            Ok(()) => Ok(()),
        }
    }
}

impl<'a, P> Decryption<'a, P> {
    fn new(secret: &'a RecipientSecret, plain: P) -> Self {
        Self { secret, context: None, tag_len: 0, fault: None, plain }
    }
}

impl<P: Plain> crate::intake::Frames for Decryption<'_, P> {
    fn begin(&mut self, sealed: &SealedHeader, encapsulated: &[u8]) {
        let header = &sealed.header;
        if header.recipient_key_id != *self.secret.key_id() {
            self.fault = Some(Refusal::WrongRecipient {
                expected: header.recipient_key_id.clone(),
                ours: self.secret.key_id().clone(),
            });
            return;
        }
        if header.suite.kem() != self.secret.public().kem() {
            let ids = header.suite.ids();
            self.fault = Some(Refusal::KeySuite { ids, ours: self.secret.key_id().clone() });
            return;
        }
        let info = info_for(&sealed.as_sent);
        match suite::recipient(header.suite, self.secret.secret_key(), encapsulated, &info) {
            Ok(context) => {
                self.context = Some(context);
                self.tag_len = header.suite.tag_len();
                self.plain.begin(header.size_class);
            }
            Err(suite::BadKey) => self.fault = Some(Refusal::Encapsulation),
        }
    }

    fn frame(
        &mut self,
        index: u64,
        last: bool,
        frame: &mut [u8],
        so_far: &Context,
    ) -> ControlFlow<()> {
        self.plain.mark(index, Digest::finish(&so_far.clone().finish()))?;
        let Some(context) = self.context.as_mut() else { return ControlFlow::Continue(()) };
        let aad = if last { LAST_AAD } else { b"" };
        let split = frame.len().saturating_sub(self.tag_len);
        let (chunk, tag) = frame.split_at_mut(split);
        let flow = if context.open(chunk, tag, aad).is_ok() {
            self.plain.plain(chunk)
        } else {
            self.context = None;
            self.fault = Some(Refusal::Decrypt { frame: index });
            ControlFlow::Continue(())
        };
        // The walk reuses the buffer and does not know that it now holds plaintext.
        chunk.zeroize();
        flow
    }
}

/// A file in an archive, as it was found.
pub(crate) struct FileFacts {
    pub name: String,
    pub bytes: u64,
    pub sha256: Digest,
}

/// What an archive holds.
#[derive(Default)]
pub(crate) struct Collected {
    pub manifest: Zeroizing<Vec<u8>>,
    pub files: Vec<FileFacts>,
    /// The same files with their content, if it was to be kept.
    pub attachments: Vec<Attachment>,
}

/// Takes an archive's entries: the manifest's text, each file's facts, and perhaps its content.
#[derive(Default)]
pub(crate) struct Collector {
    keep: bool,
    collected: Collected,
    manifest_read: bool,
    name: String,
    bytes: u64,
    hash: Option<Context>,
    content: PersonalBytes,
}

impl Collector {
    /// Keeps the files' content too.
    pub fn keeping() -> Self {
        Self { keep: true, ..Self::default() }
    }
}

impl Entries for Collector {
    fn entry(&mut self, name: &str, bytes: u64) {
        // The final size at once: growing would leave plaintext behind in freed memory. It was
        // compared with the limits and with what the archive can hold.
        let exactly = usize::try_from(bytes).unwrap_or_default();
        if !self.manifest_read {
            self.collected.manifest.reserve_exact(exactly);
            return;
        }
        name.clone_into(&mut self.name);
        self.bytes = bytes;
        self.hash = Some(Context::new(&SHA256));
        if self.keep {
            self.content = Vec::with_capacity(exactly).into();
        }
    }

    fn content(&mut self, piece: &[u8]) {
        let Some(hash) = self.hash.as_mut() else {
            self.collected.manifest.extend_from_slice(piece);
            return;
        };
        hash.update(piece);
        if self.keep {
            self.content.expose_mut().extend_from_slice(piece);
        }
    }

    fn end(&mut self) {
        let Some(hash) = self.hash.take() else {
            self.manifest_read = true;
            return;
        };
        let name = std::mem::take(&mut self.name);
        if self.keep {
            let bytes = std::mem::take(&mut self.content);
            self.collected.attachments.push(Attachment { name: name.clone(), bytes });
        }
        let sha256 = Digest::finish(&hash.finish());
        self.collected.files.push(FileFacts { name, bytes: self.bytes, sha256 });
    }
}

/// The first walk's view of the plaintext.
pub(crate) struct Checking {
    limits: Limits,
    unpacker: Option<Unpacker>,
    collector: Collector,
    fault: Option<Refusal>,
    marks: Vec<Digest>,
}

impl Checking {
    fn new(limits: &Limits, collector: Collector) -> Self {
        Self { limits: *limits, unpacker: None, collector, fault: None, marks: Vec::new() }
    }

    fn finish(self) -> Result<(Collected, u64, Vec<Digest>), Refusal> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        // There is no archive only where decryption did not begin, which is a fault of its own.
        let unpacker = self.unpacker.ok_or(Refusal::Encapsulation)?;
        Ok((self.collector.collected, unpacker.finish()?, self.marks))
    }
}

impl Plain for Checking {
    fn mark(&mut self, _: u64, mark: Digest) -> ControlFlow<()> {
        self.marks.push(mark);
        ControlFlow::Continue(())
    }

    fn begin(&mut self, size_class: u64) {
        self.unpacker = Some(Unpacker::new(size_class, &self.limits));
    }

    fn plain(&mut self, chunk: &[u8]) -> ControlFlow<()> {
        if let (Some(unpacker), None) = (self.unpacker.as_mut(), &self.fault) {
            self.fault = unpacker.push(chunk, &mut self.collector).err();
        }
        ControlFlow::Continue(())
    }
}

/// The second walk's view of the plaintext.
pub(crate) struct Handing<'s, S: Sink> {
    marks: Vec<Digest>,
    unpacker: Unpacker,
    giving: Giving<'s, S>,
}

impl<'s, S: Sink> Handing<'s, S> {
    fn new(sink: &'s mut S, size_class: u64, limits: &Limits, marks: Vec<Digest>) -> Self {
        let giving = Giving { sink, manifest_read: false, failed: None };
        Self { marks, unpacker: Unpacker::new(size_class, limits), giving }
    }
}

impl<S: Sink> Plain for Handing<'_, S> {
    fn mark(&mut self, index: u64, mark: Digest) -> ControlFlow<()> {
        let checked = usize::try_from(index).ok().and_then(|index| self.marks.get(index));
        if checked == Some(&mark) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn begin(&mut self, _: u64) {}

    fn plain(&mut self, chunk: &[u8]) -> ControlFlow<()> {
        let taken = self.unpacker.push(chunk, &mut self.giving);
        if taken.is_err() || self.giving.failed.is_some() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// Gives the files of an archive to a sink, until it fails.
struct Giving<'s, S: Sink> {
    sink: &'s mut S,
    manifest_read: bool,
    failed: Option<S::Error>,
}

impl<S: Sink> Giving<'_, S> {
    fn give(&mut self, call: impl FnOnce(&mut S) -> Result<(), S::Error>) {
        if self.manifest_read && self.failed.is_none() {
            self.failed = call(self.sink).err();
        }
    }
}

impl<S: Sink> Entries for Giving<'_, S> {
    fn entry(&mut self, name: &str, bytes: u64) {
        self.give(|sink| sink.file(name, bytes));
    }

    fn content(&mut self, piece: &[u8]) {
        self.give(|sink| sink.part(piece));
    }

    fn end(&mut self) {
        self.give(Sink::end);
        self.manifest_read = true;
    }
}
