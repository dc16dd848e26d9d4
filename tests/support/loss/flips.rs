//! Why: disks rot. A bit is flipped in every kind of byte that the queue keeps, and the terminal is
//! started again: it starts, says what is damaged, and delivers the rest.
//!
//! Refuses: damage without a word. A submission is whole and waits, or it is set aside and counted;
//! there is no third way, and nothing damaged is ever called delivered.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use envelope::Limits;
use kiosk::queue::{ItemState, Queue};
use uuid::Uuid;

use super::site::Terminal;
use super::submission::store_one;
use super::summary::Counts;

const QUOTA: u64 = 1 << 30;
const PAGE: usize = 4096;

/// Queues as they lie on a disk, to be copied and damaged.
pub struct Specimens {
    /// Closed properly: everything is in the index's file.
    closed: tempfile::TempDir,
    /// Killed: the last rows are in the log only.
    killed: tempfile::TempDir,
    promised: BTreeMap<PathBuf, Promised>,
}

struct Promised {
    ids: Vec<Uuid>,
    next_seq: u64,
}

/// A kind of byte.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: &'static str,
    dir: PathBuf,
    file: PathBuf,
    bytes: Range<usize>,
    /// The submission whose own file this is.
    of: Option<Uuid>,
}

/// In memory where there is such a folder: what is tried here is not whether syncing works.
fn scratch() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in crate::files(from)? {
        // It is made anew, and holds nothing.
        if file.ends_with("ballast") {
            continue;
        }
        let to = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        fs::copy(&file, to)?;
    }
    fs::create_dir_all(to.join("spool"))?;
    Ok(())
}

impl Specimens {
    /// Makes them with the terminal's own key; so many submissions wait in each.
    pub fn make(terminal: &Terminal, waiting: usize) -> anyhow::Result<Self> {
        let mut rng = fastrand::Rng::with_seed(1);
        let live = scratch()?;
        let (mut queue, _) = Queue::open(live.path(), QUOTA)?;
        let mut all = Vec::new();
        let mut store = |queue: &mut Queue| {
            store_one(queue, &terminal.device, &terminal.recipient, 2_000, &mut rng)
        };
        // Enough that pages of the index have become free, which only many rows bring about.
        for _ in 0..waiting + 60 {
            all.push(store(&mut queue)?.submission_id);
        }
        for id in all.drain(..60) {
            queue.acknowledge(id, "{}")?;
        }
        let next_seq = queue.next_seq()?;
        drop(queue);
        let closed = scratch()?;
        copy(live.path(), closed.path())?;
        let these = Promised { ids: all.clone(), next_seq };
        let mut promised = BTreeMap::from([(closed.path().to_owned(), these)]);

        let (mut queue, _) = Queue::open(live.path(), QUOTA)?;
        for _ in 0..waiting {
            all.push(store(&mut queue)?.submission_id);
        }
        // Copied from under the open queue: as a kill leaves it.
        let killed = scratch()?;
        copy(live.path(), killed.path())?;
        let these = Promised { ids: all, next_seq: queue.next_seq()? };
        promised.insert(killed.path().to_owned(), these);
        Ok(Self { closed, killed, promised })
    }

    /// Every kind of byte there is.
    pub fn classes(&self) -> anyhow::Result<Vec<Class>> {
        let mut classes = self.index_classes()?;
        classes.extend(self.log_classes()?);
        classes.extend(self.sealed_classes()?);
        classes.push(Class {
            name: "the noted running number",
            dir: self.closed.path().to_owned(),
            file: "sequence".into(),
            bytes: 0..1,
            of: None,
        });
        Ok(classes)
    }

    fn index_classes(&self) -> anyhow::Result<Vec<Class>> {
        let dir = self.closed.path();
        let path = dir.join("index.db");
        ensure!(
            !dir.join("index.db-wal").exists(),
            "the index was not closed properly, so its file is not all of it"
        );
        let bytes = fs::read(&path)?;
        ensure!(&bytes[..15] == b"SQLite format 3" && bytes.len() % PAGE == 0, "no index");
        // Bytes 32 to 35 of the header: the first page of the list of free ones.
        let free = u32::from_be_bytes(bytes[32..36].try_into()?) as usize;
        ensure!(free > 0, "no page of the index is free, so that kind of byte is not tried");
        let database = rusqlite::Connection::open(&path)?;
        let root = |name: &str| -> anyhow::Result<usize> {
            let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
            Ok(database.query_row(sql, [name], |row| row.get::<_, i64>(0))? as usize)
        };
        let page = |number: usize| (number - 1) * PAGE..number * PAGE;
        let class = |name, bytes| Class {
            name,
            dir: dir.to_owned(),
            file: "index.db".into(),
            bytes,
            of: None,
        };
        let table = page(root("item")?);
        let leaf = self.leaf_of(&bytes, table.start)?;
        let auto = page(root("sqlite_autoindex_item_1")?);
        Ok(vec![
            class("index: header", 0..100),
            class("index: schema page", 100..PAGE),
            class("index: table page, its head", leaf..leaf + 8),
            class("index: table page, its rows", leaf + PAGE / 2..leaf + PAGE),
            class("index: page of the key", auto),
            class("index: page of the counters", page(root("counter")?)),
            class("index: list of free pages", page(free)),
        ])
    }

    /// A page with rows: the table's own, or the first below it.
    fn leaf_of(&self, bytes: &[u8], root: usize) -> anyhow::Result<usize> {
        match bytes[root] {
            13 => Ok(root),
            5 => {
                let cell = u16::from_be_bytes(bytes[root + 12..root + 14].try_into()?) as usize;
                let child = bytes[root + cell..root + cell + 4].try_into()?;
                Ok((u32::from_be_bytes(child) as usize - 1) * PAGE)
            }
            other => bail!("page of kind {other}"),
        }
    }

