//! Which build of the worker runs, on how many threads, and what the visitor should know about that.

use crate::worker_build::{Abilities, WorkerBuild};
use page::worker_setup::{NoPlan, Notice};

/// More than this is only used when asked for: a network of this size has no use for it, and each
/// thread takes memory.
const MOST_UNASKED: usize = 16;

/// As many as the worker has room for.
const MOST: usize = 64;

/// What the page's address says about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    /// `threads`
    pub threads: Option<String>,
    /// `worker`: the name of a build.
    pub build: Option<String>,
}

/// How the worker is started.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub build: WorkerBuild,
    pub threads: usize,
    pub notice: Option<Notice>,
}

impl Plan {
    pub fn new(abilities: &Abilities, wishes: &Wishes) -> Result<Self, NoPlan> {
        let build = match &wishes.build {
            Some(name) => WorkerBuild::named(name)
                .filter(|build| build.runs_with(abilities))
                .ok_or_else(|| NoPlan::BadBuild(name.clone()))?,
            None => WorkerBuild::fastest(abilities).ok_or(NoPlan::NoSimd)?,
        };
        let possible = build.has_threads() && abilities.sharing;
        let unasked = if possible { abilities.cores.min(MOST_UNASKED) } else { 1 };
        let asked = wishes.threads.as_deref().map(asked);
        let threads = match asked {
            Some(Some(asked)) if possible && asked > 0 => asked,
            _ => unasked,
        };
        let notice = match (asked, &wishes.threads) {
            (Some(None), Some(got)) => {
                Some(Notice::BadThreads { got: got.clone(), most: MOST, used: threads })
            }
            // One thread is what was asked for, or all there is.
            (Some(Some(1)), _) => None,
            _ if !abilities.isolated && abilities.cores > 1 => {
                Some(Notice::NotIsolated { cores: abilities.cores })
            }
            _ if !abilities.sharing && abilities.cores > 1 => Some(Notice::NoSharing),
            _ => None,
        };
        Ok(Self { build, threads, notice })
    }

    /// What to tell once the worker runs on so many threads.
    pub fn notice(&self, started: usize) -> Option<Notice> {
        let fewer = (started < self.threads).then_some(Notice::Fewer { planned: self.threads, started });
        fewer.or_else(|| self.notice.clone())
    }
}

/// A number of threads, 0 for the page's own choice.
fn asked(parameter: &str) -> Option<usize> {
    parameter.trim().parse().ok().filter(|&threads| threads <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Abilities = Abilities {
        simd128: true,
        relaxed_simd: true,
        shared_memory: true,
        isolated: true,
        sharing: true,
        cores: 4,
    };

    fn plan(abilities: Abilities, threads: &str) -> Plan {
        let threads = (!threads.is_empty()).then(|| threads.to_owned());
        Plan::new(&abilities, &Wishes { threads, build: None }).unwrap()
    }

    #[test]
    fn every_processor_has_a_thread_unless_another_number_is_asked_for() {
        for (asked, threads) in [("", 4), ("0", 4), ("1", 1), ("2", 2), (" 3 ", 3), ("7", 7), ("64", 64)] {
            let expected = Plan { build: WorkerBuild::RelaxedThreads, threads, notice: None };
            assert_eq!(plan(ALL, asked), expected, "{asked:?}");
        }
        assert_eq!(plan(Abilities { cores: 128, ..ALL }, "").threads, MOST_UNASKED);
    }

    #[test]
    fn what_is_no_number_of_threads_is_told_and_left_out_of_account() {
        for got in ["two", "-1", "1.5", "65", "99999999999999999999"] {
            let notice = Some(Notice::BadThreads { got: got.into(), most: MOST, used: 4 });
            assert_eq!(plan(ALL, got), Plan { build: WorkerBuild::RelaxedThreads, threads: 4, notice });
        }
    }

    #[test]
    fn without_isolation_there_is_one_thread_and_a_word_about_it() {
        let open = Abilities { isolated: false, sharing: false, ..ALL };
        for asked in ["", "0", "4"] {
            let plan = plan(open, asked);
            assert_eq!((plan.threads, plan.notice), (1, Some(Notice::NotIsolated { cores: 4 })), "{asked:?}");
        }
        assert_eq!(plan(open, "1").notice, None, "that is what was asked for");
        assert_eq!(plan(Abilities { cores: 1, ..open }, "").notice, None, "isolation would change nothing");
        let plain = plan(Abilities { shared_memory: false, ..open }, "");
        assert_eq!((plain.build, plain.threads), (WorkerBuild::Simd128, 1));
    }

    /// As in WebKit on GTK.
    #[test]
    fn without_memory_to_share_there_is_one_thread_and_nothing_that_would_help() {
        let alone = Abilities { relaxed_simd: false, sharing: false, ..ALL };
        for asked in ["", "0", "4"] {
            let expected = Plan { build: WorkerBuild::Simd128, threads: 1, notice: Some(Notice::NoSharing) };
            assert_eq!(plan(alone, asked), expected, "{asked:?}");
            assert_eq!(expected.notice(1), Some(Notice::NoSharing), "no thread is missing");
        }
        assert_eq!(plan(alone, "1").notice, None, "that is what was asked for");
        assert_eq!(plan(Abilities { cores: 1, ..alone }, "").notice, None, "sharing would change nothing");
    }

    /// `web/embed` counts threads for other pages by the same limits.
    #[test]
    fn the_embedded_module_has_the_same_limits() {
        let script = include_str!("../embed/builds.js");
        for (name, limit) in [("MOST_UNASKED", MOST_UNASKED), ("MOST", MOST)] {
            assert!(script.contains(&format!("const {name} = {limit};")), "{name}");
        }
    }

    #[test]
    fn a_build_can_be_asked_for_by_name() {
        let wishes = |build: &str| Wishes { threads: None, build: Some(build.into()) };
        let plan = Plan::new(&ALL, &wishes("simd128-threads")).unwrap();
        assert_eq!((plan.build, plan.threads), (WorkerBuild::Simd128Threads, 4));
        assert_eq!(Plan::new(&ALL, &wishes("simd128")).unwrap().threads, 1);
        assert_eq!(Plan::new(&ALL, &wishes("neon")), Err(NoPlan::BadBuild("neon".into())));
        let old = Abilities { relaxed_simd: false, ..ALL };
        let refused = Err(NoPlan::BadBuild("relaxed-threads".into()));
        assert_eq!(Plan::new(&old, &wishes("relaxed-threads")), refused);
    }

    #[test]
    fn fewer_threads_than_planned_are_told_first() {
        let plan = plan(ALL, "x");
        assert_eq!(plan.notice(2), Some(Notice::Fewer { planned: 4, started: 2 }));
        assert!(matches!(plan.notice(4), Some(Notice::BadThreads { .. })));
    }
}
