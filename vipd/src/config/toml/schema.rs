//! x
/// x
pub fn schema() -> String {
    String::new()
}
