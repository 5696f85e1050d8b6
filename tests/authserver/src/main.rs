//! The program: options, one `READY` line for each listener, and an end as soon as it is asked for.

use std::io::{Read, Write};
use std::process::ExitCode;

use authserver::cli::{self, Command};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let (options, exit_on_eof) = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run { options, exit_on_eof }) => (*options, exit_on_eof),
        Ok(Command::Help) => {
            print!("{}", cli::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("authserver: {mistake}\n\n{}", cli::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(options, exit_on_eof) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("authserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: authserver::Options, exit_on_eof: bool) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before READY: whoever reads that may send a signal at once.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let server = authserver::start(options)?;
        let mut out = std::io::stdout().lock();
        for url in server.urls() {
            writeln!(out, "READY {url}")?;
        }
        out.flush()?;
        let (eof, mut at_eof) = tokio::sync::mpsc::channel::<()>(1);
        // Kept here it stays open for ever; moved to the thread it closes with standard input.
        let mut eof = Some(eof);
        if exit_on_eof {
            let eof = eof.take();
            std::thread::spawn(move || {
                let mut stdin = std::io::stdin().lock();
                let mut ignored = [0; 256];
                while stdin.read(&mut ignored).is_ok_and(|read| read > 0) {}
                drop(eof);
            });
        }
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = at_eof.recv() => {}
        }
        server.stop();
        Ok(())
    })
}
