//! `vipd convert`: a configuration and its TOML form are one and the same.

use proptest::prelude::*;

use super::super::{load_str, to_toml};
use super::models::config;
use super::without_lines;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..ProptestConfig::default() })]
    #[test]
    fn what_is_written_is_read_back_as_the_same_model(config in config()) {
        let text = to_toml(&config).expect("TOML can hold it");

        let loaded = load_str("converted.toml", &text);

        let loaded = loaded.unwrap_or_else(|found| panic!("refused:\n{}\n{text}", found.render(false)));
        let (read, config) = (format!("{:#?}", without_lines(loaded.config)), format!("{config:#?}"));
        let difference = read.lines().zip(config.lines()).find(|(read, written)| read != written);
        prop_assert!(read == config, "{:?}\n{}", difference, text);
    }
}
