//! Compiles LLVM's C++ runtime from the sources in the zig toolchain and links it, together with Rust's own copy of
//! wasi-libc.
//!
//! The sources are unmodified. zig's prebuilt libc++ for WASI is no alternative, because it has no exceptions, and Luau
//! depends on them.

use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

/// The advice if the compiler is missing or of another release.
const ADVICE: &str = "Install it with `python3 -m pip install --target DIR ziglang`, and set in `.cargo/config.toml` \
                      CC_, CXX_, AR_, CFLAGS_, CXXFLAGS_ and CXXSTDLIB_wasm32_unknown_unknown as the README of the \
                      crate `cxx-runtime` shows";

/// A part of LLVM's runtimes: the folder of its sources within zig's library folder, and its macros.
struct Part {
    folder: &'static str,
    language: Language,
    files: &'static [&'static str],
    defines: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    C,
    Cpp,
}

const PARTS: [Part; 3] = [
    Part {
        folder: "libcxxabi/src",
        language: Language::Cpp,
        files: &[
            "abort_message.cpp",
            "cxa_aux_runtime.cpp",
            "cxa_default_handlers.cpp",
            "cxa_exception.cpp",
            "cxa_exception_storage.cpp",
            "cxa_guard.cpp",
            "cxa_handlers.cpp",
            "cxa_personality.cpp",
            "cxa_virtual.cpp",
            "fallback_malloc.cpp",
            "private_typeinfo.cpp",
            "stdlib_exception.cpp",
            "stdlib_new_delete.cpp",
            "stdlib_stdexcept.cpp",
            "stdlib_typeinfo.cpp",
        ],
        defines: &[
            "_LIBCPP_BUILDING_LIBRARY",
            "_LIBCXXABI_BUILDING_LIBRARY",
            "_LIBCXXABI_HAS_NO_THREADS",
            // The demangler is larger than everything else and serves only one message, printed before a trap.
            "LIBCXXABI_NON_DEMANGLING_TERMINATE",
        ],
    },
    Part {
        folder: "libcxx/src",
        language: Language::Cpp,
        files: &[
            "chrono.cpp",
            "error_category.cpp",
            "exception.cpp",
            "functional.cpp",
            "hash.cpp",
            "memory.cpp",
            "new_handler.cpp",
            "new_helpers.cpp",
            "stdexcept.cpp",
            "string.cpp",
            "system_error.cpp",
            "vector.cpp",
            "verbose_abort.cpp",
        ],
        // The second macro leaves the types that both libraries define to libc++abi.
        defines: &["_LIBCPP_BUILDING_LIBRARY", "LIBCXX_BUILDING_LIBCXXABI"],
    },
    Part {
        folder: "libunwind/src",
        language: Language::C,
        files: &["Unwind-wasm.c"],
        defines: &["_LIBUNWIND_HIDE_SYMBOLS"],
    },
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/exception_tag.cpp");
    println!("cargo::rerun-if-changed=tests/probe.cpp");
    if env::var("TARGET").as_deref() != Ok("wasm32-unknown-unknown") {
        return;
    }
    if let Err(message) = build() {
        println!("cargo::error={message}");
        exit(1);
    }
}

fn build() -> Result<(), String> {
    let zig_lib = zig_library_folder()?;
    let libc = libc_folder()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?);

    let mut archive = compiler(Language::Cpp, &zig_lib);
    archive.file("src/exception_tag.cpp").file("tests/probe.cpp");
    for part in &PARTS {
        // cc shows the compiler's output only as warnings. The second try exists to show them.
        let objects = compile(part, &zig_lib, false).or_else(|_| compile(part, &zig_lib, true));
        archive.objects(objects.map_err(|error| error.to_string())?);
    }
    // Crates that link the C++ standard library look for it under this name.
    archive.try_compile("c++").map_err(|error| error.to_string())?;

    println!("cargo::rustc-link-search=native={}", out.display());
    println!("cargo::rustc-link-search=native={}", libc.display());
    println!("cargo::rustc-link-lib=static:-bundle=c++");
    // Unbundled, so that it precedes compiler_builtins. Otherwise `exp` and related functions would come from there,
    // and differ in the last bit from the constants that C code is compiled with.
    println!("cargo::rustc-link-lib=static:-bundle=c");
    Ok(())
}

