//! Chunks: turns source into functions.

use std::borrow::Cow;
use std::ffi::CString;
use std::fmt;
use std::rc::Rc;

use memchr::memmem;
use mlua::prelude::*;

use crate::error::{CHUNK_NAME, SyntaxError};
use crate::ffi;
use crate::text;

/// The name of a chunk.
#[derive(Clone, Copy, Debug)]
pub enum ChunkName<'a> {
    /// Given by the host. The paths of modules that the chunk requires are relative to it.
    Host(&'a str),
    /// Given by a script, in the form that Luau expects. It is only for messages.
    Script(&'a str),
}

impl ChunkName<'_> {
    /// Returns the name for Luau, which shows the part after a `=` or `@`, or makes a name of any other text. A `=` stands for the host; see
    /// [`ffi::requirer`].
    fn for_luau(self) -> String {
        match self {
            Self::Host(name) => format!("={name}"),
            Self::Script(name) => name.strip_prefix('=').map_or_else(|| name.to_owned(), |name| format!("@{name}")),
        }
    }
}

/// Loads the chunks of one VM.
pub struct Chunks {
    /// The optimization level, from 0 to 2.
    level: u8,
    /// The clock, in milliseconds.
    clock: Rc<dyn Fn() -> f64>,
    /// A thread that never runs. It has only the shared globals; see [`crate::globals`].
    loader: LuaThread,
}

impl Chunks {
    /// Creates a loader, which must happen before the sandbox is closed: threads created later get a different table of globals. The
    /// compiler optimizes up to `level`, from 0 to 2; `clock` returns the time in milliseconds.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn new(lua: &Lua, level: u8, clock: impl Fn() -> f64 + 'static) -> LuaResult<Self> {
        let nothing = lua.create_function(|_, ()| Ok(()))?;
        Ok(Self { level, clock: Rc::new(clock), loader: lua.create_thread(nothing)? })
    }

    /// Compiles a chunk and returns its function, with its globals.
    ///
    /// # Errors
    /// If the source is not valid Luau, or there is not enough memory.
    pub fn load(&self, lua: &Lua, source: &[u8], name: ChunkName, globals: LuaTable) -> LuaResult<LuaFunction> {
        let name = &name.for_luau();
        // Only our own chunks may have this name: it keeps them out of tracebacks and from being interrupted.
        let name = if name.get(1..) == Some(CHUNK_NAME) { "=script" } else { name.as_str() };
        text::SOURCE.check_length(source.len()).map_err(LuaError::runtime)?;
        // For a copy of the source, and for the program, which is about as long.
        if !ffi::has_room(2 * source.len()) {
            return Err(ffi::refusal());
        }
        let source = without_preamble(source);
        let program = ffi::compile(lua, &within_level(source, self.level), self.level, &self.clock)?;
        if let [0, message @ ..] = program.as_slice() {
            return Err(syntax_error(message, name));
        }
        if mentions_g(source) && is_table(&globals.raw_get("_G")?, &globals) {
            // Through `_G` it may write any global, and the compiler does not see that.
            globals.set_safeenv(false);
        }
        // A C string ends at the first zero.
        let name = CString::new(name.replace('\0', " ")).unwrap_or_default();
        ffi::load(lua, &self.loader, &name, &program, globals)
    }

    /// Returns all syntax errors of a source. The list is empty if the syntax is not what is wrong, or if parsing takes too long.
    pub fn syntax_errors(&self, lua: &Lua, source: &[u8]) -> Vec<SyntaxError> {
        let text = without_preamble(source);
        let starts: Vec<usize> = std::iter::once(0)
            .chain(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1))
            .collect();
        // The host counts a byte order mark as a character of the first line.
        let before = u32::from(source.starts_with(MARK.as_bytes()));
        // A line may have many errors and be as long as the source, so counting continues from the previous error.
        let (mut counted_to, mut counted) = (0, 0);
        let mut place = |(line, column): (usize, usize)| {
            let start = starts.get(line).copied().unwrap_or(text.len());
            let end = text.len().min(start + column);
            if !(start..=end).contains(&counted_to) {
                (counted_to, counted) = (start, 0);
            }
            let bytes = text.get(counted_to..end).unwrap_or_default();
            counted += String::from_utf8_lossy(bytes).encode_utf16().count();
            counted_to = end;
            let before = if line == 0 { before } else { 0 };
            (number(line), number(counted) + before)
        };
        let errors = ffi::syntax_errors(lua, text, &self.clock).into_iter();
        errors
            .map(|error| {
                let ((line, column), (end_line, end_column)) = (place(error.begin), place(error.end));
                SyntaxError { message: error.message, line, column, end_line, end_column }
            })
            .collect()
    }
}

/// Converts a line or column to one that counts from 1. Sources are too short to reach the maximum.
fn number(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or(u32::MAX - 1)
}

/// The byte order mark.
const MARK: &str = "\u{feff}";

/// Returns the source without a byte order mark and without the text of a `#!` line. The end of that line stays, so that all other lines
/// keep their numbers.
fn without_preamble(source: &[u8]) -> &[u8] {
    let source = source.strip_prefix(MARK.as_bytes()).unwrap_or(source);
    if !source.starts_with(b"#!") {
        return source;
    }
    let end = source.iter().position(|byte| *byte == b'\n').unwrap_or(source.len());
    source.get(end..).unwrap_or_default()
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("level", &self.level).finish_non_exhaustive()
    }
}

