//! What a power cut leaves: everything synced, and of the rest whatever the disk had got round to.

use super::dice::Dice;
use super::disk::Step;

/// What a disk writes at once or not at all.
const SECTOR: usize = 512;
/// The engine's first page, which tells where everything is.
const HEADER: usize = 4_096;

/// What became of the writes since the last sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// None was written.
    Nothing,
    /// All were.
    Everything,
    /// The first so many, the next one up to a sector.
    Prefix,
    /// Any of them.
    Some,
    /// Any of their sectors, whole or old.
    Torn,
    /// Any of their sectors, in any order where they overlap.
    Reordered,
    /// Only those to the header.
    HeaderOnly,
    /// All but those to the header.
    AllButHeader,
}

impl Cut {
    pub(crate) const ALL: [Cut; 8] = [
        Cut::Nothing,
        Cut::Everything,
        Cut::Prefix,
        Cut::Some,
        Cut::Torn,
        Cut::Reordered,
        Cut::HeaderOnly,
        Cut::AllButHeader,
    ];
}

/// The disk as far as steps were taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Platter {
    synced: Vec<u8>,
    pending: Vec<Step>,
    named: bool,
    named_for_good: bool,
}

impl Platter {
    /// A disk with a file that has its name for good.
    pub(crate) fn with(content: Vec<u8>) -> Platter {
        Platter { synced: content, named: true, named_for_good: true, ..Platter::default() }
    }

    /// Takes a step. A sync that lies returns without having synced.
    pub(crate) fn take(&mut self, step: &Step, lies: bool) {
        match step {
            Step::Write { .. } | Step::Length(_) => self.pending.push(step.clone()),
            Step::Sync if lies => {}
            Step::Sync => self.pending.drain(..).for_each(|step| apply(&mut self.synced, &step)),
            // Pages that could not be written count as written. A length is no page: it waits for the next sync.
            Step::FailedSync => self.pending.retain(|step| matches!(step, Step::Length(_))),
            Step::Named => self.named = true,
            Step::FolderSync => self.named_for_good = true,
        }
    }

    /// Whether there is anything that a power cut could leave in more than one way.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.named == self.named_for_good
    }

    /// Whether the file is there after a power cut.
    pub(crate) fn is_named(&self, dice: &mut Dice) -> bool {
        self.named_for_good || self.named && dice.one_in(2)
    }

    /// The file after a power cut.
    pub(crate) fn image(&self, cut: Cut, dice: &mut Dice) -> Vec<u8> {
        let mut image = self.synced.clone();
        let in_header = |step: &Step| matches!(step, Step::Write { at, .. } if *at < HEADER);
        let half = |dice: &mut Dice| dice.one_in(2);
        match cut {
            Cut::Nothing => {}
            Cut::Everything => self.pending.iter().for_each(|step| apply(&mut image, step)),
            Cut::Prefix => {
                let whole = dice.below(self.pending.len() + 1);
                self.pending[..whole].iter().for_each(|step| apply(&mut image, step));
                if let Some(Step::Write { at, bytes }) = self.pending.get(whole) {
                    let some = dice.below(bytes.len() / SECTOR + 1) * SECTOR;
                    apply(&mut image, &Step::Write { at: *at, bytes: bytes[..some.min(bytes.len())].into() });
                }
            }
            Cut::Some => {
                self.pending.iter().filter(|_| half(dice)).for_each(|step| apply(&mut image, step));
            }
            Cut::Torn => {
                let kept = 1 + dice.below(7);
                let sectors = self.pending.iter().flat_map(sectors);
                sectors.filter(|_| dice.below(8) < kept).for_each(|step| apply(&mut image, &step));
            }
            Cut::Reordered => {
                let mut sectors: Vec<Step> = self.pending.iter().flat_map(sectors).collect();
                sectors.retain(|_| half(dice));
                // A length is kept where it is: file systems order those, and what lies beyond is cut off.
                let writes = |step: &Step| matches!(step, Step::Write { .. });
                for run in sectors.chunk_by_mut(|one, two| writes(one) && writes(two)) {
                    dice.shuffle(run);
                }
                sectors.iter().for_each(|step| apply(&mut image, step));
            }
            Cut::HeaderOnly => {
                self.pending.iter().filter(|step| in_header(step)).for_each(|step| apply(&mut image, step));
            }
            Cut::AllButHeader => {
                self.pending.iter().filter(|step| !in_header(step)).for_each(|step| apply(&mut image, step));
            }
        }
        image
    }
}

/// A write, sector by sector.
fn sectors(step: &Step) -> Vec<Step> {
    let Step::Write { at, bytes } = step else { return vec![step.clone()] };
    let mut parts = Vec::new();
    let mut from = 0;
    while from < bytes.len() {
        let until = bytes.len().min((at + from) / SECTOR * SECTOR + SECTOR - at);
        parts.push(Step::Write { at: at + from, bytes: bytes[from..until].into() });
        from = until;
    }
    parts
}

/// Does a step; what would lie beyond the end of the file is lost.
fn apply(image: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Length(length) => image.resize(*length, 0),
        Step::Write { at, bytes } => {
            let until = image.len().min(at + bytes.len());
            if *at < until {
                image[*at..until].copy_from_slice(&bytes[..until - at]);
            }
        }
        _ => {}
    }
}
