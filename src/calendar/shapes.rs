//! The different UTC days of a calendar: each list of stretches once.

use std::collections::HashMap;

use super::work::Piece;

/// The different days, numbered as they were met. Number 0 is the day without working time.
#[derive(Debug)]
pub(super) struct Shapes {
    /// Where each shape's pieces begin, and the end of the last.
    from: Vec<u32>,
    pieces: Vec<Piece>,
    numbers: HashMap<Vec<Piece>, u16>,
}

impl Shapes {
    /// The shape without pieces.
    pub(super) const EMPTY: u16 = 0;

    pub(super) fn new() -> Shapes {
        Shapes { from: vec![0, 0], pieces: Vec::new(), numbers: HashMap::from([(Vec::new(), Shapes::EMPTY)]) }
    }

    /// Forgets what only building needs.
    pub(super) fn finish(mut self) -> Shapes {
        self.numbers = HashMap::new();
        self.pieces.shrink_to_fit();
        self
    }

    /// The number of this shape.
    pub(super) fn number_of(&mut self, pieces: &[Piece]) -> u16 {
        if let Some(&number) = self.numbers.get(pieces) {
            return number;
        }
        // There are no more shapes than days, and those fit.
        let number = (self.from.len() - 1) as u16;
        self.pieces.extend_from_slice(pieces);
        self.from.push(self.pieces.len() as u32);
        self.numbers.insert(pieces.to_vec(), number);
        number
    }

    pub(super) fn pieces_of(&self, number: u16) -> &[Piece] {
        let number = usize::from(number);
        &self.pieces[self.from[number] as usize..self.from[number + 1] as usize]
    }

    /// Working seconds of a day of this shape before a second of it.
    pub(super) fn worked(&self, number: u16, of_day: u32) -> u32 {
        let pieces = self.pieces_of(number);
        let begun = pieces.partition_point(|piece| piece.opens_s <= of_day);
        match begun.checked_sub(1).and_then(|last| pieces.get(last)) {
            Some(piece) => piece.before_s + of_day.min(piece.closes_s) - piece.opens_s,
            None => 0,
        }
    }

    /// Whether a second of a day of this shape is working time.
    pub(super) fn is_open(&self, number: u16, of_day: u32) -> bool {
        self.pieces_of(number).iter().any(|piece| piece.opens_s <= of_day && of_day < piece.closes_s)
    }

    /// The piece of this shape in which so many working seconds of the day have passed.
    pub(super) fn piece_of(&self, number: u16, rest: u32) -> Option<Piece> {
        let pieces = self.pieces_of(number);
        let at = pieces.partition_point(|piece| piece.before_s <= rest);
        pieces.get(at.checked_sub(1)?).copied()
    }

    /// All shapes, by number.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Piece]> {
        (0..self.len() as u16).map(|number| self.pieces_of(number))
    }

    pub(super) fn len(&self) -> usize {
        self.from.len() - 1
    }

    /// Bytes held once finished.
    pub(super) fn size(&self) -> usize {
        self.from.capacity() * 4 + self.pieces.capacity() * size_of::<Piece>()
    }
}
