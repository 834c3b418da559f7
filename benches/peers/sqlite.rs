//! The same facts in SQLite, laid out as well as it can be: clustered keys, write-ahead log, synchronous full, prepared
//! statements, a cache and a memory map larger than the file.
#![allow(dead_code, reason = "each benchmark uses a part")]

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use slaclock::{Policy, Request};
use slaclock_benches::desk;

pub(crate) struct Sqlite(Connection);

const SCHEMA: &str = "
CREATE TABLE requests (
  slot INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received INTEGER NOT NULL, policy INTEGER NOT NULL,
  customer TEXT, priority TEXT, category TEXT, channel TEXT, subject TEXT, last_event INTEGER NOT NULL);
CREATE TABLE events (
  request INTEGER NOT NULL, number INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT, key TEXT,
  reason TEXT, PRIMARY KEY (request, number)) WITHOUT ROWID;
CREATE UNIQUE INDEX keys ON events (request, key) WHERE key IS NOT NULL;
CREATE TABLE clocks (
  clock INTEGER PRIMARY KEY, phase INTEGER NOT NULL, cycle INTEGER NOT NULL, started INTEGER NOT NULL, due INTEGER,
  due_limit INTEGER, paused_since INTEGER, remaining INTEGER);
CREATE TABLE due (due INTEGER NOT NULL, clock INTEGER NOT NULL, PRIMARY KEY (due, clock)) WITHOUT ROWID;
CREATE TABLE limits (due INTEGER NOT NULL, clock INTEGER NOT NULL, PRIMARY KEY (due, clock)) WITHOUT ROWID;
CREATE TABLE notices (
  number INTEGER PRIMARY KEY, clock INTEGER NOT NULL, cycle INTEGER NOT NULL, kind INTEGER NOT NULL, at INTEGER NOT NULL);
";

impl Sqlite {
    pub(crate) fn create(path: &Path) -> Sqlite {
        let connection = Connection::open(path).expect("SQLite opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1048576;
                 PRAGMA mmap_size = 8589934592; PRAGMA wal_autocheckpoint = 4000;",
            )
            .expect("pragmas");
        connection.execute_batch(SCHEMA).expect("a schema");
        connection.set_prepared_statement_cache_capacity(64);
        Sqlite(connection)
    }

    pub(crate) fn open(path: &Path) -> Sqlite {
        let connection = Connection::open(path).expect("SQLite opens");
        connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA mmap_size = 8589934592;")
            .expect("pragmas");
        connection.set_prepared_statement_cache_capacity(64);
        Sqlite(connection)
    }

    /// Requests from slot `first` on, their deadlines worked out, in one transaction.
    pub(crate) fn submit(&mut self, policy: &Policy, first: usize, requests: &[Request]) {
        let transaction = self.0.transaction().expect("a transaction");
        {
            let mut request_row = transaction
                .prepare_cached("INSERT INTO requests VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)")
                .expect("a statement");
            let mut clock_row = transaction
                .prepare_cached("INSERT INTO clocks VALUES (?, 1, 1, ?, ?, ?, NULL, 0)")
                .expect("a statement");
            let mut due_row =
                transaction.prepare_cached("INSERT INTO due VALUES (?, ?)").expect("a statement");
            let mut limit_row =
                transaction.prepare_cached("INSERT INTO limits VALUES (?, ?)").expect("a statement");
            for (request, slot) in requests.iter().zip(first as i64..) {
                let received = request.received_at.as_secs();
                request_row
                    .execute(params![
                        slot,
                        request.id,
                        received,
                        request.customer,
                        request.priority,
                        request.category,
                        request.channel,
                        request.subject,
                        received
                    ])
                    .expect("a request");
                for ((due, limit), clock) in desk::clocks(policy, request).into_iter().zip(slot * 2..) {
                    clock_row.execute(params![clock, received, due, limit]).expect("a clock");
                    due_row.execute(params![due, clock]).expect("a due row");
                    if let Some(limit) = limit {
                        limit_row.execute(params![limit, clock]).expect("a limit row");
                    }
                }
            }
        }
        transaction.commit().expect("a commit");
    }

