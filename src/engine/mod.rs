//! The engine: a current-thread runtime, one for each client and
//! process. It is driven by the calls that are in progress.
//!
//! Blocking calls drive it on the caller's thread; several may do so at once. The first async call, or the first host
//! that asks for a descriptor, starts the only worker thread, which then drives the engine until its last owner is
//! dropped. The operating system's name resolver runs on further threads, because it only has a blocking interface.
//!
//! After a fork, the child builds its own engine and leaks this one: closing the registrations of an inherited epoll
//! descriptor would remove them from the parent.

mod cancel;
#[cfg(feature = "__host")]
mod descriptor;
#[cfg(feature = "__host")]
pub(crate) mod workers;

use std::{
    fmt,
    future::Future,
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    thread,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::{Notify, Semaphore},
    task::{JoinError, JoinHandle},
};

pub(crate) use cancel::Cancel;
use cancel::Flags;
#[cfg(feature = "__host")]
pub(crate) use descriptor::Descriptor;

use crate::{
    platform::{self, Wake, with_signals_blocked},
    process::Local,
};

/// The maximum number of concurrent requests of one client. The pool sometimes opens a connection while another one is
/// being returned. The difference leaves room for that, so that a client stays below 64 connections.
const MAX_REQUESTS: usize = 48;

/// Turns that the driver gets before a request: one to notice that a kept
/// connection was closed, the others to let the pool's tasks handle it.
const TURNS: u32 = 4;

pub(crate) struct Engine(Local<Parts>);

struct Parts {
    runtime: Arc<Runtime>,
    wake: Arc<Wake>,
    flags: Arc<Flags>,
    permits: Arc<Semaphore>,
    worker: Mutex<Worker>,
    stop_worker: Arc<Notify>,
}

/// The state of the thread that drives the engine for async calls and for event loops.
#[derive(Clone, Copy)]
enum Worker {
    None,
    Running,
    /// Ended permanently.
    #[cfg_attr(
        not(feature = "__host"),
        expect(dead_code, reason = "only hosts with an exit of their own retire it")
    )]
    Retired,
}

impl Engine {
    /// Builds an engine for this process.
    pub(crate) fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let flags = Arc::new(Flags::default());
        let pair = {
            let _inside = runtime.enter();
            platform::wake_pair()
        };
        let (wake, listener) = match pair {
            Ok(pair) => pair,
            Err(error) => {
                // Dropping a runtime inside an async program panics. This call does not.
                runtime.shutdown_background();
                return Err(error);
            }
        };
        runtime.spawn({
            let flags = Arc::clone(&flags);
            async move {
                while listener.woken().await.is_ok() {
                    flags.notify();
                }
            }
        });
        let parts = Parts {
            runtime: Arc::new(runtime),
            wake: Arc::new(wake),
            flags,
            permits: Arc::new(Semaphore::new(MAX_REQUESTS)),
            worker: Mutex::new(Worker::None),
            stop_worker: Arc::new(Notify::new()),
        };
        Ok(Self(Local::new(parts)))
    }

    /// Returns whether this engine belongs to this process, and not to the process that it was forked from.
    pub(crate) fn is_ours(&self) -> bool {
        self.0.is_ours()
    }

    /// Lets a login's cancel flag wake the step that waits for it.
    pub(crate) fn watch(&self, cancel: &Arc<Cancel>) -> io::Result<()> {
        let parts = self.parts()?;
        parts.flags.add(cancel, &parts.wake);
        Ok(())
    }

    /// Starts a request as soon as one of the client's connections is free. Any call that drives the engine advances
    /// it, until the task is dropped. If no connection is free within `patience`, the request is never sent.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        patience: Duration,
        request: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<Task<T>> {
        Ok(Task(self.start(patience, request)?))
    }

    /// Variant of [`spawn`](Engine::spawn) for a request that goes on if what waits for it is dropped. Then nothing
    /// drives it unless the worker runs.
    pub(crate) fn detach<T: Send + 'static>(
        &self,
        patience: Duration,
        request: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<Detached<Option<T>>> {
        Ok(Detached(self.start(patience, request)?))
    }

    /// Runs a future on the worker, whatever becomes of the caller.
    pub(crate) fn hand_over<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<Detached<T>> {
        self.start_worker()?;
        Ok(Detached(self.parts()?.runtime.spawn(future)))
    }

    fn start<T: Send + 'static>(
        &self,
        patience: Duration,
        request: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<JoinHandle<Option<T>>> {
        let parts = self.parts()?;
        let permits = Arc::clone(&parts.permits);
        Ok(parts.runtime.spawn(async move {
            let permit = tokio::time::timeout(patience, permits.acquire_owned()).await.ok()?.ok()?;
            // If the server has closed a kept connection, that must be noticed before the connection is used.
            drive_pool().await;
            let output = request.await;
            tokio::spawn(async move {
                // The connection must be back in the pool before the next request looks for one.
                drive_pool().await;
                drop(permit);
            });
            Some(output)
        }))
    }

    /// Runs a future on this thread, driving the engine. Set `turns` if the future may end without waiting: requests in
    /// progress advance only while a call drives the engine.
    pub(crate) fn block_on<T>(&self, turns: bool, future: impl Future<Output = T>) -> io::Result<T> {
        match Handle::try_current() {
            // Called from inside an async program, where a second runtime
            // must not be driven: the worker drives the engine.
            Ok(_) => {
                let output = park_on(tokio::task::unconstrained(self.inside(future)?));
                return output.map_err(|Inherited| io::Error::other("the process was forked"));
            }
            Err(error) if error.is_thread_local_destroyed() => {
                return Err(io::Error::other("this thread, or the whole program, is ending"));
            }
            Err(_) => {}
        }
        Ok(self.parts()?.runtime.block_on(async {
            if turns {
                drive_pool().await;
            }
            future.await
        }))
    }

    /// Lets the pool's tasks act on what was dropped, without waiting. Inside an async program this does nothing: the
    /// worker does it, or else the next call that drives the engine.
    pub(crate) fn drive_briefly(&self) {
        let is_free = Handle::try_current().is_err_and(|error| !error.is_thread_local_destroyed());
        if let Some(parts) = self.0.get().filter(|_| is_free) {
            parts.runtime.block_on(drive_pool());
        }
    }

    /// Returns a future that any executor can poll. The worker drives the engine meanwhile.
    pub(crate) fn inside<F: Future>(&self, future: F) -> io::Result<Inside<F>> {
        self.start_worker()?;
        let handle = self.parts()?.runtime.handle().clone();
        Ok(Inside { handle, future: Local::new(Box::pin(future)) })
    }

    /// Starts the worker, unless there is one.
    pub(crate) fn start_worker(&self) -> io::Result<()> {
        let parts = self.parts()?;
        let mut worker = parts.worker.lock().unwrap_or_else(PoisonError::into_inner);
        match *worker {
            Worker::None => {}
            Worker::Running => return Ok(()),
            Worker::Retired => return Err(io::Error::other("the program is ending")),
        }
        let (runtime, stop) = (Arc::clone(&parts.runtime), Arc::clone(&parts.stop_worker));
        #[cfg(feature = "__host")]
        let alive = workers::Alive::new();
        let drive = move || {
            runtime.block_on(stop.notified());
            shut_down(runtime);
            #[cfg(feature = "__host")]
            drop(alive);
        };
        with_signals_blocked(|| thread::Builder::new().name("cli-auth".into()).spawn(drive))?;
        *worker = Worker::Running;
        Ok(())
    }

    /// Ends the worker permanently. [`workers::wait_for_all`] waits until it has ended.
    #[cfg(feature = "__host")]
    pub(crate) fn retire_worker(&self) -> io::Result<()> {
        let parts = self.parts()?;
        *parts.worker.lock().unwrap_or_else(PoisonError::into_inner) = Worker::Retired;
        parts.stop_worker.notify_one();
        Ok(())
    }

    fn parts(&self) -> io::Result<&Parts> {
        self.0.get().ok_or_else(|| io::Error::other("the process was forked"))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // `None` in a forked child, which must not close the parent's registrations.
        if let Some(parts) = self.0.take() {
            parts.stop_worker.notify_one();
            shut_down(parts.runtime);
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("is_ours", &self.is_ours()).finish_non_exhaustive()
    }
}

