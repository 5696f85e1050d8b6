//! Progress output of the commands: one line per part, with its duration.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use crate::files;
use crate::process::{self, Finished};

/// Number of tests by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    pub(crate) const PASSED: Self = Self { passed: 1, failed: 0, skipped: 0 };
    pub(crate) const FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };
    pub(crate) const SKIPPED: Self = Self { passed: 0, failed: 0, skipped: 1 };

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Parses `12 passed, 0 failed, 1 skipped` and cargo's `12 passed; 0 failed; 1 ignored; ...`.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (mut counts, mut named) = (Self::default(), 0_u8);
        for part in line.split([',', ';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(number)), Some(name)) = (words.next().map(str::parse), words.next()) else {
                continue;
            };
            match name {
                "passed" => counts.passed = number,
                "failed" => counts.failed = number,
                "skipped" => counts.skipped = number,
                _ => continue,
            }
            named += 1;
        }
        (named >= 2).then_some(counts)
    }

    /// Reads the counts of the first test suite in a JUnit report.
    fn of_junit(report: &str) -> Option<Self> {
        let (suite, _) = report.split_once("<testsuite ")?.1.split_once('>')?;
        let number = |name: &str| {
            let value =
                |word: &str| word.strip_prefix(name)?.strip_prefix("=\"")?.strip_suffix('"')?.parse().ok();
            suite.split_whitespace().find_map(value).unwrap_or(0_u64)
        };
        let (failed, skipped) = (number("failures") + number("errors"), number("skipped"));
        Some(Self { passed: number("tests").saturating_sub(failed + skipped), failed, skipped })
    }

    fn word(self) -> &'static str {
        match self {
            Self { failed: 1.., .. } => "FAILED",
            Self { skipped: 1.., .. } => "skipped",
            _ => "passed",
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(formatter, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// The outcome of one part.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// A part that is not a test has been completed.
    Ready,
    /// A part that consists of many tests, with details of the failed ones.
    Counted(Counts, String),
    /// The reason, in any number of lines.
    Failed(String),
    /// The reason, in one line. A skipped part proves nothing.
    Skipped(String),
    /// The reason, in one line, which is neither in this project nor in the machine's set-up.
    Untried(String),
}

/// A part without a result of its own has passed when it completes.
impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Passed
    }
}

impl Outcome {
    /// Returns [`Self::Passed`] if there are no faults, otherwise [`Self::Failed`].
    pub(crate) fn of_faults(faults: &[String]) -> Self {
        if faults.is_empty() { Self::Passed } else { Self::Failed(faults.join("\n")) }
    }
}

/// An error that states in one line what this machine lacks for a part.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}

/// Runs tests that write JUnit reports into the directory `reports`.
pub(crate) fn junit(command: Command, limit: Duration, reports: &Path) -> anyhow::Result<Outcome> {
    files::empty(reports.to_path_buf())?;
    let Finished { success, tail } = process::run(command, limit, |_| ())?;
    let mut counts = Counts::default();
    for report in files::below(reports)?.iter().filter(|file| file.extension().is_some_and(|it| it == "xml"))
    {
        counts.add(Counts::of_junit(&fs::read_to_string(report)?).unwrap_or_default());
    }
    Ok(if success && counts.failed == 0 && counts.passed > 0 {
        Outcome::Counted(counts, if counts.skipped > 0 { tail } else { String::new() })
    } else {
        // A run that ended without a complete report has failed.
        counts.failed = counts.failed.max(1);
        Outcome::Counted(counts, tail)
    })
}

/// Where a report is written.
#[derive(Debug)]
enum Output {
    Terminal,
    /// Kept until the first of the parallel reports is complete.
    Buffer(String),
}

impl Output {
    fn write(&mut self, text: &str) {
        match self {
            Self::Terminal => {
                let mut stdout = io::stdout();
                // If nothing reads the output, the exit status is sufficient.
                let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
            }
            Self::Buffer(buffer) => buffer.push_str(text),
        }
    }
}

/// Reports on a part that is still running.
#[derive(Debug)]
pub(crate) struct Live<'r> {
    output: &'r mut Output,
    spoke: bool,
}

impl Live<'_> {
    /// Writes a line below the part's title.
    pub(crate) fn line(&mut self, text: &str) {
        if !self.spoke {
            self.output.write("\n");
            self.spoke = true;
        }
        self.output.write(&format!("    {text}\n"));
    }
}

/// A named series of parts.
#[derive(Debug)]
pub(crate) struct Report {
    name: &'static str,
    began: Instant,
    output: Output,
    pub(crate) counts: Counts,
}

impl Report {
    pub(crate) fn new(name: &'static str) -> Self {
        let mut output = Output::Terminal;
        output.write(&format!("== {name}\n"));
        Self { name, began: Instant::now(), output, counts: Counts::default() }
    }

