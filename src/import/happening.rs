//! An event that a mapping names, with what its row says of it.

use super::mapping::{Carried, Happening};
use super::source::{Row, Rows};
use super::stamp::Stamp;
use crate::error::Result;
use crate::model::{Event, EventFields, EventKind, EventTag};
use crate::time::Instant;

/// An event, and where in the file what it carries stands.
pub(super) struct Placed<'m> {
    pub(super) what: &'m Happening,
    pub(super) carries: Carried<usize>,
}

impl<'m> Placed<'m> {
    pub(super) fn new(what: &'m Happening, rows: &Rows) -> Result<Placed<'m>> {
        Ok(Placed { what, carries: what.carries.map(|column| rows.column(column))? })
    }

    /// The event at an instant; inside, why it cannot be one. `vendor` is whom it is about if no column says so.
    ///
    /// # Errors
    /// `InvalidRow` or `OutOfRange` for a promised date that cannot be read.
    pub(super) fn event(
        &self,
        row: &Row,
        stamp: &Stamp,
        at: Instant,
        vendor: &str,
    ) -> Result<std::result::Result<Event, String>> {
        let text = |column: usize| Some(row.get(column)).filter(|text| !stamp.is_missing(text));
        let of = |column: Option<usize>| column.and_then(text).map(str::to_owned);
        let carries = &self.carries;
        let is_about_vendor = matches!(self.what.is, EventTag::VendorContacted | EventTag::VendorReplied);
        let (clock, cycle) = self.what.waives.clone().unzip();
        let facts =
            carries.set.iter().filter_map(|(fact, column)| Some((fact.clone(), text(*column)?.to_owned())));
        let fields = EventFields {
            to: of(carries.to),
            reason: self.what.reason.clone(),
            // A vendor that is not named is one that any vendor's clock does not hear of.
            vendor: of(carries.vendor).or_else(|| is_about_vendor.then(|| vendor.to_owned())),
            due: of(carries.due).map(|due| stamp.read(&due)).transpose()?.map(|due| due.at),
            facts: facts.collect(),
            approved_by: of(carries.approved_by),
            clock,
            cycle,
            faq: of(carries.faq),
        };
        let kind = match EventKind::from_fields(self.what.is, fields) {
            Ok(kind) => kind,
            Err(error) => return Ok(Err(error.message().to_owned())),
        };
        let event = Event { kind, at, by: of(carries.by), key: None, text: of(carries.text) };
        Ok(Ok(event))
    }
}
