//! The settings in the README are the ones that this repository builds with.

#![cfg(not(target_arch = "wasm32"))]

const README: &str = include_str!("../README.md");
const CONFIG: &str = include_str!("../../../.cargo/config.toml");

#[test]
fn the_readme_has_the_settings_of_the_repository() {
    let settings: Vec<&str> = CONFIG.lines().filter(|line| line.contains("_wasm32_unknown_unknown = ")).collect();
    assert_eq!(settings.len(), 6);
    for setting in settings {
        assert!(README.lines().any(|line| line.trim() == setting), "the README lacks: {setting}");
    }
}
