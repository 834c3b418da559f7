//! Handles: numbers in the shape of pointers, looked up in a table and never followed.
//!
//! A handle says its kind, its place in the table of that kind, and how often that place was given out before. A freed,
//! foreign or invented handle is found out by looking, so misuse costs an error and not the host. Freeing a handle
//! while another thread uses it is fine: the other call keeps the object alive until it returns.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock};

use slaclock_core::ErrorKind;

use crate::fault::Fault;
use crate::log::misuse;

/// A handle, from the lowest bit: the mark and kind, the place, the generation. On 64-bit machines they are 47 bits
/// together, as real pointers are, since some languages keep marks of their own in the others.
const KIND_BITS: u32 = 5;
#[cfg(target_pointer_width = "64")]
const PLACE_BITS: u32 = 22;
#[cfg(target_pointer_width = "64")]
const GENERATION_BITS: u32 = 20;
#[cfg(not(target_pointer_width = "64"))]
const PLACE_BITS: u32 = 14;
#[cfg(not(target_pointer_width = "64"))]
const GENERATION_BITS: u32 = 13;

const PLACES: usize = 1 << PLACE_BITS;
const GENERATIONS: u32 = 1 << GENERATION_BITS;

/// What a handle can stand for. The opaque type of the header is `Self`'s marker.
pub(crate) trait Object: Send + Sync + Sized + 'static {
    /// The opaque type of the header.
    type Marker;
    /// Odd, so that no handle of ours is an aligned pointer, and different for each kind.
    const KIND: usize;
    /// For messages: `a policy`.
    const NAME: &'static str;
    fn table() -> &'static Table<Self>;
}

const KINDS: [&str; 7] =
    ["a policy", "a rule", "a calendar", "a set of facts", "a database", "a text", "a batch"];

/// Makes a type an object behind an opaque type of the header.
macro_rules! object {
    ($body:ty, $marker:ty, $number:literal, $name:literal) => {
        impl $crate::handle::Object for $body {
            type Marker = $marker;
            const KIND: usize = $number * 2 + 1;
            const NAME: &'static str = $name;
            fn table() -> &'static $crate::handle::Table<Self> {
                static TABLE: $crate::handle::Table<$body> = $crate::handle::Table::new();
                &TABLE
            }
        }
    };
}
pub(crate) use object;

/// The objects of one kind.
pub(crate) struct Table<T> {
    slots: RwLock<Slots<T>>,
}

struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// Places to give out again, the longest free first.
    free: VecDeque<u32>,
}

struct Slot<T> {
    /// Rises whenever the place is given out again. A place that has used up its generations is not given out again.
    generation: u32,
    object: Option<Arc<T>>,
}

impl<T: Object> Table<T> {
    pub(crate) const fn new() -> Table<T> {
        Table { slots: RwLock::new(Slots { slots: Vec::new(), free: VecDeque::new() }) }
    }

    /// Keeps an object and gives its handle.
    ///
    /// # Errors
    /// `OutOfRange` if there are as many objects as handles.
    fn add(&self, object: Arc<T>) -> Result<usize, Fault> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let place = match slots.free.pop_front() {
            Some(place) => place as usize,
            None if slots.slots.len() < PLACES => {
                // From 1, so that small numbers are no handles.
                slots.slots.push(Slot { generation: 1, object: None });
                slots.slots.len() - 1
            }
            None => {
                return Err(Fault::new(
                    ErrorKind::OutOfRange,
                    format!("{} of this kind are open: free {} first", PLACES, T::NAME),
                ));
            }
        };
        let slot = &mut slots.slots[place];
        slot.object = Some(object);
        Ok(((slot.generation as usize) << (KIND_BITS + PLACE_BITS)) | (place << KIND_BITS) | T::KIND)
    }

    fn get(&self, name: &str, handle: usize) -> Result<Arc<T>, Fault> {
        let (place, generation) = split::<T>(name, handle)?;
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        match slots.slots.get(place) {
            Some(Slot { generation: now, object: Some(object) }) if *now == generation => Ok(object.clone()),
            Some(slot) if slot.generation > generation => Err(freed(name, T::NAME)),
            _ => Err(foreign(name, T::NAME)),
        }
    }

    /// Takes the object out; its handle is stale from here on.
    fn take(&self, name: &str, handle: usize) -> Result<Arc<T>, Fault> {
        let (place, generation) = split::<T>(name, handle)?;
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = slots.slots.get_mut(place) else { return Err(foreign(name, T::NAME)) };
        if slot.generation > generation {
            return Err(freed(name, T::NAME));
        }
        let object = slot.object.take_if(|_| slot.generation == generation);
        let object = object.ok_or_else(|| foreign(name, T::NAME))?;
        slot.generation += 1;
        if slot.generation < GENERATIONS {
            slots.free.push_back(place as u32);
        }
        Ok(object)
    }
}

