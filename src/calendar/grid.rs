//! Days as rows of a grid: where every edge lies on a multiple of a few minutes, a look-up needs no search.

use super::shapes::Shapes;
use super::work::DAY_S;

/// Most entries of all rows together; their places fit 16 bits.
const MAX_ENTRIES: usize = 1 << 16;
/// Divisions by the unit are one multiplication, exact below this.
const MAX_UNIT_S: u32 = DAY_S / 2;

/// The shapes of a calendar's days, unit by unit.
#[derive(Debug)]
pub(super) struct Grid {
    /// All edges are multiples of it; divides a day.
    unit_s: u32,
    /// 2^32 / unit, rounded up.
    per_unit: u64,
    row_length: u32,
    /// By row and unit of the day: units worked before it, doubled, and one more if it is working time itself.
    worked: Vec<u16>,
    /// By row and unit of working time: its unit of the day.
    second: Vec<u16>,
}

impl Grid {
    /// `None` if the edges lie on no grid that is coarse enough.
    pub(super) fn of(shapes: &Shapes) -> Option<Grid> {
        let edges = shapes.iter().flatten().flat_map(|piece| [piece.opens_s, piece.closes_s]);
        let unit_s = edges.fold(MAX_UNIT_S, greatest_common_divisor);
        let row_length = DAY_S / unit_s;
        let entries = shapes.len() * row_length as usize;
        if entries > MAX_ENTRIES {
            return None;
        }
        let (mut worked, mut second) = (Vec::with_capacity(entries), Vec::with_capacity(entries));
        for pieces in shapes.iter() {
            let end = second.len() + row_length as usize;
            let mut before = 0_u16;
            let mut pieces = pieces.iter().peekable();
            for unit in 0..row_length {
                let at = unit * unit_s;
                while pieces.next_if(|piece| piece.closes_s <= at).is_some() {}
                let is_open = pieces.peek().is_some_and(|piece| piece.opens_s <= at);
                worked.push(before << 1 | u16::from(is_open));
                if is_open {
                    before += 1;
                    second.push(unit as u16);
                }
            }
            second.resize(end, 0);
        }
        let per_unit = (1_u64 << 32).div_ceil(u64::from(unit_s));
        Some(Grid { unit_s, per_unit, row_length, worked, second })
    }

    /// Working seconds of a day before the second `of_day`.
    #[inline(always)]
    pub(super) fn worked(&self, row: u32, of_day: u32) -> u32 {
        self.worked_of(self.entry(row, of_day), of_day)
    }

    /// The entry for the second `of_day`.
    #[inline(always)]
    pub(super) fn entry(&self, row: u32, of_day: u32) -> u16 {
        self.worked[(row + self.units(of_day)) as usize]
    }

    /// As [`Grid::worked`], from the entry.
    #[inline(always)]
    pub(super) fn worked_of(&self, entry: u16, of_day: u32) -> u32 {
        let more = of_day - self.units(of_day) * self.unit_s;
        u32::from(entry >> 1) * self.unit_s + if entry & 1 == 1 { more } else { 0 }
    }

    /// Whether the second `of_day` is working time.
    #[inline(always)]
    pub(super) fn is_open(&self, row: u32, of_day: u32) -> bool {
        self.entry(row, of_day) & 1 == 1
    }

    /// The second of the day that is the working second `number` of a day of this shape.
    #[inline(always)]
    pub(super) fn second(&self, shape: u16, number: u32) -> u32 {
        let unit = self.units(number);
        let row = u32::from(shape) * self.row_length;
        u32::from(self.second[(row + unit) as usize]) * self.unit_s + (number - unit * self.unit_s)
    }

    #[inline(always)]
    pub(super) fn unit_s(&self) -> u32 {
        self.unit_s
    }

    #[inline(always)]
    pub(super) fn row_length(&self) -> u32 {
        self.row_length
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        2 * (self.worked.capacity() + self.second.capacity())
    }

    /// By row and unit of the day: units worked before it, doubled, and one more if it is working time itself.
    pub(super) fn entries(&self) -> &[u16] {
        &self.worked
    }

    /// By row and unit of working time: its unit of the day.
    pub(super) fn units_of_work(&self) -> &[u16] {
        &self.second
    }

    /// The unit of the day at a place of all rows of working time.
    #[inline(always)]
    pub(super) fn unit_at(&self, place: u32) -> u16 {
        self.second[place as usize]
    }

    /// Whole units in less than a day.
    #[inline(always)]
    pub(super) fn units(&self, of_day: u32) -> u32 {
        // Exact: the reciprocal is too large by less than 1 / 2^32, and a day times the unit is less than 2^32.
        ((u64::from(of_day) * self.per_unit) >> 32) as u32
    }
}

/// The largest number that divides both.
pub(crate) fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}
