//! Somebody else's library, which panics and catches it, and keeps something in the heap and on the thread.

use std::cell::RefCell;
use std::panic::catch_unwind;

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// How many texts were kept so far; -1 for a panic, which is what a negative number makes.
#[unsafe(no_mangle)]
pub extern "C" fn other_keep(number: i32) -> i32 {
    let keep = || {
        assert!(number >= 0, "a negative number");
        SEEN.with_borrow_mut(|seen| {
            seen.push(format!("number {number}"));
            i32::try_from(seen.len()).unwrap_or(i32::MAX)
        })
    };
    catch_unwind(keep).unwrap_or(-1)
}