    /// Runs the parts of all items in parallel, because most tests mostly wait. The parts of the first item are printed
    /// as they end, the others after them.
    pub(crate) fn side_by_side<I: Sync>(
        &mut self,
        items: &[I],
        parts: impl Fn(&I, &mut Self) -> anyhow::Result<()> + Sync,
    ) -> anyhow::Result<()> {
        let Some((first, others)) = items.split_first() else { return Ok(()) };
        let parts = &parts;
        thread::scope(|scope| {
            let others: Vec<_> = others
                .iter()
                .map(|item| {
                    let mut beside = self.beside();
                    scope.spawn(move || parts(item, &mut beside).map(|()| beside))
                })
                .collect();
            let mut ended = parts(first, self);
            for other in others {
                match other.join() {
                    Ok(Ok(beside)) => self.append(beside),
                    Ok(Err(error)) => ended = ended.and(Err(error)),
                    Err(_) => ended = ended.and(Err(anyhow!("a thread panicked"))),
                }
            }
            ended
        })
    }

    fn beside(&self) -> Self {
        let output = Output::Buffer(String::new());
        Self { name: self.name, began: Instant::now(), output, counts: Counts::default() }
    }

    fn append(&mut self, beside: Self) {
        if let Output::Buffer(buffer) = beside.output {
            self.output.write(&buffer);
        }
        self.counts.add(beside.counts);
    }

    /// Runs one part and prints its outcome and duration. A failure is reported and does not stop the other parts.
    pub(crate) fn part<O: Into<Outcome>>(
        &mut self,
        title: &str,
        work: impl FnOnce(&mut Live<'_>) -> anyhow::Result<O>,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut live = Live { output: &mut self.output, spoke: false };
        live.output.write(&format!("{title:<34} "));
        let outcome = work(&mut live);
        if live.spoke {
            live.output.write(&format!("{title:<34} "));
        }
        let outcome = match outcome {
            Ok(outcome) => outcome.into(),
            Err(error) if crate::signals::received().is_some() => return Err(error),
            Err(error) if error.is::<Skip>() => Outcome::Skipped(error.to_string()),
            Err(error) => Outcome::Failed(format!("{error:#}")),
        };
        let time = seconds(began.elapsed());
        let nothing = String::new;
        let (counts, line, why) = match outcome {
            Outcome::Passed => (Counts::PASSED, format!("passed  {time}"), nothing()),
            Outcome::Ready => (Counts::default(), format!("ready   {time}"), nothing()),
            Outcome::Counted(counts, why) => (counts, format!("{}  {time}  ({counts})", counts.word()), why),
            Outcome::Failed(why) => (Counts::FAILED, format!("FAILED  {time}"), why),
            Outcome::Skipped(why) => (Counts::SKIPPED, format!("skipped  {why}"), nothing()),
            Outcome::Untried(why) => (Counts::default(), format!("not tried: {why}"), nothing()),
        };
        self.output.write(&format!("{line}\n"));
        for line in why.lines() {
            self.output.write(&format!("    {line}\n"));
        }
        self.counts.add(counts);
        Ok(())
    }

    /// Runs a part that consists of one command, whose output is shown only if it fails.
    pub(crate) fn command(&mut self, title: &str, command: Command, limit: Duration) -> anyhow::Result<()> {
        self.part(title, |_| process::succeed(command, limit))
    }

    /// Returns a summary such as `rust: passed  1m23s`.
    pub(crate) fn summary(&self) -> String {
        let word = self.counts.word().to_ascii_lowercase();
        format!("{}: {word}  {}", self.name, seconds(self.began.elapsed()))
    }
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        whole @ 60.. => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{:.1}s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_parsed_from_both_line_formats() {
        let cargo =
            "test result: ok. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(Counts::read(cargo), Some(Counts { passed: 12, failed: 1, skipped: 0 }));
        assert_eq!(Counts::read("8 passed, 0 failed"), Some(Counts { passed: 8, failed: 0, skipped: 0 }));
        let three = Counts { passed: 8, failed: 1, skipped: 2 };
        assert_eq!(Counts::read(&three.to_string()), Some(three));
        assert_eq!(Counts::read("passed     5.6s  oidc-provider: denied"), None);
        assert_eq!(Counts::read("3 passed"), None);
    }

    #[test]
    fn junit_reports_of_every_tool_are_counted() {
        let of = |passed, failed, skipped| Some(Counts { passed, failed, skipped });
        let pytest = r#"<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="3" tests="12" time="3.4">"#;
        assert_eq!(Counts::of_junit(pytest), of(7, 2, 3));
        let surefire = r#"<testsuite version="3.0.2" name="A" time="1.2" tests="3" errors="0" skipped="0" failures="0">"#;
        assert_eq!(Counts::of_junit(surefire), of(3, 0, 0));
        let ctest = "<testsuite name=\"(empty)\"\n\ttests=\"4\"\n\tfailures=\"1\"\n\tdisabled=\"0\"\n\tskipped=\"0\"\n>";
        assert_eq!(Counts::of_junit(ctest), of(3, 1, 0));
        assert_eq!(Counts::of_junit("<testsuites/>"), None);
    }

    #[test]
    fn a_single_failure_makes_the_result_a_failure() {
        let mut counts = Counts::PASSED;
        assert_eq!(counts.word(), "passed");
        counts.add(Counts::SKIPPED);
        assert_eq!(counts.word(), "skipped");
        counts.add(Counts::FAILED);
        assert_eq!(counts.word(), "FAILED");
    }

    #[test]
    fn durations_are_formatted_compactly() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2s");
        assert_eq!(seconds(Duration::from_secs(83)), "1m23s");
    }
}
