//! Memory that long lists gave back, kept for the next one: to ask the system for fresh memory takes longer than to fill it.

use std::mem::size_of;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Columns without their values.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    kept: Mutex<Kept>,
}

/// A kind of value that columns have.
pub(crate) trait Cell: Copy {
    /// Where columns of it are kept.
    fn shelf(kept: &mut Kept) -> &mut Vec<Vec<Self>>;
}

/// Columns by kind.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: usize,
    seconds: Vec<Vec<i64>>,
    places: Vec<Vec<i32>>,
    texts: Vec<Vec<u8>>,
}

impl Cell for i64 {
    fn shelf(kept: &mut Kept) -> &mut Vec<Vec<i64>> {
        &mut kept.seconds
    }
}

impl Cell for i32 {
    fn shelf(kept: &mut Kept) -> &mut Vec<Vec<i32>> {
        &mut kept.places
    }
}

impl Cell for u8 {
    fn shelf(kept: &mut Kept) -> &mut Vec<Vec<u8>> {
        &mut kept.texts
    }
}

impl Spare {
    /// Bytes kept at most: a table of a million rows.
    #[cfg(feature = "arrow")]
    const MOST: usize = 64 << 20;
    /// Columns of more bytes go back to the system: nobody asks for such lists every minute.
    #[cfg(feature = "arrow")]
    const LONGEST: usize = 16 << 20;
    /// For columns of fewer bytes the allocator does as well.
    const SHORTEST: usize = 64 << 10;

    /// An empty column with room for so many values.
    pub(crate) fn column<T: Cell>(&self, values: usize) -> Vec<T> {
        let fits = |column: &Vec<T>| column.capacity() >= values;
        if values.saturating_mul(size_of::<T>()) >= Spare::SHORTEST {
            let mut kept = self.kept();
            // What was kept for lists that are longer now would never be used again.
            let place =
                T::shelf(&mut kept).iter().position(fits).or(T::shelf(&mut kept).len().checked_sub(1));
            if let Some(place) = place {
                let column = T::shelf(&mut kept).swap_remove(place);
                kept.bytes -= bytes(&column);
                if fits(&column) {
                    return column;
                }
            }
        }
        Vec::with_capacity(values)
    }

    /// Whether the room of a column is worth keeping. Only Arrow's buffers tell when nobody uses them any more.
    #[cfg(feature = "arrow")]
    pub(crate) fn keeps<T>(column: &Vec<T>) -> bool {
        (Spare::SHORTEST..=Spare::LONGEST).contains(&bytes(column))
    }

    /// Keeps the room of a column, if that is worth it and there is not too much of it.
    #[cfg(feature = "arrow")]
    pub(crate) fn keep<T: Cell>(&self, mut column: Vec<T>) {
        if !Spare::keeps(&column) {
            return;
        }
        column.clear();
        let mut kept = self.kept();
        if kept.bytes + bytes(&column) <= Spare::MOST {
            kept.bytes += bytes(&column);
            T::shelf(&mut kept).push(column);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes<T>(column: &Vec<T>) -> usize {
    column.capacity() * size_of::<T>()
}

#[cfg(all(test, feature = "arrow"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_used_again() {
        let spare = Spare::default();
        let mut column: Vec<i64> = spare.column(100_000);
        column.push(7);
        let place = column.as_ptr();
        spare.keep(column);
        let again: Vec<i64> = spare.column(90_000);
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        let other: Vec<i64> = spare.column(90_000);
        assert_ne!(other.as_ptr(), place);
        spare.keep(again);
        let longer: Vec<i64> = spare.column(200_000);
        assert!(longer.capacity() >= 200_000);
        assert_eq!(spare.kept().bytes, 0, "the short one made room");
    }

    #[test]
    fn no_more_is_kept_than_it_may() {
        let spare = Spare::default();
        spare.keep::<u8>(Vec::with_capacity(Spare::LONGEST + 1));
        spare.keep::<u8>(Vec::with_capacity(Spare::SHORTEST - 1));
        assert_eq!(spare.kept().bytes, 0);
        for _ in 0..10 {
            spare.keep::<i32>(Vec::with_capacity(Spare::LONGEST / 4));
        }
        assert_eq!(spare.kept().bytes, Spare::MOST);
        assert_eq!(spare.kept().places.len(), 4);
    }
}
