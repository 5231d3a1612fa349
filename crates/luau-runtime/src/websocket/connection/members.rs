//! The members of a connection that scripts see.

use std::rc::Rc;

use mlua::prelude::*;

use super::{
    APPLICATION_CODES, CONNECTION, Connection, ConnectionGuard, ConnectionState, MAX_REASON_BYTES, NORMAL_CLOSURE,
    ON_CLOSE, ON_MESSAGE,
};
use crate::call_error::CallError;
use crate::ffi;
use crate::function::{Args, Callee, FunctionBuilder};
use crate::members::Members;
use crate::signal;
use crate::task::MILLISECONDS_PER_SECOND;
use crate::text::MAX_TEXT;
use crate::websocket::transport::Transport;

/// Registers the members of a connection and its signals in `lua`.
pub(in crate::websocket) fn install(lua: &Lua, builder: &FunctionBuilder) -> LuaResult<()> {
    signal::install::<Rc<ConnectionGuard>>(lua, builder)?;
    let methods = lua.create_table_from([
        ("Send", builder.sync(lua, Callee::Method("Send"), |_, args| send(&args))?),
        ("Close", builder.sync(lua, Callee::Method("Close"), |_, args| close(&args))?),
        ("Receive", builder.yielding(lua, Callee::Method("Receive"), |lua, args| receive(lua, &args))?),
    ])?;
    // Not `Receive`: a loop passes the last message as the second argument, which is not a timeout.
    let next = builder.yielding(lua, Callee::Function("next"), |lua, args| {
        args.userdata::<Connection>(1, CONNECTION)?.shared.on_message.wait(lua, None);
        Ok(())
    })?;
    let iter = builder.sync(lua, Callee::Function("iter"), move |_, args| Ok((next.clone(), args.value(1))))?;
    let members = Members::new(CONNECTION, &methods, PROPERTIES.map(|(name, _)| name)).with_signals(SIGNALS);
    let newindex = members.newindex(lua, builder)?;
    let index = builder.indexing(lua, methods, move |lua, args| {
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

/// The members that are signals.
const SIGNALS: [&str; 2] = ["OnMessage", "OnClose"];

/// A function that reads a member of a connection.
type Property = fn(&Lua, &LuaAnyUserData, &ConnectionState) -> LuaResult<LuaValue>;

/// The members that are not methods, by their names.
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
    ("CloseCode", |lua, _, shared| shared.close_event.get().map(|event| event.code).into_lua(lua)),
    ("CloseReason", |lua, _, shared| shared.close_event.get().map(|event| event.reason.as_str()).into_lua(lua)),
    ("WasClean", |lua, _, shared| shared.close_event.get().map(|event| event.was_clean).into_lua(lua)),
];

/// Waits for the next message.
fn receive(lua: &Lua, args: &Args) -> Result<(), CallError> {
    let on_message = args.userdata::<Connection>(1, CONNECTION)?.shared.on_message.clone();
    let timeout = args.optional_number(2)?.map(|seconds| seconds.max(0.0) * MILLISECONDS_PER_SECOND);
    on_message.wait(lua, timeout);
    Ok(())
}

fn send(args: &Args) -> Result<(), CallError> {
    let connection = args.userdata::<Connection>(1, CONNECTION)?;
    let shared = &connection.shared;
    // The argument is checked first, because a wrong type is an error in any state.
    let message = args.value(2);
    let sent = match &message {
        LuaValue::String(text) => {
            let text = text.to_str().map_err(|_| {
                CallError::new(
                    "invalid argument #1 to 'Send' (a text message must be valid UTF-8; to send bytes, use a buffer: \
                    buffer.fromstring(message))",
                )
            })?;
            if text.len() > MAX_TEXT {
                return Err(CallError::new("invalid argument #1 to 'Send' (the string is too long for a message)"));
            }
            with_open_socket(shared, |socket| {
                shared.check_send_buffer(text.len())?;
                socket.send_text(&text)
            })
        }
        LuaValue::Buffer(buffer) => with_open_socket(shared, |socket| {
            shared.check_send_buffer(buffer.len())?;
            ffi::read_buffer(args.lua(), buffer, |bytes| socket.send_binary(bytes))
        }),
        _ => return Err(args.mismatch(2, "string or buffer")),
    };
    sent.map_err(CallError::new)
}

fn with_open_socket(
    shared: &ConnectionState,
    run: impl FnOnce(&dyn Transport) -> Result<(), String>,
) -> Result<(), String> {
    match shared.socket() {
        Some(socket) if shared.state().is_open() => run(&*socket),
        _ => Ok(()),
    }
}

fn close(args: &Args) -> Result<(), CallError> {
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
    connection.shared.close(code, &reason).map_err(CallError::new)?;
    connection.shared.closed_by_script.set(true);
    Ok(())
}

fn close_code(code: f64) -> Result<u16, CallError> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "compared with the original right after"
    )]
    let whole = code as u16;
    if f64::from(whole).total_cmp(&code).is_eq() && (whole == NORMAL_CLOSURE || APPLICATION_CODES.contains(&whole)) {
        return Ok(whole);
    }
    Err(CallError::new(format!(
        "invalid argument #1 to 'Close' (the close code must be 1000 or 3000 to 4999, got {code})"
    )))
}

fn close_reason(reason: &LuaString) -> Result<String, CallError> {
    let text =
        reason.to_str().map_err(|_| CallError::new("invalid argument #2 to 'Close' (the reason is not UTF-8)"))?;
    if text.len() > MAX_REASON_BYTES {
        return Err(CallError::new(format!(
            "invalid argument #2 to 'Close' (the reason is too long: {} bytes, but the limit is {MAX_REASON_BYTES})",
            text.len()
        )));
    }
    Ok(text.to_owned())
}
