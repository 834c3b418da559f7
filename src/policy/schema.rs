//! The JSON Schema of the policy language, from the document's types.

use schemars::generate::SchemaSettings;

use super::Policy;
use super::doc::PolicyDoc;

impl Policy {
    /// The JSON Schema (2020-12) of policies, as published in `docs/policy.schema.json`; holds for TOML too.
    ///
    /// ```
    /// assert!(slaclock::policy::Policy::json_schema().contains("\"received_before\""));
    /// ```
    pub fn json_schema() -> String {
        let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<PolicyDoc>();
        schema.insert("title".into(), "slaclock policy".into());
        // The alternate form of `Value` indents by two spaces and never fails.
        format!("{:#}\n", schema.as_value())
    }
}
