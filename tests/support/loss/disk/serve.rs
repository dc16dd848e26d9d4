//! Why: what the kernel asks, said in the words of [`super::state`].
//!
//! Refuses: every change once the power is gone, with an input/output error as from a dead disk.
//! Locks and shared memory are the kernel's own: it asks nobody.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{
    Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, OpenFlags,
    RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry,
    ReplyOpen, ReplyStatfs, ReplyWrite, Request,
};

use super::Ino;
use super::image::{Body, Node};
use super::state::{Refused, State};

/// Nobody but the kernel changes anything here, so what it knows stays true.
const KNOWN: Duration = Duration::from_secs(3600);
const BLOCK: u32 = 4096;
/// Room that is always left; full disks are tried elsewhere.
const FREE_BLOCKS: u64 = 1 << 20;

/// The state, and who waits for the power to go.
pub(super) struct Shared {
    state: Mutex<State>,
    gone: Condvar,
}

impl Shared {
    pub fn new(state: State) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(state), gone: Condvar::new() })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tell(&self) {
        self.gone.notify_all();
    }

    /// Waits until the power is gone; false when it is still there after `patience`.
    pub fn wait_for_cut(&self, patience: Duration) -> bool {
        let state = self.state();
        let waited = self.gone.wait_timeout_while(state, patience, |state| state.has_power());
        !waited.unwrap_or_else(PoisonError::into_inner).0.has_power()
    }
}

/// A folder's names as they were when it was opened.
type Listing = Vec<(Ino, FileType, OsString)>;

pub(super) struct Server {
    shared: Arc<Shared>,
    listings: Mutex<(u64, BTreeMap<u64, Listing>)>,
}

impl Server {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, listings: Mutex::default() }
    }

    fn change<T>(&self, work: impl FnOnce(&mut State) -> Result<T, Refused>) -> Result<T, Errno> {
        let mut state = self.shared.state();
        let done = work(&mut state);
        if !state.has_power() {
            self.shared.tell();
        }
        done.map_err(errno)
    }

    fn attributes(&self, ino: Ino) -> Result<FileAttr, Errno> {
        self.change(|state| Ok(attributes(ino, state.node(ino)?)))
    }

    fn make(&self, parent: Ino, name: &OsStr, node: Node) -> Result<FileAttr, Errno> {
        let ino = self.change(|state| state.create(parent, name, node))?;
        self.attributes(ino)
    }

    fn listings(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Listing>)> {
        self.listings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn errno(refused: Refused) -> Errno {
    match refused {
        Refused::NoPower => Errno::EIO,
        Refused::Absent => Errno::ENOENT,
        Refused::Taken => Errno::EEXIST,
        Refused::WrongKind => Errno::ENOTDIR,
        Refused::NotEmpty => Errno::ENOTEMPTY,
    }
}

fn attributes(ino: Ino, node: &Node) -> FileAttr {
    let (kind, size) = match &node.body {
        Body::File(content) => (FileType::RegularFile, content.len() as u64),
        Body::Folder(_) => (FileType::Directory, 0),
    };
    let changed = node.changed;
    FileAttr {
        ino: INodeNo(ino),
        size,
        blocks: size.div_ceil(512),
        atime: changed,
        mtime: changed,
        ctime: changed,
        crtime: changed,
        kind,
        perm: (node.mode & 0o7777) as u16,
        nlink: 1,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

fn answer_entry(reply: ReplyEntry, found: Result<FileAttr, Errno>) {
    match found {
        Ok(attributes) => reply.entry(&KNOWN, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn answer(reply: ReplyEmpty, done: Result<(), Errno>) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Server {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.change(|state| state.child(parent.0, name));
        answer_entry(reply, found.and_then(|ino| self.attributes(ino)));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(ino.0) {
            Ok(attributes) => reply.attr(&KNOWN, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<fuser::TimeOrNow>,
        _: Option<fuser::TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let done = self.change(|state| {
            if let Some(size) = size {
                state.set_length(ino.0, size)?;
            }
            if let Some(mode) = mode {
                state.set_mode(ino.0, mode)?;
            }
            Ok(())
        });
        match done.and_then(|()| self.attributes(ino.0)) {
            Ok(attributes) => reply.attr(&KNOWN, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn mknod(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        answer_entry(reply, self.make(parent.0, name, Node::empty_file(mode)));
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        answer_entry(reply, self.make(parent.0, name, Node::empty_folder(mode)));
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.make(parent.0, name, Node::empty_file(mode)).and_then(|attributes| {
            self.change(|state| state.open(attributes.ino.0))?;
            Ok(attributes)
        });
        match made {
            Ok(attributes) => reply.created(
                &KNOWN,
                &attributes,
                Generation(0),
                FileHandle(0),
                FopenFlags::FOPEN_KEEP_CACHE,
            ),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.change(|state| state.remove(parent.0, name, false)));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer(reply, self.change(|state| state.remove(parent.0, name, true)));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if flags.contains(RenameFlags::RENAME_EXCHANGE) {
            return reply.error(Errno::EINVAL);
        }
        let replace = !flags.contains(RenameFlags::RENAME_NOREPLACE);
        let (from, to) = ((parent.0, name), (newparent.0, newname));
        answer(reply, self.change(|state| state.rename(from, to, replace)));
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.change(|state| state.open(ino.0)) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE),
            Err(error) => reply.error(error),
        }
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<fuser::LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.shared.state().close(ino.0);
        reply.ok();
    }

    fn flush(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: fuser::LockOwner,
        reply: ReplyEmpty,
    ) {
        // Closing a file promises nothing.
        reply.ok();
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<fuser::LockOwner>,
        reply: ReplyData,
    ) {
        let content =
            self.change(|state| state.node(ino.0)?.content().cloned().ok_or(Refused::WrongKind));
        match content {
            Ok(content) => {
                let from = content.len().min(offset as usize);
                let to = content.len().min(from + size as usize);
                reply.data(&content[from..to]);
            }
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: fuser::WriteFlags,
        _: OpenFlags,
        _: Option<fuser::LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.change(|state| state.write(ino.0, offset, data)) {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(reply, self.change(|state| state.sync_file(ino.0)));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer(reply, self.change(|state| state.sync_folder(ino.0)));
    }

    fn opendir(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let listing = self.change(|state| {
            let names = state.node(ino.0)?.names().ok_or(Refused::WrongKind)?;
            let mut listing: Listing = vec![
                (ino.0, FileType::Directory, ".".into()),
                (ino.0, FileType::Directory, "..".into()),
            ];
            for (name, child) in names {
                listing.push((*child, attributes(*child, state.node(*child)?).kind, name.clone()));
            }
            Ok(listing)
        });
        match listing {
            Ok(listing) => {
                let mut listings = self.listings();
                listings.0 += 1;
                let handle = listings.0;
                listings.1.insert(handle, listing);
                reply.opened(FileHandle(handle), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn readdir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listings = self.listings();
        let listing = listings.1.get(&handle.0).map(Vec::as_slice).unwrap_or_default();
        for (at, (ino, kind, name)) in listing.iter().enumerate().skip(offset as usize) {
            if reply.add(INodeNo(*ino), at as u64 + 1, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.listings().1.remove(&handle.0);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let free = FREE_BLOCKS;
        reply.statfs(free, free, free, free, free, BLOCK, 255, BLOCK);
    }
}
