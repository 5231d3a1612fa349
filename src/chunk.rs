//! Chunks: from source to a function.
//!
//! Luau takes globals for constants: it looks them up when a chunk is loaded, and uses what it found as long as the table
//! of globals is marked as safe. Here many chunks share their globals, and the page sets some too; so what a chunk finds
//! must not be what was there when it was loaded. Only our own libraries are looked up early, by loading chunks in a thread
//! that sees nothing else; and once somebody puts something in the place of one of those, the mark is taken away.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ffi::CString;
use std::fmt;
use std::rc::Rc;

use mlua::prelude::*;

use crate::error::CHUNK_NAME;
use crate::raw;

/// Loads the chunks of one VM.
pub struct Chunks {
    /// The optimization level, from 0 to 2.
    level: u8,
    /// Returns the time in milliseconds.
    clock: Rc<dyn Fn() -> f64>,
    /// Never runs. Its globals are the libraries alone.
    loader: LuaThread,
    libraries: LuaTable,
    /// Those of the scripts, once they have their own. A thread may have put something in their place for itself, and mlua
    /// gives those of the thread that runs.
    globals: OnceCell<LuaTable>,
}

impl Chunks {
    /// To be made before the sandbox is closed, and so before scripts have globals of their own. The compiler optimizes up to `level`,
    /// from 0 to 2; `clock` tells the time in milliseconds.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(lua: &Lua, level: u8, clock: impl Fn() -> f64 + 'static) -> LuaResult<Self> {
        let nothing = lua.create_function(|_, ()| Ok(()))?;
        let (loader, libraries, globals) = (lua.create_thread(nothing)?, lua.globals(), OnceCell::new());
        Ok(Self { level, clock: Rc::new(clock), loader, libraries, globals })
    }

    /// Takes note of the globals of scripts, when they are what they will be.
    pub fn set_globals(&self, globals: LuaTable) {
        // Set once, by the VM.
        let _ = self.globals.set(globals);
    }

    /// The globals of scripts, whichever thread runs.
    #[must_use]
    pub fn globals(&self) -> LuaTable {
        self.globals.get().unwrap_or(&self.libraries).clone()
    }

    /// The function of a chunk, with its globals. Its name begins with a `=` unless Luau is to make one from the text.
    ///
    /// # Errors
    /// When the source is no Luau program, or there is no memory.
    pub fn load(&self, lua: &Lua, source: &[u8], name: &str, globals: LuaTable) -> LuaResult<LuaFunction> {
        // The name of our own chunks is theirs alone: by it they are left out of tracebacks, and not interrupted.
        let name = if name.trim_start_matches(['=', '@']) == CHUNK_NAME { "=script" } else { name };
        let program = raw::compile(lua, &within_level(source, self.level), self.level, &self.clock)?;
        if let [0, message @ ..] = program.as_slice() {
            return Err(syntax_error(message, name));
        }
        // C ends a text at a zero.
        let name = CString::new(name.replace('\0', " ")).unwrap_or_default();
        for pair in globals.pairs::<LuaValue, LuaValue>() {
            let (global, _) = pair?;
            self.note_global(lua, &global, &globals)?;
        }
        raw::load(lua, &self.loader, &name, &program, globals)
    }

    /// Takes note of a global among `globals` that a script or the page has set.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn note_global(&self, lua: &Lua, name: &LuaValue, globals: &LuaTable) -> LuaResult<()> {
        if self.libraries.raw_get::<LuaValue>(name)?.is_nil() { Ok(()) } else { raw::mark_unsafe(lua, globals.clone()) }
    }

    /// A global, whether it is the script's own or a library.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn global(&self, name: &str) -> LuaResult<LuaValue> {
        match self.globals().raw_get(name)? {
            LuaValue::Nil => self.libraries.raw_get(name),
            value => Ok(value),
        }
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("level", &self.level).finish_non_exhaustive()
    }
}

/// The compiler's message begins with a colon and the line; before it comes the name of the chunk, as Luau shows it.
fn syntax_error(message: &[u8], name: &str) -> LuaError {
    let shown = match name.strip_prefix(['=', '@']) {
        Some(name) => name.to_owned(),
        None => format!("[string \"{}\"]", name.lines().next().unwrap_or_default()),
    };
    let message = String::from_utf8_lossy(message);
    LuaError::SyntaxError { message: format!("{shown}{message}"), incomplete_input: message.ends_with("<eof>") }
}

/// The level that `--!native` implies.
const NATIVE_LEVEL: u8 = 2;

/// Turns directives that ask for more than `level` into plain comments of the same length. At level 2 the compiler inlines functions, and
/// a few lines may become millions of instructions.
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

/// Returns the level that a directive asks for, as `Luau::compileOrThrow` reads it.
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

/// Returns the next comment at or after `at`, if only white space precedes it. The compiler ignores directives after the first statement.
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

/// Returns the closing bracket of a multi-line comment, such as `]==]` for `[==[`; none for a comment of one line.
fn long_bracket(body: &[u8]) -> Option<Vec<u8>> {
    let rest = body.strip_prefix(b"[")?;
    let signs = rest.iter().take_while(|byte| **byte == b'=').count();
    (rest.get(signs) == Some(&b'[')).then(|| [&b"]"[..], &b"=".repeat(signs), b"]"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_that_go_too_far_become_comments() {
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
