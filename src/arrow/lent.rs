//! Columns as Arrow buffers, whose memory goes back to the database that they came from.

use std::sync::{Arc, Weak};

use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer, ToByteSlice};
use bytes::Bytes;

use crate::db::spare::{Cell, Spare};

/// Takes columns back, as long as the database is open.
pub(super) struct Lender(Weak<Spare>);

struct Lent<T: Cell + ArrowNativeType> {
    column: Vec<T>,
    to: Weak<Spare>,
}

impl<T: Cell + ArrowNativeType> AsRef<[u8]> for Lent<T> {
    fn as_ref(&self) -> &[u8] {
        self.column.as_slice().to_byte_slice()
    }
}

impl<T: Cell + ArrowNativeType> Drop for Lent<T> {
    fn drop(&mut self) {
        if let Some(spare) = self.to.upgrade() {
            spare.keep(std::mem::take(&mut self.column));
        }
    }
}

impl Lender {
    /// For columns that came from `spare`.
    pub(super) fn new(spare: &Arc<Spare>) -> Lender {
        Lender(Arc::downgrade(spare))
    }

    /// The bytes of a column, without a copy.
    pub(super) fn buffer<T: Cell + ArrowNativeType>(&self, column: Vec<T>) -> Buffer {
        if Spare::keeps(&column) {
            Buffer::from(Bytes::from_owner(Lent { column, to: self.0.clone() }))
        } else {
            Buffer::from_vec(column)
        }
    }

    /// The values of a column, without a copy.
    pub(super) fn values<T: Cell + ArrowNativeType>(&self, column: Vec<T>) -> ScalarBuffer<T> {
        let count = column.len();
        ScalarBuffer::new(self.buffer(column), 0, count)
    }
}
