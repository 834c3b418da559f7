//! The head: the few numbers that every commit rewrites.

use super::bytes::Input;
use super::records::PhaseCode;
use crate::error::Result;

/// Counters and positions of a database, as of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// Changes whenever sealed values change: each fold and each compaction.
    pub(crate) epoch: u64,
    /// Number of the last log value written.
    pub(crate) seq: u64,
    /// Number of the last log value that is folded into the sealed values; those up to it are gone.
    pub(crate) folded: u64,
    /// Number of the last notice.
    pub(crate) notices: u64,
    /// Events recorded, receipts not counted.
    pub(crate) events: u64,
    /// Requests, which is also the next request slot.
    pub(crate) requests: u32,
    /// Requests in sealed values.
    pub(crate) sealed_requests: u32,
    /// The next clock slot.
    pub(crate) clocks: u32,
    /// Clocks in sealed values.
    pub(crate) sealed_clocks: u32,
    /// The next block of sealed events.
    pub(crate) event_blocks: u32,
    /// The feed has been advanced to this instant: thresholds below it have their notices.
    pub(crate) advanced_to: u32,
    /// The latest instant of any event or receipt.
    pub(crate) latest_event_at: u32,
    /// The newest edition of the policy.
    pub(crate) policy: u32,
    /// Operations (submits, events) in the log since the last fold.
    pub(crate) unfolded: u32,
    /// Entries about interruptions.
    pub(crate) interruptions: u32,
    /// Acts about FAQ entries.
    pub(crate) faq_acts: u32,
    /// The sum of the digests of all texts: requests, events, and acts about FAQ entries.
    pub(crate) texts: u64,
    /// Clocks by the phase of their latest cycle.
    pub(crate) phases: [u64; PhaseCode::COUNT],
}

impl Head {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(156);
        let longs = [self.epoch, self.seq, self.folded, self.notices, self.events, self.texts];
        for long in longs.iter().chain(&self.phases) {
            out.extend_from_slice(&long.to_le_bytes());
        }
        let words = [
            self.requests,
            self.sealed_requests,
            self.clocks,
            self.sealed_clocks,
            self.event_blocks,
            self.advanced_to,
            self.latest_event_at,
            self.policy,
            self.unfolded,
            self.interruptions,
            self.faq_acts,
        ];
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Head> {
        let mut input = Input::new(bytes);
        let mut head = Head {
            epoch: input.u64()?,
            seq: input.u64()?,
            folded: input.u64()?,
            notices: input.u64()?,
            events: input.u64()?,
            texts: input.u64()?,
            ..Head::default()
        };
        for phase in &mut head.phases {
            *phase = input.u64()?;
        }
        let words = [
            &mut head.requests,
            &mut head.sealed_requests,
            &mut head.clocks,
            &mut head.sealed_clocks,
            &mut head.event_blocks,
            &mut head.advanced_to,
            &mut head.latest_event_at,
            &mut head.policy,
            &mut head.unfolded,
            &mut head.interruptions,
            &mut head.faq_acts,
        ];
        for word in words {
            *word = input.u32()?;
        }
        input.end()?;
        Ok(head)
    }

    /// A clock's latest cycle went from one phase to another.
    pub(crate) fn move_phase(&mut self, from: Option<PhaseCode>, to: PhaseCode) {
        if let Some(from) = from {
            let count = &mut self.phases[from as usize];
            *count = count.saturating_sub(1);
        }
        self.phases[to as usize] += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_written() {
        let mut head = Head { epoch: 1, seq: 2, folded: 3, notices: 4, events: 5, ..Head::default() };
        (head.requests, head.clocks, head.advanced_to, head.unfolded) = (6, 7, 8, 9);
        (head.faq_acts, head.texts) = (10, 11);
        head.move_phase(None, PhaseCode::Finished);
        let bytes = head.write();
        assert_eq!(bytes.len(), 6 * 8 + 8 * 8 + 11 * 4);
        assert_eq!(Head::read(&bytes).unwrap(), head);
        assert!(Head::read(&bytes[1..]).is_err());
    }
}
