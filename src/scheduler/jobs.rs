//! What there is to run.

use std::rc::Rc;

use mlua::prelude::*;

use super::{Scheduler, Token};
use crate::failure::Failure;

pub(super) enum Job {
    /// A parked thread goes on: with a failure to raise, or with values to return.
    Wake { token: Token, failure: Option<Failure>, values: LuaMultiValue },
    /// A thread that a script named is resumed: begun, or gone on with.
    Resume { thread: LuaThread, values: LuaMultiValue },
    /// A function runs in a thread that no script holds.
    Call { callee: Rc<dyn Called>, values: LuaMultiValue },
    /// An event finds out whom it concerns when its turn has come, not before.
    Dispatch(Box<dyn FnOnce(&Lua)>),
    /// The same for what has many of them: nothing is to be allocated for each.
    Deliver(Rc<dyn Deliver>),
}

/// Who has a function to be called. Which one, and whether any, is asked when its turn has come.
pub trait Called {
    /// The function that is to run now.
    fn function(self: Rc<Self>) -> Option<LuaFunction>;
}

/// Who has events to deliver.
pub trait Deliver {
    /// Delivers the next one, now that its turn has come.
    fn deliver(self: Rc<Self>, lua: &Lua);
}

impl Scheduler {
    pub(super) fn next_job(&self) -> Option<Job> {
        let ready = self.0.ready.borrow_mut().pop_front();
        ready.or_else(|| self.0.deferred.borrow_mut().pop_front())
    }
}
