//! From what a script wants, and what it is itself called, to the path of a module.

/// Where the paths begin that lead from a chunk: its name may be that of a file, or a URL, and then the page expects paths that
/// begin in the same way.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `/`, `C:/`, `https://example.com/`, `../`, or nothing.
    root: String,
    /// The names that lead from there to it.
    pub(super) parts: Vec<String>,
}

impl Place {
    /// The place of the chunk with this name.
    pub(super) fn of(name: &str) -> Self {
        let name = without_extension(name);
        let (mut root, rest) = root_of(name);
        let mut parts: Vec<String> = Vec::new();
        for part in rest.split(is_slash) {
            match part {
                ".." if parts.pop().is_some() => {}
                // Relative to something that only the page knows. Nothing is above the root of the others.
                ".." if root.is_empty() || root.ends_with("../") => root.push_str("../"),
                "" | "." | ".." => {}
                part => parts.push(part.to_owned()),
            }
        }
        // The module that an `init` is, is its folder.
        if parts.len() > 1 && parts.last().is_some_and(|part| part == INIT) {
            parts.pop();
        }
        Self { root, parts }
    }

    /// The path from the root.
    pub(super) fn path(&self) -> String {
        format!("{}{}", self.root, self.parts.join("/"))
    }
}

/// The name of what makes a module of a folder.
pub(super) const INIT: &str = "init";

