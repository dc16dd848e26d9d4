//! Why: what programs see, what is on the platter, and what lies between: every write since the
//! last sync, in order, so that a cut can lose any of them. Pure: no kernel, no clock; chances are
//! the caller's.
//!
//! Refuses: every change once the power is gone. Reading goes on: it proves nothing to anybody, and
//! a program whose mapped memory cannot be read would die of that instead of the cut.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use super::image::{Image, Node};
use super::{Ino, SECTOR};

/// Why a call is refused; the kernel's words are chosen in [`super::serve`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// The power is gone.
    NoPower,
    /// There is no such name.
    Absent,
    /// The name is taken.
    Taken,
    /// It has content of the other kind.
    WrongKind,
    /// The folder still has names in it.
    NotEmpty,
}

/// A write since the last sync of its file.
enum Change {
    Write { at: u64, bytes: Vec<u8> },
    Length(u64),
}

/// Names changed together, or not at all.
struct Naming {
    number: u64,
    folder: Ino,
    names: Vec<(OsString, Option<Ino>)>,
    // Another change that is durable no later than this one.
    after: Option<u64>,
}

pub(super) struct State {
    seen: Image,
    platter: Image,
    writes: BTreeMap<Ino, Vec<Change>>,
    namings: Vec<Naming>,
    namings_made: u64,
    handles: BTreeMap<Ino, u64>,
    steps: u64,
    cut_at: Option<u64>,
    power: bool,
    clock: fn() -> SystemTime,
}

impl State {
    pub fn new(image: Image, clock: fn() -> SystemTime) -> Self {
        Self {
            seen: image.clone(),
            platter: image,
            writes: BTreeMap::new(),
            namings: Vec::new(),
            namings_made: 0,
            handles: BTreeMap::new(),
            steps: 0,
            cut_at: None,
            power: true,
            clock,
        }
    }

