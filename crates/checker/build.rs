//! Gives the module the stack that the analysis needs.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        // The analysis recurses through the source, up to Luau's own limits, which assume native stacks of 8 MiB. The
        // linker's default is 1 MiB.
        println!("cargo:rustc-link-arg-cdylib=-zstack-size=8388608");
    }
}
