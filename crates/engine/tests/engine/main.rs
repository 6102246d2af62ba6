//! The engine with fakes of network, storage, clock and devices. One program: each instance of the engine with them takes
//! half a minute to compile.

mod aborted_loads;
mod confidence;
mod copies;
mod failures;
mod import_faults;
mod import_parts;
mod import_storage;
mod imports;
mod own_classes;
mod rare_formats;
mod support;
mod ten_scenarios;
