//! Values that wait for a thread to be resumed.

use std::mem;

use mlua::prelude::*;

use crate::ffi::Charge;

/// The number of values that do not count. The number of waiting jobs is limited, so these take a few dozen megabytes at most, and counting
/// takes a tenth of the time of a `task.defer`.
const MAX_FREE: usize = 2;

/// The size of a job and of its place in a queue, in bytes.
const JOB_BYTES: usize = 256;

/// Values for a thread. A script can make Rust hold any number of them, so many count as memory of the script.
#[derive(Debug)]
pub struct Arguments {
    values: LuaMultiValue,
    _charge: Option<Charge>,
}

impl Arguments {
    /// Keeps values that a script passes.
    ///
    /// # Errors
    /// If there is not enough memory.
    pub fn of_script(lua: &Lua, values: LuaMultiValue) -> LuaResult<Self> {
        let bytes = JOB_BYTES + values.len() * mem::size_of::<LuaValue>();
        let charge = if values.len() > MAX_FREE { Charge::new(lua, bytes)? } else { None };
        Ok(Self { values, _charge: charge })
    }

    pub(super) fn into_values(self) -> LuaMultiValue {
        self.values
    }
}

impl From<LuaMultiValue> for Arguments {
    fn from(values: LuaMultiValue) -> Self {
        Self { values, _charge: None }
    }
}
