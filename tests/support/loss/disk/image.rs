//! Why: what is on the platter, and nothing that is not.
//!
//! Refuses: to know of open files, caches or programs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::SystemTime;

use super::{Ino, ROOT};

/// A file system at rest.
#[derive(Clone, Debug)]
pub struct Image {
    pub(super) nodes: BTreeMap<Ino, Node>,
    pub(super) next: Ino,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub body: Body,
    pub mode: u32,
    pub changed: SystemTime,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    File(Arc<Vec<u8>>),
    Folder(BTreeMap<OsString, Ino>),
}

impl Node {
    pub fn empty_file(mode: u32) -> Self {
        Self { body: Body::File(Arc::default()), mode, changed: SystemTime::UNIX_EPOCH }
    }

    pub fn empty_folder(mode: u32) -> Self {
        Self { body: Body::Folder(BTreeMap::new()), mode, changed: SystemTime::UNIX_EPOCH }
    }

    pub fn names(&self) -> Option<&BTreeMap<OsString, Ino>> {
        match &self.body {
            Body::Folder(names) => Some(names),
            Body::File(_) => None,
        }
    }

    pub fn names_mut(&mut self) -> Option<&mut BTreeMap<OsString, Ino>> {
        match &mut self.body {
            Body::Folder(names) => Some(names),
            Body::File(_) => None,
        }
    }

    pub fn content(&self) -> Option<&Arc<Vec<u8>>> {
        match &self.body {
            Body::File(content) => Some(content),
            Body::Folder(_) => None,
        }
    }

    pub fn content_mut(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.body {
            Body::File(content) => Some(Arc::make_mut(content)),
            Body::Folder(_) => None,
        }
    }
}

impl Default for Image {
    fn default() -> Self {
        Self { nodes: BTreeMap::from([(ROOT, Node::empty_folder(0o755))]), next: ROOT + 1 }
    }
}

impl Image {
    pub(super) fn set_name(&mut self, folder: Ino, name: &OsString, to: Option<Ino>) {
        let Some(names) = self.nodes.get_mut(&folder).and_then(Node::names_mut) else { return };
        match to {
            Some(ino) => names.insert(name.clone(), ino),
            None => names.remove(name),
        };
    }

    /// Forgets what no name leads to.
    pub(super) fn drop_unnamed(&mut self) {
        let mut named = std::collections::BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(ino) = open.pop() {
            let names = self.nodes.get(&ino).and_then(Node::names);
            for child in names.into_iter().flat_map(BTreeMap::values) {
                if named.insert(*child) {
                    open.push(*child);
                }
            }
        }
        self.nodes.retain(|ino, _| named.contains(ino));
    }
}
