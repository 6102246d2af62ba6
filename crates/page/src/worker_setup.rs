//! Which build of the worker runs, on how many threads, and what the visitor should know about that. The choice itself
//! is made for the page and for other pages alike, by `web/embed/worker-builds.js`.

use serde::Deserialize;

/// How the worker is started.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Plan {
    /// The build's folder below `workers/`.
    pub build: String,
    pub threads: usize,
    pub notice: Option<Notice>,
}

/// What keeps the page from its best, and can be helped.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// The page is not cross-origin isolated, so it runs on one thread of as many processors.
    NotIsolated { cores: usize },
    /// The browser gives no page memory that threads can share, so it runs on one.
    NoSharing,
    /// The `threads` parameter is no number of threads.
    BadThreads { got: String, most: usize, used: usize },
    /// The worker crashed so many times and was started again.
    #[serde(skip)]
    StartedAgain { times: u32 },
    /// The worker could not start as many threads as were planned.
    #[serde(skip)]
    Fewer { planned: usize, started: usize },
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum NoPlan {
    /// The browser knows none of the builds' instructions.
    NoSimd,
    /// The `worker` parameter names no build, or one that this browser can't run.
    BadBuild(String),
}

impl Plan {
    /// Reads what `plan` of `worker-builds.js` gives, as JSON.
    pub fn from_json(json: &str) -> Result<Result<Self, NoPlan>, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Answer {
            Plan(Plan),
            Refusal { refusal: NoPlan },
        }
        Ok(match serde_json::from_str(json)? {
            Answer::Plan(plan) => Ok(plan),
            Answer::Refusal { refusal } => Err(refusal),
        })
    }

    /// What to tell once the worker runs on so many threads.
    pub fn notice(&self, started: usize) -> Option<Notice> {
        let fewer = (started < self.threads).then_some(Notice::Fewer { planned: self.threads, started });
        fewer.or_else(|| self.notice.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the forms that `tests/data/embed/worker-tests.mjs` expects of the script.
    #[test]
    fn plans_and_refusals_are_read_as_the_script_writes_them() {
        let plan = |notice| Plan { build: "relaxed-threads".into(), threads: 4, notice };
        let bad_threads = Notice::BadThreads { got: "two".into(), most: 64, used: 4 };
        for (json, notice) in [
            ("null", None),
            (r#"{"kind":"not_isolated","cores":8}"#, Some(Notice::NotIsolated { cores: 8 })),
            (r#"{"kind":"no_sharing"}"#, Some(Notice::NoSharing)),
            (r#"{"kind":"bad_threads","got":"two","most":64,"used":4}"#, Some(bad_threads)),
        ] {
            let json = format!(r#"{{"build":"relaxed-threads","threads":4,"notice":{json}}}"#);
            assert_eq!(Plan::from_json(&json).unwrap(), Ok(plan(notice)));
        }
        for (json, refusal) in [
            (r#"{"refusal":{"kind":"no_simd"}}"#, NoPlan::NoSimd),
            (r#"{"refusal":{"kind":"bad_build","name":"neon"}}"#, NoPlan::BadBuild("neon".into())),
        ] {
            assert_eq!(Plan::from_json(json).unwrap(), Err(refusal));
        }
        assert!(Plan::from_json("{}").is_err());
    }

    #[test]
    fn fewer_threads_than_planned_are_told_first() {
        let plan = Plan { build: "simd128-threads".into(), threads: 4, notice: Some(Notice::NoSharing) };
        assert_eq!(plan.notice(2), Some(Notice::Fewer { planned: 4, started: 2 }));
        assert_eq!(plan.notice(4), Some(Notice::NoSharing));
    }
}
