//! The JSON Schema of the policy language.
//!
//! It is generated from the document's types by a test and shipped as text, so that nobody links its generator.

use super::Policy;

const SCHEMA: &str = include_str!("../../docs/policy.schema.json");

impl Policy {
    /// The JSON Schema (2020-12) of policies, as published in `docs/policy.schema.json`; holds for TOML too.
    ///
    /// ```
    /// assert!(slaclock::policy::Policy::json_schema().contains("\"received_before\""));
    /// ```
    pub fn json_schema() -> String {
        SCHEMA.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;

    use super::super::doc::PolicyDoc;
    use super::*;

    #[test]
    fn the_schema_is_that_of_the_types() {
        let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<PolicyDoc>();
        schema.insert("title".into(), "slaclock policy".into());
        let fresh = format!("{:#}\n", schema.as_value());
        let path = "docs/policy.schema.json";
        if std::env::var_os("SLACLOCK_BLESS").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        let stale = "is stale; run SLACLOCK_BLESS=1 cargo test --lib schema, then again without";
        assert!(SCHEMA == fresh, "{path} {stale}");
    }
}