    /// Pauses (or resumes) the handling of requests at `at`, each with an event and its key, in one transaction.
    pub(crate) fn pause(&mut self, ids: &[String], at: i64, pause: bool) {
        let transaction = self.0.transaction().expect("a transaction");
        for id in ids {
            let slot: i64 = transaction
                .prepare_cached("SELECT slot FROM requests WHERE id = ?")
                .and_then(|mut statement| statement.query_row([id], |row| row.get(0)))
                .expect("the request");
            let clock = slot * 2 + 1;
            let run = |text: &str, values: &[&dyn rusqlite::ToSql]| {
                transaction
                    .prepare_cached(text)
                    .and_then(|mut statement| statement.execute(values))
                    .expect("a statement")
            };
            let (number, key) = if pause { (1, "p") } else { (2, "r") };
            let number: i64 = transaction
                .prepare_cached("SELECT coalesce(max(number), 0) FROM events WHERE request = ?")
                .and_then(|mut statement| statement.query_row([slot], |row| row.get(0)))
                .map_or(number, |last: i64| last + 1);
            let key = format!("{key}{at}");
            run(
                "INSERT INTO events VALUES (?, ?, 6, ?, 'ann', ?, 'waiting_customer')",
                &[&slot, &number, &at, &key],
            );
            run("UPDATE requests SET last_event = ? WHERE slot = ?", &[&at, &slot]);
            if pause {
                let (due, limit): (i64, i64) = transaction
                    .prepare_cached("SELECT due, due_limit FROM clocks WHERE clock = ?")
                    .and_then(|mut statement| {
                        statement.query_row([clock], |row| Ok((row.get(0)?, row.get(1)?)))
                    })
                    .expect("the clock");
                run("DELETE FROM due WHERE due = ? AND clock = ?", &[&due, &clock]);
                run("DELETE FROM limits WHERE due = ? AND clock = ?", &[&limit, &clock]);
                run(
                    "UPDATE clocks SET phase = 2, due = NULL, due_limit = NULL, paused_since = ?, remaining = ? WHERE clock = ?",
                    &[&at, &(due - at), &clock],
                );
            } else {
                let remaining: i64 = transaction
                    .prepare_cached("SELECT remaining FROM clocks WHERE clock = ?")
                    .and_then(|mut statement| statement.query_row([clock], |row| row.get(0)))
                    .expect("the clock");
                let (due, limit) = (at + remaining, at + remaining + 216_000);
                run("INSERT INTO due VALUES (?, ?)", &[&due, &clock]);
                run("INSERT INTO limits VALUES (?, ?)", &[&limit, &clock]);
                run(
                    "UPDATE clocks SET phase = 1, due = ?, due_limit = ?, paused_since = NULL WHERE clock = ?",
                    &[&due, &limit, &clock],
                );
            }
        }
        transaction.commit().expect("a commit");
    }

    /// Due and clock of what is due in [since, until), at most `limit` rows.
    pub(crate) fn list(&self, since: i64, until: i64, limit: usize) -> (Vec<u32>, Vec<u32>) {
        let (mut due, mut clock) = (Vec::new(), Vec::new());
        let mut statement = self
            .0
            .prepare_cached(
                "SELECT due, clock FROM due WHERE due >= ? AND due < ? ORDER BY due, clock LIMIT ?",
            )
            .expect("a statement");
        let mut rows = statement.query(params![since, until, limit as i64]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            due.push(row.get_unwrap(0));
            clock.push(row.get_unwrap(1));
        }
        (due, clock)
    }

    pub(crate) fn count(&self, until: i64) -> u64 {
        let mut statement =
            self.0.prepare_cached("SELECT count(*) FROM due WHERE due < ?").expect("a statement");
        statement.query_row([until], |row| row.get::<_, i64>(0)).expect("a count") as u64
    }

    /// One notice for every clock due in [since, until), in one transaction.
    pub(crate) fn advance(&mut self, since: i64, until: i64) -> usize {
        let transaction = self.0.transaction().expect("a transaction");
        let count = transaction
            .prepare_cached(
                "INSERT INTO notices (clock, cycle, kind, at)
                 SELECT due.clock, clocks.cycle, 2 + (clocks.due_limit IS NULL), due.due FROM due
                 JOIN clocks ON clocks.clock = due.clock WHERE due.due >= ? AND due.due < ? ORDER BY due.due, due.clock",
            )
            .and_then(|mut statement| statement.execute([since, until]))
            .expect("notices");
        transaction.commit().expect("a commit");
        count
    }

    /// What is stored of a request: text, clocks and events. Returns how many values were read.
    pub(crate) fn look_up(&self, id: &str) -> usize {
        let mut statement = self
            .0
            .prepare_cached(
                "SELECT slot, id, received, customer, priority, category, channel, subject FROM requests WHERE id = ?",
            )
            .expect("a statement");
        let found: Option<(i64, Vec<Option<String>>)> = statement
            .query_row([id], |row| {
                let texts = [1, 3, 4, 5, 6, 7].map(|at| row.get(at));
                Ok((row.get(0)?, texts.into_iter().collect::<Result<_, _>>()?))
            })
            .optional()
            .expect("a row or none");
        let Some((slot, texts)) = found else { return 0 };
        let mut clocks = self
            .0
            .prepare_cached(
                "SELECT phase, cycle, started, due, due_limit FROM clocks WHERE clock BETWEEN ? AND ?",
            )
            .expect("a statement");
        let clocks = clocks
            .query_map([slot * 2, slot * 2 + 1], |row| row.get::<_, Option<i64>>(3))
            .expect("clocks")
            .count();
        let mut events = self
            .0
            .prepare_cached("SELECT kind, at, by, key, reason FROM events WHERE request = ? ORDER BY number")
            .expect("a statement");
        let events = events.query_map([slot], |row| row.get::<_, i64>(1)).expect("events").count();
        texts.len() + clocks + events
    }

    /// Bytes of the file with everything in it.
    pub(crate) fn bytes(&self, path: &Path) -> u64 {
        self.0.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("a checkpoint");
        std::fs::metadata(path).expect("the file").len()
    }
}