    /// Changes and syncs so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    pub fn has_power(&self) -> bool {
        self.power
    }

    pub fn cut(&mut self) {
        self.power = false;
    }

    /// The power goes instead of the `steps`-th change or sync from now.
    pub fn cut_after(&mut self, steps: u64) {
        self.cut_at = Some(self.steps + steps.max(1));
    }

    /// Everything is synced, as after a long quiet time.
    pub fn settle(&mut self) {
        self.platter = self.seen.clone();
        self.writes.clear();
        self.namings.clear();
    }

    fn powered(&self) -> Result<(), Refused> {
        if self.power { Ok(()) } else { Err(Refused::NoPower) }
    }

    fn step(&mut self) -> Result<(), Refused> {
        self.powered()?;
        self.steps += 1;
        if self.cut_at.is_some_and(|at| self.steps >= at) {
            self.power = false;
        }
        self.powered()
    }

    pub fn node(&self, ino: Ino) -> Result<&Node, Refused> {
        self.seen.nodes.get(&ino).ok_or(Refused::Absent)
    }

    pub fn child(&self, folder: Ino, name: &OsStr) -> Result<Ino, Refused> {
        let names = self.node(folder)?.names().ok_or(Refused::WrongKind)?;
        names.get(name).copied().ok_or(Refused::Absent)
    }

    /// Begins to use a file; it is kept until [`Self::close`] even without a name.
    pub fn open(&mut self, ino: Ino) -> Result<(), Refused> {
        self.node(ino)?;
        *self.handles.entry(ino).or_default() += 1;
        Ok(())
    }

    pub fn close(&mut self, ino: Ino) {
        if let Some(count) = self.handles.get_mut(&ino) {
            *count -= 1;
            if *count == 0 {
                self.handles.remove(&ino);
                self.forget_if_unnamed(ino);
            }
        }
    }

    pub fn create(&mut self, folder: Ino, name: &OsStr, node: Node) -> Result<Ino, Refused> {
        match self.child(folder, name) {
            Ok(_) => return Err(Refused::Taken),
            Err(Refused::Absent) => {}
            Err(other) => return Err(other),
        }
        self.step()?;
        let ino = self.seen.next;
        self.seen.next += 1;
        // On the platter it is empty until it is synced, and nobody finds it before its name is.
        self.platter.next = self.seen.next;
        self.platter.nodes.insert(ino, node.clone());
        self.seen.nodes.insert(ino, node);
        self.rename_entries(folder, vec![(name.to_owned(), Some(ino))], None);
        Ok(ino)
    }

    pub fn remove(&mut self, folder: Ino, name: &OsStr, is_folder: bool) -> Result<(), Refused> {
        let ino = self.child(folder, name)?;
        match (self.node(ino)?.names(), is_folder) {
            (Some(names), true) if !names.is_empty() => return Err(Refused::NotEmpty),
            (Some(_), false) | (None, true) => return Err(Refused::WrongKind),
            _ => {}
        }
        self.step()?;
        self.rename_entries(folder, vec![(name.to_owned(), None)], None);
        self.forget_if_unnamed(ino);
        Ok(())
    }

    pub fn rename(
        &mut self,
        from: (Ino, &OsStr),
        to: (Ino, &OsStr),
        replace: bool,
    ) -> Result<(), Refused> {
        let ino = self.child(from.0, from.1)?;
        let replaced = match self.child(to.0, to.1) {
            Ok(_) if !replace => return Err(Refused::Taken),
            Ok(replaced) => Some(replaced),
            Err(Refused::Absent) => None,
            Err(other) => return Err(other),
        };
        self.step()?;
        let (old, new) = ((from.1.to_owned(), None), (to.1.to_owned(), Some(ino)));
        if from.0 == to.0 {
            self.rename_entries(to.0, vec![old, new], None);
        } else {
            let named = self.rename_entries(to.0, vec![new], None);
            self.rename_entries(from.0, vec![old], Some(named));
        }
        if let Some(replaced) = replaced.filter(|replaced| *replaced != ino) {
            self.forget_if_unnamed(replaced);
        }
        Ok(())
    }

    fn rename_entries(
        &mut self,
        folder: Ino,
        names: Vec<(OsString, Option<Ino>)>,
        after: Option<u64>,
    ) -> u64 {
        for (name, to) in &names {
            self.seen.set_name(folder, name, *to);
        }
        self.namings_made += 1;
        self.namings.push(Naming { number: self.namings_made, folder, names, after });
        self.namings_made
    }

    /// Content that nobody can reach any more takes no memory; what the platter holds of it stays.
    fn forget_if_unnamed(&mut self, ino: Ino) {
        let named = self
            .seen
            .nodes
            .values()
            .filter_map(Node::names)
            .any(|names| names.values().any(|named| *named == ino));
        if !named && !self.handles.contains_key(&ino) {
            self.seen.nodes.remove(&ino);
        }
    }

    pub fn write(&mut self, ino: Ino, at: u64, bytes: &[u8]) -> Result<(), Refused> {
        self.step()?;
        put(self.content(ino)?, at, bytes);
        self.changed(ino, Change::Write { at, bytes: bytes.to_vec() });
        Ok(())
    }

    pub fn set_length(&mut self, ino: Ino, length: u64) -> Result<(), Refused> {
        self.step()?;
        self.content(ino)?.resize(length as usize, 0);
        self.changed(ino, Change::Length(length));
        Ok(())
    }

    /// Permissions are not what is tried here; they are durable at once.
    pub fn set_mode(&mut self, ino: Ino, mode: u32) -> Result<(), Refused> {
        self.powered()?;
        for image in [&mut self.seen, &mut self.platter] {
            if let Some(node) = image.nodes.get_mut(&ino) {
                node.mode = mode;
            }
        }
        Ok(())
    }

    fn content(&mut self, ino: Ino) -> Result<&mut Vec<u8>, Refused> {
        let node = self.seen.nodes.get_mut(&ino).ok_or(Refused::Absent)?;
        node.changed = (self.clock)();
        node.content_mut().ok_or(Refused::WrongKind)
    }

    fn changed(&mut self, ino: Ino, change: Change) {
        self.writes.entry(ino).or_default().push(change);
    }

    /// `fsync` of a file: its content, not its name.
    pub fn sync_file(&mut self, ino: Ino) -> Result<(), Refused> {
        self.step()?;
        let seen = self.seen.nodes.get(&ino).ok_or(Refused::Absent)?;
        seen.content().ok_or(Refused::WrongKind)?;
        // The bytes are shared until one of the two changes.
        self.platter.nodes.insert(ino, seen.clone());
        self.writes.remove(&ino);
        Ok(())
    }

    /// `fsync` of a folder: the names in it.
    pub fn sync_folder(&mut self, ino: Ino) -> Result<(), Refused> {
        self.step()?;
        let mut wanted: Vec<u64> =
            self.namings.iter().filter(|naming| naming.folder == ino).map(|n| n.number).collect();
        // What these wait for, and what was done before to the same folders.
        for at in 0..self.namings.len() {
            let naming = &self.namings[self.namings.len() - 1 - at];
            let Some(after) = naming.after.filter(|_| wanted.contains(&naming.number)) else {
                continue;
            };
            let Some(first) = self.namings.iter().find(|naming| naming.number == after) else {
                continue;
            };
            let folder = first.folder;
            let before = self.namings.iter().filter(|n| n.folder == folder && n.number <= after);
            wanted.extend(before.map(|naming| naming.number));
        }
        let (durable, left) =
            std::mem::take(&mut self.namings).into_iter().partition(|n| wanted.contains(&n.number));
        self.namings = left;
        for naming in &durable as &Vec<Naming> {
            apply(&mut self.platter, naming);
        }
        Ok(())
    }

    /// What the platter holds when the power comes back.
    pub fn after_cut(&self, rng: &mut fastrand::Rng) -> Image {
        let mut image = self.platter.clone();
        let names = Fate::draw(rng, self.namings.len());
        let mut kept = std::collections::BTreeSet::new();
        for (at, naming) in self.namings.iter().enumerate() {
            let waits = naming
                .after
                .filter(|after| self.namings.iter().any(|other| other.number == *after));
            if waits.is_none_or(|after| kept.contains(&after)) && names.keeps(at, rng) {
                apply(&mut image, naming);
                kept.insert(naming.number);
            }
        }
        for (ino, changes) in &self.writes {
            let Some(content) = image.nodes.get_mut(ino).and_then(Node::content_mut) else {
                continue;
            };
            let fate = Fate::draw(rng, changes.len());
            for (at, change) in changes.iter().enumerate() {
                if fate.keeps(at, rng) {
                    change.keep(content, fate, rng);
                }
            }
        }
        image.drop_unnamed();
        image
    }
}

