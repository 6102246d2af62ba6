//! `cargo xtask types`: the declarations in `web/embed/` against the TypeScript compiler, by programs that use all of
//! them. Not one of the steps of `cargo xtask test`: it fetches a compiler that nothing else needs.

use crate::process::run;
use crate::{Result, npm, project::Project};

const VERSION: &str = "5.9.3";

/// What uses the declarations, rightly and (marked so) wrongly: in a page, and in Node, Deno and Bun.
const PROGRAMS: [&str; 2] = ["tests/data/embed/types.mts", "tests/data/embed/types-node.mts"];

pub fn check(project: &Project) -> Result<()> {
    let compiler = npm::package(project, "typescript", VERSION)?.join("bin/tsc");
    let mut node = project.command("node");
    node.arg(compiler).args(["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"]);
    node.args(["--lib", "es2022,dom,dom.iterable"]).args(PROGRAMS);
    run(&mut node)?;
    eprintln!("The declarations are right.");
    Ok(())
}
