//! The components other than Rust crates: LLVM's C++ runtimes, which crates/cxx-runtime compiles from the sources that
//! come with zig, and Rust's copies of wasi-libc and compiler-rt. Rust ships its copies without licenses; zig ships the
//! same libraries with their licenses.

use anyhow::Result;

use crate::config::Config;
use crate::notices::component::{Component, Text};
use crate::notices::library;

struct Part {
    name: &'static str,
    license: &'static str,
    source: &'static str,
    /// Paths in zig's library folder.
    files: &'static [&'static str],
    toolchain: Toolchain,
}

/// The toolchain that ships the library or its sources.
#[derive(Clone, Copy)]
enum Toolchain {
    Zig,
    Rust,
}

const LLVM: &str = "Apache-2.0 WITH LLVM-exception";

const PARTS: [Part; 6] = [
    Part {
        name: "libc++",
        license: LLVM,
        source: "https://libcxx.llvm.org",
        files: &["libcxx/LICENSE.TXT"],
        toolchain: Toolchain::Zig,
    },
    Part {
        name: "libc++abi",
        license: LLVM,
        source: "https://libcxxabi.llvm.org",
        files: &["libcxxabi/LICENSE.TXT"],
        toolchain: Toolchain::Zig,
    },
    Part {
        name: "libunwind",
        license: LLVM,
        source: "https://github.com/llvm/llvm-project",
        files: &["libunwind/LICENSE.TXT"],
        toolchain: Toolchain::Zig,
    },
    Part {
        name: "wasi-libc",
        license: "(Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT) AND BSD-2-Clause AND CC0-1.0",
        source: "https://github.com/WebAssembly/wasi-libc",
        files: &[
            "libc/wasi/LICENSE",
            "libc/wasi/LICENSE-APACHE",
            "libc/wasi/LICENSE-APACHE-LLVM",
            "libc/wasi/LICENSE-MIT",
            "libc/wasi/libc-bottom-half/cloudlibc/LICENSE",
        ],
        toolchain: Toolchain::Rust,
    },
    Part {
        name: "musl",
        license: "MIT",
        source: "https://musl.libc.org",
        files: &["libc/musl/COPYRIGHT"],
        toolchain: Toolchain::Rust,
    },
    // LLVM's compiler-rt and musl's math functions, rewritten in Rust.
    Part {
        name: "compiler_builtins",
        license: "MIT AND Apache-2.0 WITH LLVM-exception AND (MIT OR Apache-2.0)",
        source: "https://github.com/rust-lang/compiler-builtins",
        files: &["libcxx/LICENSE.TXT", "libc/musl/COPYRIGHT"],
        toolchain: Toolchain::Rust,
    },
];

pub(crate) fn components(config: &Config) -> Result<Vec<Component>> {
    let rust = library::release(config)?;
    let zig = config.version("ziglang")?;
    PARTS.iter().map(|part| component(config, part, zig, &rust)).collect()
}

fn component(config: &Config, part: &Part, zig: &str, rust: &str) -> Result<Component> {
    let library = config.zig_library();
    let texts: Result<Vec<Text>> = part.files.iter().map(|file| Text::read(&library.join(file))).collect();
    Ok(Component {
        name: part.name.to_owned(),
        version: match part.toolchain {
            Toolchain::Zig => format!("(from zig {zig})"),
            Toolchain::Rust => format!("(from Rust {rust})"),
        },
        license: part.license.to_owned(),
        source: part.source.to_owned(),
        authors: Vec::new(),
        texts: texts?,
    })
}