/// Shuts the runtime down without waiting, once the last of its two owners releases it.
fn shut_down(runtime: Arc<Runtime>) {
    if let Some(runtime) = Arc::into_inner(runtime) {
        runtime.shutdown_background();
    }
}

/// Lets the driver check the sockets, without waiting. Must be called from a future that the engine itself runs.
pub(crate) async fn drive_pool() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

/// The reason why a request has no outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Died {
    Panicked,
    /// The engine was shut down before the request ended.
    ShutDown,
}

/// A request in progress. Dropping it ends the request.
#[derive(Debug)]
pub(crate) struct Task<T>(JoinHandle<Option<T>>);

impl<T> Task<T> {
    pub(crate) fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    /// `None` for a request that was never sent.
    type Output = Result<Option<T>, Died>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(died)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Work that goes on if this is dropped.
#[derive(Debug)]
pub(crate) struct Detached<T>(JoinHandle<T>);

impl<T> Detached<T> {
    /// Ends the work at its next wait.
    pub(crate) fn abort(&self) {
        self.0.abort();
    }
}

impl<T> Future for Detached<T> {
    type Output = Result<T, Died>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(died)
    }
}

fn died(error: JoinError) -> Died {
    if error.is_panic() { Died::Panicked } else { Died::ShutDown }
}

/// A future that uses the engine's timers and sockets and can be polled by any executor.
pub(crate) struct Inside<F> {
    handle: Handle,
    /// In a forked child it is not even dropped: that would touch the parent's descriptors.
    future: Local<Pin<Box<F>>>,
}

/// The future was created before a fork, and is polled in the child: the worker that would wake it is in the parent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inherited;

impl<F: Future> Future for Inside<F> {
    type Output = Result<F::Output, Inherited>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(future) = this.future.get_mut() else { return Poll::Ready(Err(Inherited)) };
        let _inside = this.handle.enter();
        future.as_mut().poll(context).map(Ok)
    }
}

/// Polls a future on this thread, which sleeps between wakes. The future must be unconstrained: a wake that the
/// surrounding executor defers would only come after this function returns.
fn park_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
