//! What the commands tell while they work: one line a part, with its time.

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

/// How many single tests ended how.
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

    /// Reads `12 passed, 0 failed, 1 skipped` and cargo's `12 passed; 0 failed; 1 ignored; ...`.
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

    /// What the first test suite of a report in JUnit's format counts.
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

/// What came of one part.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// Something that is no test is in place.
    Ready,
    /// A part that consists of many tests; what there is to say of those that failed.
    Counted(Counts, String),
    /// Why, in as many lines as it takes.
    Failed(String),
    /// Why, in one line. What is skipped was not proved.
    Skipped(String),
    /// Why, in one line. It was left out for a reason that lies neither in this project nor in the machine's set-up.
    Untried(String),
}

/// A part that only does something has passed when it is done.
impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Passed
    }
}

impl Outcome {
    /// [`Self::Passed`], if there are no faults.
    pub(crate) fn of_faults(faults: &[String]) -> Self {
        if faults.is_empty() { Self::Passed } else { Self::Failed(faults.join("\n")) }
    }
}

/// An error that says what this machine lacks for a part, in one line.
#[derive(Debug)]
pub(crate) struct Skip(pub(crate) String);

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Skip {}

/// Runs tests that leave their reports, in JUnit's format, in the folder `reports`.
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
        // What broke off before its report has failed, whatever it says.
        counts.failed = counts.failed.max(1);
        Outcome::Counted(counts, tail)
    })
}

/// Where a report is written.
#[derive(Debug)]
enum Output {
    Terminal,
    /// Kept until the report beside this one is done.
    Buffer(String),
}

impl Output {
    fn write(&mut self, text: &str) {
        match self {
            Self::Terminal => {
                let mut stdout = io::stdout();
                // Without a reader the exit status says the rest.
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
    /// One line, under the part's title.
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

    /// Does the parts of each item at the same time, since most tests wait for most of their time. Those of the first are
    /// printed as they end, the others after them.
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

    /// Does one part, and says how it ended and how long it took. A failure is told and does not stop the others.
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

    /// One part that is one command, whose output matters only when it fails.
    pub(crate) fn command(&mut self, title: &str, command: Command, limit: Duration) -> anyhow::Result<()> {
        self.part(title, |_| process::succeed(command, limit))
    }

    /// `rust: passed  1m23s`
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
    fn counts_are_read_from_both_kinds_of_lines() {
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
    fn suites_are_counted_as_each_tool_writes_them() {
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
    fn one_failure_outweighs_everything_else() {
        let mut counts = Counts::PASSED;
        assert_eq!(counts.word(), "passed");
        counts.add(Counts::SKIPPED);
        assert_eq!(counts.word(), "skipped");
        counts.add(Counts::FAILED);
        assert_eq!(counts.word(), "FAILED");
    }

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2s");
        assert_eq!(seconds(Duration::from_secs(83)), "1m23s");
    }
}
