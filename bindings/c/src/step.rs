//! What one step of a login finds.

use std::ptr;

use super::{
    entry::{self, into_handle},
    event::cli_auth_event,
    prompt::cli_auth_prompt,
    tokens::cli_auth_tokens,
};
use cli_auth::{Prompt, Tokens, host::Step};

/// The server granted a code: show it to the user.
pub const CLI_AUTH_STEP_PROMPT: i32 = 1;
/// Something to tell the user.
pub const CLI_AUTH_STEP_EVENT: i32 = 2;
/// Nothing yet.
pub const CLI_AUTH_STEP_WAITING: i32 = 3;
/// The user approved.
pub const CLI_AUTH_STEP_AUTHORIZED: i32 = 4;

/// What one `cli_auth_login_step` found. It belongs to whoever received it: free it with `cli_auth_step_free`. It does not
/// change, and all threads may read it. All of its functions take NULL.
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

/// What was found. Kinds are only ever added: step again at one that you do not know.
///
/// @param step The step.
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

/// `CLI_AUTH_STEP_WAITING`: how long nothing will happen. 0 while a request is under way: then step again, with a wait that
/// you can afford.
///
/// Timers that stand still while the machine is suspended should not wait for longer than some seconds at a time.
///
/// @param step The step.
/// @return Seconds; 0 for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_due_in(step: Option<&cli_auth_step>) -> f64 {
    match step.map(|step| &step.0) {
        Some(Found::Waiting(due_in)) => *due_in,
        _ => 0.0,
    }
}

/// `CLI_AUTH_STEP_EVENT`: the event.
///
/// @param step The step.
/// @return The event, which lives as long as the step; NULL for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_event(step: Option<&cli_auth_step>) -> *const cli_auth_event {
    match step.map(|step| &step.0) {
        Some(Found::Event(event)) => ptr::from_ref(event),
        _ => ptr::null(),
    }
}

/// `CLI_AUTH_STEP_PROMPT`: the prompt.
///
/// @param step The step.
/// @return A prompt, owned by the caller, for `cli_auth_prompt_free`; NULL for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_prompt(step: Option<&cli_auth_step>) -> *mut cli_auth_prompt {
    entry::value(ptr::null_mut(), || match step.map(|step| &step.0) {
        Some(Found::Prompt(prompt)) => into_handle(cli_auth_prompt::new(prompt.clone())),
        _ => ptr::null_mut(),
    })
}

/// `CLI_AUTH_STEP_AUTHORIZED`: the tokens.
///
/// @param step The step.
/// @return Tokens, owned by the caller, for `cli_auth_tokens_free`; NULL for other kinds.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_tokens(step: Option<&cli_auth_step>) -> *mut cli_auth_tokens {
    entry::value(ptr::null_mut(), || match step.map(|step| &step.0) {
        Some(Found::Authorized(tokens)) => into_handle(cli_auth_tokens::new(tokens.clone())),
        _ => ptr::null_mut(),
    })
}

/// Frees a step, and with it the event that it lent.
///
/// @param step The step, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_step_free(step: Option<Box<cli_auth_step>>) {
    entry::free(step);
}
