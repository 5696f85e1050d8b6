//! The result of one step of a login.

use std::ptr;

use super::{
    entry::{self, into_handle},
    event::cli_auth_event,
    prompt::cli_auth_prompt,
    tokens::cli_auth_tokens,
};
use cli_auth::{Prompt, Tokens, host::Step};

/// The server issued a code. Show it to the user.
pub const CLI_AUTH_STEP_PROMPT: i32 = 1;
/// The login reports an event.
pub const CLI_AUTH_STEP_EVENT: i32 = 2;
/// Nothing happened yet.
pub const CLI_AUTH_STEP_WAITING: i32 = 3;
/// The user approved the login.
pub const CLI_AUTH_STEP_AUTHORIZED: i32 = 4;

/// The result of one `cli_auth_login_step`.
///
/// The caller owns it and frees it with `cli_auth_step_free`. It does not change, and several threads may read it at
/// once. All its functions accept NULL.
pub struct cli_auth_step(Found);

enum Found {
    Prompt(Prompt),
    Event(cli_auth_event),
    Waiting(f64),
    Authorized(Tokens),
}

impl cli_auth_step {
    pub(super) fn new(step: Step) -> Self {
        Self(match step {
            Step::Prompt(prompt) => Found::Prompt(prompt),
            Step::Event(event) => Found::Event(event.into()),
            Step::Waiting(due_in) => Found::Waiting(due_in),
            Step::Authorized(tokens) => Found::Authorized(tokens),
        })
    }
}

/// Returns the kind of a step. Kinds are only ever added: call `cli_auth_login_step` again after a kind that you do not
/// know.
///
/// @param step The step. May be NULL.
/// @return One of `CLI_AUTH_STEP_...`; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_kind(step: Option<&cli_auth_step>) -> i32 {
    step.map_or(0, |step| match step.0 {
        Found::Prompt(_) => CLI_AUTH_STEP_PROMPT,
        Found::Event(_) => CLI_AUTH_STEP_EVENT,
        Found::Waiting(_) => CLI_AUTH_STEP_WAITING,
        Found::Authorized(_) => CLI_AUTH_STEP_AUTHORIZED,
    })
}

/// `CLI_AUTH_STEP_WAITING`: returns how long nothing will happen. It is 0 while a request is in progress: call
/// `cli_auth_login_step` again with a wait that you can afford. If the login has a descriptor (`cli_auth_login_fd`), it
/// is never 0 for that reason, but the longest time to wait for the descriptor to become readable.
///
/// A timer that stops while the machine is suspended should wait only a few seconds at a time.
///
/// @param step The step. May be NULL.
/// @return Seconds; 0 for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_due_in(step: Option<&cli_auth_step>) -> f64 {
    match step.map(|step| &step.0) {
        Some(Found::Waiting(due_in)) => *due_in,
        _ => 0.0,
    }
}

/// `CLI_AUTH_STEP_EVENT`: returns the event.
///
/// @param step The step. May be NULL.
/// @return The event, borrowed from the step; NULL for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_event(step: Option<&cli_auth_step>) -> *const cli_auth_event {
    match step.map(|step| &step.0) {
        Some(Found::Event(event)) => ptr::from_ref(event),
        _ => ptr::null(),
    }
}

/// `CLI_AUTH_STEP_PROMPT`: returns the prompt. Each call returns a new handle.
///
/// @param step The step. May be NULL.
/// @return A prompt, owned by the caller; free it with `cli_auth_prompt_free`. NULL for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_prompt(step: Option<&cli_auth_step>) -> *mut cli_auth_prompt {
    entry::value(ptr::null_mut(), || match step.map(|step| &step.0) {
        Some(Found::Prompt(prompt)) => into_handle(cli_auth_prompt::new(prompt.clone())),
        _ => ptr::null_mut(),
    })
}

/// `CLI_AUTH_STEP_AUTHORIZED`: returns the tokens. Each call returns a new handle.
///
/// @param step The step. May be NULL.
/// @return Tokens, owned by the caller; free them with `cli_auth_tokens_free`. NULL for other kinds and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_tokens(step: Option<&cli_auth_step>) -> *mut cli_auth_tokens {
    entry::value(ptr::null_mut(), || match step.map(|step| &step.0) {
        Some(Found::Authorized(tokens)) => into_handle(cli_auth_tokens::new(tokens.clone())),
        _ => ptr::null_mut(),
    })
}

/// Frees a step and the event that was borrowed from it.
///
/// @param step The step. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_free(step: Option<Box<cli_auth_step>>) {
    entry::free(step);
}
