//! One engine per client and process: a current-thread runtime that is driven by whoever is inside a call.
//!
//! Blocking calls drive it on the caller's thread, several at once if they like. The first async call starts the one
//! worker thread, which then drives it until the last owner of the engine is gone. Nothing else starts a thread, but for
//! the name resolver of the operating system, which has no other form.
//!
//! After a fork the child builds an engine of its own and leaks this one: closing an inherited epoll descriptor's
//! registrations would take them from the parent.

mod cancel;
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

use crate::{
    platform::{self, Wake, with_signals_blocked},
    process::Local,
};

/// Requests that one client has under way at once. The pool opens a connection now and then while another one comes back:
/// with the difference to spare, a client stays below 64 connections.
const MAX_REQUESTS: usize = 48;

/// Turns that the driver gets before a request: one to see that a kept connection was closed, the others to let the
/// pool's tasks act on it.
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

/// The thread that drives the engine for async calls.
#[derive(Clone, Copy)]
enum Worker {
    None,
    Running,
    /// Gone for good.
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
                // Dropping a runtime inside an async program panics; this does not.
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

    /// Whether this engine belongs to this process, and not to the one that it was forked from.
    pub(crate) fn is_ours(&self) -> bool {
        self.0.is_ours()
    }

    /// Lets a login's cancel flag wake the step that waits for it.
    pub(crate) fn watch(&self, cancel: &Arc<Cancel>) -> io::Result<()> {
        let parts = self.parts()?;
        parts.flags.add(cancel, &parts.wake);
        Ok(())
    }

    /// Starts a request to the server, as soon as one of the client's connections is free. It goes on whoever drives
    /// the engine, as long as the task is not dropped. When `patience` ends before its turn comes, it never starts.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        patience: Duration,
        request: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<Task<T>> {
        let parts = self.parts()?;
        let permits = Arc::clone(&parts.permits);
        Ok(Task(parts.runtime.spawn(async move {
            let permit = tokio::time::timeout(patience, permits.acquire_owned()).await.ok()?.ok()?;
            // A kept connection that the server closed meanwhile has to be noticed before it is used.
            drive_pool().await;
            let output = request.await;
            tokio::spawn(async move {
                // The connection has to be back in the pool before the next request looks for one.
                drive_pool().await;
                drop(permit);
            });
            Some(output)
        })))
    }

    /// Runs a future on this thread, driving the engine. One that may end without waiting needs `turns` to be given
    /// first: requests under way make progress only while somebody drives.
    pub(crate) fn block_on<T>(&self, turns: bool, future: impl Future<Output = T>) -> io::Result<T> {
        match Handle::try_current() {
            // Called from inside an async program, where no second runtime may be driven: the worker drives it.
            Ok(_) => return Ok(park_on(tokio::task::unconstrained(self.inside(future)?))),
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

    /// Makes a future that any executor can poll; the worker drives the engine meanwhile.
    pub(crate) fn inside<F: Future>(&self, future: F) -> io::Result<Inside<F>> {
        self.start_worker()?;
        Ok(Inside { handle: self.parts()?.runtime.handle().clone(), future: Box::pin(future) })
    }

    fn start_worker(&self) -> io::Result<()> {
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

    /// Ends the worker for good. [`workers::wait_for_all`] tells when it is gone.
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
        // `None` in a forked child, where the parent's registrations must not be closed.
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

/// Ends the runtime without waiting, once the last of its two owners lets go.
fn shut_down(runtime: Arc<Runtime>) {
    if let Some(runtime) = Arc::into_inner(runtime) {
        runtime.shutdown_background();
    }
}

/// Lets the driver look at the sockets, without waiting. It does that only for code that the engine itself runs.
pub(crate) async fn drive_pool() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

/// Why a request has no outcome.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Died {
    Panicked,
    /// The engine ended under it.
    ShutDown,
}

/// A request under way; dropping it ends it.
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
        let died = |error: JoinError| if error.is_panic() { Died::Panicked } else { Died::ShutDown };
        Pin::new(&mut self.0).poll(context).map_err(died)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A future whose timers and sockets belong to the engine, to be polled by any executor.
pub(crate) struct Inside<F> {
    handle: Handle,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _inside = this.handle.enter();
        this.future.as_mut().poll(context)
    }
}

/// Polls a future on this thread, which sleeps between the wakes. The future must be unconstrained: what an executor
/// around us would wake later, it can only wake after we return.
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
