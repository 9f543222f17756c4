//! Who subscribed to what: a tree of levels, so that a message costs what its topic has levels, not what there are
//! subscriptions.

use std::collections::HashMap;
use std::rc::Rc;

use mongoose::mqtt::{SubscribeOptions, shared};

/// Filters with more levels are refused: matching goes as deep as they do.
pub const LEVELS_MAX: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub options: SubscribeOptions,
    pub identifier: Option<u32>,
}

#[derive(Default)]
pub struct Topics {
    root: Node,
}

#[derive(Default)]
struct Node {
    children: HashMap<String, Node>,
    members: HashMap<Rc<str>, Subscription>,
    groups: HashMap<String, Group>,
}

/// Those who share a subscription: each message is for one of them.
#[derive(Default)]
struct Group {
    members: Vec<(Rc<str>, Subscription)>,
    next: usize,
}

impl Topics {
    /// Answers whether there was no such subscription before.
    pub fn insert(&mut self, filter: &str, client: &Rc<str>, subscription: Subscription) -> bool {
        let (group, filter) = shared(filter).map_or((None, filter), |(group, filter)| (Some(group), filter));
        let mut node = &mut self.root;
        for level in filter.split('/') {
            node = node.children.entry(level.to_owned()).or_default();
        }
        let Some(group) = group else {
            return node.members.insert(Rc::clone(client), subscription).is_none();
        };
        let group = node.groups.entry(group.to_owned()).or_default();
        let before = group.members.len();
        group.members.retain(|(member, _)| member != client);
        group.members.push((Rc::clone(client), subscription));
        group.members.len() > before
    }

    /// Answers whether there was such a subscription.
    pub fn remove(&mut self, filter: &str, client: &str) -> bool {
        let (group, filter) = shared(filter).map_or((None, filter), |(group, filter)| (Some(group), filter));
        self.root.remove(&mut filter.split('/'), group, client)
    }

    /// Calls for each subscription that takes a topic; of those that share, for one, whom `ready` says yes to if there is
    /// one.
    pub fn each(
        &mut self,
        topic: &str,
        ready: &dyn Fn(&str) -> bool,
        call: &mut dyn FnMut(&Rc<str>, Subscription),
    ) {
        let levels: Vec<_> = topic.split('/').collect();
        self.root.each(&levels, !topic.starts_with('$'), ready, call);
    }
}

impl Node {
    fn remove<'l>(
        &mut self,
        levels: &mut impl Iterator<Item = &'l str>,
        group: Option<&str>,
        client: &str,
    ) -> bool {
        let Some(level) = levels.next() else {
            let Some(name) = group else { return self.members.remove(client).is_some() };
            let Some(group) = self.groups.get_mut(name) else { return false };
            let before = group.members.len();
            group.members.retain(|(member, _)| &**member != client);
            let removed = group.members.len() < before;
            if group.members.is_empty() {
                self.groups.remove(name);
            }
            return removed;
        };
        let Some(child) = self.children.get_mut(level) else { return false };
        let removed = child.remove(levels, group, client);
        if child.children.is_empty() && child.members.is_empty() && child.groups.is_empty() {
            self.children.remove(level);
        }
        removed
    }

    fn each(
        &mut self,
        levels: &[&str],
        wildcards: bool,
        ready: &dyn Fn(&str) -> bool,
        call: &mut dyn FnMut(&Rc<str>, Subscription),
    ) {
        if wildcards && let Some(all) = self.children.get_mut("#") {
            all.here(ready, call);
        }
        let Some((level, rest)) = levels.split_first() else { return self.here(ready, call) };
        if let Some(child) = self.children.get_mut(*level) {
            child.each(rest, true, ready, call);
        }
        if wildcards && let Some(child) = self.children.get_mut("+") {
            child.each(rest, true, ready, call);
        }
    }

    fn here(&mut self, ready: &dyn Fn(&str) -> bool, call: &mut dyn FnMut(&Rc<str>, Subscription)) {
        for (client, subscription) in &self.members {
            call(client, *subscription);
        }
        for group in self.groups.values_mut() {
            let count = group.members.len();
            let turns = (0..count).map(|turn| (group.next + turn) % count);
            let chosen = turns.clone().find(|at| ready(&group.members[*at].0)).or(turns.clone().next());
            if let Some(at) = chosen {
                group.next = (at + 1) % count;
                let (client, subscription) = &group.members[at];
                call(client, *subscription);
            }
        }
    }
}
