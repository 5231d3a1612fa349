//! Gives the module the stack that the analysis needs.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        // It recurses through the source, up to Luau's own limits, which are made for native stacks of 8 MiB; the linker
        // gives one.
        println!("cargo:rustc-link-arg-cdylib=-zstack-size=8388608");
    }
}