/// The root of an absolute path or a URL, and what follows it.
fn root_of(name: &str) -> (String, &str) {
    if let Some((scheme, rest)) = name.split_once("://")
        && is_scheme(scheme)
    {
        let (host, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        return (format!("{scheme}://{host}/"), rest);
    }
    let bytes = name.as_bytes();
    if let [drive, b':', b'/' | b'\\', ..] = bytes
        && drive.is_ascii_alphabetic()
    {
        let (drive, rest) = name.split_at(2);
        return (format!("{drive}/"), rest);
    }
    let rest = name.trim_start_matches(is_slash);
    ("/".repeat(name.len() - rest.len()), rest)
}

fn is_scheme(text: &str) -> bool {
    // One letter is a drive.
    text.len() > 1 && text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.'))
}

/// The page may have named a chunk by a file of Windows.
fn is_slash(char: char) -> bool {
    matches!(char, '/' | '\\')
}

/// Returns true for a character that could change the path when the host puts it into a URL or passes it to a file system. URLs read `\`
/// as `/` and `%2e` as a dot, end the path at `?` and `#`, and drop tabs and line breaks. A `:` ends a scheme or a drive.
pub(super) fn is_rewritten(char: char) -> bool {
    matches!(char, '\\' | '%' | '?' | '#' | ':') || char.is_control()
}

/// The page may have named a chunk by its file.
fn without_extension(name: &str) -> &str {
    name.strip_suffix(".luau").or_else(|| name.strip_suffix(".lua")).unwrap_or(name)
}

/// The path of the module that the chunk with the name `asking` means by `wanted`.
///
/// # Errors
/// When it means none; with the reason.
pub(super) fn resolve(asking: &str, wanted: &str) -> Result<String, String> {
    if let Some(char) = wanted.chars().find(|char| is_rewritten(*char)) {
        return Err(format!("there may be no {char:?} in the path"));
    }
    let (mut place, rest) = if let Some(rest) = wanted.strip_prefix("@self/") {
        (Place::of(asking), rest)
    } else if let Some(rest) = wanted.strip_prefix('@') {
        if rest.is_empty() || rest.starts_with('/') || rest == "self" {
            return Err("the '@' must be followed by a name and a path".to_owned());
        }
        (Place { root: String::new(), parts: Vec::new() }, wanted)
    } else if wanted.starts_with("./") || wanted.starts_with("../") {
        let mut place = Place::of(asking);
        place.parts.pop();
        (place, wanted)
    } else {
        return Err("the path must begin with ./, ../ or @".to_owned());
    };
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if place.parts.pop().is_none() {
                    return Err("the path leads above the root".to_owned());
                }
            }
            name => place.parts.push(name.to_owned()),
        }
    }
    match &place.parts[..] {
        [] => Err("the path names no module".to_owned()),
        [.., folder, last] if last == INIT => {
            Err(format!("the module that an init makes is required as its folder, \"{folder}\""))
        }
        _ => Ok(place.path()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_the_tree() {
        for (asking, wanted, path) in [
            ("script", "./a", "a"),
            ("script", "./a/b", "a/b"),
            ("lib/list", "./node", "lib/node"),
            ("lib/list", "../main", "main"),
            ("lib/list", "@self/node", "lib/list/node"),
            ("lib/list", "@net/http", "@net/http"),
            ("@net/http", "./url", "@net/url"),
            ("", "./a", "a"),
            ("src/main", "./x/../y", "src/y"),
            ("./src/x/../main", "./a", "src/a"),
        ] {
            assert_eq!(resolve(asking, wanted).as_deref(), Ok(path), "{wanted} from {asking}");
        }
    }

    #[test]
    fn other_paths_are_errors() {
        for wanted in ["a", "/a", "", "../a", "./..", "@", "@/a", "@self", "./", "./a/init", "@a/init"] {
            assert!(resolve("script", wanted).is_err(), "{wanted}");
        }
    }

    #[test]
    fn no_path_becomes_another_one_in_a_url() {
        for wanted in [
            "./..\\..\\api/me#",
            "./%2e%2e/%2E%2e/api/me?x=",
            "./.\t./.\n./api/me",
            "./a\0",
            "./a\u{7f}",
            "./a\u{85}",
            "./https://example.com/a",
            "@a/c:/b",
            "./a%5cb",
        ] {
            assert!(resolve("script", wanted).is_err(), "{wanted:?}");
        }
        assert_eq!(resolve("script", "./grüße/a b/c..d/~e").as_deref(), Ok("grüße/a b/c..d/~e"));
    }

    #[test]
    fn a_chunk_may_be_named_by_its_file() {
        assert_eq!(without_extension("src/main.luau"), "src/main");
        assert_eq!(without_extension("my.script"), "my.script");
    }

    #[test]
    fn paths_begin_as_the_name_of_the_chunk_does() {
        for (asking, wanted, path) in [
            ("/home/me/main.luau", "./a", "/home/me/a"),
            ("/main", "./a/b", "/a/b"),
            ("/home/me/main.luau", "@net/http", "@net/http"),
            ("scripts\\main.luau", "./a", "scripts/a"),
            ("C:\\me\\main.luau", "./a", "C:/me/a"),
            ("C:/me/main.luau", "../a", "C:/a"),
            ("\\\\host\\share\\main.luau", "./a", "//host/share/a"),
            ("https://example.com/x/main.luau", "./a", "https://example.com/x/a"),
            ("https://example.com/main.luau", "@self/a", "https://example.com/main/a"),
            ("file:///home/me/main.luau", "./a", "file:///home/me/a"),
            ("../me/main.luau", "./a", "../me/a"),
            ("../../main.luau", "./a", "../../a"),
        ] {
            assert_eq!(resolve(asking, wanted).as_deref(), Ok(path), "{wanted} from {asking}");
        }
        for (asking, wanted) in
            [("/main", "../a"), ("C:/main", "../a"), ("https://example.com/main", "../a"), ("../main", "../a")]
        {
            assert!(resolve(asking, wanted).is_err(), "{wanted} from {asking}");
        }
    }

    #[test]
    fn an_init_is_its_folder() {
        for (asking, wanted, path) in [
            ("lib/init.luau", "./x", "x"),
            ("lib/init.luau", "@self/x", "lib/x"),
            ("src/lib/init", "./x", "src/x"),
            ("src/lib/init", "../x", "x"),
            // There is no name for the folder of this one.
            ("init.luau", "./x", "x"),
            ("init", "./init", "init"),
        ] {
            assert_eq!(resolve(asking, wanted).as_deref(), Ok(path), "{wanted} from {asking}");
        }
    }
}
