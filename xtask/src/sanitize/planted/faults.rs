//! Faults on purpose, one by its name: a sanitizer that lets one pass has nothing to say about the tests.

#![allow(unsafe_code, static_mut_refs)]

use std::thread;

#[cfg(with_c)]
unsafe extern "C" {
    fn use_after_free() -> i32;
    fn overflow(add: i32) -> i32;
    fn race();
}

#[cfg(with_mongoose)]
unsafe extern "C" {
    fn hazard(number: i32);
}

static mut COUNT: u64 = 0;

fn main() {
    let fault = std::env::args().nth(1);
    match fault.as_deref() {
        Some("use-after-free") => {
            let memory = Box::into_raw(Box::new(1));
            // SAFETY: none, that is what is looked for; so below.
            unsafe {
                drop(Box::from_raw(memory));
                println!("{}", std::ptr::read_volatile(memory));
            }
        }
        Some("leak") => {
            std::mem::forget(std::hint::black_box(vec![0u8; 1000]));
        }
        Some("race") => {
            let count = || (0..1000).for_each(|_| unsafe { COUNT += 1 });
            let other = thread::spawn(count);
            count();
            other.join().expect("no panic");
        }
        #[cfg(with_c)]
        Some("c-use-after-free") => println!("{}", unsafe { use_after_free() }),
        #[cfg(with_c)]
        Some("c-undefined") => println!("{}", unsafe { overflow(1) }),
        #[cfg(with_c)]
        Some("c-race") => {
            let other = thread::spawn(|| unsafe { race() });
            unsafe { race() };
            other.join().expect("no panic");
        }
        // Faults of Mongoose's own, which are in no program but this one.
        #[cfg(with_mongoose)]
        Some(name) if let Some(number) = name.strip_prefix("hazard-") => {
            unsafe { hazard(number.parse().expect("a number")) };
        }
        // Without a fault there must be nothing to say.
        _ => println!("{}", vec![1, 2, 3].len()),
    }
}
