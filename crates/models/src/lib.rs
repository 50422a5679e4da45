//! Models of others: read from files, or fitted by a library of others.
//!
//! Ring 3: each links a library of its own, behind a build feature that is off by default; without it the same names are there and say how
//! to build them in. Nothing here knows folds or boards. What is fitted becomes data of the zoo, which any build predicts with.
#![warn(missing_docs)]

mod fault;
#[cfg(not(feature = "lightgbm"))]
#[path = "lightgbm_absent.rs"]
mod lightgbm;
#[cfg(feature = "lightgbm")]
mod lightgbm;
#[cfg(feature = "lightgbm")]
mod lightgbm_text;
#[cfg(not(feature = "onnx"))]
#[path = "onnx_absent.rs"]
mod onnx;
#[cfg(feature = "onnx")]
mod onnx;

pub use fault::{LightGbmFault, OnnxFault};
pub use lightgbm::{LIGHTGBM_BUILT, fit_lightgbm};
pub use onnx::OnnxModel;
