//! Errors for members that a userdata does not have, or that cannot be set.

use std::fmt;

use mlua::prelude::*;

use crate::call_error::CallError;
use crate::function::{Callee, FunctionBuilder};
use crate::text;
use crate::value::type_name;

/// The maximum length of a name for which a suggestion is searched. The search takes longer for longer names, which a script may choose.
/// All names of members are shorter.
const MAX_NAME: usize = 64;

/// The names of the members of a type.
#[derive(Clone)]
pub(crate) struct Members {
    /// The name of the type in Luau.
    owner: &'static str,
    methods: LuaTable,
    properties: Vec<&'static str>,
    /// The properties that are signals.
    signals: Vec<&'static str>,
}

impl Members {
    /// Creates the members of the type `owner` from its methods by name, and the names of all other members.
    pub(crate) fn new(
        owner: &'static str,
        methods: &LuaTable,
        properties: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self { owner, methods: methods.clone(), properties: properties.into_iter().collect(), signals: Vec::new() }
    }

    /// Adds the names of the properties that are signals. The error for setting one of them says how to connect a function.
    #[must_use]
    pub(crate) fn with_signals(self, signals: impl IntoIterator<Item = &'static str>) -> Self {
        Self { signals: signals.into_iter().collect(), ..self }
    }

    /// Creates the error for a script that reads an unknown member.
    #[must_use]
    pub(crate) fn unknown(&self, name: &LuaValue) -> CallError {
        let owner = self.owner;
        let LuaValue::String(name) = name else {
            return CallError::new(format!("attempt to index {owner} with {}", type_name(name)));
        };
        let names: Vec<String> = self.names().collect();
        let hint = closest(&text::shown(name), &names).map(|name| format!("; did you mean {name}?"));
        CallError::new(format!("{} is not a member of {owner}{}", text::shown(name), hint.unwrap_or_default()))
    }

    /// Creates the `__newindex` of the type, which always fails.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub(crate) fn newindex(&self, lua: &Lua, builder: &FunctionBuilder) -> LuaResult<LuaFunction> {
        let members = self.clone();
        builder.sync(lua, Callee::Function("newindex"), move |_, args| -> Result<(), CallError> {
            Err(members.assignment_error(&args.value(2)))
        })
    }

    fn assignment_error(&self, name: &LuaValue) -> CallError {
        let known = match name {
            LuaValue::String(name) => self.names().find(|known| name.as_bytes() == known.as_bytes()),
            _ => None,
        };
        let Some(known) = known else { return self.unknown(name) };
        let owner = self.owner;
        if self.signals.contains(&known.as_str()) {
            return CallError::new(format!(
                "{known} of {owner} is a signal and cannot be set; call {known}:Connect with the function"
            ));
        }
        CallError::new(format!("{known} of {owner} cannot be set"))
    }

    fn names(&self) -> impl Iterator<Item = String> {
        let methods = self.methods.pairs::<String, LuaValue>().flatten().map(|(name, _)| name);
        methods.chain(self.properties.iter().map(|name| (*name).to_owned()))
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// Returns the name that was probably meant. It differs only in case and underscores, or in at most a third of its letters.
fn closest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a str> {
    if wanted.len() > MAX_NAME {
        return None;
    }
    let wanted = normalized(wanted);
    let distances = names.iter().map(|name| {
        let normalized_name = normalized(name);
        (distance(&wanted, &normalized_name), normalized_name.len().max(wanted.len()), name)
    });
    let (distance, length, name) = distances.min_by_key(|(distance, _, name)| (*distance, (*name).clone()))?;
    (distance * 3 <= length).then_some(name)
}

fn normalized(name: &str) -> Vec<char> {
    name.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect()
}

/// Returns the Levenshtein distance of two names: the number of letters that must be inserted, deleted or replaced.
fn distance(one: &[char], other: &[char]) -> usize {
    // The distances between the part of `one` read so far and each prefix of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, char) in one.iter().enumerate() {
        let mut last = index + 1;
        let mut next = vec![last];
        for (pair, other_char) in row.windows(2).zip(other) {
            let [replaced, deleted] = *pair else { continue };
            last = (replaced + usize::from(char != other_char)).min(deleted + 1).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_suggested() {
        let names = ["Connect", "Once", "Wait", "OnMessage", "OnClose", "Close", "CloseCode"].map(str::to_owned);
        for (wanted, name) in [
            ("connect", Some("Connect")),
            ("onMessage", Some("OnMessage")),
            ("on_message", Some("OnMessage")),
            ("OnMesage", Some("OnMessage")),
            ("close", Some("Close")),
            ("wait", Some("Wait")),
            ("Fire", None),
            ("", None),
            ("ready", None),
        ] {
            assert_eq!(closest(wanted, &names), name, "{wanted}");
        }
        assert_eq!(closest(&"OnMessage".repeat(100), &names), None);
    }
}