    fn log_classes(&self) -> anyhow::Result<Vec<Class>> {
        let dir = self.killed.path();
        let length = fs::metadata(dir.join("index.db-wal"))?.len() as usize;
        let (head, frame) = (32, 24 + PAGE);
        ensure!(length > head + 2 * frame, "the log of the index holds no frames");
        let last = head + ((length - head) / frame - 1) * frame;
        let class = |name, bytes| Class {
            name,
            dir: dir.to_owned(),
            file: "index.db-wal".into(),
            bytes,
            of: None,
        };
        Ok(vec![
            class("log: header", 0..head),
            class("log: head of the first frame", head..head + 24),
            class("log: page of the first frame", head + 24..head + frame),
            class("log: last frame", last..last + frame),
        ])
    }

    fn sealed_classes(&self) -> anyhow::Result<Vec<Class>> {
        let dir = self.closed.path();
        let id = *self.promised[dir].ids.first().context("nothing waits")?;
        let file = PathBuf::from(format!("spool/{id}.sealed"));
        let bytes = fs::read(dir.join(&file))?;
        // As docs/sealed-submission.md lays it out.
        let header = 14 + u32::from_be_bytes(bytes[10..14].try_into()?) as usize;
        let key = header + 2 + u16::from_be_bytes(bytes[header..header + 2].try_into()?) as usize;
        let end = bytes.len();
        let class = |name, bytes| Class {
            name,
            dir: dir.to_owned(),
            file: file.clone(),
            bytes,
            of: Some(id),
        };
        Ok(vec![
            class("sealed file: preamble", 0..14),
            class("sealed file: header", 14..header),
            class("sealed file: encapsulated key", header..key),
            class("sealed file: length of a frame", key..key + 4),
            class("sealed file: frame", key + 4..end - 96),
            class("sealed file: digest", end - 96..end - 64),
            class("sealed file: signature", end - 64..end),
        ])
    }

    /// Flips one bit in a byte of the class, starts the terminal's queue, and judges. Answers
    /// whether something was set aside.
    pub fn flip(&self, class: &Class, rng: &mut fastrand::Rng) -> anyhow::Result<bool> {
        let dir = scratch()?;
        copy(&class.dir, dir.path())?;
        let path = dir.path().join(&class.file);
        let mut bytes = fs::read(&path)?;
        let (at, bit) = (rng.usize(class.bytes.clone()), rng.u8(..8));
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes)?;
        self.judge(class, dir.path())
            .with_context(|| format!("{}: bit {bit} of byte {at} flipped", class.name))
    }

    fn judge(&self, class: &Class, dir: &Path) -> anyhow::Result<bool> {
        let now = jiff::Timestamp::now();
        let (mut queue, found) = Queue::open(dir, QUOTA).context("the terminal does not start")?;
        let status = queue.status(now)?;
        let aside = crate::files(&dir.join("quarantine"))?.len();
        let told = found.quarantined > 0 || status.quarantined > 0;
        let promised = &self.promised[&class.dir];
        for id in &promised.ids {
            let items = queue.items()?;
            let item = items.iter().find(|item| item.submission_id == *id);
            let file = File::open(queue.path(*id)).ok();
            let whole = file
                .and_then(|file| envelope::verify(BufReader::new(file), &Limits::default()).ok());
            let own = class.of == Some(*id);
            match (item.map(|item| item.state), whole) {
                (Some(ItemState::Sealed), Some(whole)) => {
                    ensure!(!own, "a damaged file is still to be delivered");
                    let item = item.context("an item")?;
                    ensure!(item.digest == whole.digest.to_string(), "a digest of other bytes");
                }
                (Some(ItemState::Quarantined), _) if told => {}
                (_, None) if told && aside > 0 && own => {}
                (state, whole) => bail!(
                    "{id}: {state:?} with a {} file, and nobody was told",
                    if whole.is_some() { "whole" } else { "missing or damaged" }
                ),
            }
        }
        // What is not damaged can be taken for delivery at once.
        let mut due = 0;
        while let Some(item) = queue.due(now)? {
            due += 1;
            queue.refuse(item.submission_id, "looked.at")?;
            ensure!(due <= promised.ids.len(), "the same submission is due again and again");
        }
        let expected = promised.ids.len() - usize::from(told);
        ensure!(due >= expected, "only {due} of {expected} can be delivered");
        let next = queue.next_seq()?;
        ensure!(next >= promised.next_seq, "running number {next} is given a second time");
        drop(queue);
        // A second start has nothing left to find.
        let (_, again) = Queue::open(dir, QUOTA).context("the terminal does not start again")?;
        ensure!(again.quarantined == 0, "set aside again at the next start");
        Ok(told)
    }
}

/// Flips `each` bits in every kind of byte.
pub fn run(each: u64, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    let dir = scratch()?;
    let site = super::site::Site::make(dir.path(), &dir.path().join("gateway"), 1)?;
    let specimens = Specimens::make(&site.terminal()?, 5)?;
    let mut rng = fastrand::Rng::with_seed(2);
    let classes = specimens.classes()?;
    let (mut flips, mut aside) = (0u64, 0u64);
    for class in &classes {
        let mut here = 0;
        for _ in 0..each {
            here += u64::from(specimens.flip(class, &mut rng)?);
        }
        ensure!(class.of.is_none() || here == each, "{}: damage went unnoticed", class.name);
        say(&format!("{}: {each} flipped, {here} with something set aside", class.name));
        flips += each;
        aside += here;
    }
    Ok(Counts::default()
        .count("kinds of bytes", classes.len())
        .count("bits flipped", flips)
        .count("starts that set something aside and said so", aside))
}
