//! The SNTP client, with servers that tell the truth and with one that lies in every way there is.

#![cfg(unix)]

mod examples;
mod liar;
mod peer;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use mongoose::{Error, Manager, Registry, sntp};
use mongoose_tests::poll_until;

type Answer = Result<sntp::Time, Error>;

fn ask_within(url: &str, within: Duration) -> Answer {
    let mut manager = Manager::new().expect("a manager");
    let answer = Rc::new(RefCell::new(None));
    let note = Rc::clone(&answer);
    let then = move |_: &Registry, told: Answer| {
        assert!(note.borrow_mut().replace(told).is_none(), "one answer");
    };
    let query = manager.sntp(url, within, then).expect("to begin");
    assert!(answer.borrow().is_none(), "never before it returns");
    poll_until(&mut manager, "the end", |manager| manager.stats().connections == 0);
    drop(query);
    answer.take().expect("an answer")
}

fn ask(url: &str) -> Answer {
    ask_within(url, mongoose_tests::PATIENCE)
}

fn reason(answer: Answer) -> String {
    match answer {
        Err(Error::Sntp { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}
