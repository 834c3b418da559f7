use slaclock::policy::Policy;

#[test]
fn load() {
    let p = Policy::load("examples/policies/promise.toml").unwrap();
    println!("{:#?}", p.clocks()[0].rules[0].target);
}
