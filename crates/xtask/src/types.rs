//! `cargo xtask types`: the declarations in `web/embed/` against the TypeScript compiler, by a program that uses all of
//! them. Not one of the steps of `cargo xtask test`: it fetches a compiler that nothing else needs.

use crate::process::run;
use crate::{Result, npm, project::Project};

const VERSION: &str = "5.9.3";

/// What uses the declarations, rightly and (marked so) wrongly.
const PROGRAM: &str = "tests/data/embed/types.mts";

pub fn check(project: &Project) -> Result<()> {
    let compiler = npm::package(project, "typescript", VERSION)?.join("bin/tsc");
    let mut node = project.command("node");
    node.arg(compiler).args(["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]);
    node.args(["--lib", "es2022,dom,dom.iterable"]).arg(PROGRAM);
    run(&mut node)?;
    eprintln!("The declarations are right.");
    Ok(())
}
