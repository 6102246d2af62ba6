//! `cargo xtask test`: every check, one step after another, and where the time went.

mod cargo_test;
mod lints;
mod steps;
mod tally;

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use crate::process::{self, human_duration};
use crate::project::Project;
use crate::{Result, tools};
use steps::{Context, STEPS};
use tally::{Outcome, Tally, summary};

/// Names the file to which the browser tests add a line for each browser start that is retried.
const RETRIES: &str = "BEITSCOPE_RETRIES";
/// That file's name among the logs.
const BROWSER_STARTS: &str = "browser-starts";

/// One check.
pub struct Step {
    name: &'static str,
    what: &'static str,
    when: When,
    run: fn(&Context, &mut Tally) -> Result<()>,
    /// A long build that `run` wants, begun beside the steps that precede it: linkers and browsers leave a processor
    /// idle for much of their time.
    prebuild: Option<Prebuild>,
}

struct Prebuild {
    /// The step after which it begins; at the latest it is built right before its own step.
    after: &'static str,
    build: fn(&Context) -> Result<()>,
}

/// Which runs a step belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// [`QUICK`], and all others.
    Quick,
    /// The default run, and [`NIGHTLY`].
    Always,
    /// [`NIGHTLY`] alone, for this reason.
    Nightly(&'static str),
}

/// The steps that need no browser, no GPU and no network of the true size.
const QUICK: &str = "quick";
/// Every step.
const NIGHTLY: &str = "nightly";

/// Whether `cargo xtask test` takes this name: a step, or a group of steps.
#[cfg(test)]
pub fn is_known(name: &str) -> bool {
    names().contains(&name)
}

/// Every step and group of steps.
pub fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).chain([QUICK, NIGHTLY]).collect()
}

/// The names of the steps that run where none is named.
#[cfg(test)]
pub fn default_steps() -> Vec<&'static str> {
    STEPS.iter().filter(|step| is_wanted(step, &[])).map(|step| step.name).collect()
}

/// Runs the named steps and groups, or the default ones. Every step runs, also after one failed. Returns whether all
/// passed.
pub fn run(project: &Project, names: &[String]) -> Result<bool> {
    let steps: Vec<_> = STEPS.iter().filter(|step| is_wanted(step, names)).collect();
    let context = Context::new(project, &steps, tools::set_up)?;
    let retries = project.log(BROWSER_STARTS)?;
    let described = |error| format!("{}: {error}", retries.display());
    std::fs::write(&retries, "").map_err(described)?;
    let outcomes = run_steps(&context, &steps);
    let tried_again = std::fs::read_to_string(&retries).map_err(described)?;
    let tried_again: Vec<_> = tried_again.lines().map(str::to_owned).collect();
    println!("\n{}", summary(&outcomes, &tried_again));
    Ok(outcomes.iter().all(|outcome| outcome.result.is_ok()))
}

/// Each step, and beside them what later ones have in [`Step::prebuild`].
fn run_steps(context: &Context, steps: &[&Step]) -> Vec<Outcome> {
    thread::scope(|scope| {
        let mut builds = BTreeMap::new();
        let mut outcomes = Vec::new();
        for step in steps {
            println!("\n== {}: {}", step.name, step.what);
            let started = Instant::now();
            let mut tally = Tally::default();
            let built = match builds.remove(step.name) {
                Some(build) => process::joined(build),
                None => step.prebuild.as_ref().map_or(Ok(()), |prebuild| (prebuild.build)(context)),
            };
            let result = built.and_then(|()| (step.run)(context, &mut tally));
            if let Err(message) = &result {
                println!("error: {message}");
            }
            let outcome =
                Outcome { step: step.name, what: step.what, result, took: started.elapsed(), tally };
            println!("== {} {} ({})", step.name, outcome.verdict(), human_duration(outcome.took));
            outcomes.push(outcome);
            for later in steps {
                if let Some(Prebuild { build, .. }) =
                    later.prebuild.as_ref().filter(|prebuild| prebuild.after == step.name)
                {
                    builds.insert(later.name, scope.spawn(move || build(context)));
                }
            }
        }
        outcomes
    })
}

fn is_wanted(step: &Step, names: &[String]) -> bool {
    let named = |name: &str| names.iter().any(|named| named == name);
    named(step.name)
        || named(NIGHTLY)
        || (named(QUICK) && step.when == When::Quick)
        || (names.is_empty() && !matches!(step.when, When::Nightly(_)))
}

/// A line for each step: its name first.
pub fn list() -> String {
    let line = |Step { name, what, when, .. }: &Step| match when {
        When::Quick => format!("{name:13} {what} (in `quick` too)\n"),
        When::Always => format!("{name:13} {what}\n"),
        When::Nightly(reason) => format!("{name:13} {what} (in `nightly` alone: {reason})\n"),
    };
    STEPS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(names: &[&str]) -> Vec<&'static str> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        STEPS.iter().filter(|step| is_wanted(step, &names)).map(|step| step.name).collect()
    }

    #[test]
    fn groups_hold_steps() {
        assert_eq!(chosen(&[QUICK]), ["fmt", "unit"]);
        assert_eq!(chosen(&["firefox", "unit"]), ["unit", "firefox"]);
        assert_eq!(chosen(&[NIGHTLY]).len(), STEPS.len());
        let usual = default_steps();
        assert!(usual.contains(&"chromium") && !usual.contains(&"thousand"), "{usual:?}");
    }

    #[test]
    fn names_are_told_apart() {
        let all: std::collections::BTreeSet<_> = names().into_iter().collect();
        assert_eq!(all.len(), names().len());
        assert!(is_known("quick") && is_known("webkit") && !is_known("safari"));
    }

    #[test]
    fn the_list_gives_names_first_and_reasons() {
        let list = list();
        let first: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(first, STEPS.iter().map(|step| step.name).collect::<Vec<_>>());
        assert!(list.contains("in `nightly` alone: "), "{list}");
    }
}
