//! What the browser tests share: a browser, a served site, the page's own vocabulary, and the
//! command line to compare with.

pub mod axe;
pub mod browser;
pub mod command_line;
pub mod hub_stand_in;
pub mod import;
pub mod memory;
pub mod page;
pub mod site;
