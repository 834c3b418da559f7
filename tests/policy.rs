//! tmp
use slaclock::policy::Policy;

#[test]
fn load() {
    for n in ["promise", "servicenow", "itil", "boston-2011", "boston-2015"] {
        match Policy::load(format!("examples/policies/{n}.toml")) {
            Ok(p) => {
                println!("{n} ok {:?}", p.clocks().iter().map(|c| c.rules.len()).collect::<Vec<_>>());
                for lint in p.check("2026-03-01".parse().unwrap()) {
                    println!("   {lint}");
                }
            }
            Err(e) => println!("{n}: {e}"),
        }
    }
}
