//! Boston's own due dates, reproduced from a written policy, and the city's own verdicts.
//!
//! What could go wrong: a rule that is off by a day on weekends or at 17:00, a clock change that moves a deadline by an
//! hour, the shift of the later export undone the wrong way. The city's records would show each of them.
#![cfg(feature = "import")]

use slaclock::error::ErrorKind;
use slaclock::import::{Comparison, Mapping, compare_targets};
use slaclock::policy::Policy;

fn compare(name: &str, file: &str) -> Comparison {
    let mapping = Mapping::load(format!("examples/mappings/{name}.toml")).unwrap();
    let policy = Policy::load(format!("examples/policies/{name}.toml")).unwrap();
    compare_targets(&mapping, format!("examples/data/{file}.csv.gz"), &policy, 1_000_000).unwrap()
}

#[test]
fn the_targets_of_2011() {
    let found = compare("boston-2011", "boston311-2011-07-to-10");
    assert_eq!((found.rows, found.bad_rows, found.targets), (41_827, 0, 35_754));
    assert!(
        found.within * 1_000 >= found.targets * 989,
        "98.9 % within 60 s: {} of {}",
        found.within,
        found.targets
    );
    assert!(found.moved > 5_000, "receipts from 17:00 on");
    assert!(found.moved_exact * 100 >= found.moved * 99, "{} of {} exact", found.moved_exact, found.moved);
    // Every row with a verdict: 33,223 and 6,032 closed ones, 174 and 2,284 open ones.
    assert_eq!((found.verdicts, found.verdicts_agree), (41_713, 41_713));
    // No clock change moves a deadline by an hour.
    let hours_off =
        found.deviations.iter().filter_map(|odd| Some(odd.computed?.since(odd.recorded).as_secs().abs()));
    assert_eq!(hours_off.filter(|off| (3_540..=3_660).contains(off)).count(), 0);
    assert_eq!(found.deviations.len() as u64, found.targets - found.within);
}

#[test]
fn the_targets_of_2015_to_2019() {
    let found = compare("boston-2015", "boston311-sample-2015-2019");
    assert_eq!((found.rows, found.bad_rows, found.targets), (2_135, 0, 1_780));
    assert!(
        found.within * 100 >= found.targets * 98,
        "98 % within 90 s: {} of {}",
        found.within,
        found.targets
    );
    assert_eq!(found.verdicts_agree, found.verdicts);
    assert!(found.verdicts > 2_000);
}

#[test]
fn a_mapping_without_compare_says_so() {
    let mapping = Mapping::load("examples/mappings/servicenow.toml").unwrap();
    let policy = Policy::load("examples/policies/servicenow.toml").unwrap();
    let error = compare_targets(&mapping, "examples/data/none.csv", &policy, 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert_eq!(
        error.message(),
        "mapping `servicenow`: has no [compare], which names the columns of targets and verdicts"
    );
}
