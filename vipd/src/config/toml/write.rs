//! x
/// x
pub fn to_toml(_: &super::super::Config) -> String {
    String::new()
}
