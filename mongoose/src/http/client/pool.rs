//! Connections between two requests.

use std::rc::Rc;

use super::destination::Destination;
use super::line::Line;

/// Idle connections, the one that was used last behind all others. There are few: looking through them costs less than
/// a map would.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Vec<Rc<Line>>,
    per_host: usize,
    in_all: usize,
}

impl Pool {
    pub(super) fn new(per_host: usize, in_all: usize) -> Self {
        Self { idle: Vec::new(), per_host, in_all }
    }

    /// Sets the bounds, for what comes from now on.
    pub(super) fn resize(&mut self, per_host: usize, in_all: usize) {
        self.per_host = per_host;
        self.in_all = in_all;
    }

    pub(super) fn len(&self) -> usize {
        self.idle.len()
    }

    /// Takes the connection to a destination that was used last.
    pub(super) fn take(&mut self, destination: &Destination) -> Option<Rc<Line>> {
        let index = self.idle.iter().rposition(|line| line.destination() == destination)?;
        Some(self.idle.remove(index))
    }

    /// Keeps a connection. One that has to go for it, which may be itself, is answered for the caller to close.
    pub(super) fn put(&mut self, line: Rc<Line>) -> Option<Rc<Line>> {
        let is_same = |other: &Rc<Line>| other.destination() == line.destination();
        let mut same = self.idle.iter().enumerate().filter(|(_, other)| is_same(other));
        let oldest = same.next().map(|(index, _)| index);
        let siblings = same.count() + usize::from(oldest.is_some());
        self.idle.push(line);
        if siblings >= self.per_host {
            Some(self.idle.remove(oldest.unwrap_or(self.idle.len() - 1)))
        } else if self.idle.len() > self.in_all {
            Some(self.idle.remove(0))
        } else {
            None
        }
    }

    /// Forgets a connection.
    pub(super) fn remove(&mut self, line: &Rc<Line>) {
        self.idle.retain(|other| !Rc::ptr_eq(other, line));
    }
}

#[cfg(test)]
mod tests {
    use super::super::destination::Trust;
    use super::super::url::Url;
    use super::*;

    fn destination(port: u16) -> Destination {
        let url = Url::parse(&format!("http://h:{port}/")).expect("valid");
        Destination::new(&url, &Trust::Nobody).expect("plain")
    }

    fn line(port: u16) -> Rc<Line> {
        Rc::new(Line::new(destination(port)))
    }

    #[test]
    fn gives_the_one_used_last_and_lets_the_oldest_go() {
        let mut pool = Pool::new(2, 3);
        let lines = [line(1), line(1), line(1), line(2), line(3)];
        let put = |pool: &mut Pool, index: usize| {
            let gone = pool.put(Rc::clone(&lines[index]))?;
            lines.iter().position(|line| Rc::ptr_eq(line, &gone))
        };
        assert_eq!((put(&mut pool, 0), put(&mut pool, 1)), (None, None));
        assert_eq!(put(&mut pool, 2), Some(0), "two of one host");
        assert_eq!(put(&mut pool, 3), None);
        assert_eq!(put(&mut pool, 4), Some(1), "three in all");
        assert_eq!(pool.len(), 3);
        assert!(Rc::ptr_eq(&pool.take(&destination(1)).expect("kept"), &lines[2]));
        assert!(pool.take(&destination(1)).is_none() && pool.take(&destination(4)).is_none());
        pool.remove(&lines[3]);
        assert!(pool.take(&destination(2)).is_none());
    }

    #[test]
    fn a_pool_of_none_keeps_none() {
        for (per_host, in_all) in [(0, 5), (5, 0)] {
            let mut pool = Pool::new(per_host, in_all);
            let only = line(1);
            assert!(Rc::ptr_eq(&pool.put(Rc::clone(&only)).expect("no room"), &only));
            assert_eq!(pool.len(), 0);
        }
    }
}
