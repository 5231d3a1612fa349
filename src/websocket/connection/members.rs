//! What scripts see of a connection.

use std::rc::Rc;

use mlua::prelude::*;

use super::{
    APPLICATION_CODES, CONNECTION, Connection, LONGEST_REASON, NORMAL_CLOSURE, ON_CLOSE, ON_MESSAGE, Reachable, Shared,
};
use crate::bind::{Args, Binder, Callee};
use crate::failure::Failure;
use crate::host::socket::Transport;
use crate::members::Members;
use crate::signal;
use crate::task::MILLISECONDS_PER_SECOND;
use crate::text::MAX_TEXT;

/// Tells `lua` what a connection and its signals can do.
pub(in crate::websocket) fn install(lua: &Lua, binder: &Binder) -> LuaResult<()> {
    signal::install::<Rc<Reachable>>(lua, binder)?;
    let methods = lua.create_table_from([
        ("Send", binder.plain(lua, Callee::Method("Send"), |_, args| send(&args))?),
        ("Close", binder.plain(lua, Callee::Method("Close"), |_, args| close(&args))?),
        ("Receive", binder.parking(lua, Callee::Method("Receive"), |lua, args| receive(lua, &args))?),
    ])?;
    // Not `Receive`: a loop gives it the last message as its second argument, which is no time-out.
    let next = binder.parking(lua, Callee::Function("next"), |lua, args| {
        args.userdata::<Connection>(1, CONNECTION)?.shared.on_message.wait(lua, None);
        Ok(())
    })?;
    let iter = binder.plain(lua, Callee::Function("iter"), move |_, args| Ok((next.clone(), args.value(1))))?;
    let members = Members::new(CONNECTION, &methods, PROPERTIES.map(|(name, _)| name));
    let newindex = members.newindex(lua, binder)?;
    let index = binder.indexing(lua, methods, move |lua, args| {
        let LuaValue::UserData(userdata) = args.value(1) else { return Err(args.mismatch(1, CONNECTION)) };
        let connection = args.userdata::<Connection>(1, CONNECTION)?;
        let name = args.value(2);
        let property = match &name {
            LuaValue::String(name) => PROPERTIES.iter().find(|(known, _)| name.as_bytes() == known.as_bytes()),
            _ => None,
        };
        let (_, get) = property.ok_or_else(|| members.unknown(&name))?;
        Ok(get(lua, &userdata, &connection.shared)?)
    })?;
    lua.register_userdata_type::<Connection>(move |registry| {
        registry.add_meta_field("__type", CONNECTION);
        registry.add_meta_field("__index", index);
        registry.add_meta_field("__newindex", newindex);
        registry.add_meta_field("__iter", iter);
    })
}

/// Reads a member of a connection from its userdata.
type Property = fn(&Lua, &LuaAnyUserData, &Shared) -> LuaResult<LuaValue>;

/// The members that are no methods, by their names.
const PROPERTIES: [(&str, Property); 11] = [
    ("OnMessage", |_, userdata, _| userdata.nth_user_value(ON_MESSAGE)),
    ("OnClose", |_, userdata, _| userdata.nth_user_value(ON_CLOSE)),
    ("State", |lua, _, shared| shared.state().name().into_lua(lua)),
    ("BufferedAmount", |lua, _, shared| shared.buffered_amount().into_lua(lua)),
    ("Dropped", |lua, _, shared| {
        let dropped = shared.inbox.borrow().dropped();
        dropped.into_lua(lua)
    }),
    ("Url", |lua, _, shared| shared.url.borrow().as_str().into_lua(lua)),
    ("URL", |lua, _, shared| shared.url.borrow().as_str().into_lua(lua)),
    ("Protocol", |lua, _, shared| shared.protocol.borrow().as_str().into_lua(lua)),
    ("CloseCode", |lua, _, shared| shared.closure.get().map(|closure| closure.code).into_lua(lua)),
    ("CloseReason", |lua, _, shared| shared.closure.get().map(|closure| closure.reason.as_str()).into_lua(lua)),
    ("WasClean", |lua, _, shared| shared.closure.get().map(|closure| closure.was_clean).into_lua(lua)),
];

/// Waits for the next message.
fn receive(lua: &Lua, args: &Args) -> Result<(), Failure> {
    let on_message = args.userdata::<Connection>(1, CONNECTION)?.shared.on_message.clone();
    let timeout = args.optional_number(2)?.map(|seconds| seconds.max(0.0) * MILLISECONDS_PER_SECOND);
    on_message.wait(lua, timeout);
    Ok(())
}

fn send(args: &Args) -> Result<(), Failure> {
    let connection = args.userdata::<Connection>(1, CONNECTION)?;
    let shared = &connection.shared;
    // What the message is comes first: a wrong one is the script's mistake whatever the state.
    let message = args.value(2);
    let sent = match &message {
        LuaValue::String(text) => {
            let text = text.to_str().map_err(|_| {
                Failure::new(
                    "invalid argument #1 to 'Send' (the string is not UTF-8, as a text message must be; to send bytes, \
                     use a buffer: buffer.fromstring(message))",
                )
            })?;
            if text.len() > MAX_TEXT {
                return Err(Failure::new("invalid argument #1 to 'Send' (the string is too long for a message)"));
            }
            with_open_socket(shared, |socket| {
                shared.make_sure_it_may_send(text.len())?;
                socket.send_text(&text)
            })
        }
        LuaValue::Buffer(buffer) => with_open_socket(shared, |socket| {
            shared.make_sure_it_may_send(buffer.len())?;
            socket.send_binary(&buffer.to_vec())
        }),
        _ => return Err(args.mismatch(2, "string or buffer")),
    };
    sent.map_err(Failure::new)
}

fn with_open_socket(shared: &Shared, run: impl FnOnce(&dyn Transport) -> Result<(), String>) -> Result<(), String> {
    match shared.socket() {
        Some(socket) if shared.state().is_open() => run(&*socket),
        _ => Ok(()),
    }
}

fn close(args: &Args) -> Result<(), Failure> {
    let connection = args.userdata::<Connection>(1, CONNECTION)?;
    let code = match args.optional_number(2)? {
        None => NORMAL_CLOSURE,
        Some(code) => close_code(code)?,
    };
    let reason = match args.value(3) {
        LuaValue::Nil => String::new(),
        LuaValue::String(reason) => close_reason(&reason)?,
        _ => return Err(args.mismatch(3, "string")),
    };
    connection.shared.close(code, &reason).map_err(Failure::new)?;
    connection.shared.is_given_up.set(true);
    Ok(())
}

fn close_code(code: f64) -> Result<u16, Failure> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "compared with what it was right after"
    )]
    let whole = code as u16;
    if f64::from(whole).total_cmp(&code).is_eq() && (whole == NORMAL_CLOSURE || APPLICATION_CODES.contains(&whole)) {
        return Ok(whole);
    }
    Err(Failure::new(format!(
        "invalid argument #1 to 'Close' (a script may close with 1000 or 3000 to 4999, got {code})"
    )))
}

fn close_reason(reason: &LuaString) -> Result<String, Failure> {
    let text = reason.to_str().map_err(|_| Failure::new("invalid argument #2 to 'Close' (the reason is not UTF-8)"))?;
    if text.len() > LONGEST_REASON {
        return Err(Failure::new(format!(
            "invalid argument #2 to 'Close' (the reason may have {LONGEST_REASON} bytes, this one has {})",
            text.len()
        )));
    }
    Ok(text.to_owned())
}
