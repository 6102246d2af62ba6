//! What the page knows, decides and says, without a browser: nothing here links `web-sys`, so all of it is tested
//! natively.
//!
//! ```text
//! what happens ──▶ Action ──▶ State::update ──▶ State ──▶ Status, listed photos, Text ──▶ what `web` draws
//!                                 │
//!                                 └──▶ Effects ──▶ what `web` does ──▶ Action …
//!
//! a photo:  Arrived ─▶ Queued ─▶ Running ─▶ Done ─▶ View ─▶ Explain ─▶ heat map over the photo
//!                        ▲          │  └──▶ Failed
//!                        └──────────┘ worker failed, another model
//! ```
//! A photo is its number here, a [`PhotoId`](photo::PhotoId): its file stays with whoever does the effects.

pub mod action;
pub mod camera;
mod chinese;
mod crashes;
pub mod data_address;
pub mod effect;
pub mod engine;
pub mod english;
pub mod export;
pub mod heat_scale;
pub mod import;
pub mod language;
pub mod listing;
pub mod models;
pub mod numbers;
pub mod photo;
pub mod record;
mod reducer;
pub mod sharing;
pub mod shortcut;
pub mod state;
pub mod status;
pub mod storage;
pub mod tagging;
pub mod teach;
pub mod text;
mod translations;
pub mod viewer;
pub mod worker_setup;

pub use action::Action;
pub use effect::Effect;
pub use state::State;
