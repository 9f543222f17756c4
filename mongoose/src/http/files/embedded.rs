//! Files that are part of the program.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;

use include_dir::{Dir, DirEntry};

use super::listing::{Entry, Listing};
use super::preconditions::Validators;
use super::representation::{Node, Representation};

/// A folder that was embedded when the program was compiled, by its paths.
#[derive(Clone, Debug, Default)]
pub(super) struct Embedded {
    items: HashMap<&'static [u8], Item>,
}

#[derive(Clone, Debug)]
enum Item {
    File { bytes: &'static [u8], validators: Validators },
    Folder(Vec<Entry>),
}

impl Embedded {
    /// Looks at each byte once, so that each file has a tag of its own.
    pub(super) fn new(dir: &'static Dir<'static>) -> Self {
        let mut embedded = Self::default();
        embedded.add(b"", dir);
        embedded
    }

    fn add(&mut self, path: &'static [u8], dir: &'static Dir<'static>) {
        let mut entries = Vec::new();
        for entry in dir.entries() {
            let path = entry.path().as_os_str().as_bytes();
            let name = entry.path().file_name().unwrap_or_default().as_bytes().to_vec();
            match entry {
                DirEntry::Dir(dir) => {
                    self.add(path, dir);
                    entries.push(Entry { name, folder: true, length: 0, modified: None });
                }
                DirEntry::File(file) => {
                    let bytes = file.contents();
                    let length = bytes.len() as u64;
                    entries.push(Entry { name, folder: false, length, modified: None });
                    self.items.insert(path, Item::File { bytes, validators: validators(bytes) });
                }
            }
        }
        self.items.insert(path, Item::Folder(entries));
    }

    pub(super) fn open(&self, names: &[u8]) -> Option<Node> {
        Some(match self.items.get(names)? {
            Item::File { bytes, validators } => {
                Node::File(Representation::of_bytes(bytes, validators.clone()))
            }
            Item::Folder(_) => Node::Folder,
        })
    }

    pub(super) fn list(&self, names: &[u8], dotfiles: bool) -> Option<Listing> {
        let Item::Folder(entries) = self.items.get(names)? else { return None };
        let shown = entries.iter().filter(|entry| dotfiles || !entry.name.starts_with(b"."));
        Some(Listing { entries: shown.cloned().collect(), more: false })
    }
}

/// The tag is the same in every run of a program, and another when the bytes are.
fn validators(bytes: &[u8]) -> Validators {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    Validators { tag: format!("\"{:x}-{:x}\"", hasher.finish(), bytes.len()), strong: true, modified: None }
}
