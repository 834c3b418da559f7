//! Stored values: the first byte is a table, the second the key's, the rest what a value consists of. Any bytes give a value
//! or `Damaged`, in memory that their length bounds; what is read and written again is read as the same.

use slaclock::ErrorKind;
use slaclock::sim::reread;

/// Tries one input.
pub fn run(bytes: &[u8]) {
    let [table, key, payload @ ..] = bytes else { return };
    let (table, key) = (table % 20, u64::from(key % 3));
    match reread(table, key, payload) {
        Ok(written) => {
            let again = reread(table, key, &written).expect("what the store writes, it reads");
            assert_eq!(again, written, "table {table}");
        }
        Err(error) => {
            let kinds = [ErrorKind::Damaged, ErrorKind::NotFound];
            assert!(kinds.contains(&error.kind()), "table {table}: {:?}: {error}", error.kind());
        }
    }
}
