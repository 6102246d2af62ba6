//! One's own classes: a head trained on the features of a network that stays as it is.
//!
//! ```text
//! features [photos, width] ┐
//! classes  [photos]        ┴─ train_head ─▶ TrainedHead: weights + how such a head does on photos held out
//!                            train       C ◀─ folds ─ fit ◀─ lbfgs ◀─ objective
//! Head + features [width] ──▶ logits [classes]           head
//! Head ◀──▶ a .safetensors file with the classes' names  file
//! ```
//! The head is multinomial logistic regression with an L2 penalty, the very objective of scikit-learn's
//! `LogisticRegression`. The same features give the same bits with every SIMD instruction set, hence in
//! every browser and on the command line: sums run in one order, and no function of the system's mathematics
//! library is called.
//!
//! The crate knows no browser, no clock and no file system.
#![warn(missing_docs)]

mod confusion;
mod error;
mod examples;
mod file;
mod fit;
mod folds;
mod head;
mod lbfgs;
mod objective;
mod train;

pub use confusion::Confusion;
pub use error::HeadError;
pub use examples::Examples;
pub use fit::fit;
pub use head::Head;
pub use lbfgs::{Minimum, Stop, minimize};
pub use train::{Options, Progress, TrainedHead, Tried, Validation, train_head};
