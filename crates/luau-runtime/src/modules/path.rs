//! Resolves the path of a module from the argument of `require` and the name of the requiring chunk.

/// The place of a chunk, from which paths lead to modules. The chunk may be named after a file or a URL. Then the host expects paths that
/// begin in the same way.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `/`, `C:/`, `https://example.com/`, `../`, or nothing.
    root: String,
    /// The names on the path from the root to the chunk.
    pub(super) parts: Vec<String>,
}

impl Place {
    /// Returns the place of the chunk with this name.
    pub(super) fn of(name: &str) -> Self {
        let name = without_extension(name);
        let (mut root, rest) = root_of(name);
        let mut parts: Vec<String> = Vec::new();
        for part in rest.split(is_slash) {
            match part {
                ".." if parts.pop().is_some() => {}
                // Relative to something that only the host knows. The other roots have no parent.
                ".." if root.is_empty() || root.ends_with("../") => root.push_str("../"),
                "" | "." | ".." => {}
                part => parts.push(part.to_owned()),
            }
        }
        // An `init` module stands for its folder.
        if parts.len() > 1 && parts.last().is_some_and(|part| part == INIT) {
            parts.pop();
        }
        Self { root, parts }
    }

    /// Returns the path, including the root.
    pub(super) fn path(&self) -> String {
        format!("{}{}", self.root, self.parts.join("/"))
    }
}

/// The name of the file that makes a folder a module.
pub(super) const INIT: &str = "init";

/// Splits a name into the root of an absolute path or a URL, and the rest.
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
    // A single letter is a drive.
    text.len() > 1 && text.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '+' | '-' | '.'))
}

/// Returns true for both kinds of slashes, since the host may have named a chunk after a Windows file.
fn is_slash(char: char) -> bool {
    matches!(char, '/' | '\\')
}

/// Returns true for a character that could change the path when the host puts it into a URL or passes it to a file system. URLs read `\`
/// as `/` and `%2e` as a dot, end the path at `?` and `#`, and drop tabs and line breaks. A `:` ends a scheme or a drive.
pub(super) fn is_rewritten(char: char) -> bool {
    matches!(char, '\\' | '%' | '?' | '#' | ':') || char.is_control()
}

/// Removes the extension, since the host may have named a chunk after its file.
fn without_extension(name: &str) -> &str {
    name.strip_suffix(".luau").or_else(|| name.strip_suffix(".lua")).unwrap_or(name)
}

/// Returns the path of the module that `wanted` names in the chunk named `requirer`.
///
/// # Errors
/// If it names no module. The error is the reason.
pub(super) fn resolve(requirer: &str, wanted: &str) -> Result<String, String> {
    if let Some(char) = wanted.chars().find(|char| is_rewritten(*char)) {
        return Err(format!("the path must not contain {char:?}"));
    }
    let (mut place, rest) = if let Some(rest) = wanted.strip_prefix("@self/") {
        (Place::of(requirer), rest)
    } else if let Some(rest) = wanted.strip_prefix('@') {
        if rest.is_empty() || rest.starts_with('/') || rest == "self" {
            return Err("the '@' must be followed by a name and a path".to_owned());
        }
        (Place { root: String::new(), parts: Vec::new() }, wanted)
    } else if wanted.starts_with("./") || wanted.starts_with("../") {
        let mut place = Place::of(requirer);
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
            // A URL drops spaces at its ends, and a file system may.
            name if name.trim() != name => {
                return Err("the names in the path must not begin or end with a space".to_owned());
            }
            name => place.parts.push(name.to_owned()),
        }
    }
    match &place.parts[..] {
        [] => Err("the path does not name a module".to_owned()),
        [.., folder, last] if last == INIT => {
            Err(format!("require the folder \"{folder}\" instead of its init module"))
        }
        _ => Ok(place.path()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_through_the_tree() {
        for (requirer, wanted, path) in [
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
            assert_eq!(resolve(requirer, wanted).as_deref(), Ok(path), "{wanted} from {requirer}");
        }
    }

    #[test]
    fn invalid_paths_are_errors() {
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
            "./ ../b",
            "./ /etc/a",
            "./a ",
        ] {
            assert!(resolve("script", wanted).is_err(), "{wanted:?}");
        }
        assert_eq!(resolve("script", "./grüße/a b/c..d/~e").as_deref(), Ok("grüße/a b/c..d/~e"));
    }

    #[test]
    fn a_chunk_may_be_named_after_its_file() {
        assert_eq!(without_extension("src/main.luau"), "src/main");
        assert_eq!(without_extension("my.script"), "my.script");
    }

    #[test]
    fn paths_begin_like_the_name_of_the_chunk() {
        for (requirer, wanted, path) in [
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
            assert_eq!(resolve(requirer, wanted).as_deref(), Ok(path), "{wanted} from {requirer}");
        }
        for (requirer, wanted) in
            [("/main", "../a"), ("C:/main", "../a"), ("https://example.com/main", "../a"), ("../main", "../a")]
        {
            assert!(resolve(requirer, wanted).is_err(), "{wanted} from {requirer}");
        }
    }

    #[test]
    fn an_init_stands_for_its_folder() {
        for (requirer, wanted, path) in [
            ("lib/init.luau", "./x", "x"),
            ("lib/init.luau", "@self/x", "lib/x"),
            ("src/lib/init", "./x", "src/x"),
            ("src/lib/init", "../x", "x"),
            // The folder of this one has no name.
            ("init.luau", "./x", "x"),
            ("init", "./init", "init"),
        ] {
            assert_eq!(resolve(requirer, wanted).as_deref(), Ok(path), "{wanted} from {requirer}");
        }
    }
}