fn apply(image: &mut Image, naming: &Naming) {
    for (name, to) in &naming.names {
        image.set_name(naming.folder, name, *to);
    }
}

fn put(content: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let (from, to) = (at as usize, at as usize + bytes.len());
    if content.len() < to {
        content.resize(to, 0);
    }
    content[from..to].copy_from_slice(bytes);
}

/// What becomes of changes that were not synced.
#[derive(Clone, Copy)]
enum Fate {
    Nothing,
    All,
    First(usize),
    Some,
    Torn,
}

impl Fate {
    fn draw(rng: &mut fastrand::Rng, changes: usize) -> Self {
        match rng.u8(..5) {
            0 => Self::Nothing,
            1 => Self::All,
            2 => Self::First(rng.usize(..=changes)),
            3 => Self::Some,
            _ => Self::Torn,
        }
    }

    fn keeps(self, at: usize, rng: &mut fastrand::Rng) -> bool {
        match self {
            Self::Nothing => false,
            Self::All => true,
            Self::First(kept) => at < kept,
            Self::Some | Self::Torn => rng.bool(),
        }
    }
}

impl Change {
    fn keep(&self, content: &mut Vec<u8>, fate: Fate, rng: &mut fastrand::Rng) {
        match self {
            Self::Length(length) => content.resize(*length as usize, 0),
            Self::Write { at, bytes } if matches!(fate, Fate::Torn) => {
                // The length may be there before the bytes are.
                if rng.bool() {
                    let length = content.len().max(*at as usize + bytes.len());
                    content.resize(length, 0);
                }
                let mut from = *at;
                let end = at + bytes.len() as u64;
                while from < end {
                    let to = (from / SECTOR * SECTOR + SECTOR).min(end);
                    if rng.bool() {
                        put(content, from, &bytes[(from - at) as usize..(to - at) as usize]);
                    }
                    from = to;
                }
            }
            Self::Write { at, bytes } => put(content, *at, bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ROOT;
    use super::*;

    fn cuts(state: &State) -> impl Iterator<Item = Image> {
        (0..200).map(|seed| state.after_cut(&mut fastrand::Rng::with_seed(seed)))
    }

    fn file(image: &Image, folder: Ino, name: &str) -> Option<Vec<u8>> {
        let ino = image.nodes.get(&folder)?.names()?.get(OsStr::new(name))?;
        Some(image.nodes.get(ino)?.content()?.to_vec())
    }

    fn make(state: &mut State, folder: Ino, name: &str, bytes: &[u8]) -> Ino {
        let ino = state.create(folder, OsStr::new(name), Node::empty_file(0o600)).unwrap();
        state.write(ino, 0, bytes).unwrap();
        ino
    }

    #[test]
    fn a_name_without_a_synced_folder_is_sometimes_lost_and_sometimes_kept() {
        let mut state = State::new(Image::default(), || SystemTime::UNIX_EPOCH);
        let ino = make(&mut state, ROOT, "a", &[7; 2000]);
        state.sync_file(ino).unwrap();
        let found: Vec<_> = cuts(&state).map(|image| file(&image, ROOT, "a")).collect();
        assert!(found.iter().any(Option::is_none) && found.iter().any(Option::is_some));
        assert!(found.iter().flatten().all(|bytes| *bytes == [7; 2000]), "it was synced");
        state.sync_folder(ROOT).unwrap();
        assert!(cuts(&state).all(|image| file(&image, ROOT, "a").is_some()));
    }

    #[test]
    fn a_synced_name_of_an_unsynced_file_leads_to_nothing_to_all_and_to_torn_bytes() {
        let mut state = State::new(Image::default(), || SystemTime::UNIX_EPOCH);
        make(&mut state, ROOT, "a", &[7; 2000]);
        state.sync_folder(ROOT).unwrap();
        let found: Vec<_> =
            cuts(&state).map(|image| file(&image, ROOT, "a").expect("named")).collect();
        assert!(found.iter().any(Vec::is_empty), "lost");
        assert!(found.iter().any(|bytes| *bytes == [7; 2000]), "kept");
        let torn = found.iter().find(|bytes| bytes.contains(&7) && bytes.contains(&0)).unwrap();
        for sector in torn.chunks(SECTOR as usize) {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "sectors are whole");
        }
    }

    #[test]
    fn later_writes_may_survive_earlier_ones() {
        let mut state = State::new(Image::default(), || SystemTime::UNIX_EPOCH);
        let ino = make(&mut state, ROOT, "a", &[0; 1024]);
        state.sync_file(ino).unwrap();
        state.sync_folder(ROOT).unwrap();
        state.write(ino, 0, &[1; 512]).unwrap();
        state.write(ino, 512, &[2; 512]).unwrap();
        let found: Vec<_> = cuts(&state).filter_map(|image| file(&image, ROOT, "a")).collect();
        assert!(found.iter().any(|bytes| bytes[0] == 0 && bytes[512] == 2), "reordered");
        assert!(found.iter().any(|bytes| bytes[0] == 1 && bytes[512] == 0));
    }

    #[test]
    fn a_rename_is_never_half_done_and_never_leaves_a_file_without_a_name() {
        let mut state = State::new(Image::default(), || SystemTime::UNIX_EPOCH);
        let there = state.create(ROOT, OsStr::new("d"), Node::empty_folder(0o700)).unwrap();
        let ino = make(&mut state, ROOT, "a.part", b"new");
        state.sync_file(ino).unwrap();
        let old = make(&mut state, ROOT, "a", b"old");
        state.sync_file(old).unwrap();
        state.sync_folder(ROOT).unwrap();
        state.rename((ROOT, OsStr::new("a.part")), (ROOT, OsStr::new("a")), true).unwrap();
        for image in cuts(&state) {
            let part = file(&image, ROOT, "a.part");
            let whole = file(&image, ROOT, "a").expect("the name was there all the time");
            assert_eq!(part.is_some(), whole == b"old");
        }
        state.sync_folder(ROOT).unwrap();
        state.rename((ROOT, OsStr::new("a")), (there, OsStr::new("a")), true).unwrap();
        let both = |image: &Image| (file(image, ROOT, "a"), file(image, there, "a"));
        assert!(cuts(&state).all(|image| both(&image) != (None, None)));
        assert!(cuts(&state).any(|image| matches!(both(&image), (Some(_), None))));
        assert!(cuts(&state).any(|image| matches!(both(&image), (None, Some(_)))));
        // The folder it left is synced: then it must be where it went.
        state.sync_folder(ROOT).unwrap();
        assert!(cuts(&state).all(|image| matches!(both(&image), (None, Some(_)))));
    }

    #[test]
    fn a_removal_is_lost_until_its_folder_is_synced() {
        let mut state = State::new(Image::default(), || SystemTime::UNIX_EPOCH);
        let ino = make(&mut state, ROOT, "a", b"x");
        state.sync_file(ino).unwrap();
        state.sync_folder(ROOT).unwrap();
        state.remove(ROOT, OsStr::new("a"), false).unwrap();
        assert!(cuts(&state).any(|image| file(&image, ROOT, "a").as_deref() == Some(b"x")));
        state.sync_folder(ROOT).unwrap();
        assert!(cuts(&state).all(|image| file(&image, ROOT, "a").is_none()));
    }

    #[test]
    fn without_power_nothing_changes_any_more() {
        let mut state = State::new(Image::default(), || SystemTime::UNIX_EPOCH);
        state.cut_after(2);
        let ino = state.create(ROOT, OsStr::new("a"), Node::empty_file(0o600)).unwrap();
        assert_eq!(state.write(ino, 0, b"x"), Err(Refused::NoPower));
        assert!(!state.has_power());
        assert_eq!(state.sync_file(ino), Err(Refused::NoPower));
        assert!(cuts(&state).all(|image| file(&image, ROOT, "a").unwrap_or_default().is_empty()));
    }
}
