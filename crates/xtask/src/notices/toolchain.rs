//! What is inside besides Rust: LLVM's C++ runtimes, which crates/cxx-runtime compiles from the sources that come with
//! zig, and Rust's copies of wasi-libc and of compiler-rt. Rust ships no licence with its copies; zig ships the sources of
//! the same libraries with theirs.

use anyhow::Result;

use crate::config::Config;
use crate::notices::component::{Component, Text};
use crate::notices::library;

struct Part {
    name: &'static str,
    licence: &'static str,
    source: &'static str,
    /// In zig's library folder.
    files: &'static [&'static str],
    carrier: Carrier,
}

/// Where the sources, or the library, come from.
#[derive(Clone, Copy)]
enum Carrier {
    Zig,
    Rust,
}

const LLVM: &str = "Apache-2.0 WITH LLVM-exception";

const PARTS: [Part; 6] = [
    Part {
        name: "libc++",
        licence: LLVM,
        source: "https://libcxx.llvm.org",
        files: &["libcxx/LICENSE.TXT"],
        carrier: Carrier::Zig,
    },
    Part {
        name: "libc++abi",
        licence: LLVM,
        source: "https://libcxxabi.llvm.org",
        files: &["libcxxabi/LICENSE.TXT"],
        carrier: Carrier::Zig,
    },
    Part {
        name: "libunwind",
        licence: LLVM,
        source: "https://github.com/llvm/llvm-project",
        files: &["libunwind/LICENSE.TXT"],
        carrier: Carrier::Zig,
    },
    Part {
        name: "wasi-libc",
        licence: "(Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT) AND BSD-2-Clause AND CC0-1.0",
        source: "https://github.com/WebAssembly/wasi-libc",
        files: &[
            "libc/wasi/LICENSE",
            "libc/wasi/LICENSE-APACHE",
            "libc/wasi/LICENSE-APACHE-LLVM",
            "libc/wasi/LICENSE-MIT",
            "libc/wasi/libc-bottom-half/cloudlibc/LICENSE",
        ],
        carrier: Carrier::Rust,
    },
    Part {
        name: "musl",
        licence: "MIT",
        source: "https://musl.libc.org",
        files: &["libc/musl/COPYRIGHT"],
        carrier: Carrier::Rust,
    },
    // LLVM's compiler-rt and musl's mathematics, rewritten in Rust.
    Part {
        name: "compiler_builtins",
        licence: "MIT AND Apache-2.0 WITH LLVM-exception AND (MIT OR Apache-2.0)",
        source: "https://github.com/rust-lang/compiler-builtins",
        files: &["libcxx/LICENSE.TXT", "libc/musl/COPYRIGHT"],
        carrier: Carrier::Rust,
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
        version: match part.carrier {
            Carrier::Zig => format!("(from zig {zig})"),
            Carrier::Rust => format!("(from Rust {rust})"),
        },
        licence: part.licence.to_owned(),
        source: part.source.to_owned(),
        authors: Vec::new(),
        texts: texts?,
    })
}