fn compile(part: &Part, zig_lib: &Path, show_warnings: bool) -> Result<Vec<PathBuf>, cc::Error> {
    let folder = zig_lib.join(part.folder);
    let mut build = compiler(part.language, zig_lib);
    build.cargo_warnings(show_warnings);
    for define in part.defines {
        build.define(define, None);
    }
    build.files(part.files.iter().map(|file| folder.join(file)));
    build.try_compile_intermediates()
}

fn compiler(language: Language, zig_lib: &Path) -> cc::Build {
    let mut build = cc::Build::new();
    if language == Language::Cpp {
        build.cpp(true).std("c++23");
    }
    build
        .warnings(false)
        .cargo_metadata(false)
        // cc asks `zig` for its family without the word `c++` and warns about the missing answer. It then decides by
        // the name.
        .cargo_warnings(false)
        .define("NDEBUG", None)
        .flag("-fvisibility=hidden")
        .include(zig_lib.join("libcxx/src"))
        .include(zig_lib.join("libcxxabi/include"))
        .include(zig_lib.join("libcxxabi/src"))
        .include(zig_lib.join("libunwind/include"));
    build
}

/// Returns the library folder of the zig in `CXX_wasm32_unknown_unknown`, after checking its release.
fn zig_library_folder() -> Result<PathBuf, String> {
    let series = zig_series()?;
    for name in ["CC", "CXX", "AR", "CFLAGS", "CXXFLAGS", "CXXSTDLIB"] {
        println!("cargo::rerun-if-env-changed={name}_wasm32_unknown_unknown");
    }
    let command = env::var("CXX_wasm32_unknown_unknown").unwrap_or_default();
    let zig = command
        .split_whitespace()
        .next()
        .ok_or_else(|| format!("CXX_wasm32_unknown_unknown is not set: the C++ compiler is zig {series}. {ADVICE}."))?;
    let output = Command::new(zig)
        .arg("version")
        .output()
        .map_err(|error| format!("cannot run zig at `{zig}` ({error}): it compiles the C++ parts. {ADVICE}."))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !version.starts_with(&format!("{series}.")) {
        return Err(format!("`{zig} version` reports \"{version}\", but this crate requires zig {series}. {ADVICE}."));
    }
    // Asked rather than guessed: a distribution may have the folder elsewhere than the wheel.
    let environment = Command::new(zig).arg("env").output().map_err(|error| error.to_string())?;
    let environment = String::from_utf8_lossy(&environment.stdout).into_owned();
    environment
        .lines()
        .filter_map(|line| line.trim().strip_prefix(".lib_dir = \""))
        .filter_map(|rest| rest.strip_suffix("\","))
        .map(PathBuf::from)
        .find(|folder| folder.join("libcxx/src").is_dir())
        .ok_or_else(|| format!("`{zig} env` reports no library folder with the sources of libc++. {ADVICE}."))
}

fn zig_series() -> Result<String, String> {
    let manifest = fs::read_to_string("Cargo.toml").map_err(|error| format!("cannot read Cargo.toml: {error}"))?;
    println!("cargo::rerun-if-changed=Cargo.toml");
    manifest
        .lines()
        .filter_map(|line| line.strip_prefix("zig-series = \""))
        .find_map(|rest| rest.strip_suffix('"'))
        .map(str::to_owned)
        .ok_or_else(|| "Cargo.toml of cxx-runtime has no line `zig-series = \"…\"`".to_owned())
}

/// Returns the folder of the wasi-libc that Rust ships with its target `wasm32-wasip1`.
fn libc_folder() -> Result<PathBuf, String> {
    let rustc = env::var_os("RUSTC").ok_or("cargo did not set RUSTC")?;
    let output = Command::new(&rustc)
        .args(["--print", "sysroot"])
        .output()
        .map_err(|error| format!("cannot run {}: {error}", rustc.display()))?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let folder = sysroot.join("lib/rustlib/wasm32-wasip1/lib/self-contained");
    if folder.join("libc.a").is_file() {
        Ok(folder)
    } else {
        Err(format!(
            "there is no libc.a in {}. Install its target: `rustup target add wasm32-wasip1`.",
            folder.display()
        ))
    }
}
