//! Models that others have fitted, read from files.
//!
//! Ring 2: each reader links a library of its own, behind a build feature that is off by default; without it the same types are there
//! and say how to build them in. Nothing here knows folds or boards, and nothing is fitted.
#![warn(missing_docs)]

mod fault;
#[cfg(not(feature = "onnx"))]
#[path = "onnx_absent.rs"]
mod onnx;
#[cfg(feature = "onnx")]
mod onnx;

pub use fault::OnnxFault;
pub use onnx::OnnxModel;