/// Creates an error from the compiler's message, which begins with a colon and the line. The name of the chunk goes before it, as Luau
/// shows it.
fn syntax_error(message: &[u8], name: &str) -> LuaError {
    let shown = match name.strip_prefix(['=', '@']) {
        Some(name) => name.to_owned(),
        None => format!("[string \"{}\"]", name.lines().next().unwrap_or_default()),
    };
    let message = String::from_utf8_lossy(message);
    LuaError::SyntaxError { message: format!("{shown}{message}"), incomplete_input: message.ends_with("<eof>") }
}

fn is_table(value: &LuaValue, table: &LuaTable) -> bool {
    matches!(value, LuaValue::Table(value) if value.to_pointer() == table.to_pointer())
}

/// Returns true if the name `_G` occurs in a source.
fn mentions_g(source: &[u8]) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let is_name = |at: usize| !is_part(source.get(at + 2)) && !is_part(at.checked_sub(1).and_then(|at| source.get(at)));
    memmem::find_iter(source, "_G").any(is_name)
}

/// The optimization level that `--!native` implies.
const NATIVE_LEVEL: u8 = 2;

/// Turns directives that ask for more than `level` into plain comments of the same length. At level 2 the compiler inlines functions, and a
/// few lines may become millions of instructions.
fn within_level(source: &[u8], level: u8) -> Cow<'_, [u8]> {
    let mut source = Cow::Borrowed(source);
    let mut at = 0;
    while let Some(comment) = next_comment(&source, at) {
        at = comment.end;
        let wanted = match source.get(comment.start..comment.end) {
            Some([b'-', b'-', b'!', directive @ ..]) => level_of(directive),
            _ => continue,
        };
        if wanted > level
            && let Some(mark) = source.to_mut().get_mut(comment.start + 2)
        {
            *mark = b' ';
        }
    }
    source
}

/// Returns the level that a directive asks for, parsed like in `Luau::compileOrThrow`.
fn level_of(directive: &[u8]) -> u8 {
    if directive.trim_ascii_end() == b"native" {
        return NATIVE_LEVEL;
    }
    let Some(number) = directive.strip_prefix(b"optimize ") else { return 0 };
    match number.trim_ascii() {
        b"0" => 0,
        b"1" => 1,
        // `atoi` accepts more than digits, so assume the worst.
        _ => 2,
    }
}

/// Returns the next comment at or after `at` if only white space precedes it. The compiler ignores directives after the first statement.
fn next_comment(source: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c);
    let start = at + source.get(at..)?.iter().position(|byte| !is_space(byte))?;
    let body = source.get(start..)?.strip_prefix(b"--")?;
    let length = match long_bracket(body) {
        Some(closing) => body.windows(closing.len()).position(|part| part == closing)? + closing.len(),
        None => body.iter().position(|byte| matches!(byte, 0 | b'\r' | b'\n')).unwrap_or(body.len()),
    };
    Some(start..start + 2 + length)
}

/// Returns the closing bracket of a multi-line comment, such as `]==]` for `[==[`, or none for a one-line comment.
fn long_bracket(body: &[u8]) -> Option<Vec<u8>> {
    let rest = body.strip_prefix(b"[")?;
    let signs = rest.iter().take_while(|byte| **byte == b'=').count();
    (rest.get(signs) == Some(&b'[')).then(|| [&b"]"[..], &b"=".repeat(signs), b"]"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_a_preamble_keeps_line_numbers() {
        for (source, expected) in [
            ("return 1", "return 1"),
            ("\u{feff}return 1", "return 1"),
            ("#!/usr/bin/env luau\nreturn 1", "\nreturn 1"),
            ("\u{feff}#!luau\r\nreturn 1", "\nreturn 1"),
            ("#!luau", ""),
            ("# x", "# x"),
            ("return '#!'", "return '#!'"),
            ("", ""),
        ] {
            assert_eq!(without_preamble(source.as_bytes()), expected.as_bytes(), "{source:?}");
        }
    }

    #[test]
    fn only_the_whole_name_mentions_g() {
        for source in ["_G", "_G.x = 1", "local MAX_GAP, g = 1, _G"] {
            assert!(mentions_g(source.as_bytes()), "{source:?}");
        }
        for source in ["", "_", "MAX_G", "_GAP", "__G", "x_G_"] {
            assert!(!mentions_g(source.as_bytes()), "{source:?}");
        }
    }

    #[test]
    fn directives_above_the_level_become_comments() {
        for (source, expected) in [
            ("--!optimize 2\nreturn 1", "-- optimize 2\nreturn 1"),
            ("--!optimize 1\nreturn 1", "--!optimize 1\nreturn 1"),
            ("--!optimize  2x\r--!strict\n", "-- optimize  2x\r--!strict\n"),
            (" \t\n--!native \n", " \t\n-- native \n"),
            ("--[[ x\n]] --[==[ ]] ]==] --!optimize 9", "--[[ x\n]] --[==[ ]] ]==] -- optimize 9"),
            ("--!strict\n--!optimize -1\n", "--!strict\n-- optimize -1\n"),
            ("local a\n--!optimize 2", "local a\n--!optimize 2"),
            ("return '--!native'", "return '--!native'"),
            ("--[[ --!native", "--[[ --!native"),
            ("--", "--"),
            ("", ""),
        ] {
            assert_eq!(within_level(source.as_bytes(), 1), expected.as_bytes(), "{source:?}");
            assert_eq!(within_level(source.as_bytes(), 2), source.as_bytes(), "{source:?}");
        }
        assert_eq!(within_level(b"--!optimize 1\n--!optimize 0", 0), &b"-- optimize 1\n--!optimize 0"[..]);
    }
}
