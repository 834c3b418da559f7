//! The same facts in LMDB: one key per row, appended where keys rise.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::path::Path;

use heed::byteorder::BigEndian;
use heed::types::{Bytes, U32, U64, Unit};
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, PutFlags};
use slaclock::{Policy, Request};
use slaclock_benches::desk;

type Number = U32<BigEndian>;
type Row = U64<BigEndian>;

pub(crate) struct Lmdb {
    env: Env,
    requests: Database<'static, Number, Bytes>,
    ids: Database<'static, Bytes, Number>,
    clocks: Database<'static, Number, Bytes>,
    due: Database<'static, Row, Unit>,
    limits: Database<'static, Row, Unit>,
}

impl Lmdb {
    pub(crate) fn create(path: &Path) -> Lmdb {
        std::fs::create_dir_all(path).expect("a folder");
        let mut options = EnvOpenOptions::new();
        options.map_size(16 << 30).max_dbs(8);
        // SAFETY: the folder is this benchmark's own, and nobody else maps or changes the file.
        #[allow(unsafe_code)]
        let env = unsafe { options.open(path) }.expect("LMDB opens");
        let txn = env.write_txn().expect("a transaction");
        let made = env.create_databases_and_commit(txn, |opener, txn| {
            let databases = (
                opener.create_database(txn, Some("requests"))?,
                opener.create_database(txn, Some("ids"))?,
                opener.create_database(txn, Some("clocks"))?,
                opener.create_database(txn, Some("due"))?,
                opener.create_database(txn, Some("limits"))?,
            );
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(databases))
        });
        let (requests, ids, clocks, due, limits) = made.expect("databases").unwrap_commit();
        Lmdb { env, requests, ids, clocks, due, limits }
    }

    /// Requests from slot `first` on, their deadlines worked out, in one transaction.
    pub(crate) fn submit(&self, policy: &Policy, first: usize, requests: &[Request]) {
        let mut txn = self.env.write_txn().expect("a transaction");
        let (mut due_rows, mut limit_rows) = (Vec::new(), Vec::new());
        let (mut bytes, mut clock_bytes) = (Vec::new(), [0_u8; 24]);
        for (request, slot) in requests.iter().zip(first as u32..) {
            let flags = PutFlags::NO_OVERWRITE;
            self.ids.put_with_flags(&mut txn, flags, request.id.as_bytes(), &slot).expect("a new id");
            bytes.clear();
            bytes.extend_from_slice(&(request.received_at.as_secs() as u32).to_le_bytes());
            let texts =
                [&request.customer, &request.priority, &request.category, &request.channel, &request.subject];
            for text in std::iter::once(&request.id).chain(texts.into_iter().flatten()) {
                bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            self.requests.put_with_flags(&mut txn, PutFlags::APPEND, &slot, &bytes).expect("a request");
            for ((due, limit), clock) in desk::clocks(policy, request).into_iter().zip(slot * 2..) {
                clock_bytes[..4].copy_from_slice(&due.to_le_bytes());
                clock_bytes[4..8].copy_from_slice(&limit.unwrap_or(u32::MAX).to_le_bytes());
                clock_bytes[8] = 1;
                self.clocks
                    .put_with_flags(&mut txn, PutFlags::APPEND, &clock, &clock_bytes)
                    .expect("a clock");
                due_rows.push(u64::from(due) << 32 | u64::from(clock));
                limit_rows.extend(limit.map(|limit| u64::from(limit) << 32 | u64::from(clock)));
            }
        }
        // In order: at random places LMDB takes several times as long.
        due_rows.sort_unstable();
        limit_rows.sort_unstable();
        for (database, rows) in [(self.due, due_rows), (self.limits, limit_rows)] {
            let empty = database.is_empty(&txn).expect("a look");
            let flags = if empty { PutFlags::APPEND } else { PutFlags::empty() };
            for row in rows {
                database.put_with_flags(&mut txn, flags, &row, &()).expect("a row");
            }
        }
        txn.commit().expect("a commit");
    }

    /// Due and clock of what is due in [since, until), at most `limit` rows.
    pub(crate) fn list(&self, since: i64, until: i64, limit: usize) -> (Vec<u32>, Vec<u32>) {
        let txn = self.env.read_txn().expect("a transaction");
        let range = (since as u64) << 32..(until as u64) << 32;
        let (mut due, mut clock) = (Vec::new(), Vec::new());
        for row in self.due.range(&txn, &range).expect("rows").take(limit) {
            let (row, ()) = row.expect("a row");
            due.push((row >> 32) as u32);
            clock.push(row as u32);
        }
        (due, clock)
    }

    pub(crate) fn look_up(&self, id: &str) -> usize {
        let txn = self.env.read_txn().expect("a transaction");
        let Some(slot) = self.ids.get(&txn, id.as_bytes()).expect("a look") else { return 0 };
        let request = self.requests.get(&txn, &slot).expect("a look").map_or(0, <[u8]>::len);
        let clock = |at: u32| self.clocks.get(&txn, &(slot * 2 + at)).expect("a look").map_or(0, <[u8]>::len);
        request + clock(0) + clock(1)
    }
}