/// Place and generation of a handle of this kind.
fn split<T: Object>(name: &str, handle: usize) -> Result<(usize, u32), Fault> {
    if handle == 0 {
        return Err(Fault::argument(format!("`{name}` is NULL: must be {}", T::NAME)));
    }
    let kind = handle & ((1 << KIND_BITS) - 1);
    let generation = handle >> (KIND_BITS + PLACE_BITS);
    if generation == 0 || generation >= GENERATIONS as usize {
        return Err(foreign(name, T::NAME));
    }
    if kind != T::KIND {
        let other = KINDS.get(kind / 2).filter(|_| kind % 2 == 1);
        return Err(match other {
            Some(other) => Fault::argument(format!("`{name}` is {other}: must be {}", T::NAME)),
            None => foreign(name, T::NAME),
        });
    }
    Ok(((handle >> KIND_BITS) & (PLACES - 1), generation as u32))
}

#[cold]
fn freed(name: &str, what: &str) -> Fault {
    Fault::new(
        ErrorKind::Closed,
        format!("`{name}` was freed or closed before: must be {what} that is in use"),
    )
}

#[cold]
fn foreign(name: &str, what: &str) -> Fault {
    Fault::argument(format!("`{name}` is no handle that this library gave out: must be {what}"))
}

/// The object behind a handle of the caller's.
pub(crate) fn get<T: Object>(name: &str, handle: *const T::Marker) -> Result<Arc<T>, Fault> {
    T::table().get(name, handle.addr())
}

/// The object behind a handle, or none for NULL.
pub(crate) fn optional<T: Object>(name: &str, handle: *const T::Marker) -> Result<Option<Arc<T>>, Fault> {
    if handle.is_null() { Ok(None) } else { get(name, handle).map(Some) }
}

/// Keeps an object and gives its handle.
pub(crate) fn add<T: Object>(object: T) -> Result<*mut T::Marker, Fault> {
    let handle = T::table().add(Arc::new(object))?;
    Ok(std::ptr::without_provenance_mut(handle))
}

/// Makes a handle stale and gives back what it stood for.
pub(crate) fn take<T: Object>(name: &str, handle: *const T::Marker) -> Result<Arc<T>, Fault> {
    T::table().take(name, handle.addr())
}

/// The body of a `_free` function: NULL is fine, anything else that is no handle is told to the log.
pub(crate) fn free<T: Object>(function: &str, name: &str, handle: *const T::Marker) {
    crate::guard::value((), || {
        if handle.is_null() {
            return Ok(());
        }
        let taken = take::<T>(name, handle).inspect_err(|fault| misuse(function, fault))?;
        drop(taken);
        Ok(())
    });
}

/// A handle being made: what is kept is freed again unless it is handed over.
pub(crate) struct Fresh<T: Object>(*mut T::Marker, PhantomData<T>);

impl<T: Object> Fresh<T> {
    pub(crate) fn new(object: T) -> Result<Fresh<T>, Fault> {
        Ok(Fresh(add(object)?, PhantomData))
    }

    pub(crate) fn hand_over(self) -> *mut T::Marker {
        let handle = self.0;
        std::mem::forget(self);
        handle
    }
}

impl<T: Object> Drop for Fresh<T> {
    fn drop(&mut self) {
        let _ = take::<T>("handle", self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Thing;
    struct Mark;
    object!(Thing, Mark, 3, "a set of facts");

    #[test]
    fn every_misuse_is_told_apart() {
        let handle = add(Thing).unwrap();
        assert!(get::<Thing>("thing", handle).is_ok());
        let told = |address: usize| {
            let fault = get::<Thing>("thing", std::ptr::without_provenance(address)).err().unwrap();
            (fault.kind(), fault.message().to_owned())
        };
        assert_eq!(told(0), (ErrorKind::InvalidArgument, "`thing` is NULL: must be a set of facts".into()));
        let other = (handle.addr() & !31) | 1;
        assert_eq!(told(other).1, "`thing` is a policy: must be a set of facts");
        // A pointer into the heap, one past the given places, a generation to come.
        for address in [0x7fff_1234_5678, handle.addr() + (9_999 << KIND_BITS), handle.addr() + (1 << 27), 7]
        {
            let (kind, text) = told(address);
            assert_eq!(kind, ErrorKind::InvalidArgument);
            assert!(text.contains("no handle that this library gave out"), "{text}");
        }
        assert!(take::<Thing>("thing", handle).is_ok());
        assert_eq!(told(handle.addr()).0, ErrorKind::Closed);
        assert_eq!(take::<Thing>("thing", handle).err().unwrap().kind(), ErrorKind::Closed);
        let again = add(Thing).unwrap();
        assert_eq!(told(handle.addr()).0, ErrorKind::Closed, "a place given out again is another handle");
        take::<Thing>("thing", again).unwrap();
    }

    #[test]
    fn a_place_without_generations_left_is_not_given_out_again() {
        static TABLE: Table<Thing> = Table::new();
        let first = TABLE.add(Arc::new(Thing)).unwrap();
        TABLE.slots.write().unwrap().slots[0].generation = GENERATIONS - 1;
        let last = first + ((GENERATIONS as usize - 2) << (KIND_BITS + PLACE_BITS));
        assert!(TABLE.take("thing", last).is_ok());
        assert_eq!(TABLE.take("thing", last).err().unwrap().kind(), ErrorKind::Closed);
        assert!(TABLE.slots.read().unwrap().free.is_empty());
    }
}
