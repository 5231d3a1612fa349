//! Errors for members that a userdata does not have, or that cannot be set.

use std::fmt;

use mlua::prelude::*;

use crate::bind::{Binder, Callee};
use crate::failure::Failure;
use crate::text;
use crate::value::type_name;

/// Names of members are shorter. The search for the closest one takes longer for a longer name, which a script may choose.
const MAX_NAME: usize = 64;

/// The names of the members of a type.
#[derive(Clone)]
pub(crate) struct Members {
    /// The name of the type in Luau.
    owner: &'static str,
    methods: LuaTable,
    properties: Vec<&'static str>,
}

impl Members {
    /// The members of the type `owner`: its methods by their names, and the names of all else.
    pub(crate) fn new(
        owner: &'static str,
        methods: &LuaTable,
        properties: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self { owner, methods: methods.clone(), properties: properties.into_iter().collect() }
    }

    /// Returns the failure of a script that reads a member that there is not.
    #[must_use]
    pub(crate) fn unknown(&self, name: &LuaValue) -> Failure {
        let owner = self.owner;
        let LuaValue::String(name) = name else {
            return Failure::new(format!("attempt to index {owner} with {}", type_name(name)));
        };
        let names: Vec<String> = self.names().collect();
        let hint = closest(&text::shown(name), &names).map(|name| format!("; did you mean {name}?"));
        Failure::new(format!("{} is not a member of {owner}{}", text::shown(name), hint.unwrap_or_default()))
    }

    /// Makes the `__newindex` of the type, which sets nothing.
    ///
    /// # Errors
    /// When there is no memory.
    pub(crate) fn newindex(&self, lua: &Lua, binder: &Binder) -> LuaResult<LuaFunction> {
        let members = self.clone();
        binder.plain(lua, Callee::Function("newindex"), move |_, args| -> Result<(), Failure> {
            let (object, name) = (args.value(1), args.value(2));
            Err(members.assigned(&object, &name))
        })
    }

    fn assigned(&self, object: &LuaValue, name: &LuaValue) -> Failure {
        let known = match name {
            LuaValue::String(name) => self.names().find(|known| name.as_bytes() == known.as_bytes()),
            _ => None,
        };
        let Some(known) = known else { return self.unknown(name) };
        let owner = self.owner;
        let member = object.as_userdata().and_then(|object| object.get::<LuaValue>(known.as_str()).ok());
        if member.is_some_and(|member| type_name(&member) == crate::signal::SIGNAL) {
            return Failure::new(format!(
                "{known} of {owner} is a signal and cannot be set; call {known}:Connect with the function"
            ));
        }
        Failure::new(format!("{known} of {owner} cannot be set"))
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

/// Returns the name that was probably meant: one that differs in case and underscores only, or in a third of its letters at most.
fn closest<'a>(wanted: &str, names: &'a [String]) -> Option<&'a str> {
    if wanted.len() > MAX_NAME {
        return None;
    }
    let wanted = plain(wanted);
    let distances = names.iter().map(|name| {
        let name_plain = plain(name);
        (distance(&wanted, &name_plain), name_plain.len().max(wanted.len()), name)
    });
    let (distance, length, name) = distances.min_by_key(|(distance, _, name)| (*distance, (*name).clone()))?;
    (distance * 3 <= length).then_some(name)
}

fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|char| *char != '_').map(|char| char.to_ascii_lowercase()).collect()
}

/// The Levenshtein distance of two names: how many letters have to be put in, taken out or replaced.
fn distance(one: &[char], other: &[char]) -> usize {
    // The distances of what was read of `one` from each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, char) in one.iter().enumerate() {
        let mut last = index + 1;
        let mut next = vec![last];
        for (pair, other_char) in row.windows(2).zip(other) {
            let [replaced, taken_out] = *pair else { continue };
            last = (replaced + usize::from(char != other_char)).min(taken_out + 1).min(last + 1);
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
    fn the_closest_name_is_the_one_that_was_meant() {
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
