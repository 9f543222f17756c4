//! A loop that other threads never leave alone: `peer-ours-posts PORT`. Threads post closures, large and small, and wait
//! now and then until all of them have run; `/later` is answered by another thread; `/account` says what was posted and
//! what has run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use mongoose::http::{Deferred, Reply, Request};
use mongoose::{Error, Handle, Manager, Registry};

const POSTERS: u64 = 2;
const ANSWERERS: usize = 2;

/// Closures between two times that a poster waits for them.
const BURST: u64 = 500;

/// Between two bursts: others are to get something of the processor too.
const PAUSE: Duration = Duration::from_millis(2);

#[derive(Default)]
struct Account {
    posted: AtomicU64,
    ran: AtomicU64,
    errors: AtomicU64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: peer-ours-posts PORT")?;
    let mut manager = Manager::new()?;
    let account = Arc::new(Account::default());
    for seed in 0..POSTERS {
        let (handle, account) = (manager.handle(), Arc::clone(&account));
        thread::spawn(move || while post(&handle, &account, seed).is_ok() {});
    }
    let (asked, questions) = mpsc::channel::<Deferred>();
    let questions = Arc::new(Mutex::new(questions));
    for _ in 0..ANSWERERS {
        let questions = Arc::clone(&questions);
        thread::spawn(move || {
            loop {
                let Ok(Ok(deferred)) = questions.lock().map(|questions| questions.recv()) else {
                    return;
                };
                // The client may be gone.
                let _ = deferred.reply().text("Hello, World!");
            }
        });
    }
    let handler = move |request: Request<'_>, reply: Reply<'_>| -> Result<(), Error> {
        match request.path() {
            "/hello" => reply.text("Hello, World!"),
            "/later" => asked.send(reply.defer()).map_err(Error::handler),
            "/account" => {
                let count = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
                // What has run first: what is posted meanwhile is no error.
                let (ran, posted) = (count(&account.ran), count(&account.posted));
                reply.text(format!("posted {posted} ran {ran} errors {}", count(&account.errors)))
            }
            _ => reply.status(404).text("not found"),
        }
    };
    manager.http(&format!("http://127.0.0.1:{port}"), handler)?;
    Ok(manager.run()?)
}

/// A burst, whose closures have to run once each, in order.
fn post(handle: &Handle, account: &Arc<Account>, seed: u64) -> Result<(), Error> {
    let (done, waiting) = mpsc::channel();
    let next = Arc::new(AtomicU64::new(0));
    for number in 0..BURST {
        let (account, next, done) = (Arc::clone(account), Arc::clone(&next), done.clone());
        let payload = vec![number as u8; 1 << ((number + seed) % 13)];
        account.posted.fetch_add(1, Ordering::SeqCst);
        handle.post(move |_: &Registry| {
            let right = next.fetch_add(1, Ordering::SeqCst) == number
                && payload.iter().all(|byte| *byte == number as u8);
            account.ran.fetch_add(1, Ordering::SeqCst);
            account.errors.fetch_add(u64::from(!right), Ordering::SeqCst);
            if number + 1 == BURST {
                let _ = done.send(());
            }
        })?;
    }
    drop(done);
    if waiting.recv().is_err() || next.load(Ordering::SeqCst) != BURST {
        account.errors.fetch_add(1, Ordering::SeqCst);
    }
    thread::sleep(PAUSE);
    Ok(())
}
