//! All connections of a manager, by slot and generation.

use std::rc::Rc;

use super::{ConnectionId, Entry};

/// A generation this high is never given out, so that no token is one of the selector's own.
const LAST_GENERATION: u32 = u32::MAX - 1;

/// Finds, adds and removes in O(1). A slot is used again with the next generation, and never again after the last.
#[derive(Debug)]
pub(crate) struct Table {
    manager: u32,
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    entry: Option<Rc<Entry>>,
}

impl Table {
    pub(super) fn new(manager: u32) -> Self {
        Self { manager, slots: Vec::new(), free: Vec::new() }
    }

    /// The id that the next [`insert`](Self::insert) fills. `None` when 2^32 slots are taken.
    pub(super) fn reserve(&mut self) -> Option<ConnectionId> {
        if self.free.is_empty() {
            let slot = u32::try_from(self.slots.len()).ok()?;
            self.slots.push(Slot { generation: 0, entry: None });
            self.free.push(slot);
        }
        let slot = *self.free.last()?;
        Some(ConnectionId { manager: self.manager, slot, generation: self.slots[slot as usize].generation })
    }

    /// Fills the slot that [`reserve`](Self::reserve) named.
    pub(super) fn insert(&mut self, entry: Rc<Entry>) {
        let id = entry.id;
        let reserved = self.free.pop();
        debug_assert_eq!(reserved, Some(id.slot), "insert follows reserve");
        self.slots[id.slot as usize].entry = Some(entry);
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Rc<Entry>> {
        if id.manager != self.manager {
            return None;
        }
        let slot = self.slots.get(id.slot as usize)?;
        if slot.generation == id.generation { slot.entry.as_ref() } else { None }
    }

    /// What the selector reported; a stale token finds nothing.
    pub(super) fn get_token(&self, token: u64) -> Option<&Rc<Entry>> {
        self.get(ConnectionId::from_token(self.manager, token))
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Rc<Entry>> {
        self.get(id)?;
        let slot = &mut self.slots[id.slot as usize];
        let entry = slot.entry.take();
        slot.generation += 1;
        if slot.generation < LAST_GENERATION {
            self.free.push(id.slot);
        }
        entry
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Rc<Entry>> {
        self.slots.iter().filter_map(|slot| slot.entry.as_ref())
    }
}
