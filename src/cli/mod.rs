//! The command `slaclock`: a thin layer over the library's public API. The program and the Python package's console
//! script both call [`run`].
//!
//! Exit codes: 0 nothing is late, 1 something is late (or a promised share is broken), 2 an error.

mod args;
mod care;
mod clock;
mod compare;
mod failure;
mod faq;
mod history;
mod import;
mod interruption;
mod live;
mod migrate;
mod out;
mod outlook;
mod page;
mod policy;
mod report;
mod reports;
mod request;
mod salvage;
mod search;
mod simulate;
mod watch;
mod when;

use std::ffi::OsString;
use std::path::Path;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;
use out::Out;

/// What a command that did not fail has to say in its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is late.
    Fine,
    /// Something is late.
    Late,
}

/// Runs the command line `arguments`, the program's name first, and returns the exit code: 0 nothing is late, 1
/// something is late or a promised share is broken, 2 an error.
///
/// Writes to standard output and error, and replaces the process's panic hook: for programs that are this command.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too; an unwritable stream leaves nobody to tell.
            let _ = error.print();
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let mut out = Out::new(cli.json);
    // What the storage engine meets in a damaged file is caught and told as an error; its panic text would only confuse.
    std::panic::set_hook(Box::new(|_| {}));
    let database = database(&cli.command).map(Path::to_path_buf);
    let work = || obey(cli.command, &mut out).and_then(|verdict| out.finish().map(|()| verdict));
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let done =
        done.unwrap_or_else(|_| Err(Failure::text("internal error: a defect in slaclock; please report it")));
    match done.map_err(|failure| failure.about(database.as_deref())) {
        Ok(Verdict::Fine) => 0,
        Ok(Verdict::Late) => 1,
        Err(Failure::NobodyReads) => 0,
        Err(failure) => {
            out::error(&failure);
            2
        }
    }
}

/// The database that a command works on.
fn database(command: &Command) -> Option<&Path> {
    match command {
        Command::Check(_) | Command::Due(_) | Command::CompareTargets(_) | Command::Salvage(_) => None,
        Command::Explain(args) => args.request.as_ref().map(|_| args.file.as_path()),
        Command::Create(args) => Some(&args.db),
        Command::Install(args) => Some(&args.db),
        Command::Import(args) => Some(&args.db),
        Command::Submit(args) => Some(&args.db),
        Command::Event(args) => Some(&args.db),
        Command::Show(args) => Some(&args.db),
        Command::Scan(args) => Some(&args.db),
        Command::Watch(args) => Some(&args.db),
        Command::Feed(args) => Some(&args.db),
        Command::Report(args) => Some(&args.db),
        Command::Outlook(args) => Some(&args.db),
        Command::Migrate(args) => Some(&args.db),
        Command::Retz(args) => Some(&args.db),
        Command::Fork(args) => Some(&args.db),
        Command::Interruption { command } => Some(command.db()),
        Command::Expedites(args) => Some(&args.db),
        Command::Waits(args) => Some(&args.db),
        Command::Refusals(args) => Some(&args.db),
        Command::Reminders(args) => Some(&args.db),
        Command::Acknowledge(args) => Some(&args.db),
        Command::Simulate(args) => Some(&args.db),
        Command::History(args) => Some(args.db()),
        Command::Faq { command } => Some(command.db()),
        Command::Search(args) => Some(args.db()),
        Command::Rebuild(args) => Some(&args.db),
        Command::Info(args) | Command::CheckFile(args) | Command::Compact(args) => Some(&args.db),
    }
}

fn obey(command: Command, out: &mut Out) -> Result<Verdict, Failure> {
    match command {
        Command::Check(args) => policy::check(&args, out),
        Command::Due(args) => policy::due(&args, out),
        Command::Explain(args) => policy::explain(&args, out),
        Command::Create(args) => care::create(&args, out),
        Command::Install(args) => care::install(&args, out),
        Command::Import(args) => import::import(&args, out),
        Command::Submit(args) => request::submit(&args, out),
        Command::Event(args) => request::event(&args, out),
        Command::Show(args) => request::show(&args, out),
        Command::Scan(args) => watch::scan(&args, out),
        Command::Watch(args) => live::watch(&args, out),
        Command::Feed(args) => watch::feed(&args, out),
        Command::Report(args) => report::report(&args, out),
        Command::Outlook(args) => outlook::outlook(&args, out),
        Command::Migrate(args) => migrate::migrate(&args, out),
        Command::Retz(args) => migrate::retz(&args, out),
        Command::Fork(args) => migrate::fork(&args, out),
        Command::Interruption { command } => interruption::interruption(&command, out),
        Command::Expedites(args) => reports::expedites(&args, out),
        Command::Waits(args) => reports::waits(&args, out),
        Command::Refusals(args) => reports::refusals(&args, out),
        Command::Reminders(args) => reports::reminders(&args, out),
        Command::Acknowledge(args) => reports::acknowledge(&args, out),
        Command::Simulate(args) => simulate::simulate(&args, out),
        Command::History(args) => history::history(&args, out),
        Command::Faq { command } => faq::faq(&command, out),
        Command::Search(args) => search::search(&args, out),
        Command::Rebuild(args) => care::rebuild(&args, out),
        Command::Info(args) => care::info(&args, out),
        Command::CheckFile(args) => care::check_file(&args, out),
        Command::Compact(args) => care::compact(&args, out),
        Command::Salvage(args) => salvage::salvage(&args, out),
        Command::CompareTargets(args) => compare::compare_targets(&args, out),
    }
}
